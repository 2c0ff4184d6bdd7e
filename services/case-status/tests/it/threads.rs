//! What a party writes to the office, through the ports: heard of by NATS, owed until a day, answered or set aside.

use docket_proto::case_status::v1 as pb;
use docket_proto::notifications::events::v1::MessageSent;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::people::{Someone, command, of_own_accord, reason};
use crate::world::World;

/// What is owed, by its kind.
async fn owed(world: &World) -> Result<Vec<String>, Status> {
    let sql = "SELECT kind FROM log.obligation WHERE closed_by IS NULL ORDER BY kind";
    let kinds = sqlx::query_scalar(sql).fetch_all(&world.cases.pool).await;
    kinds.map_err(|error| Status::internal(error.to_string()))
}

/// A message in a conversation of a case.
async fn write(world: &World, thread: Uuid, case: &str, (from, who): (&str, &Someone)) {
    let sent = MessageSent {
        from: from.into(),
        account_id: who.account.to_string(),
        text: "May a friend of mine come along?".into(),
        case_id: case.trim_start_matches("cases/").to_owned(),
        topic: "appointment".into(),
    };
    world.is_written(thread, sent).await;
}

/// The conversations in which the case says that somebody waits: which, who, about what, and until when.
fn waiting(case: &pb::Case) -> Vec<(String, String, String, String)> {
    let shown = |waiting: &pb::WaitingThread| {
        let due = waiting.deadline.as_ref().map(|deadline| deadline.due_date.clone()).unwrap_or_default();
        (waiting.thread.clone(), waiting.writer.clone(), waiting.topic.clone(), due)
    };
    case.waiting_threads.iter().map(shown).collect()
}

/// Whether the timeline's last line is of this kind.
fn last(kind: &'static str) -> impl Fn(&Vec<String>) -> bool {
    move |lines| lines.last().is_some_and(|line| line == kind)
}

/// The cases of the person's own queue: the task, and the answer that is owed.
async fn queue(person: &Someone) -> Result<Vec<(String, String)>, Status> {
    let message = pb::ListWorklistRequest::default();
    let items = person.status.clone().list_worklist(person.ask(message)).await?.into_inner().items;
    Ok(items.into_iter().map(|item| (item.task, item.answer)).collect())
}

/// Sets aside what the supervisor reads now.
async fn set_aside(
    (who, sam): (&Someone, &Someone),
    name: &str,
    thread: Uuid,
    cause: &str,
) -> Result<u64, Status> {
    let waits = sam.case(name, 0).await?.waiting_threads.into_iter().next();
    let nothing = format!("messages/{}", Uuid::nil());
    let last_message = waits.map_or(nothing, |waiting| waiting.last_message);
    let (name, thread, cause) = (name.to_owned(), format!("threads/{thread}"), cause.to_owned());
    let done = of_own_accord!(
        who,
        set_message_aside,
        SetMessageAsideRequest { name: name, thread: thread, cause: cause, last_message: last_message }
    )?;
    Ok(done.case.unwrap().version)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_party_writes_is_owed_an_answer_until_the_office_writes_back() {
    let world = World::start().await;
    let (ana, ito) = (world.person(&[]).await, world.person(&[("adjudicator", "NBC")]).await);
    let sam = world.person(&[("supervisor", "NBC")]).await;
    let name = format!("cases/{}", world.submit(&ana, 40).await);
    world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    let officer = format!("accounts/{}", ito.account);
    command!(sam, assign_case, AssignCaseRequest { name: name.clone(), officer: officer }).unwrap();
    let before = world.until(|| queue(&ito), |items| items.len() == 1).await;

    let thread = Uuid::new_v4();
    write(&world, thread, &name, ("party", &ana)).await;
    world.until(|| ana.lines(&name, 0), last("message_received")).await;
    world.until(|| owed(&world), |kinds| kinds == &["message_answer"]).await;
    let of_thread =
        (format!("threads/{thread}"), "party".to_owned(), "appointment".to_owned(), "2026-12-02".to_owned());
    assert_eq!(waiting(&ito.case(&name, 0).await.unwrap()), [of_thread]);
    assert!(ana.case(&name, 0).await.unwrap().waiting_threads.is_empty(), "the list is the office's");
    let item = (before[0].0.clone(), "answer_message".to_owned());
    assert_eq!(queue(&ito).await.unwrap(), [item], "beside its task");

    // More of the same conversation waits with it; what was written before cases were named is passed over.
    write(&world, thread, &name, ("party", &ana)).await;
    let received = |lines: &Vec<String>| lines.iter().filter(|line| *line == "message_received").count() == 2;
    world.until(|| ana.lines(&name, 0), received).await;
    assert_eq!(owed(&world).await.unwrap(), ["message_answer"], "one answer is owed");
    world.is_written(Uuid::new_v4(), MessageSent { from: "party".into(), ..MessageSent::default() }).await;
    write(&world, thread, &name, ("office", &ito)).await;
    world.until(|| ana.lines(&name, 0), last("message_answered")).await;
    world.until(|| owed(&world), Vec::is_empty).await;
    assert_eq!(queue(&ito).await.unwrap(), before);
    let lines = ana.lines(&name, 0).await.unwrap();
    assert_eq!(lines.iter().filter(|line| line.starts_with("message_")).count(), 3, "{lines:?}");

    // The next one waits anew, with a day of its own, and the words are nowhere here.
    write(&world, thread, &name, ("party", &ana)).await;
    world.until(|| owed(&world), |kinds| kinds == &["message_answer"]).await;
    let sql = "SELECT count(*) FROM log.event WHERE position(convert_to($1, 'UTF8') IN payload || sealed || metadata) > 0";
    let readable: i64 =
        sqlx::query_scalar(sql).bind("friend of mine").fetch_one(&world.cases.pool).await.unwrap();
    assert_eq!(readable, 0);
    assert!(world.parked("notifications").await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_says_that_a_message_needs_no_answer_also_in_a_case_that_is_over() {
    let world = World::start().await;
    let (ana, zoe) = (world.person(&[]).await, world.person(&[]).await);
    let sam = world.person(&[("supervisor", "NBC")]).await;
    let name = format!("cases/{}", world.submit(&ana, 40).await);
    world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    let stepped_up = world.stepped_up(&ana);
    command!(stepped_up, withdraw_case, WithdrawCaseRequest { name: name.clone() }).unwrap();
    world.until(|| ana.case(&name, 0), |case| case.stage == "decided").await;
    let thread = Uuid::new_v4();
    assert_eq!(
        reason(&set_aside((&sam, &sam), &name, thread, "nothing_asked").await.unwrap_err()),
        "MESSAGE_NOT_WAITING"
    );
    write(&world, thread, &name, ("party", &ana)).await;
    world.until(|| owed(&world), |kinds| kinds == &["message_answer"]).await;
    let office = || async {
        let message = pb::ListWorklistRequest { queue: "office".into(), ..Default::default() };
        let items = sam.status.clone().list_worklist(sam.ask(message)).await?.into_inner().items;
        Ok(items.into_iter().map(|item| item.answer).collect::<Vec<_>>())
    };
    world.until(office, |answers| answers == &["answer_message"]).await;
    assert_eq!(
        reason(&set_aside((&ana, &sam), &name, thread, "nothing_asked").await.unwrap_err()),
        "NOT_YOUR_ACT"
    );
    assert_eq!(
        set_aside((&zoe, &sam), &name, thread, "nothing_asked").await.unwrap_err().code(),
        Code::PermissionDenied
    );
    assert_eq!(
        reason(&set_aside((&sam, &sam), &name, thread, "no_time").await.unwrap_err()),
        "CAUSE_UNKNOWN"
    );
    let version = set_aside((&sam, &sam), &name, thread, "answered_elsewhere").await.unwrap();
    world.until(|| owed(&world), Vec::is_empty).await;
    assert!(sam.case(&name, version).await.unwrap().waiting_threads.is_empty());
    let message = pb::ListTimelineRequest { name: name.clone(), ..Default::default() };
    let entries = ana.status.clone().list_timeline(ana.ask(message)).await.unwrap().into_inner().entries;
    let said = &entries.last().unwrap().text;
    assert!(said.contains("a notice or another answer of ours"), "{said}");
}
