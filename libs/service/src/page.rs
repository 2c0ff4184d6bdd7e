//! Page tokens: opaque to callers; to us a version, the list and the last key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::ApiError;

const VERSION: &str = "2";

/// The token after which the next page of `list` begins with what follows `key`.
pub fn encode(list: &str, key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{VERSION}:{list}:{key}"))
}

/// What [`encode`] was given for this list; none for the empty token, which asks for the first page.
///
/// # Errors
/// [`malformed`] when it is not one of ours, or one of another list.
pub fn decode(list: &str, token: &str) -> Result<Option<String>, ApiError> {
    if token.is_empty() {
        return Ok(None);
    }
    let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let named = text.as_deref().and_then(|text| text.strip_prefix(VERSION)?.strip_prefix(':'));
    let key = named.and_then(|text| text.strip_prefix(list)?.strip_prefix(':'));
    key.map(|key| Some(key.to_owned())).ok_or_else(malformed)
}

/// The id after which a page of `list` begins; none for the first page.
///
/// # Errors
/// [`malformed`].
pub fn after(list: &str, token: &str) -> Result<Option<Uuid>, ApiError> {
    let key = decode(list, token)?;
    key.map(|key| Uuid::try_parse(&key).map_err(|_not_ours| malformed())).transpose()
}

/// Cuts a page of `list` out of what was found, one more than `size` where there is more; the token of the next, which
/// begins with what follows the last row's key.
pub fn cut<T>(list: &str, found: &mut Vec<T>, size: u32, key: impl FnOnce(&T) -> String) -> String {
    let more = found.len() > size as usize;
    found.truncate(size as usize);
    found.last().filter(|_| more).map(|last| encode(list, &key(last))).unwrap_or_default()
}

/// `INVALID_ARGUMENT` for the field `page_token`.
pub fn malformed() -> ApiError {
    ApiError::invalid(
        "page_token",
        "PAGE_TOKEN_MALFORMED",
        "Give the token as it was returned by the same list.",
    )
}

/// How many rows to give: as asked, 50 for 0, and 100 at most.
pub fn size(asked: u32) -> u32 {
    if asked == 0 { 50 } else { asked.min(100) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_as_they_were_given_and_by_their_own_list() {
        assert_eq!(decode("ListCases", "").unwrap(), None);
        let token = encode("ListCases", "a|b:c");
        assert_eq!(decode("ListCases", &token).unwrap().as_deref(), Some("a|b:c"));
        for other in ["ListWorklist", "ListCase", "ListCases:a", ""] {
            assert!(decode(other, &token).is_err(), "{other}");
        }
        for bad in ["x", "####", &URL_SAFE_NO_PAD.encode("1:a"), &encode("L", "no id")] {
            assert!(after("L", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_names_the_next_one_only_where_there_is_one() {
        let id = Uuid::from_u128;
        let mut found = vec![id(3), id(2), id(1)];
        let next = cut("L", &mut found, 2, Uuid::to_string);
        assert_eq!((found.len(), after("L", &next).unwrap()), (2, Some(id(2))));
        assert_eq!(cut("L", &mut found, 2, Uuid::to_string), "");
    }
}
