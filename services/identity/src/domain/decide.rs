//! Which events follow from a command, or why none do.

use docket_kernel::Refusal;
use docket_proto::events::account::Event;
use docket_proto::identity::events::v1 as pb;
use uuid::Uuid;

use super::account::LOCKED;
use super::roles::{REVOKED_BECAUSE, exclude_each_other};
use super::{Account, Stage, supersedes};

type Decision = Result<Vec<Event>, Refusal>;

/// Opens an account. Whether the address is free is decided by the stream of the address, not here.
pub(crate) fn register(account: &Account, event: pb::AccountRegistered) -> Vec<Event> {
    match account.stage {
        Stage::None => vec![event.into()],
        Stage::Registered | Stage::EmailProven | Stage::Active => Vec::new(),
    }
}

/// The address was proven by its code. Proven again, after a registration begun anew, it is what the newer one said that counts.
pub(crate) fn prove_email(account: &Account, event: pb::EmailProven) -> Decision {
    match account.stage {
        Stage::None => Err(Refusal::not_found()),
        Stage::Registered | Stage::EmailProven if account.overtaken => Err(registration_over()),
        Stage::Registered | Stage::EmailProven => Ok(vec![event.into()]),
        Stage::Active => Err(already_active()),
    }
}

/// The first second factor makes the account usable; an unproven address does not get that far.
pub(crate) fn add_second_factor(account: &Account, method: &str, recovery_codes: u32) -> Decision {
    match account.stage {
        Stage::None => Err(Refusal::not_found()),
        Stage::Registered | Stage::EmailProven if account.overtaken => Err(registration_over()),
        Stage::Registered => Err(email_not_proven()),
        Stage::EmailProven => Ok(vec![
            pb::SecondFactorAdded { method: method.to_owned() }.into(),
            pb::RecoveryCodesIssued { count: recovery_codes }.into(),
        ]),
        Stage::Active => Err(already_active()),
    }
}

/// Another app takes the place of the one that was lost, with new recovery codes; the sessions that it was not done in end.
pub(crate) fn replace_second_factor(
    account: &Account,
    method: &str,
    recovery_codes: u32,
    other_sessions: &[Uuid],
) -> Decision {
    if account.stage != Stage::Active {
        return Err(Refusal::not_found());
    }
    let mut events = vec![
        pb::SecondFactorAdded { method: method.to_owned() }.into(),
        pb::RecoveryCodesIssued { count: recovery_codes }.into(),
    ];
    events.extend(end_sessions(other_sessions, "second_factor_replaced"));
    Ok(events)
}

/// A move was reported, of the account's owner or of somebody whom they signed for (INA 265(c)): also one that is told late, since cases
/// go by it. The same report again changes nothing.
pub(crate) fn change_address(account: &Account, event: pb::AddressChanged) -> Decision {
    let known = knows_address(account, &event.address, &event.filing_id)?;
    Ok(if known { Vec::new() } else { vec![event.into()] })
}

/// A form that was submitted gives an address. The same form again changes nothing, nor does one that is older than the address of
/// record.
pub(crate) fn record_address(account: &Account, event: pb::AddressRecorded) -> Decision {
    let known = knows_address(account, &event.address, &event.filing_id)?;
    let of_record = supersedes(event.given_at_us, account.address_given_at_us);
    Ok(if known || !of_record { Vec::new() } else { vec![event.into()] })
}

/// A form that was signed for somebody else gives their address, for its case. The same form again changes nothing.
pub(crate) fn give_case_address(account: &Account, event: pb::CaseAddressGiven) -> Decision {
    let known = knows_address(account, &event.address, &event.filing_id)?;
    Ok(if known { Vec::new() } else { vec![event.into()] })
}

/// Whether the address of a filing was taken before.
fn knows_address(account: &Account, address: &str, filing_id: &str) -> Result<bool, Refusal> {
    if account.stage == Stage::None {
        return Err(Refusal::not_found());
    }
    if address.trim().is_empty() {
        return Err(Refusal::invalid("address", "ADDRESS_MISSING", "Give the address, line by line."));
    }
    Ok(Uuid::try_parse(filing_id).is_ok_and(|filing| account.addresses_from.contains(&filing)))
}

/// A session begins, never without a proven address and a second factor. A locked password is freed by who
/// came in with a recovery code, or after the lock's time.
pub(crate) fn sign_in(
    account: &Account,
    session: Uuid,
    methods: &str,
    unlocked_by: Option<&str>,
) -> Decision {
    if account.stage != Stage::Active || (account.locked && unlocked_by.is_none()) {
        return Err(sign_in_refused());
    }
    let mut events = unlocked_by.map_or_else(Vec::new, |by| unlock(account, by));
    events.push(pb::SignedIn { session_id: session.to_string(), methods: methods.to_owned() }.into());
    Ok(events)
}

/// A try was refused; the last one of its row locks the password. That a locked one is tried again and again is
/// written once: strangers cannot make the history of an account longer than they have tries.
pub(crate) fn lock(account: &Account, reason: &str, last_try: bool) -> Vec<Event> {
    if account.stage == Stage::None || (reason == LOCKED && account.refused_as_locked) {
        return Vec::new();
    }
    let mut events = vec![pb::SignInRefused { reason: reason.to_owned() }.into()];
    if last_try && !account.locked {
        events.push(pb::AccountLocked { method: "password".to_owned() }.into());
    }
    events
}

/// Frees a locked password.
fn unlock(account: &Account, by: &str) -> Vec<Event> {
    let event = pb::AccountUnlocked { method: "password".to_owned(), by: by.to_owned() };
    if account.locked { vec![event.into()] } else { Vec::new() }
}

/// The second factor was given again.
pub(crate) fn step_up(account: &Account, session: Uuid) -> Decision {
    if account.stage != Stage::Active {
        return Err(Refusal::not_found());
    }
    Ok(vec![pb::SteppedUp { session_id: session.to_string() }.into()])
}

/// A session ends.
pub(crate) fn end_session(session: Uuid, reason: &str) -> Vec<Event> {
    vec![pb::SessionEnded { session_id: session.to_string(), reason: reason.to_owned() }.into()]
}

/// Several sessions end.
pub(crate) fn end_sessions(sessions: &[Uuid], reason: &str) -> impl Iterator<Item = Event> {
    sessions.iter().flat_map(move |session| end_session(*session, reason))
}

/// The person behind the account is known. One account stands for one person, once.
pub(crate) fn link_person(account: &Account, event: pb::IdentityProven) -> Decision {
    if account.stage != Stage::Active {
        return Err(Refusal::not_found());
    }
    if account.identity.is_some() {
        return Err(Refusal::state(
            "IDENTITY_ALREADY_PROVEN",
            "The identity behind this account is already proven.",
        )
        .way_out("Go on with the filing."));
    }
    Ok(vec![event.into()])
}

/// Gives a role that `invited_by` invited to. Some roles exclude each other, and nobody gives one to themselves.
pub(crate) fn grant_role(
    account: &Account,
    id: Uuid,
    role: &str,
    office: &str,
    invited_by: &str,
) -> Decision {
    if account.stage != Stage::Active {
        return Err(Refusal::not_found());
    }
    if invited_by == format!("account:{id}") {
        return Err(Refusal::not_yours("INVITATION_OF_ONES_OWN", "Nobody gives a role to themselves.")
            .way_out("Let somebody else issue the invitation."));
    }
    if let Some((held, _)) = account.roles.iter().find(|(held, _)| exclude_each_other(role, held)) {
        return Err(Refusal::state(
            "ROLES_EXCLUDE_EACH_OTHER",
            format!("The roles {role} and {held} exclude each other: one account cannot hold both."),
        )
        .way_out("Use another account for this role."));
    }
    if account.roles.contains(&(role.to_owned(), office.to_owned())) {
        return Ok(Vec::new());
    }
    let event = pb::RoleGranted {
        role: role.to_owned(),
        office: office.to_owned(),
        granted_by: "invitation".to_owned(),
        invited_by: invited_by.to_owned(),
    };
    Ok(vec![event.into()])
}

/// Takes a role away, whatever else the account holds. Who asked and who approves are two people; that is seen to before.
pub(crate) fn revoke_role(
    account: &Account,
    role: &str,
    office: &str,
    reason: &str,
    asked_by: Uuid,
) -> Decision {
    if account.stage == Stage::None {
        return Err(Refusal::not_found());
    }
    if !REVOKED_BECAUSE.contains(&reason) {
        let message = format!("Choose one of {}.", REVOKED_BECAUSE.join(", "));
        return Err(Refusal::invalid("reason", "ROLE_REASON_UNKNOWN", message));
    }
    if !account.roles.contains(&(role.to_owned(), office.to_owned())) {
        return Err(Refusal::state("ROLE_NOT_HELD", "The account does not hold this role at this office.")
            .way_out("Look at who holds it.")
            .field("role"));
    }
    let event = pb::RoleRevoked {
        role: role.to_owned(),
        office: office.to_owned(),
        reason: reason.to_owned(),
        asked_by: format!("account:{asked_by}"),
    };
    Ok(vec![event.into()])
}

fn already_active() -> Refusal {
    Refusal::state("ALREADY_ACTIVE", "This registration is complete.").way_out("Sign in.")
}

/// A registration that there never was, whose day is over, or whose address is another account's.
pub(crate) fn registration_over() -> Refusal {
    Refusal::state("REGISTRATION_EXPIRED", "There is no such registration, or it is over.")
        .way_out("Register again, or sign in if you finished.")
}

/// A code that is not the one that was mailed, or is good for nothing any more.
pub(crate) fn code_wrong() -> Refusal {
    Refusal::state("CODE_WRONG", "This code is wrong or was used before.").field("code")
}

fn email_not_proven() -> Refusal {
    Refusal::state("EMAIL_NOT_PROVEN", "The e-mail address is not proven yet.")
        .way_out("Enter the code from the mail first.")
}

/// The one answer to every wrong combination; it says nothing about the account.
pub(crate) fn sign_in_refused() -> Refusal {
    Refusal::state("SIGN_IN_REFUSED", "The e-mail address, the password or the code is wrong.")
}
