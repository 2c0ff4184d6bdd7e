//! The register of persons, asked over HTTP.

use std::time::Duration;

use docket_kernel::derived_id;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const TRIES: u32 = 3;
const TIMEOUT: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(200);

/// What is asked about a person, normalised.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Particulars {
    /// Family name.
    pub(crate) family_name: String,
    /// Given name; empty for people with one name.
    pub(crate) given_name: String,
    /// ISO 8601.
    #[serde(rename = "date_of_birth")]
    pub(crate) birth_date: String,
    /// `A` and nine digits.
    pub(crate) a_number: String,
}

/// The register's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    /// All particulars agree.
    Person(Uuid),
    /// They do not, or nobody has them.
    None,
    /// The register cannot be asked now.
    Unavailable,
}

/// A client of the register. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Register {
    http: reqwest::Client,
    url: String,
}

#[derive(Deserialize)]
struct Answer {
    r#match: String,
    person: Option<String>,
}

impl Register {
    /// A client of the register at `url`.
    ///
    /// # Errors
    /// The HTTP client.
    pub(crate) fn new(url: &str) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).build()?;
        Ok(Self { http, url: format!("{}/register/match", url.trim_end_matches('/')) })
    }

    /// Whether one person has these particulars. Asks up to three times; asking changes nothing there.
    pub(crate) async fn find(&self, particulars: &Particulars) -> Match {
        for attempt in 1..=TRIES {
            match self.ask(particulars).await {
                Ok(answer) if answer.r#match == "exact" => {
                    return answer.person.map_or(Match::None, |person| Match::Person(person_id(&person)));
                }
                Ok(_) => return Match::None,
                // The error's text may hold what was sent, so only its sort is told.
                Err(error) => {
                    let (timeout, code) = (error.is_timeout(), error.status());
                    tracing::warn!(attempt, timeout, ?code, "the register did not answer");
                }
            }
            if attempt < TRIES {
                tokio::time::sleep(PAUSE * attempt).await;
            }
        }
        Match::Unavailable
    }

    async fn ask(&self, particulars: &Particulars) -> reqwest::Result<Answer> {
        self.http.post(&self.url).json(particulars).send().await?.error_for_status()?.json().await
    }
}

/// Our id of the register's person: always the same, and nothing of the register's own id is kept.
fn person_id(opaque: &str) -> Uuid {
    derived_id(&format!("register.person:{opaque}"), Uuid::nil(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_of_the_register_has_one_id_here() {
        assert_eq!(person_id("rp_1"), person_id("rp_1"));
        assert_ne!(person_id("rp_1"), person_id("rp_2"));
    }
}
