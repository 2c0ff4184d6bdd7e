//! The laws of lenses, over editions, lenses and answers made up by chance: nothing is lost without a word, what is carried
//! fits, once carried it stays, and two lenses in a row are what going edition by edition is.
//!
//! Some thousand drafts in the short form, a hundred thousand in the long one (`DOCKET_PROOF`).

use docket_forms::{Answers, Attention, CarriedOver, Catalogue, Form, Happened, Question, normalise};
use serde_json::{Value, json};

use crate::search::Search;
use crate::support::{day, form, load_editions};
use crate::weaving::{Asked, Fate, Loom, Woven, written};

/// Chains of editions, and drafts of each.
fn rounds() -> (u64, usize) {
    if std::env::var_os("DOCKET_PROOF").is_some() { (1_000, 100) } else { (30, 40) }
}

fn seed(n: u64) -> [u8; 32] {
    let mut seed = [23; 32];
    seed[..8].copy_from_slice(&n.to_be_bytes());
    seed
}

fn edition(date: &str, asked: &[Asked], woven: &Woven) -> String {
    format!(
        "[[edition]]\ndate = \"{date}\"\nsource = \"made up\"\nchange = [\n{}\n]\n[edition.question]\n{}\n",
        woven.changes.join(",\n"),
        written(asked)
    )
}

fn loaded(asked: &[Asked], editions: &str) -> Form {
    load_editions(&form(&written(asked)), editions)
        .unwrap_or_else(|faults| panic!("{faults:#?}\n{editions}\n{}", written(asked)))
}

/// The answers at a slot, with the row of each.
fn column(answers: &Answers, slot: &str) -> Vec<(Option<usize>, Value)> {
    let (question, sub) = slot.split_once('.').map_or((slot, None), |(question, sub)| (question, Some(sub)));
    let Some(answer) = answers.get(question) else { return Vec::new() };
    match (sub, answer) {
        (None, answer) => vec![(None, answer.clone())],
        (Some(sub), Value::Array(items)) => {
            items.iter().enumerate().filter_map(|(n, item)| Some((Some(n), item.get(sub)?.clone()))).collect()
        }
        (Some(part), answer) => answer.get(part).map(|it| (None, it.clone())).into_iter().collect(),
    }
}

/// What an answer says, whatever its type: words, digits and dates.
fn said(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_lowercase().trim_start_matches('$').to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// Whether the new answer says what the old one said: in the same words, or in dollars and cents.
fn says_the_same(old: &Value, new: &Value) -> bool {
    let times_100 = |a: &Value, b: &Value| a.as_i64().zip(b.as_i64()).is_some_and(|(a, b)| a * 100 == b);
    let amount = |text: &Value| said(text).replace(['.', ','], "").parse::<i64>().ok();
    said(old) == said(new)
        || times_100(old, new)
        || times_100(new, old)
        || (new.is_string() && old.is_i64() && amount(new) == old.as_i64())
}

fn path(slot: &str, row: Option<usize>) -> String {
    match (row, slot.split_once('.')) {
        (Some(n), Some((question, sub))) => format!("{question}[{n}].{sub}"),
        _ => slot.to_owned(),
    }
}

/// Whether an answer is in the list, whole.
fn noted(carried: &CarriedOver, slot: &str, row: Option<usize>, answer: &Value) -> bool {
    carried.attention.iter().any(|one| {
        let here = one.was.as_deref() == Some(&path(slot, row)) && one.answer == *answer;
        let among = one.was.as_deref() == Some(slot)
            && matches!(one.happened, Happened::TooMany { .. })
            && one.answer.as_array().is_some_and(|left| left.contains(answer));
        here || among
    })
}

/// Whether the answer at a slot is found among the new ones, as its fate says.
fn found(
    old: &Answers,
    new: &CarriedOver,
    fate: &Fate,
    (slot, row): (&str, Option<usize>),
    answer: &Value,
) -> bool {
    let at = |to: &str| -> Vec<Value> {
        let all = column(&new.answers, to);
        let here = all.into_iter().filter(|(n, _)| row.is_none() || n.is_none() || *n == row);
        here.map(|(_, answer)| answer).collect()
    };
    match fate {
        Fate::Kept(to) => at(to).contains(answer),
        Fate::Converted(to) => at(to).iter().any(|new| says_the_same(answer, new)),
        Fate::Words(to, map) => {
            let words = answer.as_array().cloned().unwrap_or_else(|| vec![answer.clone()]);
            words.iter().all(|word| {
                let now = map.iter().find(|(old, _)| *old == said(word)).map(|(_, now)| now);
                let here = |new: &Value| {
                    new.as_array().map_or_else(
                        || now.is_some_and(|now| said(new) == *now),
                        |list| now.is_some_and(|now| list.contains(&json!(now))),
                    )
                };
                let left = |one: &Attention| {
                    one.was.as_deref() == Some(&path(slot, row))
                        && one.happened == (Happened::OptionGone { option: said(word) })
                };
                at(to).iter().any(here) || (now.is_none() && new.attention.iter().any(left))
            })
        }
        Fate::Split(to) => {
            let pieces: Vec<String> = to.iter().flat_map(|to| at(to)).map(|piece| said(&piece)).collect();
            pieces.join(" ") == said(answer)
        }
        Fate::Joined(to, parts) => {
            let texts: Vec<String> = parts
                .iter()
                .filter(|part| !new.attention.iter().any(|one| one.was.as_deref() == Some(part.as_str())))
                .flat_map(|part| column(old, part))
                .map(|(_, text)| said(&text))
                .collect();
            at(to).iter().any(|new| said(new) == texts.join(" / "))
        }
        Fate::Dropped => false,
    }
}

/// Every old answer is found in the new ones or named in the list.
fn nothing_is_lost(asked: &[Asked], woven: &Woven, old: &Answers, new: &CarriedOver) {
    for (question, answer) in old {
        let whole =
            new.attention.iter().any(|one| one.was.as_deref() == Some(question) && one.answer == *answer);
        if whole {
            continue;
        }
        assert!(asked.iter().any(|one| one.id == *question), "{question} is no question, and nobody says so");
        for (slot, fate) in &woven.fates {
            if slot != question && !slot.starts_with(&format!("{question}.")) {
                continue;
            }
            for (row, answer) in column(old, slot) {
                if let Fate::Split(to) = fate
                    && noted(new, slot, row, &answer)
                {
                    let pieces = to.iter().flat_map(|to| column(&new.answers, to));
                    assert_eq!(
                        pieces.filter(|(n, _)| *n == row).count(),
                        0,
                        "{slot}: all of the pieces or none"
                    );
                }
                assert!(
                    noted(new, slot, row, &answer) || found(old, new, fate, (slot, row), &answer),
                    "{slot} {row:?} {answer}: {fate:?}\n{}\n{new:#?}",
                    woven.changes.join("\n")
                );
            }
        }
    }
}

fn what_is_carried_fits(form: &Form, new: &CarriedOver) {
    for (question, answer) in &new.answers {
        let read = normalise(form, question, answer)
            .unwrap_or_else(|fault| panic!("{question} {answer}: {fault:?}"));
        assert_eq!(read, *answer, "{question}");
    }
    let again = form.carry_over(form.edition, &new.answers).unwrap();
    assert_eq!((&again.answers, again.attention.len()), (&new.answers, 0));
    for one in &new.attention {
        let asked = one
            .field
            .as_deref()
            .is_none_or(|field| form.question(field.split(['.', '[']).next().unwrap()).is_some());
        assert!(asked, "{one:?}");
    }
}

/// What is noted, without where it is followed to.
fn words(all: &[Attention]) -> Vec<(Option<String>, Happened, Value)> {
    let kept = all.iter().filter(|one| one.happened != Happened::New);
    kept.map(|one| (one.was.clone(), one.happened.clone(), one.answer.clone())).collect()
}

#[test]
fn the_laws_hold_for_lenses_made_up_by_chance() {
    let (chains, drafts) = rounds();
    let (mut carried, mut lists) = (0, 0);
    for n in 0..chains {
        let mut loom = Loom::new(seed(n));
        let first = loom.edition();
        let one = loom.evolve(&first);
        let two = loom.evolve(&one.next);
        let early = edition("2023-01-01", &first, &one);
        let late = edition("2024-01-01", &one.next, &two);
        let mut between = loaded(&one.next, &early);
        between.edition = day("2024-01-01");
        let last = loaded(&two.next, &format!("{early}\n{late}"));
        for _ in 0..drafts {
            let old = loom.answers(&first);
            let step = between.carry_over(day("2023-01-01"), &old).unwrap();
            nothing_is_lost(&first, &one, &old, &step);
            what_is_carried_fits(&between, &step);
            let next = last.carry_over(day("2024-01-01"), &step.answers).unwrap();
            let at_once = last.carry_over(day("2023-01-01"), &old).unwrap();
            what_is_carried_fits(&last, &at_once);
            assert_eq!(at_once.answers, next.answers);
            let in_steps = [words(&step.attention), words(&next.attention)].concat();
            assert_eq!(words(&at_once.attention), in_steps);
            assert_eq!(at_once, last.carry_over(day("2023-01-01"), &old).unwrap(), "the same each time");
            carried += 1;
            lists += at_once.attention.len();
        }
    }
    println!("{carried} drafts carried over two lenses each, {lists} answers named");
    assert!(lists > carried, "the lenses are not without effect");
}

/// The earlier editions of the catalogue, over answers that the search makes up.
#[test]
fn the_laws_hold_for_the_editions_of_the_catalogue() {
    let drafts = if std::env::var_os("DOCKET_PROOF").is_some() { 20_000 } else { 100 };
    for form in Catalogue::embedded().forms() {
        for edition in form.earlier_editions() {
            let mut search = Search::seeded(form, [5; 32]);
            let questions: Vec<&Question> = form.questions.iter().collect();
            for _ in 0..drafts {
                let old = search.answers(&questions, form.edition);
                let new = form.carry_over(edition.date, &old).unwrap();
                let named = |id: &str| new.attention.iter().any(|one| one.was.as_deref() == Some(id));
                for (id, answer) in &old {
                    let kept = new.answers.get(id) == Some(answer);
                    assert!(kept || named(id) || answer.is_null(), "{} {id} {answer}", form.id);
                }
                for (id, answer) in &new.answers {
                    normalise(form, id, answer).unwrap();
                }
                assert!(form.carry_over(form.edition, &new.answers).unwrap().attention.is_empty());
            }
        }
    }
}
