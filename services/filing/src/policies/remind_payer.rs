//! When nobody pays for what was sent, then whoever is to pay is reminded, as of a draft, 14, 7 and 1 days before thirty are over;
//! after the last day the payment is to be withdrawn, by which it is a draft again.
//!
//! One timer a package, set when its payment was opened. Payments alone knows whether an attempt has no answer yet; while one has
//! none it withdraws nothing, and is asked again on the next day.

use async_trait::async_trait;
use docket_eventlog::{Context, Loaded, Recorded, Subjects, Timer};
use docket_messaging::{ApplyError, Subscriber};
use docket_proto::events::payment::Event;
use jiff::{Timestamp, ToSpan as _};
use sqlx::PgConnection;
use uuid::Uuid;

use super::parse;
use crate::aggregates::Packages;
use crate::desk::Desk;
use crate::domain::filing::Phase;
use crate::domain::keep::{self, Step};
use crate::domain::package::{self, Package};
use crate::store::filings;

/// The kind of its timers.
pub(super) const KIND: &str = "payer_reminded";
/// The event from which the days are counted, and that of a reminder.
const READY: &str = "package.ready_for_payment.v1";
const REMINDED: &str = "package.payer_reminded.v1";
/// After the last day it is looked again each day; after a word, when the next one is due.
const TOMORROW_H: i64 = 24;
const SOON_S: i64 = 60;

/// Sets the timer of what waits for its fee from now on.
pub(crate) struct RemindPayer(pub(crate) Desk);

#[async_trait]
impl Subscriber for RemindPayer {
    fn categories(&self) -> &'static [&'static str] {
        &["payment"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let Event::PaymentOpened(opened) = event.decode()? else { return Ok(()) };
        // Due at once: it finds by itself when there is something to say.
        let first = timer(parse(&opened.package_id)?, event.recorded_at);
        Ok(self.0.log.timers().schedule_in(tx, &first).await?)
    }
}

fn timer(package: Uuid, due_at: Timestamp) -> Timer {
    Timer::new(format!("payer-reminded:{package}"), KIND, due_at, package.as_bytes().to_vec())
}

/// Looks whether the fee was paid; reminds, or says that nobody paid, and sets the timer of the next look.
pub(super) async fn fire(
    desk: &Desk,
    tx: &mut PgConnection,
    due: &Timer,
    id: Uuid,
) -> Result<(), ApplyError> {
    let loaded = desk.packages.load(id).await?;
    let sent_at = last(&loaded, READY).filter(|_| loaded.state.ready);
    let (Some(sent_at), true) = (sent_at, waits(desk, id).await?) else { return Ok(()) };
    let told = loaded.state.told.zip(last(&loaded, REMINDED));
    let (now, context) = (desk.base.clock.now(), Context::timer(due));
    let next = match keep::next(sent_at, told, now) {
        Step::Wait(until) => until,
        Step::Tell { days, kept_until } => {
            let tell = |state: &Package| Ok(package::remind_payer(state, days, kept_until));
            desk.packages.execute_in(tx, &context, id, Subjects::NONE, tell).await?;
            now + SOON_S.seconds()
        }
        Step::Expire(kept_until) => {
            let leave = |state: &Package| Ok(package::leave_unpaid(state, kept_until));
            desk.packages.execute_in(tx, &context, id, Subjects::NONE, leave).await?;
            now + TOMORROW_H.hours()
        }
    };
    Ok(desk.log.timers().schedule_in(tx, &timer(id, next)).await?)
}

/// When an event of this kind was written last.
fn last(loaded: &Loaded<Packages>, kind: &str) -> Option<Timestamp> {
    loaded.events.iter().rfind(|event| event.kind == kind).map(|event| event.recorded_at)
}

/// Whether something of the package waits for its fee.
async fn waits(desk: &Desk, package: Uuid) -> Result<bool, ApplyError> {
    for added in filings::of_package(&desk.base.pool, package).await? {
        if desk.filings.load(added.filing).await?.state.phase == Phase::Sent {
            return Ok(true);
        }
    }
    Ok(false)
}
