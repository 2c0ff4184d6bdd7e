//! Which passwords are taken: long enough and not one of those tried first. No composition rules.

use docket_kernel::FieldFault;
use unicode_normalization::UnicodeNormalization;

/// Fewest characters.
const SHORTEST: usize = 12;
/// Most characters.
const LONGEST: usize = 128;
/// Passwords which lead every list of breached ones, and words of this service; lower case, one a line.
const COMMON: &str = include_str!("../../data/common-passwords.txt");

/// A password in Unicode NFC. Never printed.
#[derive(Clone)]
pub(crate) struct Password(String);

impl Password {
    /// The password as it was typed, whatever it is: for comparing.
    pub(crate) fn typed(text: &str) -> Self {
        Self(text.nfc().take(LONGEST + 1).collect())
    }

    /// The bytes to be hashed.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

/// A new password, in NFC.
///
/// # Errors
/// Too short or too long (in characters), built from the address, or common.
pub(crate) fn acceptable(text: &str, email: &str) -> Result<Password, FieldFault> {
    let password: String = text.nfc().collect();
    let length = password.chars().count();
    let fault = |reason: &str, message: &str| Err(FieldFault::new("password", reason, message));
    if length < SHORTEST {
        return fault("PASSWORD_TOO_SHORT", "Use at least 12 characters: a few words with blanks are fine.");
    }
    if length > LONGEST {
        return fault("PASSWORD_TOO_LONG", "Use at most 128 characters.");
    }
    let lower = password.to_lowercase();
    let local = email.split('@').next().unwrap_or_default().to_lowercase();
    // What is left without the address and the words everybody tries must still be something.
    let mut rest = lower.replace(&email.to_lowercase(), "");
    if local.chars().count() >= 4 {
        rest = rest.replace(&local, "");
    }
    for word in COMMON.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        rest = rest.replace(word, "");
    }
    let mut kinds: Vec<char> = rest.chars().collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.len() < 4 {
        return fault(
            "PASSWORD_COMMON",
            "This password is easy to guess. Use a few words which have nothing to do with you.",
        );
    }
    Ok(Password(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(password: &str) -> Option<String> {
        acceptable(password, "maria.lopez@example.com").err().map(|fault| fault.reason)
    }

    #[test]
    fn long_passwords_of_any_kind_are_taken() {
        for good in ["correct horse battery", "ñandú, ñandú y más", "🦀🌲🐎🔋 with words", &"ab1 ".repeat(32)]
        {
            assert_eq!(reason(good), None, "{good}");
        }
    }

    #[test]
    fn short_long_and_guessable_ones_are_refused() {
        assert_eq!(reason("elevenchars").unwrap(), "PASSWORD_TOO_SHORT");
        assert_eq!(reason(&"abcd ".repeat(26)).unwrap(), "PASSWORD_TOO_LONG");
        for common in [
            "password1234",
            "123456789012",
            "qwertyuiop123",
            "docketdocket",
            "aaaaaaaaaaaaaa",
            "maria.lopez1",
            "maria.lopez@example.com",
        ] {
            assert_eq!(reason(common).as_deref(), Some("PASSWORD_COMMON"), "{common}");
        }
    }

    #[test]
    fn a_password_typed_in_another_unicode_form_is_the_same() {
        assert_eq!(Password::typed("man\u{303}ana siempre").as_bytes(), "mañana siempre".as_bytes());
    }
}
