//! Lists that end nowhere but at their end: requests and appearances, page by page.

use std::path::Path;

use docket_proto::filing::v1 as pb;
use docket_service::testing::with_token;
use serde_json::Value;
use sqlx::AssertSqlSafe;
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

/// Filings, requests and appearances of very many others.
const OTHERS: [&str; 4] = [
    "INSERT INTO representation (representation_id, representative, client, code_hash, standing, prepared_at_us)
     SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), sha256(n::text::bytea), 'active', n
     FROM generate_series(1, 5000) AS n",
    "INSERT INTO filing (filing_id, account_id, form, started_at_us, representation_id)
     SELECT gen_random_uuid(), gen_random_uuid(), 'N-400', 1, representation_id
     FROM representation, generate_series(1, 4) WHERE standing = 'active'",
    "INSERT INTO response (response_id, account_id, opened_at_us, case_id)
     SELECT gen_random_uuid(), account_id, 1, filing_id FROM filing",
    "ANALYZE filing, response, representation",
];

/// The one query of the service that begins so.
fn query(begins: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let described = std::fs::read_dir(folder).unwrap().map(|file| {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let described: Value = serde_json::from_str(&text).unwrap();
        described["query"].as_str().unwrap().to_owned()
    });
    let found: Vec<String> = described.filter(|query| query.starts_with(begins)).collect();
    assert_eq!(found.len(), 1, "{begins}: {found:?}");
    found.concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_whoever_has_few_a_list_reads_no_more_than_those() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    ana.start("N-400").await.unwrap();
    for others in OTHERS {
        sqlx::query(others).execute(world.pool()).await.unwrap();
    }
    let represents = "SELECT representative FROM representation ORDER BY prepared_at_us LIMIT 1";
    let obi: Uuid = sqlx::query_scalar(represents).fetch_one(world.pool()).await.unwrap();
    for list in ["SELECT filing_id AS \"filing_id!\" FROM (", "SELECT response_id AS \"response_id!\" FROM ("]
    {
        for account in [ana.account, obi] {
            let explained = format!("EXPLAIN (ANALYZE) {}", query(list));
            let explained = sqlx::query_scalar(AssertSqlSafe(explained)).bind(account).bind(None::<Uuid>);
            let plan: Vec<String> = explained.bind(51_i64).fetch_all(world.pool()).await.unwrap();
            let in_vain = plan.iter().filter_map(|line| line.trim().strip_prefix("Rows Removed by Filter: "));
            let in_vain: u32 = in_vain.map(|rows| rows.parse::<u32>().unwrap()).sum();
            let reads_all = plan.iter().any(|line| line.contains("Seq Scan"));
            assert!(!reads_all && in_vain < 100, "{}", plan.join("\n"));
        }
    }
}
