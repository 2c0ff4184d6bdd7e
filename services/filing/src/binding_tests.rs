//! What is approved and signed is exactly what was shown: any other content has another text, for every form and every kind of answer.

use docket_forms::{Answers, Catalogue, Form, Given, Question, Truth, Type, evaluate, normalise};
use docket_testkit::chance;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::content::Content;
use crate::domain::filing::Filing;
use crate::review::text;
use crate::sheet::{File, Lacking, Section, Sheet};

/// Characters of the text's own layout, so that an answer would like to look like another row.
const LAYOUT: [&str; 6] = ["\n- ", "\n  1.\n", ": ", "(not answered)", "; ", "\n     | "];

/// The form as it is signed with these answers.
fn sheet(form: &Form, answers: &Answers) -> Sheet {
    sheet_where(form, answers, |_| true)
}

/// The same, of the questions that are let through.
fn sheet_where(form: &Form, answers: &Answers, stands: impl Fn(&str) -> bool) -> Sheet {
    let content = Content { answers: answers.clone(), ..Content::default() };
    let evaluation = evaluate(form, answers, &Given::on("2026-09-20".parse().unwrap()));
    let filing = Filing { edition: form.edition.to_string(), ..Filing::default() };
    let counting = evaluation.counting(answers);
    Sheet::of(form, &filing, (&content, &counting), |id| {
        stands(id) && evaluation.shown.get(id) == Some(&Truth::True)
    })
}

/// Normal answers to most questions of a form.
fn filled(form: &Form, chance: &mut StdRng) -> Answers {
    let mut answers = Answers::new();
    for question in &form.questions {
        if let Some(answer) = answered(form, question, chance) {
            answers.insert(question.id.clone(), answer);
        }
    }
    answers
}

/// An answer as it is stored; none where chance found no right one.
fn answered(form: &Form, question: &Question, chance: &mut StdRng) -> Option<Value> {
    let answer = if question.kind == Type::Repeating {
        let items = chance.random_range(0..3);
        (0..items).map(|_| item(question, chance)).collect()
    } else {
        value(question.kind, &question.options, chance)
    };
    normalise(form, &question.id, &answer).ok()
}

fn item(question: &Question, chance: &mut StdRng) -> Value {
    let fields = question.fields.iter().map(|field| {
        let value = value(field.kind, &field.options, chance);
        (field.id.clone(), value)
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

fn value(kind: Type, options: &[String], chance: &mut StdRng) -> Value {
    let digits = |chance: &mut StdRng, n: u32| {
        format!("{:0n$}", chance.random_range(0..10_u64.pow(n)), n = n as usize)
    };
    match kind {
        Type::YesNo | Type::Check => json!(chance.random_bool(0.5)),
        Type::Select => json!(options.choose(chance)),
        Type::Multi => options.iter().filter(|_| chance.random_bool(0.4)).map(|one| json!(one)).collect(),
        Type::Int | Type::Money | Type::Weight => json!(chance.random_range(1..900)),
        Type::Date => json!(day(chance)),
        // As much of it as every question takes.
        Type::PartialDate => json!(day(chance)[..*[10, 7].choose(chance).unwrap()]),
        Type::ANumber => json!(format!("A{}", digits(chance, 9))),
        Type::Ssn => json!(format!(
            "{}-{}-{}",
            chance.random_range(100..600),
            chance.random_range(10..99),
            chance.random_range(1000..9999)
        )),
        Type::Country => json!(*["US", "MX", "PE", "TH"].choose(chance).unwrap()),
        Type::UsState => json!(*["NY", "NV", "TX", "GU"].choose(chance).unwrap()),
        Type::Phone => json!(format!("+1 212 555 01{}", digits(chance, 2))),
        Type::Email => json!(format!("a{}@example.test", digits(chance, 6))),
        Type::Height => json!(format!("5'{:02}\"", chance.random_range(0..12))),
        Type::PassportNumber | Type::AccountNumber => json!(format!("X{}", digits(chance, 8))),
        Type::Address => {
            json!({ "line1": format!("{} Invented Street", digits(chance, 4)), "city": word(chance), "state": "NY",
            "postal_code": "12207", "country": "US" })
        }
        Type::LongText => json!(format!("{} {}", word(chance), word(chance))),
        Type::Text | Type::NamePart | Type::Signature => {
            json!(word(chance).replace(['\n', '|', '(', ')', ':', ';'], ""))
        }
        Type::Receipt | Type::I94 | Type::Sevis | Type::EadCategory | Type::Repeating => Value::Null,
    }
}

fn day(chance: &mut StdRng) -> String {
    format!(
        "{}-{:02}-{:02}",
        chance.random_range(1950..2026),
        chance.random_range(1..13),
        chance.random_range(1..29)
    )
}

/// A word in letters of several scripts, now and then with what the text itself is laid out with.
fn word(chance: &mut StdRng) -> String {
    let letters = ["a", "e", "ñ", "Ł", "đ", "β", "Ж", "ก", "李", "ש", "ع", "o", "t"];
    let mut word: String = (0..chance.random_range(2..9)).map(|_| *letters.choose(chance).unwrap()).collect();
    if chance.random_bool(0.2) {
        word.push_str(LAYOUT.choose(chance).unwrap());
        word.push_str(letters.choose(chance).unwrap());
    }
    word
}

#[test]
fn another_answer_is_another_text_in_every_form() {
    let (catalogue, mut chance) = (Catalogue::embedded(), chance::rng());
    let (mut changed, mut kinds) = (0, std::collections::BTreeSet::new());
    for form in catalogue.forms() {
        for _ in 0..chance::short_or_long(3, 200) {
            let answers = filled(form, &mut chance);
            let before = sheet(form, &answers);
            for question in &form.questions {
                let other = answered(form, question, &mut chance);
                if other.as_ref() == answers.get(&question.id) {
                    continue;
                }
                let mut others = answers.clone();
                match other {
                    Some(other) => drop(others.insert(question.id.clone(), other)),
                    None => drop(others.shift_remove(&question.id)),
                }
                let after = sheet(form, &others);
                // What is set aside is not signed; all else is, and to see the same is to sign the same.
                assert_eq!(before == after, text(&before) == text(&after), "{} {}", form.id, question.id);
                if before != after {
                    changed += 1;
                    kinds.insert(format!("{:?}", question.kind));
                }
            }
        }
    }
    assert!(changed > 2_000, "{changed} changes were tried");
    assert!(kinds.len() > 15, "{kinds:?}");
}

/// Of every list of every form: a part of an item that is not asked is in no text, and one that is asked is in it.
#[test]
fn a_part_of_an_item_is_signed_when_it_is_asked_and_only_then() {
    let (catalogue, mut chance) = (Catalogue::embedded(), chance::rng());
    let (mut aside, mut signed) = (0, 0);
    for form in catalogue.forms() {
        for _ in 0..chance::short_or_long(3, 200) {
            let answers = filled(form, &mut chance);
            let evaluation = evaluate(form, &answers, &Given::on("2026-09-20".parse().unwrap()));
            for question in form.questions.iter().filter(|one| one.kind == Type::Repeating) {
                let Some(Value::Array(given)) = answers.get(&question.id) else { continue };
                let alone = sheet_where(form, &answers, |id| id == question.id);
                let Some(row) = alone.sections.iter().flat_map(|one| &one.rows).next() else { continue };
                let items = row.items.as_ref().unwrap();
                for (n, item) in given.iter().enumerate() {
                    for field in question.fields.iter().filter(|field| item.get(&field.id).is_some()) {
                        let is_aside =
                            evaluation.set_aside.contains(&format!("{}[{n}].{}", question.id, field.id));
                        let is_signed = items[n].iter().any(|part| part.label == field.label);
                        assert_ne!(is_aside, is_signed, "{} {}[{n}].{}", form.id, question.id, field.id);
                        *(if is_aside { &mut aside } else { &mut signed }) += 1;
                    }
                }
            }
        }
    }
    assert!(aside > 20 && signed > 200, "{aside} set aside, {signed} signed");
}

/// Everything beside the answers that is signed, changed bit by bit.
#[test]
fn another_file_explanation_waiver_or_edition_is_another_text() {
    let catalogue = Catalogue::embedded();
    let form = catalogue.form("N-400").unwrap();
    let mut chance = chance::rng();
    let file = File {
        id: Uuid::nil(),
        kind: "green_card".into(),
        title: "Card".into(),
        name: "card.png".into(),
        media_type: "image/png".into(),
        size: 9,
        foreign_language: false,
        commitment: "ab".repeat(32),
    };
    let lacking =
        Lacking { kind: "birth_certificate".into(), title: "Birth".into(), words: Some("It burned.".into()) };
    let waiver = Section { title: "I-912".into(), rows: Vec::new() };
    let plain = Sheet {
        evidence: vec![file.clone()],
        lacking: vec![lacking.clone()],
        ..sheet(form, &filled(form, &mut chance))
    };
    let flipped = |n: usize| {
        let mut commitment = file.commitment.clone().into_bytes();
        commitment[n] ^= 1;
        File { commitment: String::from_utf8(commitment).unwrap(), ..file.clone() }
    };
    let mut others: Vec<Sheet> =
        (0..file.commitment.len()).map(|n| Sheet { evidence: vec![flipped(n)], ..plain.clone() }).collect();
    for other in [
        File { name: "card2.png".into(), ..file.clone() },
        File { size: 10, ..file.clone() },
        File { kind: "photos".into(), ..file.clone() },
        File { foreign_language: true, ..file.clone() },
        File { media_type: "image/jpeg".into(), ..file.clone() },
    ] {
        others.push(Sheet { evidence: vec![other], ..plain.clone() });
    }
    others.push(Sheet { evidence: Vec::new(), ..plain.clone() });
    others.push(Sheet { evidence: vec![file.clone(), file.clone()], ..plain.clone() });
    others.push(Sheet { lacking: Vec::new(), ..plain.clone() });
    let words = Some("It burned!".into());
    others.push(Sheet { lacking: vec![Lacking { words, ..lacking }], ..plain.clone() });
    others.push(Sheet { waiver: Some(waiver), ..plain.clone() });
    others.push(Sheet { edition: "2027-01-01".into(), ..plain.clone() });
    others.push(Sheet { catalogue_version: "another".into(), ..plain.clone() });
    others.push(Sheet { number: "N-600".into(), ..plain.clone() });
    let texts: std::collections::BTreeSet<String> = others.iter().chain([&plain]).map(text).collect();
    assert_eq!(texts.len(), others.len() + 1, "no two of them read the same");
}
