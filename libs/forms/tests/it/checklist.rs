//! The papers that a form asks for, against a table written by hand from the regulations and the agency's instructions: for every
//! form a line a circumstance, in words of its own. Nothing in `checklist.csv` is made from the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use docket_forms::{Answers, Catalogue, EvidenceLevel, Form, Given, Type, evaluate};
use serde_json::{Value, json};

use crate::search::{Chance, Search, seed, short_or_long};
use crate::support::given;

/// A line of the table.
struct Line {
    forms: Vec<&'static str>,
    /// All must hold.
    circumstances: Vec<Circumstance>,
    /// Papers, each with whether it may come later.
    papers: Vec<(&'static str, bool)>,
}

/// What is the case.
#[derive(Debug, Clone)]
enum Circumstance {
    Everyone,
    Nobody,
    Yes(&'static str),
    No(&'static str),
    Is(&'static str, Vec<&'static str>),
    IsNot(&'static str, Vec<&'static str>),
    Over(&'static str, i64),
    Abroad(&'static str),
    Given(&'static str),
    Has(&'static str, &'static str),
    Without(&'static str),
    LongTrip,
    ChildElsewhere,
    SignsOnPaper,
    /// One of these marriages ended on or before this birthday.
    EndedBy(&'static str, &'static str),
    NotInEnglish,
}

impl Circumstance {
    fn read(said: &'static str) -> Self {
        let words: Vec<&str> = said.split(' ').collect();
        let options = |said: &'static str| said.split('/').collect();
        match words.as_slice() {
            ["everyone"] => Self::Everyone,
            ["nobody"] => Self::Nobody,
            ["a", "trip", "over", "180", "days"] => Self::LongTrip,
            ["a", "child", "elsewhere"] => Self::ChildElsewhere,
            ["a", "family", "member", "signs", "on", "paper"] => Self::SignsOnPaper,
            ["a", "marriage", "in", marriages, "ended", "by", born] => Self::EndedBy(marriages, born),
            ["a", "file", "not", "in", "English"] => Self::NotInEnglish,
            ["no", question] => Self::No(question),
            ["without", form] => Self::Without(form),
            [question] => Self::Yes(question),
            [question, "abroad"] => Self::Abroad(question),
            [question, "given"] => Self::Given(question),
            [question, "is", one] => Self::Is(question, options(one)),
            [question, "is", "not", one] => Self::IsNot(question, options(one)),
            [question, "over", least] => Self::Over(question, least.parse().unwrap()),
            [question, "has", one] => Self::Has(question, one),
            _ => panic!("nobody understands {said:?}"),
        }
    }

    /// Whether it is so, of answers in which everything the form's lines name is answered.
    fn holds(&self, answers: &Answers, given: &Given) -> bool {
        let said = |question: &str| answers.get(question).cloned().unwrap_or(Value::Null);
        let items = |question: &str| said(question).as_array().cloned().unwrap_or_default();
        match self {
            Self::Everyone => true,
            Self::Nobody => false,
            Self::Yes(question) => said(question) == json!(true),
            Self::No(question) => said(question) == json!(false),
            Self::Is(question, options) => options.iter().any(|option| said(question) == json!(option)),
            Self::IsNot(question, options) => options.iter().all(|option| said(question) != json!(option)),
            Self::Over(question, least) => said(question).as_i64().is_some_and(|number| number > *least),
            Self::Abroad(question) => said(question)["country"] != json!("US"),
            Self::Given(question) => !said(question).is_null() && said(question) != json!([]),
            Self::Has(question, option) => items(question).contains(&json!(option)),
            Self::Without(form) => !given.linked.contains(*form),
            Self::LongTrip => items("trips")
                .iter()
                .any(|trip| trip["back"] == json!(LONG_TRIP.1) || trip["left"] == json!(GOES_ON.1)),
            Self::ChildElsewhere => {
                items("app_children").iter().any(|child| child["lives_with_you"] == json!(false))
            }
            Self::SignsOnPaper => {
                items("co_applicants").iter().any(|member| member["signs"] == json!("on_paper"))
            }
            Self::EndedBy(marriages, _) => {
                items(marriages).iter().any(|marriage| marriage["ended_on"] == json!(ENDED.0))
            }
            Self::NotInEnglish => given.foreign_language,
        }
    }

    /// The questions it is about.
    fn questions(&self) -> Vec<&'static str> {
        match self {
            Self::Yes(question)
            | Self::No(question)
            | Self::Is(question, _)
            | Self::IsNot(question, _)
            | Self::Over(question, _)
            | Self::Abroad(question)
            | Self::Given(question)
            | Self::Has(question, _) => vec![question],
            Self::LongTrip => vec!["trips"],
            Self::ChildElsewhere => vec!["app_children"],
            Self::SignsOnPaper => vec!["co_applicants"],
            Self::EndedBy(marriages, born) => vec![marriages, born],
            Self::Everyone | Self::Nobody | Self::Without(_) | Self::NotInEnglish => Vec::new(),
        }
    }
}

/// A trip of 181 days, and one of 180.
const LONG_TRIP: (&str, &str) = ("2025-01-01", "2025-07-01");
const SHORT_TRIP: (&str, &str) = ("2025-01-01", "2025-06-30");
/// When one left who is abroad on the day of filing, 180 and 181 days before it.
const GOES_ON: (&str, &str) = ("2026-05-31", "2026-05-30");
/// A birthday, and the last day by which a marriage may end to be one before it, with the day after.
const BORN: &str = "2005-05-05";
const ENDED: (&str, &str) = ("2005-05-05", "2005-05-06");

fn lines() -> Vec<Line> {
    let rows = include_str!("checklist.csv").lines().skip(1);
    let line = |row: &'static str| {
        let cells: Vec<&'static str> = row.split(',').collect();
        let [forms, circumstance, papers, source] = cells.as_slice() else { panic!("{row}") };
        assert!(!source.is_empty() || papers.is_empty(), "{row} has no source");
        let paper = |said: &'static str| match said.split_once(':') {
            Some((paper, "later")) => (paper, true),
            _ => (said, false),
        };
        Line {
            forms: forms.split('/').collect(),
            circumstances: circumstance.split(" and ").map(Circumstance::read).collect(),
            papers: papers.split(' ').filter(|paper| !paper.is_empty()).map(paper).collect(),
        }
    };
    rows.map(line).collect()
}

/// An answer to a question that lines name: by chance one that they name, or another.
#[expect(clippy::wildcard_enum_match_arm, reason = "only these are named in the table")]
fn answer(form: &Form, question: &str, lines: &[&Line], chance: &mut Chance) -> Option<Value> {
    let asked = form.question(question).unwrap_or_else(|| panic!("{} does not ask {question}", form.id));
    if question == "trips" {
        let over = |(left, back): (&str, &str)| json!({ "left": left, "back": back });
        let goes_on = |left: &str| json!({ "left": left, "still_abroad": true });
        let trips = [
            vec![],
            vec![over(SHORT_TRIP), goes_on(GOES_ON.0)],
            vec![over(SHORT_TRIP), over(LONG_TRIP)],
            vec![goes_on(GOES_ON.1), over(SHORT_TRIP)],
        ];
        return Some(json!(chance.one_of(&trips)));
    }
    if question == "app_children" {
        let children = [vec![], vec![true], vec![true, false]];
        return Some(chance.one_of(&children).iter().map(|here| json!({ "lives_with_you": here })).collect());
    }
    if question == "co_applicants" {
        let members = [vec![], vec!["own_account"], vec!["parent", "on_paper"], vec!["on_paper", "on_paper"]];
        return Some(chance.one_of(&members).iter().map(|how| json!({ "signs": how })).collect());
    }
    if asked.kind == Type::Repeating {
        let (here, before, later) = (
            json!({ "current": true }),
            json!({ "current": false, "ended_on": ENDED.0 }),
            json!({ "ended_on": ENDED.1 }),
        );
        let married = [vec![], vec![&here], vec![&here, &later], vec![&here, &before], vec![&later, &before]];
        return Some(chance.one_of(&married).iter().map(|one| (*one).clone()).collect());
    }
    let named =
        lines.iter().flat_map(|line| &line.circumstances).filter(|one| one.questions().contains(&question));
    let mut named: Vec<&str> = named
        .flat_map(|one| match one {
            Circumstance::Is(_, options) | Circumstance::IsNot(_, options) => options.clone(),
            _ => Vec::new(),
        })
        .collect();
    match asked.kind {
        Type::YesNo | Type::Check => Some(json!(chance.often(2))),
        Type::Select => Some(json!(chance.one_of(&asked.options))),
        Type::Multi => {
            let chosen: Vec<&String> = asked.options.iter().filter(|_| chance.often(2)).collect();
            Some(json!(chosen))
        }
        Type::Int => Some(json!(chance.below(3))),
        Type::Date | Type::PartialDate => Some(json!(BORN)),
        Type::Money => chance.often(2).then(|| json!(500_000)),
        Type::Address => Some(
            json!({ "line1": "1 Sample Street", "city": "Sample", "country": chance.one_of(&["US", "PT"]) }),
        ),
        Type::EadCategory => {
            named.push("(a)(5)");
            Some(json!(chance.one_of(&named)))
        }
        Type::Text => {
            named.push("H-1B");
            Some(json!(chance.one_of(&named)))
        }
        other => panic!("no answer to {question}, which is {other:?}"),
    }
}

type Papers = BTreeSet<(String, bool)>;

fn asked_for(form: &Form, answers: &Answers, given: &Given) -> Papers {
    let needed = evaluate(form, answers, given).evidence.into_iter();
    needed.map(|need| (need.kind, need.level == EvidenceLevel::Later)).collect()
}

/// Circumstances by chance, with what the table says then; `seen` counts the lines that held.
fn compare(form: &Form, lines: &[&Line], rounds: usize, seen: &mut BTreeMap<usize, usize>) {
    let mut chance = Search::of_seed(form, seed()).chance;
    let questions: BTreeSet<&str> =
        lines.iter().flat_map(|line| &line.circumstances).flat_map(Circumstance::questions).collect();
    for _ in 0..rounds {
        let mut given = given("2026-11-27");
        given.foreign_language = chance.often(3);
        for one in lines.iter().flat_map(|line| &line.circumstances) {
            if let Circumstance::Without(form) = one
                && chance.often(3)
            {
                given.linked.insert((*form).to_owned());
            }
        }
        let answers: Answers = questions
            .iter()
            .filter_map(|question| {
                Some(((*question).to_owned(), answer(form, question, lines, &mut chance)?))
            })
            .collect();
        let mut wanted = Papers::new();
        for (n, line) in lines.iter().enumerate() {
            if line.circumstances.iter().all(|one| one.holds(&answers, &given)) {
                *seen.entry(n).or_default() += 1;
                wanted.extend(line.papers.iter().map(|(paper, later)| ((*paper).to_owned(), *later)));
            }
        }
        let said = asked_for(form, &answers, &given);
        assert_eq!(said, wanted, "{}: {} with {:?}", form.id, Value::Object(answers), given.linked);
    }
}

#[test]
fn the_papers_asked_for_are_those_of_a_table_written_by_hand() {
    let (all, catalogue) = (lines(), Catalogue::embedded());
    let rounds = short_or_long(2_000, 40_000);
    for form in catalogue.forms() {
        let lines: Vec<&Line> = all.iter().filter(|line| line.forms.contains(&form.id.as_str())).collect();
        assert!(!lines.is_empty(), "{} is not in the table", form.id);
        let mut seen = BTreeMap::new();
        compare(form, &lines, rounds, &mut seen);
        for (n, line) in lines.iter().enumerate() {
            let nobody = matches!(line.circumstances[..], [Circumstance::Nobody]);
            assert!(
                nobody || seen.contains_key(&n),
                "{}: {:?} was never the case",
                form.id,
                line.circumstances
            );
        }
    }
    let known: BTreeSet<&str> = catalogue.forms().map(|form| form.id.as_str()).collect();
    for form in all.iter().flat_map(|line| &line.forms) {
        assert!(known.contains(form), "there is no form {form}");
    }
}
