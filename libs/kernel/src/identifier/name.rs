//! Names of persons: as typed for the form, in any script beside it, and a form for comparing.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::{common, fault};
use crate::refusal::FieldFault;

const LONGEST: usize = 60;

/// A family, given or middle name: Latin letters with diacritics, blank, hyphen, apostrophe, period.
pub fn name_part(text: &str) -> Result<String, FieldFault> {
    let value = common(text).replace('\u{2019}', "'");
    check_length(&value)?;
    if is_placeholder(&value) {
        return Err(fault(
            "name",
            "NAME_PLACEHOLDER",
            "Do you have only one name? Write it as the family name and say so; one is Sukarno. If you do not know the name, say so beside it.",
        ));
    }
    if value.chars().all(|c| is_latin(c) || matches!(c, ' ' | '-' | '\'' | '.'))
        && value.chars().any(is_latin)
    {
        return Ok(value);
    }
    Err(fault(
        "name",
        "NAME_CHARACTERS",
        "A name has Latin letters, blanks, hyphens, apostrophes and periods only, such as García-López.",
    ))
}

/// A name in its own script: letters and marks of any script.
pub fn name_native(text: &str) -> Result<String, FieldFault> {
    let value = common(text);
    check_length(&value)?;
    let fits = |c: char| {
        c.is_alphabetic() || is_combining_mark(c) || " -'.\u{2019}\u{B7}\u{30FB}\u{200C}\u{200D}".contains(c)
    };
    if value.chars().all(fits) && value.chars().any(char::is_alphabetic) {
        return Ok(value);
    }
    Err(fault("name_native", "NAME_CHARACTERS", "A name has letters only, such as García or 王."))
}

fn check_length(value: &str) -> Result<(), FieldFault> {
    match value.chars().count() {
        0 => Err(fault("name", "NAME_EMPTY", "Write the name, such as O'Brien.")),
        1..=LONGEST => Ok(()),
        _ => Err(fault("name", "NAME_TOO_LONG", "A name has at most 60 characters, such as de la Cruz.")),
    }
}

fn is_placeholder(value: &str) -> bool {
    let bare: String = value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    matches!(bare.as_str(), "FNU" | "LNU" | "NFN" | "NLN" | "UNKNOWN" | "NA")
        && (bare != "NA" || value.contains('/') || value.contains('.'))
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic()
        || (matches!(c, '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}') && !matches!(c, '×' | '÷'))
        || matches!(c, '\u{300}'..='\u{36F}' | '\u{2BB}' | '\u{2BC}')
}

/// The form for searching and for cards: `NGUYEN`, `STRASSE`. It never replaces the name itself.
pub fn name_match(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in common(name).nfkd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'ß' | 'ẞ' => out.push_str("SS"),
            'ø' | 'Ø' => out.push('O'),
            'ł' | 'Ł' => out.push('L'),
            'æ' | 'Æ' => out.push_str("AE"),
            'œ' | 'Œ' => out.push_str("OE"),
            'ı' => out.push('I'),
            'đ' | 'Đ' | 'ð' | 'Ð' => out.push('D'),
            'þ' | 'Þ' => out.push_str("TH"),
            ' ' | '-' => out.push(c),
            other => out.extend(other.to_uppercase().filter(|c| c.is_alphanumeric())),
        }
    }
    out
}
