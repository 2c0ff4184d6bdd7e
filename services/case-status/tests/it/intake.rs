//! Intake: a machine accepts, an officer looks where a machine may not, repetition changes nothing.

use docket_proto::case_status::v1 as pb;
use tonic::Code;
use uuid::Uuid;

use crate::people::{command, id, reason};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn receipt_numbers_are_ours_and_differ() {
    let world = World::start().await;
    let ana = world.person(&[]).await;
    let mut numbers = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let name = format!("cases/{}", world.submit(&ana, 40).await);
        let case = world.until(|| ana.case(&name, 0), |case| !case.receipt_number.is_empty()).await;
        assert!(docket_kernel::ReceiptNumber::parse(&case.receipt_number).unwrap().is_ours());
        numbers.insert(case.receipt_number);
    }
    assert_eq!(numbers.len(), 3);
    assert_eq!(ana.listed().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minors_filing_waits_for_intake_and_a_rejected_one_gets_no_number() {
    let world = World::start().await;
    let (ana, iva) = (world.person(&[]).await, world.person(&[("intake_officer", "NBC")]).await);
    let filing = world.submit(&ana, 17).await;
    let name = format!("cases/{filing}");
    let case = world.until(|| ana.case(&name, 0), |_| true).await;
    assert_eq!((case.title_id.as_str(), case.receipt_number.as_str()), ("34", ""));
    assert_eq!(iva.queue("unassigned").await.unwrap(), (vec!["intake".to_owned()], 1));
    let codes = vec!["X-AGE".to_owned()];
    let done = command!(iva, reject_filing, RejectFilingRequest { name: name.clone(), codes: codes.clone() })
        .unwrap();
    assert_eq!(done.case.unwrap().events, ["case.filing_rejected.v1"]);
    // It is intake's no longer.
    let again =
        command!(iva, reject_filing, RejectFilingRequest { name: name.clone(), codes: codes }).unwrap_err();
    assert_eq!(again.code(), Code::NotFound);
    world.refund(filing, 71_000).await;
    let lines = world.until(|| ana.lines(&name, 0), |lines| lines.len() == 3).await;
    assert_eq!(lines, ["opened", "filing_rejected", "refund_recorded"]);
    let case = ana.case(&name, 3).await.unwrap();
    assert_eq!((case.title_id.as_str(), case.receipt_number.as_str()), ("33", ""));

    let other = format!("cases/{}", world.submit(&ana, 17).await);
    world.until(|| ana.case(&other, 0), |_| true).await;
    let done = command!(iva, accept_filing, AcceptFilingRequest { name: other.clone() }).unwrap();
    assert!(done.receipt_number.starts_with("DKT"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_command_gives_the_first_answer_and_another_one_under_its_id_is_refused() {
    let world = World::start().await;
    let (ana, sam) = (world.person(&[]).await, world.person(&[("supervisor", "NBC")]).await);
    let name = format!("cases/{}", world.submit(&ana, 40).await);
    world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    let assign = |request_id: &str, officer: String| {
        let message = docket_proto::case_status::v1::AssignCaseRequest {
            request_id: request_id.to_owned(),
            name: name.clone(),
            officer,
        };
        let request = sam.ask(message);
        let mut cases = sam.cases.clone();
        async move { cases.assign_case(request).await.map(|answer| answer.into_inner().case.unwrap()) }
    };
    let first = id();
    let done = assign(&first, String::new()).await.unwrap();
    assert_eq!((done.version, done.events.len()), (4, 1));
    command!(sam, schedule_appointment, ScheduleAppointmentRequest { name: name.clone(), kind: 1 }).unwrap();
    assert_eq!(assign(&first, String::new()).await.unwrap(), done);
    let bo = world.person(&[("adjudicator", "NBC")]).await;
    let other = assign(&first, format!("accounts/{}", bo.account)).await.unwrap_err();
    assert_eq!((other.code(), reason(&other).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
    let malformed = assign("one", String::new()).await.unwrap_err();
    assert_eq!(malformed.code(), Code::InvalidArgument);
    let nobody = assign(&id(), format!("accounts/{}", Uuid::new_v4())).await.unwrap_err();
    assert_eq!(reason(&nobody), "NOT_AN_OFFICER");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_party_withdraws_with_a_second_factor_and_it_is_final() {
    let world = World::start().await;
    let (ana, sam) = (world.person(&[]).await, world.person(&[("supervisor", "NBC")]).await);
    let name = format!("cases/{}", world.submit(&ana, 40).await);
    world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    let weak = command!(ana, withdraw_case, WithdrawCaseRequest { name: name.clone() }).unwrap_err();
    assert_eq!(reason(&weak), "STEP_UP_REQUIRED");
    let ana_up = world.stepped_up(&ana);
    let done = command!(ana_up, withdraw_case, WithdrawCaseRequest { name: name.clone() }).unwrap();
    let case = ana.case(&name, done.case.unwrap().version).await.unwrap();
    assert_eq!((case.title_id.as_str(), case.next_step.as_str()), ("3", ""));
    let late = command!(sam, assign_case, AssignCaseRequest { name: name.clone() }).unwrap_err();
    assert_eq!((late.code(), reason(&late).as_str()), (Code::FailedPrecondition, "ALREADY_DECIDED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_returned_package_each_case_owes_its_own_part() {
    let world = World::start().await;
    let (ana, ben) = (world.person(&[]).await, world.person(&[]).await);
    let (first, second) = (world.submit(&ana, 40).await, world.submit(&ben, 40).await);
    let cases = [(&ana, format!("cases/{first}"), 71_000), (&ben, format!("cases/{second}"), 12_000)];
    for (party, name, _) in &cases {
        world.until(|| party.case(name, 0), |case| !case.receipt_number.is_empty()).await;
    }
    world.return_payment(&[(first, 71_000), (second, 12_000)]).await;
    for (party, name, cents) in &cases {
        let case = world.until(|| party.case(name, 0), |case| case.fee_owed.is_some()).await;
        assert_eq!(case.fee_owed.unwrap().cents, *cents);
    }
    // One is not owed any more and was not paid again; the other is made good.
    world.make_good(&[(second, 12_000)]).await;
    world.until(|| ben.case(&cases[1].1, 0), |case| case.fee_owed.is_none()).await;
    assert_eq!(ana.case(&cases[0].1, 0).await.unwrap().fee_owed.unwrap().cents, 71_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_added_unasked_is_on_the_timeline_and_new_to_the_officer_until_the_next_act() {
    let world = World::start().await;
    let (ana, sam) = (world.person(&[]).await, world.person(&[("supervisor", "NBC")]).await);
    let filing = world.submit(&ana, 40).await;
    let name = format!("cases/{filing}");
    world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    world.add_evidence(filing).await;
    let lines = world.until(|| ana.lines(&name, 0), |lines| lines.len() == 4).await;
    assert_eq!(lines[3], "unsolicited_evidence_recorded");
    let seen = world.until(|| sam.case(&name, 0), |case| case.new_evidence == 1).await;
    assert_eq!(ana.case(&name, 0).await.unwrap().new_evidence, 0, "the count is the office's");
    assert_eq!(seen.title_id, "32");
    command!(sam, assign_case, AssignCaseRequest { name: name.clone() }).unwrap();
    let done = command!(sam, start_review, StartReviewRequest { name: name.clone() }).unwrap();
    let reviewed = sam.case(&name, done.case.unwrap().version).await.unwrap();
    assert_eq!((reviewed.stage.as_str(), reviewed.new_evidence), ("in_review", 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_returned_for_a_filing_that_is_parked_is_parked_too_and_the_others_are_read() {
    let world = World::start().await;
    let ana = world.person(&[]).await;
    let name = world.submit(&ana, 40).await;
    let unread = world.submit_unreadable().await;
    let parked = world.until(|| world.parked("filing"), |parked| !parked.is_empty()).await;
    assert_eq!(parked, [(format!("filing-{unread}"), "account_id is no id".to_owned())]);
    // The first part is of a case that is there: nothing of a return is recorded while another part waits.
    world.return_payment(&[(name, 71_000), (unread, 12_000)]).await;
    let parked = world.until(|| world.parked("payments"), |parked| !parked.is_empty()).await;
    assert_eq!(parked.len(), 1);
    let why = "the case of a returned payment is not there yet: its submission is parked";
    assert_eq!(parked[0].1, why);
    let case = format!("cases/{name}");
    let lines = world.until(|| ana.lines(&case, 0), |lines| !lines.is_empty()).await;
    assert!(!lines.iter().any(|line| line.contains("payment_return")), "{lines:?}");
    world.refund(name, 100).await;
    world.until(|| ana.lines(&case, 0), |lines| lines.iter().any(|line| line == "refund_recorded")).await;
    // One that did not arrive and went back once more is told as it was.
    world.refund_twice(name, 71_000).await;
    let told = |lines: &Vec<String>| {
        lines.ends_with(&["refund_recorded", "refund_failure_recorded", "refund_recorded"].map(String::from))
    };
    world.until(|| ana.lines(&case, 0), told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_a_case_by_a_command_is_answered_all_the_same_when_they_repeat_it() {
    let world = World::start().await;
    let (ana, iva) = (world.person(&[]).await, world.person(&[("intake_officer", "NBC")]).await);
    let (other, sam) =
        (world.person(&[("intake_officer", "NBC")]).await, world.person(&[("supervisor", "NBC")]).await);
    let bea = world.person(&[("biometrics_officer", "ASC-NYC")]).await;
    macro_rules! send {
        ($person:expr, $rpc:ident, $message:expr) => {
            $person.cases.clone().$rpc($person.ask($message.clone())).await.map(tonic::Response::into_inner)
        };
    }
    let names = [world.submit(&ana, 17).await, world.submit(&ana, 17).await].map(|id| format!("cases/{id}"));
    for name in &names {
        world.until(|| ana.case(name, 0), |_| true).await;
    }
    let [name, rejected] = names;
    let accept = pb::AcceptFilingRequest { request_id: id(), name: name.clone() };
    let accepted = send!(iva, accept_filing, accept).unwrap();
    assert_eq!(send!(iva, accept_filing, accept).unwrap(), accepted, "the same number");
    // To anybody else the case is what it was: not theirs; and the id is of that request.
    assert_eq!(send!(other, accept_filing, accept).unwrap_err().code(), Code::NotFound);
    let reused = pb::AcceptFilingRequest { name: rejected.clone(), ..accept };
    let reused = send!(iva, accept_filing, reused).unwrap_err();
    assert_eq!((reused.code(), reason(&reused).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
    let reject = pb::RejectFilingRequest { request_id: id(), name: rejected, codes: vec!["X-AGE".into()] };
    let first = send!(iva, reject_filing, reject).unwrap();
    assert_eq!(send!(iva, reject_filing, reject).unwrap(), first);

    command!(sam, assign_case, AssignCaseRequest { name: name.clone() }).unwrap();
    command!(sam, schedule_appointment, ScheduleAppointmentRequest { name: name.clone(), kind: 1 }).unwrap();
    let taken =
        pb::RecordBiometricsRequest { request_id: id(), name: name.clone(), early_by_agreement: true };
    let first = send!(bea, record_biometrics, taken).unwrap();
    assert_eq!(send!(bea, record_biometrics, taken).unwrap(), first);
    let (office, reason) = ("FO-CHI".to_owned(), "workload".to_owned());
    let assign = pb::AssignCaseRequest { request_id: id(), name: name.clone(), officer: String::new() };
    let assigned = send!(sam, assign_case, assign).unwrap();
    let away = pb::TransferCaseRequest { request_id: id(), name, office, reason };
    let first = send!(sam, transfer_case, away).unwrap();
    assert_eq!(send!(sam, transfer_case, away).unwrap(), first);
    assert_eq!(send!(sam, assign_case, assign).unwrap(), assigned, "also of what was done before");
}
