//! What a notice says of its event, and from which day its period counts.

use docket_forms::Catalogue;
use docket_proto::case_status::events::v1 as pb;
use docket_proto::events::case::Event;
use jiff::civil::Date;

use super::facts::{Facts, facts};
use super::{NoticeKind, samples};

fn of(kind: NoticeKind) -> (Facts, Date) {
    posted(kind, "2026-03-02")
}

fn posted(kind: NoticeKind, on: &str) -> (Facts, Date) {
    let posted_on = on.parse().unwrap();
    facts(&samples::matter(), &samples::event(kind), posted_on, &Catalogue::embedded()).unwrap()
}

#[test]
fn a_request_is_served_on_the_day_its_period_counts_from() {
    let (facts, served) = of(NoticeKind::Continuation);
    assert_eq!(served.to_string(), "2026-03-02");
    let due = facts.due.unwrap();
    assert_eq!(due.date.en, "Wednesday, April 1, 2026");
    assert!(due.derivation.contains("2026-03-02 + 30d"));
    assert_eq!(facts.items[0].title.en, "Tax transcripts or certified returns");
    assert_eq!(facts.request_id, samples::REQUEST.to_string());
}

#[test]
fn a_request_posted_later_than_planned_is_counted_from_the_working_day_of_posting() {
    // Friday night's request, printed on Saturday, is served on Monday.
    let (facts, served) = posted(NoticeKind::Continuation, "2026-03-07");
    assert_eq!(served.to_string(), "2026-03-09");
    let due = facts.due.unwrap();
    assert_eq!((due.date.en.as_str(), due.days), ("Wednesday, April 8, 2026", 30));
    assert!(due.derivation.starts_with("2026-03-09 + 30d"), "{}", due.derivation);
    assert_eq!(due.other_zone.as_deref(), Some("America/Los_Angeles"));
    assert_eq!(facts.served.unwrap().en, "Monday, March 9, 2026");
}

#[test]
fn every_other_notice_is_served_on_the_day_it_is_posted() {
    for kind in NoticeKind::ALL {
        if !matches!(kind, NoticeKind::Continuation | NoticeKind::Rfe | NoticeKind::Noid) {
            assert_eq!(posted(kind, "2026-03-07").1.to_string(), "2026-03-07", "{kind:?}");
        }
    }
}

#[test]
fn a_denial_of_naturalization_can_be_heard_and_one_for_abandonment_only_reopened() {
    assert!(of(NoticeKind::Denial).0.due.unwrap().cite.contains("336.2"));
    let mut event = samples::event(NoticeKind::Denial);
    let Event::CaseDenied(denied) = &mut event else { unreachable!() };
    denied.abandoned = true;
    let posted_on = "2026-03-03".parse().unwrap();
    let (facts, _) = facts(&samples::matter(), &event, posted_on, &Catalogue::embedded()).unwrap();
    assert!(facts.due.unwrap().cite.contains("103.5"));
}

#[test]
fn an_event_without_its_deadline_gives_no_notice() {
    let event = Event::EvidenceRequested(pb::EvidenceRequested::default());
    let posted_on = "2026-03-03".parse().unwrap();
    let refused = facts(&samples::matter(), &event, posted_on, &Catalogue::embedded()).unwrap_err();
    assert_eq!(refused.reason, "EVENT_INCOMPLETE");
}

#[test]
fn what_may_be_sent_instead_is_named_and_in_both_languages() {
    let mut asked = samples::event(NoticeKind::Rfe);
    let Event::EvidenceRequested(request) = &mut asked else { panic!("{asked:?}") };
    request.items = vec![pb::RequestedItem { code: "i864".into(), reason: "missing".into() }];
    let matter = super::Matter { form: "I-485".into(), ..samples::matter() };
    let posted_on = "2026-03-02".parse().unwrap();
    let (facts, _) = facts(&matter, &asked, posted_on, &Catalogue::embedded()).unwrap();
    let item = &facts.items[0];
    assert_eq!(item.title.en, "Affidavit of support with tax transcript");
    assert_ne!(item.title.en, item.title.es);
    let [instead] = &item.substitutes[..] else { panic!("{item:?}") };
    assert_eq!(instead.en, "short affidavit of support (I-864EZ)");
    assert_eq!(instead.es, "declaración de patrocinio abreviada (I-864EZ)");
}
