//! What each call does: rules from `domain`, rows from `store`, events into the log, in one transaction each.

mod address;
mod closing;
mod email;
mod email_change;
mod email_take_back;
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

use docket_eventlog::{Appended, Context, Error, EventLog, Store, StreamAppend};
use docket_kernel::{Actor, Clock as _, Refusal, SharedClock, derived_id};
use docket_service::{ApiError, Base, Stop, new_id};
use docket_vault::{Subject, Vault};
use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::domain::{AccountAggregate, ErasureAggregate, PersonAggregate};
use crate::keys::KeyRing;
use crate::mail::{Mail, Outbox, Sealed, Template};
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

    /// Appends to several streams in the caller's transaction; none where one of them moved on in between.
    async fn append_in(
        &self,
        tx: &mut PgConnection,
        context: &Context,
        streams: Vec<StreamAppend>,
    ) -> Result<Option<Appended>, ApiError> {
        match self.log.append_in(tx, context.append(&self.log, streams)).await {
            Ok(appended) => Ok(Some(appended)),
            Err(Error::Conflict { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A mail that tells an account of a change, sealed.
    async fn alert(&self, view: &AccountView, template: Template) -> Result<Sealed, ApiError> {
        self.letter(view, &view.email, template, String::new()).await
    }

    /// A mail about an account to an address, in the language of its owner, sealed.
    async fn letter(
        &self,
        view: &AccountView,
        to: &str,
        template: Template,
        code: String,
    ) -> Result<Sealed, ApiError> {
        let mail = Mail { to: to.to_owned(), template, language: view.account.language.clone(), code };
        Ok(self.outbox.seal(view.id, &mail).await?)
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
