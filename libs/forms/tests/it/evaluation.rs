//! A whole form: what is asked, what is missing, what is wrong, and when it is ready.

use docket_forms::{
    Answers, Catalogue, Evaluation, FeeResult, FilingChannel, Form, Given, Language, Level, Truth, evaluate,
    fee, rule_value, takes_part,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{answers, day, given, load};

fn n400() -> Form {
    Catalogue::embedded().form("N-400").unwrap().clone()
}

/// Answers which leave nothing missing and nothing wrong, except the evidence.
fn complete() -> Answers {
    let address =
        json!({"line1": "1 Main St", "city": "Reno", "state": "NV", "postal_code": "89501", "country": "US"});
    let no = |fields: &[&str], into: &mut Answers| {
        for field in fields {
            into.insert((*field).to_owned(), json!(false));
        }
    };
    let mut all = answers(json!({
        "basis": "lpr_5_years", "lpr_since": "2018-05-01", "citizenship_now": "PE",
        "app_family_name": "Quispe", "app_given_name": "Rosa", "app_dob": "1985-01-31",
        "app_birth_city": "Cusco", "app_birth_country": "PE", "app_sex": "female", "app_a_number": "A012345678",
        "app_ethnicity": "hispanic_or_latino", "app_race": ["white"], "app_height": "5'04\"",
        "app_weight": 130, "app_eye_color": "brown", "app_hair_color": "black",
        "app_mailing": address, "app_physical_same": true, "app_physical_since": "2018-05-01",
        "app_residences": [{"address": address, "from": "2018-05-01", "current": true}],
        "app_marital_status": "single", "app_times_married": 0, "app_children_count": 0,
        "app_employments": [{"kind": "retired", "from": "2015-01-01", "current": true}],
        "app_day_phone": "212-555-0147",
        "ssa_share": true, "oath_understands": true, "oath_willing": true, "oath_bear_arms": true,
        "reads_english": "i_read_it", "declares_true": true, "signature": "Rosa Quispe", "signed_on": "2026-03-02"
    }));
    no(
        &[
            "name_change_wanted",
            "disability_exception",
            "accommodation_needed",
            "parent_citizen",
            "trips_taken",
            "claimed_citizen",
            "registered_voted",
            "owes_taxes",
            "groups",
            "military_or_armed",
            "crimes",
            "support_failed",
            "misrepresentation",
            "removal_any",
            "us_military",
            "reduction_wanted",
            "app_other_names_used",
            "used_interpreter",
            "used_preparer",
        ],
        &mut all,
    );
    all
}

fn with(field: &str, value: Value) -> Answers {
    let mut all = complete();
    all.insert(field.to_owned(), value);
    all
}

fn attached() -> Given {
    let mut given = given("2026-03-02");
    given.evidence.insert("green_card".to_owned());
    given
}

fn of(answers: &Answers) -> Evaluation {
    evaluate(&n400(), answers, &attached())
}

fn missing(evaluation: &Evaluation) -> Vec<&str> {
    evaluation.missing.iter().map(|missing| missing.field.as_str()).collect()
}

fn fired(evaluation: &Evaluation) -> Vec<&str> {
    evaluation.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

#[test]
fn a_complete_form_is_ready() {
    let evaluation = of(&complete());
    assert_eq!(missing(&evaluation), [""; 0]);
    assert_eq!(fired(&evaluation), [""; 0]);
    assert!(evaluation.ready);
    let without = evaluate(&n400(), &complete(), &given("2026-03-02"));
    assert!(!without.ready, "the card is not attached");
    assert!(without.evidence.iter().any(|need| need.kind == "green_card" && !need.satisfied));
    let mut substitute = given("2026-03-02");
    substitute.evidence.insert("i551_stamp_passport".to_owned());
    assert!(evaluate(&n400(), &complete(), &substitute).ready, "a substitute does");
}

/// Days abroad are counted from the list: whoever was abroad gives it, and nobody else.
#[test]
fn trips_are_listed_by_whoever_was_abroad_so_that_days_of_presence_are_known() {
    let abroad = with("trips_taken", json!(true));
    assert_eq!(missing(&of(&abroad)), ["trips", "trip_over_6_months"]);
    let mut short = with("trip_over_6_months", json!(false));
    short.insert("trips_taken".to_owned(), json!(true));
    short.insert("trips".to_owned(), json!([]));
    assert_eq!(missing(&of(&short)), ["trips"], "a list without a trip says nothing");
    // Ten trips of five months each: no single one is long.
    let trip = |n: i64| {
        let left = day("2021-03-05").saturating_add(jiff::Span::new().days(n * 180));
        let back = left.saturating_add(jiff::Span::new().days(150));
        json!({ "left": left.to_string(), "back": back.to_string(), "countries": "Peru" })
    };
    short.insert("trips".to_owned(), (0..10).map(trip).collect());
    let evaluation = of(&short);
    assert_eq!(missing(&evaluation), [""; 0]);
    assert_eq!(fired(&evaluation), ["presence-5"]);
    // Listed by mistake: whoever was not abroad at all has none.
    short.insert("trips_taken".to_owned(), json!(false));
    let evaluation = of(&short);
    assert!(evaluation.ready && evaluation.set_aside.contains("trips"), "{evaluation:?}");
}

/// What nobody knows cannot be asked of them: a parent's name that is not known is said so.
#[test]
fn a_parents_name_that_is_not_known_is_not_asked_for() {
    let catalogue = Catalogue::embedded();
    let lacks = |form: &str, said: Value, name: &str| {
        let evaluation = evaluate(catalogue.form(form).unwrap(), &answers(said), &given("2026-03-02"));
        missing(&evaluation).contains(&name)
    };
    for parent in ["mother", "father"] {
        let name = format!("{parent}_given");
        assert!(lacks("I-90", json!({}), &name), "{name}");
        assert!(!lacks("I-90", json!({ (format!("{name}_not_known")): true }), &name), "{name}");
        let (name, not_known) = (format!("ssa_{parent}_family"), format!("ssa_{parent}_not_known"));
        assert!(lacks("I-765", json!({ "ssa_want_card": true }), &name), "{name}");
        assert!(!lacks("I-765", json!({ "ssa_want_card": true, (not_known): true }), &name), "{name}");
    }
    for (form, parents) in [("I-485", "app_parents"), ("I-130", "pet_parents"), ("I-589", "app_parents")] {
        let said = |not_known: bool| json!({ (parents): [{ "which": "father", "not_known": not_known }] });
        let name = format!("{parents}[0].family");
        assert!(lacks(form, said(false), &name) && !lacks(form, said(true), &name), "{form} {name}");
    }
}

#[test]
fn each_answer_taken_away_is_missing() {
    for field in complete().keys() {
        let mut less = complete();
        less.remove(field);
        let evaluation = of(&less);
        assert!(!evaluation.ready, "{field}");
        // The A-Number of a form is not asked of everybody; a rule says of whom.
        let told = missing(&evaluation).contains(&field.as_str())
            || evaluation.findings.iter().any(|finding| finding.field == *field);
        assert!(told, "{field}: {:?}", missing(&evaluation));
    }
}

#[test]
fn a_paper_says_its_source_and_what_may_stand_in_for_it_by_name_in_both_languages() {
    let catalogue = Catalogue::embedded();
    let form = catalogue.form("I-485").unwrap();
    let mut answers = Answers::new();
    answers.insert("category".into(), json!("family_immediate_spouse"));
    answers.insert("affidavit_exempt".into(), json!(false));
    let need = |language, kind: &str| {
        let found = evaluate(catalogue.in_language(form, language), &answers, &given("2026-03-02")).evidence;
        found.into_iter().find(|need| need.kind == kind).unwrap()
    };
    let affidavit = need(Language::En, "i864");
    assert_eq!(
        (affidavit.cite.as_str(), affidavit.substitutes.as_slice()),
        ("INA 213A", &["i864ez".to_owned()][..])
    );
    assert_eq!(affidavit.substitute_titles, ["short affidavit of support (I-864EZ)"]);
    let spanish = need(Language::Es, "i864");
    assert_eq!((&spanish.cite, &spanish.substitutes), (&affidavit.cite, &affidavit.substitutes));
    assert_eq!(spanish.substitute_titles, ["declaración de patrocinio abreviada (I-864EZ)"]);
    assert_eq!(need(Language::En, "photos").cite, "Instructions to Form I-485; 8 CFR 103.2(a)(1)");
    for form in catalogue.forms() {
        for row in &form.evidence {
            assert_eq!(row.substitutes.len(), row.substitute_titles.len(), "{} {}", form.id, row.kind);
            assert!(row.cite.is_some(), "{} asks for {} without a source", form.id, row.kind);
        }
    }
}

#[test]
fn an_empty_form_fires_nothing_and_asks_much() {
    let evaluation = evaluate(&n400(), &Answers::new(), &given("2026-03-02"));
    assert_eq!(fired(&evaluation), [""; 0]);
    assert!(evaluation.missing.len() > 40);
    assert_eq!(evaluation.shown["basis"], Truth::True);
    assert_eq!(evaluation.shown["exempt_50_20"], Truth::Unknown);
    assert!(!evaluation.missing.iter().any(|missing| missing.field == "spouse_name"));
    let basis = &evaluation.missing[0];
    assert_eq!((basis.field.as_str(), basis.section.as_str()), ("basis", "eligibility"));
    assert_eq!(basis.because, "This form asks it of everyone.");
}

#[test]
fn items_and_addresses_are_looked_into() {
    let married = json!([{"spouse_family": "Lee", "married_on": "2010-01-01", "married_place": "Lima"}]);
    let mut all = with("app_marriages", married);
    all.insert("app_marital_status".into(), json!("divorced"));
    all.insert("app_times_married".into(), json!(1));
    let evaluation = of(&all);
    assert_eq!(
        missing(&evaluation),
        ["app_marriages[0].ended_on", "app_marriages[0].ended_how", "app_marriages[0].ended_place"]
    );
    let evaluation = of(&with("app_mailing", json!({"line1": "1 Main St", "country": "US"})));
    assert_eq!(missing(&evaluation), ["app_mailing.city", "app_mailing.state", "app_mailing.postal_code"]);
    let home =
        json!([{"address": {"line1": "Av. Sol 1", "country": "PE"}, "from": "2018-05-01", "current": true}]);
    assert_eq!(missing(&of(&with("app_residences", home))), ["app_residences[0].address.city"]);
}

#[test]
fn a_finding_says_what_where_and_how_out() {
    let evaluation = of(&with("lpr_since", json!("2021-06-10")));
    let early = evaluation.findings.iter().find(|finding| finding.rule == "early-5").unwrap();
    assert_eq!(
        (early.level, early.field.as_str(), early.section.as_str()),
        (Level::Block, "lpr_since", "about")
    );
    assert_eq!(early.cite, "INA 334(a), 8 CFR 334.2(b)");
    assert_eq!(early.way_out, "You can file from 90 days before five years as a resident.");
    assert!(!evaluation.ready);
    let evaluation = of(&with("parent_citizen", json!(true)));
    assert_eq!(fired(&evaluation), ["citizen-parent"]);
    assert!(evaluation.ready, "a warning does not block");
}

#[test]
fn what_does_not_apply_asks_and_fires_nothing() {
    let evaluation = of(&with("crime_list", json!([{}])));
    assert_eq!(evaluation.shown["crime_list"], Truth::False);
    assert!(evaluation.ready);
    let evaluation = of(&with("crimes", json!(true)));
    assert_eq!(missing(&evaluation), ["crime_list"]);
    assert_eq!(
        evaluation.missing[0].because,
        format!("Because of your answer to \u{201C}{}\u{201D}.", n400().question("crimes").unwrap().label)
    );
    assert!(evaluation.evidence.iter().any(|need| need.kind == "court_records" && !need.satisfied));
}

#[test]
fn who_is_abroad_now_gives_no_day_of_return() {
    let trip = |trip: Value| {
        let mut all = with("trips_taken", json!(true));
        all.insert("trip_over_6_months".to_owned(), json!(false));
        all.insert("trips".to_owned(), json!([trip]));
        of(&all)
    };
    let left = |left: &str| trip(json!({ "left": left, "still_abroad": true, "countries": "Peru" }));
    assert!(left("2026-02-01").ready);
    assert_eq!(missing(&trip(json!({ "left": "2026-02-01", "countries": "Peru" }))), ["trips[0].back"]);
    // A return that is still to come is none.
    let planned = trip(json!({ "left": "2026-02-01", "back": "2026-04-01", "countries": "Peru" }));
    assert_eq!(fired(&planned), ["trip-order"]);
    assert!(fired(&left("2025-01-01")).contains(&"trip-12"));
}

#[test]
fn what_somebody_cannot_know_or_give_is_not_demanded() {
    let lacks = |form: &str, all: Value, field: &str| {
        let catalogue = Catalogue::embedded();
        let found = evaluate(catalogue.form(form).unwrap(), &answers(all), &given("2026-03-02"));
        missing(&found).iter().any(|missing| missing.starts_with(field))
    };
    let spouse = |apart: bool| json!({ "relationship": "spouse", "never_lived_together": apart });
    assert!(lacks("I-130", spouse(false), "married_last_address"));
    assert!(!lacks("I-130", spouse(true), "married_last_address"));
    let divorced = |pending: bool| json!({ "basis": "divorced", "divorce_pending": pending });
    assert!(lacks("I-751", divorced(false), "divorce_final_on"));
    assert!(!lacks("I-751", divorced(true), "divorce_final_on"));
    let late = |child: bool| json!({ "arrived_on": "2024-01-01", "in_proceedings": true, "unaccompanied_child": child });
    assert!(lacks("I-589", late(false), "late_reason"));
    assert!(!lacks("I-589", late(true), "late_reason"));
    let card = |reason: &str| json!({ "category": "(c)(3)(B)", "reason": reason });
    assert!(lacks("I-765", card("initial"), "opt_program_end"));
    assert!(!lacks("I-765", card("replacement_lost_damaged"), "opt_"));
    let student = |class: &str| json!({ "request": "change", "class_wanted": class });
    assert!(lacks("I-539", student("f1"), "sevis_id"));
    assert!(!lacks("I-539", student("b2"), "sevis_id"));
}

#[test]
fn two_homes_and_two_marriages_at_one_time_are_warned_of() {
    let address = json!({"line1": "1 Main St", "city": "Lisbon", "country": "PT"});
    let homes = |left: &str| {
        json!([
            {"address": address, "from": "2020-06-01", "current": true},
            {"address": address, "from": "2018-05-01", "to": left},
        ])
    };
    let found = |field: &str, value: Value| {
        let mut findings = of(&with(field, value)).findings;
        findings.retain(|one| one.rule.ends_with("-overlap"));
        assert!(findings.iter().all(|one| one.level == Level::Warn && !one.cite.is_empty()));
        findings.into_iter().map(|one| (one.rule, one.rests_on)).collect::<Vec<_>>()
    };
    let said = |rule: &str, list: &str| vec![(rule.to_owned(), vec![list.to_owned()])];
    // A move takes some weeks.
    assert!(found("app_residences", homes("2020-07-02")).is_empty());
    assert_eq!(found("app_residences", homes("2020-07-03")), said("app_res-overlap", "app_residences"));

    let mut twice = with("app_times_married", json!(2));
    let married = |ended: &str| {
        json!([
            {"spouse_family": "Paz", "married_on": "2015-06-01", "married_place": "Cusco", "current": true},
            {"spouse_family": "Sol", "married_on": "2010-05-01", "married_place": "Cusco", "ended_on": ended, "ended_how": "divorced", "ended_place": "Cusco"},
        ])
    };
    twice.insert("app_marital_status".into(), json!("married"));
    let mut overlap = |marriages: Value| {
        twice.insert("app_marriages".into(), marriages);
        let found = of(&twice).findings.into_iter().find(|one| one.rule == "app_mar-overlap");
        found.map(|one| (one.level, one.rests_on.contains(&"app_marriages".to_owned())))
    };
    assert_eq!(overlap(married("2015-06-01")), None, "the same day");
    assert_eq!(overlap(married("2015-06-02")), Some((Level::Warn, true)));
}

/// A history needs the month: whoever does not know the day can file, and is told of no gap that may not be there.
#[test]
fn who_knows_only_the_month_of_a_move_can_file_and_a_gap_is_told_only_where_there_is_one() {
    let address =
        json!({"line1": "1 Main St", "city": "Reno", "state": "NV", "postal_code": "89501", "country": "US"});
    let moved = |left: &str| {
        let mut all = with("app_physical_since", json!("2022-03"));
        let homes = json!([
            {"address": address, "from": "2022-03", "current": true},
            {"address": address, "from": "2017-05", "to": left},
        ]);
        all.insert("app_residences".into(), homes);
        all.insert(
            "app_employments".into(),
            json!([{"kind": "retired", "from": "2015-01", "current": true}]),
        );
        of(&all)
    };
    for left in ["2022-01", "2022-02", "2022-03", "2022-03-15", "2022-04"] {
        let found = moved(left);
        assert!(
            found.ready && found.findings.is_empty(),
            "{left}: {:?} {:?}",
            fired(&found),
            missing(&found)
        );
    }
    assert_eq!(fired(&moved("2021-12")), ["app_res-gap"]);
    assert_eq!(fired(&moved("2022-05")), [""; 0], "one month beside the other");
    assert_eq!(fired(&moved("2022-06")), ["app_res-overlap"]);
    assert_eq!(fired(&moved("2017-04")), ["app_res-gap", "app_res-order"]);
    assert_eq!(fired(&moved("2017-05")), ["app_res-gap"], "a stay within a month is one");
}

#[test]
fn a_day_that_the_law_counts_from_is_asked_for_and_a_rule_waits_for_it() {
    use Truth::{False, True, Unknown};
    let catalogue = Catalogue::embedded();
    let of = |form: &str, rule: &str, with: Value| {
        rule_value(catalogue.form(form).unwrap(), rule, &answers(with), &given("2026-03-02")).unwrap()
    };
    let married = |on: &str, current: bool| {
        json!({"basis": "spouse_of_citizen_3_years", "app_times_married": 1,
            "app_marriages": [{"married_on": on, "current": current}]})
    };
    for (on, current, asked, early) in [
        ("2020-06-14", true, False, False),
        ("2020-06", true, True, False),
        ("2020-06", false, False, False),
        ("2023-03", true, True, Unknown),
        ("2023-04", true, True, True),
    ] {
        assert_eq!(of("N-400", "married-day", married(on, current)), asked, "{on}");
        assert_eq!(of("N-400", "spouse-married-3", married(on, current)), early, "{on}");
    }
    let spouses = |on: &str| {
        json!({"relationship": "spouse", "pet_times_married": 1, "ben_times_married": 1,
            "pet_marriages": [{"married_on": "2019-06-14", "current": true}],
            "ben_marriages": [{"married_on": on, "current": true}]})
    };
    for (on, differs) in [("2019-06-14", False), ("2019-06", Unknown), ("2019-07", True)] {
        assert_eq!(of("I-130", "spouse-date-equal", spouses(on)), differs, "{on}");
        assert_eq!(of("I-130", "married-day", spouses(on)), False, "{on}: the petitioner knows the day");
    }
    let fiance = |arrived: &str| json!({"category": "family_k1", "applicant_kind": "principal", "app_entry_date": arrived});
    for (arrived, asked) in [("2025-11", True), ("2025-11-03", False)] {
        assert_eq!(of("I-485", "entry-day", fiance(arrived)), asked, "{arrived}");
    }
    let child = |arrived: &str| json!({"request": "initial", "app_dob": "1990-06-15", "arrived_on": arrived});
    for (arrived, late) in [("2006-05", False), ("2006-06", Unknown), ("2006-07", True)] {
        assert_eq!(of("I-821D", "under-16-arrival", child(arrived)), late, "{arrived}");
    }
}

#[test]
fn each_of_a_family_signs_themselves_on_paper_or_is_a_child_for_whom_a_parent_signs() {
    let form = Catalogue::embedded().form("I-539").unwrap().clone();
    let each = form.co_signer().unwrap().1.each.as_ref().unwrap();
    assert_eq!((each.list.as_str(), each.own.as_str()), ("co_applicants", "own_account"));
    let of = |signs: &str, dob: &str, signed: Value| {
        let member = json!({ "name": "Lia Inventada", "dob": dob, "relation": "child", "signs": signs, "signed": signed });
        let (answers, given) = (answers(json!({ "co_applicants": [member] })), given("2026-11-28"));
        let found = evaluate(&form, &answers, &given);
        let stops =
            found.findings.iter().filter(|one| one.rule.starts_with("co-")).map(|one| one.rule.clone());
        let papers = found.evidence.iter().any(|need| need.kind == "i539a");
        let part = takes_part(&form, "family_member", &answers, &given).unwrap();
        (stops.collect::<Vec<_>>(), papers, part, missing(&found).contains(&"co_applicants[0].signed"))
    };
    let none = Vec::<String>::new();
    assert_eq!(of("own_account", "1990-01-01", Value::Null), (none.clone(), false, Truth::True, false));
    assert_eq!(of("parent", "2012-11-29", Value::Null), (none.clone(), false, Truth::False, false));
    assert_eq!(
        of("parent", "2012-11-28", Value::Null),
        (vec!["co-child".into()], false, Truth::False, false)
    );
    assert_eq!(of("on_paper", "1990-01-01", json!(true)), (none.clone(), true, Truth::False, false));
    assert_eq!(
        of("on_paper", "1990-01-01", json!(false)),
        (vec!["co-unsigned".into()], true, Truth::False, false)
    );
    assert_eq!(of("on_paper", "1990-01-01", Value::Null), (none, true, Truth::False, true));
}

#[test]
fn a_permanent_resident_is_told_that_no_permit_is_needed_however_the_status_is_typed() {
    let form = Catalogue::embedded().form("I-765").unwrap().clone();
    let told = |status: &str| {
        rule_value(&form, "lpr-no-ead", &answers(json!({"app_status_now": status})), &given("2026-03-02"))
    };
    for status in [
        "LPR",
        "lpr",
        "permanent resident",
        "Lawful Permanent Resident",
        "CR-1",
        "cr6",
        "conditional resident",
    ] {
        assert_eq!(told(status), Some(Truth::True), "{status}");
    }
    for status in ["F-1", "pending asylum", "parolee", "TPS", "C-1"] {
        assert_eq!(told(status), Some(Truth::False), "{status}");
    }
}

#[test]
fn a_joint_petition_wants_the_signature_of_the_spouse_and_a_waiver_does_not() {
    let form = Catalogue::embedded().form("I-751").unwrap().clone();
    let (role, co_signs) = form.co_signer().unwrap();
    assert_eq!((role.id.as_str(), co_signs.prefix.as_str()), ("spouse", "sp_"));
    assert!(co_signs.declares.contains("penalty of perjury"));
    for channel in [FilingChannel::Online, FilingChannel::Paper] {
        let of = |basis: Value| {
            let (answers, given) =
                (answers(json!({ "basis": basis })), Given { channel, ..given("2026-03-02") });
            let found = evaluate(&form, &answers, &given);
            let missing = missing(&found).contains(&"sp_signature");
            (found.shown["sp_signature"], missing, takes_part(&form, "spouse", &answers, &given).unwrap())
        };
        assert_eq!(of(json!("joint")), (Truth::True, true, Truth::True));
        assert_eq!(of(json!("divorced")), (Truth::False, false, Truth::False));
        assert_eq!(of(json!("abused")), (Truth::False, false, Truth::False));
        assert_eq!(of(Value::Null), (Truth::Unknown, false, Truth::Unknown));
    }
}

#[test]
fn a_waiver_online_and_an_old_edition_are_blocked() {
    let mut given = attached();
    given.fee_waiver_requested = true;
    assert_eq!(fired(&evaluate(&n400(), &complete(), &given)), ["waiver-online"]);
    given.channel = FilingChannel::Paper;
    given.edition = Some(day("2024-04-01"));
    assert_eq!(fired(&evaluate(&n400(), &complete(), &given)), ["edition-old"]);
}

#[test]
fn a_fee_that_moves_every_year_is_not_said_after_the_last_year_that_is_known() {
    let catalogue = Catalogue::embedded();
    let form = catalogue.form("I-765").unwrap();
    let answers = crate::support::answers(json!({ "category": "(c)(8)", "reason": "initial" }));
    let on = |day: &str| fee(form, &answers, &given(day), false);
    assert_eq!(on("2026-12-31").total(), Some(docket_kernel::Cents(56_000)));
    let FeeResult::Unpublished { row, known_until, .. } = on("2027-01-01") else { panic!("a sum is said") };
    assert_eq!((row.as_str(), known_until), ("hr1-asylum-initial", day("2026-12-31")));
    // A row beside the one that is paid by everyone.
    let answers = crate::support::answers(json!({ "category": "(c)(11)", "reason": "renewal" }));
    assert_eq!(fee(form, &answers, &given("2026-12-31"), false).total(), Some(docket_kernel::Cents(75_000)));
    assert!(matches!(fee(form, &answers, &given("2027-01-01"), false), FeeResult::Unpublished { .. }));
}

#[test]
fn a_fee_which_is_not_known_says_what_it_hangs_on() {
    let mut paper = given("2026-03-02");
    paper.channel = FilingChannel::Paper;
    let hangs =
        |answers: Value, given: &Given| match fee(&n400(), &crate::support::answers(answers), given, false) {
            FeeResult::Unknown { hangs_on, .. } => hangs_on,
            other @ (FeeResult::Known { .. } | FeeResult::Unpublished { .. }) => panic!("{other:?}"),
        };
    assert_eq!(hangs(json!({}), &paper), ["basis", "reduction_wanted"]);
    assert_eq!(hangs(json!({"basis": "lpr_5_years"}), &paper), ["reduction_wanted"]);
    assert_eq!(hangs(json!({"basis": "lpr_5_years"}), &given("2024-03-31")), ["filing_date"]);
    let online = fee(&n400(), &answers(json!({"basis": "lpr_5_years"})), &given("2026-03-02"), false);
    assert_eq!(online.total().unwrap().to_string(), "$710.00");
}

#[test]
fn a_block_hangs_on_the_condition_of_its_include() {
    let form = load(
        r#"question = [{ id = "go", section = "all", type = "yes_no", required = "always", label = "Go?" }]
include = [
  { block = "birth", prefix = "p_", section = "all", required = "go" },
  { block = "contact", prefix = "p_", section = "all", required = "go" },
  { block = "residence_history", prefix = "q_", section = "all", required = "go", bind = { dob = "p_dob" } },
]"#,
    )
    .unwrap();
    let shown = |go: Value, field: &str| {
        evaluate(&form, &answers(json!({"go": go})), &given("2026-03-02")).shown[field]
    };
    for field in ["p_dob", "p_email", "q_residences"] {
        assert_eq!(shown(json!(true), field), Truth::True, "{field}");
        assert_eq!(shown(json!(false), field), Truth::False, "{field}");
        assert_eq!(shown(Value::Null, field), Truth::Unknown, "{field}");
    }
    let gap = form.rules.iter().find(|rule| rule.id == "q_res-gap").unwrap();
    assert_eq!(
        gap.when.to_string(),
        "go and gap_days(q_residences, later(filing_date - years(5), p_dob), filing_date) > 31"
    );
    assert_eq!(gap.field, "q_residences");
    let late = evaluate(&form, &answers(json!({"go": false, "p_dob": "2030-01-01"})), &given("2026-03-02"));
    assert!(late.findings.is_empty() && late.ready);
}

#[test]
fn on_an_empty_form_only_what_asks_for_presence_fires() {
    for form in Catalogue::embedded().forms() {
        let evaluation = evaluate(form, &Answers::new(), &given("2026-03-02"));
        for rule in form.rules.iter().filter(|rule| fired(&evaluation).contains(&rule.id.as_str())) {
            let when = rule.when.to_string();
            let asks = when.starts_with("not linked(") || when.starts_with("not present(");
            assert!(asks, "{} {}: {when}", form.id, rule.id);
        }
    }
}

/// Any JSON a person may send for a field.
fn some_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5_i64..100_000).prop_map(Value::from),
        "[a-z_0-9/-]{0,12}".prop_map(Value::from),
        Just(json!("2024-02-29")),
        Just(json!("lpr_5_years")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let keys = prop_oneof![
            Just("left"),
            Just("back"),
            Just("from"),
            Just("to"),
            Just("current"),
            Just("country")
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(keys, inner, 0..4).prop_map(|map| Value::Object(
                map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn answers_which_do_not_apply_change_nothing(
        extra in proptest::collection::vec((any::<prop::sample::Index>(), some_json()), 1..6),
    ) {
        let (form, plain) = (n400(), complete());
        let before = evaluate(&form, &plain, &attached());
        let hidden: Vec<&String> =
            before.shown.iter().filter(|(_, shown)| **shown == Truth::False).map(|(field, _)| field).collect();
        prop_assert!(hidden.len() > 10);
        let mut more = plain.clone();
        for (index, value) in extra {
            more.insert((*index.get(&hidden)).clone(), value);
        }
        let after = evaluate(&form, &more, &attached());
        prop_assert_eq!(after.set_aside.len(), more.len() - plain.len());
        prop_assert_eq!(after.counting(&more).into_owned(), plain);
        prop_assert_eq!(Evaluation { set_aside: before.set_aside.clone(), ..after }, before);
    }

    #[test]
    fn no_answer_makes_any_form_panic(
        extra in proptest::collection::vec((any::<prop::sample::Index>(), some_json()), 1..12),
        which in any::<prop::sample::Index>(),
        waiver in any::<bool>(),
    ) {
        let catalogue = Catalogue::embedded();
        let forms: Vec<&Form> = catalogue.forms().collect();
        let form = which.get(&forms);
        let mut all = Answers::new();
        for (index, value) in extra {
            let question = index.get(&form.questions);
            if let Ok(stored) = docket_forms::normalise(form, &question.id, &value) {
                prop_assert_eq!(docket_forms::normalise(form, &question.id, &stored), Ok(stored));
            }
            all.insert(question.id.clone(), value);
        }
        let given = given("2026-03-02");
        let evaluation = evaluate(form, &all, &given);
        prop_assert_eq!(&evaluation, &evaluate(form, &all, &given));
        let _ = fee(form, &all, &given, waiver);
    }
}

#[test]
fn a_paper_of_which_is_said_why_it_is_not_there_does_not_stop_the_filing() {
    let (form, all, mut given) = (n400(), complete(), given("2026-03-02"));
    let need = |given: &Given| {
        let evaluation = evaluate(&form, &all, given);
        let card = evaluation.evidence.into_iter().find(|need| need.kind == "green_card").unwrap();
        (evaluation.ready, card)
    };
    let (ready, card) = need(&given);
    assert!(!ready && card.is_lacking());
    given.explained.insert("green_card".to_owned());
    let (ready, card) = need(&given);
    assert!(ready && card.explained && !card.satisfied && !card.is_lacking());
    // What is there is there, whatever was said.
    given.evidence.insert("green_card".to_owned());
    assert!(need(&given).1.satisfied);
}

#[test]
fn a_question_says_why_it_is_asked_also_where_it_may_be_left_open() {
    let catalogue = Catalogue::embedded();
    let form = catalogue.form("I-90").unwrap();
    let given = Given::on("2026-03-02".parse().unwrap());
    let why = |question: &str, answers: serde_json::Value| {
        docket_forms::why_asked(form, question, answers.as_object().unwrap(), &given)
    };
    let everyone = why("app_middle_name", json!({})).unwrap();
    assert!(everyone.contains("everyone"), "{everyone}");
    let other_names = why("app_other_names", json!({"app_other_names_used": true})).unwrap();
    assert!(other_names.contains("Have you ever used another name"), "{other_names}");
    assert_eq!(why("app_other_names", json!({"app_other_names_used": false})), None, "it is not asked");
    assert_eq!(why("no_such_question", json!({})), None);
}

#[test]
fn a_finding_says_on_which_answers_it_rests() {
    let form = load(
        r#"
        question = [
          { id = "a", section = "all", type = "yes_no", required = "never", label = "A" },
          { id = "b", section = "all", type = "yes_no", required = "never", label = "B" },
          { id = "c", section = "all", type = "text", required = "a and not b", label = "C" },
          { id = "d", section = "all", type = "text", required = "never", label = "D" },
        ]
        rule = [
          { id = "either", level = "warn", when = "a or b", field = "form", kind = "advice", message = "Either." },
          { id = "both", level = "warn", when = "a and not b", field = "form", kind = "advice", message = "Both." },
          { id = "absent", level = "warn", when = "a and not present(d)", field = "d", kind = "advice", message = "D." },
        ]
        evidence = [{ kind = "paper", title = "A paper", when = "a or b", substitutes = [] }]
        "#,
    )
    .unwrap();
    let rests = |given_answers: Value, rule: &str| {
        let evaluation = evaluate(&form, &answers(given_answers), &given("2026-03-02"));
        let found = evaluation.findings.into_iter().find(|finding| finding.rule == rule);
        found.map(|finding| finding.rests_on).unwrap_or_default()
    };
    // Only what decides is named; where each would do alone, both.
    assert_eq!(rests(json!({"a": true, "b": false}), "either"), ["a"]);
    assert_eq!(rests(json!({"a": true, "b": true}), "either"), ["a", "b"]);
    assert_eq!(rests(json!({"a": true, "b": false}), "both"), ["a", "b"]);
    // That something is not there can be what decides.
    assert_eq!(rests(json!({"a": true}), "absent"), ["a", "d"]);

    let evaluation = evaluate(&form, &answers(json!({"a": true, "b": false})), &given("2026-03-02"));
    assert_eq!(evaluation.missing[0].rests_on, ["a", "b"]);
    assert_eq!(evaluation.evidence[0].rests_on, ["a"]);
    assert_eq!(evaluation.evidence[0].because, "Because of your answer to \u{201C}A\u{201D}.");
}

proptest! {
    /// Whatever is answered: an answer that decides has one, or is one whose absence the rule looks for; and without any of
    /// the answers a rule rests on it does not fire.
    #[test]
    fn without_what_a_finding_rests_on_it_is_not_found(seed in any::<[u8; 32]>(), n in 0_usize..21) {
        let catalogue = Catalogue::embedded();
        let form = catalogue.forms().nth(n).unwrap();
        let mut search = crate::search::Search::seeded(form, seed);
        let (given, questions) = (search.given(), form.questions.iter().collect::<Vec<_>>());
        let answers = search.answers(&questions, given.filing_date);
        for finding in evaluate(form, &answers, &given).findings {
            let answered: Vec<_> = finding.rests_on.iter().filter(|id| answers.contains_key(*id)).collect();
            let mut without = answers.clone();
            without.retain(|id, _| !answered.contains(&id));
            let again = evaluate(form, &without, &given);
            let gone = !again.findings.iter().any(|one| one.rule == finding.rule && one.rests_on == finding.rests_on);
            prop_assert!(answered.is_empty() || gone, "{} of {} rests on {:?}", finding.rule, form.id, finding.rests_on);
        }
    }
}
