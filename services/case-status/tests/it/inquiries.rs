//! Requests to expedite and inquiries through the ports: who asks, who answers, what each sees, and where the words are.

use docket_proto::case_status::v1 as pb;
use tonic::{Code, Status};

use crate::people::{Someone, command, of_own_accord, reason};
use crate::world::World;

const WHY: &str = "My mother is in hospital abroad, and I have to travel to her.";
const ANSWER: &str = "We looked at the letter of the hospital that you sent.";

async fn list(person: &Someone, name: &str) -> Result<pb::ListInquiriesResponse, Status> {
    let message = pb::ListInquiriesRequest { name: name.to_owned() };
    Ok(person.cases.clone().list_inquiries(person.ask(message)).await?.into_inner())
}

/// The items of the person's own queue: receipt number, task, answer and until when.
async fn queue(person: &Someone) -> Result<Vec<(String, String, String, String)>, Status> {
    let message = pb::ListWorklistRequest::default();
    let items = person.status.clone().list_worklist(person.ask(message)).await?.into_inner().items;
    let shown = |item: pb::WorkItem| {
        let due = item.answer_deadline.map(|deadline| deadline.due_date).unwrap_or_default();
        (item.case.unwrap().receipt_number, item.task, item.answer, due)
    };
    Ok(items.into_iter().map(shown).collect())
}

/// Events of the log of cases in which somebody's words can be read.
async fn in_the_clear(world: &World, words: &str) -> i64 {
    let sql = "SELECT count(*) FROM log.event WHERE position(convert_to($1, 'UTF8') IN payload || sealed || metadata) > 0";
    sqlx::query_scalar(sql).bind(words).fetch_one(&world.cases.pool).await.unwrap()
}

/// Answers that are owed.
async fn owed(world: &World) -> Result<Vec<String>, Status> {
    let sql = "SELECT kind FROM log.obligation WHERE closed_by IS NULL ORDER BY kind";
    let kinds = sqlx::query_scalar(sql).fetch_all(&world.cases.pool).await;
    kinds.map_err(|error| Status::internal(error.to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_party_asks_and_the_office_answers_in_words_that_only_they_read() {
    let world = World::start().await;
    let (ana, zoe) = (world.person(&[]).await, world.person(&[]).await);
    let (ito, sam) =
        (world.person(&[("adjudicator", "NBC")]).await, world.person(&[("supervisor", "NBC")]).await);
    let officer = format!("accounts/{}", ito.account);
    let (mut names, mut receipts) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let name = format!("cases/{}", world.submit(&ana, 40).await);
        receipts.push(world.until(|| ana.case(&name, 0), |case| case.version == 3).await.receipt_number);
        command!(sam, assign_case, AssignCaseRequest { name: name.clone(), officer: officer.clone() })
            .unwrap();
        names.push(name);
        world.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    // The later one of the two is to be hastened.
    let (name, receipt) = (names[1].clone(), receipts[1].clone());
    let ask = async |who: &Someone, reasons: &str| {
        let (criterion, reasons) = ("emergency_or_urgent_humanitarian".to_owned(), reasons.to_owned());
        command!(
            who,
            request_expedite,
            RequestExpediteRequest { name: name.clone(), criterion: criterion, reasons: reasons }
        )
    };
    assert_eq!(ask(&zoe, WHY).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(reason(&ask(&ito, WHY).await.unwrap_err()), "NOT_YOUR_ACT");
    assert_eq!(ask(&ana, "Quickly.").await.unwrap_err().code(), Code::InvalidArgument);
    let asked = ask(&ana, WHY).await.unwrap();
    assert_eq!(asked.deadline.unwrap().due_date, "2026-12-02");
    assert_eq!(reason(&ask(&ana, WHY).await.unwrap_err()), "EXPEDITE_OPEN");
    let inquiry = command!(
        ana,
        send_inquiry,
        SendInquiryRequest { name: name.clone(), kind: "notice_not_received".into(), text: WHY.into() }
    )
    .unwrap();
    let version = inquiry.case.unwrap().version;
    assert_eq!(ana.case(&name, version).await.unwrap().expedite, "requested");
    assert_eq!(in_the_clear(&world, "hospital").await, 0);
    world.until(|| owed(&world), |kinds| kinds == &["expedite_answer", "inquiry_answer"]).await;

    // Beside its task the officer sees which answer is owed, and until when.
    let shown = world.until(|| queue(&ito), |items| items.len() == 2).await;
    let item = |receipt: &str, answer: &str, due: &str| {
        (receipt.to_owned(), "schedule_biometrics".to_owned(), answer.to_owned(), due.to_owned())
    };
    assert_eq!(shown, [item(&receipts[0], "", ""), item(&receipt, "answer_expedite", "2026-12-02")]);
    let read = list(&ito, &name).await.unwrap();
    assert_eq!((read.expedite_requests[0].reasons.as_str(), read.inquiries[0].text.as_str()), (WHY, WHY));
    assert_eq!(list(&zoe, &name).await.unwrap_err().code(), Code::NotFound);
    let granted = true;
    let early = command!(
        ana,
        answer_expedite,
        AnswerExpediteRequest { name: name.clone(), granted: granted, answer: ANSWER.into() }
    );
    assert_eq!(early.unwrap_err().code(), Code::PermissionDenied);
    command!(
        ito,
        answer_expedite,
        AnswerExpediteRequest { name: name.clone(), granted: granted, answer: ANSWER.into() }
    )
    .unwrap();
    // It comes before the one that was received first, and the inquiry is next.
    let expected = [item(&receipt, "answer_inquiry", "2026-12-02"), item(&receipts[0], "", "")];
    world.until(|| queue(&ito), |items| items == &expected).await;
    let done = command!(
        ito,
        answer_inquiry,
        AnswerInquiryRequest { name: name.clone(), inquiry: inquiry.inquiry.clone(), answer: ANSWER.into() }
    )
    .unwrap();
    let version = done.case.unwrap().version;
    world.until(|| owed(&world), Vec::is_empty).await;
    assert_eq!(ana.case(&name, version).await.unwrap().expedite, "granted");
    let read = list(&ana, &name).await.unwrap();
    let (expedite, answered) = (&read.expedite_requests[0], &read.inquiries[0]);
    assert_eq!((expedite.state.as_str(), expedite.answer.as_str()), ("granted", ANSWER));
    assert_eq!(
        (answered.name.as_str(), answered.state.as_str(), answered.answer.as_str()),
        (inquiry.inquiry.as_str(), "answered", ANSWER)
    );
    assert_eq!(in_the_clear(&world, "hospital").await, 0);
    assert_eq!(
        ana.lines(&name, 0).await.unwrap()[3..],
        ["expedite_requested", "inquiry_sent", "expedite_decided", "inquiry_answered"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_examination_that_nobody_explained_is_closed_also_where_an_older_inquiry_is_answered_late() {
    let world = World::start().await;
    let ana = world.person(&[]).await;
    let ito = world.person(&[("adjudicator", "NBC")]).await;
    let sam = world.person(&[("supervisor", "NBC"), ("biometrics_officer", "ASC-NYC")]).await;
    let name = format!("cases/{}", world.submit(&ana, 40).await);
    world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    let officer = format!("accounts/{}", ito.account);
    command!(sam, assign_case, AssignCaseRequest { name: name.clone(), officer: officer }).unwrap();
    let schedule = async |kind: i32| {
        command!(sam, schedule_appointment, ScheduleAppointmentRequest { name: name.clone(), kind: kind })
            .unwrap();
    };
    let miss = async |kind: i32| {
        world.clock.advance(jiff::SignedDuration::from_hours(24 * 30));
        command!(
            sam,
            record_missed_appointment,
            RecordMissedAppointmentRequest { name: name.clone(), kind: kind }
        )
        .unwrap();
    };
    // Nobody came to the biometrics; why, they say, and nobody answers that.
    schedule(1).await;
    miss(1).await;
    let inquiry = command!(
        ana,
        send_inquiry,
        SendInquiryRequest { name: name.clone(), kind: "appointment_missed".into(), text: WHY.into() }
    )
    .unwrap()
    .inquiry;
    schedule(1).await;
    let (taken, checked) = (true, "no_record".to_owned());
    command!(
        sam,
        record_biometrics,
        RecordBiometricsRequest { name: name.clone(), early_by_agreement: taken }
    )
    .unwrap();
    command!(
        ito,
        record_background_check,
        RecordBackgroundCheckRequest {
            name: name.clone(),
            system: "fbi_fingerprint".into(),
            result_class: checked
        }
    )
    .unwrap();
    command!(ito, start_review, StartReviewRequest { name: name.clone() }).unwrap();
    // Nor to the examination, of which they cannot say why.
    schedule(2).await;
    miss(2).await;
    world.clock.advance(jiff::SignedDuration::from_hours(24 * 60));
    world.no_timers_left().await;
    let passed = |lines: &Vec<String>| lines.iter().any(|line| line == "absence_deadline_passed");
    assert!(!passed(&ana.lines(&name, 0).await.unwrap()));
    let close = async |who: &Someone| {
        let why = "examination_missed".to_owned();
        of_own_accord!(
            who,
            close_administratively,
            CloseAdministrativelyRequest { name: name.clone(), cause: why }
        )
    };
    let ito = world.stepped_up(&ito);
    assert_eq!(reason(&close(&ito).await.unwrap_err()), "NOT_CLOSABLE");
    command!(
        ito,
        answer_inquiry,
        AnswerInquiryRequest { name: name.clone(), inquiry: inquiry, answer: ANSWER.into() }
    )
    .unwrap();
    world.until(|| ana.lines(&name, 0), passed).await;
    close(&ito).await.unwrap();
}
