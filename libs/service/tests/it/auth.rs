//! Who gets in, who does not, and what they are told.

use docket_proto::payments::v1 as pb;
use docket_proto::payments::v1::payment_service_client::PaymentServiceClient;
use docket_service::testing::{Authority, Bench, TokenKey, grant_role, with_token};
use docket_testkit::Line;
use serde_json::json;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::bench::Place;

type Client = PaymentServiceClient<Channel>;

async fn pay(client: &mut Client, token: &str) -> Result<(), Status> {
    client.pay_with_card(with_token(pb::PayWithCardRequest::default(), token)).await.map(drop)
}

/// The handler of `GetPayment` answers `INVALID_ARGUMENT`: whoever gets that was let in.
async fn get(client: &mut Client, token: &str) -> Code {
    client.get_payment(with_token(pb::GetPaymentRequest::default(), token)).await.unwrap_err().code()
}

fn claims(bench: &Bench) -> serde_json::Value {
    let now = bench.now().as_second();
    json!({"iss": "docket", "aud": "docket", "sub": Uuid::from_u128(1), "sid": Uuid::from_u128(2),
           "acr": "aal2", "auth_time": now, "exp": now + 300})
}

#[tokio::test(flavor = "multi_thread")]
async fn persons_get_in_by_a_good_token_and_nothing_else() {
    let place = Place::new("payments").await;
    let server = place.payments().await;
    let mut client = PaymentServiceClient::new(server.channel());
    let account = Uuid::from_u128(1);

    let refused = client.get_payment(pb::GetPaymentRequest::default()).await.unwrap_err();
    assert_eq!((refused.code(), refused.details()), (Code::Unauthenticated, &[][..]));
    assert_eq!(get(&mut client, &place.bench.token(account)).await, Code::InvalidArgument);

    let good = claims(&place.bench);
    let with = |key: &str, value: serde_json::Value| {
        let mut claims = good.clone();
        claims[key] = value;
        place.bench.key.sign(&claims)
    };
    let now = place.bench.now().as_second();
    for (why, token) in [
        ("not a token", "nonsense".to_owned()),
        ("another key with the same id", TokenKey::new().sign(&good)),
        ("expired", with("exp", json!(now - 60))),
        ("another issuer", with("iss", json!("elsewhere"))),
        ("another audience", with("aud", json!("elsewhere"))),
        ("one factor only", with("acr", json!("aal1"))),
        ("a factor in the future", with("auth_time", json!(now + 3600))),
        ("no account", with("sub", json!("me"))),
        ("not signed", unsigned(&good)),
    ] {
        let refused =
            client.get_payment(with_token(pb::GetPaymentRequest::default(), &token)).await.unwrap_err();
        assert_eq!((refused.code(), refused.details()), (Code::Unauthenticated, &[][..]), "{why}");
    }

    // Only our clock counts: a token of today is out of its time tomorrow.
    let today = place.bench.token(account);
    assert_eq!(get(&mut client, &today).await, Code::InvalidArgument);
    place.bench.advance(86_400);
    crate::bench::until("the server notices the clock", async || {
        get(&mut client.clone(), &today).await == Code::Unauthenticated
    })
    .await;
    assert_eq!(get(&mut client, &place.bench.token(account)).await, Code::InvalidArgument);
    server.stop().await.unwrap();
}

/// Whoever calls without a deadline is told in the end, and may ask again.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_the_database_does_not_answer_is_given_up() {
    let place = Place::new("payments").await;
    let mut config = place.config("payments").await;
    let line = Line::to(&place.own.url).await;
    line.url().clone_into(&mut config.database.url);
    let server = place.bench.serve(config, crate::bench::serve_payments).await;
    let mut client = PaymentServiceClient::new(server.channel());
    let account = Uuid::from_u128(1);
    line.silent_at("FROM access.role");
    assert_eq!(get(&mut client, &place.bench.token(account)).await, Code::Unavailable);
    assert!(line.fell_silent());
    assert_eq!(get(&mut client, &place.bench.token(account)).await, Code::InvalidArgument);
    server.stop().await.unwrap();
}

fn unsigned(claims: &serde_json::Value) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(&json!({"alg": "none", "kid": "test-1"})), part(claims))
}

#[tokio::test(flavor = "multi_thread")]
async fn guarded_acts_ask_for_a_fresh_second_factor() {
    let place = Place::new("payments").await;
    let server = place.payments().await;
    let mut client = PaymentServiceClient::new(server.channel());
    let account = Uuid::from_u128(1);
    pay(&mut client, &place.bench.step_up_token(account)).await.unwrap();
    for token in [place.bench.token(account), place.bench.token_with(account, "stepup", 700)] {
        let refused = pay(&mut client, &token).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        let info = refused.get_details_error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("STEP_UP_REQUIRED", "payments.docket"));
    }
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_could_never_do_is_refused_before_the_message_is_read() {
    let place = Place::new("payments").await;
    let server = place.payments().await;
    let mut client = PaymentServiceClient::new(server.channel());
    let account = Uuid::from_u128(1);
    let token = place.bench.token(account);
    let ask = || with_token(pb::GetTrialBalanceRequest::default(), &token);
    let refused = client.get_trial_balance(ask()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    grant_role(&place.own.pool, account, "finance", "NBC").await;
    client.get_trial_balance(ask()).await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn services_get_in_by_their_certificate_where_they_are_named() {
    let place = Place::new("payments").await;
    let server = place.payments().await;
    let quote = async |channel: Channel| {
        PaymentServiceClient::new(channel).create_quote(pb::CreateQuoteRequest::default()).await.map(drop)
    };
    quote(server.channel_as(&place.bench, "filing")).await.unwrap();
    let other = quote(server.channel_as(&place.bench, "notifications")).await.unwrap_err();
    assert_eq!(other.code(), Code::PermissionDenied);
    assert_eq!(quote(server.channel()).await.unwrap_err().code(), Code::Unauthenticated);
    // A person's token is no certificate.
    let token = place.bench.token(Uuid::from_u128(1));
    let person = PaymentServiceClient::new(server.channel())
        .create_quote(with_token(pb::CreateQuoteRequest::default(), &token))
        .await
        .unwrap_err();
    assert_eq!(person.code(), Code::Unauthenticated);
    // Nor is a certificate a token.
    let service = PaymentServiceClient::new(server.channel_as(&place.bench, "filing"))
        .get_payment(pb::GetPaymentRequest::default())
        .await
        .unwrap_err();
    assert_eq!(service.code(), Code::Unauthenticated);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_authority_does_not_even_connect() {
    let place = Place::new("payments").await;
    let server = place.payments().await;
    let folder = tempfile::tempdir().unwrap();
    let forged = Authority::new().issue("filing", folder.path());
    let read = |path: &std::path::Path| std::fs::read(path).unwrap();
    let ours = place.bench.authority.issue("look", &folder.path().join("ours"));
    let tls = ClientTlsConfig::new()
        .identity(Identity::from_pem(read(&forged.cert_file), read(&forged.key_file)))
        .ca_certificate(Certificate::from_pem(read(&ours.ca_file)))
        .domain_name("localhost");
    let endpoint = Endpoint::from_shared(format!("https://{}", server.listening.grpc)).unwrap();
    let mut client = PaymentServiceClient::new(endpoint.tls_config(tls).unwrap().connect_lazy());
    let refused = client.create_quote(pb::CreateQuoteRequest::default()).await.unwrap_err();
    // The transport fails; no answer comes back, not even a refusal.
    assert!(std::error::Error::source(&refused).is_some(), "{refused:?}");
    // And the other way round: a client does not trust a server of another authority.
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(read(&forged.ca_file)))
        .domain_name("localhost");
    let endpoint = Endpoint::from_shared(format!("https://{}", server.listening.grpc)).unwrap();
    assert!(endpoint.tls_config(tls).unwrap().connect().await.is_err());
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_method_is_unimplemented_and_our_fault_gives_an_id_only() {
    let place = Place::new("payments").await;
    let server = place.payments().await;
    // Filing's service is described but not served here; a person's token gets no further than Cedar.
    let mut client = tonic::client::Grpc::new(server.channel());
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/docket.payments.v1.PaymentService/NoSuchMethod");
    let codec = tonic_prost::ProstCodec::<pb::GetPaymentRequest, pb::GetPaymentResponse>::default();
    let refused =
        client.unary(Request::new(pb::GetPaymentRequest::default()), path, codec).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);

    let token = place.bench.token(Uuid::from_u128(1));
    let fault = PaymentServiceClient::new(server.channel())
        .list_payments(with_token(pb::ListPaymentsRequest::default(), &token))
        .await
        .unwrap_err();
    assert_eq!(fault.code(), Code::Internal);
    assert!(!format!("{fault:?}").contains("nobody outside"));
    server.stop().await.unwrap();
}
