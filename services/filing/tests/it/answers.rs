//! Answers of an invented applicant that make an N-400 ready to sign.

use serde_json::{Value, json};

/// Everything the form asks of Ana Lima, but for the signature.
pub(crate) fn ready() -> Value {
    let mut answers = about();
    let parts = [description_and_places(), conduct_and_oath()];
    let all = answers.as_object_mut().expect("an object");
    for part in parts {
        all.extend(part.as_object().expect("an object").clone());
    }
    answers
}

fn about() -> Value {
    json!({
        "basis": "lpr_5_years", "app_family_name": "Lima", "app_given_name": "Ana Lúcia",
        "app_other_names_used": false, "app_dob": "1985-04-12", "app_birth_city": "Recife",
        "app_birth_country": "BR", "app_sex": "female", "app_a_number": "A212345678",
        "lpr_since": "2018-05-01", "name_change_wanted": false, "citizenship_now": "BR",
        "disability_exception": false, "accommodation_needed": false, "parent_citizen": false, "ssa_share": true,
        "app_marital_status": "single", "app_times_married": 0, "app_children_count": 0,
        "app_day_phone": "(212) 555-0123", "used_interpreter": false, "used_preparer": false,
        "reads_english": "i_read_it", "declares_true": true, "reduction_wanted": false
    })
}

fn description_and_places() -> Value {
    let address = json!({
        "line1": "12 Main St", "city": "Albany", "state": "NY", "postal_code": "12207", "country": "US"
    });
    json!({
        "app_ethnicity": "hispanic_or_latino", "app_race": ["white"], "app_height": "5 6", "app_weight": 140,
        "app_eye_color": "brown", "app_hair_color": "black",
        "app_mailing": address, "app_physical_same": true, "app_physical_since": "2015-01-01",
        "app_residences": [{ "address": address, "from": "2015-01-01", "current": true }],
        "app_employments": [{
            "kind": "employed", "name": "Hudson Clinic", "occupation": "Nurse", "address": address,
            "from": "2015-01-01", "current": true
        }],
        "trips_taken": false
    })
}

fn conduct_and_oath() -> Value {
    json!({
        "claimed_citizen": false, "registered_voted": false, "owes_taxes": false, "groups": false,
        "military_or_armed": false, "crimes": false, "support_failed": false, "misrepresentation": false,
        "removal_any": false, "us_military": false,
        "oath_understands": true, "oath_willing": true, "oath_bear_arms": true
    })
}
