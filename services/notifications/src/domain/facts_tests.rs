//! What a notice says of its event, and from which day its period counts.

use docket_forms::Catalogue;
use docket_proto::case_status::events::v1 as pb;
use docket_proto::events::case::Event;
use jiff::civil::Date;

use super::facts::{Challenge, Facts, Matter, facts};
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
        let starts_a_period = [
            NoticeKind::Continuation,
            NoticeKind::Rfe,
            NoticeKind::Noid,
            NoticeKind::Noir,
            NoticeKind::Noit,
            NoticeKind::OwnMotion,
            NoticeKind::Denial,
            NoticeKind::Revocation,
            NoticeKind::Termination,
        ];
        if !starts_a_period.contains(&kind) {
            assert_eq!(posted(kind, "2026-03-07").1.to_string(), "2026-03-07", "{kind:?}");
        }
    }
}

/// What a denial of a form says, posted on Tuesday, March 3.
fn denial_of(form: &str, abandoned: bool) -> Facts {
    let mut event = samples::event(NoticeKind::Denial);
    let Event::CaseDenied(denied) = &mut event else { unreachable!() };
    denied.abandoned = abandoned;
    let matter = Matter { form: form.into(), ..samples::matter() };
    facts(&matter, &event, "2026-03-03".parse().unwrap(), &Catalogue::embedded()).unwrap().0
}

#[test]
fn a_denial_names_the_challenge_that_its_form_has_and_until_when() {
    let cited = |form, abandoned| {
        let facts = denial_of(form, abandoned);
        (facts.challenge, facts.due.map_or_else(String::new, |due| due.cite))
    };
    let motion = (Challenge::Motion, "8 CFR 103.5(a)(1)(i), 103.8(b)".to_owned());
    assert_eq!(cited("N-400", false), (Challenge::Hearing, "8 CFR 336.2(a), 103.8(b)".into()));
    for form in ["I-140", "I-129F", "N-600", "I-821"] {
        assert_eq!(cited(form, false), (Challenge::Aao, "8 CFR 103.3(a)(2)(i), 103.8(b)".into()), "{form}");
    }
    assert_eq!(cited("I-130", false), (Challenge::Bia, "8 CFR 1003.3".into()));
    assert_eq!(cited("N-336", false), (Challenge::Court, String::new()));
    for form in ["I-485", "I-751", "I-765", "I-539", "I-90", "I-589"] {
        assert_eq!(cited(form, false), motion, "{form}");
    }
    // For abandonment nothing is appealed; of deferred action nothing at all.
    for form in ["N-400", "I-130", "I-140", "N-336", "I-485"] {
        assert_eq!(cited(form, true), motion, "{form}");
    }
    for abandoned in [false, true] {
        assert_eq!(cited("I-821D", abandoned), (Challenge::Nothing, String::new()));
    }
    assert_eq!(denial_of("I-130", false).due.unwrap().date.en, "Thursday, April 2, 2026");
}

#[test]
fn a_denial_posted_at_a_weekend_starts_its_period_on_the_working_day_after() {
    let (facts, served) = posted(NoticeKind::Denial, "2026-03-07");
    assert_eq!(served.to_string(), "2026-03-09");
    assert_eq!(facts.served.unwrap().en, "Monday, March 9, 2026");
    let due = facts.due.unwrap();
    assert_eq!(
        (due.day0.en.as_str(), due.date.en.as_str()),
        ("Monday, March 9, 2026", "Wednesday, April 8, 2026")
    );
    assert_eq!(posted(NoticeKind::Denial, "2026-03-06").1.to_string(), "2026-03-06");
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

#[test]
fn the_original_is_the_representatives_as_form_g_28_says_but_for_the_notice_with_the_i_94() {
    let matter = samples::matter();
    let (party, attorney) = (matter.account, matter.representative.unwrap());
    let asylum = Matter { form: "I-589".into(), ..matter.clone() };
    assert_eq!(matter.original(NoticeKind::Rfe), Some(attorney));
    assert_eq!(matter.original(NoticeKind::Approval), Some(attorney), "it has no I-94");
    assert_eq!(asylum.original(NoticeKind::Approval), Some(party));
    assert_eq!(asylum.original(NoticeKind::Rfe), Some(attorney));
    let to_representative = Matter { i94_to_client: false, ..asylum };
    assert_eq!(to_representative.original(NoticeKind::Approval), Some(attorney));
    // Nothing was said of it, or it was taken back; and nobody acts.
    let silent = Matter { notices_to_representative: false, ..matter.clone() };
    assert_eq!(silent.original(NoticeKind::Rfe), Some(party));
    assert_eq!(Matter { representative: None, ..matter }.original(NoticeKind::Rfe), None);
}
