//! A payment: opened for a package, withdrawn, attempted, refused or settled, given back; disputed, returned, made good; and what fits nothing of it.
mod back;
mod charge;
mod invite;
mod part;
#[cfg(test)]
mod tests;
mod unexplained;
#[cfg(test)]
mod unexplained_tests;
mod withdraw;

pub use back::{Dispute, Fate, end_fee, fail_refund, issue_refund, record_dispute};
pub use charge::{Changed, Charge, attempt, open, refuse, settle};
pub use invite::{invite, opens};
pub use part::{Paid, Part};
pub use unexplained::{Unexplained, came_back, given_back, misfit, unexpected_charge};
pub use withdraw::{Overtaken, overtaken, withdraw, withdraw_overtaken, withdraw_unpaid};

use docket_eventlog::Aggregate;
use docket_proto::events::payment::Event;
use docket_proto::payments::events::v1::{
    FeePart, FeeSettled, PaymentMadeGood, PaymentOpened, PaymentReturned, RefundStarted,
};
use std::collections::BTreeMap;

/// The fold of `payment-…`. Amounts are in cents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payment {
    /// How it was opened; nothing before, and nothing once it was withdrawn.
    pub opened: Option<PaymentOpened>,
    /// What was withdrawn, until it is opened anew.
    pub withdrawn: Option<PaymentOpened>,
    /// What is each filing's, in the order of the package; nothing before it was opened.
    pub parts: Vec<Part>,
    /// The attempt whose outcome is not known yet.
    pub pending: Option<Pending>,
    /// Class of the last refusal.
    pub last_refusal: Option<String>,
    /// How it was settled; after it was made good, with the charge that did it.
    pub settled: Option<FeeSettled>,
    /// The processor's references of its charges, each with the processor's name.
    pub charges: BTreeMap<String, String>,
    /// What was charged in all.
    pub charged_cents: i64,
    /// Money that went or goes back.
    pub refunds: Vec<Refund>,
    /// Disputes by the processor's reference.
    pub disputes: BTreeMap<String, DisputeState>,
    /// Money that fits nothing of it, by the processor's reference.
    pub unexplained: BTreeMap<String, Unexplained>,
    /// Codes for others to pay with.
    pub invitations: Vec<Invitation>,
}

/// An attempt whose outcome is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Attempt id.
    pub attempt_id: String,
    /// What was asked for, in cents.
    pub amount_cents: i64,
    /// The same by filing.
    pub shares: Vec<FeePart>,
}

/// Money on its way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Refund id.
    pub refund_id: String,
    /// Filing.
    pub filing_id: String,
    /// The processor's reference of the charge that it goes back from.
    pub charge: String,
    /// That processor's name.
    pub processor: String,
    /// Amount in cents.
    pub amount_cents: i64,
    /// Whether the processor has done it.
    pub issued: bool,
    /// The processor's reference of its last try, where that failed.
    pub failed: Option<String>,
    /// How often it had been done, and the money came back.
    pub came_back: u32,
}

/// How a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The processor holds the money.
    Open,
    /// The money is back with us.
    Won,
    /// The money is gone.
    Lost,
}

/// A dispute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisputeState {
    /// The processor's reference of the charge; empty where it was not kept.
    pub charge: String,
    /// Amount in cents.
    pub amount_cents: i64,
    /// How it stands.
    pub standing: Standing,
}

/// A code for somebody else to pay with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// SHA-256 of the code.
    pub code_hash: Vec<u8>,
    /// Until when it is good, microseconds since the epoch.
    pub valid_until_us: i64,
}

impl Payment {
    /// How it was opened last, also when it was withdrawn since.
    pub fn last_opened(&self) -> Option<&PaymentOpened> {
        self.opened.as_ref().or(self.withdrawn.as_ref())
    }

    /// What is to be paid now: the fee before it is settled, what is owed again after it was not honoured.
    pub fn due_cents(&self) -> i64 {
        match (&self.settled, &self.opened) {
            (Some(_), _) => self.owed_cents(),
            (None, opened) => opened.as_ref().map_or(0, |opened| opened.amount_cents),
        }
    }

    /// What was not honoured and is owed again.
    pub fn owed_cents(&self) -> i64 {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.owed_cents))
    }

    /// Whether it came to nothing: something that was not honoured is owed no more, and of nothing anything is kept or owed.
    pub fn cancelled(&self) -> bool {
        let nothing_else = self.owed_cents() == 0 && self.kept_cents() == 0;
        nothing_else && self.parts.iter().any(|part| part.cancelled)
    }

    /// What went back so far.
    pub fn refunded_cents(&self) -> i64 {
        self.refunds.iter().filter(|refund| refund.issued).map(|refund| refund.amount_cents).sum()
    }

    /// What was charged and neither went back nor is on its way back nor was lost.
    pub fn kept_cents(&self) -> i64 {
        let back: i64 = self.refunds.iter().map(|refund| refund.amount_cents).sum();
        self.charged_cents - back - self.disputed_cents(Standing::Lost)
    }

    /// What a dispute can still be about: what was charged and is neither back, nor lost, nor held already.
    pub fn disputable_cents(&self) -> i64 {
        let gone = self.refunded_cents() + self.disputed_cents(Standing::Lost);
        self.charged_cents - gone - self.held_cents()
    }

    /// What the processor holds because of disputes.
    pub fn held_cents(&self) -> i64 {
        self.disputed_cents(Standing::Open)
    }

    /// The name of the processor of a charge; empty where it was not kept.
    pub fn processor_of(&self, charge: &str) -> &str {
        self.charges.get(charge).map_or("", String::as_str)
    }

    fn disputed_cents(&self, standing: Standing) -> i64 {
        let such = self.disputes.values().filter(|dispute| dispute.standing == standing);
        such.map(|dispute| dispute.amount_cents).sum()
    }
}

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Payments;

impl Aggregate for Payments {
    type Event = Event;
    type State = Payment;

    fn evolve(mut state: Payment, event: &Event) -> Payment {
        match event {
            Event::PaymentOpened(opened) => {
                state.parts = part::parts_of(opened);
                state.opened = Some(opened.clone());
                state.withdrawn = None;
                // What it was opened for before, where that was never withdrawn.
                state.invitations.clear();
                state.last_refusal = None;
            }
            Event::PaymentWithdrawn(_) => state.withdrawn(),
            Event::PaymentAttempted(attempted) => {
                state.pending = Some(Pending {
                    attempt_id: attempted.attempt_id.clone(),
                    amount_cents: state.due_cents(),
                    shares: state.due_shares(),
                });
            }
            Event::FeeRefused(refused) => {
                state.pending = None;
                state.last_refusal = Some(refused.decline_code.clone());
            }
            Event::FeeSettled(settled) => {
                state.settled = Some(settled.clone());
                let by = (settled.processor_reference.as_str(), settled.processor.as_str());
                state.charged(by, settled.amount_cents);
                for part in state.parts.iter_mut().filter(|part| part.amount_cents > 0) {
                    part.receive(&settled.processor_reference, part.amount_cents);
                }
            }
            Event::RefundStarted(started) => state.refund_started(started),
            Event::RefundIssued(issued) => {
                for refund in state.refunds.iter_mut().filter(|refund| refund.refund_id == issued.refund_id) {
                    refund.issued = true;
                }
            }
            Event::RefundFailed(failed) => {
                for refund in state.refunds.iter_mut().filter(|refund| refund.refund_id == failed.refund_id) {
                    refund.issued = false;
                    refund.failed = Some(failed.processor_reference.clone());
                    refund.came_back = refund.came_back.saturating_add(u32::from(failed.was_issued));
                }
            }
            Event::PayerInvited(invited) => state.invitations.push(Invitation {
                code_hash: invited.code_hash.clone(),
                valid_until_us: invited.valid_until_us,
            }),
            Event::PaymentDisputed(disputed) => {
                let known = DisputeState {
                    charge: disputed.processor_charge.clone(),
                    amount_cents: disputed.amount_cents,
                    standing: Standing::Open,
                };
                state.disputes.insert(disputed.dispute_id.clone(), known);
            }
            Event::DisputeWon(won) => state.dispute_ended(&won.dispute_id, Standing::Won),
            Event::PaymentReturned(returned) => state.returned(returned),
            Event::PaymentMadeGood(made_good) => state.made_good(made_good),
            Event::FeeCancelled(cancelled) => {
                for part in state.parts.iter_mut().filter(|part| part.filing_id == cancelled.filing_id) {
                    part.owed_cents = 0;
                    part.cancelled = true;
                }
            }
            Event::MoneyUnexplained(unexplained) => state.unexplained(unexplained),
            Event::MoneyExplained(explained) => state.explained(explained),
        }
        state
    }
}

impl Payment {
    /// Nothing of it is left but whose it was and what for.
    fn withdrawn(&mut self) {
        self.withdrawn = self.opened.take().or_else(|| self.withdrawn.take());
        self.parts.clear();
        self.invitations.clear();
        self.last_refusal = None;
    }

    fn charged(&mut self, (reference, processor): (&str, &str), amount_cents: i64) {
        self.pending = None;
        self.last_refusal = None;
        self.charged_cents = self.charged_cents.saturating_add(amount_cents);
        if !reference.is_empty() {
            self.charges.insert(reference.to_owned(), processor.to_owned());
        }
    }

    fn dispute_ended(&mut self, dispute_id: &str, standing: Standing) {
        if let Some(dispute) = self.disputes.get_mut(dispute_id) {
            dispute.standing = standing;
        }
    }

    fn refund_started(&mut self, started: &RefundStarted) {
        let amount_cents = started.amount_cents;
        // An event from before it was kept is about the charge that paid the part.
        let paid = self.part(&started.filing_id).and_then(|part| part.charge_of(amount_cents));
        let charge =
            if started.processor_charge.is_empty() { paid } else { Some(&*started.processor_charge) };
        let charge = charge.unwrap_or_default().to_owned();
        self.each_share(&[part::share(&started.filing_id, amount_cents)], amount_cents, |part, cents| {
            part.give(&charge, cents);
        });
        let processor = if started.processor.is_empty() {
            self.processor_of(&charge).to_owned()
        } else {
            started.processor.clone()
        };
        self.refunds.push(Refund {
            refund_id: started.refund_id.clone(),
            filing_id: started.filing_id.clone(),
            charge,
            processor,
            amount_cents,
            issued: false,
            failed: None,
            came_back: 0,
        });
    }

    /// What was on its way back of a fee that is lost is gone already, another way.
    fn returned(&mut self, returned: &PaymentReturned) {
        let disputed = self.disputes.get(&returned.dispute_id);
        let charge = disputed.map(|dispute| dispute.charge.clone()).unwrap_or_default();
        self.dispute_ended(&returned.dispute_id, Standing::Lost);
        for part in &mut self.parts {
            let whole = returned.parts.is_empty();
            if whole || returned.parts.iter().any(|share| share.filing_id == part.filing_id) {
                let of_it = |refund: &mut Refund| refund.filing_id == part.filing_id && refund.is_of(&charge);
                let gone: Vec<Refund> = self.refunds.extract_if(.., of_it).collect();
                for refund in gone {
                    part.receive(&refund.charge, refund.amount_cents);
                }
            }
        }
        self.each_share(&returned.parts, returned.amount_cents, |part, cents| {
            part.give(&charge, cents);
            part.owed_cents = part.owed_cents.saturating_add(cents);
        });
    }

    fn made_good(&mut self, made_good: &PaymentMadeGood) {
        let by = (made_good.processor_reference.as_str(), made_good.processor.as_str());
        self.charged(by, made_good.amount_cents);
        self.each_share(&made_good.parts, made_good.amount_cents, |part, cents| {
            part.receive(&made_good.processor_reference, cents);
            part.owed_cents = part.owed_cents.saturating_sub(cents).max(0);
        });
        if let Some(settled) = &mut self.settled {
            settled.processor_reference.clone_from(&made_good.processor_reference);
            settled.processor.clone_from(&made_good.processor);
            settled.card_brand.clone_from(&made_good.card_brand);
            settled.card_last4.clone_from(&made_good.card_last4);
        }
    }
}
