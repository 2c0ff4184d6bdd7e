//! The search for whom a mail about a notice did not reach: every branch.

use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::decide::{self, Others, Response, Undelivered};
use crate::domain::samples::*;
use crate::domain::{Case, Event, Search, SearchState, evolve, task, timeline, title};

/// The notice of [`served`].
const NOTICE: Uuid = Uuid::from_u128(9);
/// Who acts for the applicant.
const RAY: Uuid = Uuid::from_u128(0x12A);
const NOTE: &str = "Nobody answers the phone; the letter is on its way.";

fn mail(notice: Uuid, account: Uuid, at: Timestamp) -> Undelivered {
    Undelivered {
        notice,
        notice_kind: "continuation".into(),
        account,
        channel: "email".into(),
        reason: "bounced".into(),
        at,
    }
}

fn bounce(case: &Given, account: Uuid) -> Then {
    case.when(|case| decide::record_undelivered(case, &mail(NOTICE, account, now())))
}

/// The same case, in which the mail about the notice did not reach somebody.
fn unreached(case: Given, account: Uuid) -> Given {
    let events = bounce(&case, account).then(&["addressee_not_reached"]);
    after(case, &events)
}

fn after(case: Given, events: &[Event]) -> Given {
    Given(events.iter().fold(case.0, evolve))
}

/// The same case, in which somebody acts for the applicant.
fn represented(case: Given) -> Given {
    let (representation_id, representative) = (Uuid::from_u128(0x628).to_string(), RAY.to_string());
    case.and(pb::RepresentationActivated { representation_id, representative, wishes: None })
}

fn seek(case: &Given, tried: &[&str]) -> Then {
    let tried: Vec<String> = tried.iter().map(|way| (*way).to_owned()).collect();
    case.when(|case| decide::record_sought(case, None, ADA, &tried, NOTE))
}

fn states(case: &Case) -> Vec<SearchState> {
    case.searches.iter().map(|search| search.state).collect()
}

/// The request is past its day, and a denial is recommended.
fn expired(case: Given) -> Given {
    let request_id = REQUEST.to_string();
    let recommendation = "deny".to_owned();
    let officer = ADA.to_string();
    case.and(pb::DeadlinePassed { request_id }).and(pb::DecisionRecommended {
        officer,
        recommendation,
        grounds: String::new(),
    })
}

/// What becomes of a denial on a ground.
fn deny(case: &Given, ground: &str) -> Then {
    case.when(|case| decide::decide_case(case, BO, &denial(&[ground]), &Others::new(), now()))
}

#[test]
fn whom_a_mail_did_not_reach_is_looked_for_once_and_nothing_else_changes() {
    let case = unreached(served(), APPLICANT);
    assert_eq!(Case { searches: Vec::new(), ..case.0.clone() }, served().0, "no period moves");
    assert_eq!(title::title(&case.0), title::title(&served().0));
    assert_eq!(task::task(&case.0), task::task(&served().0));
    let owed = task::answer(&case.0).unwrap();
    assert_eq!((owed.task, owed.deadline.due_date.as_str()), ("find_addressee", "2026-12-02"));
    bounce(&case, APPLICANT).then(&[]);
    // Another notice is another search, and so is another addressee.
    let other = mail(Uuid::from_u128(10), APPLICANT, now());
    case.when(|case| decide::record_undelivered(case, &other)).then(&["addressee_not_reached"]);
    let events = bounce(&represented(case), RAY).then(&["addressee_not_reached"]);
    assert!(matches!(&events[0], Event::AddresseeNotReached(event) if event.addressee == "representative"));
}

#[test]
fn nobody_is_looked_for_whom_it_does_not_concern_or_where_nothing_follows() {
    bounce(&served(), RAY).then(&[]);
    bounce(&submitted().and(pb::FilingRejected::default()), APPLICANT).then(&[]);
    bounce(&accepted().and(pb::AcceptanceVoided::default()), APPLICANT).then(&[]);
    bounce(&given([]), APPLICANT).refused("NOT_FOUND");
    // Who answered what the notice asked was reached.
    let answered = served().and(pb::ResponseRecorded {
        request_id: REQUEST.to_string(),
        received_at_us: now().as_microsecond(),
        timely: true,
        ..Default::default()
    });
    bounce(&answered, APPLICANT).then(&[]);
    // A denial may still be answered by a motion: its addressee is looked for.
    bounce(&in_review().and(pb::CaseDenied::default()), APPLICANT).then(&["addressee_not_reached"]);
}

#[test]
fn an_officer_says_what_was_tried_and_the_search_ends() {
    seek(&served(), &["phone"]).refused("SEARCH_NOT_OPEN");
    assert!(decide::record_sought(&Case::default(), None, ADA, &[], NOTE).is_err());
    let case = unreached(served(), APPLICANT);
    seek(&case, &[]).refused("WAY_UNKNOWN");
    seek(&case, &["phone", "pigeon"]).refused("WAY_UNKNOWN");
    let phone = ["phone".to_owned()];
    case.when(|case| decide::record_sought(case, None, ADA, &phone, "No.")).refused("WORDS_OUT_OF_BOUNDS");
    let elsewhere = Some(Uuid::from_u128(10));
    case.when(|case| decide::record_sought(case, elsewhere, ADA, &phone, NOTE)).refused("SEARCH_NOT_OPEN");
    let events = seek(&case, &decide::WAYS).then(&["addressee_sought"]);
    let case = after(case, &events);
    assert_eq!((states(&case.0), task::answer(&case.0)), (vec![SearchState::Sought], None));
    assert_eq!(case.0.searches[0].tried, decide::WAYS);
    seek(&case, &["phone"]).refused("SEARCH_NOT_OPEN");
    // It does not begin again when the same mail comes back once more.
    bounce(&case, APPLICANT).then(&[]);
}

#[test]
fn who_acts_for_the_party_is_asked_where_they_are() {
    let case = represented(unreached(served(), APPLICANT));
    seek(&case, &["phone", "letter"]).refused("REPRESENTATIVE_NOT_ASKED");
    seek(&case, &["phone", "representative"]).then(&["addressee_sought"]);
    // Whom the mail did not reach is not asked about themselves.
    seek(&unreached(represented(served()), RAY), &["phone"]).then(&["addressee_sought"]);
}

#[test]
fn a_search_ends_by_itself_when_its_addressee_turns_up() {
    let case = || unreached(unreached(represented(served()), RAY), APPLICANT);
    let reached = |case: &Given, account, how: &str| {
        case.when(|case| decide::record_reached(case, NOTICE, account, how))
    };
    // The party is there, so nobody need look for who acts for it; the other way round it is.
    reached(&case(), APPLICANT, "opened").then(&["addressee_search_ended", "addressee_search_ended"]);
    reached(&case(), APPLICANT, "mailed").then(&["addressee_search_ended"]);
    let events = reached(&case(), RAY, "opened").then(&["addressee_search_ended"]);
    let left = after(case(), &events).0;
    assert_eq!(states(&left), [SearchState::Ended, SearchState::Open]);
    let other = Uuid::from_u128(10);
    case().when(|case| decide::record_reached(case, other, APPLICANT, "opened")).then(&[]);
    reached(&served(), APPLICANT, "opened").then(&[]);
    // Who answers was reached.
    let answer = Response {
        request_id: REQUEST,
        received_at: now(),
        complete: true,
        evidence: Vec::new(),
        being_checked: Vec::new(),
    };
    case().when(|case| decide::record_response(case, &answer)).then(&[
        "response_recorded",
        "addressee_search_ended",
        "addressee_search_ended",
    ]);
}

#[test]
fn a_case_is_not_denied_as_abandoned_before_its_party_was_looked_for() {
    let case = expired(unreached(served(), APPLICANT));
    deny(&case, "abandoned").refused("ADDRESSEE_NOT_SOUGHT");
    // On the merits it is, and what stands open ends with it.
    deny(&case, "moral_character").then(&["decision_reviewed", "denied", "addressee_search_ended"]);
    let events = seek(&case, &["account", "phone"]).then(&["addressee_sought"]);
    deny(&after(case, &events), "abandoned").then(&["decision_reviewed", "denied"]);
}

#[test]
fn nor_for_an_appointment_of_which_the_mail_did_not_reach_its_party() {
    for (kind, missed) in [
        ("biometrics_appointment", Event::from(pb::BiometricsMissed::default())),
        ("interview_appointment", pb::InterviewMissed::default().into()),
        ("appointment_moved", pb::BiometricsMissed::default().into()),
    ] {
        let called = Undelivered { notice_kind: kind.into(), ..mail(Uuid::from_u128(10), APPLICANT, now()) };
        let case = served();
        let events =
            case.when(|case| decide::record_undelivered(case, &called)).then(&["addressee_not_reached"]);
        let attended = expired(after(case, &events));
        deny(&attended, "abandoned").then(&["decision_reviewed", "denied", "addressee_search_ended"]);
        let absent = after(attended, &[missed]);
        deny(&absent, "abandoned").refused("ADDRESSEE_NOT_SOUGHT");
        let sought = seek(&absent, &["account", "phone"]).then(&["addressee_sought"]);
        deny(&after(absent, &sought), "abandoned").then(&["decision_reviewed", "denied"]);
    }
}

#[test]
fn the_mail_about_another_notice_holds_nothing_back() {
    let other = mail(Uuid::from_u128(10), APPLICANT, now());
    let case = served();
    let events = case.when(|case| decide::record_undelivered(case, &other)).then(&["addressee_not_reached"]);
    let case = expired(after(case, &events));
    deny(&case, "abandoned").then(&["decision_reviewed", "denied", "addressee_search_ended"]);
}

#[test]
fn a_search_ends_with_its_case_and_the_party_reads_why() {
    let case = unreached(submitted(), APPLICANT);
    let codes = ["X-SIGN".to_owned()];
    case.when(|case| decide::reject(case, &codes)).then(&["addressee_search_ended", "filing_rejected"]);
    let case = unreached(in_review(), APPLICANT);
    let events = case.when(decide::withdraw).then(&["withdrawn", "addressee_search_ended"]);
    let over = after(case, &events).0;
    assert!(over.open_searches().next().is_none());
    let line = timeline::line(&over, &events[1]);
    assert_eq!((line.text.as_str(), line.office_only), ("timeline-addressee-search-ended-case", false));
    // A row from before searches were kept has none.
    let mut stored = serde_json::to_value(&served().0).unwrap();
    stored.as_object_mut().unwrap().remove("searches");
    assert_eq!(serde_json::from_value::<Case>(stored).unwrap().searches, Vec::<Search>::new());
}
