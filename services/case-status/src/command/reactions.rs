//! What others did becomes thin facts of the case (L14): a submission, a response, a refund, a notice.

use std::sync::Arc;

use async_trait::async_trait;
use docket_eventlog::{Context, Recorded, Store, Subjects};
use docket_kernel::deadline::office_date;
use docket_proto::case_status::events::v1 as pb;
use docket_proto::events::{filing, notice, payment, response};
use docket_proto::filing::events::v1::{FilingSubmitted, ResponseSubmitted};
use docket_proto::notifications::events::v1::NoticeIssued;
use docket_proto::payments::events::v1::PaymentReturned;
use docket_service::{ApiError, ApplyError, Subscriber};
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::PgConnection;
use uuid::Uuid;

use super::serials::Serials;
use super::{deadlines, parties};
use crate::aggregate::Cases;
use crate::domain::decide::{self, Response};
use crate::domain::office::INTAKE_OFFICE;
use crate::domain::{Case, Event, evolve};

/// Filing's log: a submitted filing becomes a case, a submitted response is recorded.
pub(crate) struct Filings {
    /// The cases.
    pub(crate) store: Store<Cases>,
    /// Receipt numbers.
    pub(crate) serials: Arc<Serials>,
}

#[async_trait]
impl Subscriber for Filings {
    fn categories(&self) -> &'static [&'static str] {
        &["filing", "response"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        if event.stream.category() == "response" {
            let response::Event::ResponseSubmitted(submitted) = event.decode()? else { return Ok(()) };
            return self.respond(tx, event, &submitted).await;
        }
        let filing::Event::FilingSubmitted(submitted) = event.decode()? else { return Ok(()) };
        self.intake(tx, event, &submitted).await
    }
}

impl Filings {
    /// Opens the case and, where a machine may, accepts it at once with a receipt number.
    async fn intake(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        submitted: &FilingSubmitted,
    ) -> Result<(), ApplyError> {
        let case_id = stream_id(event)?;
        let opened = case_opened(submitted);
        let receipt = self.serials.next().await.map_err(retry)?;
        let context = Context::reaction("intake", event, 0);
        self.store
            .execute_in(tx, &context, case_id, Subjects::filing(case_id), |case| {
                let mut events = decide::open(case, &opened)?;
                let case = events.iter().fold(case.clone(), evolve);
                if decide::intake_reasons(&case).is_empty() {
                    events.extend(decide::accept(&case, receipt.as_str(), INTAKE_OFFICE)?);
                }
                Ok(events)
            })
            .await?;
        parties::note(tx, named(&submitted.account_id, "account_id")?, case_id).await?;
        Ok(())
    }

    async fn respond(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        submitted: &ResponseSubmitted,
    ) -> Result<(), ApplyError> {
        let case_id = named(&submitted.case_id, "case_id")?;
        let response = Response {
            request_id: stream_id(event)?,
            received_at: instant(submitted.received_at_us)?,
            complete: submitted.complete,
            evidence: submitted.evidence.clone(),
        };
        let context = Context::reaction("record_response", event, 0);
        self.store
            .execute_in(tx, &context, case_id, Subjects::filing(case_id), |case| {
                decide::record_response(case, &response)
            })
            .await?;
        self.store.log().timers().cancel_in(tx, &deadlines::key(response.request_id)).await?;
        Ok(())
    }
}

fn case_opened(submitted: &FilingSubmitted) -> pb::CaseOpened {
    let facts = submitted.facts.clone().unwrap_or_default();
    let received = Timestamp::from_microsecond(submitted.submitted_at_us).unwrap_or(Timestamp::UNIX_EPOCH);
    let family = submitted.family.as_str();
    pb::CaseOpened {
        form: submitted.form.clone(),
        edition: submitted.edition.clone(),
        family: family.to_owned(),
        account_id: submitted.account_id.clone(),
        party_role: if family.ends_with("_petition") { "petitioner" } else { "applicant" }.to_owned(),
        submitted_at_us: submitted.submitted_at_us,
        receipt_date: office_date(received).to_string(),
        zone: submitted.zone.clone(),
        package_id: submitted.package_id.clone(),
        payment_id: submitted.payment_id.clone(),
        evidence: submitted.evidence.clone(),
        age: facts.age,
        basis: facts.basis,
        civics_test: facts.civics_test,
        abroad: facts.abroad,
        signed_as: facts.signed_as,
        fee_waiver: facts.fee_waiver,
        protected: facts.protected,
        about_receipt: facts.about_receipt,
        challenge: facts.challenge,
    }
}

/// Payments' log: what went back, what was not honoured, what was made good.
pub(crate) struct Payments {
    /// The cases.
    pub(crate) store: Store<Cases>,
}

#[async_trait]
impl Subscriber for Payments {
    fn categories(&self) -> &'static [&'static str] {
        &["payment"]
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the other events change no case")]
    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        match event.decode()? {
            payment::Event::RefundIssued(refund) => {
                let case_id = named(&refund.filing_id, "filing_id")?;
                self.record(tx, event, "record_refund", 0, case_id, |case| {
                    decide::record_refund(case, refund.amount_cents)
                })
                .await?;
            }
            payment::Event::PaymentReturned(returned) => self.returned(tx, event, &returned).await?,
            payment::Event::PaymentMadeGood(made_good) => {
                for (filing, nth) in made_good.filing_ids.iter().zip(0..) {
                    let case_id = named(filing, "filing_id")?;
                    self.record(tx, event, "record_made_good", nth, case_id, |case| {
                        decide::record_made_good(case, made_good.amount_cents)
                    })
                    .await?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Payments {
    /// Records it with each filing it was for, and sets the timer of the deadline.
    async fn returned(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        returned: &PaymentReturned,
    ) -> Result<(), ApplyError> {
        let fact = decide::Returned {
            id: event.event_id,
            amount_cents: returned.amount_cents,
            reason: returned.reason.clone(),
            at: event.recorded_at,
        };
        for (filing, nth) in returned.filing_ids.iter().zip(0..) {
            let case_id = named(filing, "filing_id")?;
            if !self.store.load(case_id).await?.state.exists() {
                // Filing is late; a return that comes first waits for its case.
                return Err(ApplyError::Retry(anyhow::anyhow!(
                    "the case of a returned payment is not there yet"
                )));
            }
            let case = self
                .record(tx, event, "record_payment_return", nth, case_id, |case| {
                    decide::record_payment_return(case, &fact)
                })
                .await?;
            if let Some(owed) = case.fee_owed.filter(|owed| owed.return_id == event.event_id) {
                let timer = deadlines::fee_timer(case_id, owed.return_id, &owed.deadline);
                self.store.log().timers().schedule_in(tx, &timer).await?;
            }
        }
        Ok(())
    }

    async fn record(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        policy: &str,
        nth: u32,
        case_id: Uuid,
        decide: impl Fn(&Case) -> decide::Decision,
    ) -> Result<Case, ApplyError> {
        let context = Context::reaction(policy, event, nth);
        let done = self.store.execute_in(tx, &context, case_id, Subjects::filing(case_id), decide).await?;
        Ok(done.state)
    }
}

/// Notifications' log: notices posted; one that carries a request serves it and starts its clock.
pub(crate) struct Notices {
    /// The cases.
    pub(crate) store: Store<Cases>,
}

#[async_trait]
impl Subscriber for Notices {
    fn categories(&self) -> &'static [&'static str] {
        &["notice"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let notice::Event::NoticeIssued(issued) = event.decode()? else { return Ok(()) };
        let notice = Notice::read(event, &issued)?;
        let context = Context::reaction("record_notice", event, 0);
        let executed = self
            .store
            .execute_in(tx, &context, notice.case_id, Subjects::filing(notice.case_id), |case| {
                notice.decide(case)
            })
            .await?;
        let served = executed.state.open_request().filter(|request| Some(request.id) == notice.request_id);
        if let Some(request) = served {
            let timer = deadlines::timer(notice.case_id, request);
            self.store.log().timers().schedule_in(tx, &timer).await?;
        }
        Ok(())
    }
}

struct Notice {
    case_id: Uuid,
    recorded: pb::NoticeRecorded,
    id: Uuid,
    request_id: Option<Uuid>,
    served_on: Date,
}

impl Notice {
    fn read(event: &Recorded, issued: &NoticeIssued) -> Result<Self, ApplyError> {
        let id = stream_id(event)?;
        let request_id = match issued.request_id.as_str() {
            "" => None,
            id => Some(named(id, "request_id")?),
        };
        let posted_at = instant(issued.posted_at_us)?;
        Ok(Self {
            case_id: named(&issued.case_id, "case_id")?,
            recorded: pb::NoticeRecorded {
                notice_id: id.to_string(),
                notice_kind: issued.notice_kind.clone(),
            },
            id,
            request_id,
            served_on: issued.served_on_date.parse().unwrap_or_else(|_| office_date(posted_at)),
        })
    }

    fn decide(&self, case: &Case) -> decide::Decision {
        let mut events: Vec<Event> = decide::record_notice(case, &self.recorded)?;
        if let Some(request_id) = self.request_id {
            events.extend(decide::serve_request(case, request_id, self.id, self.served_on)?);
        }
        Ok(events)
    }
}

pub(super) fn stream_id(event: &Recorded) -> Result<Uuid, ApplyError> {
    event.stream.id().ok_or_else(|| ApplyError::Park("the stream's name holds no id".to_owned()))
}

pub(super) fn named(id: &str, field: &str) -> Result<Uuid, ApplyError> {
    Uuid::try_parse(id).map_err(|_| ApplyError::Park(format!("{field} is no id")))
}

fn instant(micros: i64) -> Result<Timestamp, ApplyError> {
    Timestamp::from_microsecond(micros).map_err(|_| ApplyError::Park("an instant is out of range".to_owned()))
}

fn retry(error: ApiError) -> ApplyError {
    ApplyError::Retry(anyhow::anyhow!("no receipt number: {error:?}"))
}
