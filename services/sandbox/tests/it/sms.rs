//! The SMS carrier, as its real clients call it.

use reqwest::StatusCode;
use serde_json::json;

use crate::harness::Server;

#[tokio::test]
async fn a_text_is_kept_and_listed() {
    let server = Server::start();
    let path = "/2010-04-01/Accounts/AC123/Messages.json";
    let form = [("To", "+13055550123"), ("From", "+13055550100"), ("Body", "Your code is 123456")];
    let request = || server.client.post(server.url(path)).form(&form);
    assert_eq!(request().send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let wrong = request().basic_auth("AC999", Some("token")).send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let sent = request().basic_auth("AC123", Some("token")).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::CREATED);
    let sent: serde_json::Value = sent.json().await.unwrap();
    assert_eq!((&sent["status"], &sent["num_segments"]), (&json!("queued"), &json!("1")));
    assert!(sent["sid"].as_str().unwrap().starts_with("SM"));
    let uri = sent["uri"].as_str().unwrap();
    let same = server.client.get(server.url(uri)).basic_auth("AC123", Some("token")).send().await.unwrap();
    let same: serde_json::Value = same.json().await.unwrap();
    assert_eq!(
        (&same["sid"], &same["body"], &same["status"]),
        (&sent["sid"], &sent["body"], &json!("delivered"))
    );
    assert_eq!(server.get("/sms/messages?to=%2B13055550123").await["messages"], json!([same]));
    assert_eq!(server.get("/sms/messages?to=%2B10000000000").await["messages"], json!([]));
}

#[tokio::test]
async fn reserved_numbers_fail() {
    let server = Server::start();
    let to = |number: &'static str| [("To", number), ("From", "+13055550100"), ("Body", "x")];
    let check = async |number: &'static str, code: u32| {
        let answer = server.post("/sms/messages", None, &to(number)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.body["code"], code);
    };
    check("+15005550001", 21211).await;
    check("+15005550004", 21610).await;
    check("+15005550009", 21614).await;
    check("305-555-0123", 21211).await;
    server.try_post("/sms/messages", None, &to("+15005550099")).await.unwrap_err();
    assert_eq!(server.get("/sms/messages").await["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_answer_is_listed_as_what_came_to_our_number() {
    let server = Server::start();
    let path = "/2010-04-01/Accounts/AC123/Messages.json";
    let list = async |query: &str| {
        let url = server.url(&format!("{path}?{query}"));
        let answer = server.client.get(url).basic_auth("AC123", Some("token")).send().await.unwrap();
        answer.json::<serde_json::Value>().await.unwrap()
    };
    let form = [("To", "+13055550123"), ("From", "+13055550100"), ("Body", "New notice")];
    let sent = server.client.post(server.url(path)).basic_auth("AC123", Some("token")).form(&form);
    assert_eq!(sent.send().await.unwrap().status(), StatusCode::CREATED);
    let reply = json!({"from": "+13055550123", "body": "STOP"});
    assert_eq!(server.post_json("/sandbox/texts/reply", &reply).await.status, StatusCode::CREATED);

    let inbound = list("To=%2B13055550100&DateSent%3E=2026-01-01").await;
    let [text] = inbound["messages"].as_array().unwrap().as_slice() else { panic!("{inbound}") };
    assert_eq!(
        (&text["direction"], &text["from"], &text["body"]),
        (&json!("inbound"), &json!("+13055550123"), &json!("STOP"))
    );
    assert_eq!(list("To=%2B13055550100&DateSent%3E=2999-01-01").await["messages"], json!([]));

    let first = list("PageSize=1").await;
    assert_eq!(first["messages"][0]["body"], "STOP", "the newest first");
    let next = first["next_page_uri"].as_str().unwrap().split_once('?').unwrap().1.to_owned();
    let second = list(&next).await;
    assert_eq!(
        (&second["messages"][0]["body"], &second["next_page_uri"]),
        (&json!("New notice"), &json!(null))
    );
}

#[tokio::test]
async fn what_became_of_a_text_is_heard_by_who_asks_later() {
    let server = Server::start();
    let to = |number: &'static str| [("To", number), ("From", "+13055550100"), ("Body", "x")];
    let lost = server.post("/sms/messages", None, &to("+13055550197")).await;
    assert_eq!(lost.body["status"], "queued");
    let kept = server.get("/sms/messages?to=%2B13055550197").await;
    assert_eq!(
        (&kept["messages"][0]["status"], &kept["messages"][0]["error_code"]),
        (&json!("undelivered"), &json!(30003))
    );

    let sent = server.post("/sms/messages", None, &to("+13055550123")).await;
    let settle = format!("/sandbox/texts/{}/settle", sent.body["sid"].as_str().unwrap());
    let settled = server.post_json(&settle, &json!({"status": "failed", "error_code": 30005})).await;
    assert_eq!(settled.status, StatusCode::OK);
    let kept = server.get("/sms/messages?to=%2B13055550123").await;
    assert_eq!(kept["messages"][0]["status"], "failed");
}
