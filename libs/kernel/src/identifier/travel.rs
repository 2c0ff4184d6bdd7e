//! Numbers and codes of travel, admission and work documents.

use super::{code, common, digits, fault};
use crate::refusal::FieldFault;

/// An I-94 record number: eleven digits, or nine digits, a letter and a digit.
pub fn i94(text: &str) -> Result<String, FieldFault> {
    let value = code(text);
    let newer = value.is_ascii() && value.len() == 11 && {
        let bytes = value.as_bytes();
        digits(&value[..9], 9) && bytes[9].is_ascii_uppercase() && bytes[10].is_ascii_digit()
    };
    if newer || digits(&value, 11) {
        return Ok(value);
    }
    Err(fault(
        "i94",
        "I94_MALFORMED",
        "An I-94 number has 11 characters: digits only, or a letter as the tenth, such as 123456789A1.",
    ))
}

/// A passport or travel document number: 5 to 15 letters and digits.
pub fn passport_number(text: &str) -> Result<String, FieldFault> {
    let value = code(text);
    let shaped = (5..=15).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if shaped {
        return Ok(value);
    }
    Err(fault(
        "passport_number",
        "PASSPORT_MALFORMED",
        "A passport number has 5 to 15 letters and digits, such as X1234567.",
    ))
}

/// A SEVIS id: `N` and ten digits.
pub fn sevis(text: &str) -> Result<String, FieldFault> {
    let value = code(text);
    if value.strip_prefix('N').is_some_and(|number| digits(number, 10)) {
        return Ok(value);
    }
    Err(fault("sevis", "SEVIS_MALFORMED", "A SEVIS ID is the letter N and 10 digits, such as N0012345678."))
}

/// The red number on a visa: seven or eight digits, perhaps a letter before them.
pub fn visa_number(text: &str) -> Result<String, FieldFault> {
    let value = code(text);
    let number = value.strip_prefix(|c: char| c.is_ascii_uppercase()).unwrap_or(&value);
    if digits(number, 7) || digits(number, 8) {
        return Ok(value);
    }
    Err(fault(
        "visa_number",
        "VISA_NUMBER_MALFORMED",
        "The red visa number has 8 digits, perhaps a letter before 7, such as 12345678.",
    ))
}

/// A case number of the National Visa Center: three letters of the post and ten digits.
pub fn consular_case(text: &str) -> Result<String, FieldFault> {
    letters_and_ten(text).ok_or_else(|| {
        fault(
            "consular_case",
            "CONSULAR_CASE_MALFORMED",
            "A consular case number has 3 letters and 10 digits, such as MNL2026512345.",
        )
    })
}

/// The number on a permanent resident card: three letters and ten digits.
pub fn resident_card_number(text: &str) -> Result<String, FieldFault> {
    letters_and_ten(text).ok_or_else(|| {
        fault(
            "card_number",
            "CARD_NUMBER_MALFORMED",
            "The card number has 3 letters and 10 digits, such as SRC1234567890.",
        )
    })
}

fn letters_and_ten(text: &str) -> Option<String> {
    let value = code(text);
    let shaped = value.is_ascii() && value.len() == 13 && {
        let (letters, number) = value.split_at(3);
        letters.bytes().all(|b| b.is_ascii_uppercase()) && digits(number, 10)
    };
    shaped.then_some(value)
}

/// A category of employment authorisation (8 CFR 274a.12): `c9` becomes `(c)(9)`, `C03B` `(c)(3)(B)`.
pub fn ead_category(text: &str) -> Result<String, FieldFault> {
    read_category(&common(text)).ok_or_else(|| {
        fault(
            "ead_category",
            "EAD_CATEGORY_MALFORMED",
            "Write the category as on the card or in the instructions, such as (c)(9) or (c)(3)(B).",
        )
    })
}

fn read_category(text: &str) -> Option<String> {
    let bare: String = text.chars().filter(|c| !matches!(c, '(' | ')' | ' ' | '-')).collect();
    let letter = bare.chars().next()?.to_ascii_lowercase();
    if !matches!(letter, 'a' | 'c') {
        return None;
    }
    let rest = bare.get(1..)?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (number, tail) = rest.split_at(end);
    if !(1..=2).contains(&number.len()) {
        return None;
    }
    let number: u32 = number.parse().ok().filter(|n| *n > 0)?;
    if tail.is_empty() {
        return Some(format!("({letter})({number})"));
    }
    let roman = tail.chars().all(|c| matches!(c, 'i' | 'v' | 'x'));
    let single = tail.len() == 1 && tail.chars().all(|c| c.is_ascii_alphabetic());
    match (roman, single) {
        (true, _) => Some(format!("({letter})({number})({tail})")),
        (false, true) => Some(format!("({letter})({number})({})", tail.to_ascii_uppercase())),
        (false, false) => None,
    }
}

/// A class of admission, such as `B-2`, `IR1` or `EWI`: letters, at most two digits, perhaps a letter.
pub fn class_of_admission(text: &str) -> Result<String, FieldFault> {
    let value = common(text).to_uppercase().replace(' ', "");
    let after = value.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let letters = value.len() - after.len();
    let tail = after.strip_prefix('-').unwrap_or(after);
    let unnumbered = tail.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbers = tail.len() - unnumbered.len();
    let ended = unnumbered.len() <= 1 && unnumbered.bytes().all(|b| b.is_ascii_uppercase());
    let known_start = !value.starts_with("ZZ");
    if (1..=3).contains(&letters) && numbers <= 2 && ended && known_start {
        return Ok(value);
    }
    Err(fault(
        "class_of_admission",
        "CLASS_MALFORMED",
        "Write the class as on the I-94 or visa, such as B-2 or IR1.",
    ))
}
