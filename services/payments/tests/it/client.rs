//! Somebody who calls, and how answers are read.

use docket_proto::payments::v1 as pb;
use docket_proto::payments::v1::payment_service_client::PaymentServiceClient;
use docket_service::testing::with_token;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

pub(crate) use pb::pay_with_card_response::Outcome;
pub(crate) use pb::payment::State;

/// Somebody who calls.
#[derive(Clone)]
pub(crate) struct Client {
    /// Nil when it is no person.
    pub(crate) account: Uuid,
    /// Empty for nobody and for services.
    pub(crate) token: String,
    pub(crate) payments: PaymentServiceClient<Channel>,
}

impl Client {
    /// A request with the token, where there is one.
    pub(crate) fn ask<M>(&self, message: M) -> Request<M> {
        if self.token.is_empty() { Request::new(message) } else { with_token(message, &self.token) }
    }

    pub(crate) async fn get(&self, name: &str) -> Result<pb::Payment, Status> {
        self.get_with(name, "").await
    }

    /// The same with a code of the payer.
    pub(crate) async fn get_with(&self, name: &str, payer_code: &str) -> Result<pb::Payment, Status> {
        let message = pb::GetPaymentRequest { name: name.to_owned(), payer_code: payer_code.to_owned() };
        Ok(self.payments.clone().get_payment(self.ask(message)).await?.into_inner().payment.unwrap())
    }

    /// Pays with a new request id.
    pub(crate) async fn pay(&self, name: &str, method: &str) -> Result<(Outcome, pb::Payment), Status> {
        self.pay_as(&id(), name, method).await
    }

    pub(crate) async fn pay_as(
        &self,
        request_id: &str,
        name: &str,
        method: &str,
    ) -> Result<(Outcome, pb::Payment), Status> {
        let message = pb::PayWithCardRequest {
            request_id: request_id.to_owned(),
            name: name.to_owned(),
            method_token: method.to_owned(),
            payer_code: String::new(),
        };
        self.send(message).await
    }

    /// Pays with a code of the payer.
    pub(crate) async fn pay_with(
        &self,
        name: &str,
        method: &str,
        payer_code: &str,
    ) -> Result<(Outcome, pb::Payment), Status> {
        self.pay_with_as(&id(), name, method, payer_code).await
    }

    pub(crate) async fn pay_with_as(
        &self,
        request_id: &str,
        name: &str,
        method: &str,
        payer_code: &str,
    ) -> Result<(Outcome, pb::Payment), Status> {
        let message = pb::PayWithCardRequest {
            request_id: request_id.to_owned(),
            name: name.to_owned(),
            method_token: method.to_owned(),
            payer_code: payer_code.to_owned(),
        };
        self.send(message).await
    }

    /// Lets somebody else pay; gives the code.
    pub(crate) async fn invite(&self, request_id: &str, name: &str) -> Result<String, Status> {
        let message = pb::InvitePayerRequest { request_id: request_id.to_owned(), name: name.to_owned() };
        Ok(self.payments.clone().invite_payer(self.ask(message)).await?.into_inner().payer_code)
    }

    /// Takes a payment back.
    pub(crate) async fn withdraw(&self, request_id: &str, name: &str) -> Result<pb::Payment, Status> {
        let message = pb::WithdrawPaymentRequest { request_id: request_id.to_owned(), name: name.to_owned() };
        Ok(self.payments.clone().withdraw_payment(self.ask(message)).await?.into_inner().payment.unwrap())
    }

    async fn send(&self, message: pb::PayWithCardRequest) -> Result<(Outcome, pb::Payment), Status> {
        let answer = self.payments.clone().pay_with_card(self.ask(message)).await?.into_inner();
        Ok((answer.outcome(), answer.payment.unwrap()))
    }

    pub(crate) async fn quote(&self, message: pb::CreateQuoteRequest) -> Result<pb::Quote, Status> {
        Ok(self.payments.clone().create_quote(self.ask(message)).await?.into_inner().quote.unwrap())
    }

    pub(crate) async fn page(
        &self,
        page_size: u32,
        page_token: &str,
    ) -> Result<pb::ListPaymentsResponse, Status> {
        let message = pb::ListPaymentsRequest { page_size, page_token: page_token.to_owned() };
        Ok(self.payments.clone().list_payments(self.ask(message)).await?.into_inner())
    }

    /// The ledger's accounts with their balances in cents.
    pub(crate) async fn balances(&self) -> Result<Vec<(String, i64)>, Status> {
        let asked = self.payments.clone().get_trial_balance(self.ask(pb::GetTrialBalanceRequest {})).await?;
        let balances = asked.into_inner().balances.into_iter();
        Ok(balances.map(|balance| (balance.ledger_account, balance.balance_cents)).collect())
    }
}

/// A new command id.
pub(crate) fn id() -> String {
    Uuid::now_v7().to_string()
}

/// The reason of a refusal, or the one of its first field.
pub(crate) fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let field = details.bad_request().and_then(|bad| bad.field_violations.first());
    match (details.error_info(), field) {
        (Some(info), _) if info.reason != "FIELDS_INVALID" => info.reason.clone(),
        (_, Some(field)) => field.description.split(':').next().unwrap_or_default().to_owned(),
        _ => format!("{:?}", status.code()),
    }
}
