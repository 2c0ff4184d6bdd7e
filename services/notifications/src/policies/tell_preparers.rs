//! When something happens to a filing that somebody must know who is not looking, then they are sent a mail: a draft will be
//! deleted, it was deleted, what was sent waits for its fee, nobody paid it, it waits to be looked at, it still does, it was given back or
//! approved, an approval or a signature no longer stands; a file that was scanned late is unsafe and was taken out; a form that goes with
//! another one was taken in with it, or is over with it; whom the client asked to represent them has signed, stands for it, or stands no
//! longer; the other side withdrew from a representation or ended it, or the office did; one of several co-signers has signed, and each of them that
//! the form was changed since, or went in. Who is asked by mail to sign a form gets the code with it.

use std::sync::Arc;

use async_trait::async_trait;
use docket_eventlog::Recorded;
use docket_proto::events::filing::Event;
use docket_proto::events::package::Event as PackageEvent;
use docket_proto::events::representation::Event as RepresentationEvent;
use docket_proto::events::response::Event as ResponseEvent;
use docket_service::{ApplyError, Base, Subscriber};
use sqlx::PgConnection;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::store::delivery;

/// The subscriber of the log of filings.
pub(crate) struct TellPreparers {
    pub(crate) base: Base,
    pub(crate) mail: Arc<Notify>,
}

#[async_trait]
impl Subscriber for TellPreparers {
    fn categories(&self) -> &'static [&'static str] {
        &["filing", "response", "representation", "package"]
    }

    fn rows_only(&self) -> bool {
        true
    }

    async fn apply(&self, tx: &mut PgConnection, recorded: &Recorded) -> Result<(), ApplyError> {
        if recorded.stream.category() == "representation" {
            let id = recorded.stream.id().ok_or_else(|| ApplyError::Park("the stream names no id".into()))?;
            for (alert, account) in represented(&recorded.decode()?) {
                let Ok(account) = Uuid::try_parse(&account) else { continue };
                if alert == delivery::WITHDREW {
                    delivery::queue_withdrawal(tx, recorded, (account, id), self.base.clock.now()).await?;
                    continue;
                }
                let occasion = recorded.event_id.to_string();
                let told = (alert, occasion.as_str());
                delivery::queue_about_draft(tx, recorded, account, told, self.base.clock.now()).await?;
            }
            return Ok(());
        }
        if recorded.stream.category() == "response" {
            let ResponseEvent::ResponseEvidenceScanned(e) = recorded.decode()? else { return Ok(()) };
            let tells = refused(&e.verdict, &e.account_id, &e.representative);
            return self.tell(tx, recorded, (&recorded.event_id.to_string(), tells)).await;
        }
        if recorded.stream.category() == "package" {
            let event = recorded.decode()?;
            if matches!(&event, PackageEvent::PackageFilerInvited(e) if e.by_mail) {
                return self.ask(tx, recorded, delivery::INVITATION_TO_FILE).await;
            }
            let tells = of_package(&event).into_iter().collect();
            return self.tell(tx, recorded, (&recorded.event_id.to_string(), tells)).await;
        }
        let event: Event = recorded.decode()?;
        if matches!(&event, Event::HelperAsked(e) if e.by_mail) {
            return self.ask(tx, recorded, delivery::INVITATION).await;
        }
        let (occasion, tells) = told(&event);
        // Where nothing else is said of it, the event is an occasion of its own.
        let occasion = if occasion.is_empty() { recorded.event_id.to_string() } else { occasion.to_owned() };
        self.tell(tx, recorded, (&occasion, tells)).await
    }

    async fn after_commit(&self, _event: &Recorded) {
        self.mail.notify_one();
    }
}

impl TellPreparers {
    /// Queues the mail that asks somebody to sign a form, or to file one.
    async fn ask(
        &self,
        tx: &mut PgConnection,
        recorded: &Recorded,
        alert: &'static str,
    ) -> Result<(), ApplyError> {
        let id = recorded.stream.id().ok_or_else(|| ApplyError::Park("the stream names no id".into()))?;
        delivery::queue_invitation(tx, recorded, (alert, id), self.base.clock.now()).await?;
        Ok(())
    }

    /// Queues the mails of an occasion; an empty account is nobody.
    async fn tell(
        &self,
        tx: &mut PgConnection,
        recorded: &Recorded,
        (occasion, tells): (&str, Vec<(&'static str, &String)>),
    ) -> Result<(), ApplyError> {
        for (alert, account) in tells {
            let Ok(account) = Uuid::try_parse(account) else { continue };
            let told = (alert, occasion);
            delivery::queue_about_draft(tx, recorded, account, told, self.base.clock.now()).await?;
        }
        Ok(())
    }
}

/// Whoever sent a file that waited to be scanned and is not clean, and who stands for them. A clean one is told to nobody.
fn refused<'a>(
    verdict: &str,
    account: &'a String,
    representative: &'a String,
) -> Vec<(&'static str, &'a String)> {
    if verdict == "clean" {
        return Vec::new();
    }
    vec![("file_refused", account), ("clients_file_refused", representative)]
}

/// Who is told by which mail of an appearance for a filing that was there already, and of the end of any; an empty account is
/// nobody.
fn represented(event: &RepresentationEvent) -> Vec<(&'static str, String)> {
    match event {
        RepresentationEvent::RepresentationPrepared(e) => vec![("appearance_signed", e.client.clone())],
        RepresentationEvent::RepresentationAccepted(e) => {
            vec![("representative_appointed", e.representative.clone())]
        }
        RepresentationEvent::RepresentationReplaced(e) => {
            let former = ("representative_replaced", e.representative.clone());
            vec![former, ("clients_representative_replaced", e.client.clone())]
        }
        // Whoever did it knows of it, and the other side does not.
        RepresentationEvent::RepresentationWithdrawn(e) => vec![(delivery::WITHDREW, e.client.clone())],
        RepresentationEvent::RepresentationEnded(e) => {
            vec![("client_ended_representation", e.representative.clone())]
        }
        RepresentationEvent::RepresentationEndedByOffice(e) => vec![
            ("office_ended_representation", e.representative.clone()),
            ("clients_representation_ended", e.client.clone()),
        ],
        // Whoever did these knows of them; where papers go the representative sees in the case.
        RepresentationEvent::RepresentationSought(_)
        | RepresentationEvent::RepresentationRefused(_)
        | RepresentationEvent::RepresentationWishesChanged(_) => Vec::new(),
    }
}

/// Who is told of what happened to a package, by which mail: of a fee that nobody has paid yet, and of what became of asking somebody to
/// file a form in it.
fn of_package(event: &PackageEvent) -> Option<(&'static str, &String)> {
    match event {
        PackageEvent::PackagePayerReminded(e) => {
            let alert = match e.days {
                14 => "fee_waits_two_weeks",
                7 => "fee_waits_a_week",
                _ => "fee_waits_a_day",
            };
            Some((alert, &e.account_id))
        }
        PackageEvent::PackageInvitationAccepted(e) => Some(("package_joined", &e.asker_account_id)),
        PackageEvent::PackageInvitationDeclined(e) => Some(("package_declined", &e.asker_account_id)),
        PackageEvent::PackageFilerSteppedBack(e) => Some(("package_left", &e.asker_account_id)),
        PackageEvent::PackageFilerReleased(e) => Some(("package_released", &e.account_id)),
        // Of the end those are told whose filings are drafts again.
        PackageEvent::PackageFilingAdded(_)
        | PackageEvent::PackageFilerInvited(_)
        | PackageEvent::PackageInvitationWithdrawn(_)
        | PackageEvent::PackageReadyForPayment(_)
        | PackageEvent::PackageLeftUnpaid(_)
        | PackageEvent::PackageRecalled(_) => None,
    }
}

/// The same mail to whose filing it is and to who stands for it.
fn both<'a>(
    alert: &'static str,
    account: &'a String,
    representative: &'a String,
) -> Vec<(&'static str, &'a String)> {
    vec![(alert, account), (alert, representative)]
}

/// The occasion that is told of once, and who is told by which mail; an empty account is nobody.
#[expect(clippy::wildcard_enum_match_arm, reason = "whoever did anything else knows of it")]
fn told(event: &Event) -> (&str, Vec<(&'static str, &String)>) {
    match event {
        Event::DraftExpiryAnnounced(e) => {
            let alert = match e.days {
                14 => "draft_kept_two_weeks",
                7 => "draft_kept_a_week",
                _ => "draft_kept_a_day",
            };
            (&e.kept_until_date, both(alert, &e.account_id, &e.representative))
        }
        Event::DraftExpired(e) => {
            (&e.kept_until_date, both("draft_expired", &e.account_id, &e.representative))
        }
        Event::FilingRecalled(e) if !e.waited_until_date.is_empty() => {
            (&e.waited_until_date, vec![("fee_left_unpaid", &e.account_id)])
        }
        Event::FilingReviewAsked(e) => ("", vec![("review_asked", &e.account_id)]),
        Event::FilingReviewReminded(e) => ("", vec![("review_waits", &e.account_id)]),
        Event::FilingReturned(e) => ("", vec![("review_returned", &e.representative)]),
        Event::FilingApproved(e) => ("", vec![("review_approved", &e.representative)]),
        Event::ApprovalVoided(e) => {
            let client = ("approval_voided", &e.account_id);
            ("", vec![client, ("clients_approval_voided", &e.representative)])
        }
        Event::SignatureVoided(e) => {
            let filer = ("signature_voided", &e.account_id);
            ("", vec![filer, ("clients_signature_voided", &e.representative)])
        }
        // Of what opens a case notices tell.
        Event::AcceptanceRecorded(e) => ("", both("went_in_with_another", &e.account_id, &e.representative)),
        Event::RejectionRecorded(e) => ("", both("not_taken_with_another", &e.account_id, &e.representative)),
        Event::VoidingRecorded(e) => ("", both("not_taken_with_another", &e.account_id, &e.representative)),
        Event::EvidenceScanned(e) => ("", refused(&e.verdict, &e.account_id, &e.representative)),
        Event::HelperSigned(e) => ("", vec![("co_signer_signed", &e.filer)]),
        Event::CoSignaturesEnded(e) => {
            ("", e.accounts.iter().map(|account| ("co_signature_over", account)).collect())
        }
        Event::FilingSubmitted(e) => {
            ("", e.co_signers.iter().map(|account| ("co_signed_went_in", account)).collect())
        }
        _ => ("", Vec::new()),
    }
}
