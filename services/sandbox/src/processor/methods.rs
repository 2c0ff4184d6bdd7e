//! The test payment methods: what each does, after Stripe's names where Stripe has one.

use super::{fault::Fault, objects::Hooks};

/// What the card or bank says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Approved,
    /// The bank answers later.
    Pending,
    /// The bank asks the card's owner first; false for one that does so though it was told not to.
    Asks {
        declines: bool,
    },
    Declined(Decline),
}

/// Why a card is declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decline {
    pub(crate) code: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) message: &'static str,
}

/// What goes wrong on the way, whatever the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quirk {
    None,
    /// Done, the first answer is cut.
    CutAfter,
    /// Done, every answer is cut.
    CutAlways,
    /// The first try is cut and does nothing.
    CutBefore,
    /// The first try is answered 500 and does nothing.
    ErrorOnce,
    /// Answered late.
    Slow,
    /// The webhook arrives before the answer.
    WebhookFirst,
}

/// A payment method of the tests.
#[derive(Debug, Clone)]
pub(crate) struct Method {
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
    pub(crate) quirk: Quirk,
    pub(crate) hooks: Hooks,
    /// Added to the amount charged, in cents.
    pub(crate) drift: i64,
}

const DECLINES: &[(&str, Decline)] = &[
    ("", declined("generic_decline", "Your card was declined.")),
    ("InsufficientFunds", declined("insufficient_funds", "Your card has insufficient funds.")),
    ("LostCard", declined("lost_card", "Your card was declined.")),
    ("StolenCard", declined("stolen_card", "Your card was declined.")),
    (
        "VelocityLimitExceeded",
        declined("card_velocity_exceeded", "Your card was declined for too many payments."),
    ),
    ("ExpiredCard", own("expired_card", "Your card has expired.")),
    ("IncorrectCvc", own("incorrect_cvc", "Your card's security code is incorrect.")),
    ("ProcessingError", own("processing_error", "An error occurred while processing your card.")),
];

/// A reason with the general code `card_declined`.
const fn declined(reason: &'static str, message: &'static str) -> Decline {
    Decline { code: "card_declined", reason, message }
}

/// A reason which is its own code.
const fn own(code: &'static str, message: &'static str) -> Decline {
    Decline { code, reason: code, message }
}

/// Finds a payment method by its name.
///
/// # Errors
/// `resource_missing` for a name that is none of the tests'.
pub(crate) fn find(name: &str) -> Result<Method, Fault> {
    let method =
        |verdict, quirk, hooks, drift| Method { name: name.to_owned(), verdict, quirk, hooks, drift };
    let quirky = |quirk| method(Verdict::Approved, quirk, Hooks::Once, 0);
    Ok(match name {
        "pm_card_visa"
        | "pm_card_mastercard"
        | "pm_card_amex"
        | "pm_sandbox_refundPending"
        | "pm_sandbox_refundFailsLater" => quirky(Quirk::None),
        "pm_card_authenticationRequired" => {
            method(Verdict::Asks { declines: true }, Quirk::None, Hooks::Once, 0)
        }
        "pm_sandbox_requiresAction" => method(Verdict::Asks { declines: false }, Quirk::None, Hooks::Once, 0),
        "pm_us_bank_account" => method(Verdict::Pending, Quirk::None, Hooks::Once, 0),
        "pm_sandbox_timeoutAfterCharge" => quirky(Quirk::CutAfter),
        "pm_sandbox_timeoutAlways" => quirky(Quirk::CutAlways),
        "pm_sandbox_timeoutBeforeCharge" => quirky(Quirk::CutBefore),
        "pm_sandbox_serverErrorOnce" => quirky(Quirk::ErrorOnce),
        "pm_sandbox_slow" => quirky(Quirk::Slow),
        "pm_sandbox_webhookFirst" => quirky(Quirk::WebhookFirst),
        "pm_sandbox_webhookTwice" => method(Verdict::Approved, Quirk::None, Hooks::Twice, 0),
        "pm_sandbox_webhookLost" => method(Verdict::Approved, Quirk::None, Hooks::Never, 0),
        "pm_sandbox_amountDrift" => method(Verdict::Approved, Quirk::None, Hooks::Once, 1),
        other => {
            let missing = || {
                Fault::param(
                    "resource_missing",
                    "payment_method",
                    format!("No such PaymentMethod: '{other}'"),
                )
            };
            let decline = find_decline(other).ok_or_else(missing)?;
            method(Verdict::Declined(decline), Quirk::None, Hooks::Once, 0)
        }
    })
}

/// What a bank says that asks the card's owner first, to whom nobody can be shown.
pub(crate) const ASKS: Decline =
    own("authentication_required", "Your card was declined. This transaction requires authentication.");

fn find_decline(name: &str) -> Option<Decline> {
    let rest = name.strip_prefix("pm_card_")?;
    let reason = rest.strip_prefix("visa_").unwrap_or(rest).strip_prefix("chargeDeclined")?;
    DECLINES.iter().find(|(word, _)| *word == reason).map(|(_, decline)| *decline)
}
