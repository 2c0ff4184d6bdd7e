//! The card or document that an approval gives: ordered, made, mailed, perhaps returned (lifecycle 46).

use docket_kernel::Refusal;
use docket_kernel::deadline::office_date;
use docket_proto::case_status::events::v1 as pb;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use uuid::Uuid;

use super::Decision;
use super::correction::none_open;
use crate::domain::{CardState, Case, Outcome, card_of, rules};

/// How long an address of record that was given or confirmed holds for a card, in days.
const FRESH: &str = "card.address_fresh";
/// How long one that came back is kept, in days.
const KEPT: &str = "card.kept";

/// Why a carrier brings a card back.
const RETURNS: [&str; 4] = ["not_deliverable", "moved", "unclaimed", "refused"];

/// What happened to an ordered card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CardStep {
    /// It was made.
    Produced,
    /// It was handed to the carrier.
    Mailed {
        /// Carrier.
        carrier: String,
        /// Its number.
        tracking_number: String,
    },
    /// It was delivered.
    Delivered,
    /// It came back.
    Returned {
        /// `not_deliverable`, `moved`, `unclaimed` or `refused`.
        cause: String,
    },
    /// It was destroyed.
    Destroyed,
}

/// Orders the card. The address of record must be fresh, also where the card goes to the representative: it goes to the client once
/// they act no longer. One that was destroyed may be ordered again.
///
/// # Errors
/// `NOT_APPROVED`, `NO_CARD`, `CARD_ORDERED`, `CORRECTION_OPEN`, `ADDRESS_NOT_CONFIRMED`; not found without a case.
pub fn order_card(case: &Case, officer: Uuid, now: Timestamp) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    if case.outcome != Some(Outcome::Approved) {
        return Err(Refusal::state("NOT_APPROVED", "A card is ordered only after the approval.")
            .way_out("Decide the case first."));
    }
    let document = document_of(case)?;
    if !matches!(case.card.state, CardState::None | CardState::Destroyed) {
        return Err(Refusal::state("CARD_ORDERED", "The card was ordered already.")
            .way_out("Look at how far it is.")
            .fact("card", case.card.state.as_str()));
    }
    none_open(case)?;
    let days = rules::number(FRESH, office_date(now));
    let fresh_since = (now - SignedDuration::from_hours(24 * days)).as_microsecond();
    if case.address_known_at_us < fresh_since {
        return Err(Refusal::state(
            "ADDRESS_NOT_CONFIRMED",
            format!("The address of record was not given or confirmed in the last {days} days."),
        )
        .way_out("The party confirms the address in the account, or reports a move with Form AR-11."));
    }
    let (officer, document) = (officer.to_string(), document.to_owned());
    Ok(vec![pb::CardOrdered { officer, document, goes_to: case.card_goes_to().in_event() }.into()])
}

/// The card that the approval gives.
pub(super) fn document_of(case: &Case) -> Result<&'static str, Refusal> {
    card_of(&case.form).ok_or_else(|| {
        Refusal::state("NO_CARD", "The approval of this form gives no card.")
            .way_out("Look at what the approval gives.")
    })
}

/// Records what happened to the card. Where it is mailed depends on who acts and what the client wishes by then. One that came back is
/// never mailed again by itself: the address of record is confirmed first, or it is destroyed when its time is over.
///
/// # Errors
/// `CARD_STEP_OUT_OF_ORDER`, `CORRECTION_OPEN` before it is made, `TRACKING_MISSING`, `CAUSE_UNKNOWN`, `ADDRESS_NOT_CONFIRMED`, `CARD_STILL_KEPT`; not found
/// without a case.
pub fn record_card(case: &Case, step: &CardStep, now: Timestamp) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    let today = office_date(now);
    let document = card_of(&case.form).unwrap_or_default().to_owned();
    let goes_to = case.card_goes_to().in_event();
    Ok(vec![match (step, case.card.state) {
        (CardStep::Produced, CardState::Ordered) => {
            none_open(case)?;
            pb::CardProduced {}.into()
        }
        (CardStep::Mailed { carrier, tracking_number }, CardState::Produced) => {
            tracked(carrier, tracking_number)?;
            let (carrier, tracking_number) = (carrier.clone(), tracking_number.clone());
            let mailed_on_date = today.to_string();
            pb::CardMailed { document, carrier, tracking_number, mailed_on_date, goes_to }.into()
        }
        (CardStep::Mailed { carrier, tracking_number }, CardState::Returned) => {
            tracked(carrier, tracking_number)?;
            if !case.address_confirmed_since_return() {
                return Err(Refusal::state(
                    "ADDRESS_NOT_CONFIRMED",
                    "The card came back, and the address was not confirmed since.",
                )
                .way_out(
                    "The party confirms the address in the account, or reports a move with Form AR-11.",
                ));
            }
            let (carrier, tracking_number) = (carrier.clone(), tracking_number.clone());
            let mailed_on_date = today.to_string();
            pb::CardRemailed { document, carrier, tracking_number, mailed_on_date, goes_to }.into()
        }
        (CardStep::Delivered, CardState::Mailed) => {
            pb::CardDelivered { delivered_on_date: today.to_string() }.into()
        }
        (CardStep::Returned { cause }, CardState::Mailed | CardState::Delivered) => {
            if !RETURNS.contains(&cause.as_str()) {
                let message = format!("Say why it came back: one of {}.", RETURNS.join(", "));
                return Err(Refusal::invalid("cause", "CAUSE_UNKNOWN", message));
            }
            pb::CardReturned {
                document,
                cause: cause.clone(),
                returned_at_us: now.as_microsecond(),
                keep_until_date: kept_until(today).to_string(),
            }
            .into()
        }
        (CardStep::Destroyed, CardState::Produced) => {
            pb::CardDestroyed { cause: "misprinted".to_owned() }.into()
        }
        (CardStep::Destroyed, CardState::Returned) => {
            unclaimed(case, today)?;
            pb::CardDestroyed { cause: "not_confirmed".to_owned() }.into()
        }
        (step, state) => return Err(out_of_order(step, state)),
    }])
}

/// The last day on which a card that comes back is kept.
fn kept_until(today: Date) -> Date {
    today.saturating_add(rules::number(KEPT, today).days())
}

/// The party confirms the address to which the mail of a case goes that something may still be mailed in; it is known by the event of
/// the account that it comes from. Of a case that was filed for somebody else that is where they moved to, or what its form gave,
/// which was `noted`, and never where whoever signed lives; else what was noted for the account.
///
/// # Errors
/// `NOT_NEEDED`, `ADDRESS_NOT_ON_RECORD`; not found without a case.
pub fn confirm_address(case: &Case, noted: Option<Uuid>, now: Timestamp) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    if !case.is_open() && !case.card_is_to_come() {
        return Err(Refusal::state("NOT_NEEDED", "Nothing is to be mailed in this case any more.")
            .way_out("Report a move with Form AR-11."));
    }
    let moved = case.address_from;
    let on_record = if case.is_for_another() { moved.or(noted) } else { noted.or(moved) };
    let Some(address) = on_record else {
        return Err(Refusal::state(
            "ADDRESS_NOT_ON_RECORD",
            "Your account has no address of record that you could confirm.",
        )
        .way_out("Report where you live with Form AR-11; that counts as confirmed."));
    };
    let address_id = address.to_string();
    Ok(vec![pb::AddressConfirmed { confirmed_at_us: now.as_microsecond(), address_id }.into()])
}

fn tracked(carrier: &str, tracking_number: &str) -> Result<(), Refusal> {
    let given = |text: &str| (1..=64).contains(&text.trim().chars().count());
    if given(carrier) && given(tracking_number) {
        return Ok(());
    }
    Err(Refusal::invalid(
        "tracking_number",
        "TRACKING_MISSING",
        "Give the carrier and its tracking number, each of at most 64 characters.",
    ))
}

/// A card that came back is destroyed only when its time is over and nobody confirmed the address.
fn unclaimed(case: &Case, today: Date) -> Result<(), Refusal> {
    if case.address_confirmed_since_return() {
        return Err(Refusal::state("CARD_STILL_KEPT", "The address was confirmed since the card came back.")
            .way_out("Mail it again."));
    }
    let keep_until: Date = case.card.keep_until.parse().unwrap_or(Date::MAX);
    if today <= keep_until {
        return Err(Refusal::state("CARD_STILL_KEPT", format!("The card is kept until {keep_until}."))
            .way_out("Wait until that day is over, or mail it again when the address is confirmed.")
            .fact("keep_until_date", keep_until.to_string()));
    }
    Ok(())
}

fn out_of_order(step: &CardStep, state: CardState) -> Refusal {
    let step = match step {
        CardStep::Produced => "produced",
        CardStep::Mailed { .. } => "mailed",
        CardStep::Delivered => "delivered",
        CardStep::Returned { .. } => "returned",
        CardStep::Destroyed => "destroyed",
    };
    let so_far = if state == CardState::None { "not ordered" } else { state.as_str() };
    Refusal::state("CARD_STEP_OUT_OF_ORDER", format!("The card is {so_far}; it cannot be {step} now."))
        .way_out("Record the steps in their order: ordered, produced, mailed, then delivered or returned.")
        .fact("card", so_far)
}
