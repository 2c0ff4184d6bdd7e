//! The gRPC face: take apart, call, answer.
mod convert;

use crate::cashier::{self, Cashier, Payer};
use crate::domain::payment;
use crate::domain::quote::{self, VALID_FOR_US};
use crate::invitation;
use crate::processor::Outcome;
use crate::store::{ledger, payer};
use docket_eventlog::Subjects;
use docket_kernel::{Refusal, derived_id, resource};
use docket_proto::payments::events::v1::FeeQuoted;
use docket_proto::payments::v1 as pb;
use docket_proto::payments::v1::payment_service_server::PaymentService;
use docket_service::{ApiError, Base, Resource, caller, detached, page};
use jiff::civil::Date;
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// The list, in its page tokens.
const PAYMENTS: &str = "ListPayments";

/// The service.
#[derive(Clone)]
pub struct Payments {
    /// What every service has.
    pub base: Base,
    /// Carries out what the domain decides.
    pub cashier: Cashier,
}

#[tonic::async_trait]
impl PaymentService for Payments {
    async fn create_quote(
        &self,
        request: Request<pb::CreateQuoteRequest>,
    ) -> Result<Response<pb::CreateQuoteResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &message)?;
        let quote_id = derived_id("quote", context.command_id, 0);
        let quoted = self.checked_quote(message)?;
        let store = self.cashier.quotes.clone();
        let done = detached(async move {
            store
                .execute(&context, quote_id, Subjects::NONE, |state| quote::quote(state, quoted.clone()))
                .await
        })
        .await
        .map_err(ApiError::from)?;
        Ok(Response::new(pb::CreateQuoteResponse { quote: convert::quote(quote_id, done.state.quoted) }))
    }

    async fn list_payments(
        &self,
        request: Request<pb::ListPaymentsRequest>,
    ) -> Result<Response<pb::ListPaymentsResponse>, Status> {
        let account = caller(&request)?.person()?.account;
        let message = request.into_inner();
        let size = page::size(message.page_size);
        let offset = offset(&message.page_token)?;
        let mut ids = payer::of_account(&self.base.pool, account, i64::from(size) + 1, offset)
            .await
            .map_err(ApiError::from)?;
        let next_page_token =
            page::cut(PAYMENTS, &mut ids, size, |_last| (offset + i64::from(size)).to_string());
        let mut payments = Vec::with_capacity(ids.len());
        for id in ids {
            payments.push(self.shown(id, Some(account)).await?);
        }
        Ok(Response::new(pb::ListPaymentsResponse { payments, next_page_token }))
    }

    async fn get_payment(
        &self,
        request: Request<pb::GetPaymentRequest>,
    ) -> Result<Response<pb::GetPaymentResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.into_inner();
        let id = resource::parse("payments", &message.name).map_err(fault)?;
        let part = self.require(&caller, "GetPayment", id, &message.payer_code).await?;
        Ok(Response::new(pb::GetPaymentResponse { payment: Some(self.shown(id, part.caller).await?) }))
    }

    async fn pay_with_card(
        &self,
        request: Request<pb::PayWithCardRequest>,
    ) -> Result<Response<pb::PayWithCardResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.into_inner();
        let id = resource::parse("payments", &message.name).map_err(fault)?;
        let part = self.require(&caller, "PayWithCard", id, &message.payer_code).await?;
        if message.method_token.is_empty() || message.method_token.len() > 120 {
            return Err(ApiError::invalid(
                "method_token",
                "METHOD_MISSING",
                "send the token that the processor gave for the card, such as pm_card_visa",
            )
            .into());
        }
        let context = caller.context(&message.request_id, &message)?;
        let cashier = self.cashier.clone();
        let payer = Payer { account: part.payer, is_caller: part.is_payer };
        let outcome =
            detached(async move { cashier.pay(&context, id, payer, &message.method_token).await }).await?;
        let outcome = match outcome {
            Outcome::Charged(_) => pb::pay_with_card_response::Outcome::Paid,
            Outcome::Declined(_) => pb::pay_with_card_response::Outcome::Declined,
            Outcome::Pending => pb::pay_with_card_response::Outcome::Pending,
        };
        Ok(Response::new(pb::PayWithCardResponse {
            payment: Some(self.shown(id, part.caller).await?),
            outcome: outcome.into(),
        }))
    }

    async fn invite_payer(
        &self,
        request: Request<pb::InvitePayerRequest>,
    ) -> Result<Response<pb::InvitePayerResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.into_inner();
        let id = resource::parse("payments", &message.name).map_err(fault)?;
        let payer = self.require(&caller, "InvitePayer", id, "").await?.payer;
        let context = caller.context(&message.request_id, &message)?;
        let now_us = self.base.clock.now().as_microsecond();
        let cashier = self.cashier.clone();
        let invited = detached(async move { cashier.invite_payer(&context, id, payer, now_us).await });
        let invited = invited.await?;
        Ok(Response::new(pb::InvitePayerResponse {
            payer_code: invited.code,
            valid_until_us: invited.valid_until_us,
        }))
    }

    async fn withdraw_payment(
        &self,
        request: Request<pb::WithdrawPaymentRequest>,
    ) -> Result<Response<pb::WithdrawPaymentResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.into_inner();
        let id = resource::parse("payments", &message.name).map_err(fault)?;
        let part = self.require(&caller, "WithdrawPayment", id, "").await?;
        let context = caller.context(&message.request_id, &message)?;
        let cashier = self.cashier.clone();
        let withdrawn = detached(async move { cashier.withdraw(&context, id, part.payer).await });
        withdrawn.await.map_err(ApiError::from)?;
        Ok(Response::new(pb::WithdrawPaymentResponse { payment: Some(self.shown(id, part.caller).await?) }))
    }

    async fn get_trial_balance(
        &self,
        request: Request<pb::GetTrialBalanceRequest>,
    ) -> Result<Response<pb::GetTrialBalanceResponse>, Status> {
        let caller = caller(&request)?;
        let ledger =
            Resource { kind: "Ledger", id: Uuid::nil(), relations: vec![], office: None, class: "normal" };
        self.base.access.require(&caller, "GetTrialBalance", &ledger)?;
        let balances = ledger::balances(&self.base.pool).await.map_err(ApiError::from)?;
        let balances = balances
            .into_iter()
            .map(|(ledger_account, balance_cents)| pb::LedgerBalance { ledger_account, balance_cents });
        Ok(Response::new(pb::GetTrialBalanceResponse { balances: balances.collect() }))
    }
}

impl Payments {
    /// A payment as an account sees it, opened at this edge only: a card is shown to whoever paid with it, and to nobody else.
    async fn shown(&self, id: Uuid, account: Option<Uuid>) -> Result<pb::Payment, ApiError> {
        let loaded = self.cashier.payments.load(id).await?;
        let mut quoted = Vec::new();
        for part in &loaded.state.parts {
            if let Ok(quote_id) = Uuid::try_parse(&part.quote_id) {
                quoted.extend(self.cashier.quotes.load(quote_id).await?.state.quoted);
            }
        }
        let mut payment = convert::payment(id, &loaded.state, quoted);
        if account.is_some() && convert::paid_by(&loaded.events) == account {
            payment.card_last4 = convert::last4(&self.base.log, &loaded.events).await?;
        } else {
            payment.card_brand.clear();
        }
        Ok(payment)
    }

    /// Whether the caller may do something with a payment, as its payer or with a code of the payer.
    async fn require(
        &self,
        caller: &docket_service::Caller,
        action: &str,
        id: Uuid,
        payer_code: &str,
    ) -> Result<Part, ApiError> {
        let state = self.cashier.payments.load(id).await?.state;
        let payer = cashier::payer(&state);
        let is_payer = payer.is_some() && caller.account() == payer;
        let now_us = self.base.clock.now().as_microsecond();
        let is_invited = payment::opens(&state, &invitation::hash(payer_code), now_us);
        let relations = [(is_payer, "payer"), (is_invited, "invited_payer")];
        let relations = relations.into_iter().filter(|(is, _)| *is).map(|(_, relation)| relation).collect();
        let payment = Resource { kind: "Payment", id, relations, office: None, class: "normal" };
        self.base.access.require(caller, action, &payment)?;
        let payer = payer.ok_or_else(ApiError::not_found)?;
        Ok(Part { payer, caller: caller.account(), is_payer })
    }

    fn checked_quote(&self, message: pb::CreateQuoteRequest) -> Result<FeeQuoted, ApiError> {
        let filing_date: Date = message.filing_date.parse().map_err(|_malformed| {
            ApiError::invalid("filing_date", "DATE_MALFORMED", "a date is written like 2026-11-23")
        })?;
        if message.table_version != self.cashier.catalogue.version() {
            return Err(Refusal::state(
                "FEE_DIFFERS",
                "the fee was computed with another version of the fee table",
            )
            .way_out("try again once both services run the same version")
            .into());
        }
        let total_cents = quote::check_rows(&self.cashier.catalogue, &message.rows, filing_date)?;
        Ok(FeeQuoted {
            package_id: message.package_id,
            rows: message.rows,
            total_cents,
            table_version: message.table_version,
            filing_date: message.filing_date,
            valid_until_us: self.base.clock.now().as_microsecond() + VALID_FOR_US,
            account_id: message.account_id,
        })
    }
}

/// A caller's part in a payment.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Whose payment it is.
    payer: Uuid,
    /// Who calls.
    caller: Option<Uuid>,
    /// Whether the caller is that; else somebody whom the payer gave a code.
    is_payer: bool,
}

/// How many payments the pages before this one held.
fn offset(page_token: &str) -> Result<i64, ApiError> {
    let Some(text) = page::decode(PAYMENTS, page_token)? else { return Ok(0) };
    let malformed = |_not_ours| page::malformed();
    text.parse::<u32>().map(i64::from).map_err(malformed)
}

fn fault(fault: docket_kernel::FieldFault) -> ApiError {
    Refusal::faults(vec![fault]).into()
}
