//! Who did something: a person's account, a service, or the machine itself.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The sort of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// A person, by account id.
    Account,
    /// One of Docket's services, by name.
    Service,
    /// A timer or another part which acts without being asked, by name.
    Machine,
}

impl ActorKind {
    /// The word in the written form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Service => "service",
            Self::Machine => "machine",
        }
    }
}

/// An actor, written `account:<uuid>`, `service:filing` or `machine:timer`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Actor {
    /// The sort of actor.
    pub kind: ActorKind,
    /// The account's id, or the name of the service or part.
    pub id: String,
}

impl Actor {
    /// A person's account.
    pub fn account(id: uuid::Uuid) -> Self {
        Self { kind: ActorKind::Account, id: id.to_string() }
    }

    /// One of Docket's services.
    pub fn service(name: impl Into<String>) -> Self {
        Self { kind: ActorKind::Service, id: name.into() }
    }

    /// A part which acts by itself.
    pub fn machine(name: impl Into<String>) -> Self {
        Self { kind: ActorKind::Machine, id: name.into() }
    }

    /// The account's id, when a person acts.
    pub fn account_id(&self) -> Option<uuid::Uuid> {
        match self.kind {
            ActorKind::Account => self.id.parse().ok(),
            ActorKind::Service | ActorKind::Machine => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.id)
    }
}

/// The text is not `account:<uuid>`, `service:<name>` or `machine:<name>`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an actor is written account:<uuid>, service:<name> or machine:<name>")]
pub struct NotAnActor;

impl FromStr for Actor {
    type Err = NotAnActor;

    fn from_str(text: &str) -> Result<Self, NotAnActor> {
        let (kind, id) = text.split_once(':').ok_or(NotAnActor)?;
        let kind = match kind {
            "account" => ActorKind::Account,
            "service" => ActorKind::Service,
            "machine" => ActorKind::Machine,
            _ => return Err(NotAnActor),
        };
        if id.is_empty() || (kind == ActorKind::Account && id.parse::<uuid::Uuid>().is_err()) {
            return Err(NotAnActor);
        }
        Ok(Self { kind, id: id.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actors_are_read_as_they_are_written() {
        for actor in
            [Actor::account(uuid::Uuid::from_u128(1)), Actor::service("filing"), Actor::machine("timer")]
        {
            assert_eq!(actor.to_string().parse::<Actor>(), Ok(actor));
        }
        for bad in ["", "filing", "service:", "account:me", "robot:x"] {
            assert_eq!(bad.parse::<Actor>(), Err(NotAnActor));
        }
    }
}
