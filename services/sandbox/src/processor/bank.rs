//! Bank payments settle later: when told, or when their time has come.

use std::time::Duration;

use crate::{
    Shared,
    store::{Change, State},
};

use super::{
    methods::Decline,
    objects::{Cause, Charge, Hooks, PaymentIntent},
    payment,
};

/// How often due bank payments are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What the bank says in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settlement {
    Succeeded,
    Failed,
}

/// Settles a processing intent; false if it is none.
pub(crate) fn settle(tx: &mut Change<'_>, cause: &Cause, id: &str, settlement: Settlement) -> bool {
    let Some((intent, charge)) = processing(tx.state, id) else { return false };
    match settlement {
        Settlement::Succeeded => {
            payment::succeed(tx, cause, Hooks::Once, intent, charge);
        }
        Settlement::Failed => {
            let decline = Decline {
                code: "payment_intent_payment_attempt_failed",
                reason: "insufficient_funds",
                message: "The customer's bank account has insufficient funds.",
            };
            payment::fail(tx, cause, Hooks::Once, intent, charge, decline);
        }
    }
    true
}

fn processing(state: &State, id: &str) -> Option<(PaymentIntent, Charge)> {
    let intent = state.intents.get(state.processing.get(id)?)?;
    let charge = state.charges.get(intent.latest_charge.as_ref()?)?;
    Some((intent.clone(), charge.clone()))
}

/// Settles what has waited `bank_settle_seconds`; with 0 of them, nothing by itself.
pub(crate) async fn settle_when_due(shared: Shared) {
    let Ok(wait @ 1..) = i64::try_from(shared.config.processor.bank_settle_seconds) else { return };
    let mut tick = tokio::time::interval(LOOK_EVERY);
    loop {
        tick.tick().await;
        let now = shared.clock.now().as_second();
        let due = shared.store.read(|state| due(state, now - wait)).await;
        for id in due {
            let cause = Cause { now, idempotency_key: None };
            shared.store.write(|tx| settle(tx, &cause, &id, Settlement::Succeeded)).await;
        }
    }
}

fn due(state: &State, started_before: i64) -> Vec<String> {
    let started = |id: &&String| {
        let charge =
            state.intents.get(*id).and_then(|intent| state.charges.get(intent.latest_charge.as_ref()?));
        charge.is_some_and(|charge| charge.created <= started_before)
    };
    state.processing.iter().filter(started).cloned().collect()
}
