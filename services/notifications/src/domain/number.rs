//! Which telephone numbers are sent texts: those of the countries of the plan, and none that costs more or takes none.

use docket_kernel::{FieldFault, identifier};

/// A country whose numbers may be sent texts; both have the country code 1, as twenty others have, where texts cost more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Country {
    /// The United States with their territories.
    UnitedStates,
    /// Canada.
    Canada,
}

impl Country {
    /// By its ISO code.
    pub(crate) fn of(code: &str) -> Option<Self> {
        match code {
            "US" => Some(Self::UnitedStates),
            "CA" => Some(Self::Canada),
            _ => None,
        }
    }
}

/// Area codes of Canada.
const CANADA: [&str; 57] = [
    "204", "226", "236", "249", "250", "257", "263", "289", "306", "343", "354", "365", "367", "368", "382",
    "403", "416", "418", "428", "431", "437", "438", "450", "460", "468", "474", "506", "514", "519", "537",
    "548", "579", "581", "584", "587", "604", "613", "639", "647", "672", "683", "705", "709", "742", "753",
    "778", "780", "782", "807", "819", "825", "867", "873", "879", "902", "905", "942",
];
/// Area codes of the other countries that have the code 1.
const ELSEWHERE: [&str; 21] = [
    "242", "246", "264", "268", "284", "345", "441", "473", "649", "658", "664", "721", "758", "767", "784",
    "809", "829", "849", "868", "869", "876",
];
/// Codes that are no place: personal, of machines, of carriers, and those that cost more.
const NO_PLACE: [&str; 38] = [
    "500", "521", "522", "523", "524", "525", "526", "527", "528", "529", "532", "533", "535", "538", "542",
    "543", "544", "545", "546", "547", "549", "550", "552", "553", "554", "556", "558", "566", "569", "577",
    "578", "588", "589", "600", "622", "700", "710", "900",
];
/// Those whose calls their owner pays for: they take no texts from us.
const FREE_OF_CHARGE: [&str; 7] = ["800", "833", "844", "855", "866", "877", "888"];
/// An exchange that costs more, in every area.
const COSTS_MORE: &str = "976";

/// The number in E.164 form.
///
/// # Errors
/// `PHONE_MALFORMED`; `NUMBER_NOT_TEXTED` for one that is not of these countries, costs more, or takes no texts.
pub(crate) fn textable(text: &str, countries: &[Country], is_production: bool) -> Result<String, FieldFault> {
    let named = |fault: FieldFault| FieldFault { field: "number".to_owned(), ..fault };
    let number = identifier::phone(text).map_err(named)?;
    let invented = is_production && identifier::is_fictional_phone(&number);
    match country(&number).filter(|_| !invented) {
        Some(country) if countries.contains(&country) => Ok(number),
        _ => Err(FieldFault::new(
            "number",
            "NUMBER_NOT_TEXTED",
            "Give the number of a mobile phone of a country to which we send texts, such as +12125550147. Mail is sent in any case.",
        )),
    }
}

/// The country of a normalised number; none where it is of no other use to us.
fn country(number: &str) -> Option<Country> {
    let national = number.strip_prefix("+1")?;
    let (area, exchange) = (national.get(..3)?, national.get(3..6)?);
    let nowhere = NO_PLACE.contains(&area) || FREE_OF_CHARGE.contains(&area) || exchange == COSTS_MORE;
    if nowhere || ELSEWHERE.contains(&area) {
        return None;
    }
    Some(if CANADA.contains(&area) { Country::Canada } else { Country::UnitedStates })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Country> {
        country(&identifier::phone(text).unwrap())
    }

    #[test]
    fn a_number_belongs_to_the_united_states_or_to_canada_by_its_area_code() {
        for (text, expected) in [
            ("(212) 555-0147", Some(Country::UnitedStates)),
            ("+1 787 555 0147", Some(Country::UnitedStates)),
            ("416-555-0147", Some(Country::Canada)),
            ("902-555-0147", Some(Country::Canada)),
            ("905-555-0147", Some(Country::Canada)),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    #[test]
    fn what_costs_more_is_abroad_or_takes_no_texts_is_refused() {
        let both = [Country::UnitedStates, Country::Canada];
        for text in [
            "900-555-0147",
            "212-976-0147",
            "800-555-0147",
            "500-555-0147",
            "876-555-0147",
            "809-555-0147",
            "+44 20 7946 0018",
            "+52 55 5555 0147",
        ] {
            assert_eq!(textable(text, &both, false).unwrap_err().reason, "NUMBER_NOT_TEXTED", "{text}");
        }
        let fault = textable("12", &both, false).unwrap_err();
        assert_eq!((fault.field.as_str(), fault.reason.as_str()), ("number", "PHONE_MALFORMED"));
        assert_eq!(textable("2125550147", &both, false).unwrap(), "+12125550147");
        assert!(textable("416-555-0147", &[Country::UnitedStates], false).is_err(), "not of the plan");
        assert!(textable("212-555-0147", &both, true).is_err(), "invented numbers are for development");
        assert!(textable("212-555-2147", &both, true).is_ok());
    }
}
