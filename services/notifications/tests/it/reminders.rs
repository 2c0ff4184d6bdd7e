//! Mail to a party and to who acts for it that is about no notice: a day comes closer, the time to answer is over, the answer is here.

use docket_proto::case_status::events::v1 as pb;
use docket_proto::events::case::Event;
use docket_proto::events::delivery::Event as Outcome;
use uuid::Uuid;

use crate::events;
use crate::world::World;

fn request_reminded(days_left: u32) -> Event {
    pb::RequestReminded { request_id: Uuid::nil().to_string(), days_left }.into()
}

fn appointment_reminded(days_left: u32) -> Event {
    let appointment_kind = "biometrics".to_owned();
    pb::AppointmentReminded { appointment_id: Uuid::nil().to_string(), appointment_kind, days_left }.into()
}

/// The subjects of the mails to somebody, the receipt's left out, in order.
async fn subjects(world: &World, to: &str, count: usize) -> Vec<String> {
    let mails = world.wait_for_mails(to, count).await;
    let all = mails.iter().map(|mail| mail["subject"].as_str().unwrap().to_owned());
    let mut subjects: Vec<String> =
        all.filter(|subject| !subject.contains("notice") && !subject.contains("aviso")).collect();
    subjects.sort();
    subjects
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_and_who_acts_for_it_are_told_of_a_day_each_time_by_one_mail() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "es");
    let mut ray = world.person(server.channel(), "ray@example.test", "en");
    let (case, appearance) = (Uuid::now_v7(), (Uuid::now_v7(), ray.account));
    world.happens(case, events::opened_under(ana.account, appearance)).await;
    world.happens(case, events::accepted()).await;
    world.happens(case, events::activated(appearance)).await;
    let told = [
        request_reminded(15),
        request_reminded(7),
        request_reminded(0),
        appointment_reminded(7),
        appointment_reminded(2),
        pb::DeadlinePassed::default().into(),
        pb::ResponseRecorded::default().into(),
    ];
    let count = told.len();
    for event in told {
        world.happens(case, event).await;
    }
    ana.wait_for_deliveries("handed_over", count + 1).await;
    ray.wait_for_deliveries("handed_over", count + 1).await;
    assert_eq!(
        subjects(&world, &ray.email, count + 1).await,
        [
            "A week is left to answer",
            "Something in your account waits for your answer",
            "The time to answer ends today",
            "The time to answer has passed",
            "We have your answer",
            "You have an appointment in a week",
            "You have an appointment the day after tomorrow",
        ]
    );
    assert_eq!(
        subjects(&world, &ana.email, count + 1).await,
        [
            "Algo en su cuenta espera su respuesta",
            "El plazo para responder termina hoy",
            "El plazo para responder ya pasó",
            "Queda una semana para responder",
            "Tenemos su respuesta",
            "Tiene una cita dentro de una semana",
            "Tiene una cita pasado mañana",
        ]
    );
    // They are no notices: nothing is owed for them, and no inbox has more than the receipt.
    assert_eq!((ana.notices(case).await.len(), world.debts().await), (1, (0, 0)));

    // Who acts no longer is told nothing more.
    let ended = pb::CaseRepresentationEnded {
        representation_id: appearance.0.to_string(),
        representative: ray.account.to_string(),
        cause: "ended".into(),
        ..Default::default()
    };
    world.happens(case, ended.into()).await;
    world.happens(case, request_reminded(3)).await;
    let mails = world.wait_for_mails(&ana.email, count + 3).await;
    assert!(mails.iter().any(|mail| mail["subject"] == "Quedan tres días para responder"), "{mails:#?}");
    assert_eq!(world.mails(&ray.email).await.len(), count + 1);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_that_waited_past_its_day_is_not_sent_and_says_so() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "defer@example.test", "en");
    let case = Uuid::now_v7();
    world.happens(case, events::opened(ana.account)).await;
    world.happens(case, request_reminded(1)).await;
    // The mail server puts the first mail to that address off.
    crate::world::until("the first try", async || {
        let sql = "SELECT count(*) FROM delivery WHERE account_id = $1 AND attempts > 0";
        let tried: i64 = sqlx::query_scalar(sql).bind(ana.account).fetch_one(&world.own.pool).await.unwrap();
        (tried == 1).then_some(())
    })
    .await;
    assert_eq!(ana.deliveries().await[0].state, "queued");
    world.bench.advance(16 * 3_600);
    let mut ana = world.stranger(server.channel(), ana.account, "defer@example.test");
    ana.wait_for_deliveries("failed", 1).await;
    assert!(world.mails(&ana.email).await.is_empty());
    let outcomes = world.outcomes().await;
    let failed = outcomes.iter().find_map(|outcome| match outcome {
        Outcome::DeliveryFailed(failed) => Some((failed.alert.as_str(), failed.reason.as_str())),
        Outcome::DeliveryHandedOver(_) | Outcome::DeliveryConfirmed(_) => None,
    });
    assert_eq!(failed, Some(("deadline_reminder_a_day", "day_over")));
    server.stop().await.unwrap();
}
