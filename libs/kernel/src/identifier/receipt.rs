//! Receipt numbers: three letters and ten digits; ours end in a check digit and follow no order.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{code, digits, fault};
use crate::refusal::{FieldFault, Refusal};

/// The prefix of numbers this deployment issues unless it is configured otherwise.
pub const OUR_PREFIX: &str = "DKT";
const SERIALS: u64 = 1_000_000_000;
const HALF_BITS: u32 = 15;
const HALF: u64 = (1 << HALF_BITS) - 1;
const ROUNDS: u8 = 10;

/// A receipt number in its normalised form, such as `DKT1234567897`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReceiptNumber(String);

impl ReceiptNumber {
    /// Reads a number as typed. Any three letters are taken; one with our prefix must pass its check digit.
    pub fn parse(text: &str) -> Result<Self, FieldFault> {
        let value = code(text);
        let bad = |reason, message: &str| Err(fault("receipt_number", reason, message));
        if !value.is_ascii() || value.len() != 13 {
            return bad(
                "RECEIPT_MALFORMED",
                "A receipt number has 3 letters and 10 digits, 13 characters in all, such as IOE0912345678.",
            );
        }
        let (letters, number) = value.split_at(3);
        if letters.bytes().all(|b| b.is_ascii_uppercase()) && digits(number, 10) {
            if letters == OUR_PREFIX && !checks(number) {
                return bad(
                    "RECEIPT_CHECK_DIGIT",
                    "This receipt number was mistyped: its last digit does not fit the others. A correct one is DKT1234567897.",
                );
            }
            return Ok(Self(value));
        }
        if letters.bytes().all(|b| b.is_ascii_uppercase()) && digits(&number.replace('O', "0"), 10) {
            return bad(
                "RECEIPT_LETTER_O",
                "The last 10 characters are digits: write a zero where a letter O stands, as in IOE0912345608.",
            );
        }
        bad("RECEIPT_MALFORMED", "A receipt number has 3 letters and then 10 digits, such as IOE0912345678.")
    }

    /// The number of the serial with this counter under a deployment's key and our own prefix.
    ///
    /// # Errors
    /// The counter is 1,000,000,000 or more.
    pub fn from_serial(counter: u64, key: &[u8]) -> Result<Self, Refusal> {
        ReceiptSerials::new(OUR_PREFIX, key).number(counter)
    }

    /// The thirteen characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it carries our own prefix.
    pub fn is_ours(&self) -> bool {
        self.0.starts_with(OUR_PREFIX)
    }

    /// Whether it is test data of the agency's public interface (fiscal year 99): no real case.
    pub fn is_test_data(&self) -> bool {
        !self.is_ours() && !self.0.starts_with("IOE") && self.0.get(3..5) == Some("99")
    }

    /// Whether the three letters are of an office known to issue numbers; others only earn a warning.
    pub fn is_known_office(&self) -> bool {
        const KNOWN: [&str; 12] =
            ["EAC", "VSC", "WAC", "CSC", "LIN", "NSC", "SRC", "TSC", "MSC", "NBC", "YSC", "IOE"];
        let letters = self.0.get(..3).unwrap_or_default();
        self.is_ours() || KNOWN.contains(&letters) || letters.starts_with('Z')
    }
}

impl fmt::Display for ReceiptNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ReceiptNumber {
    type Error = FieldFault;

    fn try_from(text: String) -> Result<Self, FieldFault> {
        Self::parse(&text)
    }
}

impl From<ReceiptNumber> for String {
    fn from(number: ReceiptNumber) -> Self {
        number.0
    }
}

/// The permutation of serials of one deployment: a bijection of 0..10⁹, secret by its key.
///
/// Ten Feistel rounds over 30 bits with SHA-256 as the round function, walked until the value is
/// below 10⁹ (NIST SP 800-38G gives the idea of cycle walking).
#[derive(Clone)]
pub struct ReceiptSerials {
    prefix: String,
    key: Vec<u8>,
}

impl fmt::Debug for ReceiptSerials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiptSerials").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl ReceiptSerials {
    /// The permutation under `key` with three letters as prefix.
    pub fn new(prefix: impl Into<String>, key: &[u8]) -> Self {
        Self { prefix: prefix.into(), key: key.to_vec() }
    }

    /// The number of a counter.
    ///
    /// # Errors
    /// The counter is 1,000,000,000 or more.
    pub fn number(&self, counter: u64) -> Result<ReceiptNumber, Refusal> {
        if counter >= SERIALS {
            return Err(Refusal::too_much("RECEIPTS_EXHAUSTED", "All serials of this prefix are used."));
        }
        let serial = self.walk(counter, Self::forward);
        let nine = format!("{serial:09}");
        let check = luhn_digit(&nine);
        Ok(ReceiptNumber(format!("{}{nine}{check}", self.prefix)))
    }

    /// The counter a number came from; nothing when it is not of this prefix or fails its check.
    pub fn counter(&self, number: &ReceiptNumber) -> Option<u64> {
        let ten = number.0.strip_prefix(&self.prefix)?;
        if !digits(ten, 10) || !checks(ten) {
            return None;
        }
        let serial: u64 = ten.get(..9)?.parse().ok()?;
        Some(self.walk(serial, Self::backward))
    }

    fn walk(&self, start: u64, step: fn(&Self, u64) -> u64) -> u64 {
        let mut value = step(self, start);
        while value >= SERIALS {
            value = step(self, value);
        }
        value
    }

    fn forward(&self, value: u64) -> u64 {
        let (mut left, mut right) = (value >> HALF_BITS, value & HALF);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.mix(round, right));
        }
        left << HALF_BITS | right
    }

    fn backward(&self, value: u64) -> u64 {
        let (mut left, mut right) = (value >> HALF_BITS, value & HALF);
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.mix(round, left), left);
        }
        left << HALF_BITS | right
    }

    fn mix(&self, round: u8, half: u64) -> u64 {
        let mut hash = Sha256::new();
        hash.update(b"docket.receipt.v1");
        hash.update((self.key.len() as u64).to_be_bytes());
        hash.update(&self.key);
        hash.update([round]);
        hash.update(half.to_be_bytes());
        let digest = hash.finalize();
        u64::from(u16::from_be_bytes([digest[0], digest[1]])) & HALF
    }
}

fn checks(ten: &str) -> bool {
    let (nine, check) = ten.split_at(9);
    check.bytes().next() == Some(b'0' + luhn_digit(nine))
}

/// The Luhn check digit over a text of digits (ISO/IEC 7812-1 annex B).
pub fn luhn_digit(payload: &str) -> u8 {
    let sum: u32 = payload
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte.wrapping_sub(b'0'));
            let doubled = if place % 2 == 0 { digit * 2 } else { digit };
            if doubled > 9 { doubled - 9 } else { doubled }
        })
        .sum();
    u8::try_from((10 - sum % 10) % 10).unwrap_or(0)
}
