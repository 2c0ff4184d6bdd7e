//! The parts of a payment: what each filing of the package costs, what is kept of it, and what is owed again.
use super::Payment;
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
    /// What was not honoured of it and is owed again.
    pub owed_cents: i64,
    /// Whether nothing of it is owed any more though it was not honoured.
    pub cancelled: bool,
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

    /// Of which filings' fees a lost amount is. What goes back to nobody is lost first, so that a refund on its way is touched
    /// only when nothing else is left.
    pub(super) fn lost_shares(&self, amount_cents: i64) -> Vec<FeePart> {
        let on_its_way = |part: &Part| self.on_its_way_cents(&part.filing_id);
        let (going, staying): (Vec<_>, Vec<_>) = self.parts.iter().partition(|part| on_its_way(part) > 0);
        let mut left = amount_cents;
        let mut shares = Vec::new();
        for part in staying.into_iter().chain(going) {
            let lost = left.min(part.kept_cents + on_its_way(part));
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

    /// What of a filing's fee is on its way back.
    pub(super) fn on_its_way_cents(&self, filing_id: &str) -> i64 {
        let open = self.refunds.iter().filter(|refund| refund.filing_id == filing_id && !refund.issued);
        open.map(|refund| refund.amount_cents).sum()
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
