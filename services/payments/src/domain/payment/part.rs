//! The parts of a payment: what each filing of the package costs, what is kept of it and which charge paid that, and what is owed
//! again.
use super::{Payment, Refund, Standing};
use docket_proto::payments::events::v1::{FeePart, PaymentOpened};

/// One filing's part of a payment. Amounts are in cents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Filing.
    pub filing_id: String,
    /// Quote.
    pub quote_id: String,
    /// What the filing costs.
    pub amount_cents: i64,
    /// What was charged for it and neither went back nor is on its way back nor was lost.
    pub kept_cents: i64,
    /// Which charges paid that, the first one first: it goes back from where it came.
    pub paid: Vec<Paid>,
    /// What was not honoured of it and is owed again.
    pub owed_cents: i64,
    /// Whether nothing of it is owed any more, whatever of it is not honoured.
    pub cancelled: bool,
}

/// What one charge paid of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paid {
    /// The processor's reference of the charge.
    pub charge: String,
    /// Amount in cents.
    pub cents: i64,
}

impl Part {
    /// What a charge paid of what is kept; of no charge, all of it.
    pub(super) fn paid_by_cents(&self, charge: &str) -> i64 {
        let paid = self.paid.iter().filter(|paid| charge.is_empty() || paid.charge == charge);
        paid.map(|paid| paid.cents).fold(0, i64::saturating_add)
    }

    /// The charge that paid so much of what is kept, the last one first.
    pub(super) fn charge_of(&self, cents: i64) -> Option<&str> {
        let paid = self.paid.iter().rev().find(|paid| paid.cents >= cents);
        paid.or(self.paid.last()).map(|paid| paid.charge.as_str())
    }

    /// A charge paid something.
    pub(super) fn receive(&mut self, charge: &str, cents: i64) {
        self.kept_cents = self.kept_cents.saturating_add(cents);
        match self.paid.iter_mut().find(|paid| paid.charge == charge) {
            Some(paid) => paid.cents = paid.cents.saturating_add(cents),
            None => self.paid.push(Paid { charge: charge.to_owned(), cents }),
        }
    }

    /// Something is kept no more of what a charge paid; where that is not known to be so much, of what others did.
    pub(super) fn give(&mut self, charge: &str, cents: i64) {
        self.kept_cents = self.kept_cents.saturating_sub(cents);
        let mut left = cents;
        let (own, others): (Vec<_>, Vec<_>) = self.paid.iter_mut().partition(|paid| paid.charge == charge);
        for paid in own.into_iter().chain(others.into_iter().rev()) {
            let taken = left.min(paid.cents);
            paid.cents = paid.cents.saturating_sub(taken);
            left = left.saturating_sub(taken);
        }
        self.paid.retain(|paid| paid.cents != 0);
    }
}

/// The parts of a payment as it was opened. One from before packages held several filings has one part.
pub(super) fn parts_of(opened: &PaymentOpened) -> Vec<Part> {
    let part = |filing_id: &str, quote_id: &str, amount_cents| Part {
        filing_id: filing_id.to_owned(),
        quote_id: quote_id.to_owned(),
        amount_cents,
        ..Part::default()
    };
    if opened.parts.is_empty() {
        let filing_id = opened.filing_ids.first().map_or("", String::as_str);
        return vec![part(filing_id, &opened.quote_id, opened.amount_cents)];
    }
    opened.parts.iter().map(|said| part(&said.filing_id, &said.quote_id, said.amount_cents)).collect()
}

/// The part of an amount that is one filing's, as events say it.
pub(super) fn share(filing_id: &str, amount_cents: i64) -> FeePart {
    FeePart { filing_id: filing_id.to_owned(), quote_id: String::new(), amount_cents }
}

/// The filings that parts are about.
pub(super) fn filings_of(shares: &[FeePart]) -> Vec<String> {
    shares.iter().map(|share| share.filing_id.clone()).collect()
}

impl Refund {
    /// Whether it is on its way back to a charge; to no charge, to any.
    pub(super) fn is_of(&self, charge: &str) -> bool {
        !self.issued && (charge.is_empty() || self.charge == charge)
    }
}

impl Payment {
    /// A filing's part.
    pub fn part(&self, filing_id: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.filing_id == filing_id)
    }

    /// What a charge that is to be made now pays, filing by filing.
    pub(super) fn due_shares(&self) -> Vec<FeePart> {
        let due = |part: &Part| if self.settled.is_some() { part.owed_cents } else { part.amount_cents };
        let shares = self.parts.iter().map(|part| share(&part.filing_id, due(part)));
        shares.filter(|share| share.amount_cents > 0).collect()
    }

    /// Of which filings' fees an amount is that is lost of a charge. What goes back to nobody is lost first, so that a refund on its
    /// way is touched only when nothing else is left.
    pub(super) fn lost_shares(&self, charge: &str, amount_cents: i64) -> Vec<FeePart> {
        let on_its_way = |part: &Part| self.on_its_way_cents(&part.filing_id, charge);
        let (going, staying): (Vec<_>, Vec<_>) = self.parts.iter().partition(|part| on_its_way(part) > 0);
        let mut left = amount_cents;
        let mut shares = Vec::new();
        for part in staying.into_iter().chain(going) {
            let lost = left.min(part.paid_by_cents(charge) + on_its_way(part));
            if lost > 0 {
                left -= lost;
                shares.push(share(&part.filing_id, lost));
            }
        }
        // More than was there cannot be lost; should a processor say so all the same, the books still agree.
        match (left, shares.last_mut()) {
            (0, _) => {}
            (_, Some(last)) => last.amount_cents += left,
            (_, None) => shares.extend(self.parts.first().map(|part| share(&part.filing_id, left))),
        }
        shares
    }

    /// What of a filing's fee is on its way back to a charge; to no charge, to any.
    pub(super) fn on_its_way_cents(&self, filing_id: &str, charge: &str) -> i64 {
        let open = self.refunds.iter().filter(|refund| refund.filing_id == filing_id && refund.is_of(charge));
        open.map(|refund| refund.amount_cents).sum()
    }

    /// What a dispute about a charge can still be about: what it paid that is neither back, nor lost, nor held already.
    pub fn disputable_of_cents(&self, charge: &str) -> i64 {
        let here: i64 = self.parts.iter().map(|part| part.paid_by_cents(charge)).sum();
        let on_its_way = self.refunds.iter().filter(|refund| refund.is_of(charge));
        let held = self.disputes.values().filter(|dispute| {
            dispute.standing == Standing::Open && (dispute.charge == charge || dispute.charge.is_empty())
        });
        let held: i64 = held.map(|dispute| dispute.amount_cents).sum();
        here + on_its_way.map(|refund| refund.amount_cents).sum::<i64>() - held
    }

    /// Changes the part of each share. An event without shares is from before packages held several filings, and is about the
    /// whole.
    pub(super) fn each_share(
        &mut self,
        shares: &[FeePart],
        whole_cents: i64,
        change: impl Fn(&mut Part, i64),
    ) {
        if shares.is_empty() {
            self.parts.iter_mut().take(1).for_each(|part| change(part, whole_cents));
        }
        for share in shares {
            let mut parts = self.parts.iter_mut();
            if let Some(part) = parts.find(|part| part.filing_id == share.filing_id) {
                change(part, share.amount_cents);
            }
        }
    }
}
