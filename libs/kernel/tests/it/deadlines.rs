//! Periods against the worked examples, and the ends of days in every zone.

use std::sync::LazyLock;

use docket_kernel::calendar::is_working_day;
use docket_kernel::deadline::{
    self, Deadline, OFFICE_ZONE, Reminders, Rule, ServiceChannel, Window, ends, rules,
};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Golden {
    case: Vec<Case>,
    window: Vec<Opening>,
    end: Vec<End>,
    pub(crate) year: Vec<Year>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    rule: String,
    channel: ServiceChannel,
    day0: toml::value::Datetime,
    days: Option<u32>,
    #[serde(default)]
    abroad: bool,
    due: toml::value::Datetime,
    derivation: String,
}

#[derive(Deserialize)]
struct Opening {
    id: String,
    rule: String,
    fact: toml::value::Datetime,
    derivation: String,
}

#[derive(Deserialize)]
struct End {
    due: toml::value::Datetime,
    zone: String,
    office_ends: String,
    zone_ends: String,
    ends: String,
}

#[derive(Deserialize)]
pub(crate) struct Year {
    #[serde(rename = "year")]
    pub(crate) number: i16,
    pub(crate) actual: Vec<String>,
    pub(crate) observed: Vec<String>,
}

pub(crate) fn golden() -> &'static Golden {
    static GOLDEN: LazyLock<Golden> =
        LazyLock::new(|| toml::from_str(include_str!("deadlines.toml")).unwrap());
    &GOLDEN
}

fn day(of: &toml::value::Datetime) -> Date {
    of.to_string().parse().unwrap()
}

fn minute(text: &str) -> Timestamp {
    text.replace('Z', ":00Z").parse().unwrap()
}

#[test]
fn every_worked_example_comes_out_with_its_derivation() {
    assert_eq!(golden().case.len(), 41);
    for case in &golden().case {
        let mut rule = Rule::of(&case.rule).abroad(case.abroad);
        if let Some(days) = case.days {
            rule = rule.days(days);
        }
        let made = Deadline::compute(rule, day(&case.day0), case.channel, OFFICE_ZONE).unwrap();
        let derived = case.derivation.split_once(' ').map(|(day0, rest)| (day0.to_owned(), rest)).unwrap();
        assert_eq!(made.due, day(&case.due), "{}", case.id);
        assert_eq!(made.derivation(), format!("{} {}", derived.0, derived.1), "{}", case.id);
        assert!(!made.cite.is_empty() && !made.tzdb_version.is_empty());
    }
}

#[test]
fn every_window_comes_out_with_its_derivation() {
    assert_eq!(golden().window.len(), 10);
    for case in &golden().window {
        let window = Window::compute(&case.rule, day(&case.fact)).unwrap();
        assert_eq!(window.derivation(), case.derivation, "{}", case.id);
    }
}

#[test]
fn a_deadline_ends_when_the_later_of_two_days_ends() {
    assert_eq!(golden().end.len(), 11);
    for case in &golden().end {
        let due = day(&case.due);
        let (office, party) = (ends(due, OFFICE_ZONE).unwrap(), ends(due, &case.zone).unwrap());
        assert_eq!(office, minute(&case.office_ends), "{due} {}", case.zone);
        assert_eq!(party, minute(&case.zone_ends), "{due} {}", case.zone);
        assert_eq!(office.max(party), minute(&case.ends), "{due} {}", case.zone);
    }
}

#[test]
fn the_last_instant_is_timely_and_the_next_is_not() {
    let rule = Rule::of("rfe");
    let made =
        Deadline::compute(rule, date(2026, 3, 2), ServiceChannel::Mailed, "America/Los_Angeles").unwrap();
    assert_eq!(made.expires_at, minute("2026-05-29T07:00Z"));
    assert!(made.is_timely(made.expires_at - jiff::SignedDuration::from_nanos(1)));
    assert!(!made.is_timely(made.expires_at));
    let abroad = Rule::of("rfe").abroad(true);
    let made = Deadline::compute(abroad, date(2026, 8, 5), ServiceChannel::Mailed, "Asia/Tokyo").unwrap();
    assert_eq!(made.zone, OFFICE_ZONE);
}

#[test]
fn an_officer_chooses_within_the_rule() {
    let compute = |rule| Deadline::compute(rule, date(2026, 9, 10), ServiceChannel::Posted, OFFICE_ZONE);
    assert_eq!(compute(Rule::of("rfe").days(85)).unwrap_err().reason, "PERIOD_TOO_LONG");
    assert_eq!(compute(Rule::of("rfe").days(20)).unwrap_err().reason, "PERIOD_TOO_SHORT");
    assert_eq!(compute(Rule::of("rfe").days(20).supervised()).unwrap().base_days, 20);
    assert_eq!(compute(Rule::of("noid").days(31)).unwrap_err().reason, "PERIOD_TOO_LONG");
    assert_eq!(compute(Rule::of("nothing")).unwrap_err().reason, "RULE_UNKNOWN");
    let zone = Deadline::compute(Rule::of("rfe"), date(2026, 9, 10), ServiceChannel::Posted, "Mars/Olympus");
    assert_eq!(zone.unwrap_err().reason, "ZONE_UNKNOWN");
    let late = Deadline::compute(Rule::of("rfe"), date(2100, 12, 1), ServiceChannel::Posted, OFFICE_ZONE);
    assert_eq!(late.unwrap_err().reason, "DATE_BEYOND_TABLES");
}

#[test]
fn the_row_of_the_service_date_holds() {
    let mail = |day0| {
        let rule = Rule::of("rfe").abroad(true);
        Deadline::compute(rule, day0, ServiceChannel::Mailed, OFFICE_ZONE).unwrap().mail_days
    };
    assert_eq!(mail(date(2026, 8, 4)), 14);
    assert_eq!(mail(date(2026, 8, 5)), 3);
}

#[test]
fn premium_processing_counts_working_days() {
    let rule = Rule::of("premium.i140");
    let made = Deadline::compute(rule, date(2026, 6, 30), ServiceChannel::Posted, OFFICE_ZONE).unwrap();
    assert_eq!(
        made.derivation(),
        "2026-06-30 + 15 working days = 2026-07-22 Wed; not rolled (limit on the office)"
    );
}

/// The reminders of a due date that was computed.
fn reminders(of: &Deadline) -> Reminders {
    Reminders::before_due(of.day0, of.due, of.base_days, &of.zone)
}

fn left(of: &Reminders) -> Vec<u32> {
    of.times().iter().map(|(left, _)| *left).collect()
}

#[test]
fn reminders_come_before_the_end_and_once() {
    let made =
        Deadline::compute(Rule::of("rfe"), date(2026, 3, 2), ServiceChannel::Mailed, "America/Chicago")
            .unwrap();
    assert_eq!(left(&reminders(&made)), [43, 14, 7, 3, 1, 0]);
    assert_eq!(reminders(&made).times()[5].1, minute("2026-05-28T14:00Z"));
    let short = Rule::of("appeal.revocation");
    let made = Deadline::compute(short, date(2026, 6, 16), ServiceChannel::Mailed, OFFICE_ZONE).unwrap();
    assert_eq!(left(&reminders(&made)), [7, 3, 1]);
    // A period of a few days has no reminder from before it began.
    let shortest = Reminders::before_due(date(2026, 6, 16), date(2026, 6, 19), 3, OFFICE_ZONE);
    assert_eq!(left(&shortest), [1]);
    assert_eq!(left(&Reminders::before_due(date(2026, 6, 19), date(2026, 6, 16), 3, OFFICE_ZONE)), [0; 0]);
}

#[test]
fn one_is_reminded_at_nine_whatever_the_clocks_were_set_to_since() {
    // The clocks are set back in Chicago on 1 November 2026 and forward on 14 March 2027; in Phoenix never.
    for (zone, day, before, after) in [
        ("America/Chicago", date(2026, 11, 7), "2026-10-31T14:00Z", "2026-11-05T15:00Z"),
        ("America/Chicago", date(2027, 3, 19), "2027-03-12T15:00Z", "2027-03-17T14:00Z"),
        ("America/Phoenix", date(2027, 3, 19), "2027-03-12T16:00Z", "2027-03-17T16:00Z"),
        ("Nowhere/Land", date(2026, 6, 10), "2026-06-03T13:00Z", "2026-06-08T13:00Z"),
    ] {
        let of = Reminders::before(day, &[2, 7], zone);
        assert_eq!(of.times(), [(7, minute(before)), (2, minute(after))], "{zone}");
    }
}

#[test]
fn of_a_day_that_is_past_nobody_is_reminded() {
    let of = Reminders::before(date(2026, 6, 10), &[7, 2], "Pacific/Honolulu");
    let nine = minute("2026-06-03T19:00Z");
    assert_eq!(of.next(minute("2026-05-01T00:00Z")), Some(nine));
    assert_eq!(of.now(nine - jiff::SignedDuration::from_nanos(1)), None);
    assert_eq!(of.now(nine), Some(7));
    // Until the end of that day where they live, which began there ten hours after London's.
    assert_eq!(of.now(minute("2026-06-04T09:59Z")), Some(7));
    assert_eq!(of.now(minute("2026-06-04T10:00Z")), None);
    assert_eq!(of.next(nine), Some(minute("2026-06-08T19:00Z")));
    assert_eq!(of.next(minute("2026-06-08T19:00Z")), None);
}

#[test]
fn rows_of_one_rule_do_not_overlap_and_name_their_source() {
    for (n, a) in rules().iter().enumerate() {
        assert!(!a.cite.is_empty() && !a.mark.is_empty(), "{}", a.id);
        for b in rules().iter().skip(n + 1).filter(|b| b.id == a.id) {
            assert!(a.until.expect("ends") < b.from.expect("begins"), "{}", a.id);
        }
    }
}

#[test]
fn a_party_never_has_to_act_on_a_free_day() {
    let first = date(2025, 1, 1);
    for n in 0..1500 {
        let day0 = docket_kernel::calendar::plus_days(first, n);
        let made =
            Deadline::compute(Rule::of("noid"), day0, ServiceChannel::Mailed, "Pacific/Honolulu").unwrap();
        assert!(is_working_day(made.due) && made.raw_last <= made.due);
        assert!(made.expires_at >= deadline::ends(made.due, OFFICE_ZONE).unwrap());
    }
}
