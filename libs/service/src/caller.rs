//! The caller of a method, as the auth layer found it out, and the context of what it asks.

use docket_eventlog::Context;
use docket_kernel::Actor;
use prost::Message;
use uuid::Uuid;

use crate::ApiError;

/// A person with an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The account.
    pub account: Uuid,
    /// The session.
    pub session: Uuid,
    /// Whether a second factor was given within the last ten minutes for guarded acts.
    pub step_up: bool,
    /// 2 second factor, 3 step-up.
    pub auth_level: u32,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// A person, by an access token.
    Person(Person),
    /// Another service, by its certificate.
    Service(String),
    /// Nobody we know.
    Anonymous,
}

/// A role held in an office.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Role {
    /// Such as `adjudicator`.
    pub role: String,
    /// Such as `NBC`.
    pub office: String,
}

/// The caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub identity: Identity,
    /// Roles of a person; from our own projection, never from the token.
    pub roles: Vec<Role>,
}

/// The caller which the auth layer put into the request.
///
/// # Errors
/// [`ApiError::Unauthenticated`] when the request did not come through the layer.
pub fn caller<T>(request: &tonic::Request<T>) -> Result<Caller, ApiError> {
    request.extensions().get::<Caller>().cloned().ok_or(ApiError::Unauthenticated)
}

impl Caller {
    /// Nobody.
    pub const ANONYMOUS: Self = Self { identity: Identity::Anonymous, roles: Vec::new() };

    /// The person.
    ///
    /// # Errors
    /// [`ApiError::Unauthenticated`] when it is none.
    pub fn person(&self) -> Result<&Person, ApiError> {
        match &self.identity {
            Identity::Person(person) => Ok(person),
            Identity::Service(_) | Identity::Anonymous => Err(ApiError::Unauthenticated),
        }
    }

    /// The account, when a person calls.
    pub fn account(&self) -> Option<Uuid> {
        self.person().ok().map(|person| person.account)
    }

    /// The service's name, when one calls.
    pub fn service(&self) -> Option<&str> {
        match &self.identity {
            Identity::Service(name) => Some(name),
            Identity::Person(_) | Identity::Anonymous => None,
        }
    }

    /// Whether the caller holds the role, in that office or in any.
    pub fn has_role(&self, role: &str, office: Option<&str>) -> bool {
        self.roles.iter().any(|held| held.role == role && office.is_none_or(|office| held.office == office))
    }

    /// The actor in the log. Who has no identity yet acts as `machine:anonymous`.
    pub fn actor(&self) -> Actor {
        match &self.identity {
            Identity::Person(person) => Actor::account(person.account),
            Identity::Service(name) => Actor::service(name.clone()),
            Identity::Anonymous => Actor::machine("anonymous"),
        }
    }

    /// The context of a command: `request_id` is its id, `message` tells a repetition from another request.
    ///
    /// Clear passwords and codes from the message before: keyed hashes of its fields are kept.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for the field `request_id` when it is not a UUID.
    pub fn context(&self, request_id: &str, message: &impl Message) -> Result<Context, ApiError> {
        let command_id = Uuid::try_parse(request_id).map_err(|_malformed| {
            let example = "Send a new UUID with each command, such as 01890a5d-ac96-774b-bcce-b302099a8057, and the same one to repeat it.";
            ApiError::invalid("request_id", "REQUEST_ID_MALFORMED", example)
        })?;
        Ok(Context {
            command_id,
            correlation_id: command_id,
            causation_id: None,
            actor: self.actor(),
            on_behalf_of: None,
            auth_level: self.person().map_or(0, |person| person.auth_level),
            traceparent: docket_messaging::current_traceparent(),
            request: message.encode_to_vec(),
        })
    }
}
