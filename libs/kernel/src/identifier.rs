//! The numbers and texts people type: each is normalised first, then checked, and kept normalised.
//!
//! Every function gives the normalised value or a fault which states the rule with one correct
//! example and never repeats what was typed.

mod contact;
mod date;
mod name;
mod number;
mod place;
mod receipt;
mod travel;

pub use contact::{email, is_fictional_phone, phone};
pub use date::{PartialDate, birth_date, date, month_date, partial_date};
pub use name::{name_match, name_native, name_part};
pub use number::{
    a_number, account_number, certificate_number, ein, eoir_id, form_number, height, is_itin,
    labor_certification, ssn, ssn_last4, weight,
};
pub use place::{
    COUNTRIES, HISTORIC_COUNTRIES, Place, US_STATES, country, country_name, is_po_box, us_state,
    us_state_name, zip,
};
pub use receipt::{OUR_PREFIX, ReceiptNumber, ReceiptSerials, luhn_digit};
pub use travel::{
    class_of_admission, consular_case, ead_category, i94, passport_number, resident_card_number, sevis,
    visa_number,
};

use unicode_normalization::UnicodeNormalization;

use crate::refusal::FieldFault;

/// Whether a person typed anything at all after trimming.
pub fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// What all values go through: Unicode NFC, trimmed, inner white space collapsed, dashes to `-`,
/// full-width digits to ASCII.
pub fn common(text: &str) -> String {
    if is_settled(text) {
        return text.to_owned();
    }
    let mapped: String = text.nfc().map(plain).collect();
    mapped.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a text is in its common form at a glance: ASCII, with single blanks between its words and none around them.
pub fn is_settled(text: &str) -> bool {
    let bytes = text.as_bytes();
    let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0B;
    let single = |pair: &[u8]| pair[0] != b' ' || pair[1] != b' ';
    text.is_ascii()
        && bytes.iter().all(|byte| *byte == b' ' || !blank(byte))
        && bytes.windows(2).all(single)
        && bytes.first() != Some(&b' ')
        && bytes.last() != Some(&b' ')
}

fn plain(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{FF10}'..='\u{FF19}' => char::from(b'0' + u8::try_from(c as u32 - 0xFF10).unwrap_or(0)),
        other => other,
    }
}

/// A code: common form, upper case, without blanks and dashes.
fn code(text: &str) -> String {
    common(text).chars().filter(|c| !matches!(c, ' ' | '-')).flat_map(char::to_uppercase).collect()
}

fn digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|b| b.is_ascii_digit())
}

fn fault(field: &str, reason: &str, message: impl Into<String>) -> FieldFault {
    FieldFault::new(field, reason, message)
}
