//! What the case log means for filing: receipt numbers, rejections, officers, and requests to answer.

use async_trait::async_trait;
use docket_eventlog::{Context, Recorded, Subjects};
use docket_messaging::{ApplyError, Subscriber};
use docket_proto::case_status::events::v1::{RequestCancelled, RequestServed, RequestedItem};
use docket_proto::events::case::Event;
use docket_proto::filing::events::v1::ResponseOpened;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{park, parse, report_move};
use crate::desk::Desk;
use crate::domain::package::Added;
use crate::domain::{filing, response};
use crate::moved;
use crate::store::{filings, officers, offices, representations, requests, responses};

/// Follows the cases.
pub(crate) struct FollowCase(pub(crate) Desk);

#[async_trait]
impl Subscriber for FollowCase {
    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "most of what happens in a case is nothing to filing")]
    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let case = event.stream.id().ok_or_else(|| park("the stream is no case"))?;
        match event.decode::<Event>()? {
            Event::CaseOpened(_) => offices::open(tx, case).await?,
            Event::FilingAccepted(e) => {
                let filing = self
                    .on_filing(tx, event, "record_acceptance", case, |f| {
                        filing::accept(f, e.receipt_number.clone())
                    })
                    .await?;
                offices::accept(tx, case, &e.office).await?;
                filings::set_pending(tx, case, true).await?;
                self.follow_with_enclosed(tx, event, &filing).await?;
                if filing.form == moved::FORM {
                    report_move::owe(&self.0, tx, event, (case, 0)).await?;
                }
            }
            Event::FilingRejected(e) => {
                let decide = |f: &filing::Filing| filing::reject(f, e.codes.clone());
                let filing = self.on_filing(tx, event, "record_rejection", case, decide).await?;
                offices::leave_intake(tx, case).await?;
                self.follow_with_enclosed(tx, event, &filing).await?;
            }
            Event::AcceptanceVoided(e) => {
                let decide = |f: &filing::Filing| filing::void(f, e.cause.clone());
                let filing = self.on_filing(tx, event, "record_voiding", case, decide).await?;
                filings::set_pending(tx, case, false).await?;
                self.follow_with_enclosed(tx, event, &filing).await?;
            }
            Event::CaseAssigned(e) => officers::assign(tx, case, parse(&e.officer)?).await?,
            Event::CaseTransferred(e) => {
                offices::accept(tx, case, &e.to_office).await?;
                officers::release(tx, case).await?;
            }
            Event::EvidenceRequested(e) => keep(tx, case, &e.request_id, response::RFE, &e.items).await?,
            Event::ExaminationContinued(e) => keep(tx, case, &e.request_id, response::N14, &e.items).await?,
            Event::DenialIntended(e) => keep(tx, case, &e.request_id, response::NOID, &e.items).await?,
            Event::RevocationIntended(e) => keep(tx, case, &e.request_id, response::NOIR, &e.items).await?,
            Event::TerminationIntended(e) => keep(tx, case, &e.request_id, response::NOIT, &e.items).await?,
            Event::CaseReopenedOnOwnMotion(e) => {
                filings::set_pending(tx, case, true).await?;
                if !e.request_id.is_empty() {
                    keep(tx, case, &e.request_id, response::OWN_MOTION, &[]).await?;
                }
            }
            Event::RequestServed(e) => self.open_response(tx, event, case, e).await?,
            Event::CaseUnassigned(_) => officers::release(tx, case).await?,
            Event::CaseReopened(_) | Event::CaseReopenedOnRequest(_) => {
                filings::set_pending(tx, case, true).await?;
            }
            Event::RequestCancelled(e) => self.close_response(tx, event, case, &e).await?,
            Event::CaseApproved(_)
            | Event::CaseDenied(_)
            | Event::CaseReferred(_)
            | Event::CaseWithdrawn(_)
            | Event::CaseClosedAsMoot(_)
            | Event::CaseAdministrativelyClosed(_)
            | Event::MoveRecorded(_) => {
                filings::set_pending(tx, case, false).await?;
            }
            _ => {}
        }
        Ok(())
    }
}

impl FollowCase {
    async fn on_filing(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        policy: &str,
        case: Uuid,
        decide: impl Fn(
            &filing::Filing,
        ) -> Result<Vec<docket_proto::events::filing::Event>, docket_kernel::Refusal>
        + Send
        + Sync,
    ) -> Result<filing::Filing, ApplyError> {
        let context = Context::reaction(policy, event, 0);
        let done = self.0.filings.execute_in(tx, &context, case, Subjects::filing(case), decide).await?;
        Ok(done.state)
    }

    /// What went in with the filing and opens no case of its own goes its way.
    async fn follow_with_enclosed(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        main: &filing::Filing,
    ) -> Result<(), ApplyError> {
        let together = self.0.together(&mut *tx, main.package, &main.form).await?;
        if together.enclosed.is_empty() {
            return Ok(());
        }
        let mut mains = Vec::with_capacity(together.mains.len());
        for Added { filing, .. } in &together.mains {
            mains.push(self.0.filings.state_in(tx, *filing).await?.state.phase);
        }
        for (Added { filing: id, .. }, nth) in together.enclosed.iter().zip(0..) {
            let representative = representations::standing(&mut *tx, *id).await?.map(|(_, account)| account);
            let context = Context::reaction("follow_main", event, nth);
            let decide = |filing: &filing::Filing| Ok(filing::follow(filing, &mains, representative));
            self.0.filings.execute_in(tx, &context, *id, Subjects::filing(*id), decide).await?;
        }
        Ok(())
    }

    async fn open_response(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        case: Uuid,
        e: RequestServed,
    ) -> Result<(), ApplyError> {
        let request = parse(&e.request_id)?;
        let Some(waiting) = requests::take(tx, request).await? else {
            // Served again with a replacing notice: the response is open already.
            return Ok(());
        };
        let filing = self.0.filings.state_in(tx, case).await?.state;
        let opened = ResponseOpened {
            case_id: case.to_string(),
            account_id: filing.account.to_string(),
            request_kind: waiting.request_kind,
            deadline: e.deadline,
            items: waiting.items,
        };
        let context = Context::reaction("open_response", event, 0);
        self.0
            .responses
            .execute_in(tx, &context, request, Subjects::filing(case), |r| response::open(r, opened.clone()))
            .await?;
        responses::insert(tx, request, case, filing.account, event.recorded_at.as_microsecond()).await?;
        Ok(())
    }

    /// A request that was never served is no longer waited for; one that was takes no answer any more.
    async fn close_response(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        case: Uuid,
        e: &RequestCancelled,
    ) -> Result<(), ApplyError> {
        let request = parse(&e.request_id)?;
        requests::take(tx, request).await?;
        let context = Context::reaction("close_response", event, 0);
        self.0
            .responses
            .execute_in(tx, &context, request, Subjects::filing(case), |r| response::close(r, &e.cause))
            .await?;
        Ok(())
    }
}

async fn keep(
    tx: &mut PgConnection,
    case: Uuid,
    request: &str,
    kind: &str,
    items: &[RequestedItem],
) -> Result<(), ApplyError> {
    let items: Vec<String> = items.iter().map(|item| item.code.clone()).collect();
    requests::keep(tx, parse(request)?, case, kind, &items).await?;
    Ok(())
}
