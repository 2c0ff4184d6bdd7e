//! A form as its file and the blocks say it, put together by the rules of the catalogue's README and with nothing of the loader's.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use toml::{Table, Value};

use super::language::{Tree, read};

/// A form.
pub(super) struct Source {
    pub(super) id: String,
    pub(super) edition: Date,
    pub(super) required_from: Date,
    pub(super) online_fee_waiver: bool,
    pub(super) questions: BTreeMap<String, Asked>,
    /// Each with whether it blocks.
    pub(super) rules: Vec<(String, bool, Tree)>,
    pub(super) papers: Vec<Paper>,
    pub(super) fees: Vec<Fee>,
    pub(super) bulletin: Bulletin,
}

/// A question, or a part of each item of one.
pub(super) struct Asked {
    pub(super) kind: String,
    pub(super) required: Tree,
    pub(super) shown: Tree,
    pub(super) parts: BTreeMap<String, Asked>,
    /// What is asked of nobody, since a table answers it.
    pub(super) table: Option<Lookup>,
}

/// How an answer is looked up among the poverty guidelines.
pub(super) struct Lookup {
    pub(super) household: Tree,
    pub(super) states: Vec<Tree>,
    pub(super) years: Vec<Year>,
}

/// The guidelines of a year as one use takes them.
pub(super) struct Year {
    pub(super) from: Date,
    pub(super) until: Option<Date>,
    /// By state: the dollars for each number of persons, and for each further one.
    pub(super) dollars: BTreeMap<String, (Vec<i64>, i64)>,
}

/// The Visa Bulletin as it is written.
#[derive(Clone)]
pub(super) struct Bulletin {
    /// The countries of each column.
    pub(super) areas: Vec<Vec<String>>,
    /// How each class is written.
    pub(super) classes: BTreeMap<String, Vec<String>>,
    /// What stands in the columns, by month and class.
    pub(super) months: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// A row of evidence.
pub(super) struct Paper {
    pub(super) kind: String,
    pub(super) when: Tree,
    pub(super) instead: Vec<String>,
    pub(super) at_filing: bool,
}

/// A row of the fee table.
pub(super) struct Fee {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) cents: i64,
    pub(super) known_until: Option<Date>,
    pub(super) channel: String,
    pub(super) when: Tree,
    pub(super) from: Date,
    pub(super) until: Option<Date>,
    /// When a waiver that was granted makes it nothing.
    pub(super) waived: Option<Tree>,
}

/// A condition, and whether it is written as `always` or `never`.
#[derive(Clone)]
struct Condition {
    tree: Tree,
    plain: Option<bool>,
}

type Rename<'a> = &'a dyn Fn(&str) -> String;

impl Condition {
    fn read(text: &str, rename: Rename<'_>) -> Self {
        let plain = match text.trim() {
            "always" | "true" => Some(true),
            "never" | "false" => Some(false),
            _ => None,
        };
        Self { tree: read(text, rename), plain }
    }

    /// What hangs on something else too.
    fn and(&self, own: Self) -> Self {
        let plain = match (self.plain, own.plain) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), plain) | (plain, Some(true)) => plain,
            (None, None) => None,
        };
        Self { tree: both("and", &self.tree, &own.tree), plain }
    }
}

fn both(how: &str, a: &Tree, b: &Tree) -> Tree {
    Tree::Two(how.to_owned(), Box::new(a.clone()), Box::new(b.clone()))
}

fn same(name: &str) -> String {
    name.to_owned()
}

fn text<'a>(table: &'a Table, key: &str) -> &'a str {
    table[key].as_str().unwrap()
}

fn rows<'a>(table: &'a Table, key: &str) -> Vec<&'a Table> {
    let rows = table.get(key).and_then(Value::as_array).into_iter().flatten();
    rows.map(|row| row.as_table().unwrap()).collect()
}

fn texts(table: &Table, key: &str) -> Vec<String> {
    let texts = table.get(key).and_then(Value::as_array).into_iter().flatten();
    texts.map(|one| one.as_str().unwrap().to_owned()).collect()
}

fn table(file: &Path) -> Table {
    std::fs::read_to_string(file).unwrap().parse().unwrap()
}

/// All forms of the folder.
pub(super) fn all(folder: &Path) -> Vec<Source> {
    let common = table(&folder.join("_common.toml"));
    let guidelines = table(&folder.join("_guidelines.toml"));
    let bulletin = bulletin(&table(&folder.join("_visa_bulletin.toml")));
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        file.extension().is_some_and(|kind| kind == "toml") && !name.starts_with('_')
    });
    files.iter().map(|file| Source::read(&table(file), &common, (&guidelines, &bulletin))).collect()
}

impl Source {
    fn read(file: &Table, common: &Table, (guidelines, bulletin): (&Table, &Bulletin)) -> Self {
        let head = file["form"].as_table().unwrap();
        let edition: Date = text(head, "edition").parse().unwrap();
        let required_from = head.get("edition_required_from").and_then(Value::as_str);
        let mut form = Self {
            id: text(head, "id").to_owned(),
            edition,
            required_from: required_from.map_or(edition, |day| day.parse().unwrap()),
            online_fee_waiver: head.get("online_fee_waiver").and_then(Value::as_bool) == Some(true),
            questions: BTreeMap::new(),
            rules: Vec::new(),
            papers: rows(file, "evidence").into_iter().map(paper).collect(),
            fees: rows(file, "fee").into_iter().map(fee).collect(),
            bulletin: bulletin.clone(),
        };
        for include in rows(file, "include") {
            form.include(include, common);
        }
        for asked in rows(file, "question") {
            let id = text(asked, "id").to_owned();
            form.ask(id.clone(), asked, None, &same);
            if let Some(filled) = asked.get("filled").and_then(Value::as_table) {
                form.questions.get_mut(&id).unwrap().table = Some(lookup(filled, guidelines));
            }
        }
        for rule in rows(file, "rule").into_iter().chain(rows(common, "common_rule")) {
            form.rule(text(rule, "id").to_owned(), rule, read(text(rule, "when"), &same));
        }
        form
    }

    /// Copies a block: its ids get the prefix, and all of it hangs on what the include hangs on.
    fn include(&mut self, include: &Table, common: &Table) {
        let (name, prefix) = (text(include, "block"), text(include, "prefix"));
        let block = common["block"][name].as_table().unwrap();
        let asked = rows(block, "question");
        let mut own: Vec<String> = asked.iter().map(|asked| text(asked, "id").to_owned()).collect();
        own.extend(texts(block, "needs"));
        let bound = include.get("bind").and_then(Value::as_table);
        let rename = |word: &str| match bound.and_then(|bound| bound.get(word)) {
            Some(other) => other.as_str().unwrap().to_owned(),
            None if own.iter().any(|one| one == word) => format!("{prefix}{word}"),
            None => word.to_owned(),
        };
        let hangs_on = include.get("required").map(|when| Condition::read(when.as_str().unwrap(), &same));
        for asked in asked {
            self.ask(format!("{prefix}{}", text(asked, "id")), asked, hangs_on.as_ref(), &rename);
        }
        for rule in rows(common, "block_rule").into_iter().filter(|rule| text(rule, "block") == name) {
            let own = read(text(rule, "when"), &rename);
            let when = hangs_on.as_ref().map_or(own.clone(), |other| both("and", &other.tree, &own));
            self.rule(format!("{prefix}{}", text(rule, "id")), rule, when);
        }
    }

    fn rule(&mut self, id: String, rule: &Table, when: Tree) {
        self.rules.push((id, text(rule, "level") == "block", when));
    }

    fn ask(&mut self, id: String, asked: &Table, hangs_on: Option<&Condition>, rename: Rename<'_>) {
        let mut required = Condition::read(text(asked, "required"), rename);
        let mut written = asked.get("shown").map(|shown| Condition::read(shown.as_str().unwrap(), rename));
        if let Some(other) = hangs_on {
            written = match written {
                Some(shown) => Some(other.and(shown)),
                // An optional question of a block is shown only where the block is asked.
                None if required.plain == Some(false) => Some(other.clone()),
                None => None,
            };
            required = other.and(required);
        }
        let shown = shown(&required, written.as_ref());
        let parts = texts(asked, "fields").iter().map(|field| part(field, rename)).collect();
        let kind = text(asked, "type").to_owned();
        self.questions.insert(id, Asked { kind, required: required.tree, shown, parts, table: None });
    }
}

/// Where it is written: shown or required. Else always, or with what it is required for.
fn shown(required: &Condition, written: Option<&Condition>) -> Tree {
    match written {
        Some(written) => both("or", &written.tree, &required.tree),
        None if required.plain.is_some() => Tree::Truth(true),
        None => required.tree.clone(),
    }
}

/// Reads `id|type|required|label`, where the type may be `select:a,b`.
fn part(field: &str, rename: Rename<'_>) -> (String, Asked) {
    let said: Vec<&str> = field.splitn(4, '|').collect();
    let required = match said[2] {
        "y" => Condition::read("always", rename),
        "n" => Condition::read("never", rename),
        when => Condition::read(when, rename),
    };
    let kind = said[1].split(':').next().unwrap().to_owned();
    let shown = shown(&required, None);
    (said[0].to_owned(), Asked { kind, required: required.tree, shown, parts: BTreeMap::new(), table: None })
}

/// The use of the guidelines that a question names.
fn lookup(filled: &Table, guidelines: &Table) -> Lookup {
    let used = text(filled, "table");
    let day = |year: &Table, key: &str| -> Option<Date> {
        Some(year.get(key)?.get(used)?.as_str().unwrap().parse().unwrap())
    };
    let mut years = Vec::new();
    for year in rows(guidelines, "year") {
        let mut dollars = BTreeMap::new();
        for (place, column) in year["amounts"].as_table().unwrap() {
            let column = column.as_table().unwrap();
            let written = column["usd"].as_array().unwrap().iter().map(|usd| usd.as_integer().unwrap());
            let amounts = (written.collect::<Vec<_>>(), column["more"].as_integer().unwrap());
            for state in texts(guidelines["places"].as_table().unwrap(), place) {
                dollars.insert(state, amounts.clone());
            }
        }
        if let Some(from) = day(year, "from") {
            years.push(Year { from, until: day(year, "until"), dollars });
        }
    }
    let states = texts(filled, "state").iter().map(|state| read(state, &same)).collect();
    Lookup { household: read(text(filled, "household"), &same), states, years }
}

fn bulletin(file: &Table) -> Bulletin {
    let classes =
        rows(file, "class").into_iter().map(|row| (text(row, "id").to_owned(), texts(row, "names")));
    let month = |row: &Table| {
        let dates = ["family", "employment"].map(|kind| row[kind]["dates"].as_table().unwrap());
        let rows = dates
            .into_iter()
            .flat_map(|dates| dates.keys().map(|class| (class.clone(), texts(dates, class))));
        (text(row, "month").to_owned(), rows.collect())
    };
    Bulletin {
        areas: rows(file, "area").into_iter().map(|row| texts(row, "countries")).collect(),
        classes: classes.collect(),
        months: rows(file, "month").into_iter().map(month).collect(),
    }
}

fn paper(row: &Table) -> Paper {
    Paper {
        kind: text(row, "kind").to_owned(),
        when: read(text(row, "when"), &same),
        instead: texts(row, "substitutes"),
        at_filing: row.get("level").and_then(Value::as_str) != Some("later"),
    }
}

fn fee(row: &Table) -> Fee {
    let waivable = row["waivable"].as_bool().unwrap();
    let waived_when = row.get("waivable_when").map_or("always", |when| when.as_str().unwrap());
    Fee {
        id: text(row, "id").to_owned(),
        kind: row.get("kind").map_or("base", |kind| kind.as_str().unwrap()).to_owned(),
        cents: row["usd"].as_integer().unwrap() * 100,
        channel: text(row, "channel").to_owned(),
        when: read(text(row, "when"), &same),
        from: text(row, "from").parse().unwrap(),
        until: row.get("until").map(|until| until.as_str().unwrap().parse().unwrap()),
        known_until: row.get("known_until").map(|known| known.as_str().unwrap().parse().unwrap()),
        waived: waivable.then(|| read(waived_when, &same)),
    }
}
