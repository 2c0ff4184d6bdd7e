//! Releasing a person from the account they are linked to: one records officer asks, another one approves, both accounts are told.

use docket_eventlog::{Context, Executed, Subjects};
use docket_kernel::{Refusal, derived_id, resource};
use docket_proto::identity::events::v1 as pb;
use docket_service::ApiError;
use jiff::SignedDuration;
use sqlx::PgConnection;
use uuid::Uuid;

use super::proofing::tries_of;
use super::{Identity, request_id_reused};
use crate::domain::{self, Account, PersonAggregate, PersonLink, Stage};
use crate::mail::{Sealed, Template};
use crate::store::release::{self, Release};
use crate::store::tries;

/// A request that nobody approved lapses after so long.
const LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Most requests that are listed.
const MOST: i64 = 1_000;

impl Identity {
    /// The open requests, oldest first.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn releases(&self) -> Result<Vec<Release>, ApiError> {
        Ok(release::all_open(&self.pool, self.now().as_microsecond(), MOST).await?)
    }

    /// Asks that the person whom an account was last refused for be released for it. Asked again with the same command, it is
    /// the same request.
    ///
    /// # Errors
    /// `NOT_FOUND`, `ERASED`, `NOT_LINKED_ELSEWHERE`, `RELEASE_REASON_UNKNOWN`, `RELEASE_OPEN`, `RELEASE_OF_ONES_OWN`,
    /// `REQUEST_ID_REUSED`.
    pub(crate) async fn ask_release(
        &self,
        context: &Context,
        by: Uuid,
        account: Uuid,
        reason: String,
    ) -> Result<Release, ApiError> {
        let (state, now) = (self.accounts.state(account).await?.state, self.now());
        if state.stage == Stage::None {
            return Err(ApiError::not_found());
        }
        if self.is_erased(account).await? {
            return Err(ApiError::Erased);
        }
        let id = derived_id(&format!("release.{by}"), context.command_id, 0);
        let mut tx = docket_database::begin(&self.pool).await?;
        if let Some(known) = release::lock(&mut tx, id).await? {
            let same = (known.account_id, &known.reason) == (account, &reason);
            return if same { Ok(known) } else { Err(request_id_reused().into()) };
        }
        let person_id = state.linked_elsewhere.ok_or_else(domain::not_linked_elsewhere)?;
        let person = self.persons.state_in(&mut tx, person_id).await?.state;
        let linked_to =
            self.held_by_another(&person, account).await?.ok_or_else(domain::not_linked_elsewhere)?;
        let expires_at_us = (now + LIFE).as_microsecond();
        let asked = Release {
            id,
            person_id,
            linked_to,
            account_id: account,
            reason,
            asked_by: by,
            expires_at_us,
            approved_at_us: None,
        };
        domain::release_person(&person, &released(&asked))?;
        not_of_ones_own(by, &asked)?;
        if let Some(open) = release::open(&mut tx, person_id, now.as_microsecond()).await? {
            return Err(already_asked(open).into());
        }
        release::insert(&mut tx, &asked).await?;
        tx.commit().await?;
        Ok(asked)
    }

    /// Approves a request: the link ends, and the person is kept for the account that it was asked for.
    ///
    /// # Errors
    /// `NOT_FOUND` also when it lapsed, `RELEASE_BY_ANOTHER`, `RELEASE_OF_ONES_OWN`, `NOT_LINKED_ELSEWHERE`.
    pub(crate) async fn approve_release(
        &self,
        context: &Context,
        by: Uuid,
        id: Uuid,
    ) -> Result<(), ApiError> {
        let now_us = self.now().as_microsecond();
        let known = release::find(&self.pool, id).await?.ok_or_else(Refusal::not_found)?;
        let told = self.told(&known).await?;
        let mut tx = docket_database::begin(&self.pool).await?;
        let asked = release::lock(&mut tx, id).await?.ok_or_else(Refusal::not_found)?;
        if asked.approved_at_us.is_some() {
            drop(tx);
            return self.repeat_if_done(context, asked.linked_to).await;
        }
        if asked.expires_at_us <= now_us {
            return Err(Refusal::not_found().into());
        }
        if asked.asked_by == by {
            return Err(same_person().into());
        }
        not_of_ones_own(by, &asked)?;
        release::approve(&mut tx, id, now_us).await?;
        let released = self.release(&mut tx, context, &asked, told).await?;
        tx.commit().await?;
        self.announce(&released);
        self.outbox.wake();
        Ok(())
    }

    /// The mails to both accounts; who was erased since is told nothing.
    async fn told(&self, asked: &Release) -> Result<Vec<Sealed>, ApiError> {
        let mut told = Vec::new();
        for (account, template) in
            [(asked.linked_to, Template::PersonReleased), (asked.account_id, Template::PersonKept)]
        {
            if !self.is_erased(account).await? {
                told.push(self.alert(&self.view(account).await?, template).await?);
            }
        }
        Ok(told)
    }

    /// The events on both streams, the mails, and new tries to prove the identity.
    async fn release(
        &self,
        tx: &mut PgConnection,
        context: &Context,
        asked: &Release,
        told: Vec<Sealed>,
    ) -> Result<Executed<PersonAggregate>, ApiError> {
        let event = pb::IdentityReleased {
            person_id: asked.person_id.to_string(),
            reason: asked.reason.clone(),
            asked_by: format!("account:{}", asked.asked_by),
        };
        let (account, subjects) = (asked.linked_to, Subjects::account(asked.linked_to));
        let decide = |state: &Account| Ok(domain::release_identity(state, &event));
        self.accounts.execute_in(tx, context, account, subjects, decide).await?;
        let command_id = derived_id("release.person", context.command_id, 0);
        let context = Context { command_id, ..context.clone() };
        let event = released(asked);
        let decide = |person: &PersonLink| domain::release_person(person, &event);
        let released = self.persons.execute_in(tx, &context, asked.person_id, Subjects::NONE, decide).await?;
        for mail in &told {
            self.outbox.put(tx, mail).await?;
        }
        tries::forgive(tx, &tries_of(asked.account_id)).await?;
        Ok(released)
    }

    /// The account that has a person, unless that is `account` itself or was erased.
    pub(super) async fn held_by_another(
        &self,
        person: &PersonLink,
        account: Uuid,
    ) -> Result<Option<Uuid>, ApiError> {
        match person.holder {
            Some(holder) if holder != account && !self.is_erased(holder).await? => Ok(Some(holder)),
            _ => Ok(None),
        }
    }
}

fn released(asked: &Release) -> pb::PersonReleased {
    pb::PersonReleased {
        account_id: asked.linked_to.to_string(),
        kept_for: asked.account_id.to_string(),
        reason: asked.reason.clone(),
        asked_by: format!("account:{}", asked.asked_by),
    }
}

fn not_of_ones_own(by: Uuid, asked: &Release) -> Result<(), Refusal> {
    if [asked.linked_to, asked.account_id].contains(&by) {
        return Err(Refusal::not_yours(
            "RELEASE_OF_ONES_OWN",
            "Nobody releases a person from or for their own account.",
        )
        .way_out("Let two other records officers do it."));
    }
    Ok(())
}

fn already_asked(open: Uuid) -> Refusal {
    Refusal::state("RELEASE_OPEN", "Somebody asked for that already.")
        .way_out("Let a records officer who did not ask approve it.")
        .fact("release", resource::name("releases", open))
}

fn same_person() -> Refusal {
    Refusal::not_yours("RELEASE_BY_ANOTHER", "Who asked that a person be released does not approve it.")
        .way_out("Another records officer approves.")
}
