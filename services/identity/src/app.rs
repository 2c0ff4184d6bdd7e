//! What each call does: rules from `domain`, rows from `store`, events into the log, in one transaction each.

mod address;
mod closing;
mod erasure;
mod invitation;
mod proofing;
mod registration;
mod release;
mod replace_factor;
mod revocation;
mod second_factor;
mod sessions;
mod set_up;
mod sign_in;
mod view;

use std::sync::Arc;

use docket_eventlog::{Context, EventLog, Store, StreamName};
use docket_kernel::{Actor, Clock as _, EventEnum, Refusal, SharedClock, derived_id};
use docket_proto::events::email;
use docket_service::{ApiError, Base, Stop, new_id};
use docket_vault::{Subject, Vault};
use jiff::Timestamp;
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::domain::{AccountAggregate, ErasureAggregate, PersonAggregate};
use crate::keys::KeyRing;
use crate::mail::{Mail, Outbox, Template};
use crate::password::Hasher;
use crate::register::Register;
use crate::totp;

pub(crate) use address::GivenAddress;
pub(crate) use registration::Newcomer;
pub(crate) use revocation::Asked;
pub(crate) use sessions::Tokens;
pub(crate) use sign_in::Credentials;
pub(crate) use view::AccountView;

/// Identity's work. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Identity(Arc<Parts>);

/// What it works with.
pub(crate) struct Parts {
    pool: PgPool,
    vault: Vault,
    log: EventLog,
    clock: SharedClock,
    accounts: Store<AccountAggregate>,
    persons: Store<PersonAggregate>,
    erasures: Store<ErasureAggregate>,
    /// The log's epoch: it is raised while no process of the service runs.
    epoch: i64,
    /// Woken when the vault has erased somebody.
    erased: Arc<Notify>,
    hasher: Hasher,
    keys: KeyRing,
    outbox: Outbox,
    register: Register,
    /// Stands in where an address has no account, so that the same work is done.
    nobody: Nobody,
    /// Events of refusals are written after the answer, so that its time says nothing.
    afterwards: TaskTracker,
}

struct Nobody {
    account: Uuid,
    sealed: Vec<u8>,
}

impl std::ops::Deref for Identity {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Identity {
    /// Identity's work over a base.
    ///
    /// # Errors
    /// The vault; hashing.
    pub(crate) async fn new(
        base: &Base,
        keys: KeyRing,
        outbox: Outbox,
        register: Register,
    ) -> anyhow::Result<Self> {
        let (vault, log) = (base.vault.clone(), base.log.clone());
        let account = derived_id("identity.nobody", Uuid::nil(), 0);
        let sealed =
            vault.seal(&Subject::account(account), second_factor::SECRET, &totp::new_secret()).await?;
        let hasher = Hasher::new(&vault)
            .await
            .map_err(|error| anyhow::anyhow!("hashing passwords: {}", error.cause()))?;
        let epoch = i64::try_from(log.head().await?.epoch.number)?;
        Ok(Self(Arc::new(Parts {
            epoch,
            pool: base.pool.clone(),
            clock: base.clock.clone(),
            accounts: Store::new(log.clone()),
            persons: Store::new(log.clone()),
            erasures: Store::new(log.clone()),
            erased: Arc::clone(&base.erased),
            nobody: Nobody { account, sealed },
            afterwards: TaskTracker::new(),
            vault,
            log,
            hasher,
            keys,
            outbox,
            register,
        })))
    }

    /// At the stop, lets what is written after answers come to its end.
    ///
    /// # Errors
    /// None.
    pub(crate) async fn finish(self, stop: Stop) -> anyhow::Result<()> {
        stop.cancelled().await;
        self.afterwards.close();
        self.afterwards.wait().await;
        Ok(())
    }

    /// The keys of access tokens.
    pub(crate) fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// The civil day in a person's zone.
    pub(crate) fn today(&self, zone: &str) -> jiff::civil::Date {
        let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
        zone.to_datetime(self.now()).date()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn new_id(&self) -> Uuid {
        new_id(self.now())
    }

    /// A mail that tells an account of a change, sealed, and its id; a new one, which says how long the mail waits.
    async fn alert(&self, view: &AccountView, template: Template) -> Result<(Uuid, Vec<u8>), ApiError> {
        let (to, language) = (view.email.clone(), view.account.language.clone());
        let id = self.new_id();
        let mail = Mail { to, template, language, code: String::new() };
        Ok((id, self.outbox.seal(id, view.id, &mail).await?))
    }

    /// The stream of an address: named by a keyed hash, with the key's version.
    fn email_stream(&self, email: &str) -> StreamName {
        let mac = self.vault.mac("email", email.to_lowercase().as_bytes());
        StreamName::new(format!("email-k{}-{}", self.vault.mac_version(), hex::encode(mac)))
            .expect("letters, digits and hyphens, below 120 bytes")
    }

    /// The account of an address, and the version of the address's stream. An address whose account was erased is free
    /// again. The same work for each address: of one that was never claimed it is asked for an account that never was.
    async fn account_of(&self, stream: &StreamName) -> Result<(Option<Uuid>, u64), ApiError> {
        let events = self.log.read_stream(stream, 1).await?;
        let version = events.last().map_or(0, |last| last.version);
        let account = match events.last() {
            Some(last) => {
                let email::Event::EmailClaimed(claimed) = email::Event::decode(&last.kind, &last.payload)?;
                claimed.account_id.parse().ok()
            }
            None => None,
        };
        let never_was = || derived_id(&format!("identity.nobody.{stream}"), Uuid::nil(), 0);
        let erased = self.is_erased(account.unwrap_or_else(never_was)).await?;
        Ok((account.filter(|_| !erased), version))
    }
}

/// The same command, done by the account itself.
fn by_account(context: &Context, account: Uuid) -> Context {
    Context { actor: Actor::account(account), ..context.clone() }
}

/// The id of the request stands for something else already.
fn request_id_reused() -> Refusal {
    Refusal::exists("REQUEST_ID_REUSED", "This request id was used for an earlier request.")
        .way_out("Take a new request id, and a new code where one is asked for.")
}
