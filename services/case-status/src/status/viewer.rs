//! Who looks: the account with the offices in which it holds each role.

use docket_service::{ApiError, Caller, Role};
use sqlx::PgPool;
use uuid::Uuid;

use super::row::CaseRow;
use crate::domain::office::INTAKE_OFFICE;
use crate::relation::{OFFICER_ROLES, Relation, relations};

/// A person who looks at cases.
#[derive(Debug, Clone)]
pub(crate) struct Viewer {
    /// The account.
    pub(crate) account: Uuid,
    /// Offices where the viewer may have cases.
    pub(crate) officer_at: Vec<String>,
    /// Offices the viewer supervises; the cases of intake's have an empty one before acceptance, which is among them then.
    pub(crate) supervises: Vec<String>,
    /// Whether the viewer does intake.
    pub(crate) is_intake: bool,
    /// Sites where the viewer captures biometrics.
    pub(crate) captures_at: Vec<String>,
    /// Sites where the viewer hears oaths.
    pub(crate) oaths_at: Vec<String>,
    /// Offices whose cards the viewer follows.
    pub(crate) records_at: Vec<String>,
    caller: Caller,
}

/// How much of a case somebody sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// What the party sees.
    Party,
    /// Everything.
    Office,
    /// The appointment only.
    Site,
}

impl Viewer {
    /// The person who calls.
    ///
    /// # Errors
    /// Unauthenticated.
    pub(crate) fn of(caller: Caller) -> Result<Self, ApiError> {
        let account = caller.person()?.account;
        let at = |roles: &[&str]| -> Vec<String> {
            let held = caller.roles.iter().filter(|held| roles.contains(&held.role.as_str()));
            held.map(|held| held.office.clone()).collect()
        };
        let mut supervises = at(&["supervisor"]);
        if supervises.iter().any(|office| office == INTAKE_OFFICE) {
            supervises.push(String::new());
        }
        Ok(Self {
            account,
            officer_at: at(&OFFICER_ROLES),
            supervises,
            is_intake: caller.has_role("intake_officer", Some(INTAKE_OFFICE)),
            captures_at: at(&["biometrics_officer"]),
            oaths_at: at(&["oath_officer"]),
            records_at: at(&["records_officer"]),
            caller,
        })
    }

    /// The same person with the roles held now: a watch outlives a role.
    pub(crate) async fn again(&self, pool: &PgPool) -> Result<Self, ApiError> {
        let roles =
            sqlx::query_as!(Role, "SELECT role, office FROM access.role WHERE account = $1", self.account,)
                .fetch_all(pool)
                .await?;
        Self::of(Caller { identity: self.caller.identity.clone(), roles })
    }

    /// The relations to the case of a row.
    pub(crate) fn relations(&self, row: &CaseRow) -> Vec<Relation> {
        relations(&self.caller, &row.case)
    }

    /// How much the viewer sees of a row.
    pub(crate) fn sight(&self, row: &CaseRow) -> Sight {
        let relations = self.relations(row);
        if relations.iter().any(|relation| relation.is_partys()) {
            Sight::Party
        } else if relations.iter().any(|relation| relation.reads()) {
            Sight::Office
        } else {
            Sight::Site
        }
    }

    /// The person who calls, for the policy.
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }
}
