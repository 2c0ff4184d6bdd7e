//! Who may sign, held against the law table `signing_law.toml`: every capacity for every form, with the source of each no, in English
//! and in Spanish.

use std::collections::{BTreeMap, BTreeSet};

use docket_forms::{Answers, Catalogue, Form, Given, evaluate};
use docket_kernel::Refusal;
use docket_proto::filing::events::v1 as pb;
use docket_service::in_spanish;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::appearance;
use crate::domain::Attached;
use crate::domain::filing::{
    AUTHORITY_TO_SIGN, Capacity, Checked, Filer, Filing, Sign, Start, evolve, sign, start,
};
use crate::party;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Law {
    row: Vec<Row>,
    help: Vec<Help>,
    apart: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    forms: Vec<String>,
    #[serde(rename = "as")]
    capacity: String,
    #[serde(default)]
    born: Vec<Date>,
    on: Date,
    #[serde(default)]
    shown: bool,
    petitioner: Option<String>,
    then: String,
    #[serde(default)]
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Help {
    answers: Map<String, Value>,
    then: BTreeSet<String>,
}

fn law() -> Law {
    toml::from_str(include_str!("signing_law.toml")).unwrap()
}

/// The question for the date of birth of whoever files, found without the code that is tested.
fn birthday(form: &Form) -> Option<&str> {
    let ids = || form.questions.iter().map(|question| question.id.as_str());
    let named = ids().find(|id| id.ends_with("family_name"))?;
    let own = named.replace("family_name", "dob");
    ids().find(|id| *id == own).or_else(|| ids().find(|id| *id == "dob"))
}

fn answers(form: &Form, row: &Row, born: Option<Date>) -> Answers {
    let mut answers = Answers::new();
    if let Some(born) = born {
        let question = birthday(form).unwrap_or_else(|| panic!("{} asks no date of birth", form.id));
        answers.insert(question.to_owned(), Value::String(born.to_string()));
    }
    if let Some(petitioner) = &row.petitioner {
        assert!(form.question("petitioner_kind").is_some(), "{}", form.id);
        answers.insert("petitioner_kind".to_owned(), Value::String(petitioner.clone()));
    }
    answers
}

/// A filing which lacks nothing but the signature.
fn ready(shown: bool) -> Filing {
    let begun = Start {
        form: "I-90".into(),
        edition: "2025-01-20".into(),
        package: Uuid::from_u128(1),
        account: Uuid::from_u128(2),
        zone: "America/Chicago".into(),
        continues: None,
        representation: None,
    };
    let apply = |filing: Filing, events: Vec<_>| events.iter().fold(filing, evolve);
    let filing = apply(Filing::default(), start(&Filing::default(), begun).unwrap());
    let fee = pb::FeeShown { quote_id: Uuid::nil().to_string(), total_cents: 0, content_mac: vec![7; 32] };
    let mut filing = apply(filing, vec![fee.into()]);
    if shown {
        filing.evidence.push(Attached {
            id: Uuid::nil(),
            kind: AUTHORITY_TO_SIGN.into(),
            commitment: Vec::new(),
            media_type: "image/png".into(),
            size: 1,
            object_key: String::new(),
            foreign_language: false,
            being_checked: false,
            hard_to_read: Vec::new(),
        });
    }
    filing
}

fn signing(filing: &Filing, capacity: Capacity, filer: Filer, name_agrees: bool) -> Result<(), Refusal> {
    let checked = Checked {
        content_version: filing.content_version,
        not_ready: None,
        content_mac: vec![8; 32],
        content_macs_before: Vec::new(),
        answers_mac: vec![7; 32],
        helpers: BTreeSet::new(),
        last_day: None,
        parts: BTreeMap::new(),
    };
    let signature = Sign {
        signer: Uuid::from_u128(2),
        role: "applicant".into(),
        capacity,
        filer,
        ended: None,
        shown_mac: vec![8; 32],
        name_agrees,
        typed_name: "A B".into(),
        proven_name: String::new(),
        name_unproven: false,
        signed_at_us: 1,
        catalogue_version: "1".into(),
        sheet_json: String::new(),
        sheet_key: String::new(),
    };
    sign(filing, &checked, signature).map(|events| assert_eq!(events.len(), 1))
}

/// A refusal names its source in English and in Spanish, and its way out is said in both.
fn says_its_rule_in_both_languages(refusal: &Refusal, source: &str) -> Result<(), String> {
    let spanish = in_spanish(&refusal.message);
    let way_out = in_spanish(&refusal.way_out);
    let faults = [
        (!refusal.message.contains(source), "the English words do not name the source"),
        (spanish == refusal.message, "there are no Spanish words"),
        (!spanish.contains(&in_spanish(source)), "the Spanish words do not name the source"),
        (spanish.contains('…') || way_out.contains('…'), "a value is missing in Spanish"),
        (refusal.way_out.is_empty(), "there is no way out"),
        (way_out == refusal.way_out, "the way out is not said in Spanish"),
    ];
    let fault = faults.into_iter().find(|(is_one, _)| *is_one);
    fault.map_or(Ok(()), |(_, fault)| Err(format!("{fault}: {refusal} / {spanish} / {way_out}")))
}

#[test]
fn a_refusal_that_one_language_does_not_have_or_does_not_found_is_found() {
    let (source, refused) = ("8 CFR 103.2(a)(2)", |message: &str, way_out: &str| {
        Refusal::state("NO", message.to_owned()).way_out(way_out.to_owned())
    });
    let known = "A company files this, and somebody signs who may bind it (8 CFR 103.2(a)(2)).";
    let out = "If you sign for yourself, leave the capacity out.";
    let fault = |message, way_out, source| {
        let said = says_its_rule_in_both_languages(&refused(message, way_out), source);
        said.err().map(|fault| fault.split(':').next().unwrap().to_owned())
    };
    assert_eq!(fault(known, out, source), None);
    assert_eq!(
        fault("Nobody says this (8 CFR 103.2(a)(2)).", out, source).as_deref(),
        Some("there are no Spanish words")
    );
    assert_eq!(fault(known, out, "8 CFR 341.1").as_deref(), Some("the English words do not name the source"));
    assert_eq!(
        fault(known, "Nobody says this.", source).as_deref(),
        Some("the way out is not said in Spanish")
    );
}

#[test]
fn who_may_sign_is_as_the_law_says() {
    let (catalogue, law) = (Catalogue::embedded(), law());
    let mut tried = 0;
    for row in &law.row {
        let capacity = Capacity::read(&row.capacity).unwrap();
        let filing = ready(row.shown);
        let days = row.born.iter().copied().map(Some);
        let born: Vec<_> = if row.born.is_empty() { vec![None] } else { days.collect() };
        for (form, born) in row.forms.iter().flat_map(|form| born.iter().map(move |born| (form, *born))) {
            let form = catalogue.form(form).unwrap();
            let filer = party::filer(form, &answers(form, row, born), &Given::on(row.on));
            let outcome = signing(&filing, capacity, filer, true);
            let case = format!("{} as {}, born {born:?}, on {}: {filer:?}", form.id, row.capacity, row.on);
            match outcome {
                Ok(()) => assert_eq!(row.then, "signs", "{case}"),
                Err(refusal) => {
                    assert_eq!(refusal.reason, row.then, "{case}");
                    assert!(!row.source.is_empty(), "{case}: {refusal}");
                    if let Err(fault) = says_its_rule_in_both_languages(&refusal, &row.source) {
                        panic!("{case}: {fault}");
                    }
                }
            }
            tried += 1;
        }
    }
    assert!(tried > 300, "{tried} cases");
}

#[test]
fn the_table_has_every_capacity_for_every_form_and_both_answers_where_the_law_has_two() {
    let (catalogue, law) = (Catalogue::embedded(), law());
    let mut seen: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for row in &law.row {
        for form in &row.forms {
            seen.entry((form.clone(), row.capacity.clone())).or_default().insert(row.then.clone());
        }
    }
    for form in catalogue.forms() {
        let apart = match form.docket.as_str() {
            _ if form.id == appearance::FORM => Some("appearance"),
            "online" | "package" => None,
            other => Some(other),
        };
        assert_eq!(law.apart.get(&form.id).map(String::as_str), apart, "{}", form.id);
        for capacity in Capacity::ALL {
            let verdicts = seen.remove(&(form.id.clone(), capacity.as_str().to_owned())).unwrap_or_default();
            assert_eq!(verdicts.is_empty(), apart.is_some(), "{} as {}", form.id, capacity.as_str());
            let conditional =
                matches!(capacity, Capacity::Parent | Capacity::Guardian | Capacity::AttorneyInFact);
            assert!(apart.is_some() || !conditional || verdicts.len() > 1, "{} as {capacity:?}", form.id);
        }
    }
    assert_eq!(seen, BTreeMap::new(), "rows of forms that the catalogue does not have");
}

/// A form says in its roles who signs for another; that no role goes further than the law, and none is left unread.
#[test]
fn every_signing_role_of_the_catalogue_is_one_that_the_program_knows() {
    let known = [
        "affected_party",
        "alien",
        "applicant",
        "client",
        "company_officer",
        "guardian",
        "household_member",
        "parent_or_guardian",
        "payer",
        "petitioner",
        "representative",
        "requestor",
        "spouse",
        "sponsor",
    ];
    let mut met = BTreeSet::new();
    for form in Catalogue::embedded().forms() {
        // Several who each sign a part for themselves go by the form's data alone.
        let several = |role: &&docket_forms::Role| role.co_signs.as_ref().is_some_and(|it| it.each.is_some());
        for role in form.roles.iter().filter(|role| role.signs && !several(role)) {
            assert!(known.contains(&role.id.as_str()), "{} {}", form.id, role.id);
            met.insert(role.id.clone());
        }
    }
    assert_eq!(met.len(), known.len(), "{met:?}");
}

#[test]
fn whoever_helped_signs_too_on_every_form_that_asks_who_helped() {
    let (catalogue, law) = (Catalogue::embedded(), law());
    let mut forms = 0;
    for form in catalogue.forms().filter(|form| form.question("used_interpreter").is_some()) {
        forms += 1;
        for help in &law.help {
            let answers = help.answers.clone().into_iter().collect();
            let found = evaluate(form, &answers, &Given::on("2026-11-28".parse().unwrap()));
            let missing = found.missing.iter().map(|missing| missing.field.clone());
            let rules = found.findings.iter().map(|finding| finding.rule.clone());
            let help_only = |id: &String| id.starts_with("interp") || id.starts_with("prep_");
            let then: BTreeSet<_> = missing.chain(rules).filter(help_only).collect();
            assert_eq!(then, help.then, "{}: {:?}", form.id, help.answers);
        }
    }
    assert_eq!(forms, 18, "all but AR-11, G-1450 and G-28");
}

#[test]
fn what_is_refused_for_a_word_or_a_name_cites_its_source_too() {
    let adult = Filer { age: Some(40), ..Filer::default() };
    let otherwise_named = |capacity| signing(&ready(true), capacity, adult, false).unwrap_err();
    let refusals = [
        (Capacity::read("friend").unwrap_err(), "CAPACITY_UNKNOWN"),
        (otherwise_named(Capacity::OneSelf), "NAME_DIFFERS"),
        (otherwise_named(Capacity::Guardian), "NAME_DIFFERS"),
    ];
    for (refusal, reason) in refusals {
        assert_eq!(refusal.reason, reason);
        // The words that may be given stand in the text itself, so that it needs no way out.
        let refusal = if reason == "CAPACITY_UNKNOWN" {
            refusal.way_out("If you sign for yourself, leave the capacity out.")
        } else {
            refusal
        };
        assert_eq!(says_its_rule_in_both_languages(&refusal, "8 CFR 103.2(a)(2)"), Ok(()));
    }
}
