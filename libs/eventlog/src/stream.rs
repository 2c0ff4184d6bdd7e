//! Names of streams: `<category>-<id>`.

use std::fmt;

use uuid::Uuid;

use crate::Error;

/// A stream's name, at most 120 bytes of lower-case letters, digits and `-_.`: `case-0190…`, `email-k1-…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName(String);

impl StreamName {
    /// Most bytes of a name.
    pub const MAX_BYTES: usize = 120;

    /// The stream of one thing: `<category>-<id>`.
    pub fn of(category: &str, id: Uuid) -> Self {
        Self(format!("{category}-{id}"))
    }

    /// Takes a name as it is.
    ///
    /// # Errors
    /// [`Error::StreamName`] when it is empty, too long, or has other characters.
    pub fn new(name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        let good = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        if name.is_empty() || name.len() > Self::MAX_BYTES || !name.bytes().all(good) {
            return Err(Error::StreamName);
        }
        Ok(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first word: `case` of `case-0190…`.
    pub fn category(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    /// The id after the first word, when it is one.
    pub fn id(&self) -> Option<Uuid> {
        self.0.split_once('-').and_then(|(_, id)| Uuid::try_parse(id).ok())
    }

    /// A name read back from the database or the broker, checked when it was written.
    pub(crate) fn stored(name: String) -> Self {
        Self(name)
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_to_120_bytes_of_the_allowed_characters() {
        assert!(StreamName::new("a".repeat(120)).is_ok());
        assert!(StreamName::new("email-k1-0.9_z").is_ok());
        for bad in
            [String::new(), "a".repeat(121), "Case-1".into(), "case 1".into(), "case/1".into(), "é".into()]
        {
            assert!(matches!(StreamName::new(bad.as_str()), Err(Error::StreamName)), "{bad}");
        }
    }

    #[test]
    fn a_name_is_taken_apart_at_its_first_dash() {
        let id = Uuid::from_u128(7);
        let name = StreamName::of("case", id);
        assert_eq!(name.as_str(), format!("case-{id}"));
        assert_eq!(name.to_string(), name.as_str());
        assert_eq!((name.category(), name.id()), ("case", Some(id)));
        let keyed = StreamName::new("email-k1-00").unwrap();
        assert_eq!((keyed.category(), keyed.id()), ("email", None));
    }
}
