//! When a case event owes a notice, then write that down; issuing it takes a name and time, and comes after. When one takes away what
//! a notice would ask for that is still owed, then let that go. Who paid for a party whose fee did not arrive back is told by mail.

use std::sync::Arc;

use async_trait::async_trait;
use docket_eventlog::{Obligation, Recorded};
use docket_kernel::derived_id;
use docket_proto::events::case::Event;
use docket_service::{ApplyError, Base, Subscriber};
use jiff::SignedDuration;
use sqlx::PgConnection;
use tokio::sync::Notify;
use uuid::Uuid;

use super::let_go::{POLICY, Why, let_go};
use crate::domain::{CalledOff, NoticeKind};
use crate::store::{delivery, matter, owed};

/// The kind of obligation that stands open until the notice is issued.
pub(crate) const OBLIGATION: &str = "notice";
/// A notice goes out within a day (8 CFR 103.2(b)(19): parties are told).
const WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// The subscriber of the log of cases.
pub(crate) struct OweNotice {
    pub(crate) base: Base,
    pub(crate) wake: Arc<Notify>,
}

#[async_trait]
impl Subscriber for OweNotice {
    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "other events change nothing that is kept of a case here"
    )]
    async fn apply(&self, tx: &mut PgConnection, recorded: &Recorded) -> Result<(), ApplyError> {
        let event: Event = recorded.decode()?;
        let case = recorded.stream.id().ok_or_else(|| ApplyError::Park("the stream names no case".into()))?;
        match &event {
            Event::CaseOpened(opened) => {
                matter::opened(tx, case, account(&opened.account_id)?, opened).await?;
                matter::protected(&mut *tx, &[case], &[opened.protected]).await?;
            }
            Event::FilingAccepted(accepted) => matter::accepted(tx, case, accepted).await?,
            Event::FilingRejected(_) => matter::rejected(tx, case).await?,
            Event::CaseAddressChanged(changed) => matter::moved(tx, case, &changed.zone).await?,
            Event::CaseAssigned(assigned) => {
                matter::assigned(tx, case, account(&assigned.officer)?).await?;
            }
            Event::NameCorrected(_) => matter::name_corrected(tx, case, recorded.event_id).await?,
            Event::CaseUnassigned(_) => matter::unassigned(tx, case).await?,
            Event::CaseTransferred(e) => matter::transferred(tx, case, &e.to_office).await?,
            Event::RepresentationActivated(e) => {
                let appearance = named(&e.representation_id)?;
                matter::represented_by(tx, case, appearance, account(&e.representative)?).await?;
                matter::wished(tx, case, e.wishes.as_ref()).await?;
            }
            Event::CaseRepresentationReplaced(e) => {
                let appearance = named(&e.representation_id)?;
                matter::represented_by(tx, case, appearance, account(&e.representative)?).await?;
                matter::wished(tx, case, e.wishes.as_ref()).await?;
            }
            Event::CaseRepresentationWishesChanged(e) => {
                matter::wished(tx, case, e.wishes.as_ref()).await?;
            }
            Event::CaseRepresentationEnded(_) => matter::represented_no_more(tx, case).await?,
            Event::RefundFailureRecorded(e) => {
                self.tell_payer(tx, case, recorded, &e.account_id).await?;
            }
            _ => {}
        }
        self.let_go_what_is_overtaken(tx, case, recorded, &event).await?;
        let Some(kind) = NoticeKind::owed_for(&event) else { return Ok(()) };
        let notice = derived_id(POLICY, recorded.event_id, 0);
        owed::write(tx, notice, case, kind.id(), recorded).await?;
        let obligation = Obligation {
            kind: OBLIGATION.to_owned(),
            key: notice.to_string(),
            owner: self.base.name.to_owned(),
            due_at: recorded.recorded_at + WITHIN,
        };
        self.base.log.obligations().open_in(tx, &obligation).await?;
        Ok(())
    }

    async fn after_commit(&self, _event: &Recorded) {
        self.wake.notify_one();
    }
}

impl OweNotice {
    /// Whoever paid in the place of the party gets a mail, since the notice is the party's.
    async fn tell_payer(
        &self,
        tx: &mut PgConnection,
        case: Uuid,
        recorded: &Recorded,
        payer: &str,
    ) -> Result<(), ApplyError> {
        let Ok(payer) = Uuid::try_parse(payer) else { return Ok(()) };
        let matter = matter::find(&mut *tx, case).await?;
        if matter.is_some_and(|matter| matter.is_partys(payer)) {
            return Ok(());
        }
        let occasion = recorded.event_id.to_string();
        let told = (delivery::PAYERS_REFUND_FAILED, occasion.as_str());
        delivery::queue_about_draft(tx, recorded, payer, told, self.base.clock.now()).await?;
        Ok(())
    }

    async fn let_go_what_is_overtaken(
        &self,
        tx: &mut PgConnection,
        case: Uuid,
        recorded: &Recorded,
        event: &Event,
    ) -> Result<(), ApplyError> {
        let Some(called_off) = CalledOff::by(event) else { return Ok(()) };
        for owed in owed::of_case(tx, case).await? {
            let owing = Recorded::from_stored(&owed.event)?;
            if called_off.is_asked_for_by(&owing.decode()?) {
                let_go(&self.base, tx, &owed, &owing, Why::Overtaken(recorded.event_id)).await?;
            }
        }
        Ok(())
    }
}

fn named(representation_id: &str) -> Result<Uuid, ApplyError> {
    Uuid::try_parse(representation_id)
        .map_err(|_malformed| ApplyError::Park("the event names no appearance".into()))
}

fn account(text: &str) -> Result<Uuid, ApplyError> {
    let text = text.strip_prefix("accounts/").unwrap_or(text);
    Uuid::try_parse(text).map_err(|_malformed| ApplyError::Park("the event names no account".into()))
}
