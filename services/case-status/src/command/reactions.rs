//! What others did becomes thin facts of the case (L14): a submission, a response, who represents the party, a refund and its failure, a
//! notice, and whom a mail about one did not reach.

use std::sync::Arc;

use async_trait::async_trait;
use docket_eventlog::{Context, Folded, Recorded, Store, Subjects};
use docket_kernel::Refusal;
use docket_kernel::deadline::office_date;
use docket_proto::case_status::events::v1 as pb;
use docket_proto::events::{delivery, filing, notice, payment, representation, response};
use docket_proto::filing::events::v1::{
    FilingSubmitted, ResponseEvidenceScanned, ResponseSubmitted, UnsolicitedEvidenceAdded,
};
use docket_proto::notifications::events::v1::{DeliveryFailed, NoticeIssued};
use docket_proto::payments::events::v1::{FeePart, PaymentReturned};
use docket_service::{ApplyError, Subscriber, parked_of};
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::PgConnection;
use uuid::Uuid;

use super::serials::Serials;
use super::{deadlines, links, parties, represented};
use crate::aggregate::Cases;
use crate::domain::decide::{self, Filed, Response, Undelivered};
use crate::domain::office::INTAKE_OFFICE;
use crate::domain::{Case, Direction, Event, Link, LinkKind, Wishes, evolve};

/// The family of forms that go with another one and open no case of their own, such as Form I-864.
const WITHOUT_CASE: &str = "attached";

/// Filing's log: a submitted filing becomes a case, a submitted response, what the scan of its files came to that had to wait, and
/// evidence added unasked are recorded, a representative is appointed, a representation ends.
pub(crate) struct Filings {
    /// The cases.
    pub(crate) store: Store<Cases>,
    /// Receipt numbers.
    pub(crate) serials: Arc<Serials>,
}

#[async_trait]
impl Subscriber for Filings {
    fn categories(&self) -> &'static [&'static str] {
        &["filing", "response", "representation"]
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the other events change no case")]
    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        if event.stream.category() == "response" {
            return match event.decode()? {
                response::Event::ResponseSubmitted(submitted) => self.respond(tx, event, &submitted).await,
                response::Event::ResponseEvidenceScanned(scanned) => {
                    self.note_scan(tx, event, &scanned).await
                }
                response::Event::ResponseOpened(_)
                | response::Event::ResponseEvidenceAdded(_)
                | response::Event::ResponseEvidenceRemoved(_)
                | response::Event::ResponseItemExplained(_)
                | response::Event::ResponseItemExplanationDropped(_)
                | response::Event::ResponseClosed(_) => Ok(()),
            };
        }
        if event.stream.category() == "representation" {
            return self.note_appearance(tx, event).await;
        }
        match event.decode()? {
            // What goes with another form is read in that one's case.
            filing::Event::FilingSubmitted(submitted) if submitted.family == WITHOUT_CASE => Ok(()),
            filing::Event::FilingSubmitted(submitted) => self.intake(tx, event, &submitted).await,
            filing::Event::RepresentativeAppointed(appointed) => {
                represented::appoint(&self.store, tx, event, &appointed).await
            }
            filing::Event::UnsolicitedEvidenceAdded(added) => self.add_unasked(tx, event, &added).await,
            _ => Ok(()),
        }
    }
}

impl Filings {
    /// An appearance ends, or its client says where papers go.
    async fn note_appearance(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let why = match event.decode()? {
            representation::Event::RepresentationWithdrawn(_) => "withdrawn",
            representation::Event::RepresentationEnded(_) => "ended",
            representation::Event::RepresentationEndedByOffice(_) => "by_office",
            representation::Event::RepresentationAccepted(accepted) => {
                return represented::wish(&self.store, tx, event, accepted.wishes.as_ref()).await;
            }
            representation::Event::RepresentationWishesChanged(changed) => {
                return represented::wish(&self.store, tx, event, changed.wishes.as_ref()).await;
            }
            // Who takes the place of another stands in the filing's own stream.
            representation::Event::RepresentationSought(_)
            | representation::Event::RepresentationPrepared(_)
            | representation::Event::RepresentationRefused(_)
            | representation::Event::RepresentationReplaced(_) => return Ok(()),
        };
        represented::end(&self.store, tx, event, why).await
    }

    /// Opens the case and, where a machine may, accepts it at once with a receipt number.
    async fn intake(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        submitted: &FilingSubmitted,
    ) -> Result<(), ApplyError> {
        let case_id = stream_id(event)?;
        let party = named(&submitted.account_id, "account_id")?;
        let derivative = submitted.facts.as_ref().is_some_and(|facts| facts.derivative);
        let filed = Filed { case: case_id, form: submitted.form.clone(), party, derivative };
        let package = Uuid::try_parse(&submitted.package_id).ok().filter(|_| filed.may_be_linked());
        let others = match package {
            Some(package) => {
                links::note(tx, package, &filed).await?;
                links::others(tx, package, case_id).await?
            }
            None => Vec::new(),
        };
        let mut linked: Vec<(Link, Link)> = others
            .iter()
            .filter_map(|other| Some((filed.link_with(other)?, other.link_with(&filed)?)))
            .collect();
        let rests = |link: &Link| link.direction == Direction::RestsOn && link.kind != LinkKind::Principal;
        if !linked.iter().any(|(link, _)| rests(link)) {
            linked.extend(self.apart(tx, &filed, submitted).await?);
        }
        let beside: Vec<(Uuid, Subjects)> =
            linked.iter().map(|(link, _)| (link.case, Subjects::filing(link.case))).collect();
        let appearance = standing(tx, submitted).await?;
        let opened = case_opened(submitted, appearance);
        let receipt = self.serials.next().await?;
        let context = Context::reaction("intake", event, 0);
        let first = (case_id, Subjects::filing(case_id));
        self.store
            .execute_beside_in(tx, &context, first, &beside, |cases| {
                take_in(cases, &opened, &linked, receipt.as_str())
            })
            .await?;
        parties::note(tx, party, case_id).await?;
        if let Some((representation, _)) = appearance {
            represented::note(tx, representation, case_id).await?;
        }
        if let Some(package) = package {
            // The head of the log is ours since the append: who wrote before is seen now, who writes after sees us.
            if links::others(tx, package, case_id).await?.len() != others.len() {
                return Err(ApplyError::Retry(anyhow::anyhow!("another filing of the package came between")));
            }
        }
        Ok(())
    }

    /// The link with the party's own case that this one rests on and was not filed with: the one whose receipt number the answers give,
    /// or the last that is pending where they were not asked for it, since there is one. Another's petition is for an officer to link.
    async fn apart(
        &self,
        tx: &mut PgConnection,
        filed: &Filed,
        submitted: &FilingSubmitted,
    ) -> Result<Option<(Link, Link)>, ApplyError> {
        let facts = submitted.facts.clone().unwrap_or_default();
        if facts.rests_on_receipt.is_empty() && !facts.rests_on_unnamed {
            return Ok(None);
        }
        let mut found: Option<(i64, (Link, Link))> = None;
        for case in parties::cases(tx, filed.party).await?.into_iter().filter(|case| *case != filed.case) {
            let other = self.store.state_in(tx, case).await?.state;
            let meant = if facts.rests_on_receipt.is_empty() {
                other.is_open()
            } else {
                other.receipt_number == facts.rests_on_receipt
            };
            let (form, derivative) = (other.form.clone(), other.derivative);
            let theirs = Filed { case, form, party: filed.party, derivative };
            let Some(link) = filed.link_apart(&theirs).filter(|link| link.direction == Direction::RestsOn)
            else {
                continue;
            };
            let newer = found.as_ref().is_none_or(|(at, _)| *at < other.submitted_at_us);
            if let Some(back) = theirs.link_apart(filed).filter(|_| meant && newer) {
                found = Some((other.submitted_at_us, (link, back)));
            }
        }
        Ok(found.map(|(_, links)| links))
    }

    /// Records evidence that was added unasked.
    async fn add_unasked(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        added: &UnsolicitedEvidenceAdded,
    ) -> Result<(), ApplyError> {
        let case_id = stream_id(event)?;
        let evidence = added.evidence.clone().unwrap_or_default();
        let received_at = instant(added.received_at_us)?;
        react(&self.store, tx, event, ("record_unsolicited", 0), case_id, |case| {
            decide::record_unsolicited(case, &evidence, received_at)
        })
        .await?;
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
            being_checked: submitted.being_checked.clone(),
        };
        react(&self.store, tx, event, ("record_response", 0), case_id, |case| {
            decide::record_response(case, &response)
        })
        .await?;
        self.store.log().timers().cancel_in(tx, &deadlines::key(response.request_id)).await?;
        Ok(())
    }

    /// What was scanned before the answer went in is known with it.
    async fn note_scan(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        scanned: &ResponseEvidenceScanned,
    ) -> Result<(), ApplyError> {
        if !scanned.answered {
            return Ok(());
        }
        let (case_id, request) = (named(&scanned.case_id, "case_id")?, stream_id(event)?);
        let evidence = named(&scanned.evidence_id, "evidence_id")?;
        react(&self.store, tx, event, ("record_scan", 0), case_id, |case| {
            decide::record_scan(case, request, evidence, &scanned.verdict)
        })
        .await?;
        Ok(())
    }
}

/// Opens the case, links it with the others of its package in both streams, and accepts it where a machine may.
fn take_in(
    cases: &[Folded<Cases>],
    opened: &pb::CaseOpened,
    linked: &[(Link, Link)],
    receipt_number: &str,
) -> Result<Vec<Vec<Event>>, Refusal> {
    let (own, others) = cases.split_first().ok_or_else(Refusal::not_found)?;
    let mut events = decide::open(&own.state, opened)?;
    let mut case = events.iter().fold(own.state.clone(), evolve);
    let mut of_others = Vec::with_capacity(others.len());
    for ((to, back), other) in linked.iter().zip(others) {
        of_others.push(decide::link(&other.state, back, &case)?);
        let ours = decide::link(&case, to, &other.state)?;
        case = ours.iter().fold(case, evolve);
        events.extend(ours);
    }
    if decide::intake_reasons(&case).is_empty() {
        events.extend(decide::accept(&case, receipt_number, INTAKE_OFFICE)?);
    }
    let mut all = vec![events];
    all.extend(of_others);
    Ok(all)
}

/// The appearance that was made with the filing and what its client wishes of papers, unless it ended meanwhile.
async fn standing(
    tx: &mut PgConnection,
    submitted: &FilingSubmitted,
) -> Result<Option<(Uuid, Option<Wishes>)>, ApplyError> {
    if submitted.representation_id.is_empty() {
        return Ok(None);
    }
    let representation = named(&submitted.representation_id, "representation_id")?;
    let known = represented::known(tx, representation).await?;
    // What the appearance's own stream said is the later word.
    let wishes = known.wishes.or_else(|| submitted.wishes.as_ref().map(Wishes::from));
    Ok(known.stands.then_some((representation, wishes)))
}

fn case_opened(submitted: &FilingSubmitted, appearance: Option<(Uuid, Option<Wishes>)>) -> pb::CaseOpened {
    let (representation, wishes) = appearance.unzip();
    let representative = representation.map(|_| submitted.representative.clone());
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
        representation_id: representation.map(|id| id.to_string()).unwrap_or_default(),
        representative: representative.unwrap_or_default(),
        gives_address: submitted.gives_address,
        without_status: facts.without_status,
        rests_on_receipt: facts.rests_on_receipt,
        rests_on_unnamed: facts.rests_on_unnamed,
        derivative: facts.derivative,
        // The domain counts it.
        hearing_deadline: None,
        kept_fee: facts.kept_fee,
        wishes: wishes.flatten().map(Into::into),
    }
}

/// Payments' log: what went back or failed to, what was not honoured, what was made good.
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
                react(&self.store, tx, event, ("record_refund", 0), case_id, |case| {
                    decide::record_refund(case, &refund.refund_id, refund.amount_cents)
                })
                .await?;
            }
            payment::Event::RefundFailed(failed) => {
                let case_id = named(&failed.filing_id, "filing_id")?;
                react(&self.store, tx, event, ("record_refund_failure", 0), case_id, |case| {
                    decide::record_refund_failure(case, &failed)
                })
                .await?;
            }
            payment::Event::PaymentReturned(returned) => self.returned(tx, event, &returned).await?,
            payment::Event::PaymentMadeGood(made_good) => {
                for (filing, nth) in made_good.filing_ids.iter().zip(0..) {
                    let case_id = named(filing, "filing_id")?;
                    let cents = part_of(filing, &made_good.parts, made_good.amount_cents);
                    react(&self.store, tx, event, ("record_made_good", nth), case_id, |case| {
                        decide::record_made_good(case, cents)
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
    /// Records with each filing its part of it, and sets the timer of the deadline.
    async fn returned(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        returned: &PaymentReturned,
    ) -> Result<(), ApplyError> {
        for filing in &returned.filing_ids {
            let case_id = named(filing, "filing_id")?;
            if !self.store.state_in(tx, case_id).await?.state.exists() {
                return Err(not_opened_yet(tx, filing).await);
            }
        }
        for (filing, nth) in returned.filing_ids.iter().zip(0..) {
            let case_id = named(filing, "filing_id")?;
            let fact = decide::Returned {
                id: event.event_id,
                amount_cents: part_of(filing, &returned.parts, returned.amount_cents),
                reason: returned.reason.clone(),
                at: event.recorded_at,
            };
            let case = react(&self.store, tx, event, ("record_payment_return", nth), case_id, |case| {
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
}

/// Filing is late, and a return that comes first waits for its case: a moment, or parked where what opens the case is
/// parked itself.
async fn not_opened_yet(tx: &mut PgConnection, filing: &str) -> ApplyError {
    let why = "the case of a returned payment is not there yet";
    match parked_of(tx, "filing", &format!("filing-{filing}")).await {
        Ok(parked) if parked.is_empty() => ApplyError::Retry(anyhow::anyhow!(why)),
        Ok(_) => ApplyError::Park(format!("{why}: its submission is parked")),
        Err(error) => error.into(),
    }
}

/// What of an amount is one filing's; all of it where no parts are said, as before packages held several filings.
fn part_of(filing: &str, parts: &[FeePart], whole_cents: i64) -> i64 {
    let part = parts.iter().find(|part| part.filing_id == filing);
    part.map_or(if parts.is_empty() { whole_cents } else { 0 }, |part| part.amount_cents)
}

/// Whom an alert does not concern any more: nobody is looked for because of it.
const ACTS_NO_LONGER: &str = "acts_no_longer";
/// The channel of what goes to a phone.
const TEXT: &str = "sms";

/// Notifications' log: notices posted; one that carries a request serves it and starts its clock. Whom a mail about a notice did not
/// reach is looked for, until they open it or a later mail about it is taken.
pub(crate) struct Notices {
    /// The cases.
    pub(crate) store: Store<Cases>,
}

#[async_trait]
impl Subscriber for Notices {
    fn categories(&self) -> &'static [&'static str] {
        &["notice", "delivery"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        if event.stream.category() == "delivery" {
            return match event.decode()? {
                // A text is beside the mail: whether that arrived says nothing of the address.
                delivery::Event::DeliveryFailed(failed) if failed.channel == TEXT => Ok(()),
                delivery::Event::DeliveryHandedOver(sent) if sent.channel == TEXT => Ok(()),
                delivery::Event::DeliveryConfirmed(_) => Ok(()),
                delivery::Event::DeliveryFailed(failed) => self.not_reached(tx, event, &failed).await,
                delivery::Event::DeliveryHandedOver(sent) => {
                    let (of, account) = ((&*sent.case_id, &*sent.notice_id), &*sent.account_id);
                    self.reached(tx, event, of, account, "mailed").await
                }
            };
        }
        let issued = match event.decode()? {
            notice::Event::NoticeIssued(issued) => issued,
            notice::Event::NoticeOpened(opened) => {
                let notice = stream_id(event)?.to_string();
                return self
                    .reached(tx, event, (&opened.case_id, &notice), &opened.account_id, "opened")
                    .await;
            }
            notice::Event::NoticeNotIssued(_) => return Ok(()),
        };
        self.issued(tx, event, &issued).await
    }
}

impl Notices {
    async fn issued(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        issued: &NoticeIssued,
    ) -> Result<(), ApplyError> {
        let notice = Notice::read(event, issued)?;
        let case =
            react(&self.store, tx, event, ("record_notice", 0), notice.case_id, |case| notice.decide(case))
                .await?;
        let served = case.open_request().filter(|request| Some(request.id) == notice.request_id);
        if let Some(request) = served {
            let timer = deadlines::timer(notice.case_id, request);
            self.store.log().timers().schedule_in(tx, &timer).await?;
        }
        Ok(())
    }

    /// A mail did not arrive. What is not about a notice of a case, and whom it does not concern any more, is nobody to look for; nor
    /// is who had opened the notice.
    async fn not_reached(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        failed: &DeliveryFailed,
    ) -> Result<(), ApplyError> {
        let of_a_case = !failed.notice_id.is_empty() && !failed.case_id.is_empty();
        if !of_a_case || failed.opened || failed.reason == ACTS_NO_LONGER {
            return Ok(());
        }
        let mail = Undelivered {
            notice: named(&failed.notice_id, "notice_id")?,
            notice_kind: failed.notice_kind.clone(),
            account: named(&failed.account_id, "account_id")?,
            channel: failed.channel.clone(),
            reason: failed.reason.clone(),
            at: event.recorded_at,
        };
        let case_id = named(&failed.case_id, "case_id")?;
        react(&self.store, tx, event, ("record_undelivered", 0), case_id, |case| {
            decide::record_undelivered(case, &mail)
        })
        .await?;
        Ok(())
    }

    /// A notice came to somebody who may have been looked for. Older events do not say of which case.
    async fn reached(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        (case, notice): (&str, &str),
        account: &str,
        how: &str,
    ) -> Result<(), ApplyError> {
        if case.is_empty() || notice.is_empty() {
            return Ok(());
        }
        let (case_id, notice) = (named(case, "case_id")?, named(notice, "notice_id")?);
        let account = named(account, "account_id")?;
        react(&self.store, tx, event, ("record_reached", 0), case_id, |case| {
            decide::record_reached(case, notice, account, how)
        })
        .await?;
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

/// What a case decides about an event of another stream, the `nth` of a policy; gives the case after it.
///
/// # Errors
/// What the log says of it.
pub(super) async fn react(
    store: &Store<Cases>,
    tx: &mut PgConnection,
    event: &Recorded,
    (policy, nth): (&str, u32),
    case_id: Uuid,
    decide: impl Fn(&Case) -> decide::Decision,
) -> Result<Case, ApplyError> {
    let context = Context::reaction(policy, event, nth);
    let done = store.execute_in(tx, &context, case_id, Subjects::filing(case_id), decide).await?;
    Ok(done.state)
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
