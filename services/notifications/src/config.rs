//! What can be set, besides what every service has.

use std::path::PathBuf;

use docket_forms::CatalogueFolder;
use docket_kernel::identifier;
use docket_mail::MailConfig;
use docket_service::{Gateway, ServiceConfig};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::domain::Country;

/// The configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service has.
    pub service: ServiceConfig,
    /// The mail server.
    pub mail: MailConfig,
    /// The titles of forms and papers, and what refusals say.
    pub catalogue: CatalogueFolder,
    /// The notices.
    #[serde(default)]
    pub notices: NoticesConfig,
    /// The carrier of texts; without it no texts are sent, and nobody is offered any.
    #[serde(default)]
    pub texts: Option<TextsConfig>,
    /// Networks of the gateways that stand before the port; whom they name in `x-forwarded-for` is who calls.
    #[serde(default)]
    pub gateways: Vec<Gateway>,
}

/// The carrier of texts, and the plan: to whom they go.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextsConfig {
    /// Its API, for example `https://api.twilio.com`.
    pub url: String,
    /// The account's name there (`AC…`).
    pub account_sid: String,
    /// File with the account's token.
    pub auth_token_file: PathBuf,
    /// Our number, E.164: replies to it are heard. From the environment it comes as a number without its `+`.
    #[serde(deserialize_with = "number")]
    pub from: String,
    /// The countries whose numbers may be given: `US`, `CA`. Those of others cost more, and some of them those who are sent texts.
    #[serde(default = "countries")]
    pub countries: Vec<String>,
    /// Seconds between two looks at what came back: a reply that ends texts is heard within that time.
    #[serde(default = "replies_every_s")]
    pub replies_every_s: u64,
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Digits(u64),
        Text(String),
    }
    let text = match Written::deserialize(deserializer)? {
        Written::Digits(digits) => format!("+{digits}"),
        Written::Text(text) => text,
    };
    identifier::phone(&text).map_err(|fault| D::Error::custom(fault.message))
}

fn countries() -> Vec<String> {
    ["US", "CA"].map(str::to_owned).to_vec()
}

fn replies_every_s() -> u64 {
    5
}

/// To which numbers texts go.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Those of these countries.
    pub(crate) countries: Vec<Country>,
}

impl TextsConfig {
    /// To which numbers texts go.
    ///
    /// # Errors
    /// A country to which none are sent; an interval of no time.
    pub(crate) fn plan(&self) -> anyhow::Result<Plan> {
        anyhow::ensure!(self.replies_every_s > 0, "texts.replies_every_s is a second or more");
        let country = |code: &String| {
            Country::of(code).ok_or_else(|| {
                anyhow::anyhow!("texts.countries: no texts are sent to {code:?}, but to US and CA")
            })
        };
        Ok(Plan { countries: self.countries.iter().map(country).collect::<Result<_, _>>()? })
    }
}

/// How notices are printed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticesConfig {
    /// Folder of fonts (TTF, OTF, TTC) for names in scripts which the embedded fonts lack, such as Noto Sans CJK.
    #[serde(default)]
    pub font_dir: Option<PathBuf>,
}

impl AsRef<ServiceConfig> for Config {
    fn as_ref(&self) -> &ServiceConfig {
        &self.service
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(from: &str) -> Result<TextsConfig, toml::de::Error> {
        toml::from_str(&format!(
            "url = \"http://carrier.example\"\naccount_sid = \"AC1\"\nauth_token_file = \"/token\"\nfrom = {from}\n"
        ))
    }

    #[test]
    fn our_number_is_read_as_a_text_and_as_the_environment_gives_it() {
        for from in ["\"+12025550100\"", "12025550100", "\"202-555-0100\""] {
            assert_eq!(read(from).unwrap().from, "+12025550100", "{from}");
        }
        assert!(read("12").is_err());
    }

    #[test]
    fn a_plan_names_countries_to_which_texts_are_sent() {
        let config = read("12025550100").unwrap();
        assert_eq!(config.plan().unwrap().countries, [Country::UnitedStates, Country::Canada]);
        let abroad = TextsConfig { countries: vec!["MX".to_owned()], ..config.clone() };
        assert!(abroad.plan().unwrap_err().to_string().contains("MX"));
        assert!(TextsConfig { replies_every_s: 0, ..config }.plan().is_err());
    }
}
