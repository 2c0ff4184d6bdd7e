//! What tus says in headers: numbers, dates, and the announcement of a file in `Upload-Metadata`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use docket_proto::filing::v1 as pb;
use docket_service::{ApiError, Problem};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::METADATA;

/// A header with a whole number.
///
/// # Errors
/// `NUMBER_MALFORMED`.
pub(super) fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64, Problem> {
    let text = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or_else(|| {
        let rule = "Give a number of bytes in digits, such as 51200.";
        ApiError::invalid(name.as_str(), "NUMBER_MALFORMED", rule).into()
    })
}

/// The announcement: `parent`, `kind`, `filename`, `sha256` (of the whole file, in hexadecimal), and if need be `request_id` and
/// `foreign_language` (`true`). A browser sends the name that a file has on its device, in whatever script.
///
/// # Errors
/// `METADATA_MALFORMED`, `SHA256_MALFORMED`; the rest is looked at by `BeginUpload`.
pub(super) fn announcement(headers: &HeaderMap, size: u64) -> Result<pb::BeginUploadRequest, Problem> {
    let text = headers.get(METADATA).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut said = pairs(text).ok_or_else(|| {
        let rule = "Write pairs of a key and a base64 value, with commas between: kind Z3JlZW5fY2FyZA==.";
        ApiError::invalid("upload-metadata", "METADATA_MALFORMED", rule)
    })?;
    let mut take = |key: &str| said.remove(key).unwrap_or_default();
    let sha256 = hex::decode(take("sha256")).map_err(|_not_hexadecimal| {
        let rule = "Give sha256, the SHA-256 of the whole file, in 64 hexadecimal digits.";
        ApiError::invalid("upload-metadata", "SHA256_MALFORMED", rule)
    })?;
    // Without one of the caller's, a lost answer means beginning anew; the first waits its week and goes.
    let request_id = Some(take("request_id")).filter(|id| !id.is_empty());
    let header = pb::UploadHeader {
        request_id: request_id.unwrap_or_else(|| uuid::Uuid::now_v7().to_string()),
        parent: take("parent"),
        kind: take("kind"),
        file_name: Some(take("filename"))
            .filter(|name| !name.is_empty())
            .map_or_else(String::new, |name| pb::UploadHeader::name_of(&name)),
        foreign_language: take("foreign_language") == "true",
    };
    Ok(pb::BeginUploadRequest { header: Some(header), size, sha256 })
}

/// Keys with their values; none when it is not written so.
fn pairs(text: &str) -> Option<BTreeMap<&str, String>> {
    text.split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let bytes = STANDARD.decode(value.trim()).ok()?;
            Some((key, String::from_utf8(bytes).ok()?))
        })
        .collect()
}

/// An instant as HTTP writes it (RFC 9110, section 5.6.7).
pub(super) fn date(at_us: i64) -> HeaderValue {
    let at = Timestamp::from_microsecond(at_us).unwrap_or(Timestamp::MAX);
    let text = DateTimePrinter::new().timestamp_to_rfc9110_string(&at);
    text.ok().and_then(|text| HeaderValue::from_str(&text).ok()).unwrap_or(HeaderValue::from_static("0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(metadata: &str) -> HeaderMap {
        HeaderMap::from_iter([(METADATA, HeaderValue::from_str(metadata).unwrap())])
    }

    #[test]
    fn an_announcement_is_read_from_pairs() {
        let sha256 = STANDARD.encode("ab".repeat(32));
        let text = format!(
            "kind Z3JlZW5fY2FyZA==,filename YSBiLnDDqWRm, foreign_language dHJ1ZQ==,sha256 {sha256},extra"
        );
        let request = announcement(&headers(&text), 7).unwrap();
        let header = request.header.unwrap();
        assert_eq!(
            (header.kind.as_str(), header.file_name.as_str(), request.size),
            ("green_card", "a b.p_df", 7)
        );
        assert!(header.foreign_language && header.parent.is_empty());
        assert_eq!(request.sha256, [0xab; 32]);
        assert!(uuid::Uuid::try_parse(&header.request_id).is_ok());
    }

    #[test]
    fn what_is_written_otherwise_is_refused_by_name() {
        for text in ["kind *", "kind Z3J", "kind /w=="] {
            assert_eq!(announcement(&headers(text), 1).unwrap_err().reason(), "METADATA_MALFORMED", "{text}");
        }
        assert_eq!(announcement(&headers("sha256 eHl6"), 1).unwrap_err().reason(), "SHA256_MALFORMED");
        for text in ["", "-1", "+1", "1 000", "0x1", "99999999999999999999"] {
            let headers =
                HeaderMap::from_iter([(super::super::LENGTH, HeaderValue::from_str(text).unwrap())]);
            assert_eq!(
                number(&headers, &super::super::LENGTH).unwrap_err().reason(),
                "NUMBER_MALFORMED",
                "{text}"
            );
        }
    }

    #[test]
    fn a_date_is_written_as_http_writes_it() {
        assert_eq!(date(784_111_777_000_000), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
