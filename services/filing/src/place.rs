//! Where somebody is, as far as deadlines hang on it: in a zone of the United States, or abroad.

use std::sync::LazyLock;

use docket_forms::{Answers, Form};
use serde_json::{Map, Value};

use crate::facts::OFFICE_ZONE;
use crate::party;

/// State and zone, a row each.
static ZONES: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let rows = include_str!("../data/state_zones.tsv").lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|line| line.split_once('\t')).collect()
});

/// States of the Compacts of Free Association: the post is domestic, the place is abroad.
const ABROAD: [&str; 3] = ["FM", "MH", "PW"];

/// Whether an address is outside the United States and its territories.
pub(crate) fn is_abroad(address: &Map<String, Value>) -> bool {
    text(address, "country") != "US" || ABROAD.contains(&text(address, "state"))
}

/// The zone in which the days of an address end last; the office's for a state nobody knows, none abroad.
pub(crate) fn zone_at(address: &Map<String, Value>) -> Option<&'static str> {
    let state = text(address, "state");
    let row = ZONES.iter().find(|(code, _)| *code == state);
    (!is_abroad(address)).then(|| row.map_or(OFFICE_ZONE, |(_, zone)| zone))
}

/// The zone of whoever files, by where they live, or where that is abroad, by where they have their mail; none where both are.
pub(crate) fn zone(form: &Form, answers: &Answers) -> Option<&'static str> {
    let answer = |question| party::answer(form, answers, question);
    let elsewhere = answer("physical_same") == Some(&Value::Bool(false));
    let lives = answer("physical").filter(|_| elsewhere);
    let addresses = [answer("new_address"), lives, answer("mailing")];
    addresses.into_iter().flatten().filter_map(Value::as_object).find_map(zone_at)
}

/// A part of an address; empty where it has none.
pub(crate) fn text<'a>(parts: &'a Map<String, Value>, part: &str) -> &'a str {
    parts.get(part).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use docket_forms::Catalogue;
    use docket_kernel::identifier;
    use serde_json::json;

    use super::*;
    use crate::facts;

    fn address(state: &str) -> Value {
        json!({ "line1": "1 Sample Ave", "city": "Sampleton", "state": state, "country": "US" })
    }

    fn lisbon() -> Value {
        json!({ "line1": "Rua 1", "city": "Lisbon", "postal_code": "1000", "country": "PT" })
    }

    #[test]
    fn every_state_has_a_zone_that_is_known() {
        for state in identifier::US_STATES.iter() {
            let (_, zone) = ZONES.iter().find(|(code, _)| *code == state.code).expect(state.code);
            assert!(docket_kernel::deadline::zone(zone).is_ok(), "{zone}");
        }
        assert_eq!(ZONES.len(), identifier::US_STATES.len());
    }

    #[test]
    fn the_days_of_whoever_files_end_where_they_live() {
        let (ny, hi) = (address("NY"), address("HI"));
        for (form, answers, zone_then) in [
            ("N-400", json!({ "app_mailing": ny, "app_physical_same": true }), Some("America/New_York")),
            (
                "N-400",
                json!({ "app_mailing": ny, "app_physical_same": false, "app_physical": hi }),
                Some("Pacific/Honolulu"),
            ),
            // An answer that is set aside does not count.
            (
                "N-400",
                json!({ "app_mailing": ny, "app_physical_same": true, "app_physical": hi }),
                Some("America/New_York"),
            ),
            (
                "N-400",
                json!({ "app_mailing": ny, "app_physical_same": false, "app_physical": lisbon() }),
                Some("America/New_York"),
            ),
            // Two zones in one state: the later.
            ("I-130", json!({ "pet_mailing": address("FL"), "ben_physical": hi }), Some("America/Chicago")),
            (
                "AR-11",
                json!({ "new_address": hi, "old_address": ny, "mailing": ny }),
                Some("Pacific/Honolulu"),
            ),
            ("N-400", json!({ "app_mailing": lisbon() }), None),
            ("N-400", json!({ "app_mailing": address("FM") }), None),
            ("N-400", json!({}), None),
        ] {
            let catalogue = Catalogue::embedded();
            let answers: Answers = serde_json::from_value(answers).unwrap();
            assert_eq!(zone(catalogue.form(form).unwrap(), &answers), zone_then, "{answers:?}");
        }
    }

    #[test]
    fn who_has_their_mail_abroad_is_abroad_by_the_same_rule_as_who_moved_there() {
        let catalogue = Catalogue::embedded();
        for (mailing, abroad) in [
            (address("NY"), false),
            (address("GU"), false),
            (address("MH"), true),
            (address("PW"), true),
            (address("FM"), true),
            (lisbon(), true),
        ] {
            let answers: Answers = serde_json::from_value(json!({ "app_mailing": mailing })).unwrap();
            let facts = facts::derive(catalogue.form("N-400").unwrap(), &answers, BTreeSet::new(), 0);
            assert_eq!(facts.abroad, abroad, "{mailing}");
            assert_eq!(zone_at(mailing.as_object().unwrap()).is_none(), abroad, "{mailing}");
        }
    }
}
