//! gRPC: take apart, call, answer.

mod account;
mod directory;
mod erasure;
mod person;
mod role;
mod session;

use std::sync::Arc;

use docket_kernel::{Refusal, resource};
use docket_proto::identity::v1 as pb;
use docket_service::{Access, ApiError, Base, Caller, Gateway, Person, Resource, TurnRule, Turns, Whence};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::app::{AccountView, Identity};

/// The six services over one `Identity`.
#[derive(Clone)]
pub(crate) struct Api {
    identity: Identity,
    access: Access,
    turns: Turns,
    gateways: Arc<[Gateway]>,
}

/// Registrations, which nobody need sign in for: a class in a library registers at once, and who fills the tables is slowed.
const REGISTER: TurnRule = TurnRule {
    purpose: "register",
    table: "register_turn",
    at_once: 40,
    each: SignedDuration::from_secs(30),
};

impl Api {
    /// The API of identity, behind these gateways.
    pub(crate) fn new(identity: Identity, base: &Base, gateways: &[Gateway]) -> Self {
        let (access, turns) = (base.access.clone(), Turns::new(base, REGISTER));
        Self { identity, access, turns, gateways: gateways.into() }
    }

    /// Takes the turn of a network to register somebody.
    async fn turn(&self, from: Whence) -> Result<(), ApiError> {
        let Some(wait) = self.turns.take(from).await? else { return Ok(()) };
        let refusal =
            Refusal::too_much("REGISTERED_TOO_OFTEN", "From your network too many accounts were begun.");
        Err(refusal.way_out("Wait a moment and register again.").retry_after(wait).into())
    }

    /// The person who calls, allowed to do that with the own account. Nobody is the owner of one that was erased, however long
    /// their access token is good.
    async fn owner(&self, caller: &Caller, action: &str) -> Result<Person, ApiError> {
        let person = caller.person()?.clone();
        let own = Resource { id: person.account, relations: vec!["owner"], ..all_of("Account") };
        self.access.require(caller, action, &own)?;
        if self.identity.is_erased(person.account).await? {
            return Err(ApiError::Unauthenticated);
        }
        Ok(person)
    }
}

/// All things of a kind, for acts that are about none of them alone.
fn all_of(kind: &'static str) -> Resource<'static> {
    Resource { kind, id: Uuid::nil(), relations: Vec::new(), office: None, class: "normal" }
}

impl From<AccountView> for pb::Account {
    fn from(view: AccountView) -> Self {
        let roles = view
            .account
            .roles
            .iter()
            .map(|(role, office)| pb::Role { role: role.clone(), office: office.clone() });
        Self {
            name: resource::name("accounts", view.id),
            state: view.account.state_word().to_owned(),
            identity_level: view.account.identity_level().to_owned(),
            roles: roles.collect(),
            language: view.account.language.clone(),
            zone: view.account.zone.clone(),
            new_email_until_us: match &view.account.email_change {
                Some(asked) if !view.new_email.is_empty() => asked.until_us,
                _ => 0,
            },
            new_email: view.new_email,
            email: view.email,
            family_name: view.family_name,
            given_name: view.given_name,
            postal_address: view.postal_address,
            mailing_address: view.mailing_address,
        }
    }
}
