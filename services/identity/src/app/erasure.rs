//! Erasures in all services: what identity's vault erased is told to the others, and completed when all have answered.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use docket_database::{WORK, answered, within};
use docket_eventlog::{Context, Obligation, Subjects};
use docket_kernel::{Actor, derived_id};
use docket_proto::identity::events::v1 as pb;
use docket_service::{Again, ApiError, Rounds, Stop};
use docket_vault::{Answered, Certificate, Completion, ErasureRequest, RequestState, Statement, SubjectKind};
use jiff::SignedDuration;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Identity;
use crate::domain::{self, Erasure, HOLDERS};

/// The obligation that an erasure opens, and how long the others may take: a service that is away comes back, a legal hold
/// needs a person's eye.
const OBLIGATION: &str = "erasure_answers";
const ANSWERS_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// Requests that were carried out are read so many at a time.
const PAGE: u32 = 100;
/// Pause after a failure, and between two looks at what another replica may have left.
const PAUSE: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_mins(1);

impl Identity {
    /// Tells the other services of every erasure that was carried out here, until the stop. The first look is at all there
    /// ever were, so an erasure whose process died before it was told is told at the next start, and within a minute by
    /// another replica.
    ///
    /// # Errors
    /// None: what fails is tried again.
    pub(crate) async fn tell_erasures(self, stop: Stop) -> anyhow::Result<()> {
        let mut told = BTreeSet::new();
        let rounds = Rounds::every(PAUSE, "an erasure is not told yet");
        let mut rounds = rounds.bounded_inside().woken_by(Arc::clone(&self.erased));
        while rounds.go_on(&stop).await {
            rounds.turn(self.tell_all(&mut told)).await;
        }
        Ok(())
    }

    async fn tell_all(&self, told: &mut BTreeSet<Uuid>) -> anyhow::Result<Again> {
        let mut after = (0, Uuid::nil());
        loop {
            let page = answered(self.vault.erased_after(after, PAGE)).await?;
            let Some(last) = page.last() else { return Ok(Again::After(LOOK)) };
            after = (executed_at(last)?, last.id);
            for request in &page {
                if !told.contains(&request.id) {
                    within(WORK, self.tell(request)).await?;
                    told.insert(request.id);
                }
            }
        }
    }

    /// Appends `SubjectErased`, once for ever, since the command's id is the request's; an account that was erased is closed with
    /// it.
    async fn tell(&self, request: &ErasureRequest) -> anyhow::Result<()> {
        let RequestState::Executed { by, at } = &request.state else {
            anyhow::bail!("it is not carried out")
        };
        let certificate = self.vault.certificate(&request.subject).await?.context("its certificate")?;
        let event = pb::SubjectErased {
            subject: request.subject.to_string(),
            reason: request.reason.clone(),
            legal_basis: request.legal_basis.clone(),
            asked_by: request.asked_by.clone(),
            asked_at_us: request.asked_at.as_microsecond(),
            approved_by: by.clone(),
            services: HOLDERS.iter().map(ToString::to_string).collect(),
            certificate: Some(signed_text(&certificate)),
        };
        let mut tx = docket_database::begin(&self.pool).await?;
        let context = command("order", request.id, "");
        let decide = |erasure: &Erasure| Ok(domain::order(erasure, &event));
        self.erasures.execute_in(&mut tx, &context, request.id, Subjects::NONE, decide).await?;
        let obligation = Obligation {
            kind: OBLIGATION.to_owned(),
            key: request.id.to_string(),
            owner: "identity".to_owned(),
            due_at: at.checked_add(ANSWERS_WITHIN)?,
        };
        self.log.obligations().open_in(&mut tx, &obligation).await?;
        if request.subject.kind == SubjectKind::Account {
            let closed = self.close(&mut tx, request.id, request.subject.id).await;
            closed.map_err(|error| anyhow::anyhow!("closing the account: {}", error.cause()))?;
        }
        tx.commit().await?;
        self.log.committed(self.log.head().await?.position);
        Ok(())
    }

    /// Records the certificate of a service, and completes the erasure when it was the last one.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CERTIFICATE_OF_ANOTHER`, `NOT_ASKED`.
    pub(crate) async fn answer_erasure(
        &self,
        request: Uuid,
        service: &str,
        certificate: &Certificate,
    ) -> Result<(), ApiError> {
        let erasure = self.erasure(request).await?;
        let says = Statement::read(certificate).map_err(|_malformed| of_another())?;
        if says.service != service || says.subject != erasure.subject {
            return Err(of_another());
        }
        let certificate = signed_text(certificate);
        let mut tx = docket_database::begin(&self.pool).await?;
        let context = command("answer", request, service);
        let decide = |erasure: &Erasure| domain::answer(erasure, service, &certificate);
        let answered = self.erasures.execute_in(&mut tx, &context, request, Subjects::NONE, decide).await?;
        if answered.state.missing().next().is_none() {
            self.complete(&mut tx, request, &answered.state).await?;
        }
        tx.commit().await?;
        self.log.committed(self.log.head().await?.position);
        Ok(())
    }

    /// Appends `ErasureCompleted` and closes the obligation. The head is ours since the last answer.
    async fn complete(
        &self,
        tx: &mut PgConnection,
        request: Uuid,
        erasure: &Erasure,
    ) -> Result<(), ApiError> {
        let completion = completion(request, erasure).map_err(ApiError::internal)?;
        let certificate = signed_text(&self.vault.certify_completion(&completion));
        let context = command("complete", request, "");
        let decide = |erasure: &Erasure| Ok(domain::complete(erasure, &certificate));
        let done = self.erasures.execute_in(tx, &context, request, Subjects::NONE, decide).await?;
        if let Some(event) = done.events.last() {
            let key = request.to_string();
            self.log.obligations().close_in(tx, OBLIGATION, &key, event.position).await?;
        }
        Ok(())
    }

    /// An erasure that was ordered.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub(crate) async fn erasure(&self, request: Uuid) -> Result<Erasure, ApiError> {
        let state = self.erasures.state(request).await?.state;
        if state.subject.is_empty() { Err(ApiError::not_found()) } else { Ok(state) }
    }
}

/// What is certified when all have answered.
fn completion(request: Uuid, erasure: &Erasure) -> anyhow::Result<Completion> {
    let mut certificates = Vec::new();
    let mut irrecoverable_on = jiff::civil::Date::MIN;
    for (service, text) in erasure.certificates() {
        let certificate = certificate(text)?;
        irrecoverable_on = irrecoverable_on.max(Statement::read(&certificate)?.irrecoverable_on);
        certificates.push(Answered {
            service: service.to_owned(),
            statement: certificate.statement,
            key_id: certificate.key_id,
            signature: hex::encode(certificate.signature),
        });
    }
    Ok(Completion { request, subject: erasure.subject.clone(), certificates, irrecoverable_on })
}

fn signed_text(certificate: &Certificate) -> pb::SignedText {
    pb::SignedText {
        statement: certificate.statement.clone(),
        key_id: certificate.key_id.clone(),
        signature: certificate.signature.to_vec(),
    }
}

fn certificate(text: &pb::SignedText) -> anyhow::Result<Certificate> {
    let signature = text.signature.as_slice().try_into().context("a signature has 64 bytes")?;
    Ok(Certificate { statement: text.statement.clone(), key_id: text.key_id.clone(), signature })
}

fn executed_at(request: &ErasureRequest) -> anyhow::Result<i64> {
    match &request.state {
        RequestState::Executed { at, .. } => Ok(at.as_microsecond()),
        RequestState::Open | RequestState::Cancelled { .. } => anyhow::bail!("it is not carried out"),
    }
}

/// A step of an erasure: its id follows from the request, the step and who takes it.
pub(super) fn command(step: &str, request: Uuid, service: &str) -> Context {
    Context {
        command_id: derived_id(&format!("erasure.{step}.{service}"), request, 0),
        correlation_id: request,
        causation_id: None,
        actor: Actor::machine("erasure"),
        on_behalf_of: None,
        auth_level: 0,
        traceparent: String::new(),
        request: Vec::new(),
    }
}

fn of_another() -> ApiError {
    ApiError::invalid(
        "certificate",
        "CERTIFICATE_OF_ANOTHER",
        "Send the certificate of this service for the subject that was erased.",
    )
}
