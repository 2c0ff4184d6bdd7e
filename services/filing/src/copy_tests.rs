//! What a copy says, that it says it the same each time, and that nothing vanishes.

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::sheet::{File, Lacking};

pub(super) fn row(label: &str, kind: Type, value: Value) -> Row {
    Row { label: label.into(), kind, value: Some(value), said: Vec::new(), items: None }
}

fn sheet(name: &str, long: &str) -> Sheet {
    let residence = vec![
        row("Address", Type::Address, json!({"line1": "12 Main St", "city": "Albany", "country": "BR"})),
        row("From", Type::Date, json!("2015-01-01")),
    ];
    let residences = Row {
        label: "Residences".into(),
        kind: Type::Repeating,
        value: None,
        said: Vec::new(),
        items: Some(vec![residence.clone(), residence]),
    };
    Sheet {
        number: "N-400".into(),
        title: "Application for Naturalization".into(),
        edition: "2025-01-20".into(),
        catalogue_version: "2026-03-01".into(),
        declaration: "Under penalty of perjury: it is true.".into(),
        sections: vec![
            Section {
                title: "About you".into(),
                rows: vec![
                    row("Family name", Type::NamePart, json!(name)),
                    row("Date of birth", Type::Date, json!("1985-04-12")),
                    residences,
                ],
            },
            Section { title: "More".into(), rows: vec![row("Explain", Type::LongText, json!(long))] },
        ],
        evidence: vec![File {
            id: Uuid::from_u128(7),
            kind: "green_card".into(),
            title: "Permanent Resident Card".into(),
            name: "card.png".into(),
            media_type: "image/png".into(),
            size: 1_536,
            foreign_language: true,
            commitment: "ab".repeat(32),
        }],
        lacking: vec![Lacking {
            kind: "birth_certificate".into(),
            title: "Birth certificate".into(),
            words: Some("The archive burned.".into()),
        }],
        waiver: None,
    }
}

pub(super) fn copy(name: &str, long: &str) -> Copy {
    Copy {
        cover: Cover {
            filing: "filings/0199aaaa-0000-7000-8000-000000000001".into(),
            receipt_number: "DKT1234567897".into(),
            state: "Accepted".into(),
            signed: "March 2, 2026, 10:00:00 AM EST (2026-03-02T15:00:00Z)".into(),
            received: String::new(),
            hash: "cd".repeat(32),
            appearance: false,
        },
        sheet: sheet(name, long),
        signatures: vec![Signature {
            part: "Applicant".into(),
            name: name.into(),
            says: "Signs in the own name.".into(),
            at: "March 2, 2026".into(),
            hash: "cd".repeat(32),
        }],
        salts: vec!["ef".repeat(16)],
        at: "2026-03-02T15:00:00Z".parse().unwrap(),
        missing: None,
    }
}

fn made(copy: &Copy) -> Vec<u8> {
    let pdf = set(&Typesetter::new(None).unwrap(), copy).unwrap();
    // To look at: the folder named by this variable gets the copies that the tests set.
    if let Ok(folder) = std::env::var("DOCKET_COPIES_TO") {
        let name = copy.sheet.sections[0].rows[0].value.as_ref().and_then(Value::as_str).unwrap().len();
        let what = if copy.missing.is_some() { "draft" } else { "copy" };
        std::fs::write(format!("{folder}/{what}-{name}.pdf"), &pdf).unwrap();
    }
    pdf
}

fn text(pdf: &[u8]) -> String {
    let document = lopdf::Document::load_mem(pdf).unwrap();
    let pages: Vec<u32> = document.get_pages().keys().copied().collect();
    let text = document.extract_text(&pages).unwrap();
    text.replace('\u{200b}', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_copy_says_everything_once_signed_and_is_the_same_each_time() {
    let copy = copy("Lima", "Short.");
    let pdf = made(&copy);
    assert_eq!(pdf, made(&copy));
    let text = text(&pdf);
    for said in [
        "N-400, Application for Naturalization",
        "DKT1234567897",
        "Contents",
        "About you",
        "April 12, 1985",
        "12 Main St, Albany, Brazil",
        "January 1, 2015",
        "Short.",
        "Under penalty of perjury",
        "Permanent Resident Card",
        "1.5 KB (1536 bytes), not in English",
        "Birth certificate",
        "The archive burned.",
        &"ab".repeat(32),
        &"cd".repeat(32),
        &"ef".repeat(16),
    ] {
        assert!(text.contains(said), "{said:?} is not in {text:?}");
    }
    assert!(!text.contains("Addendum") && !text.contains("Unicode number"), "{text}");
}

#[test]
fn a_draft_says_on_every_page_that_it_is_one_and_what_is_missing() {
    let signed = copy("Lima", "Short.");
    let missing = Some(vec!["Answer: Weight".to_owned(), "Evidence: Marriage certificate".to_owned()]);
    let draft = Copy { missing, signatures: Vec::new(), ..copy("Lima", &"long ".repeat(2_000)) };
    let pdf = made(&draft);
    let document = lopdf::Document::load_mem(&pdf).unwrap();
    let pages: Vec<u32> = document.get_pages().keys().copied().collect();
    assert!(pages.len() > 3, "{pages:?}");
    for page in pages {
        let text = document.extract_text(&[page]).unwrap().replace('\n', " ");
        assert!(text.contains("Draft of N-400") && text.contains("not signed, not sent"), "{page}: {text}");
    }
    let text = text(&pdf);
    for said in ["Nothing was filed.", "Answer: Weight", "Evidence: Marriage certificate", "April 12, 1985"] {
        assert!(text.contains(said), "{said:?} is not in {text:?}");
    }
    assert!(!text.contains("Signed by") && !text.contains("what was signed"), "{text}");
    let nothing_missing =
        Copy { missing: Some(Vec::new()), signatures: Vec::new(), ..copy("Lima", "Short.") };
    assert!(self::text(&made(&nothing_missing)).contains("Nothing is missing"));
    let signed = self::text(&made(&signed));
    assert!(!signed.contains("Draft") && !signed.contains("Nothing was filed"), "{signed}");
}

#[test]
fn a_long_answer_stands_whole_in_an_addendum_that_its_row_names() {
    let long = "He said: *not* markup #panic(). ".repeat(60);
    let text = text(&made(&copy("Lima", &long)));
    assert!(text.contains("See Addendum 1.") && text.contains("Addendum 1 More · Explain"), "{text}");
    assert_eq!(text.matches("*not* markup #panic().").count(), 60);
}

#[test]
fn names_in_any_script_stand_as_text_or_by_the_numbers_of_their_characters() {
    for name in ["Олена Шевченко", "Γιώργος", "Nguyễn Thị Ánh", "Արամ", "გიორგი"]
    {
        let text = text(&made(&copy(name, "Short.")));
        assert!(text.contains(name) && !text.contains("Unicode number"), "{name}: {text}");
    }
    // Letters that are shaped come out in the order of their shapes: the page is there, and nothing is numbered.
    for name in ["محمد علي", "שרה לוי", "राहुल"] {
        let text = text(&made(&copy(name, "Short.")));
        assert!(!text.contains("Unicode number"), "{name}: {text}");
    }
    let text = text(&made(&copy("王小明 (Wang)", "Short.")));
    assert!(text.contains("[U+738B][U+5C0F][U+660E] (Wang)") && text.contains("Unicode number"), "{text}");
}

#[test]
fn words_longer_than_a_line_are_whole() {
    let word = "Donaudampfschifffahrtsgesellschaft".repeat(8);
    let text = text(&made(&copy(&word, &word.repeat(4))));
    assert!(text.replace(' ', "").contains(&word), "{text}");
}
