//! A name or a birth date that was written wrong, through the ports: who asks, who corrects, and where the words are.

use docket_proto::case_status::v1 as pb;
use tonic::Status;

use crate::people::{Someone, command, of_own_accord, reason};
use crate::world::World;

const RIGHT: &str = "Ana Lúcia Verdemar";
const WHY: &str = "My second name is missing on the receipt notice.";

async fn corrections(person: &Someone, name: &str) -> Result<Vec<pb::Correction>, Status> {
    let message = pb::ListInquiriesRequest { name: name.to_owned() };
    Ok(person.cases.clone().list_inquiries(person.ask(message)).await?.into_inner().corrections)
}

/// Events of the log of cases in which somebody's words can be read.
async fn in_the_clear(world: &World, words: &str) -> i64 {
    let sql = "SELECT count(*) FROM log.event WHERE position(convert_to($1, 'UTF8') IN payload || sealed || metadata) > 0";
    sqlx::query_scalar(sql).bind(words).fetch_one(&world.cases.pool).await.unwrap()
}

async fn owed(world: &World) -> Result<Vec<String>, Status> {
    let sql = "SELECT kind FROM log.obligation WHERE closed_by IS NULL ORDER BY kind";
    let kinds = sqlx::query_scalar(sql).fetch_all(&world.cases.pool).await;
    kinds.map_err(|error| Status::internal(error.to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_party_asks_and_an_officer_corrects_and_nobody_else_reads_what_was_written() {
    let world = World::start().await;
    let (ana, zoe) = (world.person(&[]).await, world.person(&[]).await);
    let ito = world.person(&[("adjudicator", "NBC")]).await;
    let sam = world.person(&[("supervisor", "NBC")]).await;
    let name = format!("cases/{}", world.submit(&ana, 40).await);
    world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    let officer = format!("accounts/{}", ito.account);
    command!(sam, assign_case, AssignCaseRequest { name: name.clone(), officer: officer }).unwrap();

    let ask = async |who: &Someone, field: &str, value: &str| {
        let (field, value) = (field.to_owned(), value.to_owned());
        of_own_accord!(
            who,
            ask_correction,
            AskCorrectionRequest {
                name: name.clone(),
                field: field,
                value: value,
                cause: "filer".into(),
                proof: "passport".into(),
                explanation: WHY.into(),
            }
        )
    };
    assert_eq!(ask(&zoe, "name", RIGHT).await.unwrap_err().code(), tonic::Code::NotFound);
    assert_eq!(reason(&ask(&ito, "name", RIGHT).await.unwrap_err()), "NOT_YOUR_ACT");
    let asked = ask(&ana, "name", RIGHT).await.unwrap();
    assert_eq!(asked.deadline.unwrap().due_date, "2026-12-09");
    assert_eq!(reason(&ask(&ana, "birth_date", "1984-03-09").await.unwrap_err()), "CORRECTION_OPEN");
    let case = ana.case(&name, asked.case.unwrap().version).await.unwrap();
    assert_eq!(case.correction, "asked");
    world.until(|| owed(&world), |owed| owed.contains(&"correction_answer".to_owned())).await;
    let read = corrections(&ito, &name).await.unwrap();
    assert_eq!((read[0].asked_value.as_str(), read[0].explanation.as_str()), (RIGHT, WHY));
    assert_eq!(corrections(&zoe, &name).await.unwrap_err().code(), tonic::Code::NotFound);

    let answer = async |who: &Someone, value: &str, reasons: &str| {
        let (made, value, reasons) = (!value.is_empty(), value.to_owned(), reasons.to_owned());
        of_own_accord!(
            who,
            answer_correction,
            AnswerCorrectionRequest { name: name.clone(), made: made, value: value, reasons: reasons }
        )
    };
    assert_eq!(reason(&answer(&ana, RIGHT, "").await.unwrap_err()), "NOT_YOUR_ACT");
    let version = answer(&ito, RIGHT, "").await.unwrap().case.unwrap().version;
    let case = ana.case(&name, version).await.unwrap();
    assert_eq!(case.correction, "made");
    assert!(ana.lines(&name, 0).await.unwrap().contains(&"name_corrected".to_owned()));
    world.until(|| owed(&world), |owed| !owed.contains(&"correction_answer".to_owned())).await;
    // Whoever prints notices gets the name from the event, and nobody who has the bytes.
    let words = world.words("notifications", &name, "case.name_corrected.v1").await.unwrap();
    assert_eq!(words.words, RIGHT);
    assert_eq!((in_the_clear(&world, "Verdemar").await, in_the_clear(&world, "second name").await), (0, 0));

    // A birth date is refused with the reason.
    ask(&ana, "birth_date", "1984-03-09").await.unwrap();
    let why = "The passport shows the birth date that is in the form.";
    answer(&sam, "", why).await.unwrap();
    let read = corrections(&ana, &name).await.unwrap();
    let seen: Vec<(&str, &str, &str)> =
        read.iter().map(|it| (it.state.as_str(), it.corrected_value.as_str(), it.reasons.as_str())).collect();
    assert_eq!(seen, [("made", RIGHT, ""), ("refused", "", why)]);
}
