//! Page tokens: opaque to callers, a version and the last key to us.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::ApiError;

const VERSION: &str = "1:";

/// The token after which the next page begins with what follows `last`.
pub fn encode(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{VERSION}{last}"))
}

/// What [`encode`] was given; none for the empty token, which asks for the first page.
///
/// # Errors
/// `INVALID_ARGUMENT` for the field `page_token` when it is not one of ours.
pub fn decode(token: &str) -> Result<Option<String>, ApiError> {
    if token.is_empty() {
        return Ok(None);
    }
    let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.as_deref().and_then(|text| text.strip_prefix(VERSION)).map(|last| Some(last.to_owned())).ok_or_else(
        || ApiError::invalid("page_token", "PAGE_TOKEN_MALFORMED", "Give the token as it was returned."),
    )
}

/// How many rows to give: `asked`, or `usual` for 0, and never more than `most`.
pub fn size(asked: i32, usual: u32, most: u32) -> u32 {
    match u32::try_from(asked) {
        Ok(0) | Err(_) => usual,
        Ok(asked) => asked.min(most),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_as_they_were_given() {
        assert_eq!(decode("").unwrap(), None);
        assert_eq!(decode(&encode("a|b")).unwrap().as_deref(), Some("a|b"));
        for bad in ["x", "####", &URL_SAFE_NO_PAD.encode("2:a")] {
            assert!(decode(bad).is_err(), "{bad}");
        }
    }
}
