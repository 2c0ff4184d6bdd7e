//! The carrier of texts, as its HTTP API defines it (Twilio's shape: form-encoded requests, JSON answers, basic auth).

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use jiff::civil::Date;
use reqwest::{RequestBuilder, StatusCode};
use serde::Deserialize;

use crate::config::TextsConfig;

/// How long an answer is waited for; after that the outcome is asked for later.
const PATIENCE: Duration = Duration::from_secs(10);
/// Texts of a list on one page.
const PAGE: &str = "200";
/// Pages of replies that are read at once; more than that many are nobody's replies.
const PAGES: u32 = 50;

/// The carrier. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Carrier {
    http: reqwest::Client,
    url: String,
    account: String,
    token: String,
    from: String,
}

/// Why a text was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// The carrier was told that the number wants none.
    Stopped,
    /// There is no such number, or it takes no texts.
    NoSuchNumber,
    /// It refuses us, whatever the number.
    Refused,
    /// Not now, or nobody knows: it may have been taken.
    Later(&'static str),
}

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It arrived.
    Delivered,
    /// It did not.
    Failed,
    /// Not known yet.
    UnderWay,
}

/// A reply.
#[derive(Clone)]
pub(crate) struct Heard {
    /// The carrier's id.
    pub(crate) id: String,
    /// The number that it came from, E.164.
    pub(crate) from: String,
    /// What it says.
    pub(crate) body: String,
}

#[derive(Deserialize)]
struct Message {
    sid: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    direction: String,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Message>,
    #[serde(default)]
    next_page_uri: Option<String>,
}

#[derive(Default, Deserialize)]
struct Fault {
    #[serde(default)]
    code: u32,
}

impl Carrier {
    /// As configured.
    ///
    /// # Errors
    /// A token that cannot be read or is empty; TLS roots that cannot be loaded.
    pub(crate) fn new(config: &TextsConfig) -> Result<Self> {
        let file = &config.auth_token_file;
        let token = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        let token = token.trim().to_owned();
        ensure!(!token.is_empty(), "{} is empty: it must hold the carrier's token", file.display());
        ensure!(
            !config.account_sid.is_empty()
                && config.account_sid.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "texts.account_sid is the account's name at the carrier, letters and digits"
        );
        // There from the start, so that the first one counts.
        for answered in ["yes", "no"] {
            metrics::counter!("docket_carrier_calls", "answered" => answered).increment(0);
        }
        Ok(Self {
            http: reqwest::Client::builder().timeout(PATIENCE).build().context("a client for the carrier")?,
            url: config.url.trim_end_matches('/').to_owned(),
            account: config.account_sid.clone(),
            token,
            from: config.from.clone(),
        })
    }

    /// Hands a text over; the carrier's id of it.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub(crate) async fn send(&self, to: &str, body: &str) -> Result<String, NotTaken> {
        let form = [("To", to), ("From", self.from.as_str()), ("Body", body)];
        let asked = self.http.post(self.messages()).form(&form);
        let Ok(answer) = self.asked(asked).await else { return Err(NotTaken::Later("no_answer")) };
        let status = answer.status();
        if status.is_success() {
            let message: Result<Message, _> = answer.json().await;
            return message.map(|message| message.sid).map_err(|_cut| NotTaken::Later("no_answer"));
        }
        let fault: Fault = answer.json().await.unwrap_or_default();
        Err(not_taken(status, fault.code))
    }

    /// The text to a number that has these letters, if the carrier has it: after an answer that never came.
    ///
    /// # Errors
    /// When the carrier does not answer.
    pub(crate) async fn find(&self, to: &str, letters: &str) -> Result<Option<String>> {
        let page = self.page(self.http.get(self.messages()).query(&[("To", to), ("PageSize", PAGE)])).await?;
        let ours = |message: &Message| message.direction != "inbound" && message.body.contains(letters);
        Ok(page.messages.into_iter().find(ours).map(|message| message.sid))
    }

    /// What became of a text.
    ///
    /// # Errors
    /// When the carrier does not answer, or knows no such text.
    pub(crate) async fn standing(&self, id: &str) -> Result<Standing> {
        ensure!(id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "a carrier's id is letters and digits");
        let url = format!("{}/2010-04-01/Accounts/{}/Messages/{id}.json", self.url, self.account);
        let answer = self.asked(self.http.get(url)).await?.error_for_status();
        let message: Message = answer.map_err(reqwest::Error::without_url)?.json().await?;
        Ok(match message.status.as_str() {
            "delivered" | "read" => Standing::Delivered,
            "undelivered" | "failed" | "canceled" => Standing::Failed,
            _ => Standing::UnderWay,
        })
    }

    /// What came to our number since a day (UTC), the newest first.
    ///
    /// # Errors
    /// When the carrier does not answer.
    pub(crate) async fn replies(&self, since: Date) -> Result<Vec<Heard>> {
        let (mut heard, since) = (Vec::new(), since.to_string());
        let query = [("To", self.from.as_str()), ("DateSent>", since.as_str()), ("PageSize", PAGE)];
        let mut next = Some(self.http.get(self.messages()).query(&query));
        for _ in 0..PAGES {
            let Some(asked) = next.take() else { break };
            let page = self.page(asked).await?;
            let inbound = page.messages.into_iter().filter(|message| message.direction == "inbound");
            heard.extend(inbound.map(|Message { sid, from, body, .. }| Heard { id: sid, from, body }));
            let further = page.next_page_uri.filter(|path| path.starts_with("/2010-04-01/"));
            next = further.map(|path| self.http.get(format!("{}{path}", self.url)));
        }
        Ok(heard)
    }

    fn messages(&self) -> String {
        format!("{}/2010-04-01/Accounts/{}/Messages.json", self.url, self.account)
    }

    async fn page(&self, asked: RequestBuilder) -> Result<Page> {
        let answer = self.asked(asked).await?.error_for_status().map_err(reqwest::Error::without_url)?;
        Ok(answer.json().await.map_err(reqwest::Error::without_url)?)
    }

    /// Asks in our name, and counts whether we were answered. What failed is told without the address, which names a number.
    async fn asked(&self, request: RequestBuilder) -> Result<reqwest::Response, reqwest::Error> {
        let answer = request.basic_auth(&self.account, Some(&self.token)).send().await;
        let kept_out = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
        let answered = answer
            .as_ref()
            .is_ok_and(|answer| !answer.status().is_server_error() && !kept_out.contains(&answer.status()));
        metrics::counter!("docket_carrier_calls", "answered" => if answered { "yes" } else { "no" })
            .increment(1);
        answer.map_err(reqwest::Error::without_url)
    }
}

/// What a refusal means, by the carrier's codes.
fn not_taken(status: StatusCode, code: u32) -> NotTaken {
    match code {
        21_610 => NotTaken::Stopped,
        // Not a number; not reachable from us; not allowed from us; no mobile one; of no carrier that we reach.
        21_211 | 21_214 | 21_217 | 21_407 | 21_408 | 21_612 | 21_614 | 21_635 => NotTaken::NoSuchNumber,
        _ if status == StatusCode::TOO_MANY_REQUESTS => NotTaken::Later("too_many"),
        _ if status.is_server_error() => NotTaken::Later("carrier"),
        _ => NotTaken::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_refusal_means_follows_from_its_code_and_then_from_its_status() {
        for (status, code, expected) in [
            (400, 21_610, NotTaken::Stopped),
            (400, 21_614, NotTaken::NoSuchNumber),
            (400, 21_603, NotTaken::Refused),
            (401, 20_003, NotTaken::Refused),
            (429, 20_429, NotTaken::Later("too_many")),
            (503, 0, NotTaken::Later("carrier")),
        ] {
            assert_eq!(not_taken(StatusCode::from_u16(status).unwrap(), code), expected, "{status} {code}");
        }
    }
}
