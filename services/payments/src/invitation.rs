//! Codes with which somebody else pays: made here, kept sealed for the payer, known again by their hash.
use crate::cashier::Cashier;
use crate::domain::payment;
use aws_lc_rs::digest::{SHA256, digest};
use docket_eventlog::{Context, Opened, Subjects};
use docket_proto::payments::events::v1::PayerInvited;
use docket_service::ApiError;
use prost::Message as _;
use uuid::Uuid;

/// What a code is known by.
pub fn hash(code: &str) -> Vec<u8> {
    digest(&SHA256, code.as_bytes()).as_ref().to_vec()
}

impl Cashier {
    /// Lets somebody else pay; a repeat of the command gives the same code.
    ///
    /// # Errors
    /// Refusals of [`payment::invite`]; the log.
    pub async fn invite_payer(
        &self,
        context: &Context,
        id: Uuid,
        payer: Uuid,
        now_us: i64,
    ) -> Result<PayerInvited, ApiError> {
        // 122 bits of chance: nobody guesses it.
        let code = Uuid::new_v4().simple().to_string();
        let code_hash = hash(&code);
        let done = self
            .payments
            .execute(context, id, Subjects::account(payer), |state| {
                payment::invite(state, &code, &code_hash, now_us)
            })
            .await?;
        let event = done.events.first().ok_or_else(ApiError::not_found)?;
        match self.payments.log().open_payload(event).await? {
            Opened::Plain(bytes) => PayerInvited::decode(bytes.as_slice())
                .map_err(|error| ApiError::internal(anyhow::Error::new(error))),
            Opened::Erased { .. } => Err(ApiError::not_found()),
        }
    }
}
