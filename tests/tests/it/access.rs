//! Every rpc there is × everybody who could ask: nobody, a forger, a person without a role, and each role of the office.
use crate::system::{System, root};
use docket_cli::address::Addresses;
use docket_cli::story::{Act, Player, party};
use docket_proto::{METHODS, MethodAccess};
use serde_json::Value;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

/// A token of the right shape that nobody signed.
const FORGED: &str =
    "eyJhbGciOiJFZERTQSIsImtpZCI6IngifQ.eyJzdWIiOiIwMTkwMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDAifQ.AAAA";

#[tokio::test(flavor = "multi_thread")]
async fn no_rpc_answers_without_the_right_token_or_certificate() {
    let system = tokio::task::spawn_blocking(System::start).await.unwrap();
    let addresses = system.addresses();
    let mut wrong = Vec::new();
    let mut asked = 0;
    for method in METHODS {
        for service in services_of(method) {
            let channel = channel(&addresses, service);
            for (who, token) in [("nobody", None), ("a forger", Some(FORGED))] {
                let status = call(channel.clone(), method, token).await;
                asked += 1;
                if !refused_as_it_should(method, status.code()) {
                    wrong.push(format!(
                        "{} asked by {who}: {:?} {}",
                        method.path,
                        status.code(),
                        status.message()
                    ));
                }
            }
        }
    }
    assert!(asked >= METHODS.len() * 2, "every method was asked");
    assert!(wrong.is_empty(), "{wrong:#?}");
    tokio::task::spawn_blocking(move || drop(system)).await.unwrap();
}

/// An open method may say what is wrong with an empty message; every other one knows nobody without a token.
fn refused_as_it_should(method: &MethodAccess, code: Code) -> bool {
    if method.open {
        return !matches!(code, Code::Internal | Code::Unknown | Code::Unimplemented);
    }
    code == Code::Unauthenticated
}

/// The services that serve a method.
fn services_of(method: &MethodAccess) -> Vec<&'static str> {
    let package = method.path.trim_start_matches("/docket.").split('.').next().expect("a package");
    match package {
        "identity" => vec!["identity"],
        "filing" => vec!["filing"],
        "payments" => vec!["payments"],
        "notifications" => vec!["notifications"],
        "case_status" if method.path.contains("StatusService") => vec!["status-projection"],
        "case_status" => vec!["case-status"],
        "log" => {
            vec!["identity", "filing", "payments", "case-status", "status-projection", "notifications"]
        }
        other => panic!("{other} is served by nobody: {}", method.path),
    }
}

fn channel(addresses: &Value, service: &str) -> Channel {
    let ca = std::fs::read(addresses["ca_file"].as_str().unwrap()).unwrap();
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca)).domain_name("localhost");
    let url =
        addresses["grpc"][service].as_str().unwrap_or_else(|| panic!("no address of {service}")).to_owned();
    Endpoint::from_shared(url).unwrap().tls_config(tls).unwrap().connect_lazy()
}

/// Calls with an empty message and gives the status; OK becomes a status too.
async fn call(channel: Channel, method: &MethodAccess, token: Option<&str>) -> Status {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.expect("the service listens");
    let mut request = Request::new(());
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let path = http::uri::PathAndQuery::from_static(method.path);
    let answer = client.unary(request, path, ProstCodec::<(), ()>::default()).await;
    answer.err().unwrap_or_else(|| Status::ok("answered"))
}

/// Everybody who may sign in: a person without a role, and one of each role of the office.
const ROLES: [&str; 9] = [
    "person",
    "intake_officer",
    "adjudicator",
    "supervisor",
    "biometrics_officer",
    "oath_officer",
    "records_officer",
    "finance",
    "operator",
];

/// How long a role may take to reach every service.
const ROLES_ARRIVE: Duration = Duration::from_secs(10);

/// What every rpc for people answers to an empty message from each of them, as it was last looked at by a person. A new
/// rpc, or one that answers somebody else than before, shows here: look at it, then run with `DOCKET_ACCEPT=1`.
#[tokio::test(flavor = "multi_thread")]
async fn every_rpc_answers_every_role_as_reviewed() {
    let system = tokio::task::spawn_blocking(System::start).await.unwrap();
    let addresses = system.addresses();
    let tokens = people(&addresses).await;
    let golden = root().join("tests/access-matrix.txt");
    let reviewed = std::fs::read_to_string(&golden).unwrap_or_default();
    let mut table = String::new();
    // A role takes a moment to reach every service.
    let begun = Instant::now();
    for method in METHODS.iter().filter(|method| method.person) {
        for service in services_of(method) {
            let channel = channel(&addresses, service);
            let mut line = answers(&channel, method, &tokens).await;
            while !reviewed.lines().any(|known| known == line) && begun.elapsed() < ROLES_ARRIVE {
                line = answers(&channel, method, &tokens).await;
            }
            // What every service serves is one line, unless one of them answers differently.
            if !table.lines().any(|known| known == line) {
                let _ = writeln!(table, "{line}");
            }
        }
    }
    if std::env::var_os("DOCKET_ACCEPT").is_some() {
        std::fs::write(&golden, &table).unwrap();
        return;
    }
    let changed: Vec<&str> =
        table.lines().filter(|line| !reviewed.lines().any(|known| known == *line)).collect();
    assert!(changed.is_empty(), "not as reviewed: {changed:#?}");
    assert_eq!(table.lines().count(), reviewed.lines().count(), "an rpc is gone: take its line out");
    tokio::task::spawn_blocking(move || drop(system)).await.unwrap();
}

/// What a method answers each role.
async fn answers(channel: &Channel, method: &MethodAccess, tokens: &[String]) -> String {
    let mut codes = Vec::new();
    for (role, token) in ROLES.iter().zip(tokens) {
        let status = call(channel.clone(), method, Some(token)).await;
        let fault_of_ours = matches!(status.code(), Code::Internal | Code::Unknown | Code::Unimplemented);
        assert!(!fault_of_ours, "{} asked by {role}: {status:?}", method.path);
        codes.push(format!("{role}={:?}", status.code()));
    }
    format!("{} {}", method.path, codes.join(" "))
}

/// Registers one of each and gives their tokens.
async fn people(addresses: &Value) -> Vec<String> {
    let addresses: Addresses = serde_json::from_value(addresses.clone()).unwrap();
    let mut player = Player::with_people(&addresses, ROLES.map(str::to_owned).as_slice()).unwrap();
    let mut tokens = Vec::new();
    for role in ROLES {
        for act in [
            Act::Register {},
            Act::ConfirmEmail { wrong: false },
            Act::SetUpTotp {},
            Act::SignIn { wrong_password: false },
        ] {
            let answer = party::account(&mut player, role, &act).await;
            answer.unwrap_or_else(|stumble| panic!("{role}: {act:?}: {stumble:?}"));
        }
        if role != "person" {
            let act = Act::TakeRole { role: role.to_owned() };
            party::account(&mut player, role, &act)
                .await
                .unwrap_or_else(|stumble| panic!("{role}: {stumble:?}"));
        }
        tokens.push(player.token(role).unwrap().expect("signed in"));
    }
    tokens
}
