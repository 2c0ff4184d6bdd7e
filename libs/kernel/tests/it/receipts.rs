//! Receipt numbers: bijective, unordered, and safe against one wrong digit.

use std::collections::HashSet;

use docket_kernel::identifier::{ReceiptNumber, ReceiptSerials, luhn_digit};
use proptest::prelude::*;

const KEY: &[u8] = b"a key of this test";

#[test]
fn the_check_digit_is_luhn() {
    assert_eq!(luhn_digit("123456789"), 7);
    assert!(ReceiptNumber::parse("DKT1234567897").is_ok());
    assert_eq!(ReceiptNumber::parse("DKT1234567896").unwrap_err().reason, "RECEIPT_CHECK_DIGIT");
}

#[test]
fn counters_in_a_row_do_not_give_numbers_in_a_row() {
    let numbers: Vec<String> =
        (0..2000).map(|n| ReceiptNumber::from_serial(n, KEY).unwrap().to_string()).collect();
    assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), 2000);
    let rising = numbers.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!((800..1200).contains(&rising), "{rising}");
}

#[test]
fn the_permutation_stays_as_it_was() {
    let first: Vec<String> =
        (0..3).map(|n| ReceiptNumber::from_serial(n, KEY).unwrap().to_string()).collect();
    assert_eq!(first, GOLDEN);
}

/// Issued numbers must never change their serials: these three were written down once.
const GOLDEN: [&str; 3] = ["DKT9578336449", "DKT9830884095", "DKT0878432707"];

#[test]
fn serials_end() {
    assert!(ReceiptNumber::from_serial(999_999_999, KEY).is_ok());
    assert_eq!(ReceiptNumber::from_serial(1_000_000_000, KEY).unwrap_err().reason, "RECEIPTS_EXHAUSTED");
}

#[test]
fn another_prefix_is_another_namespace() {
    let serials = ReceiptSerials::new("ABC", KEY);
    let number = serials.number(5).unwrap();
    assert!(number.as_str().starts_with("ABC"));
    assert_eq!(ReceiptSerials::new("DKT", KEY).counter(&number), None);
}

proptest! {
    #[test]
    fn every_number_comes_from_one_counter(counter in 0_u64..1_000_000_000, key in proptest::collection::vec(any::<u8>(), 1..40)) {
        let serials = ReceiptSerials::new("DKT", &key);
        let number = serials.number(counter).unwrap();
        prop_assert_eq!(serials.counter(&number), Some(counter));
        prop_assert_eq!(ReceiptNumber::parse(number.as_str()), Ok(number));
    }

    #[test]
    fn one_wrong_digit_is_noticed(counter in 0_u64..1_000_000_000, place in 3_usize..13, by in 1_u8..10) {
        let mut bytes = ReceiptNumber::from_serial(counter, KEY).unwrap().to_string().into_bytes();
        bytes[place] = b'0' + (bytes[place] - b'0' + by) % 10;
        prop_assert!(ReceiptNumber::parse(&String::from_utf8(bytes).unwrap()).is_err());
    }
}
