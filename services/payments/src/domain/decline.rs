//! What a processor's refusal means to the person who pays, in plain words.

/// The sentence for a decline code, with what to do next. The codes are the card networks' as processors report them.
pub fn plainly(decline_code: &str) -> &'static str {
    match decline_code {
        "insufficient_funds" => {
            "Your bank says there is not enough money on this card. Nothing was charged. Use another card, or try again when the money is there."
        }
        "expired_card" => "This card has expired. Nothing was charged. Use another card.",
        "incorrect_cvc" | "invalid_cvc" => {
            "The security code does not fit the card. Nothing was charged. Check the code and try again."
        }
        "lost_card" | "stolen_card" | "pickup_card" => {
            "Your bank does not allow this card. Nothing was charged. Ask your bank, or use another card."
        }
        "processing_error" => {
            "The bank could not handle the payment just now. Nothing was charged. Try again in a few minutes."
        }
        "card_velocity_exceeded" | "withdrawal_count_limit_exceeded" => {
            "This card has reached its limit for today. Nothing was charged. Use another card, or try again tomorrow."
        }
        "authentication_required" => {
            "Your bank asks you to confirm this payment, which cannot be done here. Nothing was charged. Use another card."
        }
        "never_came" => {
            "The payment never came to the card processor. Nothing was charged. Enter the card again, or use another one."
        }
        "charge_given_back" => {
            "Another amount than the fee was charged, and all of it went back to you. Nothing is paid yet. Pay again."
        }
        "resource_missing" | "invalid_request" => {
            "The card processor does not know this card. Nothing was charged. Enter the card again, or use another one."
        }
        _ => {
            "Your bank declined the payment and did not say why. Nothing was charged. Ask your bank, or use another card."
        }
    }
}
