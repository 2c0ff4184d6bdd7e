//! Identifiers against their tables of good and bad input.

use docket_kernel::FieldFault;
use docket_kernel::identifier::*;
use jiff::civil::date as day;
use proptest::prelude::*;

type Reads = fn(&str) -> Result<String, FieldFault>;

fn receipt(text: &str) -> Result<String, FieldFault> {
    ReceiptNumber::parse(text).map(String::from)
}

fn pounds(text: &str) -> Result<String, FieldFault> {
    weight(text).map(|n| n.to_string())
}

fn iso(text: &str) -> Result<String, FieldFault> {
    date(text).map(|d| d.to_string())
}

fn partial(text: &str) -> Result<String, FieldFault> {
    partial_date(text).map(|d| d.to_string())
}

fn month(text: &str) -> Result<String, FieldFault> {
    month_date(text).map(|d| d.to_string())
}

fn form(text: &str) -> Result<String, FieldFault> {
    form_number(text, ["I-130", "I-130A", "N-400", "I-129F", "I-485 Supplement J", "AR-11"])
}

const GOOD: &[(Reads, &str, &str)] = &[
    (receipt, "EAC2612350001", "EAC2612350001"),
    (receipt, "ioe-0912345678", "IOE0912345678"),
    (receipt, "MSC 26 900 12345", "MSC2690012345"),
    (receipt, "EAC9999103403", "EAC9999103403"),
    (receipt, "DKT\u{2013}1234567897", "DKT1234567897"),
    (a_number, "A012-345-678", "A012345678"),
    (a_number, "12345678", "A012345678"),
    (a_number, "A1234567", "A001234567"),
    (a_number, "a#012\u{2212}345\u{2011}678", "A012345678"),
    (a_number, "\u{FF11}2345678", "A012345678"),
    (account_number, "0512-3456-7890", "051234567890"),
    (account_number, "051234567890", "051234567890"),
    (ssn, "123-45-6789", "123456789"),
    (ssn, "001010001", "001010001"),
    (i94, "12345678901", "12345678901"),
    (i94, "123456789a1", "123456789A1"),
    (passport_number, "X1234567", "X1234567"),
    (passport_number, "123456789", "123456789"),
    (passport_number, "AB 123456", "AB123456"),
    (sevis, "N0012345678", "N0012345678"),
    (visa_number, "12345678", "12345678"),
    (visa_number, "K1234567", "K1234567"),
    (consular_case, "MNL2026512345", "MNL2026512345"),
    (resident_card_number, "SRC1234567890", "SRC1234567890"),
    (ead_category, "(c)(9)", "(c)(9)"),
    (ead_category, "(a)(12)", "(a)(12)"),
    (ead_category, "(c)(3)(B)", "(c)(3)(B)"),
    (ead_category, "c9", "(c)(9)"),
    (ead_category, "C03B", "(c)(3)(B)"),
    (ead_category, "(c)(17)(iii)", "(c)(17)(iii)"),
    (class_of_admission, "B-2", "B-2"),
    (class_of_admission, "f-1", "F-1"),
    (class_of_admission, "IR1", "IR1"),
    (class_of_admission, "CR6", "CR6"),
    (class_of_admission, "EWI", "EWI"),
    (class_of_admission, "PAR", "PAR"),
    (certificate_number, "12345678", "12345678"),
    (ein, "123456789", "12-3456789"),
    (ein, "12-3456789", "12-3456789"),
    (eoir_id, "ab123456", "AB123456"),
    (labor_certification, "A-26012-12345", "A-26012-12345"),
    (zip, "10001", "10001"),
    (zip, "10001-1234", "10001-1234"),
    (phone, "(212) 555-0147", "+12125550147"),
    (phone, "+44 20 7946 0958", "+442079460958"),
    (phone, "1-212-555-0147", "+12125550147"),
    (email, " Maria+uscis@Example.COM ", "Maria+uscis@example.com"),
    (name_part, "O\u{2019}Brien", "O'Brien"),
    (name_part, "García-López", "García-López"),
    (name_part, "Nguye\u{302}\u{303}n", "Nguyễn"),
    (name_part, "Sukarno", "Sukarno"),
    (name_part, " de  la Cruz ", "de la Cruz"),
    (name_part, "Na", "Na"),
    (name_native, "王小明", "王小明"),
    (iso, "2026-03-02", "2026-03-02"),
    (iso, "3/2/2026", "2026-03-02"),
    (partial, "1985", "1985"),
    (partial, "1985-02", "1985-02"),
    (partial, "02/03/1985", "1985-02-03"),
    (partial, "2/1985", "1985-02"),
    (month, "1985-02", "1985-02"),
    (month, "02/1985", "1985-02"),
    (month, "1985-02-03", "1985-02-03"),
    (month, "2/3/1985", "1985-02-03"),
    (country, "mexico", "MX"),
    (country, "XK", "XK"),
    (country, "Soviet Union", "SU"),
    (country, "Puerto Rico", "US"),
    (us_state, "california", "CA"),
    (us_state, "gu", "GU"),
    (height, "5'8\"", "5'08\""),
    (height, "5 ft 11 in", "5'11\""),
    (pounds, "154 lb", "154"),
    (form, "i130", "I-130"),
    (form, "I130A", "I-130A"),
    (form, "n400", "N-400"),
    (form, "I-129F", "I-129F"),
    (form, "i-485 supplement j", "I-485 Supplement J"),
];

const BAD: &[(Reads, &str, &str)] = &[
    (receipt, "EAC261235000", "RECEIPT_MALFORMED"),
    (receipt, "EA12612350001", "RECEIPT_MALFORMED"),
    (receipt, "IOE09123456O8", "RECEIPT_LETTER_O"),
    (receipt, "DKT1234567896", "RECEIPT_CHECK_DIGIT"),
    (receipt, "ÉAC261235000", "RECEIPT_MALFORMED"),
    (a_number, "A123456", "A_NUMBER_MALFORMED"),
    (a_number, "A0123456789", "A_NUMBER_MALFORMED"),
    (a_number, "A000000000", "A_NUMBER_ZERO"),
    (account_number, "A012345678", "ACCOUNT_NUMBER_MALFORMED"),
    (account_number, "05123456789", "ACCOUNT_NUMBER_MALFORMED"),
    (ssn, "000-12-3456", "SSN_NEVER_ISSUED"),
    (ssn, "666-12-3456", "SSN_NEVER_ISSUED"),
    (ssn, "900-12-3456", "SSN_NEVER_ISSUED"),
    (ssn, "123-00-4567", "SSN_NEVER_ISSUED"),
    (ssn, "123-45-0000", "SSN_NEVER_ISSUED"),
    (ssn, "078-05-1120", "SSN_NEVER_ISSUED"),
    (ssn, "912-70-1234", "SSN_IS_ITIN"),
    (ssn, "12345678", "SSN_MALFORMED"),
    (i94, "1234567890", "I94_MALFORMED"),
    (i94, "12345678AB1", "I94_MALFORMED"),
    (i94, "A2345678901", "I94_MALFORMED"),
    (passport_number, "1234", "PASSPORT_MALFORMED"),
    (passport_number, "AB*12345", "PASSPORT_MALFORMED"),
    (sevis, "0012345678", "SEVIS_MALFORMED"),
    (sevis, "N12345678", "SEVIS_MALFORMED"),
    (visa_number, "1234", "VISA_NUMBER_MALFORMED"),
    (consular_case, "MN2026512345", "CONSULAR_CASE_MALFORMED"),
    (resident_card_number, "A012345678", "CARD_NUMBER_MALFORMED"),
    (ead_category, "(d)(1)", "EAD_CATEGORY_MALFORMED"),
    (ead_category, "c", "EAD_CATEGORY_MALFORMED"),
    (class_of_admission, "ZZZ9", "CLASS_MALFORMED"),
    (ein, "123456789X", "EIN_MALFORMED"),
    (zip, "00000", "ZIP_MALFORMED"),
    (zip, "1000", "ZIP_MALFORMED"),
    (phone, "112-555-0147", "PHONE_MALFORMED"),
    (phone, "211-555-0147", "PHONE_MALFORMED"),
    (phone, "212-155-0147", "PHONE_MALFORMED"),
    (phone, "12345", "PHONE_MALFORMED"),
    (email, "maria", "EMAIL_MALFORMED"),
    (email, "maria@localhost", "EMAIL_MALFORMED"),
    (email, "a@b@example.com", "EMAIL_MALFORMED"),
    (name_part, "J0hn", "NAME_CHARACTERS"),
    (name_part, "<b>", "NAME_CHARACTERS"),
    (name_part, "王", "NAME_CHARACTERS"),
    (name_part, "  ", "NAME_EMPTY"),
    (name_part, "FNU", "NAME_PLACEHOLDER"),
    (name_part, "n/a", "NAME_PLACEHOLDER"),
    (iso, "02/30/2020", "DATE_MALFORMED"),
    (iso, "00/00/1980", "DATE_MALFORMED"),
    (iso, "2020-2-3", "DATE_MALFORMED"),
    (partial, "1985-13", "DATE_MALFORMED"),
    (partial, "13/1985", "DATE_MALFORMED"),
    (partial, "1985-2", "DATE_MALFORMED"),
    (partial, "02/85", "DATE_MALFORMED"),
    (month, "1985", "MONTH_MISSING"),
    (month, "00/1985", "DATE_MALFORMED"),
    (month, "1985-02-30", "DATE_MALFORMED"),
    (country, "Atlantis", "COUNTRY_UNKNOWN"),
    (us_state, "ZZ", "STATE_UNKNOWN"),
    (height, "9'1\"", "HEIGHT_MALFORMED"),
    (height, "5'12\"", "HEIGHT_MALFORMED"),
    (pounds, "0", "WEIGHT_MALFORMED"),
    (form, "I-13", "FORM_UNKNOWN"),
];

#[test]
fn good_input_is_normalised_and_stays_so() {
    for (reads, typed, stored) in GOOD {
        assert_eq!(reads(typed).as_deref(), Ok(*stored), "{typed}");
        assert_eq!(reads(stored).as_deref(), Ok(*stored), "{typed}");
    }
}

#[test]
fn bad_input_is_refused_by_its_rule_and_secrets_are_not_repeated() {
    for (reads, typed, reason) in BAD {
        let fault = reads(typed).unwrap_err();
        assert!(
            reason.contains(fault.reason.as_str()) || *reason == fault.reason,
            "{typed}: {}",
            fault.reason
        );
        let secret =
            typed.len() > 4 && reason.starts_with("SSN") || typed.len() > 4 && reason.starts_with("PASSPORT");
        assert!(!secret || !fault.message.contains(typed), "{typed}");
        assert!(fault.message.ends_with('.'), "{}", fault.message);
    }
}

#[test]
fn a_partial_date_is_one_of_the_days_from_its_first_to_its_last() {
    for (text, first, last) in [
        ("1984", day(1984, 1, 1), day(1984, 12, 31)),
        ("1984-02", day(1984, 2, 1), day(1984, 2, 29)),
        ("1985-02", day(1985, 2, 1), day(1985, 2, 28)),
        ("12/1999", day(1999, 12, 1), day(1999, 12, 31)),
        ("1984-02-03", day(1984, 2, 3), day(1984, 2, 3)),
    ] {
        let known = partial_date(text).unwrap();
        assert_eq!((known.first(), known.last()), (first, last), "{text}");
    }
}

#[test]
fn what_is_only_warned_about_can_be_asked() {
    assert!(ReceiptNumber::parse("EAC9999103403").unwrap().is_test_data());
    assert!(!ReceiptNumber::parse("IOE9912345678").unwrap().is_test_data());
    assert!(ReceiptNumber::parse("ZLA2612350001").unwrap().is_known_office());
    assert!(!ReceiptNumber::parse("QQQ2612350001").unwrap().is_known_office());
    assert!(is_fictional_phone("+12125550147"));
    assert!(!is_fictional_phone("+12125551147"));
    assert_eq!(ssn_last4("123456789"), "•••-••-6789");
    assert!(is_itin("912-70-1234") && !is_itin("912-66-1234"));
}

#[test]
fn a_post_office_box_is_known_however_written() {
    for line in ["PO Box 12", "P.O. Box 12", "p. o. box 7", "Attn: POBOX 9", "P O BOX 1"] {
        assert!(is_po_box(line), "{line}");
    }
    for line in ["12 Poboxer Street", "Depot Box 3", "PMB 12", "1 Main St", "Shop O Boxing"] {
        assert!(!is_po_box(line), "{line}");
    }
}

#[test]
fn names_compare_without_marks() {
    for (name, matched) in [
        ("Straße", "STRASSE"),
        ("Søren Łukasz", "SOREN LUKASZ"),
        ("Nguyễn", "NGUYEN"),
        ("O'Brien", "OBRIEN"),
        ("García-López", "GARCIA-LOPEZ"),
        ("Þór Æsir", "THOR AESIR"),
        ("Işık", "ISIK"),
    ] {
        assert_eq!(name_match(name), matched);
    }
}

#[test]
fn births_lie_between_1900_and_today() {
    assert!(birth_date("1899-12-31", day(2026, 1, 1)).is_err());
    assert!(birth_date("2026-01-02", day(2026, 1, 1)).is_err());
    assert!(birth_date("2026-01-01", day(2026, 1, 1)).is_ok());
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic_and_what_is_stored_is_stable(text in "\\PC{0,24}") {
        for (reads, _, _) in GOOD {
            if let Ok(stored) = reads(&text) {
                prop_assert_eq!(reads(&stored), Ok(stored.clone()));
            }
        }
        let _ = (is_po_box(&text), name_match(&text), is_itin(&text));
    }

    #[test]
    fn every_date_reads_back(n in 0_i64..60_000) {
        let d = docket_kernel::calendar::plus_days(day(1900, 1, 1), n);
        prop_assert_eq!(date(&d.to_string()), Ok(d));
        prop_assert_eq!(date(&d.strftime("%m/%d/%Y").to_string()), Ok(d));
    }
}

proptest::proptest! {
    /// What is settled at a glance is what going the whole way leaves as it is.
    #[test]
    fn a_settled_text_is_in_its_common_form(text in "[ -~\t\n\r\u{b}\u{c}]{0,12}") {
        proptest::prop_assert_eq!(is_settled(&text), common(&text) == text);
    }
}
