//! What was signed under a release gives the same text and hash under every later one; a stranger's program finds the same.
//!
//! `tests/signed/<release>/` has a filing of three forms each. They are written once, for a release that has none yet
//! (`DOCKET_UPDATE_GOLDENS`), and never again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use docket_forms::{Answers, Catalogue, Form, Given, Language, Truth, evaluate, normalise};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::content::{Content, Sealed};
use crate::domain::Attached;
use crate::domain::filing::Filing;
use crate::review;
use crate::sheet::Sheet;

/// The root of keyed hashes in the samples; no service has it.
const ROOT: [u8; 32] = [0x5a; 32];
const FORMS: [&str; 3] = ["I-485", "I-90", "N-400"];

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    filing: Uuid,
    key: String,
    sheet: Value,
    text: String,
    hash: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/signed")
}

/// The samples of all releases, by their paths.
fn kept() -> Vec<(PathBuf, Kept)> {
    let files = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let mut paths: Vec<_> = files(&folder()).iter().flat_map(|release| files(release)).collect();
    paths.sort();
    let read = |path: PathBuf| (path.clone(), serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap());
    paths.into_iter().map(read).collect()
}

fn hash(filing: Uuid, root: &[u8], text: &str) -> String {
    hex::encode(docket_vault::keyed_hash(root, review::PURPOSE, &review::signed_bytes(filing, text)))
}

/// Answers of invented people, with what texts, clocks, maps and scripts have ever gone wrong over.
fn answers(form: &Form) -> Answers {
    let address = json!({ "line1": "12 Main St; rear\u{a0}house", "unit": "Apt 2", "city": "Albany", "state": "NY",
        "postal_code": "12207-0001", "country": "US" });
    let common = json!({
        "app_family_name": "Nguye\u{302}\u{303}n", "app_given_name": "Zoë İı", "app_middle_name": "O'Brien-Łuć",
        "app_other_names_used": true,
        "app_other_names": [{ "family": "Ngu" }, { "family": "Sevcenko", "given": "Ole\u{301}na", "kind": "дівоче" }],
        "app_dob": "1984-02-29", "app_birth_city": "कोलकाता, 王小明, محمد", "app_birth_country": "IN", "app_sex": "female",
        "app_mailing": address, "app_physical_same": true, "app_day_phone": "+1 212 555 0123",
        "app_height": "5 6", "app_weight": 140, "app_race": ["white", "asian"], "app_children_count": 0,
        "app_parents": [{ "which": "mother", "family": "Ana", "dob": "1950-07" }, { "which": "father", "family": "Lima", "dob": "1949" }],
        "additional_info": [{ "question": "All", "text": "One\n- Date of birth: 1990\n\n     | (not answered)\u{2028}end" }],
        "reads_english": "i_read_it", "declares_true": true, "used_interpreter": false, "used_preparer": false
    });
    let own = match form.id.as_str() {
        "I-90" => json!({ "reason": "lost_stolen_destroyed", "resident_kind": "permanent_resident" }),
        "I-485" => {
            json!({ "category": "employment", "household_income": 123_456_789, "household_assets": 0, "household_debts": 99 })
        }
        "N-400" => {
            json!({ "basis": "lpr_5_years", "trips_taken": false, "lpr_since": "2018-05-01", "exempt_50_20": false })
        }
        other => panic!("{other} has no sample"),
    };
    let given = common.as_object().unwrap().iter().chain(own.as_object().unwrap());
    let taken = given.filter(|(id, _)| form.question(id).is_some());
    taken
        .map(|(id, answer)| {
            (id.clone(), normalise(form, id, answer).unwrap_or_else(|fault| panic!("{id}: {fault:?}")))
        })
        .collect()
}

fn content(answers: Answers) -> (Filing, Content) {
    let file = Attached {
        id: Uuid::from_u128(7),
        kind: "green_card".into(),
        commitment: vec![0xab; 32],
        media_type: "application/pdf".into(),
        size: 12_582_912,
        object_key: String::new(),
        foreign_language: true,
        being_checked: false,
        hard_to_read: Vec::new(),
    };
    let filing = Filing {
        evidence: vec![file],
        explained: ["birth_certificate".to_owned()].into(),
        edition: "2025-01-20".into(),
        ..Filing::default()
    };
    let content = Content {
        answers,
        files: [(Uuid::from_u128(7), Sealed { file_name: "карта, (1).pdf".into(), salt: vec![1; 16] })]
            .into(),
        explanations: [("birth_certificate".to_owned(), "It burned.\nTwice.".to_owned())].into(),
        ..Content::default()
    };
    (filing, content)
}

/// The sheet of these answers, all questions that are asked or may be.
fn sheet(form: &Form, answers: &Answers) -> Sheet {
    let (filing, content) = content(answers.clone());
    let evaluation = evaluate(form, answers, &Given::on("2026-09-20".parse().unwrap()));
    let counting = evaluation.counting(answers);
    Sheet::of(form, &filing, (&content, &counting), |id| match evaluation.shown.get(id) {
        Some(Truth::True) => true,
        Some(Truth::Unknown) => answers.contains_key(id),
        Some(Truth::False) | None => false,
    })
}

fn sample(form: &Form, n: u128) -> Kept {
    let (filing, sheet) = (Uuid::from_u128(n), sheet(form, &answers(form)));
    let text = review::text(&sheet);
    Kept {
        filing,
        key: hex::encode(ROOT),
        sheet: serde_json::from_str(&sheet.kept()).unwrap(),
        hash: hash(filing, &ROOT, &text),
        text,
    }
}

/// Written for a release that has none yet.
#[test]
fn this_release_has_a_sample_of_each_form() {
    let release = folder().join(env!("CARGO_PKG_VERSION"));
    let catalogue = Catalogue::embedded();
    for (n, form) in (1..).zip(FORMS) {
        let path = release.join(format!("{}.json", form.to_lowercase()));
        if !path.exists() && std::env::var_os("DOCKET_UPDATE_GOLDENS").is_some() {
            std::fs::create_dir_all(&release).unwrap();
            let json = serde_json::to_string_pretty(&sample(catalogue.form(form).unwrap(), n)).unwrap();
            std::fs::write(&path, json + "\n").unwrap();
        }
        assert!(path.exists(), "make {} with DOCKET_UPDATE_GOLDENS=1 and keep it", path.display());
    }
}

#[test]
fn what_was_signed_under_any_release_has_its_text_and_hash_today() {
    let kept = kept();
    for (path, kept) in &kept {
        let sheet = Sheet::read(&kept.sheet.to_string()).unwrap();
        let text = review::text(&sheet);
        assert_eq!(text, kept.text, "{}", path.display());
        assert_eq!(
            hash(kept.filing, &hex::decode(&kept.key).unwrap(), &text),
            kept.hash,
            "{}",
            path.display()
        );
        // What is written again gives the same again.
        let again = Sheet::read(&sheet.kept()).unwrap();
        assert_eq!(review::text(&again), kept.text, "{}", path.display());
    }
    assert!(kept.len() >= FORMS.len());
}

/// The samples are worth keeping: letters of many scripts, marks, lists with and without items, money, part of a date.
#[test]
fn the_samples_have_what_has_ever_gone_wrong() {
    let all: String = kept().into_iter().map(|(_, kept)| kept.text).collect();
    for awkward in [
        "Nguy\u{1ec5}n",
        "王小明",
        "محمد",
        "дівоче",
        "कोलकाता",
        "İı",
        ": none\n",
        "  2.\n",
        "(not answered)",
        "1950-07\n",
        ": 1949\n",
        "$1,234,567.89",
        "\n     | - Date of birth",
        "карта, (1).pdf",
        "12 Main St; rear",
        "white, asian",
        "It burned.\n     | Twice.",
        "not in English",
    ] {
        assert!(all.contains(awkward), "{awkward:?} is in no sample");
    }
}

#[test]
fn neither_the_order_of_answers_nor_the_language_of_the_reader_changes_what_is_signed() {
    let catalogue = Catalogue::embedded();
    for form in FORMS.map(|form| catalogue.form(form).unwrap()) {
        let answers = answers(form);
        let turned: Answers = answers.iter().rev().map(|(id, answer)| (id.clone(), turned(answer))).collect();
        let before = review::text(&sheet(form, &answers));
        assert_eq!(before, review::text(&sheet(form, &turned)), "{}", form.id);
        // Read in Spanish, evaluated as such: what is signed is the English form.
        let spanish = catalogue.in_language(form, Language::Es);
        let given = Given::on("2026-09-20".parse().unwrap());
        assert_eq!(evaluate(spanish, &answers, &given).shown, evaluate(form, &answers, &given).shown);
        // One letter more is another text and another hash; so is another filing or key.
        let id = Uuid::from_u128(1);
        let hashes = [
            hash(id, &ROOT, &before),
            hash(id, &ROOT, &format!("{before} ")),
            hash(Uuid::from_u128(2), &ROOT, &before),
            hash(id, &[1; 32], &before),
        ];
        assert_eq!(hashes.iter().collect::<BTreeSet<_>>().len(), hashes.len());
    }
}

/// The same value with the members of every object in reverse.
fn turned(value: &Value) -> Value {
    match value {
        Value::Object(parts) => parts.iter().rev().map(|(name, part)| (name.clone(), turned(part))).collect(),
        Value::Array(values) => values.iter().map(turned).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// What the stranger's program says of files, in a locale and with maps in an order of its own.
fn stranger(files: &[PathBuf], locale: &str) -> (bool, String) {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verify_signed.py");
    let out = Command::new("python3")
        .args(["-B", program])
        .args(files)
        .env("LC_ALL", locale)
        .env("PYTHONIOENCODING", "utf-8")
        .output()
        .expect("Python 3 is there: the tools are installed with it");
    (out.status.success(), String::from_utf8_lossy(&out.stdout).into_owned())
}

#[test]
fn a_program_that_shares_nothing_with_ours_finds_every_sample_as_it_was_signed() {
    let samples = kept();
    let paths: Vec<_> = samples.iter().map(|(path, _)| path.clone()).collect();
    for locale in ["C", "C.UTF-8", "tr_TR.UTF-8"] {
        let (good, said) = stranger(&paths, locale);
        assert!(good && said.matches("as it was signed").count() == paths.len(), "{locale}: {said}");
    }
}

#[test]
fn a_program_that_shares_nothing_with_ours_finds_every_change() {
    let (_, sample) = kept().into_iter().next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let changed = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut file = serde_json::to_value(&sample).unwrap();
        file.as_object_mut().unwrap().remove("text");
        change(&mut file);
        let path = folder.path().join(name);
        std::fs::write(&path, file.to_string()).unwrap();
        stranger(&[path], "C").0
    };
    assert!(changed("whole", &|_| ()));
    assert!(
        changed("words", &|file| file["sheet"]["sections"][0]["rows"][0]["said"] = json!(["other words"]))
    );
    assert!(!changed("label", &|file| file["sheet"]["sections"][0]["rows"][0]["label"] = json!("Another?")));
    assert!(!changed("value", &|file| file["sheet"]["sections"][0]["rows"][0]["value"] = json!("Another")));
    assert!(!changed("row", &|file| drop(
        file["sheet"]["sections"][0]["rows"].as_array_mut().unwrap().pop()
    )));
    assert!(!changed("file", &|file| file["sheet"]["evidence"][0]["commitment"] = json!("cd")));
    assert!(!changed("filing", &|file| file["filing"] = json!(Uuid::from_u128(99))));
    assert!(!changed("key", &|file| file["key"] = json!("00".repeat(32))));
}
