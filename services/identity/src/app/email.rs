//! Whose an e-mail address is, as the stream says that guards it.

use docket_eventlog::{Expected, StreamAppend, StreamName, Subjects};
use docket_kernel::EventEnum as _;
use docket_proto::events::email;
use docket_proto::identity::events::v1 as pb;
use docket_service::ApiError;
use uuid::Uuid;

use super::Identity;
use crate::domain::Stage;

/// Whose an address is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holder {
    /// The account that has it, or that it is kept for.
    pub(super) account: Option<Uuid>,
    /// Whether it is only kept: the account has another one, and may take this one back.
    pub(super) kept: bool,
    /// The version of the address's stream.
    pub(super) version: u64,
}

impl Holder {
    /// The account that is signed in to with it.
    pub(super) fn signs_in(&self) -> Option<Uuid> {
        self.account.filter(|_| !self.kept)
    }

    /// The account that has it or that it is kept for, unless that is `account`.
    pub(super) fn other_than(&self, account: Uuid) -> Option<Uuid> {
        self.account.filter(|holder| *holder != account)
    }
}

impl Identity {
    /// The stream of an address: named by a keyed hash, with the key's version.
    pub(super) fn email_stream(&self, email: &str) -> StreamName {
        let mac = self.vault.mac("email", email.to_lowercase().as_bytes());
        StreamName::new(format!("email-k{}-{}", self.vault.mac_version(), hex::encode(mac)))
            .expect("letters, digits and hyphens, below 120 bytes")
    }

    /// Whose an address is. One whose account was erased is nobody's. The same work for each address: of one that is nobody's it is
    /// asked for the account that stands in for nobody.
    pub(super) async fn holder_of(&self, stream: &StreamName) -> Result<Holder, ApiError> {
        let events = self.log.read_stream(stream, 1).await?;
        let version = events.last().map_or(0, |last| last.version);
        let (account, kept) = match events.last() {
            None => (None, false),
            Some(last) => match email::Event::decode(&last.kind, &last.payload)? {
                email::Event::EmailClaimed(claimed) => (claimed.account_id.parse().ok(), false),
                email::Event::EmailReleased(released) => {
                    let kept = released.kept_until_us > self.now().as_microsecond();
                    (released.account_id.parse().ok().filter(|_| kept), kept)
                }
            },
        };
        let erased = self.is_erased(account.unwrap_or(self.nobody.account)).await?;
        Ok(Holder { account: account.filter(|_| !erased), kept: kept && !erased, version })
    }

    /// Whether an address is an open account's, or kept for one. An account that was begun and never finished has no claim on it that
    /// whoever reads its mail could not end.
    pub(super) async fn is_taken(&self, holder: &Holder) -> Result<bool, ApiError> {
        let account = holder.account.unwrap_or(self.nobody.account);
        let open = self.accounts.state(account).await?.state.stage == Stage::Active;
        Ok(holder.kept || open)
    }
}

/// The claim of an address, whose stream has that version, by an account.
pub(super) fn claimed(stream: StreamName, version: u64, account: Uuid) -> StreamAppend {
    let event = email::Event::from(pb::EmailClaimed { account_id: account.to_string() });
    StreamAppend::of(stream, Expected::Version(version), Subjects::NONE, &[event])
}

/// The end of an account's claim of an address, whose stream has that version.
pub(super) fn released(stream: StreamName, version: u64, account: Uuid, kept_until_us: i64) -> StreamAppend {
    let event = email::Event::from(pb::EmailReleased { account_id: account.to_string(), kept_until_us });
    StreamAppend::of(stream, Expected::Version(version), Subjects::NONE, &[event])
}
