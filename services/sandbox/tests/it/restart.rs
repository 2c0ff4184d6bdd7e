//! What was answered survives `kill -9`; what was half written does not trouble anyone.

use std::io::Write;

use serde_json::{Value, json};

use crate::{harness::Server, mail, receiver::Receiver};

#[tokio::test]
async fn every_party_remembers_after_a_kill() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::with("", Some(state.path()));
    let paid = server.pay("p1", "pm_card_visa").await.unwrap();
    server.pay("cut", "pm_sandbox_timeoutAfterCharge").await.unwrap_err();
    let texts = [("To", "+13055550123"), ("From", "+13055550100"), ("Body", "hello")];
    server.post("/sms/messages", None, &texts).await;
    let person = json!({"family_name": "Moss", "given_name": "Ada", "date_of_birth": "1990-02-03"});
    let known = server.post_json("/register/persons", &person).await.body["person"].clone();
    server.put_json("/sandbox/parties/scanner", &json!({"mode": "error"})).await;
    mail::send(&server, "ada@example.test", "Kept", "over the restart").await.unwrap();
    mail::send(&server, "defer@example.test", "Deferred", "x").await.unwrap_err();
    server.kill();

    let journal = state.path().join("journal.jsonl");
    let mut file = std::fs::OpenOptions::new().append(true).open(&journal).unwrap();
    file.write_all(b"[{\"record\":\"intent\",\"val").unwrap();

    let server = Server::with("", Some(state.path()));
    let again = server.pay("p1", "pm_card_visa").await.unwrap();
    assert!(again.replayed && again.body == paid.body);
    assert!(server.pay("cut", "pm_sandbox_timeoutAfterCharge").await.unwrap().replayed);
    assert_eq!(server.get("/sandbox/charges").await["succeeded"], 2);
    assert_eq!(server.get("/sms/messages").await["messages"][0]["body"], "hello");
    assert_eq!(
        server.post_json("/register/match", &person).await.body,
        json!({"match": "exact", "person": known})
    );
    assert_eq!(server.get("/sandbox/parties/scanner").await["mode"], "error");
    assert_eq!(server.get("/mail/messages?to=ada@example.test").await["messages"][0]["subject"], "Kept");
    mail::send(&server, "defer@example.test", "Deferred", "x").await.unwrap();
}

#[tokio::test]
async fn a_webhook_not_yet_taken_is_sent_after_the_restart() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::with("", Some(state.path()));
    server.pay("p1", "pm_card_visa").await.unwrap();
    server.kill();
    let mut receiver = Receiver::start(&[], false).await;
    let server = Server::with("", Some(state.path()));
    server.put_json("/sandbox/webhook", &json!({"url": receiver.url, "secret": "whsec"})).await;
    let event = receiver.next().await.event();
    assert_eq!(event.pointer("/data/object/metadata/payment"), Some(&Value::from("p1")));
}

#[tokio::test]
async fn killed_at_work_it_has_every_charge_it_answered() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::with("", Some(state.path()));
    let (tell, mut answered) = tokio::sync::mpsc::unbounded_channel();
    let mut payers = tokio::task::JoinSet::new();
    for payer in 0..8 {
        let (request, tell) = (server.payer(), tell.clone());
        payers.spawn(async move {
            for number in 0.. {
                let name = format!("{payer}-{number}");
                let Ok(answer) = request.pay(&name).await else { return };
                tell.send((name, answer)).unwrap();
            }
        });
    }
    drop(tell);
    let mut kept = Vec::new();
    while kept.len() < 100 {
        kept.push(answered.recv().await.unwrap());
    }
    server.kill();
    payers.join_all().await;
    while let Some(more) = answered.recv().await {
        kept.push(more);
    }
    let server = Server::with("", Some(state.path()));
    for (name, answer) in &kept {
        let again = server.pay(name, "pm_card_visa").await.unwrap();
        assert!(again.replayed && again.body == answer.body, "{name} is answered again, not charged again");
    }
    let charged = server.get("/sandbox/charges").await["succeeded"].as_u64().unwrap();
    let (answered, in_flight) = (kept.len() as u64, 8);
    assert!((answered..=answered + in_flight).contains(&charged), "{charged} charges for {answered} answers");
}

#[tokio::test]
async fn a_state_folder_serves_one_process() {
    let state = tempfile::tempdir().unwrap();
    let _server = Server::with("", Some(state.path()));
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_docket-sandbox"))
        .arg("--state-dir")
        .arg(state.path())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use by another process"));
}
