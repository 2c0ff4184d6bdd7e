//! Every rpc there is, asked by nobody, by a stranger, and by somebody with a forged token: none answers what it should not.
use crate::system::System;
use docket_proto::{METHODS, MethodAccess};
use serde_json::Value;
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
        "log" => vec!["identity", "filing", "payments", "case-status", "notifications"],
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
