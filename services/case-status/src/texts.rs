//! What people read: text ids with facts, written out in English or Spanish.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use docket_kernel::calendar::{MONTHS, WEEKDAYS};
use docket_kernel::deadline::{OFFICE_ZONE, zone};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use jiff::Timestamp;
use jiff::civil::Date;
use unic_langid::{LanguageIdentifier, langid};

use crate::domain::timeline::Fact;

/// The languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// Spanish.
    Es,
}

impl Language {
    /// The language asked for; English where none or another one is.
    pub fn of(tag: &str) -> Self {
        if tag.split('-').next() == Some("es") { Self::Es } else { Self::En }
    }
}

type Bundle = FluentBundle<FluentResource>;

static EN: LazyLock<Bundle> = LazyLock::new(|| bundle(langid!("en"), include_str!("../texts/en.ftl")));
static ES: LazyLock<Bundle> = LazyLock::new(|| bundle(langid!("es"), include_str!("../texts/es.ftl")));

fn bundle(language: LanguageIdentifier, text: &str) -> Bundle {
    let resource =
        FluentResource::try_new(text.to_owned()).expect("the texts are part of the build and tested");
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    bundle.set_use_isolating(false);
    bundle.add_resource(resource).expect("each text stands once; tested");
    bundle
}

fn bundle_of(language: Language) -> &'static Bundle {
    match language {
        Language::En => &EN,
        Language::Es => &ES,
    }
}

/// Whether there is such a text.
pub fn has(language: Language, id: &str) -> bool {
    bundle_of(language).get_message(id).is_some_and(|message| message.value().is_some())
}

/// The text with its facts; empty when there is none with this id.
pub fn text(language: Language, id: &str, facts: &BTreeMap<String, Fact>) -> String {
    let bundle = bundle_of(language);
    let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else {
        return String::new();
    };
    let mut args = FluentArgs::new();
    for (name, fact) in facts {
        args.set(Cow::Borrowed(name.as_str()), written(language, fact));
    }
    bundle.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned()
}

/// A fact in words.
fn written(language: Language, fact: &Fact) -> String {
    match fact {
        Fact::Text(text) => text.clone(),
        Fact::Code(code) if has(language, code) => text(language, code, &BTreeMap::new()),
        Fact::Code(code) => {
            let family = code.split('-').next().unwrap_or_default();
            text(language, &format!("{family}-other"), &BTreeMap::new())
        }
        Fact::Date(date) => date.parse().map_or_else(|_| date.clone(), |date| civil(language, date)),
        Fact::At { at_us, zone } => instant(language, *at_us, zone),
    }
}

/// `Tuesday, May 26, 2026` or `martes, 26 de mayo de 2026`.
pub fn civil(language: Language, date: Date) -> String {
    let weekday = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
    let month = usize::from(date.month().unsigned_abs()) - 1;
    let (day, year) = (date.day(), date.year());
    match language {
        Language::En => format!("{}, {} {day}, {year}", WEEKDAYS[0][weekday], MONTHS[0][month]),
        Language::Es => format!("{}, {day} de {} de {year}", WEEKDAYS[1][weekday], MONTHS[1][month]),
    }
}

/// The date with the time and the zone's abbreviation: `…, 9:00 AM EST`.
fn instant(language: Language, at_us: i64, zone_name: &str) -> String {
    let at = Timestamp::from_microsecond(at_us).unwrap_or(Timestamp::UNIX_EPOCH);
    let zone =
        zone(zone_name).or_else(|_| zone(OFFICE_ZONE)).expect("the office's zone is in the built-in data");
    let at = at.to_zoned_datetime(zone);
    let date = civil(language, at.date());
    match language {
        Language::En => format!("{date}, {}", at.strftime("%-I:%M %p %Z")),
        Language::Es => format!("{date}, {}", at.strftime("%H:%M %Z")),
    }
}

#[cfg(test)]
mod tests {
    use docket_kernel::EventEnum;

    use super::*;
    use crate::domain::{Event, timeline, title};

    fn required() -> Vec<String> {
        let mut ids: Vec<String> = Event::KINDS.iter().map(|kind| timeline::text_id(kind)).collect();
        ids.extend(timeline::VARIANTS.map(str::to_owned));
        ids.extend(timeline::CODES.map(str::to_owned));
        for (row, has_next) in title::ROWS {
            ids.push(format!("title-{row}"));
            ids.push(format!("title-{row}-explanation"));
            if has_next {
                ids.push(format!("title-{row}-next"));
            }
        }
        ids.extend(title::PUBLIC.map(|row| format!("title-{row}-public")));
        ids
    }

    #[test]
    fn every_text_stands_in_both_languages_and_no_other_does() {
        let required = required();
        for (language, source) in
            [(Language::En, include_str!("../texts/en.ftl")), (Language::Es, include_str!("../texts/es.ftl"))]
        {
            for id in &required {
                assert!(has(language, id), "{language:?}: {id} is missing");
            }
            for line in source.lines().filter(|line| !line.starts_with('#')) {
                let Some((id, _)) = line.split_once(" = ") else { continue };
                assert!(required.iter().any(|known| known == id), "{language:?}: {id} is used nowhere");
            }
        }
    }

    #[test]
    fn no_title_that_strangers_read_names_a_day_a_place_or_money() {
        let source = include_str!("../texts/en.ftl");
        for (row, _) in title::ROWS {
            let id = format!("title-{row}{}", if title::PUBLIC.contains(&row) { "-public" } else { "" });
            let line = source.lines().find_map(|line| line.strip_prefix(&format!("{id} = "))).unwrap();
            // What is owed is shown to strangers in no row.
            let harmless = line.replace("{ $challenge }", "").replace("{ $document }", "");
            assert!(row == "33b" || !harmless.contains('$'), "{id}: {line}");
        }
    }

    #[test]
    fn both_languages_name_the_same_facts() {
        let placeholders = |source: &'static str| -> BTreeMap<&str, Vec<&str>> {
            source
                .lines()
                .filter_map(|line| line.split_once(" = "))
                .map(|(id, text)| {
                    let mut names: Vec<&str> =
                        text.split("{ $").skip(1).filter_map(|rest| rest.split(' ').next()).collect();
                    names.sort_unstable();
                    (id, names)
                })
                .collect()
        };
        assert_eq!(
            placeholders(include_str!("../texts/en.ftl")),
            placeholders(include_str!("../texts/es.ftl"))
        );
    }

    #[test]
    fn dates_are_written_with_weekday_and_zone() {
        let at = Fact::At { at_us: 1_780_000_200_000_000, zone: "America/New_York".into() };
        assert_eq!(written(Language::En, &at), "Thursday, May 28, 2026, 4:30 PM EDT");
        assert_eq!(written(Language::Es, &at), "jueves, 28 de mayo de 2026, 16:30 EDT");
        assert_eq!(written(Language::En, &Fact::Date("2026-05-26".into())), "Tuesday, May 26, 2026");
        assert_eq!(written(Language::Es, &Fact::Date("2026-05-26".into())), "martes, 26 de mayo de 2026");
        assert_eq!(written(Language::En, &Fact::Code("notice-unheard-of".into())), "notice");
    }
}
