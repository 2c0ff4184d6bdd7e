//! Credentials for AWS: from the standard environment variables or a shared credentials file.

use std::path::PathBuf;

use aws_credential_types::Credentials;
use zeroize::Zeroizing;

use crate::Error;

/// Where the credentials come from. They are read anew for every call, so that whoever renews them need tell nobody.
#[derive(Debug, Clone)]
pub enum AwsCredentials {
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, for temporary ones, `AWS_SESSION_TOKEN`.
    Environment,
    /// A file of AWS's INI form.
    File {
        /// The file.
        path: PathBuf,
        /// The section in it, usually `default`.
        profile: String,
    },
}

impl AwsCredentials {
    /// The credentials as they are now.
    ///
    /// # Errors
    /// [`Error::Kek`] when the file or the variables do not hold them.
    pub fn read(&self) -> Result<Credentials, Error> {
        match self {
            Self::Environment => from_environment(|name| std::env::var(name).ok()),
            Self::File { path, profile } => {
                let text = std::fs::read_to_string(path).map(Zeroizing::new);
                let text = text.map_err(|error| Error::Kek(format!("{}: {error}", path.display())))?;
                from_text(&text, profile).ok_or_else(|| {
                    let path = path.display();
                    Error::Kek(format!(
                        "{path} has no aws_access_key_id and aws_secret_access_key in [{profile}]"
                    ))
                })
            }
        }
    }
}

fn from_environment(value: impl Fn(&str) -> Option<String>) -> Result<Credentials, Error> {
    let needed = |name: &str| {
        let found = value(name).filter(|value| !value.is_empty());
        found.ok_or_else(|| Error::Kek(format!("the environment has no {name}; or name a credentials file")))
    };
    let token = value("AWS_SESSION_TOKEN").filter(|token| !token.is_empty());
    let (id, secret) = (needed("AWS_ACCESS_KEY_ID")?, needed("AWS_SECRET_ACCESS_KEY")?);
    Ok(Credentials::new(id, secret, token, None, "environment"))
}

fn from_text(text: &str, profile: &str) -> Option<Credentials> {
    let header = format!("[{profile}]");
    let section = text.lines().map(str::trim).skip_while(|line| *line != header).skip(1);
    let (mut id, mut secret, mut token) = (None, None, None);
    for line in section.take_while(|line| !line.starts_with('[')) {
        let Some((name, value)) = line.split_once('=') else { continue };
        let value = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        match name.trim() {
            "aws_access_key_id" => id = value,
            "aws_secret_access_key" => secret = value,
            "aws_session_token" => token = value,
            _ => {}
        }
    }
    Some(Credentials::new(id?, secret?, token, None, "file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(credentials: &Credentials) -> (&str, &str, Option<&str>) {
        (credentials.access_key_id(), credentials.secret_access_key(), credentials.session_token())
    }

    #[test]
    fn a_file_is_read_by_its_section() {
        let text = "# ours\n[other]\naws_access_key_id = X\naws_secret_access_key = Y\n\n[default]\n \
                    aws_access_key_id=A \naws_secret_access_key = b/c=\nregion = x\naws_session_token = t=\n[last]\n";
        assert_eq!(parts(&from_text(text, "default").unwrap()), ("A", "b/c=", Some("t=")));
        assert_eq!(parts(&from_text(text, "other").unwrap()), ("X", "Y", None));
        assert!(from_text(text, "last").is_none() && from_text(text, "none").is_none());
    }

    #[test]
    fn the_environment_is_read_by_its_standard_names_and_what_is_missing_is_named() {
        let with = |names: &'static [&'static str]| {
            from_environment(move |name| names.contains(&name).then(|| name.to_lowercase()))
        };
        let all = with(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]).unwrap();
        assert_eq!(parts(&all), ("aws_access_key_id", "aws_secret_access_key", None));
        let missing = with(&["AWS_ACCESS_KEY_ID"]).unwrap_err();
        assert!(missing.to_string().contains("AWS_SECRET_ACCESS_KEY"), "{missing}");
    }
}
