//! A payment is taken back before anything was paid, so that what it was for can be corrected or given up: by its payer, because
//! something of its package can go in no more as it was sent, or because nobody paid.
use super::Payment;
use super::charge::{nothing_pending, to_be_paid};
use docket_kernel::Refusal;
use docket_proto::events::payment::Event;
use docket_proto::payments::events::v1::{PaymentOpened, PaymentWithdrawn};

/// Withdraws a payment of which nothing was paid; withdrawn already, it stays so. Not while an attempt has no answer: so no charge
/// ever comes for a payment that was withdrawn.
///
/// # Errors
/// `ALREADY_PAID`, `FEE_CANCELLED`, `FEE_OWED`, `PAYMENT_PROCESSING`; not found without a payment.
pub fn withdraw(state: &Payment) -> Result<Vec<Event>, Refusal> {
    let Some(opened) = &state.opened else {
        return if state.withdrawn.is_some() { Ok(Vec::new()) } else { Err(Refusal::not_found()) };
    };
    to_be_paid(state)?;
    if state.settled.is_some() {
        return Err(Refusal::state(
            "FEE_OWED",
            "this fee is owed: the filings it is for went in when it was first paid",
        )
        .way_out("pay it, or withdraw the case"));
    }
    nothing_pending(state)?;
    Ok(vec![Event::PaymentWithdrawn(PaymentWithdrawn {
        package_id: opened.package_id.clone(),
        filing_ids: opened.filing_ids.clone(),
        overtaken_filing_ids: Vec::new(),
        waited_until_date: String::new(),
    })])
}

/// Withdraws a payment that nobody made to the last day on which its package waited; nothing where it was paid, withdrawn, or an
/// attempt has no answer yet.
pub fn withdraw_unpaid(state: &Payment, waited_until: &str) -> Vec<Event> {
    let mut events = withdraw(state).unwrap_or_default();
    for event in &mut events {
        if let Event::PaymentWithdrawn(withdrawn) = event {
            waited_until.clone_into(&mut withdrawn.waited_until_date);
        }
    }
    events
}

/// A filing that can go in no more as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overtaken {
    /// Filing.
    pub filing_id: String,
    /// Account that files.
    pub account_id: String,
    /// Form.
    pub form: String,
    /// What changed since, in the words of filing.
    pub words: Vec<String>,
}

/// Withdraws a payment as it was opened when its package was looked at, because of what of it was overtaken; nothing where it is no
/// more as it was then.
///
/// # Errors
/// As [`withdraw`].
pub fn withdraw_overtaken(
    state: &Payment,
    opened: &PaymentOpened,
    overtaken: &[Overtaken],
) -> Result<Vec<Event>, Refusal> {
    if state.opened.as_ref() != Some(opened) {
        return Ok(Vec::new());
    }
    let mut events = withdraw(state)?;
    for event in &mut events {
        if let Event::PaymentWithdrawn(withdrawn) = event {
            withdrawn.overtaken_filing_ids = overtaken.iter().map(|one| one.filing_id.clone()).collect();
        }
    }
    Ok(events)
}

/// Says to somebody what was overtaken. What a filing says of its filer is said to nobody else.
pub fn overtaken(overtaken: &[Overtaken], reader: Option<&str>) -> Refusal {
    let forms: Vec<&str> = overtaken.iter().map(|one| one.form.as_str()).collect();
    let names: Vec<String> = overtaken.iter().map(|one| format!("filings/{}", one.filing_id)).collect();
    let own = |one: &&Overtaken| reader == Some(one.account_id.as_str());
    let words: Vec<&str> =
        overtaken.iter().filter(own).flat_map(|one| &one.words).map(String::as_str).collect();
    let others = "Whoever files it sees what changed.";
    let words = if words.is_empty() { others.to_owned() } else { words.join(" Also: ") };
    Refusal::state(
        "PACKAGE_OVERTAKEN",
        format!(
            "nothing was charged, and this payment was withdrawn: what was sent on form {} can go in no more as it was. {words}",
            forms.join(", ")
        ),
    )
    .way_out("its filings are drafts again with all that is in them: look at them, put right what changed, ask for the fee, sign and send them")
    .fact("filings", names.join(","))
}
