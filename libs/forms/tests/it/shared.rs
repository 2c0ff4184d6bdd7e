//! The same person on several forms: what is shared takes the same answers, and nothing is that belongs to one form.

use docket_forms::{Catalogue, Part, Type};

use crate::support::HEAD;

fn part<'a>(catalogue: &'a Catalogue, form: &str, person: &str) -> &'a Part {
    catalogue.parts(form).find(|part| part.person == person).unwrap()
}

#[test]
fn what_is_shared_takes_the_same_answers_and_is_never_signed_declared_or_said_of_one_form() {
    let catalogue = Catalogue::embedded();
    let parts: Vec<&Part> = catalogue.forms().flat_map(|form| catalogue.parts(&form.id)).collect();
    assert!(parts.len() > 10);
    let question = |part: &Part, id: &str| catalogue.form(&part.form).unwrap().question(id).unwrap().clone();
    for part in &parts {
        for (fact, id) in &part.asks {
            let asked = question(part, id);
            assert_ne!(asked.kind, Type::Signature, "{}: {id}", part.form);
            let block = asked.block.as_deref().unwrap_or_default();
            assert!(
                !["sign", "interpreter", "preparer", "more_info"].contains(&block),
                "{}: {id}",
                part.form
            );
            for other in parts.iter().filter(|other| other.asks.contains_key(fact)) {
                let same = question(other, &other.asks[fact]);
                // One form needs the day where another does not.
                let kind = |kind: Type| if kind == Type::PartialDate { Type::Date } else { kind };
                assert_eq!(
                    (kind(same.kind), &same.options),
                    (kind(asked.kind), &asked.options),
                    "{fact}: {id}, {}",
                    same.id
                );
            }
        }
    }
}

#[test]
fn the_beneficiary_is_the_applicant_and_the_petitioner_the_sponsor() {
    let catalogue = Catalogue::embedded();
    let (petition, application) =
        (part(&catalogue, "I-130", "beneficiary"), part(&catalogue, "I-485", "beneficiary"));
    for (fact, asked, applied) in [
        ("family_name", "ben_family_name", "app_family_name"),
        ("dob", "ben_dob", "app_dob"),
        ("physical", "ben_physical", "app_physical"),
        ("residences", "i130a_residences", "app_residences"),
        ("entry_date", "ben_entry_date", "app_entry_date"),
    ] {
        assert_eq!((petition.asks[fact].as_str(), application.asks[fact].as_str()), (asked, applied));
    }
    assert!(!petition.files && application.files && petition.once);
    let (petition, affidavit) =
        (part(&catalogue, "I-130", "petitioner"), part(&catalogue, "I-864", "petitioner"));
    assert_eq!((petition.asks["dob"].as_str(), affidavit.asks["dob"].as_str()), ("pet_dob", "app_dob"));
    assert_eq!(affidavit.asks["status"], "sponsor_status");
    assert!(petition.files && !petition.once);
    assert_eq!(catalogue.parts("G-28").count(), 0);
}

/// What is wrong with a file of shared persons beside one form, which asks for a name and for a number.
fn faults(shared: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("_common.toml", include_str!("../../catalogue/_common.toml"));
    let form = r#"
include = [
  { block = "person_name", prefix = "app_", section = "all" },
  { block = "person_name", prefix = "ben_", section = "all" },
  { block = "sign", prefix = "", section = "all" },
]
question = [
  { id = "born", section = "all", type = "int", required = "never", label = "Year of birth?" },
  { id = "named", section = "all", type = "text", required = "never", label = "Name?" },
]
"#;
    write("t-1.toml", &format!("{HEAD}{form}"));
    write("_shared.toml", shared);
    let faults = Catalogue::load(folder.path()).err().unwrap_or_default();
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn a_person_whom_no_form_asks_about_so_is_not_loaded() {
    let file = |part: &str| {
        let applicant = "[[part]]\nform = \"T-1\"\nperson = \"applicant\"\nprefixes = [\"app_\"]";
        format!("blocks = [\"person_name\"]\nonce = []\n{applicant}\n[[part]]\n{part}")
    };
    assert_eq!(faults(&file("form = \"T-1\"\nperson = \"relative\"\nprefixes = [\"ben_\"]")), [""; 0]);
    let only = |part: &str| {
        let found = faults(&file(part));
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    };
    for (part, message) in [
        ("form = \"T-9\"\nperson = \"relative\"\nprefixes = []", "T-9: there is no such form"),
        ("form = \"T-1\"\nperson = \"relative\"\nprefixes = [\"sp_\"]", "no shared block is asked as sp_"),
        (
            "form = \"T-1\"\nperson = \"relative\"\nprefixes = []\nalso = { called = \"suffix\" }",
            "the form does not ask called",
        ),
        (
            "form = \"T-1\"\nperson = \"relative\"\nprefixes = []\nalso = { born = \"suffix\" }",
            "born does not take the answers of app_suffix of T-1",
        ),
        (
            "form = \"T-1\"\nperson = \"relative\"\nprefixes = []\nalso = { named = \"nickname\" }",
            "no other form asks nickname",
        ),
        (
            "form = \"T-1\"\nperson = \"relative\"\nprefixes = [\"ben_\"]\nalso = { named = \"suffix\" }",
            "ben_suffix and named both ask suffix",
        ),
    ] {
        let found = only(part);
        assert!(found.starts_with("_shared.toml:") && found.contains(message), "{found}");
    }
    // It takes no name either.
    let signed =
        file("form = \"T-1\"\nperson = \"relative\"\nprefixes = []\nalso = { signature = \"suffix\" }");
    assert!(faults(&signed).iter().any(|found| found.contains("signature is a signature")));
}
