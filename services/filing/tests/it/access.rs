//! What is not yours does not exist; of the office, those read who decide.

use serde_json::json;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::files;
use crate::world::{
    World, case_accepted, case_assigned, case_opened, case_rejected, case_transferred, fee_settled,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_yours_is_as_if_it_did_not_exist() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let eve = world.person("Eve", "Other");
    let draft = ana.start("N-400").await.unwrap().name;
    let evidence = ana.upload(&draft, "green_card", "card.png", &files::picture(6)).await.unwrap().name;
    let unknown = format!("filings/{}", Uuid::now_v7());
    for name in [&draft, &unknown] {
        let refused: Vec<Status> = vec![
            eve.get(name).await.unwrap_err(),
            eve.answer(name, &json!({ "app_birth_city": "Recife" })).await.unwrap_err(),
            eve.quote(name).await.unwrap_err(),
            eve.review(name).await.unwrap_err(),
            eve.sign(name, &[0; 32], "Eve Other").await.unwrap_err(),
            eve.submit(name).await.unwrap_err(),
            eve.upload(name, "green_card", "card.png", &files::picture(7)).await.unwrap_err(),
            eve.remove(&evidence.replace(&draft, name)).await.unwrap_err(),
            eve.copy(name).await.unwrap_err(),
            eve.ask_helper(name, "interpreter").await.unwrap_err(),
            eve.download(&evidence.replace(&draft, name)).await.unwrap_err(),
        ];
        let first = refused[0].message().to_owned();
        for status in refused {
            assert_eq!((status.code(), status.message()), (Code::NotFound, first.as_str()));
        }
    }
    assert!(eve.list().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_assigned_officer_reads_and_changes_nothing() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, _) = ana.sent().await;
    let evidence = ana.get(&draft).await.unwrap().evidence.remove(0).name;
    let officer = world.officer("adjudicator", "NBC").await;
    assert_eq!(officer.get(&draft).await.unwrap_err().code(), Code::NotFound);

    world.case(&draft, case_assigned(officer.account)).await;
    let shown = officer.until(&draft, "sent").await;
    assert!(shown.answers_json.contains("Recife"));
    assert!(!officer.download(&evidence).await.unwrap().1.is_empty());
    let change = officer.answer(&draft, &json!({ "app_birth_city": "Lima" })).await.unwrap_err();
    assert_eq!(change.code(), Code::PermissionDenied);

    world.case(&draft, case_assigned(Uuid::now_v7())).await;
    officer.until_gone(&draft).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn intake_reads_what_it_decides_and_supervisors_what_is_with_their_office() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, payment) = ana.sent().await;
    let evidence = ana.get(&draft).await.unwrap().evidence.remove(0).name;
    let intake = world.officer("intake_officer", "NBC").await;
    let supervisor = world.officer("supervisor", "NBC").await;
    let elsewhere = [
        world.officer("intake_officer", "FO-NYC").await,
        world.officer("supervisor", "FO-NYC").await,
        world.officer("adjudicator", "NBC").await,
    ];
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    ana.until(&draft, "submitted").await;
    for officer in [&intake, &supervisor] {
        assert_eq!(officer.get(&draft).await.unwrap_err().code(), Code::NotFound);
    }

    world.case(&draft, case_opened()).await;
    for officer in [&intake, &supervisor] {
        let shown = officer.until(&draft, "submitted").await;
        assert!(shown.answers_json.contains("Recife"));
        assert!(!officer.download(&evidence).await.unwrap().1.is_empty());
        assert!(!officer.copy(&draft).await.unwrap().1.is_empty());
        let change = officer.remove(&evidence).await.unwrap_err();
        assert_eq!(change.code(), Code::PermissionDenied);
    }
    for officer in &elsewhere {
        assert_eq!(officer.get(&draft).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(officer.download(&evidence).await.unwrap_err().code(), Code::NotFound);
    }

    world.case(&draft, case_accepted("DKT1234567897")).await;
    intake.until_gone(&draft).await;
    supervisor.until(&draft, "accepted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_to_another_office_is_read_there_and_by_nobody_who_had_it() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, payment) = ana.sent().await;
    let evidence = ana.get(&draft).await.unwrap().evidence.remove(0).name;
    let (officer, supervisor) =
        (world.officer("adjudicator", "NBC").await, world.officer("supervisor", "NBC").await);
    let there = world.officer("supervisor", "FO-NYC").await;
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    ana.until(&draft, "submitted").await;
    world.case(&draft, case_opened()).await;
    world.case(&draft, case_accepted("DKT1234567897")).await;
    world.case(&draft, case_assigned(officer.account)).await;
    for reader in [&officer, &supervisor] {
        reader.until(&draft, "accepted").await;
    }
    world.case(&draft, case_transferred("FO-NYC")).await;
    there.until(&draft, "accepted").await;
    for former in [&officer, &supervisor] {
        former.until_gone(&draft).await;
        assert_eq!(former.download(&evidence).await.unwrap_err().code(), Code::NotFound);
    }
    assert!(!there.download(&evidence).await.unwrap().1.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn intake_reads_no_more_of_what_it_rejected() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, payment) = ana.sent().await;
    let intake = world.officer("intake_officer", "NBC").await;
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    world.case(&draft, case_opened()).await;
    intake.until(&draft, "submitted").await;
    world.case(&draft, case_rejected("X-SIGN")).await;
    intake.until_gone(&draft).await;
}
