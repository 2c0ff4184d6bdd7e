//! The rules of accounts, of people who are linked to them, and of erasures: pure, without a clock, a database or a random number.

mod account;
mod decide;
#[cfg(test)]
mod decide_tests;
mod email_change;
#[cfg(test)]
mod email_change_tests;
mod erasure;
#[cfg(test)]
mod laws_tests;
mod password;
mod person;
mod roles;
mod throttle;

pub(crate) use account::{Account, AccountAggregate, Stage, supersedes};
pub(crate) use decide::{
    add_second_factor, change_address, code_wrong, end_session, end_sessions, give_case_address, grant_role,
    link_person, lock, prove_email, record_address, register, registration_over, replace_second_factor,
    revoke_role, sign_in, sign_in_refused, step_up,
};
pub(crate) use email_change::{
    WayBack, asked_email_change, change_email, emails_since, kept_until_us, overtake_registration,
    request_email_change, take_back_email_change, way_back, withdraw_email_change,
};
pub(crate) use erasure::{Erasure, ErasureAggregate, HOLDERS, answer, complete, order};
pub(crate) use password::{Password, acceptable};
pub(crate) use person::{
    PersonAggregate, PersonLink, not_linked_elsewhere, release_identity, release_person,
};
pub(crate) use roles::{check_issuer, check_role};
pub(crate) use throttle::{GUESSES, PROOFING, Policy, REGISTRATIONS, Tries, Verdict};
