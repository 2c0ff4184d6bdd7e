//! Telephone numbers and e-mail addresses.

use super::{common, fault};
use crate::refusal::FieldFault;

/// A telephone number in E.164 form; ten digits are a number of the United States or Canada.
pub fn phone(text: &str) -> Result<String, FieldFault> {
    let value: String = common(text).chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
    let bad = || {
        fault(
            "phone",
            "PHONE_MALFORMED",
            "Write ten digits for a number of the United States, or + and the country code, such as +12125550147.",
        )
    };
    let number = match value.strip_prefix('+') {
        Some(international) => international.to_owned(),
        None if value.len() == 10 => format!("1{value}"),
        None if value.len() == 11 && value.starts_with('1') => value,
        None => return Err(bad()),
    };
    let shaped = (7..=15).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
        && !number.starts_with('0')
        && number.strip_prefix('1').is_none_or(is_national);
    if shaped { Ok(format!("+{number}")) } else { Err(bad()) }
}

fn is_national(number: &str) -> bool {
    let b = number.as_bytes();
    b.len() == 10 && b[0] >= b'2' && b[3] >= b'2' && !(b[1] == b'1' && b[2] == b'1')
}

/// Whether a normalised number is one of the fictional `555-01xx`, which no production system writes to.
pub fn is_fictional_phone(normalised: &str) -> bool {
    normalised.starts_with("+1") && normalised.len() == 12 && normalised.get(5..10) == Some("55501")
}

/// An e-mail address; the domain in lower case, the rest as typed.
pub fn email(text: &str) -> Result<String, FieldFault> {
    let value = common(text);
    let bad = || fault("email", "EMAIL_MALFORMED", "Write an e-mail address such as maria@example.com.");
    let (local, domain) = value.split_once('@').ok_or_else(bad)?;
    let labels_ok = domain.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    });
    let local_ok = (1..=64).contains(&local.len())
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|c| !c.is_control() && !c.is_whitespace() && !"<>()[],;:\\\"@".contains(c));
    if local_ok && labels_ok && domain.contains('.') && value.len() <= 254 {
        return Ok(format!("{local}@{}", domain.to_lowercase()));
    }
    Err(bad())
}
