//! A party who moved: which cases go by the new address, and what does not change.

use docket_proto::case_status::events::v1 as pb;
use docket_proto::identity::events::v1::AddressChanged;
use uuid::Uuid;

use crate::domain::decide;
use crate::domain::samples::*;
use crate::domain::{Case, Event, Stage, evolve, title};

const CHANGE: Uuid = Uuid::from_u128(0xADD);
const CASE: Uuid = Uuid::from_u128(0xCA5E);

fn changed(receipts: &[&str]) -> AddressChanged {
    AddressChanged {
        zone: "America/Los_Angeles".into(),
        receipt_numbers: receipts.iter().map(|number| (*number).to_owned()).collect(),
        ..AddressChanged::default()
    }
}

fn moved(case: &Given, receipts: &[&str]) -> Then {
    case.when(|case| decide::change_address(case, (CASE, CHANGE), &changed(receipts), now()))
}

#[test]
fn a_due_date_that_was_served_stays_and_the_next_one_goes_by_the_new_zone() {
    let case = served();
    let before = case.0.request.clone().unwrap();
    let events = moved(&case, &[]).then(&["address_changed"]);
    let case = Given(events.iter().fold(case.0, evolve));
    assert_eq!(case.0.request.as_ref(), Some(&before), "what was served stays as it is");
    assert_eq!((case.0.zone.as_str(), case.0.address_from), ("America/Los_Angeles", Some(CHANGE)));
    let kind = crate::domain::RequestKind::Rfe;
    let day0 = "2026-11-24".parse().unwrap();
    let next = decide::plan_deadline(&case.0, kind, day0, None, false).unwrap();
    assert_eq!(next.zone, "America/Los_Angeles");
}

#[test]
fn only_open_cases_that_it_is_for_go_by_the_new_address() {
    moved(&submitted(), &[]).then(&["address_changed"]);
    moved(&accepted(), &[RECEIPT]).then(&["address_changed"]);
    moved(&accepted(), &["DKT1234567905"]).then(&[]);
    moved(&accepted().and(pb::CaseWithdrawn {}), &[]).then(&[]);
    moved(&submitted().and(pb::FilingRejected { codes: vec![], refund: false, kept: None }), &[]).then(&[]);
    let approved =
        in_review().and(pb::CaseApproved { officer: BO.to_string(), effective_date: "2026-11-24".into() });
    moved(&approved, &[]).then(&["address_changed"]);
    moved(&Given(Case::default()), &[]).then(&[]);
}

#[test]
fn where_somebody_else_moved_only_their_cases_go_by_it() {
    let anothers = |receipts: &[&str], cases: &[Uuid]| AddressChanged {
        for_another: true,
        case_ids: cases.iter().map(ToString::to_string).collect(),
        ..changed(receipts)
    };
    let moved = |case: &Given, changed: &AddressChanged| {
        case.when(|case| decide::change_address(case, (CASE, CHANGE), changed, now()))
    };
    moved(&accepted(), &anothers(&[], &[])).then(&[]);
    moved(&accepted(), &anothers(&["DKT1234567905"], &[CHANGE])).then(&[]);
    moved(&accepted(), &anothers(&[RECEIPT], &[])).then(&["address_changed"]);
    moved(&submitted(), &anothers(&[], &[CASE])).then(&["address_changed"]);
    moved(&submitted(), &anothers(&[""], &[])).then(&[]);
}

#[test]
fn of_a_childs_case_the_childs_address_is_confirmed() {
    let opened = pb::CaseOpened { signed_as: "parent".into(), ..opened() };
    let childs = given([opened.into()]);
    let confirmed = |case: &Given, noted: Option<Uuid>| {
        let events =
            case.when(|case| decide::confirm_address(case, noted, now())).then(&["address_confirmed"]);
        let Event::AddressConfirmed(confirmed) = &events[0] else { panic!("{events:?}") };
        confirmed.address_id.clone()
    };
    let on_record = Uuid::from_u128(0xACC);
    assert_eq!(confirmed(&childs, Some(on_record)), on_record.to_string(), "as its form gave it");
    let at = |case: Given| {
        let change = pb::CaseAddressChanged { change_id: CHANGE.to_string(), ..Default::default() };
        case.and(change)
    };
    assert_eq!(confirmed(&at(childs), Some(on_record)), CHANGE.to_string(), "where it moved to since");
    assert_eq!(confirmed(&at(submitted()), Some(on_record)), on_record.to_string(), "her own: the account's");
}

#[test]
fn the_report_is_done_once_it_is_carried_out() {
    let record = |case: &Given| case.when(|case| decide::record_move(case, CHANGE, &[RECEIPT.to_owned()]));
    let report =
        given([pb::CaseOpened { form: "AR-11".into(), family: "address_change".into(), ..opened() }.into()])
            .and(pb::FilingAccepted { receipt_number: "DKT1234567905".into(), office: "NBC".into() });
    let events: Vec<Event> = record(&report).then(&["move_recorded"]);
    let done = Given(events.iter().fold(report.0, evolve));
    assert_eq!((done.0.stage, title::title(&done.0).id.as_str()), (Stage::Closed, "36"));
    record(&done).then(&[]);
    assert!(decide::record_move(&Case::default(), CHANGE, &[]).is_err());
}

#[test]
fn a_person_looks_before_an_address_of_somebody_protected_changes() {
    let report = given([pb::CaseOpened { protected: true, ..opened() }.into()]);
    assert_eq!(decide::intake_reasons(&report.0), ["protected_1367"]);
}

#[test]
fn a_case_that_may_be_reopened_goes_by_the_new_address_and_so_do_its_days() {
    let ended = |event: Event| in_review().and(event);
    let closed = |reopen_until_date: &str| -> Event {
        let reopen_until_date = reopen_until_date.to_owned();
        pb::CaseAdministrativelyClosed { reopen_until_date, ..Default::default() }.into()
    };
    for end in [
        pb::CaseDenied::default().into(),
        pb::CaseDenied { abandoned: true, ..Default::default() }.into(),
        pb::ApprovalRevoked::default().into(),
        pb::ApprovalRevokedByLaw::default().into(),
        pb::StatusTerminated::default().into(),
        pb::CaseClosedAsMoot::default().into(),
        closed("2027-11-24"),
    ] {
        let case = ended(end);
        moved(&case, &[RECEIPT]).then(&["address_changed"]);
        moved(&case, &["DKT1234567905"]).then(&[]);
    }
    // What nobody reopens is over.
    moved(&ended(closed("")), &[]).then(&[]);
    moved(&ended(pb::CaseReferred::default().into()), &[]).then(&[]);

    let denied = ended(pb::CaseDenied::default().into());
    let events = moved(&denied, &[]).then(&["address_changed"]);
    let again = events.into_iter().fold(denied, Given::and).and(pb::CaseReopened::default());
    let (kind, day0) = (crate::domain::RequestKind::Rfe, "2026-11-24".parse().unwrap());
    let asked = decide::plan_deadline(&again.0, kind, day0, None, false).unwrap();
    assert_eq!(asked.zone, "America/Los_Angeles");
}
