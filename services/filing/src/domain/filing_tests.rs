//! The rules of a filing, one test each: given these events, when this is asked, then that.

use std::collections::{BTreeMap, BTreeSet};

use docket_kernel::{Refusal, RefusalCode};
use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as pb;
use uuid::Uuid;

use super::at_hand::LastDay;
use super::attached::{Attached, NewFile, Verdict};
use super::filing::*;
use super::package;

const PACKAGE: Uuid = Uuid::from_u128(2);
const ACCOUNT: Uuid = Uuid::from_u128(3);
const FILE: Uuid = Uuid::from_u128(4);
const ATTORNEY: Uuid = Uuid::from_u128(6);
/// Where the filer lives when the filing is sent.
const ZONE: &str = "Pacific/Honolulu";

struct Given(Filing);

fn given(events: impl IntoIterator<Item = Event>) -> Given {
    Given(events.into_iter().fold(Filing::default(), |filing, event| evolve(filing, &event)))
}

impl Given {
    fn when<T>(&self, decide: impl FnOnce(&Filing) -> T) -> T {
        decide(&self.0)
    }
    fn then(&self, expected: impl FnOnce(&Filing) -> bool) {
        assert!(expected(&self.0), "{:?}", self.0);
    }
}

fn refused(outcome: Result<Vec<Event>, Refusal>, reason: &str) {
    let refusal = outcome.expect_err("it should be refused");
    assert_eq!(refusal.reason, reason, "{refusal}");
    assert!(!refusal.message.is_empty());
    if refusal.code == RefusalCode::State {
        // Reactions are refused to a machine; a person is told what to do instead.
        let reaction = ["NOT_SENT", "NOT_SUBMITTED", "OTHER_PACKAGE"].contains(&reason);
        assert!(reaction || !refusal.way_out.is_empty(), "{reason}");
    }
}

fn started() -> Event {
    start(&Filing::default(), a_start()).unwrap().remove(0)
}

fn a_start() -> Start {
    Start {
        form: "N-400".into(),
        edition: "2025-01-20".into(),
        package: PACKAGE,
        account: ACCOUNT,
        zone: "America/Chicago".into(),
        continues: None,
        representation: None,
    }
}

fn answered() -> Event {
    pb::DraftAnswered { questions: vec!["basis".into()], answers_json: String::new() }.into()
}

fn fee_shown() -> Event {
    pb::FeeShown { quote_id: Uuid::from_u128(9).to_string(), total_cents: 71_000, content_mac: vec![7; 32] }
        .into()
}

fn signed() -> Event {
    pb::FilingSigned { content_mac: vec![8; 32], signed_at_us: 1_000, ..Default::default() }.into()
}

fn sent() -> Event {
    pb::FilingSent { package_id: PACKAGE.to_string(), zone: ZONE.into() }.into()
}

fn submitted() -> Event {
    pb::FilingSubmitted { submitted_at_us: 2_000, ..Default::default() }.into()
}

fn a_receipt() -> Event {
    pb::AcceptanceRecorded { receipt_number: "DKT1234567897".into(), ..Default::default() }.into()
}

fn rejected() -> Event {
    pb::RejectionRecorded { codes: vec!["X-SIGN".into()], ..Default::default() }.into()
}

fn checked(content_version: u64) -> Checked {
    Checked {
        content_version,
        not_ready: None,
        content_mac: vec![8; 32],
        content_macs_before: Vec::new(),
        answers_mac: vec![7; 32],
        helpers: BTreeSet::new(),
        last_day: None,
        parts: BTreeMap::new(),
    }
}

fn a_signature() -> Sign {
    Sign {
        signer: ACCOUNT,
        role: "applicant".into(),
        capacity: Capacity::OneSelf,
        filer: Filer { age: Some(40), ..Filer::default() },
        ended: None,
        shown_mac: vec![8; 32],
        name_agrees: true,
        typed_name: "Ana Lima".into(),
        proven_name: String::new(),
        name_unproven: false,
        signed_at_us: 1_000,
        catalogue_version: "1".into(),
        sheet_json: "{}".into(),
        sheet_key: String::new(),
    }
}

fn a_file() -> NewFile {
    NewFile {
        attached: Attached {
            id: FILE,
            kind: "green_card".into(),
            commitment: vec![1; 32],
            media_type: "image/png".into(),
            size: 10,
            object_key: "ab/cd".into(),
            foreign_language: false,
            being_checked: false,
            hard_to_read: Vec::new(),
        },
        file_name: "card.png".into(),
        salt: vec![5; 16],
        same_as: None,
    }
}

fn settled() -> Settled {
    Settled {
        package: PACKAGE,
        payment: Some(PACKAGE),
        authorised_at_us: 500,
        family: "naturalization".into(),
        other_name: false,
        facts: pb::DerivedFacts { age: 40, basis: "lpr_5_years".into(), ..Default::default() },
        gives_address: false,
        represented: None,
    }
}

#[test]
fn a_filing_starts_once_and_belongs_to_who_started_it() {
    given([started()]).then(|f| f.phase == Phase::Draft && f.account == ACCOUNT && f.package == PACKAGE);
    refused(given([started()]).when(|f| start(f, a_start())), "DRAFT_EXISTS");
}

#[test]
fn nothing_can_be_done_with_what_was_never_started() {
    refused(given([]).when(|f| answer(f, 0, vec!["basis".into()], "{}".into())), "NOT_FOUND");
    refused(given([]).when(|f| attach(f, a_file())), "NOT_FOUND");
    refused(given([]).when(|f| sign(f, &checked(0), a_signature())), "NOT_FOUND");
}

#[test]
fn two_who_answer_at_once_are_merged_and_the_same_question_is_told() {
    let by =
        |etag, question: &'static str| move |f: &Filing| answer(f, etag, vec![question.into()], "{}".into());
    assert_eq!(given([started()]).when(by(1, "basis")).unwrap().len(), 1);
    // Version 2 answers `basis`: who looked at version 1 does not overwrite it, but answers something else.
    let answered_once = given([started(), answered()]);
    refused(answered_once.when(by(1, "basis")), "ANSWERED_MEANWHILE");
    assert_eq!(answered_once.when(by(1, "basis")).unwrap_err().code, RefusalCode::Stale);
    assert_eq!(answered_once.when(by(1, "app_dob")).unwrap().len(), 1);
    assert_eq!(answered_once.when(by(2, "basis")).unwrap().len(), 1);
    assert_eq!(answered_once.when(by(0, "basis")).unwrap().len(), 1);
    refused(answered_once.when(by(3, "app_dob")), "STALE");
    // One question that somebody answered meanwhile, and nothing of the rest is saved either.
    let both = |f: &Filing| answer(f, 1, vec!["app_dob".into(), "basis".into()], "{}".into());
    let refusal = answered_once.when(both).unwrap_err();
    assert!(refusal.message.contains("basis") && !refusal.message.contains("app_dob"), "{refusal}");
    let nothing = given([started()]).when(|f| answer(f, 0, Vec::new(), "{}".into())).unwrap();
    assert!(nothing.is_empty());
}

#[test]
fn what_was_read_by_the_questions_of_another_edition_is_not_saved() {
    let read_in = |edition: &'static str| {
        move |f: &Filing| {
            answered_in(f, edition)?;
            answer(f, 0, vec!["basis".into()], "{}".into())
        }
    };
    assert_eq!(given([started()]).when(read_in("2025-01-20")).unwrap().len(), 1);
    let next = pb::DraftEditionChanged { edition: "2031-01-15".into(), ..Default::default() };
    let moved_on = given([started(), next.into()]);
    refused(moved_on.when(read_in("2025-01-20")), "STALE");
    assert_eq!(moved_on.when(read_in("2031-01-15")).unwrap().len(), 1);
}

#[test]
fn a_change_after_the_signature_voids_it() {
    given([started(), fee_shown(), signed()]).then(|f| f.phase == Phase::Signed);
    given([started(), fee_shown(), signed(), answered()])
        .then(|f| f.phase == Phase::Draft && f.signature.is_none() && f.content_version == 4);
    let added = given([started()]).when(|f| attach(f, a_file())).unwrap().remove(0);
    given([started(), signed(), added]).then(|f| f.phase == Phase::Draft && f.evidence.len() == 1);
}

#[test]
fn the_same_file_is_not_attached_twice_and_can_be_taken_off() {
    let twin = NewFile { same_as: Some(FILE), ..a_file() };
    let added = given([started()]).when(|f| attach(f, a_file())).unwrap().remove(0);
    refused(given([started(), added.clone()]).when(|f| attach(f, twin)), "ALREADY_ATTACHED");
    let off = given([started(), added.clone()]).when(|f| detach(f, FILE)).unwrap().remove(0);
    given([started(), added, off]).then(|f| f.evidence.is_empty());
    refused(given([started()]).when(|f| detach(f, FILE)), "NOT_FOUND");
}

/// A draft with its fee shown, and a file that came while the scanner was away.
fn with_a_file_that_waits() -> Vec<Event> {
    let mut file = a_file();
    file.attached.being_checked = true;
    let added = given([started()]).when(|f| attach(f, file)).unwrap().remove(0);
    vec![started(), added, fee_shown()]
}

#[test]
fn a_draft_is_not_signed_or_sent_while_a_file_of_it_is_being_checked() {
    let waits = given(with_a_file_that_waits());
    refused(waits.when(|f| sign(f, &checked(2), a_signature())), "FILES_BEING_CHECKED");
    let before = given(with_a_file_that_waits().into_iter().chain([signed()]));
    refused(before.when(|f| send(f, &checked(2), ZONE)), "FILES_BEING_CHECKED");

    let clean = waits.when(|f| scanned_file(f, FILE, Verdict::Clean, None));
    let ready = given(with_a_file_that_waits().into_iter().chain(clean));
    ready.then(|f| f.content_version == 2 && f.worked == 3 && !f.evidence[0].being_checked);
    assert!(ready.when(|f| sign(f, &checked(2), a_signature())).is_ok());
    assert!(ready.when(|f| scanned_file(f, FILE, Verdict::Infected, None)).is_empty(), "it is decided");
}

#[test]
fn on_its_last_day_a_form_is_signed_and_sent_with_a_file_that_waits_and_stays_sent_whatever_the_scan_says() {
    let on = jiff::civil::date(2026, 3, 2);
    let checked_on = |at_hand| Checked { last_day: Some(LastDay { on, at_hand }), ..checked(2) };
    let waits = given(with_a_file_that_waits());
    let early = waits.when(|f| sign(f, &checked_on(false), a_signature())).unwrap_err();
    assert!(early.reason == "FILES_BEING_CHECKED" && early.way_out.contains("last 24 hours"), "{early}");
    assert!(early.facts.contains(&("last_day".into(), "2026-03-02".into())), "{early:?}");
    let signed = waits.when(|f| sign(f, &checked_on(true), a_signature())).unwrap();
    let signed = || with_a_file_that_waits().into_iter().chain(signed.clone());
    refused(given(signed()).when(|f| send(f, &checked_on(false), ZONE)), "FILES_BEING_CHECKED");
    let sent = given(signed()).when(|f| send(f, &checked_on(true), ZONE)).unwrap();
    let in_hand = || signed().chain(sent.clone());
    let received = || in_hand().chain([submitted(), a_receipt()]);

    for (events, phase) in [
        (in_hand().collect::<Vec<_>>(), Phase::Sent),
        (received().collect(), Phase::Accepted),
        (in_hand().chain([submitted(), rejected()]).collect(), Phase::Rejected),
    ] {
        let before = given(events.clone());
        let clean = before.when(|f| scanned_file(f, FILE, Verdict::Clean, None));
        given(events.iter().cloned().chain(clean)).then(|f| f.phase == phase && !f.evidence[0].being_checked);
        let hostile = before.when(|f| scanned_file(f, FILE, Verdict::Infected, Some(ATTORNEY)));
        assert!(matches!(hostile.as_slice(), [Event::EvidenceScanned(_)]), "{hostile:?}");
        let after = given(events.iter().cloned().chain(hostile));
        after.then(|f| f.phase == phase && f.evidence.is_empty() && f.refused[0].id == FILE);
        after.then(|f| f.signature == before.0.signature && f.content_version == f.version);
    }
    // Signed, and not sent: it is a draft again, since it says that the file is with it.
    let hostile = given(signed()).when(|f| scanned_file(f, FILE, Verdict::Infected, None));
    given(signed().chain(hostile)).then(|f| f.phase == Phase::Draft && f.signature.is_none());
}

#[test]
fn a_file_that_turns_out_hostile_is_taken_off_and_missed_until_another_is_there() {
    let waits = given(with_a_file_that_waits());
    let scanned = waits.when(|f| scanned_file(f, FILE, Verdict::Infected, Some(ATTORNEY)));
    let [Event::EvidenceScanned(e)] = scanned.as_slice() else { panic!("{scanned:?}") };
    assert_eq!((&e.account_id, &e.representative), (&ACCOUNT.to_string(), &ATTORNEY.to_string()));
    let without = || with_a_file_that_waits().into_iter().chain(scanned.clone());
    given(without()).then(|f| f.evidence.is_empty() && f.refused[0].kind == "green_card");
    given(without()).then(|f| f.content_version == f.version && f.worked == 3);
    let another = given(without()).when(|f| attach(f, a_file())).unwrap();
    given(without().chain(another)).then(|f| f.refused.is_empty() && f.evidence.len() == 1);

    let off = waits.when(|f| detach(f, FILE)).unwrap();
    let taken_off = given(with_a_file_that_waits().into_iter().chain(off));
    assert!(taken_off.when(|f| scanned_file(f, FILE, Verdict::Infected, None)).is_empty());
    let gone = pb::DraftAbandoned { account_id: ACCOUNT.to_string() }.into();
    let gone = given(with_a_file_that_waits().into_iter().chain([gone]));
    assert!(gone.when(|f| scanned_file(f, FILE, Verdict::Clean, None)).is_empty());
}

#[test]
fn what_cannot_be_provided_is_explained_until_it_is_there_or_the_words_are_taken_back() {
    let say = |f: &Filing| explain_missing(f, "green_card", Some("it was stolen".into()));
    let said = given([started(), fee_shown(), signed()]).when(say).unwrap().remove(0);
    let explained = given([started(), fee_shown(), signed(), said.clone()]);
    explained.then(|f| f.explained.contains("green_card") && f.signature.is_none() && f.content_version == 4);
    let back = explained.when(|f| explain_missing(f, "green_card", None)).unwrap().remove(0);
    given([started(), said.clone(), back]).then(|f| f.explained.is_empty());
    assert!(given([started()]).when(|f| explain_missing(f, "green_card", None)).unwrap().is_empty());

    let file = given([started()]).when(|f| attach(f, a_file())).unwrap().remove(0);
    given([started(), said, file.clone()]).then(|f| f.explained.is_empty() && f.evidence.len() == 1);
    refused(given([started(), file]).when(say), "EVIDENCE_ATTACHED");
    refused(given([]).when(say), "NOT_FOUND");
    refused(given([started(), fee_shown(), signed(), sent()]).when(say), "ALREADY_SUBMITTED");
}

#[test]
fn a_fee_shown_again_for_the_same_answers_is_no_news() {
    let fee = Fee { quote: Uuid::from_u128(9), total_cents: 71_000, answers_mac: vec![7; 32] };
    assert!(given([started(), fee_shown()]).when(|f| show_fee(f, fee.clone())).unwrap().is_empty());
    assert_eq!(given([started()]).when(|f| show_fee(f, fee)).unwrap().len(), 1);
}

#[test]
fn what_is_signed_is_what_was_shown_with_its_fee_by_the_name_in_the_form() {
    let given = given([started(), fee_shown()]);
    assert_eq!(given.when(|f| sign(f, &checked(1), a_signature())).unwrap().len(), 1);
    let other_text = Sign { shown_mac: vec![9; 32], ..a_signature() };
    refused(given.when(|f| sign(f, &checked(1), other_text)), "CONTENT_CHANGED");
    refused(given.when(|f| sign(f, &checked(3), a_signature())), "CONTENT_CHANGED");
    let other_answers = Checked { answers_mac: vec![6; 32], ..checked(1) };
    refused(given.when(|f| sign(f, &other_answers, a_signature())), "FEE_NOT_SHOWN");
    let other_name = Sign { name_agrees: false, ..a_signature() };
    let refusal = given.when(|f| sign(f, &checked(1), other_name)).unwrap_err();
    assert_eq!((refusal.reason, refusal.field.as_deref()), ("NAME_DIFFERS", Some("typed_name")));
    assert!(!refusal.message.contains("Lima"), "the name is not repeated");
    let not_ready =
        Checked { not_ready: Some(Refusal::state("NOT_READY", "No.").way_out("Do.")), ..checked(1) };
    refused(given.when(|f| sign(f, &not_ready, a_signature())), "NOT_READY");
}

#[test]
fn what_was_signed_and_lies_beside_is_known_for_as_long_as_the_filing() {
    let large = |key: &str| Sign { sheet_json: String::new(), sheet_key: key.into(), ..a_signature() };
    let ready = given([started(), fee_shown()]);
    let first = ready.when(|f| sign(f, &checked(1), large("ab/1"))).unwrap().remove(0);
    let second = ready.when(|f| sign(f, &checked(1), large("ab/2"))).unwrap().remove(0);
    let both = given([started(), fee_shown(), first, answered(), second]);
    both.then(|f| f.signature.as_ref().unwrap().sheet_key == "ab/2" && f.sheets == ["ab/1", "ab/2"]);
    given([started(), fee_shown(), signed()]).then(|f| f.sheets.is_empty());
}

#[test]
fn only_what_is_signed_is_sent_and_only_once() {
    refused(given([started(), fee_shown()]).when(|f| send(f, &checked(1), ZONE)), "NOT_SIGNED");
    let given_signed = given([started(), fee_shown(), signed()]);
    assert_eq!(given_signed.when(|f| send(f, &checked(1), ZONE)).unwrap(), [sent()]);
    assert_eq!(given_signed.when(|f| package::ready(&[(Uuid::from_u128(1), f)])).unwrap().len(), 1);
    let changed = Checked { content_mac: vec![1; 32], ..checked(1) };
    refused(given_signed.when(|f| send(f, &changed, ZONE)), "CONTENT_CHANGED");
    let given_sent = given([started(), fee_shown(), signed(), sent()]);
    refused(given_sent.when(|f| send(f, &checked(1), ZONE)), "ALREADY_SUBMITTED");
    refused(given_sent.when(|f| answer(f, 0, vec!["basis".into()], "{}".into())), "ALREADY_SUBMITTED");
    refused(given_sent.when(|f| attach(f, a_file())), "ALREADY_SUBMITTED");
    refused(given_sent.when(|f| sign(f, &checked(1), a_signature())), "ALREADY_SUBMITTED");
}

#[test]
fn a_fee_that_changed_is_shown_again_before_it_is_sent_and_the_signature_stands() {
    let given_signed = given([started(), fee_shown(), signed()]);
    assert!(given_signed.when(|f| fee_stands(f, 71_000)).is_ok());
    refused(given_signed.when(|f| fee_stands(f, 76_000).map(|()| Vec::new())), "FEE_CHANGED");
    let free = pb::FeeShown { total_cents: 0, content_mac: vec![7; 32], ..Default::default() };
    let given_free = given([started(), free.into(), signed()]);
    refused(given_free.when(|f| fee_stands(f, 56_000).map(|()| Vec::new())), "FEE_CHANGED");
    let dearer = Fee { quote: Uuid::from_u128(10), total_cents: 76_000, answers_mac: vec![7; 32] };
    let shown = given_signed.when(|f| show_fee(f, dearer)).unwrap();
    let again = given([started(), fee_shown(), signed()].into_iter().chain(shown));
    assert!(again.when(|f| fee_stands(f, 76_000)).is_ok());
    assert_eq!(again.when(|f| send(f, &checked(1), ZONE)).unwrap(), [sent()]);
}

#[test]
fn what_was_sent_and_not_paid_is_taken_back_to_be_shown_and_signed_anew() {
    let sending = [started(), fee_shown(), signed(), sent()];
    assert!(
        given(sending.clone()).when(|f| recall(f, Uuid::from_u128(0xBAD), "")).is_empty(),
        "another package"
    );
    for elsewhere in [vec![], vec![started()], vec![started(), fee_shown(), signed()]] {
        assert!(given(elsewhere).when(|f| recall(f, PACKAGE, "")).is_empty());
    }
    let told = pb::DraftExpiryAnnounced { days: 14, ..Default::default() };
    let recalled = given(sending.clone()).when(|f| recall(f, PACKAGE, ""));
    let [Event::FilingRecalled(event)] = recalled.as_slice() else { panic!("{recalled:?}") };
    assert_eq!((&event.package_id, event.waited_until_date.as_str()), (&PACKAGE.to_string(), ""));
    let again =
        given([started(), told.into()].into_iter().chain(sending[1..].to_vec()).chain(recalled.clone()));
    again.then(|f| f.phase == Phase::Draft && f.fee.is_none() && f.signature.is_none());
    again.then(|f| f.told.is_none() && f.worked == f.version);
    assert!(again.when(|f| recall(f, PACKAGE, "")).is_empty(), "once");

    // Everything is as before the first sending, and nothing goes in by the old fee or signature.
    assert_eq!(again.when(|f| answer(f, 0, vec!["basis".into()], "{}".into())).unwrap().len(), 1);
    assert_eq!(again.when(abandon).unwrap().len(), 1);
    refused(again.when(|f| submit(f, settled())), "NOT_SENT");
    refused(again.when(|f| send(f, &checked(1), ZONE)), "NOT_SIGNED");
    refused(again.when(|f| sign(f, &checked(1), a_signature())), "FEE_NOT_SHOWN");
    let anew = given(sending.into_iter().chain(recalled).chain([fee_shown(), signed()]));
    assert_eq!(anew.when(|f| send(f, &checked(1), ZONE)).unwrap(), [sent()]);

    let gone_in = given([started(), fee_shown(), signed(), sent(), submitted()]);
    assert!(gone_in.when(|f| recall(f, PACKAGE, "")).is_empty());
}

#[test]
fn the_zone_of_the_case_is_that_of_the_filer_when_it_was_sent() {
    let zone = |sent: Event| {
        let given = given([started(), fee_shown(), signed(), sent]);
        let events = given.when(|f| submit(f, settled())).unwrap();
        let [Event::FilingSubmitted(e)] = events.as_slice() else { panic!("{events:?}") };
        e.zone.clone()
    };
    assert_eq!(zone(sent()), ZONE);
    let before_it_was_kept = pb::FilingSent { package_id: PACKAGE.to_string(), ..Default::default() };
    assert_eq!(zone(before_it_was_kept.into()), a_start().zone);
}

#[test]
fn received_is_the_later_of_signature_and_authorisation() {
    let given = given([started(), fee_shown(), signed(), sent()]);
    for (authorised, received) in [(500, 1_000), (1_000, 1_000), (7_000, 7_000)] {
        let settled = Settled { authorised_at_us: authorised, ..settled() };
        let events = given.when(|f| submit(f, settled)).unwrap();
        let [Event::FilingSubmitted(e)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(e.submitted_at_us, received);
        assert_eq!(e.content_mac, vec![8; 32]);
        assert_eq!(e.facts.as_ref().unwrap().age, 40);
    }
}

#[test]
fn a_settled_fee_submits_only_what_waits_for_it() {
    refused(given([started(), fee_shown(), signed()]).when(|f| submit(f, settled())), "NOT_SENT");
    let other = Settled { package: Uuid::from_u128(77), ..settled() };
    refused(
        given([started(), fee_shown(), signed(), sent()]).when(|f| submit(f, other.clone())),
        "OTHER_PACKAGE",
    );
    // What went in goes in no second time, however often its fee is settled.
    let gone_in = given([started(), fee_shown(), signed(), sent(), submitted()]);
    assert!(gone_in.when(|f| submit(f, settled())).unwrap().is_empty());
    refused(gone_in.when(|f| submit(f, other)), "NOT_SENT");
}

#[test]
fn acceptance_gives_the_receipt_number_and_rejection_ends_the_filing() {
    let given_in = given([started(), fee_shown(), signed(), sent(), submitted()]);
    let accepted = given_in.when(|f| accept(f, "DKT1234567897".into())).unwrap().remove(0);
    given([started(), signed(), sent(), submitted(), accepted])
        .then(|f| f.phase == Phase::Accepted && f.receipt_number == "DKT1234567897");
    refused(given([started()]).when(|f| accept(f, "DKT1".into())), "NOT_SUBMITTED");
    assert_eq!(given_in.when(|f| reject(f, vec!["X-SIGN".into()])).unwrap(), [rejected()]);
    let over = given([started(), fee_shown(), signed(), sent(), submitted(), rejected()]);
    over.then(|f| f.phase == Phase::Rejected && f.package == PACKAGE && f.submitted_at_us == 2_000);
    refused(over.when(|f| answer(f, 0, vec!["basis".into()], "{}".into())), "FILING_REJECTED");
    refused(over.when(|f| attach(f, a_file())), "FILING_REJECTED");
    refused(over.when(|f| send(f, &checked(1), ZONE)), "FILING_REJECTED");
}

#[test]
fn a_rejected_filing_is_begun_again_once_with_its_answers_and_files() {
    let next = Uuid::from_u128(22);
    let over = [started(), fee_shown(), signed(), sent(), submitted(), rejected()];
    let continued = given(over.clone()).when(|f| begin_again(f, next, false)).unwrap();
    let after = given(over.clone().into_iter().chain(continued.clone()));
    let third = Uuid::from_u128(23);
    refused(after.when(|f| begin_again(f, third, false)), "BEGUN_AGAIN");
    // What it was begun again as is gone: nothing stands in the way of a third.
    let once_more = after.when(|f| begin_again(f, third, true)).unwrap();
    given(over.into_iter().chain(continued).chain(once_more)).then(|f| f.continued_as == Some(third));
    let refusal = after.when(|f| answer(f, 0, vec!["basis".into()], "{}".into())).unwrap_err();
    assert!(refusal.facts.iter().any(|fact| fact.1.contains(&next.to_string())), "{refusal:?}");
    refused(given([]).when(|f| begin_again(f, next, false)), "NOT_FOUND");
    refused(given([started()]).when(|f| begin_again(f, next, true)), "NOT_REJECTED");
    refused(
        given([started(), signed(), sent(), submitted()]).when(|f| begin_again(f, next, false)),
        "NOT_REJECTED",
    );

    let start = Start { continues: Some(Uuid::from_u128(1)), ..a_start() };
    let answers = (vec!["basis".to_owned()], "{}".to_owned());
    let words = |kind: &str| (kind.to_owned(), "burned".to_owned());
    let taken = TakenOver {
        answers,
        waiver: Some((vec!["basis".to_owned()], "{}".to_owned())),
        carried: None,
        files: vec![a_file()],
        // A file that came after the words ended them.
        explained: vec![words("birth_certificate"), words("green_card")],
    };
    let new = given(take_over(&Filing::default(), start.clone(), taken.clone()).unwrap());
    new.then(|f| f.explained.iter().eq(["birth_certificate"]));
    new.then(|f| f.phase == Phase::Draft && f.evidence.len() == 1 && f.fee.is_none());
    new.then(|f| f.continues == Some(Uuid::from_u128(1)) && f.signature.is_none() && f.fee_waiver);
    let unasked = TakenOver { waiver: None, ..taken };
    given(take_over(&Filing::default(), start, unasked).unwrap()).then(|f| !f.fee_waiver);
    refused(given([started()]).when(|f| take_over(f, a_start(), TakenOver::default())), "DRAFT_EXISTS");
}

#[test]
fn a_rejection_says_whether_the_waiver_was_refused() {
    let asked = pb::FeeWaiverRequested { questions: vec!["basis".into()], ..Default::default() };
    let over = |code: &str| {
        let rejected = pb::RejectionRecorded { codes: vec![code.into()], ..Default::default() };
        given([started(), asked.clone().into(), signed(), sent(), submitted(), rejected.into()])
    };
    over("I912-DENIED").then(|f| f.fee_waiver && f.waiver_refused);
    over("X-SIGN").then(|f| f.fee_waiver && !f.waiver_refused);
}

#[test]
fn a_waiver_of_the_fee_is_asked_for_before_the_signature_and_intake_hears_of_it() {
    let asks = |f: &Filing| ask_fee_waiver(f, asked(f.version, 0, &["basis"]));
    let request = given([started()]).when(asks).unwrap().remove(0);
    given([started(), fee_shown(), signed(), request.clone()])
        .then(|f| f.fee_waiver && f.signature.is_none() && f.phase == Phase::Draft);
    let dropped = given([started(), request.clone()]).when(|f| drop_fee_waiver(f, 0)).unwrap().remove(0);
    given([started(), request.clone(), dropped]).then(|f| !f.fee_waiver);
    assert!(given([started()]).when(|f| drop_fee_waiver(f, 0)).unwrap().is_empty());
    let sent = given([started(), request, fee_shown(), signed(), sent()]);
    refused(sent.when(|f| drop_fee_waiver(f, 0)), "ALREADY_SUBMITTED");
    refused(sent.when(asks), "ALREADY_SUBMITTED");
    let events = sent.when(|f| submit(f, settled())).unwrap();
    let [Event::FilingSubmitted(e)] = events.as_slice() else { panic!("{events:?}") };
    assert!(e.facts.as_ref().unwrap().fee_waiver);
}

/// A request made from a version, by who saw one, that changes these questions.
fn asked(merged_at: u64, etag: u64, changed: &[&str]) -> WaiverAsked {
    let changed: Vec<String> = changed.iter().map(|question| (*question).to_owned()).collect();
    WaiverAsked { merged_at, etag, answers: (changed.clone(), "{}".to_owned()), changed }
}

#[test]
fn two_who_ask_for_a_waiver_at_once_are_merged_and_the_same_question_is_told() {
    let asks =
        |at, etag, changed: &'static [&str]| move |f: &Filing| ask_fee_waiver(f, asked(at, etag, changed));
    // Version 2 says why, version 3 how much.
    let first = given([started()]).when(asks(1, 1, &["hardship"])).unwrap().remove(0);
    let second = given([started(), first.clone()]).when(asks(2, 1, &["income"])).unwrap().remove(0);
    let both = given([started(), first.clone(), second]);
    refused(both.when(asks(3, 1, &["hardship", "benefit_name"])), "ANSWERED_MEANWHILE");
    refused(both.when(asks(3, 2, &["income"])), "ANSWERED_MEANWHILE");
    assert_eq!(both.when(asks(3, 2, &["hardship"])).unwrap().len(), 1);
    assert_eq!(both.when(asks(3, 0, &["income"])).unwrap().len(), 1);
    refused(both.when(asks(3, 4, &["income"])), "STALE");
    // Merged into what is no longer there: to be merged again.
    refused(both.when(asks(2, 2, &["benefit_name"])), "STALE");
    assert!(both.when(asks(3, 3, &[])).unwrap().is_empty(), "no news");

    // Nobody takes back unseen what another has just answered, nor goes on with what was taken back.
    refused(both.when(|f| drop_fee_waiver(f, 2)), "ANSWERED_MEANWHILE");
    let dropped = both.when(|f| drop_fee_waiver(f, 3)).unwrap().remove(0);
    let over = given([started(), first, dropped]);
    refused(over.when(asks(3, 2, &["benefit_name"])), "ANSWERED_MEANWHILE");
    assert_eq!(over.when(asks(3, 3, &["benefit_name"])).unwrap().len(), 1);
    let before: Event =
        pb::FeeWaiverRequested { questions: vec!["basis".into()], ..Default::default() }.into();
    refused(given([started(), before]).when(asks(2, 1, &["basis"])), "ANSWERED_MEANWHILE");
}

#[test]
fn who_signs_for_another_says_so_and_shows_why() {
    let signing = |given: &Given, capacity, age| {
        let filer = Filer { age: Some(age), parent_signs: age < 14, ..Filer::default() };
        given.when(|f| sign(f, &checked(f.content_version), Sign { capacity, filer, ..a_signature() }))
    };
    let bare = given([started(), fee_shown()]);
    let paper =
        NewFile { attached: Attached { kind: AUTHORITY_TO_SIGN.into(), ..a_file().attached }, ..a_file() };
    let shown = given([started(), attach(&bare.0, paper).unwrap().remove(0), fee_shown()]);
    assert_eq!(signing(&bare, Capacity::OneSelf, 40).unwrap().len(), 1);
    assert_eq!(signing(&bare, Capacity::Parent, 13).unwrap().len(), 1);
    refused(signing(&bare, Capacity::Parent, 14), "SIGNS_SELF_FROM_14");
    for capacity in [Capacity::Guardian, Capacity::AttorneyInFact] {
        refused(signing(&bare, capacity, 70), "AUTHORITY_MISSING");
        let events = signing(&shown, capacity, 70).unwrap();
        let [Event::FilingSigned(e)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(e.capacity, capacity.as_str());
        let in_own_name = Sign { capacity, name_agrees: false, ..a_signature() };
        let refusal = shown.when(|f| sign(f, &checked(f.content_version), in_own_name)).unwrap_err();
        assert!(refusal.reason == "NAME_DIFFERS" && refusal.message.contains("own"), "{refusal}");
        // What intake hears of it.
        let sent = given([started(), events[0].clone(), sent()]).when(|f| submit(f, settled())).unwrap();
        let [Event::FilingSubmitted(e)] = sent.as_slice() else { panic!("{sent:?}") };
        assert_eq!(e.facts.as_ref().unwrap().signed_as, capacity.as_str());
    }
    for capacity in Capacity::ALL {
        assert_eq!(Capacity::read(capacity.as_str()).unwrap(), capacity);
    }
    assert_eq!(Capacity::read("").unwrap(), Capacity::OneSelf);
    assert_eq!(Capacity::read("friend").unwrap_err().reason, "CAPACITY_UNKNOWN");
}

#[test]
fn intake_hears_where_the_name_of_the_signer_is_not_proven() {
    let ready = given([started(), fee_shown()]);
    for (capacity, name_unproven, other_name, said) in [
        (Capacity::OneSelf, false, false, "self"),
        (Capacity::OneSelf, false, true, "self_other_name"),
        (Capacity::OneSelf, true, false, "self_other_name"),
        // An officer looks at these in any case.
        (Capacity::Parent, true, false, "parent"),
    ] {
        let parent_signs = capacity == Capacity::Parent;
        let filer = Filer { age: Some(if parent_signs { 9 } else { 40 }), parent_signs, ..Filer::default() };
        let signs = Sign { capacity, filer, name_unproven, ..a_signature() };
        let own = ready.when(|f| sign(f, &checked(1), signs)).unwrap();
        let settled = Settled { other_name, ..settled() };
        let sent = given([started(), own[0].clone(), sent()]).when(|f| submit(f, settled)).unwrap();
        let [Event::FilingSubmitted(e)] = sent.as_slice() else { panic!("{sent:?}") };
        assert_eq!(e.facts.as_ref().unwrap().signed_as, said);
    }
}

#[test]
fn what_a_representative_prepared_is_signed_only_as_the_client_approved_it() {
    let prepared = Start { representation: Some(Uuid::from_u128(5)), ..a_start() };
    let started = start(&Filing::default(), prepared).unwrap().remove(0);
    let drafted = given([started.clone(), answered(), fee_shown()]);
    let now = checked(2);
    refused(drafted.when(|f| approve(f, &now, &[8; 32], (Some(ATTORNEY), "1"))), "REVIEW_NOT_ASKED");
    refused(drafted.when(|f| sign(f, &now, a_signature())), "NOT_APPROVED");
    // Once that appearance has ended, and no other took its place, who files signs alone.
    let alone = |under| Sign { ended: Some(Uuid::from_u128(under)), ..a_signature() };
    assert!(drafted.when(|f| sign(f, &now, alone(5))).is_ok());
    refused(drafted.when(|f| sign(f, &now, alone(6))), "NOT_APPROVED");
    let asked = drafted.when(|f| ask_review(f, &now)).unwrap().remove(0);
    let back = given([started.clone(), answered(), fee_shown(), asked.clone()])
        .when(|f| give_back(f, "the date is wrong".into(), Some(ATTORNEY)))
        .unwrap()
        .remove(0);
    // What was given back stays so until the representative asks again.
    let corrected = given([started.clone(), answered(), fee_shown(), asked.clone(), back, answered()]);
    corrected.then(|f| f.review == Review::Returned);
    refused(corrected.when(|f| approve(f, &now, &[8; 32], (Some(ATTORNEY), "1"))), "REVIEW_NOT_ASKED");
    let again = given([started.clone(), answered(), fee_shown(), asked.clone()]);
    refused(again.when(|f| approve(f, &now, &[9; 32], (Some(ATTORNEY), "1"))), "CONTENT_CHANGED");
    let approved = again.when(|f| approve(f, &now, &[8; 32], (Some(ATTORNEY), "1"))).unwrap().remove(0);
    let ready = given([started.clone(), answered(), fee_shown(), asked.clone(), approved.clone()]);
    assert!(ready.when(|f| sign(f, &now, a_signature())).is_ok());
    // A change after the approval voids it, and says so to both.
    let change = |f: &Filing| answer(f, 0, vec!["basis".into()], "{}".into());
    let events = ready.when(change).unwrap();
    let [change_itself, Event::ApprovalVoided(e)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((&e.account_id, &e.representative), (&ACCOUNT.to_string(), &ATTORNEY.to_string()));
    given([started.clone(), answered(), fee_shown(), asked.clone(), approved.clone(), change_itself.clone()])
        .then(|f| f.review == Review::None);
    let over = given([started, answered(), fee_shown(), asked, approved].into_iter().chain(events));
    over.then(|f| f.review == Review::None);
    assert_eq!(over.when(change).unwrap().len(), 1, "said once");
    refused(given([self::started()]).when(|f| ask_review(f, &now)), "NOT_REPRESENTED");
}

#[test]
fn evidence_is_added_unasked_while_nothing_is_asked_for_and_nothing_is_decided() {
    let accepted = [started(), signed(), sent(), submitted(), a_receipt()];
    let given_accepted = given(accepted.clone());
    let add = |given: &Given, standing| given.when(|f| add_unsolicited(f, standing, a_file(), 3_000));
    for (standing, reason) in [
        (Standing::RequestWaits, "REQUEST_OPEN"),
        (Standing::RequestOpen(FILE), "REQUEST_OPEN"),
        (Standing::Decided, "CASE_DECIDED"),
    ] {
        refused(add(&given_accepted, standing), reason);
    }
    let named = add(&given_accepted, Standing::RequestOpen(FILE)).unwrap_err();
    assert!(named.facts.iter().any(|(_, fact)| *fact == format!("responses/{FILE}")), "{named:?}");
    let events = add(&given_accepted, Standing::Pending).unwrap();
    let after = given(accepted.into_iter().chain(events));
    after.then(|f| f.unsolicited.len() == 1 && f.evidence.is_empty());
    after.then(|f| {
        f.signature == given_accepted.0.signature && f.content_version == given_accepted.0.content_version
    });
    let twin = NewFile { same_as: Some(FILE), ..a_file() };
    refused(after.when(|f| add_unsolicited(f, Standing::Pending, twin, 3_000)), "ALREADY_ATTACHED");
    refused(
        given([started(), signed(), sent()]).when(|f| add_unsolicited(f, Standing::Pending, a_file(), 1)),
        "ALREADY_SUBMITTED",
    );
    let mut full = after;
    full.0.unsolicited = vec![full.0.unsolicited[0].clone(); MOST_FILES];
    assert_eq!(add(&full, Standing::Pending).unwrap_err().reason, "TOO_MANY_FILES");
}
