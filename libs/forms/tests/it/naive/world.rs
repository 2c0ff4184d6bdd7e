//! What a form says of answers, worked out by going down into each condition again and again: an answer that is not there is
//! unknown, and what is not shown does not count.

use std::collections::{BTreeMap, BTreeSet};

use docket_forms::{Answers, Given};
use jiff::civil::Date;
use serde_json::{Map, Value as Json};
use unicode_normalization::UnicodeNormalization as _;

use super::days::{self, Span};
use super::language::Tree;
use super::source::{Asked, Bulletin, Fee, Lookup, Source};

/// Yes, no, or nobody knows.
pub(super) type Three = Option<bool>;

/// A value that is known.
#[derive(Debug, Clone)]
enum Known<'a> {
    Truth(bool),
    Number(i64),
    Day(Date),
    Text(String),
    /// One of several, nobody knows which: the days of a month, or the numbers that come of them.
    OneOf(Vec<Known<'a>>),
    Chosen(Vec<String>),
    Items(Vec<Item<'a>>),
    Address(BTreeMap<String, String>),
    Length(Span),
}

/// An item of a list as it was answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'a> {
    parts: &'a BTreeMap<String, Asked>,
    answers: &'a Map<String, Json>,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.kind)
    }
}

/// A form, answers as they are stored, and what is given beside them.
pub(super) struct World<'a> {
    pub(super) form: &'a Source,
    pub(super) answers: &'a Answers,
    pub(super) given: &'a Given,
}

/// What the fee is: the rows that count with their cents, their sum, and those that come later; nothing while it is open.
pub(super) type Sum = Option<(Vec<(String, i64)>, i64, Vec<String>)>;

fn and(a: Three, b: Three) -> Three {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(a: Three, b: Three) -> Three {
    and(a.map(|a| !a), b.map(|b| !b)).map(|neither| !neither)
}

fn alike(a: &str, b: &str) -> bool {
    let plain = |text: &str| {
        let text: String = text.nfc().collect();
        text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
    };
    plain(a) == plain(b)
}

/// What counts of an answer, by the type of what is asked.
fn counts<'a>(asked: &'a Asked, shown: Three, answer: Option<&'a Json>) -> Option<Known<'a>> {
    let answer = answer.filter(|answer| shown != Some(false) && !answer.is_null());
    match (asked.kind.as_str(), answer) {
        ("check", None) => Some(Known::Truth(false)),
        ("multi", None) if shown == Some(false) => Some(Known::Chosen(Vec::new())),
        ("repeating", None) if shown == Some(false) => Some(Known::Items(Vec::new())),
        (_, None) => None,
        ("check" | "yes_no", Some(answer)) => Some(Known::Truth(answer.as_bool().unwrap())),
        ("int" | "money" | "weight", Some(answer)) => Some(Known::Number(answer.as_i64().unwrap())),
        ("date", Some(answer)) => Some(Known::Day(answer.as_str().unwrap().parse().unwrap())),
        ("partial_date", Some(answer)) => {
            let days = days::of(answer.as_str().unwrap()).into_iter();
            gathered(days.map(Known::Day).collect())
        }
        ("multi", Some(answer)) => {
            let chosen = answer.as_array().unwrap().iter();
            Some(Known::Chosen(chosen.map(|one| one.as_str().unwrap().to_owned()).collect()))
        }
        ("repeating", Some(answer)) => {
            let items = answer.as_array().unwrap().iter();
            let item = |one: &'a Json| Item { parts: &asked.parts, answers: one.as_object().unwrap() };
            Some(Known::Items(items.map(item).collect()))
        }
        ("address", Some(answer)) => {
            let lines = answer.as_object().unwrap().iter();
            let line = |(part, text): (&String, &Json)| (part.clone(), text.as_str().unwrap().to_owned());
            Some(Known::Address(lines.map(line).collect()))
        }
        (_, Some(answer)) => Some(Known::Text(answer.as_str().unwrap().to_owned())),
    }
}

impl<'a> World<'a> {
    pub(super) fn shown(&self, question: &Asked) -> Three {
        self.truth(&question.shown, None)
    }

    pub(super) fn truth(&self, tree: &Tree, it: Option<Item<'a>>) -> Three {
        let value = self.value(tree, it)?;
        let Known::Truth(truth) = value else { panic!("{value:?} is no condition") };
        Some(truth)
    }

    fn answer(&self, id: &str, asked: &'a Asked) -> Option<Known<'a>> {
        match &asked.table {
            Some(_) if self.shown(asked) == Some(false) => None,
            Some(table) => self.looked_up(table).map(Known::Number),
            None => counts(asked, self.shown(asked), self.answers.get(id)),
        }
    }

    /// The guideline of the day, of so many persons, in the first state that is known.
    fn looked_up(&self, table: &Lookup) -> Option<i64> {
        let Known::Number(persons) = self.value(&table.household, None)? else {
            panic!("no number of persons")
        };
        let known = table.states.iter().find_map(|state| self.value(state, None))?;
        let Known::Text(state) = known else { panic!("{known:?} is no state") };
        let day = self.given.filing_date;
        let year = table.years.iter().rfind(|year| year.from <= day)?;
        if year.until.is_some_and(|last| last < day) || persons < 1 {
            return None;
        }
        let (written, more) = year.dollars.get(&state)?;
        let most = i64::try_from(written.len()).unwrap();
        let dollars = if persons <= most {
            written[usize::try_from(persons - 1).unwrap()]
        } else {
            written.last().unwrap() + more.checked_mul(persons - most)?
        };
        dollars.checked_mul(100)
    }

    fn of_item(&self, item: Item<'a>, part: &str) -> Option<Known<'a>> {
        let asked = item.parts.get(part)?;
        counts(asked, self.truth(&asked.shown, Some(item)), item.answers.get(part))
    }

    fn named(&self, words: &[String], it: Option<Item<'a>>) -> Option<Known<'a>> {
        let (whole, rest) = match self.form.questions.get(&words[0]) {
            Some(asked) => (self.answer(&words[0], asked), &words[1..]),
            None if words[0] == "it" => (self.of_item(it?, &words[1]), &words[2..]),
            None => (self.beside(&words[0]), &words[1..]),
        };
        match (whole?, rest) {
            (Known::Address(lines), [part]) => lines.get(part).cloned().map(Known::Text),
            (whole, []) => Some(whole),
            (whole, _) => panic!("{words:?} of {whole:?}"),
        }
    }

    fn beside(&self, name: &str) -> Option<Known<'a>> {
        let given = self.given;
        Some(match name {
            "filing_date" => Known::Day(given.filing_date),
            "today" => Known::Day(given.today),
            "channel" => Known::Text(given.channel.as_str().to_owned()),
            "filer_role" => Known::Text(given.filer_role.clone()),
            "fee_waiver_requested" => Known::Truth(given.fee_waiver_requested),
            "online_fee_waiver" => Known::Truth(given.online_fee_waiver || self.form.online_fee_waiver),
            "edition" => Known::Day(given.edition?),
            "form_edition" => Known::Day(self.form.edition),
            "edition_required_from" => Known::Day(self.form.required_from),
            other => panic!("nothing is called {other}"),
        })
    }

    fn value(&self, tree: &Tree, it: Option<Item<'a>>) -> Option<Known<'a>> {
        match tree {
            Tree::Truth(truth) => Some(Known::Truth(*truth)),
            Tree::Number(number) => Some(Known::Number(*number)),
            Tree::Text(text) => Some(Known::Text(text.clone())),
            Tree::Day(day) => Some(Known::Day(*day)),
            Tree::List(_) => panic!("a list stands alone"),
            Tree::Name(words) => self.named(words, it),
            Tree::Not(inner) => self.truth(inner, it).map(|truth| Known::Truth(!truth)),
            Tree::Call(name, parts) => self.called(name, parts, it),
            Tree::Two(how, a, b) => match (how.as_str(), b.as_ref()) {
                ("and", _) => and(self.truth(a, it), self.truth(b, it)).map(Known::Truth),
                ("or", _) => or(self.truth(a, it), self.truth(b, it)).map(Known::Truth),
                ("in", Tree::List(all)) => {
                    let one = self.value(a, it)?;
                    each(&[one], &|one| {
                        let any = all.iter().any(|other| equal(&one[0], &self.value(other, it).unwrap()));
                        Some(Known::Truth(any))
                    })
                }
                (how, _) => combined(how, self.value(a, it)?, self.value(b, it)?),
            },
        }
    }

    fn items(&self, list: &Tree, it: Option<Item<'a>>) -> Option<Vec<Item<'a>>> {
        let Known::Items(items) = self.value(list, it)? else { panic!("{list:?} is no list of items") };
        Some(items)
    }

    /// The first and the last day that it can be.
    fn days_of(&self, item: Item<'a>, part: &str) -> Option<(Date, Date)> {
        let known = self.of_item(item, part)?;
        let days =
            if let Known::OneOf(days) = &known { days.iter().map(day).collect() } else { vec![day(&known)] };
        Some((*days.iter().min()?, *days.iter().max()?))
    }

    fn has(&self, kind: &str) -> bool {
        let attached = &self.given.evidence;
        let row = self.form.papers.iter().find(|paper| paper.kind == kind);
        attached.contains(kind) || row.is_some_and(|row| row.instead.iter().any(|one| attached.contains(one)))
    }

    /// The functions whose arguments are not all values.
    fn called(&self, name: &str, parts: &[Tree], it: Option<Item<'a>>) -> Option<Known<'a>> {
        let truth = |truth: bool| Some(Known::Truth(truth));
        match (name, parts) {
            ("present", [Tree::Name(words)]) => truth(match self.named(words, it) {
                None => false,
                Some(Known::Chosen(chosen)) => !chosen.is_empty(),
                Some(Known::Items(items)) => !items.is_empty(),
                Some(_) => true,
            }),
            ("linked", [Tree::Text(form)]) => truth(self.given.linked.contains(form)),
            ("has_evidence", [Tree::Text(kind)]) if kind == "foreign_language" => {
                truth(self.given.foreign_language)
            }
            ("has_evidence", [Tree::Text(kind)]) => truth(self.has(kind)),
            ("any" | "all", [list, each]) => {
                let begin = Some(name == "all");
                let join = if name == "all" { and } else { or };
                let items = self.items(list, it)?.into_iter();
                items.map(|item| self.truth(each, Some(item))).fold(begin, join).map(Known::Truth)
            }
            ("min_of" | "max_of", [list, Tree::Text(part)]) => {
                let items = self.items(list, it)?.into_iter();
                let all: Option<Vec<Known<'a>>> = items.map(|item| self.of_item(item, part)).collect();
                all?.into_iter().map(Some).reduce(|best, one| {
                    each(&[best?, one?], &|two| {
                        let less = combined("<", two[1].clone(), two[0].clone());
                        let greater = combined(">", two[1].clone(), two[0].clone());
                        let better = if name == "min_of" { less } else { greater };
                        Some(two[usize::from(matches!(better, Some(Known::Truth(true))))].clone())
                    })
                })?
            }
            ("gap_days", [list, from, to]) => {
                let (items, from, to) =
                    (self.items(list, it)?, day(&self.value(from, it)?), day(&self.value(to, it)?));
                let covers =
                    |item| Some((self.days_of(item, "from")?, self.end(item, "to").unwrap_or((to, to))));
                let covered: Option<Vec<_>> = items.into_iter().map(covers).collect();
                let gap = |covered: Vec<(Date, Date)>| days::longest_gap(&covered, from, to);
                numbers(gap(maybe(&covered.clone()?)), gap(surely(&covered?)))
            }
            ("overlap_days", [list, Tree::Text(first), Tree::Text(second), end]) => {
                let (items, end) = (self.items(list, it)?, day(&self.value(end, it)?));
                let covers = |item: Item<'a>| {
                    let open = self.is_current(item) || !item.parts.contains_key("current");
                    let until = self.end(item, second).or(open.then_some((end, end)))?;
                    Some((self.days_of(item, first)?, until))
                };
                let covered: Option<Vec<_>> = items.into_iter().map(covers).collect();
                let twice = |covered: Vec<(Date, Date)>| days::twice_covered(&covered, end);
                numbers(twice(surely(&covered.clone()?)), twice(maybe(&covered?)))
            }
            ("days_present", [list, from, to]) => {
                let (items, from, to) =
                    (self.items(list, it)?, day(&self.value(from, it)?), day(&self.value(to, it)?));
                let trip = |item| {
                    let back = self.days_of(item, "back").unwrap_or((Date::MAX, Date::MAX));
                    Some((self.days_of(item, "left")?, back))
                };
                let trips: Option<Vec<_>> = items.into_iter().map(trip).collect();
                let present = |trips: Vec<(Date, Date)>| days::present(&trips, from, to);
                numbers(present(maybe(&trips.clone()?)), present(surely(&trips?)))
            }
            ("first", [first, second]) => self.value(first, it).or_else(|| self.value(second, it)),
            ("visa_month", [on]) => {
                let month = day(&self.value(on, it)?).strftime("%Y-%m").to_string();
                truth(self.form.bulletin.months.contains_key(&month))
            }
            ("visa_class", [class]) => truth(row_of(&self.form.bulletin, &self.value(class, it)?).is_some()),
            ("visa_available", [class, country, priority, on]) => {
                let bulletin = &self.form.bulletin;
                let (class, country) = (self.value(class, it)?, self.value(country, it)?);
                let (priority, on) = (self.value(priority, it)?, day(&self.value(on, it)?));
                let month = bulletin.months.get(&on.strftime("%Y-%m").to_string());
                let row = month?.get(row_of(bulletin, &class)?)?;
                let Known::Text(country) = country else { panic!("{country:?} is no country") };
                let column = bulletin.areas.iter().position(|area| area.contains(&country)).unwrap_or(0);
                match row[column].as_str() {
                    "C" => truth(true),
                    "U" => truth(false),
                    before => combined("<", priority, Known::Day(before.parse().unwrap())),
                }
            }
            ("whole", [part]) => truth(matches!(self.value(part, it)?, Known::Day(_))),
            (name, parts) => {
                let known: Option<Vec<_>> = parts.iter().map(|part| self.value(part, it)).collect();
                each(&known?, &|known| Some(of_known(name, known)))
            }
        }
    }

    fn is_current(&self, item: Item<'a>) -> bool {
        matches!(self.of_item(item, "current"), Some(Known::Truth(true)))
    }

    /// When an item ends, where it is not one that goes on.
    fn end(&self, item: Item<'a>, part: &str) -> Option<(Date, Date)> {
        if self.is_current(item) { None } else { self.days_of(item, part) }
    }

    /// What is asked, must be there and is not, by its path.
    pub(super) fn missing(&self) -> BTreeSet<String> {
        let mut missing = BTreeSet::new();
        for (id, asked) in &self.form.questions {
            if self.shown(asked) == Some(true) {
                let required = self.truth(&asked.required, None) == Some(true);
                let answer = self.answer(id, asked);
                self.lacks(id, asked, required, answer, &mut missing);
            }
        }
        missing
    }

    fn lacks(
        &self,
        path: &str,
        asked: &Asked,
        required: bool,
        answer: Option<Known<'a>>,
        missing: &mut BTreeSet<String>,
    ) {
        match answer {
            Some(Known::Items(items)) if !items.is_empty() => {
                for (n, item) in items.into_iter().enumerate() {
                    for (part, asked) in item.parts {
                        let shown = self.truth(&asked.shown, Some(item));
                        let wanted = and(shown, self.truth(&asked.required, Some(item))) == Some(true);
                        let path = format!("{path}[{n}].{part}");
                        self.lacks(&path, asked, wanted, self.of_item(item, part), missing);
                    }
                }
            }
            Some(Known::Address(lines)) => {
                let american = lines.get("country").is_some_and(|country| country == "US");
                let wanted: &[&str] = if american {
                    &["line1", "city", "state", "postal_code"]
                } else {
                    &["line1", "city", "country"]
                };
                let absent = wanted.iter().filter(|part| required && !lines.contains_key(**part));
                missing.extend(absent.map(|part| format!("{path}.{part}")));
            }
            None | Some(Known::Items(_)) if required && asked.kind != "check" => {
                missing.insert(path.to_owned());
            }
            Some(Known::Chosen(chosen)) if required && chosen.is_empty() => {
                missing.insert(path.to_owned());
            }
            None | Some(_) => {}
        }
    }

    /// The fee: the first base row that holds, all that are added, and what comes later.
    pub(super) fn fee(&self, waiver_granted: bool) -> Sum {
        let day = self.given.filing_date;
        let in_force = |fee: &&Fee| {
            let channel = fee.channel == "any" || fee.channel == self.given.channel.as_str();
            channel && fee.from <= day && fee.until.is_none_or(|until| until >= day)
        };
        let of =
            |kind: &'static str| self.form.fees.iter().filter(in_force).filter(move |fee| fee.kind == kind);
        let mut counted = Vec::new();
        for fee in of("base").collect::<Vec<_>>() {
            if self.truth(&fee.when, None)? {
                counted.push(fee);
                break;
            }
        }
        // Without a base row that holds there is no fee to say.
        counted.first()?;
        for fee in of("add").collect::<Vec<_>>() {
            if self.truth(&fee.when, None)? {
                counted.push(fee);
            }
        }
        let mut rows = Vec::new();
        for fee in counted {
            if fee.known_until.is_some_and(|known| known < day) {
                return None;
            }
            let waived = match &fee.waived {
                Some(when) if waiver_granted => self.truth(when, None)?,
                Some(_) | None => false,
            };
            rows.push((fee.id.clone(), if waived { 0 } else { fee.cents }));
        }
        let later = of("later").filter(|fee| self.truth(&fee.when, None) == Some(true));
        let later = later.map(|fee| fee.id.clone()).collect();
        let sum = rows.iter().map(|(_, cents)| cents).sum();
        Some((rows, sum, later))
    }

    /// The papers that are needed, each with whether it is there.
    pub(super) fn papers(&self) -> Vec<(String, bool)> {
        let needed = self.form.papers.iter().filter(|paper| self.truth(&paper.when, None) == Some(true));
        needed.map(|paper| (paper.kind.clone(), self.has(&paper.kind))).collect()
    }

    /// Whether a paper that is needed at filing is neither there nor explained.
    pub(super) fn lacks_papers(&self) -> bool {
        let given = self.given;
        let mut absent =
            self.papers().into_iter().filter(|(kind, there)| !there && !given.explained.contains(kind));
        let at_filing =
            |kind: &str| self.form.papers.iter().any(|paper| paper.kind == kind && paper.at_filing);
        absent.any(|(kind, _)| at_filing(&kind))
    }
}

fn day(value: &Known<'_>) -> Date {
    let Known::Day(day) = value else { panic!("{value:?} is no day") };
    *day
}

/// The first and the last day on which an item may begin, and those on which it may end.
type Stay = ((Date, Date), (Date, Date));

/// What an item covers from the earliest of its first days to the latest of its last.
fn maybe(items: &[Stay]) -> Vec<(Date, Date)> {
    items.iter().map(|((begins, _), (_, ends))| (*begins, *ends)).collect()
}

/// What it covers whatever the days are.
fn surely(items: &[Stay]) -> Vec<(Date, Date)> {
    items.iter().map(|((_, begins), (ends, _))| (*begins, *ends)).collect()
}

/// One of the numbers from the first to the last.
fn numbers<'a>(first: i64, last: i64) -> Option<Known<'a>> {
    gathered((first..=last).map(Known::Number).collect())
}

/// What comes of values of which each may be one of several: one after another is taken for all of them.
fn each<'a>(known: &[Known<'a>], of: &dyn Fn(&[Known<'a>]) -> Option<Known<'a>>) -> Option<Known<'a>> {
    let open = known.iter().position(|one| matches!(one, Known::OneOf(_)));
    let Some(Known::OneOf(all)) = open.map(|place| &known[place]) else { return of(known) };
    let with = |one: &Known<'a>| {
        let mut known = known.to_vec();
        known[open.unwrap()] = one.clone();
        let came = each(&known, of)?;
        Some(if let Known::OneOf(several) = came { several } else { vec![came] })
    };
    gathered(all.iter().map(with).collect::<Option<Vec<_>>>()?.concat())
}

/// One of these; of truths that differ nobody knows which.
fn gathered(all: Vec<Known<'_>>) -> Option<Known<'_>> {
    let mut seen = BTreeSet::new();
    let mut different: Vec<Known<'_>> = Vec::new();
    for one in all {
        let key = if let Known::Truth(truth) = &one {
            i64::from(*truth)
        } else if let Known::Number(number) = &one {
            *number
        } else {
            days::number(day(&one))
        };
        if seen.insert(key) {
            different.push(one);
        }
    }
    match different.len() {
        1 => different.pop(),
        _ if matches!(different[0], Known::Truth(_)) => None,
        _ => Some(Known::OneOf(different)),
    }
}

fn equal(a: &Known<'_>, b: &Known<'_>) -> bool {
    match (a, b) {
        (Known::Number(a), Known::Number(b)) => a == b,
        (Known::Day(a), Known::Day(b)) => a == b,
        (Known::Text(a), Known::Text(b)) => alike(a, b),
        (Known::Address(a), Known::Address(b)) => {
            let parts: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            let line = |lines: &BTreeMap<String, String>, part| lines.get(part).cloned().unwrap_or_default();
            parts.into_iter().all(|part| alike(&line(a, part), &line(b, part)))
        }
        (a, b) => panic!("{a:?} and {b:?} are not compared"),
    }
}

fn combined<'a>(how: &str, a: Known<'a>, b: Known<'a>) -> Option<Known<'a>> {
    match (how, a, b) {
        (how, a @ Known::OneOf(_), b) | (how, a, b @ Known::OneOf(_)) => {
            each(&[a, b], &|two| combined(how, two[0].clone(), two[1].clone()))
        }
        ("==", a, b) => Some(Known::Truth(equal(&a, &b))),
        ("!=", a, b) => Some(Known::Truth(!equal(&a, &b))),
        ("+", Known::Number(a), Known::Number(b)) => a.checked_add(b).map(Known::Number),
        ("-", Known::Number(a), Known::Number(b)) => a.checked_sub(b).map(Known::Number),
        ("*", Known::Number(a), Known::Number(b)) => a.checked_mul(b).map(Known::Number),
        ("+", Known::Day(day), Known::Length(by)) => Some(Known::Day(days::moved(day, by, false))),
        ("-", Known::Day(day), Known::Length(by)) => Some(Known::Day(days::moved(day, by, true))),
        (how, a, b) => {
            let (a, b) = match (a, b) {
                (Known::Number(a), Known::Number(b)) => (a, b),
                (Known::Day(a), Known::Day(b)) => (days::number(a), days::number(b)),
                (a, b) => panic!("{a:?} {how} {b:?}"),
            };
            Some(Known::Truth(match how {
                "<" => a < b,
                "<=" => a <= b,
                ">" => a > b,
                ">=" => a >= b,
                other => panic!("nobody knows {other}"),
            }))
        }
    }
}

fn of_known<'a>(name: &str, known: &[Known<'a>]) -> Known<'a> {
    match (name, known) {
        ("count", [Known::Items(items)]) => Known::Number(i64::try_from(items.len()).unwrap()),
        ("count", [Known::Chosen(chosen)]) => Known::Number(i64::try_from(chosen.len()).unwrap()),
        ("contains", [Known::Chosen(chosen), Known::Text(one)]) => {
            Known::Truth(chosen.iter().any(|other| alike(other, one)))
        }
        ("age", [Known::Day(born), Known::Day(at)]) => Known::Number(days::age(*born, *at)),
        ("days_between", [Known::Day(a), Known::Day(b)]) => {
            Known::Number(days::number(*b) - days::number(*a))
        }
        ("days", [Known::Number(n)]) => Known::Length(Span::Days(*n)),
        ("months", [Known::Number(n)]) => Known::Length(Span::Months(*n)),
        ("years", [Known::Number(n)]) => Known::Length(Span::Years(*n)),
        ("closing", [Known::Day(day), Known::Length(by)]) => Known::Day(days::closing(*day, *by)),
        ("roll", [Known::Day(day)]) => Known::Day(days::roll(*day)),
        ("later", [Known::Day(a), Known::Day(b)]) => Known::Day(*a.max(b)),
        ("earlier", [Known::Day(a), Known::Day(b)]) => Known::Day(*a.min(b)),
        ("po_box", [Known::Address(lines)]) => Known::Truth(lines.values().any(|line| is_po_box(line))),
        ("single_word", [Known::Text(text)]) => Known::Truth(text.split_whitespace().count() == 1),
        ("code", [Known::Text(text)]) => Known::Text(code(text)),
        (name, known) => panic!("{name} of {known:?}"),
    }
}

/// Letters, perhaps one blank or dash, digits, and a single letter after them; the first of these in a text, else all of it.
fn code(text: &str) -> String {
    let text: String =
        text.nfc().map(|c| if ('\u{2010}'..='\u{2015}').contains(&c) { '-' } else { c }).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase();
    let mut runs: Vec<(u8, String)> = Vec::new();
    for c in text.chars() {
        let kind = match c {
            c if c.is_ascii_digit() => b'0',
            c if c.is_alphabetic() => b'a',
            ' ' | '-' => b'-',
            _ => b'.',
        };
        match runs.last_mut() {
            Some((same, run)) if *same == kind && kind != b'-' => run.push(c),
            _ => runs.push((kind, c.to_string())),
        }
    }
    let kind = |n: usize| runs.get(n).map(|run| run.0);
    for n in 0..runs.len() {
        let number = n + 1 + usize::from(kind(n + 1) == Some(b'-'));
        if kind(n) == Some(b'a') && kind(number) == Some(b'0') {
            let ended = runs.get(number + 1).filter(|(kind, run)| *kind == b'a' && run.chars().count() == 1);
            let ended = ended.map_or("", |(_, letter)| letter);
            return format!("{}{}{ended}", runs[n].1, runs[number].1);
        }
    }
    text.replace([' ', '-'], "")
}

/// The class that is written so: letters and digits count.
fn row_of<'a>(bulletin: &'a Bulletin, class: &Known<'_>) -> Option<&'a String> {
    let Known::Text(class) = class else { panic!("{class:?} is no class") };
    let plain = |text: &str| -> String {
        let text: String = text.nfc().collect();
        text.to_uppercase().chars().filter(|c| c.is_alphanumeric()).collect()
    };
    let written = |names: &Vec<String>| names.iter().any(|name| plain(name) == plain(class));
    bulletin.classes.iter().find(|(_, names)| written(names)).map(|(id, _)| id)
}

fn is_po_box(line: &str) -> bool {
    let words: Vec<String> = line.replace('.', " ").split_whitespace().map(str::to_uppercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.contains(&"POBOX")
        || words.windows(2).any(|two| two == ["PO", "BOX"])
        || words.windows(3).any(|three| three == ["P", "O", "BOX"])
}
