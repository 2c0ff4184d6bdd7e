//! gRPC: take apart, call, answer.

mod account;
mod directory;
mod erasure;
mod person;
mod role;
mod session;

use docket_kernel::resource;
use docket_proto::identity::v1 as pb;
use docket_service::{Access, ApiError, Caller, Person, Resource};

use crate::app::{AccountView, Identity};

/// The six services over one `Identity`.
#[derive(Clone)]
pub(crate) struct Api {
    identity: Identity,
    access: Access,
}

impl Api {
    /// The API of identity.
    pub(crate) fn new(identity: Identity, access: Access) -> Self {
        Self { identity, access }
    }

    /// The person who calls, allowed to do that with the own account. Nobody is the owner of one that was erased, however long
    /// their access token is good.
    async fn owner(&self, caller: &Caller, action: &str) -> Result<Person, ApiError> {
        let person = caller.person()?.clone();
        let own = Resource {
            kind: "Account",
            id: person.account,
            relations: vec!["owner"],
            office: None,
            class: "normal",
        };
        self.access.require(caller, action, &own)?;
        if self.identity.is_erased(person.account).await? {
            return Err(ApiError::Unauthenticated);
        }
        Ok(person)
    }
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
            email: view.email,
            family_name: view.family_name,
            given_name: view.given_name,
            postal_address: view.postal_address,
            mailing_address: view.mailing_address,
        }
    }
}
