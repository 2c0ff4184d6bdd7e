//! What was released stays known: the questions of an edition do not change, and no edition is forgotten, or drafts begun in it
//! could not be carried over.
//!
//! `released.toml` has every edition of every form with a digest of what it asks: ids, types, options and sub-fields, in any
//! order. Texts, words for options, rules and conditions are no part of that. What is asked more widely since, so that every answer
//! of then is one still, stands in `widened.toml` with how it was asked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use docket_forms::{Catalogue, Form};
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};
use toml::{Table, Value};

use crate::support::{day, load_editions};

/// Form, edition, digest.
type Released = BTreeMap<String, BTreeMap<Date, String>>;

fn known<'a>(forms: impl Iterator<Item = &'a Form>) -> Released {
    forms.map(|form| (form.id.clone(), form.released())).collect()
}

/// How what a form asks more widely now was asked when it was released, by form and path.
type Widened = BTreeMap<String, BTreeMap<String, String>>;

/// Whether whatever was an answer to a question of one type is an answer to the other.
fn is_wider(was: &str, is: &str) -> bool {
    let known = ["date", "partial_date:month", "partial_date"].map(|kind| (kind == was, kind == is));
    let place = |found: fn(&(bool, bool)) -> bool| known.iter().position(found);
    place(|(was, _)| *was).zip(place(|(_, is)| *is)).is_some_and(|(was, is)| was < is)
}

/// The digest of what is asked, with some of it asked as it was before it was widened.
fn as_it_was(asked: &str, widened: &BTreeMap<String, String>) -> Result<String, String> {
    let mut asked: Table = asked.parse().unwrap();
    for (path, was) in widened {
        let at = match path.split_once('.') {
            None => asked.get_mut(path),
            Some((list, field)) => asked.get_mut(list).and_then(|list| list.get_mut(field)),
        };
        let at = at.ok_or_else(|| format!("widened.toml: nothing is asked as {path}"))?;
        let is = at.as_str().unwrap_or_default();
        if !is_wider(was, is) {
            return Err(format!("widened.toml: not every answer to {path} of the type {was} is one of {is}"));
        }
        *at = Value::String(was.clone());
    }
    let mut text = String::new();
    for (id, value) in &asked {
        let value = value.as_table().map_or_else(
            || value.to_string(),
            |fields| {
                let mut fields: Vec<String> =
                    fields.iter().map(|(field, kind)| format!("{field} = {kind}")).collect();
                fields.sort_unstable();
                format!("{{ {} }}", fields.join(", "))
            },
        );
        let _ = writeln!(text, "{id} = {value}");
    }
    let digest: Vec<u8> = Sha256::digest(text).to_vec();
    Ok(hex::encode(&digest[..8]))
}

/// What is not as it was released, and what to do.
fn broken(released: &Released, forms: &[&Form]) -> Vec<String> {
    broken_but(released, &Widened::new(), forms)
}

/// The same where some of it is asked more widely.
fn broken_but(released: &Released, widened: &Widened, forms: &[&Form]) -> Vec<String> {
    let mut broken = Vec::new();
    for (id, editions) in released {
        let Some(form) = forms.iter().find(|form| form.id == *id) else {
            broken.push(format!("{id} was released and is gone: drafts of it could not be read"));
            continue;
        };
        let file = format!("editions/{}.toml", id.to_lowercase());
        let (known, asked) = (form.released(), form.asked_in());
        for (date, digest) in editions {
            let was = match (known.get(date), widened.get(id)) {
                (Some(same), _) if same == digest => continue,
                (Some(_), Some(widened)) => Some(as_it_was(&asked[date], widened)),
                (Some(_), None) | (None, _) => None,
            };
            match (was, known.contains_key(date)) {
                (Some(Ok(was)), _) if was == *digest => {}
                (Some(Err(why)), _) => broken.push(format!("{id}: {why}")),
                (_, true) if *date == form.edition => broken.push(format!(
                    "{id}: what the edition of {date} asks has changed, and its date has not. Give the form the date of its new \
                     edition, and put the one of {date} into {file}: what it asked, and what has changed since"
                )),
                (_, true) => broken.push(format!(
                    "{id}: {file} says of the edition of {date} that it asked something else than it did when it was released"
                )),
                (_, false) => broken.push(format!(
                    "{id}: the edition of {date} was released and is no longer known. Put it into {file}: what it asked, and what \
                     has changed since"
                )),
            }
        }
    }
    broken
}

/// What is known and not recorded yet.
fn unrecorded(released: &Released, known: &Released) -> Vec<String> {
    let recorded = |id: &String, date: &Date| released.get(id).is_some_and(|dates| dates.contains_key(date));
    let all = known.iter().flat_map(|(id, dates)| dates.keys().map(move |date| (id, date)));
    all.filter(|(id, date)| !recorded(id, date)).map(|(id, date)| format!("{id} of {date}")).collect()
}

fn read(text: &str) -> Released {
    toml::from_str(text).unwrap()
}

fn written(released: &Released) -> String {
    let mut text = String::from(
        "# Every edition of every form, and a digest of what it asks. `DOCKET_UPDATE_GOLDENS=1 cargo test -p docket-forms released`\n\
         # adds what is missing; it changes no line.\n",
    );
    for (id, editions) in released {
        let lines: Vec<String> =
            editions.iter().map(|(date, digest)| format!("{date} = \"{digest}\"\n")).collect();
        let _ = write!(text, "\n[{id}]\n{}", lines.concat());
    }
    text
}

#[test]
fn what_was_released_is_known_and_unchanged() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/released.toml");
    let catalogue = Catalogue::embedded();
    let forms: Vec<&Form> = catalogue.forms().collect();
    let known = known(forms.iter().copied());
    let mut released = read(&std::fs::read_to_string(&path).unwrap_or_default());
    let widened: Widened = toml::from_str(include_str!("widened.toml")).unwrap();
    let broken = broken_but(&released, &widened, &forms);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    // What is said of a form which asks what it asked, or of none, is of no use.
    for id in widened.keys() {
        let others = released.get(id).is_some_and(|editions| known[id] != *editions);
        assert!(others, "widened.toml: {id} asks what it asked when it was released");
    }
    if std::env::var_os("DOCKET_UPDATE_GOLDENS").is_some() {
        for (id, editions) in &known {
            let recorded = released.entry(id.clone()).or_default();
            for (date, digest) in editions {
                recorded.entry(*date).or_insert_with(|| digest.clone());
            }
        }
        std::fs::write(&path, written(&released)).unwrap();
    }
    let unrecorded = unrecorded(&released, &known);
    assert!(unrecorded.is_empty(), "run this test with DOCKET_UPDATE_GOLDENS=1 to record: {unrecorded:?}");
}

/// `DOCKET_FORM=I-765` prints what the form asks, to be put into the file of its editions before it is changed.
#[test]
fn what_a_form_asks_can_be_printed() {
    let catalogue = Catalogue::embedded();
    let wanted = std::env::var("DOCKET_FORM").unwrap_or_else(|_| "AR-11".to_owned());
    let asked = catalogue.find(&wanted).unwrap().asked();
    println!("[edition.question]\n{asked}");
    // Read back as the earlier edition of the same form it needs no change.
    let form = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("catalogue/{}.toml", wanted.to_lowercase())),
    );
    let editions =
        format!("[[edition]]\ndate = \"2000-01-01\"\nsource = \"made up\"\n[edition.question]\n{asked}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("editions")).unwrap();
    let common = include_str!("../../catalogue/_common.toml").to_owned();
    for (name, text) in [("_common.toml", common), ("f.toml", form.unwrap()), ("editions/f.toml", editions)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let read = Catalogue::load(folder.path()).unwrap();
    let digests = read.find(&wanted).unwrap().released();
    assert_eq!(digests.len(), 2);
    assert_eq!(digests.values().next(), digests.values().last());
}

/// A form of two questions, with some of it replaced; and the editions before it.
fn changed(replace: &[(&str, &str)], editions: &str) -> Form {
    let mut text = r#"question = [
  { id = "pick", section = "all", type = "select", required = "always", label = "Which?", options = ["a", "b"] },
  { id = "list", section = "all", type = "repeating", required = "never", label = "Each", fields = ["on|date|y|On", "what|text|n|What"] },
]"#
    .to_owned();
    for (from, to) in replace {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    load_editions(&text, editions).unwrap()
}

#[test]
fn a_change_of_what_is_asked_needs_a_new_edition_and_other_changes_do_not() {
    let first = changed(&[], "");
    let released = known([&first].into_iter());
    let same = |replace: &[(&str, &str)]| broken(&released, &[&changed(replace, "")]).is_empty();
    assert!(same(&[]));
    assert!(same(&[("Which?", "Which one?"), ("|y|On", "|n|When")]), "words and conditions");
    assert!(
        same(&[
            ("\"a\", \"b\"", "\"b\", \"a\""),
            ("\"on|date|y|On\", \"what|text|n|What\"", "\"what|text|n|What\", \"on|date|y|On\"")
        ]),
        "order"
    );
    for replace in [
        ("\"b\"]", "\"c\"]"),
        ("\"b\"]", "\"b\", \"c\"]"),
        ("id = \"pick\"", "id = \"choice\""),
        ("type = \"select\"", "type = \"multi\""),
        ("\"on|date", "\"on|partial_date"),
        ("\"on|date", "\"on|partial_date:month"),
        ("\"what|", "\"why|"),
        (", \"what|text|n|What\"", ""),
    ] {
        let broken = broken(&released, &[&changed(&[replace], "")]);
        assert_eq!(broken.len(), 1, "{replace:?}");
        assert!(broken[0].contains("T-1: what the edition of 2025-01-20 asks has changed"), "{broken:?}");
        assert!(broken[0].contains("into editions/t-1.toml"), "{broken:?}");
    }
}

#[test]
fn what_is_asked_more_widely_needs_no_new_edition_where_it_is_said_how_it_was_asked() {
    let first = changed(&[], "");
    let released = known([&first].into_iter());
    let said = |path: &str, was: &str| {
        Widened::from([("T-1".to_owned(), BTreeMap::from([(path.to_owned(), was.to_owned())]))])
    };
    let found = |kind: &str, widened: &Widened| {
        let now = changed(&[("\"on|date", &format!("\"on|{kind}"))], "");
        broken_but(&released, widened, &[&now])
    };
    for wider in ["partial_date:month", "partial_date"] {
        assert_eq!(found(wider, &said("list.on", "date")), [""; 0], "{wider}");
        assert_eq!(found(wider, &Widened::new()).len(), 1, "{wider}");
        // It was asked otherwise.
        assert!(!found(wider, &said("list.on", "text")).is_empty(), "{wider}");
        assert!(
            found(wider, &said("list.off", "date"))[0].contains("nothing is asked as list.off"),
            "{wider}"
        );
    }
    // A text is no date: answers would be lost.
    let narrower = found("text", &said("list.on", "date"));
    assert!(
        narrower[0].contains("not every answer to list.on of the type date is one of text"),
        "{narrower:?}"
    );
    assert!(!is_wider("partial_date", "partial_date:month") && !is_wider("date", "date"));
    // A draft that was begun before goes on as it is.
    let now = changed(&[("\"on|date", "\"on|partial_date:month")], "");
    let draft = crate::support::answers(serde_json::json!({ "list": [{ "on": "2020-02-29" }] }));
    assert_eq!(now.carry_over(now.edition, &draft).unwrap().answers, draft);
    assert_eq!(docket_forms::normalise(&now, "list", &draft["list"]).as_ref(), Ok(&draft["list"]));
}

#[test]
fn a_new_date_needs_a_lens_from_the_edition_before() {
    let first = changed(&[], "");
    let mut earlier = first.clone();
    earlier.edition = day("2024-05-01");
    let released = known([&earlier].into_iter());
    let lost = broken(&released, &[&first]);
    assert!(
        lost.len() == 1 && lost[0].contains("2024-05-01 was released and is no longer known"),
        "{lost:?}"
    );
    let edition = "[[edition]]\ndate = \"2024-05-01\"\nsource = \"made up\"\n";
    let carried = changed(&[], edition);
    assert!(broken(&released, &[&carried]).is_empty());
    assert_eq!(unrecorded(&released, &known([&carried].into_iter())), ["T-1 of 2025-01-20"]);
    // What it is said to have asked is what it asked.
    let other = format!(
        "{edition}[edition.question]\npick = \"select:a\"\nlist = {{ on = \"date\", what = \"text\" }}\n"
    );
    let retold = broken(&released, &[&changed(&[], &other)]);
    assert!(retold.len() == 1 && retold[0].contains("something else than it did"), "{retold:?}");
    let gone = broken(&released, &[]);
    assert!(gone.len() == 1 && gone[0].contains("is gone"), "{gone:?}");
}

#[test]
fn the_record_is_read_as_it_is_written() {
    let catalogue = Catalogue::embedded();
    let known = known(catalogue.forms());
    assert_eq!(read(&written(&known)), known);
}
