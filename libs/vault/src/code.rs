//! A code: the only form in which the vault takes a reason, so that nobody writes a name or a story into it.

use std::fmt;
use std::str::FromStr;

use crate::Error;

const LONGEST: usize = 64;

/// 1 to 64 of `a-z 0-9 . _ -`, beginning with a letter or digit: `court-order`, `gdpr.17.1.a`, `matter-4711`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Code(String);

impl Code {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Code {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = text.as_bytes();
        let fits = bytes.len() <= LONGEST
            && bytes.first().is_some_and(|&first| plain(first))
            && bytes.iter().all(|&byte| plain(byte) || b"._-".contains(&byte));
        if fits { Ok(Self(text.to_owned())) } else { Err(Error::NotACode) }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_text_is_no_code() {
        for good in ["a", "court-order", "gdpr.17.1.a", "8-usc_1367", &"x".repeat(64)] {
            assert_eq!(good.parse::<Code>().unwrap().as_str(), good);
        }
        for bad in ["", "-a", ".a", "Ana", "ana's wish", "añ", "a\n", "a@b", &"x".repeat(65)] {
            assert!(matches!(bad.parse::<Code>(), Err(Error::NotACode)), "{bad}");
        }
    }
}
