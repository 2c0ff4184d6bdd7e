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
    "operator",
];

/// Why a role is taken away: the person left the office or moved within it, it was given in error, it was misused.
pub(crate) const REVOKED_BECAUSE: &[&str] = &["left", "moved", "given_in_error", "misused"];

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
    fn a_role_is_known_and_an_office_is_a_code() {
        assert_eq!(check_role("adjudicator", "NBC"), Ok(()));
        assert_eq!(check_role("biometrics_officer", "ASC-NYC"), Ok(()));
        assert_eq!(check_role("director", "NBC").unwrap_err().reason, "ROLE_UNKNOWN");
        assert_eq!(check_role("adjudicator", "nbc").unwrap_err().reason, "OFFICE_MALFORMED");
    }
}
