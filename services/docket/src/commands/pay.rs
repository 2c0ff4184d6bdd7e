//! `docket pay`: what was sent is paid, and goes in; then its receipt number comes.
use super::sign::Guarded;
use super::{Refused, StepUpArgs, amount};
use crate::client::{passing, patiently, request};
use crate::output::Teller;
use anyhow::{Context, Result, bail};
use docket_proto::filing::v1::GetFilingRequest;
use docket_proto::payments::v1 as pb;
use docket_proto::payments::v1::pay_with_card_response::Outcome;
use docket_proto::payments::v1::payment::State;
use docket_proto::types::v1::Money;
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};
use tonic::{Code, Status};
use uuid::Uuid;

/// How long one waits here for what comes by itself, such as a receipt number.
const PATIENCE: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(200);

/// What is paid with what.
#[derive(Debug, clap::Args)]
pub struct PayArgs {
    /// payments/<id>, as `docket send` says it; filings/<id> means the payment of its package.
    payment: String,
    /// The processor's token for the card; against the sandbox a test card such as `pm_card_visa`.
    #[arg(long, value_name = "TOKEN")]
    card: String,
    /// The code of the payer, to pay for somebody else.
    #[arg(long, value_name = "CODE", default_value = "")]
    payer_code: String,
    #[command(flatten)]
    factor: StepUpArgs,
}

/// Pays once, and waits a while for the receipt numbers.
pub async fn pay(home: &Path, args: &PayArgs, teller: &Teller) -> Result<()> {
    let mut payer = Guarded::of(home, &args.factor, teller.language()).await?;
    let name = if args.payment.starts_with("filings/") {
        format!("payments/{}", payer.drafts.get(&args.payment).await?.package_id)
    } else {
        args.payment.clone()
    };
    let message = pb::PayWithCardRequest {
        request_id: Uuid::now_v7().to_string(),
        name,
        method_token: args.card.clone(),
        payer_code: args.payer_code.clone(),
    };
    let paid = payer.call(async |drafts, token| {
        patiently(|| {
            let (mut payments, message) =
                (drafts.connection.payments(), request(Some(token), message.clone()));
            async move { payments.pay_with_card(message).await }
        })
        .await
    });
    let answer = paid.await?.into_inner();
    let payment = answer.payment.clone().context("payment")?;
    match answer.outcome() {
        Outcome::Paid => {}
        Outcome::Declined => bail!("{}", payment.last_refusal),
        // From a bank account it takes days.
        Outcome::Pending | Outcome::Unspecified => {
            if teller.is_json() {
                teller.value(&json!({"payment": payment.name, "outcome": "pending"}));
            } else {
                teller.line(payer.words.signing.pending);
            }
            return Ok(());
        }
    }
    // At once: whatever happens on the way to the receipt numbers, it is paid.
    let paid = amount(cents(payment.amount.as_ref()));
    if teller.is_json() {
        teller.value(&json!({"payment": payment.name, "outcome": "paid", "paid": paid}));
    } else {
        let card = [payment.card_brand.as_str(), payment.card_last4.as_str()].join(" …");
        teller.line(&payer.words.signing.paid.replace("{}", &format!("{paid}, {card}")));
    }
    if args.payer_code.is_empty() {
        receipts(&payer, &payment, teller).await?;
    }
    Ok(())
}

fn cents(money: Option<&Money>) -> i64 {
    money.map_or(0, |money| money.cents)
}

/// What is to be paid for what was sent; where that is nothing, it goes in by itself.
pub async fn tell_due(sender: &Guarded<'_>, name: &str, teller: &Teller) -> Result<()> {
    let payment = opened(sender, name).await?;
    let due = cents(payment.due.as_ref());
    if teller.is_json() {
        teller.value(&json!({"payment": name, "due_cents": due, "filings": payment.filing_ids}));
    }
    if due == 0 {
        return receipts(sender, &payment, teller).await;
    }
    if !teller.is_json() {
        let (words, pay) = (&sender.words.signing, format!("docket pay {name} --card pm_card_visa"));
        teller.line(&words.due.replace("{}", &format!("{} ({name})", amount(due))));
        for row in &payment.rows {
            teller.line(&format!("  {} {} {}", amount(row.cents), row.form, row.because));
        }
        teller.line(&words.pay_next.replace("{}", &pay));
    }
    Ok(())
}

/// The payment, once payments has heard that the package was sent.
async fn opened(sender: &Guarded<'_>, name: &str) -> Result<pb::Payment> {
    once_there(name, async || {
        let message = pb::GetPaymentRequest { name: name.to_owned(), payer_code: String::new() };
        let token = sender.drafts.token().await?;
        let answer = sender.drafts.connection.payments().get_payment(request(Some(&token), message)).await?;
        Ok(answer.into_inner().payment.filter(|payment| payment.state() != State::Withdrawn))
    })
    .await
}

/// Looks until it is there; what will not pass by itself is told at once.
async fn once_there<T>(name: &str, look: impl AsyncFn() -> Result<Option<T>, Status>) -> Result<T> {
    let begun = Instant::now();
    loop {
        let found = look().await;
        let over = begun.elapsed() >= PATIENCE;
        match found {
            Ok(Some(found)) => return Ok(found),
            Err(status) if over || !may_come(&status) => return Err(Refused::from(status).into()),
            Ok(None) if over => bail!("{name} is not there yet; look again in a moment"),
            Ok(None) | Err(_) => tokio::time::sleep(GLANCE).await,
        }
    }
}

/// Not there yet, or away for a moment.
fn may_come(status: &Status) -> bool {
    status.code() == Code::NotFound || passing(status)
}

/// Waits for the receipt numbers of the caller's filings, and says how each case is watched.
async fn receipts(payer: &Guarded<'_>, payment: &pb::Payment, teller: &Teller) -> Result<()> {
    let words = &payer.words.signing;
    for id in &payment.filing_ids {
        let name = format!("filings/{id}");
        let Some(receipt) = receipt(payer, &name).await? else { continue };
        if teller.is_json() {
            let paid = cents(payment.amount.as_ref());
            teller.value(&json!({"filing": name, "receipt_number": receipt, "paid_cents": paid}));
        } else if receipt.is_empty() {
            teller.line(&words.no_receipt_yet.replace("{}", &name));
        } else {
            teller.line(&words.receipt.replace("{}", &format!("{name} {receipt}")));
            teller.line(&words.watch_next.replace("{}", &format!("docket status {receipt} --watch")));
        }
    }
    Ok(())
}

/// The receipt number of a filing, empty where it does not come in time; nothing of somebody else's.
async fn receipt(payer: &Guarded<'_>, name: &str) -> Result<Option<String>> {
    let begun = Instant::now();
    loop {
        let message = GetFilingRequest { name: name.to_owned(), language: String::new() };
        let answer = match payer.drafts.token().await {
            Ok(token) => payer.drafts.connection.drafts().get_filing(request(Some(&token), message)).await,
            Err(status) => Err(status),
        };
        let (number, over) = match answer {
            Ok(answer) => {
                let filing = answer.into_inner().filing.context("filing")?;
                let over = ["rejected", "voided"].contains(&filing.state.as_str());
                (filing.receipt_number, over)
            }
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            Err(status) if passing(&status) => (String::new(), false),
            Err(status) => return Err(Refused::from(status).into()),
        };
        if !number.is_empty() || over || begun.elapsed() >= PATIENCE {
            return Ok(Some(number));
        }
        tokio::time::sleep(GLANCE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// What came of looking, when the answers are these by turns, and how often it was looked.
    async fn looked(answers: &[Result<Option<u32>, Code>]) -> (Result<u32>, usize) {
        let turn = Cell::new(0);
        let found = once_there("payments/1", async || {
            let answer = answers[turn.replace(turn.get() + 1)];
            answer.map_err(|code| Status::new(code, "as it is"))
        });
        (found.await, turn.get())
    }

    #[tokio::test]
    async fn what_may_come_by_itself_is_waited_for() {
        let answers = [Err(Code::NotFound), Err(Code::Unavailable), Ok(None), Ok(Some(7))];
        let (found, times) = looked(&answers).await;
        assert_eq!((found.unwrap(), times), (7, 4));
    }

    #[tokio::test]
    async fn what_will_not_pass_is_told_at_once() {
        for code in
            [Code::PermissionDenied, Code::Unauthenticated, Code::InvalidArgument, Code::FailedPrecondition]
        {
            let (found, times) = looked(&[Err(code), Ok(Some(7))]).await;
            assert!(found.unwrap_err().downcast_ref::<Refused>().is_some(), "{code:?}");
            assert_eq!(times, 1, "{code:?}");
        }
    }
}
