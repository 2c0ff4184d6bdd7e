//! Lists that end nowhere but at their end: requests and appearances, page by page.

use docket_proto::filing::v1 as pb;
use docket_service::testing::with_token;
use uuid::Uuid;

use crate::client::Client;
use crate::representation::attorney;
use crate::world::{World, bad_fields};

/// A page of somebody's requests, by their names, and the token of the next.
async fn requests(person: &Client, page_token: &str) -> (Vec<String>, String) {
    let asked = pb::ListResponsesRequest { page_size: 2, page_token: page_token.into() };
    let answer = person.evidence.clone().list_responses(with_token(asked, &person.token)).await.unwrap();
    let answer = answer.into_inner();
    (answer.responses.into_iter().map(|one| one.name).collect(), answer.next_page_token)
}

/// A page of somebody's appearances, by their names, and the token of the next.
async fn appearances(person: &Client, page_token: &str) -> (Vec<String>, String) {
    let asked = pb::ListRepresentationsRequest { page_size: 2, page_token: page_token.into() };
    let mut client = person.representations.clone();
    let answer = client.list_representations(with_token(asked, &person.token)).await.unwrap().into_inner();
    (answer.representations.into_iter().map(|one| one.name).collect(), answer.next_page_token)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_request_and_the_oldest_appearance_stand_on_the_last_page() {
    let world = World::start().await;
    let (ana, obi) = (world.person("Ana Lúcia", "Lima"), world.person("Obi", "Adeyemi"));
    let (draft, _) = ana.sent().await;
    let (mut asked, mut prepared) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let request = Uuid::now_v7();
        world.ask(&draft, request, &["tax_transcripts"], world.now_us() + 1_000_000).await;
        asked.insert(0, ana.until_response(request).await.name);
        prepared.insert(0, obi.prepare(&attorney()).await.unwrap().representation.unwrap().name);
    }

    let (first, next) = requests(&ana, "").await;
    let (second, end) = requests(&ana, &next).await;
    assert_eq!(([first, second].concat(), end), (asked, String::new()));
    let (first, next_appearance) = appearances(&obi, "").await;
    let (second, end) = appearances(&obi, &next_appearance).await;
    assert_eq!(([first, second].concat(), end), (prepared, String::new()));

    // A token opens the list that gave it.
    let asked = pb::ListResponsesRequest { page_size: 2, page_token: next_appearance };
    let refused = ana.evidence.clone().list_responses(with_token(asked, &ana.token)).await.unwrap_err();
    assert_eq!(bad_fields(&refused), ["page_token"]);
    let asked = pb::ListFilingsRequest { page_size: 2, page_token: next, ..Default::default() };
    let refused = ana.drafts.clone().list_filings(with_token(asked, &ana.token)).await.unwrap_err();
    assert_eq!(bad_fields(&refused), ["page_token"]);
}
