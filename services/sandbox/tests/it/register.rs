//! The register of persons: all particulars agree, or nobody is found.

use reqwest::StatusCode;
use serde_json::json;

use crate::harness::Server;

#[tokio::test]
async fn a_person_is_found_only_by_all_particulars() {
    let server = Server::start();
    let person = |family: &str, given: &str, born: &str, number: &str| json!({"family_name": family, "given_name": given, "date_of_birth": born, "a_number": number});
    let added = server
        .post_json("/register/persons", &person("Núñez", "María José", "1990-02-03", "A012345678"))
        .await;
    assert_eq!(added.status, StatusCode::CREATED);
    let again = server
        .post_json("/register/persons", &person("Núñez", "María José", "1990-02-03", "A012345678"))
        .await;
    assert_eq!((again.status, &again.body), (StatusCode::OK, &added.body));
    let exact = json!({"match": "exact", "person": added.body["person"]});
    let check = async |asked, expected: &serde_json::Value| {
        assert_eq!(&server.post_json("/register/match", &asked).await.body, expected, "{asked}");
    };
    check(person("NU\u{301}N\u{303}EZ", " maría  josé", "1990-02-03", "012-345-678"), &exact).await;
    let none = json!({"match": "none"});
    check(person("Nunez", "María José", "1990-02-03", "A012345678"), &none).await;
    check(person("Núñez", "María", "1990-02-03", "A012345678"), &none).await;
    check(person("Núñez", "María José", "1990-03-02", "A012345678"), &none).await;
    check(person("Núñez", "María José", "1990-02-03", "A012345679"), &none).await;
    let broken = server.post_json("/register/match", &json!({"family_name": "x"})).await;
    assert!(broken.status.is_client_error());

    server.put_json("/sandbox/parties/register", &json!({"mode": "error"})).await;
    let asked =
        server.post_json("/register/match", &person("Núñez", "María José", "1990-02-03", "A012345678")).await;
    assert_eq!(asked.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(server.client.get(server.url("/healthz")).send().await.unwrap().text().await.unwrap(), "ok");
}
