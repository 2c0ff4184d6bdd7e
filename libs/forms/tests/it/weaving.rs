//! Editions and lenses made up by chance, with what has to become of every answer.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::search::Chance;

/// What one answer may be.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(crate) kind: &'static str,
    pub(crate) options: Vec<String>,
}

/// A question; one with fields is a list.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) leaf: Leaf,
    pub(crate) fields: Vec<(String, Leaf)>,
}

/// What has to become of the answers at a slot.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// The same answer at another slot, or at the same; of several, one.
    Kept(String),
    /// In another type.
    Converted(String),
    /// Word by word; a word that is not here is left to the person.
    Words(String, Vec<(String, String)>),
    /// Into several slots, cut at blanks.
    Split(Vec<String>),
    /// One of several texts, put together in this order.
    Joined(String, Vec<String>),
    Dropped,
}

/// From one edition to the next: what is written in the file, and what has to become of each slot.
#[derive(Debug, Default)]
pub(crate) struct Woven {
    pub(crate) next: Vec<Asked>,
    pub(crate) changes: Vec<String>,
    pub(crate) fates: Vec<(String, Fate)>,
}

const KINDS: [&str; 16] = [
    "text",
    "text",
    "long_text",
    "yes_no",
    "select",
    "multi",
    "int",
    "money",
    "date",
    "partial_date",
    "partial_date:month",
    "name_part",
    "country",
    "check",
    "email",
    "weight",
];
/// What can become what without options.
const CONVERSIONS: [(&str, &str); 27] = [
    ("text", "long_text"),
    ("text", "int"),
    ("text", "date"),
    ("text", "name_part"),
    ("text", "country"),
    ("long_text", "text"),
    ("int", "money"),
    ("int", "text"),
    ("int", "weight"),
    ("money", "int"),
    ("money", "text"),
    ("weight", "int"),
    ("date", "partial_date"),
    ("date", "partial_date:month"),
    ("partial_date:month", "partial_date"),
    ("partial_date", "partial_date:month"),
    ("date", "text"),
    ("partial_date", "date"),
    ("name_part", "text"),
    ("name_part", "long_text"),
    ("country", "text"),
    ("email", "text"),
    ("yes_no", "check"),
    ("check", "yes_no"),
    ("yes_no", "text"),
    ("select", "text"),
    ("select", "long_text"),
];

impl Leaf {
    pub(crate) fn of(kind: &'static str) -> Self {
        Self { kind, options: Vec::new() }
    }

    fn written(&self) -> String {
        let colon = if self.options.is_empty() { "" } else { ":" };
        format!("\"{}{colon}{}\"", self.kind, self.options.join(","))
    }
}

/// As the file of editions says it.
pub(crate) fn written(asked: &[Asked]) -> String {
    let mut text = String::new();
    for one in asked {
        if one.fields.is_empty() {
            let _ = writeln!(text, "{} = {}", one.id, one.leaf.written());
        } else {
            let fields: Vec<String> =
                one.fields.iter().map(|(id, leaf)| format!("{id} = {}", leaf.written())).collect();
            let _ = writeln!(text, "{} = {{ {} }}", one.id, fields.join(", "));
        }
    }
    text
}

/// Makes up editions, lenses and answers.
pub(crate) struct Loom {
    pub(crate) chance: Chance,
    used: usize,
}

impl Loom {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self { chance: Chance::seeded(seed), used: 0 }
    }

    fn id(&mut self) -> String {
        self.used += 1;
        format!("q{}", self.used)
    }

    fn leaf(&mut self) -> Leaf {
        let kind = *self.chance.one_of(&KINDS);
        let options = if matches!(kind, "select" | "multi") { self.options() } else { Vec::new() };
        Leaf { kind, options }
    }

    fn options(&mut self) -> Vec<String> {
        let all = ["red", "green", "blue", "grey", "pink", "none"];
        let first = self.chance.below(3);
        all[first..=first + 1 + self.chance.below(3 - first.min(2))].iter().map(ToString::to_string).collect()
    }

    fn asked(&mut self) -> Asked {
        let id = self.id();
        match self.chance.below(8) {
            0 => Asked { id, leaf: Leaf::of("address"), fields: Vec::new() },
            1 | 2 => {
                let fields = (0..=self.chance.below(4)).map(|_| (self.id(), self.leaf())).collect();
                Asked { id, leaf: Leaf::of("repeating"), fields }
            }
            _ => Asked { id, leaf: self.leaf(), fields: Vec::new() },
        }
    }

    /// A first edition.
    pub(crate) fn edition(&mut self) -> Vec<Asked> {
        (0..4 + self.chance.below(8)).map(|_| self.asked()).collect()
    }

    /// The next edition, and the lens to it.
    pub(crate) fn evolve(&mut self, old: &[Asked]) -> Woven {
        let mut woven = Woven::default();
        let mut to_join: Option<String> = None;
        for one in old {
            let texts = matches!(one.leaf.kind, "text" | "name_part" | "long_text");
            if !one.fields.is_empty() {
                self.list(one, &mut woven);
            } else if one.leaf.kind == "address" {
                self.address(one, &mut woven);
            } else if texts && self.chance.often(4) {
                match to_join.take() {
                    None => to_join = Some(one.id.clone()),
                    Some(first) => self.join(first, one.id.clone(), &mut woven),
                }
            } else {
                self.single(one, &mut woven);
            }
        }
        // Nobody was left to join it with.
        if let Some(id) = to_join {
            drop_it(&id, &mut woven);
        }
        for _ in 0..self.chance.below(3) {
            let asked = self.asked();
            woven.changes.push(format!("{{ do = \"new\", to = \"{}\" }}", asked.id));
            woven.next.push(asked);
        }
        woven
    }

    fn join(&mut self, first: String, second: String, woven: &mut Woven) {
        let id = self.id();
        woven.changes.push(format!(
            "{{ do = \"join\", from = [\"{first}\", \"{second}\"], to = \"{id}\", with = \" / \" }}"
        ));
        let parts = vec![first.clone(), second.clone()];
        for part in [first, second] {
            woven.fates.push((part, Fate::Joined(id.clone(), parts.clone())));
        }
        woven.next.push(Asked { id, leaf: Leaf::of("text"), fields: Vec::new() });
    }

    fn single(&mut self, one: &Asked, woven: &mut Woven) {
        if self.chance.often(6) {
            // Into the first item of a list that is new.
            let (list, field, more) = (self.id(), self.id(), self.id());
            woven
                .changes
                .push(format!("{{ do = \"carry\", from = \"{}\", to = \"{list}.{field}\" }}", one.id));
            woven.changes.push(format!("{{ do = \"new\", to = \"{list}.{more}\" }}"));
            woven.fates.push((one.id.clone(), Fate::Kept(format!("{list}.{field}"))));
            let fields = vec![(field, one.leaf.clone()), (more, Leaf::of("text"))];
            woven.next.push(Asked { id: list, leaf: Leaf::of("repeating"), fields });
            return;
        }
        if one.leaf.kind == "text" && self.chance.often(6) {
            let id = self.id();
            woven.changes.push(format!("{{ do = \"carry\", from = \"{}\", to = \"{id}.line1\" }}", one.id));
            woven.fates.push((one.id.clone(), Fate::Kept(format!("{id}.line1"))));
            woven.next.push(Asked { id, leaf: Leaf::of("address"), fields: Vec::new() });
            return;
        }
        let mut made = Vec::new();
        self.leaf_step((&one.id, ""), (&one.id, &one.leaf), &mut made, woven);
        woven.next.extend(made.into_iter().map(|(id, leaf)| Asked { id, leaf, fields: Vec::new() }));
    }

    /// One answer, or one field of a list: `slot` is where it stands, `under` the list it goes to with its dot.
    fn leaf_step(
        &mut self,
        (slot, under): (&str, &str),
        (id, leaf): (&str, &Leaf),
        made: &mut Vec<(String, Leaf)>,
        woven: &mut Woven,
    ) {
        match self.chance.below(6) {
            0 => {
                let new = self.id();
                woven.changes.push(format!("{{ do = \"carry\", from = \"{slot}\", to = \"{under}{new}\" }}"));
                woven.fates.push((slot.to_owned(), Fate::Kept(format!("{under}{new}"))));
                made.push((new, leaf.clone()));
            }
            1 => drop_it(slot, woven),
            2 if matches!(leaf.kind, "select" | "multi" | "yes_no" | "check") => {
                self.words((slot, under), leaf, made, woven);
            }
            3 if matches!(leaf.kind, "text" | "name_part") => {
                let (a, b) = (self.id(), self.id());
                woven.changes.push(format!(
                    "{{ do = \"split\", from = \"{slot}\", to = [\"{under}{a}\", \"{under}{b}\"], at = \" \" }}"
                ));
                woven
                    .fates
                    .push((slot.to_owned(), Fate::Split(vec![format!("{under}{a}"), format!("{under}{b}")])));
                let kinds = ["text", "name_part"];
                made.extend([a, b].map(|id| (id, Leaf::of(self.chance.one_of::<&str>(&kinds)))));
            }
            2..=4 if CONVERSIONS.iter().any(|(from, _)| *from == leaf.kind) => {
                let goals: Vec<&str> =
                    CONVERSIONS.iter().filter(|(from, _)| *from == leaf.kind).map(|(_, to)| *to).collect();
                let (new, kind) = (self.id(), *self.chance.one_of(&goals));
                woven.changes.push(format!("{{ do = \"carry\", from = \"{slot}\", to = \"{under}{new}\" }}"));
                woven.fates.push((slot.to_owned(), Fate::Converted(format!("{under}{new}"))));
                made.push((new, Leaf::of(kind)));
            }
            _ => {
                woven.fates.push((slot.to_owned(), Fate::Kept(format!("{under}{id}"))));
                made.push((id.to_owned(), leaf.clone()));
            }
        }
    }

    /// Other options: some of the old ones mapped, some left to the person.
    fn words(
        &mut self,
        (slot, under): (&str, &str),
        leaf: &Leaf,
        made: &mut Vec<(String, Leaf)>,
        woven: &mut Woven,
    ) {
        let kinds: &[&'static str] =
            if leaf.kind == "multi" { &["multi"] } else { &["select", "multi", "yes_no"] };
        let kind = *self.chance.one_of(kinds);
        let options = if kind == "yes_no" { Vec::new() } else { self.options() };
        let new: Vec<String> =
            if kind == "yes_no" { vec!["yes".to_owned(), "no".to_owned()] } else { options.clone() };
        let old = if leaf.options.is_empty() {
            vec!["yes".to_owned(), "no".to_owned()]
        } else {
            leaf.options.clone()
        };
        let (mut map, mut mapped, mut ask) = (Vec::new(), Vec::new(), Vec::new());
        for word in old {
            if new.contains(&word) && self.chance.often(2) {
                map.push((word.clone(), word));
            } else if self.chance.often(3) {
                ask.push(format!("\"{word}\""));
            } else {
                let now = self.chance.one_of(&new).clone();
                mapped.push(format!("{word} = \"{now}\""));
                map.push((word, now));
            }
        }
        let id = self.id();
        woven.changes.push(format!(
            "{{ do = \"carry\", from = \"{slot}\", to = \"{under}{id}\", options = {{ {} }}, ask = [{}] }}",
            mapped.join(", "),
            ask.join(", ")
        ));
        woven.fates.push((slot.to_owned(), Fate::Words(format!("{under}{id}"), map)));
        made.push((id, Leaf { kind, options }));
    }

    fn address(&mut self, one: &Asked, woven: &mut Woven) {
        let Asked { id, .. } = one;
        match self.chance.below(4) {
            0 => {
                let new = self.id();
                woven.changes.push(format!("{{ do = \"carry\", from = \"{id}\", to = \"{new}\" }}"));
                woven.fates.push((id.clone(), Fate::Kept(new.clone())));
                woven.next.push(Asked { id: new, ..one.clone() });
            }
            1 => {
                let city = self.id();
                woven.changes.push(format!("{{ do = \"carry\", from = \"{id}.city\", to = \"{city}\" }}"));
                woven.fates.push((format!("{id}.city"), Fate::Kept(city.clone())));
                for part in ["line1", "state", "postal_code", "country"] {
                    woven.fates.push((format!("{id}.{part}"), Fate::Kept(format!("{id}.{part}"))));
                }
                woven.next.push(Asked { id: city, leaf: Leaf::of("text"), fields: Vec::new() });
                woven.next.push(one.clone());
            }
            2 => drop_it(id, woven),
            _ => {
                woven.fates.push((id.clone(), Fate::Kept(id.clone())));
                woven.next.push(one.clone());
            }
        }
    }

    fn list(&mut self, one: &Asked, woven: &mut Woven) {
        match self.chance.below(6) {
            0 => return drop_it(&one.id, woven),
            1 => return self.dissolve(one, woven),
            _ => {}
        }
        let mut id = one.id.clone();
        if self.chance.often(3) {
            id = self.id();
            woven.changes.push(format!("{{ do = \"carry\", from = \"{}\", to = \"{id}\" }}", one.id));
        }
        let (mut fields, under) = (Vec::new(), format!("{id}."));
        let touched = self.chance.often(2);
        for (field, leaf) in &one.fields {
            let slot = format!("{}.{field}", one.id);
            if touched {
                self.leaf_step((&slot, &under), (field, leaf), &mut fields, woven);
            } else {
                woven.fates.push((slot, Fate::Kept(format!("{under}{field}"))));
                fields.push((field.clone(), leaf.clone()));
            }
        }
        if fields.is_empty() || self.chance.often(4) {
            let field = self.id();
            woven.changes.push(format!("{{ do = \"new\", to = \"{under}{field}\" }}"));
            fields.push((field, Leaf::of("text")));
        }
        woven.next.push(Asked { id, leaf: Leaf::of("repeating"), fields });
    }

    /// A list is no longer asked: of its fields one answer each.
    fn dissolve(&mut self, one: &Asked, woven: &mut Woven) {
        for (field, leaf) in &one.fields {
            let slot = format!("{}.{field}", one.id);
            if self.chance.often(3) {
                drop_it(&slot, woven);
                continue;
            }
            let (id, more) = (self.id(), *self.chance.one_of(&["first", "last", "ask"]));
            woven
                .changes
                .push(format!("{{ do = \"carry\", from = \"{slot}\", to = \"{id}\", more = \"{more}\" }}"));
            woven.fates.push((slot, Fate::Kept(id.clone())));
            woven.next.push(Asked { id, leaf: leaf.clone(), fields: Vec::new() });
        }
    }

    /// Answers of an edition: some left out, some that are none, some to questions it does not have.
    pub(crate) fn answers(&mut self, asked: &[Asked]) -> Map<String, Value> {
        let mut answers = Map::new();
        for one in asked {
            if self.chance.often(6) {
                continue;
            }
            let answer = if self.chance.often(25) {
                json!({ "odd": [1, null] })
            } else if one.fields.is_empty() {
                self.value(&one.leaf)
            } else {
                (0..self.chance.below(4)).map(|_| self.item(&one.fields)).collect()
            };
            answers.insert(one.id.clone(), answer);
        }
        if self.chance.often(20) {
            answers.insert("stray".to_owned(), json!("kept by nobody"));
        }
        answers
    }

    fn item(&mut self, fields: &[(String, Leaf)]) -> Value {
        let mut item = Map::new();
        for (id, leaf) in fields {
            if !self.chance.often(4) {
                item.insert(id.clone(), self.value(leaf));
            }
        }
        Value::Object(item)
    }

    /// An answer as it is stored.
    fn value(&mut self, leaf: &Leaf) -> Value {
        let texts =
            ["Ana", "Ana de Paz", "2024-01-05", "12", "PE", "yes", "a/b", "José María", "red", "Ana 12"];
        match leaf.kind {
            "text" => json!(self.chance.one_of(&texts)),
            "long_text" => {
                let text = *self.chance.one_of(&texts);
                if self.chance.often(6) { json!("long ".repeat(100).trim()) } else { json!(text) }
            }
            "name_part" => json!(self.chance.one_of(&["Ana", "Ana de Paz", "José María"])),
            "yes_no" | "check" => json!(self.chance.often(2)),
            "select" => json!(self.chance.one_of(&leaf.options)),
            "multi" => {
                let options: Vec<&String> = leaf.options.iter().filter(|_| self.chance.often(2)).collect();
                json!(options)
            }
            "int" => json!(self.chance.below(3000)),
            "money" => json!(self.chance.below(9_000) * 50),
            "weight" => json!(100 + self.chance.below(200)),
            "date" => json!(self.chance.one_of(&["2024-01-05", "1999-12-31"])),
            "partial_date" => json!(self.chance.one_of(&["2024-01-05", "2024-01", "1999"])),
            "partial_date:month" => json!(self.chance.one_of(&["2024-01-05", "2024-01"])),
            "country" => json!(self.chance.one_of(&["PE", "MX"])),
            "email" => json!("one@example.test"),
            "address" => {
                json!({ "line1": "1 Elm St", "city": "Reno", "state": "NV", "postal_code": "89501", "country": "US" })
            }
            other => panic!("no answer of type {other}"),
        }
    }
}

fn drop_it(slot: &str, woven: &mut Woven) {
    woven.changes.push(format!("{{ do = \"drop\", from = \"{slot}\", reason = \"No longer asked.\" }}"));
    woven.fates.push((slot.to_owned(), Fate::Dropped));
}
