//! Programs that are not ours: a Python client files an I-90, and the call that the README shows is answered.
use crate::system::{System, root};
use docket_cli::up::place::PARTS;
use serde_json::Value;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

#[test]
fn a_python_client_files_an_i_90_and_the_call_of_the_readme_is_answered() {
    let environment = python();
    let system = System::start();
    let receipt_number = told_of_an_i_90(&file_i_90(&environment, &system));
    // The same case through another program.
    let public = system.command(&["status", &receipt_number, "--json"]).output().unwrap();
    let public: Value = serde_json::from_slice(&public.stdout).unwrap();
    assert_eq!(public["form"], "I-90");
    call_of_the_readme(&system);
}

/// The folder with the virtual environment and the code of the contract, made when it is not there.
fn python() -> PathBuf {
    let status = Command::new(root().join("deploy/tools/install-clients")).status().unwrap();
    assert!(status.success(), "deploy/tools/install-clients");
    root().join(".local/clients")
}

/// Runs the client; gives what it told, a step a line.
fn file_i_90(environment: &std::path::Path, system: &System) -> Vec<Value> {
    let output = Command::new(environment.join("python/bin/python"))
        .arg(root().join("tests/clients/python/file_i90.py"))
        .env("PYTHONPATH", environment.join("generated"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("DOCKET_HOME", system.home())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{printed}{}\n{}",
        String::from_utf8_lossy(&output.stderr),
        system.logs()
    );
    printed.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

/// What it told is what happened; gives the receipt number.
fn told_of_an_i_90(told: &[Value]) -> String {
    let steps: Vec<&str> = told.iter().filter_map(|line| line["step"].as_str()).collect();
    let until_watched = steps.iter().position(|step| *step == "watched").expect("a change was watched");
    assert_eq!(
        steps[..until_watched],
        [
            "registered",
            "email_confirmed",
            "authenticator_set_up",
            "signed_in",
            "identity_proven",
            "security_events",
            "draft_started",
            "refused",
            "refused",
            "answered",
            "answered",
            "evidence_uploaded",
            "page_uploaded",
            "complete",
            "fee_seen",
            "refused",
            "stepped_up",
            "signed",
            "sent",
            "paid",
            "paid",
            "paid_again",
        ]
    );
    let all = |step: &str| -> Vec<&Value> { told.iter().filter(|line| line["step"] == step).collect() };
    let one = |step: &str| *all(step).last().unwrap();
    assert_eq!(one("identity_proven")["identity_level"], "register_matched");
    assert!(one("security_events")["pages"].as_u64() > Some(1), "a list was read page by page");

    // Asked twice, done once; and an id does not serve for another request.
    let (draft, sent) = (one("draft_started"), one("sent"));
    assert_eq!(draft["filing"], draft["again"]);
    assert_eq!(sent["payment"], sent["again"]);
    assert_eq!((&one("paid_again")["charges"], &one("paid_again")["cents"]), (&1.into(), &41_500.into()));

    let refused: Vec<&Value> = all("refused").iter().map(|line| &line["reason"]).collect();
    assert_eq!(refused, ["REQUEST_ID_REUSED", "FIELDS_INVALID", "STEP_UP_REQUIRED"]);
    let fault = all("refused")[1]["fields"]["card_expiry"].as_str().unwrap();
    assert!(fault.starts_with("DATE_MALFORMED: "), "{fault}");

    let answered = all("answered");
    assert_eq!(answered[0]["stops"], serde_json::json!(["anumber"]));
    assert_eq!(answered[1]["stops"], serde_json::json!([]));
    let (page, complete) = (one("page_uploaded"), one("complete"));
    assert_eq!(
        (&page["chunk"], &page["resumed_at"], &page["status"]),
        (&1500.into(), &1500.into(), &200.into())
    );
    assert!(page["evidence"].as_str().unwrap().starts_with(draft["filing"].as_str().unwrap()), "{page}");
    assert_eq!(complete["evidence"].as_array().unwrap().len(), 2, "{complete}");
    assert_eq!(complete["ready"], true);
    assert_eq!(one("fee_seen")["cents"], 41_500);
    let outcomes: Vec<&Value> = all("paid").iter().map(|line| &line["outcome"]).collect();
    assert_eq!(outcomes, ["OUTCOME_DECLINED", "OUTCOME_PAID"]);

    let done = told.last().unwrap();
    assert_eq!((&done["step"], &done["state"]), (&"done".into(), &"accepted".into()), "{done}");
    let timeline: Vec<&str> = done["timeline"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(timeline.starts_with(&["case.opened.v1", "case.filing_accepted.v1"]), "{timeline:?}");
    let watched = one("watched");
    assert_eq!(watched["receipt_number"], done["receipt_number"]);
    assert_eq!(watched["title"], "Recibimos su caso", "in the language asked for");
    done["receipt_number"].as_str().unwrap().to_owned()
}

/// Runs the README's `buf curl` as it stands there, in a folder that looks like the checkout after `make run`.
fn call_of_the_readme(system: &System) {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let call = shell_block_with("buf curl", &readme).expect("a block with `buf curl` in README.md");
    assert!(!call.contains("--schema"), "the services describe themselves: {call}");

    let checkout = tempfile::tempdir().unwrap();
    let tools = checkout.path().join(".local/tools/bin");
    std::fs::create_dir_all(&tools).unwrap();
    let buf =
        std::env::var_os("DOCKET_BUF").map_or_else(|| root().join(".local/tools/bin/buf"), PathBuf::from);
    symlink(buf, tools.join("buf")).unwrap();
    symlink(system.home().join("tls"), checkout.path().join(".local/tls")).unwrap();

    // The ports of `make run` are taken when they are free; this system may have others.
    let shown =
        |part: &&docket_cli::up::place::Part| call.contains(&format!("https://localhost:{}/", part.grpc));
    let part = PARTS.iter().find(shown).expect("the README calls a port of services/docket/src/up/place.rs");
    let address = system.addresses()["grpc"][part.name].as_str().expect("an address").to_owned();
    let call = call.replace(&format!("https://localhost:{}", part.grpc), &address);
    let run =
        |call: &str| Command::new("sh").args(["-euc", call]).current_dir(checkout.path()).output().unwrap();

    let output = run(&call);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{call}\n{said}\n{}", system.logs());
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let forms = answer["forms"].as_array().unwrap();
    let i_90 = forms.iter().find(|form| form["form"] == "I-90").expect("I-90 is in the list");
    assert_eq!(i_90["online"], true);

    // Nobody is believed whose certificate the authority did not sign, and what is not there is said.
    let without_authority = call.replace("--cacert .local/tls/ca.pem", "");
    assert_ne!(without_authority, call);
    assert!(!run(&without_authority).status.success(), "{without_authority}");
    assert!(!run(&call.replace("ListForms", "ListFormulas")).status.success());
}

/// The first shell block with these words.
fn shell_block_with<'a>(words: &str, page: &'a str) -> Option<&'a str> {
    page.split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .find(|block| block.contains(words))
}
