//! What is not yours does not exist; the assigned officer reads.

use serde_json::json;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::files;
use crate::world::{World, case_assigned};

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
