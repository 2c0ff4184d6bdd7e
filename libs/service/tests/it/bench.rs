//! The service under test: payments' API with answers that show who called.

use std::time::Duration;

use docket_proto::payments::v1 as pb;
use docket_proto::payments::v1::payment_service_server::{PaymentService, PaymentServiceServer};
use docket_service::testing::{Bench, Running};
use docket_service::{ApiError, Base, BaseOptions, Server, ServiceConfig, Stop, caller, migrate};
use docket_testkit::{TestDatabase, TestNats};
use sqlx::migrate::Migrator;
use tonic::{Request, Response, Status};

pub(crate) static MIGRATOR: Migrator = sqlx::migrate!("tests/migrations");

pub(crate) const SCHEMA: &str = "
    entity Person { roles: Set<String>, offices: Set<String>, roles_here: Set<String> };
    entity Resource { kind: String, relations: Set<String>, office: String, class: String };
    action ListPayments, GetPayment, PayWithCard, GetTrialBalance appliesTo { principal: Person, resource: Resource };
";
pub(crate) const POLICIES: &str = r#"
    permit (principal, action in [Action::"ListPayments", Action::"GetPayment", Action::"PayWithCard"], resource)
    when { resource.relations.contains("payer") };
    permit (principal, action == Action::"GetTrialBalance", resource) when { principal.roles.contains("finance") };
"#;

/// What one test has: servers of its own.
pub(crate) struct Place {
    pub(crate) bench: Bench,
    pub(crate) own: TestDatabase,
    pub(crate) keys: TestDatabase,
    pub(crate) nats: TestNats,
}

impl Place {
    pub(crate) async fn new(name: &str) -> Self {
        Self {
            bench: Bench::new().await,
            own: docket_testkit::database(name).await,
            keys: docket_testkit::database("keys").await,
            nats: docket_testkit::nats().await,
        }
    }

    /// The configuration of a service here, its databases migrated.
    pub(crate) async fn config(&self, name: &str) -> ServiceConfig {
        let config = self.bench.config(name, &self.own.url, Some(&self.keys.url), &self.nats.url);
        migrate(&config, &MIGRATOR).await.unwrap();
        config
    }

    pub(crate) async fn payments(&self) -> Running {
        let config = self.config("payments").await;
        self.bench.serve(config, serve_payments).await
    }
}

pub(crate) fn options() -> BaseOptions {
    BaseOptions::new("payments", "payments", POLICIES, SCHEMA)
}

pub(crate) async fn serve_payments(config: ServiceConfig, stop: Stop) -> anyhow::Result<()> {
    let base = Base::connect(&config, options()).await?;
    Server::new(base).grpc(PaymentServiceServer::new(Payments)).run(stop).await
}

struct Payments;

#[tonic::async_trait]
impl PaymentService for Payments {
    async fn create_quote(
        &self,
        request: Request<pb::CreateQuoteRequest>,
    ) -> Result<Response<pb::CreateQuoteResponse>, Status> {
        assert_eq!(caller(&request)?.service(), Some("filing"));
        Ok(Response::new(pb::CreateQuoteResponse::default()))
    }

    async fn list_payments(
        &self,
        _request: Request<pb::ListPaymentsRequest>,
    ) -> Result<Response<pb::ListPaymentsResponse>, Status> {
        Err(ApiError::internal(anyhow::anyhow!("a cause nobody outside may see")).into())
    }

    async fn get_payment(
        &self,
        request: Request<pb::GetPaymentRequest>,
    ) -> Result<Response<pb::GetPaymentResponse>, Status> {
        caller(&request)?.person()?;
        Err(ApiError::invalid("name", "NAME_MALFORMED", "Write payments/<id>.").into())
    }

    async fn pay_with_card(
        &self,
        request: Request<pb::PayWithCardRequest>,
    ) -> Result<Response<pb::PayWithCardResponse>, Status> {
        assert!(caller(&request)?.person()?.step_up);
        Ok(Response::new(pb::PayWithCardResponse::default()))
    }

    async fn invite_payer(
        &self,
        request: Request<pb::InvitePayerRequest>,
    ) -> Result<Response<pb::InvitePayerResponse>, Status> {
        caller(&request)?.person()?;
        Ok(Response::new(pb::InvitePayerResponse::default()))
    }

    async fn withdraw_payment(
        &self,
        request: Request<pb::WithdrawPaymentRequest>,
    ) -> Result<Response<pb::WithdrawPaymentResponse>, Status> {
        caller(&request)?.person()?;
        Ok(Response::new(pb::WithdrawPaymentResponse::default()))
    }

    async fn get_trial_balance(
        &self,
        request: Request<pb::GetTrialBalanceRequest>,
    ) -> Result<Response<pb::GetTrialBalanceResponse>, Status> {
        assert!(caller(&request)?.has_role("finance", Some("NBC")));
        Ok(Response::new(pb::GetTrialBalanceResponse::default()))
    }
}

/// Waits for a condition, at most half a minute.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    tokio::time::timeout(Duration::from_secs(30), async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap_or_else(|_late| panic!("waited too long for {what}"));
}
