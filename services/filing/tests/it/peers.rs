//! The other services as filing meets them: identity's directory, payments' quotes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use docket_proto::identity::v1 as identity;
use docket_proto::identity::v1::directory_service_server::DirectoryService;
use docket_proto::payments::v1 as payments;
use docket_proto::payments::v1::payment_service_server::PaymentService;
use docket_proto::types::v1::Money;
use docket_service::ApiError;
use tokio::sync::watch;
use tonic::{Request, Response, Status};

/// What identity does with an address of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Addresses {
    /// It keeps it.
    #[default]
    Kept,
    /// It does not answer.
    Hang,
    /// The account was erased.
    Erased,
}

/// Contacts by account.
#[derive(Clone, Default)]
pub(crate) struct Directory {
    pub(crate) contacts: Arc<Mutex<HashMap<String, identity::GetContactResponse>>>,
    pub(crate) addresses: watch::Sender<Addresses>,
}

#[tonic::async_trait]
impl DirectoryService for Directory {
    async fn get_contact(
        &self,
        request: Request<identity::GetContactRequest>,
    ) -> Result<Response<identity::GetContactResponse>, Status> {
        let contacts = self.contacts.lock().expect("no test panics while holding it");
        let contact = contacts.get(&request.get_ref().account_id).cloned();
        contact.map(Response::new).ok_or_else(|| Status::not_found("no such account"))
    }

    /// Keeps it as the real one does: the contact has the address from then on.
    async fn record_address(
        &self,
        request: Request<identity::RecordAddressRequest>,
    ) -> Result<Response<identity::RecordAddressResponse>, Status> {
        let asked = request.into_inner();
        let mut addresses = self.addresses.subscribe();
        let now = *addresses.wait_for(|now| *now != Addresses::Hang).await.expect("we hold the sender");
        if now == Addresses::Erased {
            return Err(ApiError::Erased.into());
        }
        let mut contacts = self.contacts.lock().expect("no test panics while holding it");
        let contact =
            contacts.get_mut(&asked.account_id).ok_or_else(|| Status::not_found("no such account"))?;
        if asked.for_case {
            let kept = identity::GetContactResponse { postal_address: asked.address, ..Default::default() };
            // What a form gives is its case's; of a move all cases that it is for.
            let moved = asked.case_ids.into_iter().chain(asked.receipt_numbers);
            for case in moved.chain(Some(asked.filing_id).filter(|_| asked.no_move)) {
                contacts.insert(case, kept.clone());
            }
        } else {
            contact.postal_address = asked.address;
        }
        Ok(Response::new(identity::RecordAddressResponse {}))
    }
}

/// Quotes what it is asked for, under the id of the request.
#[derive(Clone, Default)]
pub(crate) struct Quotes;

#[tonic::async_trait]
impl PaymentService for Quotes {
    async fn create_quote(
        &self,
        request: Request<payments::CreateQuoteRequest>,
    ) -> Result<Response<payments::CreateQuoteResponse>, Status> {
        let request = request.into_inner();
        let total = request.rows.iter().map(|row| row.cents).sum();
        let quote = payments::Quote {
            name: format!("quotes/{}", request.request_id),
            rows: request.rows,
            total: Some(Money { currency: "USD".into(), cents: total }),
            valid_until_us: 0,
        };
        Ok(Response::new(payments::CreateQuoteResponse { quote: Some(quote) }))
    }

    async fn list_payments(
        &self,
        _: Request<payments::ListPaymentsRequest>,
    ) -> Result<Response<payments::ListPaymentsResponse>, Status> {
        Err(Status::unimplemented("not asked by filing"))
    }

    async fn get_payment(
        &self,
        _: Request<payments::GetPaymentRequest>,
    ) -> Result<Response<payments::GetPaymentResponse>, Status> {
        Err(Status::unimplemented("not asked by filing"))
    }

    async fn pay_with_card(
        &self,
        _: Request<payments::PayWithCardRequest>,
    ) -> Result<Response<payments::PayWithCardResponse>, Status> {
        Err(Status::unimplemented("not asked by filing"))
    }

    async fn invite_payer(
        &self,
        _: Request<payments::InvitePayerRequest>,
    ) -> Result<Response<payments::InvitePayerResponse>, Status> {
        Err(Status::unimplemented("not asked by filing"))
    }

    async fn withdraw_payment(
        &self,
        _: Request<payments::WithdrawPaymentRequest>,
    ) -> Result<Response<payments::WithdrawPaymentResponse>, Status> {
        Err(Status::unimplemented("not asked by filing"))
    }

    async fn get_trial_balance(
        &self,
        _: Request<payments::GetTrialBalanceRequest>,
    ) -> Result<Response<payments::GetTrialBalanceResponse>, Status> {
        Err(Status::unimplemented("not asked by filing"))
    }
}
