//! Numbers of persons and firms, form numbers, height and weight.

use super::{code, common, digits, fault};
use crate::refusal::FieldFault;

/// An A-Number: `A` and nine digits, padded with zeros on the left.
pub fn a_number(text: &str) -> Result<String, FieldFault> {
    let value = code(text).replace('#', "");
    let number = value.strip_prefix('A').unwrap_or(&value);
    if !(7..=9).contains(&number.len()) || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(fault(
            "a_number",
            "A_NUMBER_MALFORMED",
            "An A-Number has 7 to 9 digits, such as A012345678.",
        ));
    }
    if number.bytes().all(|b| b == b'0') {
        return Err(fault("a_number", "A_NUMBER_ZERO", "An A-Number is not all zeros; one is A012345678."));
    }
    Ok(format!("A{number:0>9}"))
}

/// An online account number: twelve digits.
pub fn account_number(text: &str) -> Result<String, FieldFault> {
    let value = code(text);
    if digits(&value, 12) {
        return Ok(value);
    }
    Err(fault(
        "account_number",
        "ACCOUNT_NUMBER_MALFORMED",
        "An online account number has 12 digits, such as 0512-3456-7890.",
    ))
}

/// A Social Security number: nine digits, stored without dashes. The text is never repeated in a fault.
pub fn ssn(text: &str) -> Result<String, FieldFault> {
    let value = code(text);
    if !digits(&value, 9) {
        return Err(fault(
            "ssn",
            "SSN_MALFORMED",
            "A Social Security number has 9 digits, such as 123-45-6789.",
        ));
    }
    if is_itin(&value) {
        return Err(fault(
            "ssn",
            "SSN_IS_ITIN",
            "This is a taxpayer number (ITIN), not a Social Security number. Leave the field empty if you have none; one is 123-45-6789.",
        ));
    }
    let part =
        |range: std::ops::Range<usize>| value.get(range).and_then(|p| p.parse::<u32>().ok()).unwrap_or(0);
    let (area, group, serial) = (part(0..3), part(3..5), part(5..9));
    let advertised = matches!(value.as_str(), "078051120" | "219099999");
    if area == 0 || area == 666 || area >= 900 || group == 0 || serial == 0 || advertised {
        return Err(fault(
            "ssn",
            "SSN_NEVER_ISSUED",
            "No such Social Security number was ever issued; copy the nine digits from the card, in the shape 123-45-6789.",
        ));
    }
    Ok(value)
}

/// Whether nine digits are shaped as an individual taxpayer identification number.
pub fn is_itin(text: &str) -> bool {
    let value = code(text);
    let group: u32 = value.get(3..5).and_then(|p| p.parse().ok()).unwrap_or(0);
    digits(&value, 9) && value.starts_with('9') && matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

/// What may be shown of a Social Security number after entry.
pub fn ssn_last4(normalised: &str) -> String {
    format!("•••-••-{}", normalised.get(5..9).unwrap_or("••••"))
}

/// An employer identification number: nine digits, stored `12-3456789`.
pub fn ein(text: &str) -> Result<String, FieldFault> {
    let value = code(text);
    match (digits(&value, 9), value.get(..2), value.get(2..)) {
        (true, Some(head), Some(tail)) => Ok(format!("{head}-{tail}")),
        _ => Err(fault("ein", "EIN_MALFORMED", "An employer number has 9 digits, such as 12-3456789.")),
    }
}

/// An EOIR id of a representative: two letters and six digits.
pub fn eoir_id(text: &str) -> Result<String, FieldFault> {
    let value = code(text);
    let shaped = value.is_ascii() && value.len() == 8 && {
        let (letters, number) = value.split_at(2);
        letters.bytes().all(|b| b.is_ascii_uppercase()) && digits(number, 6)
    };
    if shaped {
        return Ok(value);
    }
    Err(fault("eoir_id", "EOIR_ID_MALFORMED", "An EOIR ID has two letters and six digits, such as AB123456."))
}

/// The number of a certificate of naturalization: seven to nine digits.
pub fn certificate_number(text: &str) -> Result<String, FieldFault> {
    let value = code(text);
    if (7..=9).contains(&value.len()) && digits(&value, value.len()) {
        return Ok(value);
    }
    Err(fault(
        "certificate_number",
        "CERTIFICATE_MALFORMED",
        "A certificate number has 7 to 9 digits, such as 12345678.",
    ))
}

/// The number of a labour certification; several older shapes exist.
pub fn labor_certification(text: &str) -> Result<String, FieldFault> {
    let value = common(text).to_uppercase();
    let shaped = (8..=20).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
    if shaped {
        return Ok(value);
    }
    Err(fault(
        "labor_certification",
        "LABOR_CERTIFICATION_MALFORMED",
        "Write the case number as on the certification, such as A-123-45678-123456.",
    ))
}

/// A form number as the catalogue writes it: `i130` and `I-130` are found, a dash is never guessed.
pub fn form_number<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Result<String, FieldFault> {
    let bare = |form: &str| code(form).replace("SUPPLEMENT", "SUPP");
    let wanted = bare(text);
    known.into_iter().find(|form| bare(form) == wanted).map(str::to_owned).ok_or_else(|| {
        fault("form", "FORM_UNKNOWN", "No form has this number. Form numbers look like I-130 or N-400.")
    })
}

/// A height as `5'08"`: typed as `5'8"`, `5 ft 8 in`, `5-8` or `5 8`.
pub fn height(text: &str) -> Result<String, FieldFault> {
    let value = common(text).to_lowercase();
    let mut numbers = value.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let feet = numbers.next().and_then(|n| n.parse::<u32>().ok());
    let inches = numbers.next().map_or(Some(0), |n| n.parse::<u32>().ok());
    let rest_known = value.chars().all(|c| c.is_ascii_digit() || " '\"-’”″′.feetinchs".contains(c));
    match (feet, inches, numbers.next()) {
        (Some(feet @ 1..=8), Some(inches @ 0..=11), None) if rest_known => {
            Ok(format!("{feet}'{inches:02}\""))
        }
        _ => Err(fault(
            "height",
            "HEIGHT_MALFORMED",
            "Write the height in feet (1 to 8) and inches (0 to 11), such as 5'08\".",
        )),
    }
}

/// A weight in pounds, 1 to 999.
pub fn weight(text: &str) -> Result<u32, FieldFault> {
    let value = common(text).to_lowercase();
    let number = value.trim_end_matches("lbs").trim_end_matches("lb").trim();
    match number.parse::<u32>() {
        Ok(pounds @ 1..=999) => Ok(pounds),
        Ok(_) | Err(_) => {
            Err(fault("weight", "WEIGHT_MALFORMED", "Write the weight in pounds, 1 to 999, such as 154."))
        }
    }
}
