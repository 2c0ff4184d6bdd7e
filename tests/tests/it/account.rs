//! An account is opened on the terminal, left half-way and gone on with, and its owner is proven; no secret is said again.
use crate::story::{exit_code, json};
use crate::system::System;
use docket_cli::clock::now_s;
use docket_cli::story::people::code_at;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const EMAIL: &str = "lia.opens@example.test";
const PASSWORD: &str = "correct horse of Lia 7";

/// A command on which somebody types as it asks.
struct Talk {
    child: Child,
    /// None once nobody reads it any more.
    told: Option<Lines<BufReader<ChildStdout>>>,
}

impl Talk {
    /// The password is given as a program gives it.
    fn begin(system: &System, arguments: &[&str]) -> Self {
        Self::of(system.command(arguments).env("DOCKET_PASSWORD", PASSWORD))
    }

    /// The password is typed too.
    fn begin_by_hand(system: &System, arguments: &[&str]) -> Self {
        Self::of(system.command(arguments).env_remove("DOCKET_PASSWORD"))
    }

    fn of(command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.arg("--json").spawn().unwrap();
        let told = Some(BufReader::new(child.stdout.take().unwrap()).lines());
        Self { child, told }
    }

    fn types(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    fn told(&mut self) -> Value {
        let line = self.told.as_mut().expect("somebody reads").next().expect("it tells something").unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Types nothing more; gives the exit code and what was said beside the answers.
    fn end(mut self) -> (Option<i32>, String) {
        drop(self.child.stdin.take());
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

/// The mails to the address, once there are so many; the newest last.
async fn mails(system: &System, count: usize) -> Vec<String> {
    let (http, begun) = (reqwest::Client::new(), Instant::now());
    let list = format!("{}/mail/messages", system.addresses()["mail"].as_str().unwrap());
    loop {
        let answer = http.get(&list).query(&[("to", EMAIL)]).send().await.unwrap();
        let found: Value = answer.json().await.unwrap();
        let found = found["messages"].as_array().cloned().unwrap_or_default();
        if found.len() >= count {
            let mut texts = Vec::new();
            for mail in found {
                let one = format!("{list}/{}", mail["id"].as_str().unwrap());
                let mail: Value = http.get(one).send().await.unwrap().json().await.unwrap();
                texts.push(mail["text"].as_str().unwrap().to_owned());
            }
            return texts;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "no mail came");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn six_digits(mail: &str) -> &str {
    mail.split(|sign: char| !sign.is_ascii_digit()).find(|word| word.len() == 6).expect("a code in the mail")
}

/// The register of persons knows her.
async fn be_known(system: &System) {
    let url = format!("{}/register/persons", system.addresses()["sandbox"].as_str().unwrap());
    let person = serde_json::json!({
        "family_name": "Souza", "given_name": "Lia", "date_of_birth": "1990-01-31", "a_number": "A000777001",
    });
    reqwest::Client::new().post(url).json(&person).send().await.unwrap().error_for_status().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_opened_left_gone_on_with_and_its_owner_proven_on_the_terminal() {
    let system = System::start();
    let open = ["account", "open", "--email", EMAIL, "--language", "es"];

    // She leaves before the mail is there: nothing is lost, and no second mail is sent.
    let mut talk = Talk::begin(&system, &open);
    assert_eq!(talk.told()["code_sent_to"], EMAIL);
    let (code, said) = talk.end();
    assert!(code == Some(1) && said.contains("docket account open"), "{said}");
    let mailed = mails(&system, 1).await;
    let code = six_digits(&mailed[0]);
    let wrong = if code == "000000" { "000001" } else { "000000" };

    let mut talk = Talk::begin(&system, &["account", "open", "--language", "es"]);
    talk.types(wrong);
    talk.types(code);
    let app = talk.told();
    let secret = app["secret"].as_str().unwrap().to_owned();
    assert!(app["otpauth_uri"].as_str().unwrap().starts_with("otpauth://"), "{app}");
    talk.types("000000");
    // Whoever reads is away as the recovery codes come: they are not lost, and are shown when she goes on.
    talk.told = None;
    talk.types(&code_at(&secret, now_s()).unwrap());
    let (code, said) = talk.end();
    assert!(code == Some(1) && said.contains("códigos de recuperación"), "{said}");
    assert_eq!(said.matches('✗').count(), 2, "two wrong codes were told, and asked for again: {said}");
    assert!(![PASSWORD, secret.as_str()].iter().any(|word| said.contains(word)), "a secret is said");

    let mut talk = Talk::begin_by_hand(&system, &["account", "open", "--language", "es"]);
    let opened = talk.told();
    let recovery: Vec<&str> =
        opened["recovery_codes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(recovery.len(), 10);
    // The first code is used; the next one signs in, with the password, which she types anew where she mistyped it.
    talk.types("another horse of Lia 7");
    talk.types("000000");
    talk.types(PASSWORD);
    talk.types(&code_at(&secret, now_s() + 30).unwrap());
    assert_eq!(talk.told()["line"], format!("sesión iniciada como {EMAIL}"));
    let (code, said) = talk.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches('✗').count(), 1, "both were asked for again: {said}");
    let hidden = [PASSWORD, secret.as_str()].into_iter().chain(recovery.iter().copied());
    hidden.for_each(|word| assert!(!said.contains(word), "a secret is said beside the answers"));
    assert!(!system.home().join("registration.json").exists(), "it is over");
    assert_eq!(mails(&system, 1).await.len(), 1, "one mail, though it was begun twice");

    // Signed in, and nobody yet.
    let account = &json(&system, &["account"])[0];
    assert_eq!((&account["state"], &account["email"]), (&"active".into(), &EMAIL.into()), "{account}");
    be_known(&system).await;
    let particulars = |a_number: &str| {
        let mut talk = Talk::begin(&system, &["account", "prove"]);
        for line in ["Souza", "Lia", "1990-01-31", a_number] {
            talk.types(line);
        }
        talk
    };
    let (code, said) = particulars("A000777002").end();
    assert!(code == Some(3) && said.contains("NO_MATCH"), "{said}");
    let mut talk = particulars("A000777001");
    let proven = talk.told();
    assert_eq!(
        (&proven["state"], &proven["given_name"]),
        (&"identity_proven".into(), &"Lia".into()),
        "{proven}"
    );
    assert_eq!(talk.end().0, Some(0));
    assert_eq!(exit_code(&system, &["filings"]), Some(0));
    let shown = system.command(&["account"]).output().unwrap();
    assert!(
        String::from_utf8_lossy(&shown.stdout).contains("Demostrado: Lia Souza"),
        "in her language: {shown:?}"
    );
}
