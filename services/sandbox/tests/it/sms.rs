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
    assert_eq!(same.json::<serde_json::Value>().await.unwrap(), sent);
    assert_eq!(server.get("/sms/messages?to=%2B13055550123").await["messages"], json!([sent]));
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
