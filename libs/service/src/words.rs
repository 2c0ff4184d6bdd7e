//! What a refusal says, in Spanish: put beside the English words on their way out, for callers who ask for it.
//!
//! The sources say everything once, in English; `texts/es.toml` has the Spanish of each text. A status gets it as
//! `google.rpc.LocalizedMessage`, each wrong field as its `localized_message`, and the way out (`Help`) in place of the English
//! one. What programs read stays as it is: codes, reasons, facts, and the English words.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use http::header::ACCEPT_LANGUAGE;
use http::{HeaderMap, Response};
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::{BadRequest, Help, LocalizedMessage, StatusExt as _};

use crate::status::rule_and_words;

/// Stands for a value, in both languages.
const VALUE: &str = "…";
/// The language of the texts (RFC 5646).
const SPANISH: &str = "es";

static TEXTS: LazyLock<Texts> = LazyLock::new(|| Texts::read(include_str!("../texts/es.toml")));

/// The Spanish of a text that the sources say in English, with its values; the text itself where none is known.
pub fn in_spanish(english: &str) -> String {
    TEXTS.of(english).unwrap_or_else(|| english.to_owned())
}

/// Whether the caller would rather read Spanish than English (RFC 9110, 12.5.4).
pub(crate) fn asked_for(headers: &HeaderMap) -> bool {
    let wanted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    weight(wanted, SPANISH) > weight(wanted, "en")
}

/// How much a language is wanted, whatever the country: from 0, not at all, to 1.
fn weight(wanted: &str, language: &str) -> f64 {
    let ranges = wanted.split(',').map(|range| range.split_once(";q=").unwrap_or((range, "1")));
    let of_it = ranges.filter(|(tag, _)| {
        tag.trim().split('-').next().is_some_and(|tag| tag.eq_ignore_ascii_case(language))
    });
    of_it.map(|(_, weight)| weight.trim().parse().unwrap_or(0.0)).fold(0.0, f64::max)
}

/// An answer with Spanish words beside the English ones, where it is a refusal. What a stream says later stays English.
pub(crate) fn with_spanish(response: Response<Body>) -> Response<Body> {
    match Status::from_header_map(response.headers()) {
        Some(status) if status.code() != Code::Ok => spoken(&status).into_http(),
        _ => response,
    }
}

fn spoken(status: &Status) -> Status {
    let mut details = status.get_error_details();
    if let Some(bad) = details.bad_request().cloned() {
        details.set_bad_request(fields(bad).field_violations);
    }
    if let Some(help) = details.help().cloned() {
        details.set_help(ways_out(help).links);
    }
    if let Some(words) = TEXTS.of(status.message()) {
        details.set_localized_message(SPANISH, words);
    }
    let metadata = status.metadata().clone();
    Status::with_error_details_and_metadata(status.code(), status.message(), details, metadata)
}

fn fields(mut bad: BadRequest) -> BadRequest {
    for field in &mut bad.field_violations {
        let (_, words) = rule_and_words(&field.description);
        field.localized_message = TEXTS.of(words).map(|words| LocalizedMessage::new(SPANISH, words));
    }
    bad
}

fn ways_out(mut help: Help) -> Help {
    for link in &mut help.links {
        link.description = in_spanish(&link.description);
    }
    help
}

/// English texts and their Spanish.
struct Texts {
    /// Those without values.
    whole: HashMap<String, String>,
    /// Those with values; the one that says most by itself comes first.
    patterns: Vec<Pattern>,
}

/// An English text with values in it.
struct Pattern {
    /// What stands before, between and after the values.
    between: Vec<String>,
    /// With the number of each value in braces, from 1.
    spanish: String,
}

impl Texts {
    fn read(toml: &str) -> Self {
        let parts: BTreeMap<String, BTreeMap<String, String>> =
            toml::from_str(toml).expect("the texts are built in, and read by a test");
        let (patterns, whole): (Vec<_>, Vec<_>) =
            parts.into_values().flatten().partition(|(english, _)| english.contains(VALUE));
        let mut patterns: Vec<Pattern> = patterns.into_iter().map(Pattern::new).collect();
        patterns.sort_by_key(|pattern| std::cmp::Reverse(pattern.between.concat().len()));
        Self { whole: whole.into_iter().collect(), patterns }
    }

    /// The Spanish of an English text with its values in it; none where it is not known.
    fn of(&self, english: &str) -> Option<String> {
        if let Some(spanish) = self.whole.get(english) {
            return Some(spanish.clone());
        }
        self.patterns
            .iter()
            .find_map(|pattern| Some(self.filled(&pattern.spanish, &pattern.values(english)?)))
    }

    /// A Spanish text with its values. One that is itself a text of ours is said in Spanish too.
    fn filled(&self, spanish: &str, values: &[&str]) -> String {
        let mut parts = spanish.split('{');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let numbered = part.split_once('}').and_then(|(number, words)| {
                let at = number.parse::<usize>().ok()?.checked_sub(1)?;
                Some((values.get(at)?, words))
            });
            if let Some((value, words)) = numbered {
                text.push_str(self.of(value).as_deref().unwrap_or(value));
                text.push_str(words);
            } else {
                text.push('{');
                text.push_str(part);
            }
        }
        text
    }
}

impl Pattern {
    fn new((english, spanish): (String, String)) -> Self {
        let between: Vec<String> = english.split(VALUE).map(str::to_owned).collect();
        let numbered = |text: String, number| text.replacen(VALUE, &format!("{{{number}}}"), 1);
        let spanish = (1..between.len()).fold(spanish, numbered);
        Self { between, spanish }
    }

    /// The values in a text; none when it is another text.
    fn values<'a>(&self, text: &'a str) -> Option<Vec<&'a str>> {
        let (first, others) = self.between.split_first()?;
        let (last, middle) = others.split_last()?;
        let mut rest = text.strip_prefix(first.as_str())?;
        let mut values = Vec::new();
        for words in middle {
            let (value, behind) = rest.split_once(words.as_str())?;
            values.push(value);
            rest = behind;
        }
        values.push(rest.strip_suffix(last.as_str())?);
        Some(values)
    }
}

#[cfg(test)]
mod tests {
    use docket_kernel::{FieldFault, Refusal};
    use http::HeaderValue;

    use super::*;
    use crate::ApiError;

    fn asks(wanted: &'static str) -> bool {
        asked_for(&HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_static(wanted))]))
    }

    #[test]
    fn spanish_is_said_to_whoever_would_rather_read_it() {
        for wanted in ["es", "es-MX", "ES-us,en;q=0.8", "fr, es;q=0.5, en;q=0.4", "en;q=0.1,es"] {
            assert!(asks(wanted), "{wanted}");
        }
        for wanted in ["", "en", "en-US,es;q=0.9", "fr", "*", "es;q=0, en", "est", "es;q=much"] {
            assert!(!asks(wanted), "{wanted}");
        }
        assert!(!asked_for(&HeaderMap::new()));
    }

    #[test]
    fn values_go_where_the_spanish_text_has_them() {
        let texts = Texts::read(
            r#"[a]
            "… of … bytes are here." = "Aquí hay … de … bytes."
            "Give … before …." = "Antes de {2}, dé {1}."
            "the form" = "el formulario"
            "It lacks …." = "Le falta …."
            "an answer: …" = "una respuesta: …"
            "…." = "…: algo.""#,
        );
        let of = |english: &str| texts.of(english).unwrap();
        assert_eq!(of("3 of 9 bytes are here."), "Aquí hay 3 de 9 bytes.");
        assert_eq!(of("Give the form before {1}…."), "Antes de {1}…, dé el formulario.");
        assert_eq!(of("It lacks an answer: name."), "Le falta una respuesta: name.");
        assert_eq!(of("Other words."), "Other words: algo.");
        assert_eq!(texts.of("Other words"), None);
    }

    #[test]
    fn a_refusal_has_both_languages_and_programs_read_what_they_always_read() {
        let faults = vec![
            FieldFault::new(
                "zip",
                "ZIP_MALFORMED",
                "A ZIP code has 5 digits, or 5 and 4 more, such as 10001 or 10001-1234.",
            ),
            FieldFault::new("x", "ODD", "Words that nobody has translated."),
        ];
        let refusal = Refusal::faults(faults).way_out("Sign in.");
        let english = Status::from(ApiError::from(refusal));
        let said = with_spanish(english.clone().into_http());
        let status = Status::from_header_map(said.headers()).unwrap();
        assert_eq!((status.code(), status.message()), (english.code(), english.message()));
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "FIELDS_INVALID");
        let [zip, odd] = details.bad_request().unwrap().field_violations.as_slice() else {
            panic!("two fields")
        };
        assert!(zip.description.starts_with("ZIP_MALFORMED: A ZIP code has"), "{zip:?}");
        let spanish = zip.localized_message.as_ref().unwrap();
        assert_eq!(spanish.locale, "es");
        assert!(spanish.message.contains("10001-1234") && spanish.message.contains("código"), "{spanish:?}");
        assert!(odd.localized_message.is_none());
        assert_ne!(details.help().unwrap().links[0].description, "Sign in.");
    }

    #[test]
    fn an_answer_stays_as_it_is() {
        let mut answer = Response::new(Body::empty());
        answer.headers_mut().insert("grpc-status", HeaderValue::from_static("0"));
        assert_eq!(with_spanish(answer).headers().len(), 1);
        assert!(with_spanish(Response::new(Body::empty())).headers().is_empty());
    }

    /// Each text is found by its own row, whatever the values are, and none is left in English.
    #[test]
    fn every_text_is_said_by_its_own_row() {
        let parts: BTreeMap<String, BTreeMap<String, String>> =
            toml::from_str(include_str!("../texts/es.toml")).unwrap();
        let rows: Vec<(String, String)> = parts.into_values().flatten().collect();
        let unique: HashMap<&String, &String> =
            rows.iter().map(|(english, spanish)| (english, spanish)).collect();
        assert_eq!(unique.len(), rows.len(), "a text stands twice");
        for (english, spanish) in &rows {
            let count = english.matches(VALUE).count();
            let english =
                (1..=count).fold(english.clone(), |text, n| text.replacen(VALUE, &format!("<{n}>"), 1));
            let said = TEXTS.of(&english).unwrap();
            let own = (1..=count).fold(spanish.clone(), |text, n| {
                text.replacen(VALUE, &format!("<{n}>"), 1).replace(&format!("{{{n}}}"), &format!("<{n}>"))
            });
            assert_eq!(said, own, "{english}");
            assert!(!said.contains(VALUE), "{said}");
        }
    }
}
