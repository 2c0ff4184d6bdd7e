//! Money that fits nothing of the payment: a charge that nobody expects, a dispute about more than is there. It is booked as
//! unexplained until the processor has it no more, or it turns out what it was.
use super::{Charge, Dispute, Payment, Standing};
use docket_kernel::Refusal;
use docket_proto::events::payment::Event;
use docket_proto::payments::events::v1::{FeeRefused, MoneyExplained, MoneyUnexplained};

/// What of a dispute went back before: the office gave it to whoever paid, and the bank took it as well.
pub(super) const ALREADY_REFUNDED: &str = "already_refunded";

/// How a charge ended that the processor gave back.
const GIVEN_BACK: &str = "given_back";

/// Money that fits nothing of the payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unexplained {
    /// The processor's reference of the charge that it is about.
    pub charge: String,
    /// That processor's name.
    pub processor: String,
    /// Attempt that the processor names; empty when none.
    pub attempt_id: String,
    /// Amount in cents; less than zero for money that left us.
    pub amount_cents: i64,
    /// Why it does not fit.
    pub cause: String,
    /// What became of it; none while finance has to look.
    pub how: Option<String>,
    /// How often it had been given back, and the money came back to the processor.
    pub came_back: u32,
}

impl Unexplained {
    /// Whether finance has to look.
    pub fn is_open(&self) -> bool {
        self.how.is_none()
    }

    /// Whether it went back, as far as is known.
    pub fn was_given_back(&self) -> bool {
        self.how.as_deref() == Some(GIVEN_BACK)
    }
}

/// Refuses to take a charge for anything of the payment.
pub(super) fn unexpected() -> Refusal {
    Refusal::state("CHARGE_UNEXPECTED", "the processor made a charge that this payment does not expect")
        .way_out("finance reconciles it by hand")
}

/// Records a charge that is not this payment's, or is and does not fit. Said twice, recorded once; nothing where it is recorded as
/// what it is.
pub fn unexpected_charge(state: &Payment, attempt_id: &str, charge: &Charge, cause: &str) -> Vec<Event> {
    if state.charges.contains_key(&charge.reference) || state.unexplained.contains_key(&charge.reference) {
        return Vec::new();
    }
    vec![Event::MoneyUnexplained(MoneyUnexplained {
        reference: charge.reference.clone(),
        processor_charge: charge.reference.clone(),
        attempt_id: attempt_id.to_owned(),
        amount_cents: charge.amount_cents,
        cause: cause.to_owned(),
        processor: charge.processor.clone(),
    })]
}

/// Records a dispute that does not fit the payment, and what becomes of it. One about a charge that may be under way is looked at
/// again later. Lost, it offsets the charge where that was unexplained too.
pub fn misfit(state: &Payment, dispute: &Dispute, cause: &str) -> Vec<Event> {
    let known = state.unexplained.get(&dispute.id);
    let under_way = state.pending.is_some() && !state.charges.contains_key(&dispute.charge);
    if dispute.amount_cents <= 0 || under_way || known.is_some_and(|known| !known.is_open()) {
        return Vec::new();
    }
    let amount_cents = known.map_or(-dispute.amount_cents, |known| known.amount_cents);
    let mut events = Vec::new();
    if known.is_none() {
        events.push(left(dispute, dispute.amount_cents, cause));
    }
    let charge = state.unexplained.get(&dispute.charge);
    match dispute.standing {
        Standing::Open => {}
        Standing::Won => events.push(explained(&dispute.id, amount_cents, "won")),
        Standing::Lost => {
            if charge.is_some_and(|charge| charge.is_open() && charge.amount_cents == -amount_cents) {
                events.push(explained(&dispute.id, amount_cents, "offset"));
                events.push(explained(&dispute.charge, -amount_cents, "offset"));
            }
        }
    }
    events
}

/// Money left us by a dispute that does not fit.
pub(super) fn left(dispute: &Dispute, cents: i64, cause: &str) -> Event {
    Event::MoneyUnexplained(MoneyUnexplained {
        reference: dispute.id.clone(),
        processor_charge: dispute.charge.clone(),
        attempt_id: String::new(),
        amount_cents: -cents,
        cause: cause.to_owned(),
        processor: dispute.processor.clone(),
    })
}

/// What became of it.
pub(super) fn explained(reference: &str, amount_cents: i64, how: &str) -> Event {
    Event::MoneyExplained(MoneyExplained {
        reference: reference.to_owned(),
        amount_cents,
        how: how.to_owned(),
    })
}

/// Records that the processor gave all of an unexplained charge back. Said twice, recorded once. An attempt that waited because
/// of it is over: nothing of it was kept, and another one may begin.
pub fn given_back(state: &Payment, reference: &str) -> Vec<Event> {
    let Some(known) = state.unexplained.get(reference).filter(|known| known.is_open()) else {
        return Vec::new();
    };
    let mut events = vec![explained(reference, known.amount_cents, GIVEN_BACK)];
    if state.pending.as_ref().is_some_and(|pending| pending.attempt_id == known.attempt_id) {
        events.push(Event::FeeRefused(FeeRefused {
            attempt_id: known.attempt_id.clone(),
            decline_code: "charge_given_back".to_owned(),
        }));
    }
    events
}

/// Records that what was given back of a charge came back to the processor: finance has to look anew. Said twice, recorded once.
pub fn came_back(state: &Payment, reference: &str) -> Vec<Event> {
    let Some(known) = state.unexplained.get(reference).filter(|known| known.was_given_back()) else {
        return Vec::new();
    };
    vec![Event::MoneyUnexplained(MoneyUnexplained {
        reference: reference.to_owned(),
        processor_charge: known.charge.clone(),
        attempt_id: known.attempt_id.clone(),
        amount_cents: known.amount_cents,
        cause: "refund_failed".to_owned(),
        processor: known.processor.clone(),
    })]
}

impl Payment {
    pub(super) fn unexplained(&mut self, said: &MoneyUnexplained) {
        let before = self.unexplained.get(&said.reference);
        let money = Unexplained {
            charge: said.processor_charge.clone(),
            processor: said.processor.clone(),
            attempt_id: said.attempt_id.clone(),
            amount_cents: said.amount_cents,
            cause: said.cause.clone(),
            how: None,
            came_back: before.map_or(0, |before| before.came_back.saturating_add(1)),
        };
        self.unexplained.insert(said.reference.clone(), money);
    }

    pub(super) fn explained(&mut self, said: &MoneyExplained) {
        if let Some(money) = self.unexplained.get_mut(&said.reference) {
            money.how = Some(said.how.clone());
        }
    }

    /// What of a charge the office gave back, and no bank has taken as well yet.
    pub(super) fn given_back_of_cents(&self, charge: &str) -> i64 {
        let issued = self.refunds.iter().filter(|refund| refund.issued && refund.charge == charge);
        let taken = self.unexplained.values().filter(|money| {
            money.cause == ALREADY_REFUNDED && money.charge == charge && money.how.as_deref() != Some("won")
        });
        let issued = issued.map(|refund| refund.amount_cents).fold(0, i64::saturating_add);
        taken.fold(issued, |left, money| left.saturating_add(money.amount_cents))
    }
}
