//! The roles of the office.

use docket_kernel::FieldFault;

/// Every role that can be given.
pub(crate) const ROLES: &[&str] = &[
    "intake_officer",
    "adjudicator",
    "supervisor",
    "biometrics_officer",
    "oath_officer",
    "records_officer",
    "finance",
    "auditor",
    "operator",
];

/// Why a role is taken away: the person left the office or moved within it, it was given in error, it was misused.
pub(crate) const REVOKED_BECAUSE: &[&str] = &["left", "moved", "given_in_error", "misused"];

/// Roles that no account holds together: who runs the machines neither decides cases nor supervises those who do.
const APART: &[(&str, &str)] = &[("operator", "adjudicator"), ("operator", "supervisor")];
/// The role beside which there is no other: who looks after all the others.
const ALONE: &str = "auditor";

/// Whether two roles exclude each other on one account. The same role at another office is no other one.
pub(crate) fn exclude_each_other(one: &str, other: &str) -> bool {
    let apart = APART.contains(&(one, other)) || APART.contains(&(other, one));
    apart || (one != other && (one == ALONE || other == ALONE))
}

/// Who issues an invitation: an account, or a word for who runs the machines. No name of a person: it is kept for ever.
///
/// # Errors
/// Anything else.
pub(crate) fn check_issuer(by: &str) -> Result<(), FieldFault> {
    let account = by.strip_prefix("account:").is_some_and(|id| uuid::Uuid::try_parse(id).is_ok());
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if account || ((2..=40).contains(&by.len()) && by.chars().all(letter)) {
        return Ok(());
    }
    Err(FieldFault::new("by", "ISSUER_MALFORMED", "Write account:<uuid>, or a word such as setup."))
}

/// A role at an office.
///
/// # Errors
/// A role which does not exist; an office which is not a code such as `NBC` or `ASC-NYC`.
pub(crate) fn check_role(role: &str, office: &str) -> Result<(), FieldFault> {
    if !ROLES.contains(&role) {
        return Err(FieldFault::new("role", "ROLE_UNKNOWN", format!("Choose one of {}.", ROLES.join(", "))));
    }
    let code = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    if !(2..=20).contains(&office.len()) || !office.chars().all(code) {
        return Err(FieldFault::new("office", "OFFICE_MALFORMED", "Write the office's code, such as NBC."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_the_machines_decides_and_supervises_nothing_and_who_audits_does_nothing_else() {
        for other in ["adjudicator", "supervisor", "auditor"] {
            assert!(exclude_each_other("operator", other) && exclude_each_other(other, "operator"));
        }
        assert!(exclude_each_other("auditor", "finance"));
        assert!(!exclude_each_other("operator", "finance") && !exclude_each_other("auditor", "auditor"));
        assert!(!exclude_each_other("adjudicator", "supervisor"));
    }

    #[test]
    fn who_issues_an_invitation_is_an_account_or_a_word() {
        for good in ["setup", "it-desk", "account:019a0000-0000-7000-8000-000000000002"] {
            assert_eq!(check_issuer(good), Ok(()));
        }
        for bad in ["", "x", "Ina Example", "account:7", "ina@example.com"] {
            assert_eq!(check_issuer(bad).unwrap_err().reason, "ISSUER_MALFORMED", "{bad}");
        }
    }

    #[test]
    fn a_role_is_known_and_an_office_is_a_code() {
        assert_eq!(check_role("adjudicator", "NBC"), Ok(()));
        assert_eq!(check_role("biometrics_officer", "ASC-NYC"), Ok(()));
        assert_eq!(check_role("director", "NBC").unwrap_err().reason, "ROLE_UNKNOWN");
        assert_eq!(check_role("adjudicator", "nbc").unwrap_err().reason, "OFFICE_MALFORMED");
    }
}
