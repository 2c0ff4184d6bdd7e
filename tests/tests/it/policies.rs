//! The rights that all policies give, as reviewed; and that no policy can be deleted or changed without it being seen.
use crate::reference::fits;
use crate::system::root;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityUid, Policy, PolicySet, Request,
    RestrictedExpression, Schema,
};
use docket_service::Access;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;
use std::iter;
use std::path::Path;

/// Policies and their schemas, beside each other.
const FILES: [&str; 6] = [
    "services/identity/src/access",
    "services/filing/src/access",
    "services/payments/src/access",
    "services/case-status/src/command/access",
    "services/case-status/src/status/access",
    "services/notifications/src/access",
];

/// Every role there is.
const ROLES: [&str; 9] = [
    "intake_officer",
    "adjudicator",
    "supervisor",
    "biometrics_officer",
    "oath_officer",
    "records_officer",
    "finance",
    "auditor",
    "operator",
];

#[test]
fn the_rights_that_the_policies_give_are_those_that_were_reviewed() {
    let mut page = String::from(
        "# Who may do what, made from the policies by tests/tests/it/policies.rs: the least that is needed for each act.\n",
    );
    for file in FILES {
        let (policies, schema) = read(file);
        let _ = writeln!(page, "\n{file}");
        for right in rights(&policies, &schema) {
            let _ = writeln!(page, "  {right}");
        }
    }
    fits("tests/rights.txt", &page);
}

#[test]
fn no_policy_can_be_deleted_widened_or_narrowed_unseen() {
    let (mut tried, mut unseen) = (0, Vec::new());
    for file in FILES {
        let (policies, schema) = read(file);
        let questions = Questions::of(&policies, &schema);
        let reviewed = questions.answers(&set(&policies));
        for Mutant { what, policies, actions } in mutants(&policies) {
            tried += 1;
            if !questions.differ(&reviewed, &set(&policies), &actions) {
                unseen.push(format!("{file}: {what}"));
            }
        }
    }
    assert!(unseen.is_empty(), "{unseen:#?}");
    println!("{tried} changes of policies were seen");
    assert!(tried > 100, "only {tried} changes were tried");
}

fn read(file: &str) -> (String, String) {
    let text = |end: &str| std::fs::read_to_string(root().join(format!("{file}.{end}"))).unwrap();
    let (policies, schema) = (text("cedar"), text("cedarschema"));
    Access::new(&policies, &schema).expect("the policies fit their schema");
    (policies, schema)
}

/// What a caller and a thing are, as far as policies look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Standing<'a> {
    kind: &'a str,
    relation: &'a str,
    role: &'a str,
    /// Whether the role is held at the thing's office, or the thing has none.
    office: Office,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Office {
    None,
    Elsewhere,
    Here,
}

impl Standing<'_> {
    /// Whether the other one is the same or has less to show.
    fn covers(&self, less: &Self) -> bool {
        let part = |mine: &str, other: &str| other.is_empty() || other == mine;
        part(self.kind, less.kind)
            && part(self.relation, less.relation)
            && part(self.role, less.role)
            && (less.office == Office::None || less.office == self.office)
    }
}

/// The least standings that allow each action, a line each.
fn rights(policies: &str, schema: &str) -> BTreeSet<String> {
    let words = words(policies);
    let standings = standings(&words);
    let questions = Questions::of(policies, schema);
    let answers = questions.answers(&set(policies));
    let mut rights = BTreeSet::new();
    for (action, allowed) in questions.actions.iter().zip(&answers) {
        let of: Vec<&Standing<'_>> =
            standings.iter().zip(allowed).filter(|(_, allowed)| **allowed).map(|(one, _)| one).collect();
        let least = |one: &&&Standing<'_>| !of.iter().any(|other| other != *one && one.covers(other));
        rights.extend(of.iter().filter(least).map(|right| line(action.id().unescaped(), right)));
    }
    rights
}

fn line(action: &str, right: &Standing<'_>) -> String {
    let mut needs = Vec::new();
    for (name, value) in [("", right.role), ("relation ", right.relation), ("kind ", right.kind)] {
        if !value.is_empty() {
            needs.push(format!("{name}{value}"));
        }
    }
    match right.office {
        Office::None => {}
        Office::Elsewhere => needs.push("any office".to_owned()),
        Office::Here => needs.push("of its office".to_owned()),
    }
    let needs = if needs.is_empty() { "anybody".to_owned() } else { needs.join(", ") };
    format!("{action}: {needs}")
}

/// Every kind by itself, every relation by itself, each with every role that the policies name and with another one; and
/// every kind with every relation.
fn standings(words: &BTreeSet<String>) -> Vec<Standing<'_>> {
    let (kinds, relations): (Vec<&str>, Vec<&str>) =
        words.iter().map(String::as_str).partition(|word| word.starts_with(|c: char| c.is_ascii_uppercase()));
    let things = iter::once(("", ""))
        .chain(kinds.iter().map(|kind| (*kind, "")))
        .chain(relations.iter().map(|relation| ("", *relation)));
    let named = ROLES.into_iter().filter(|role| words.contains(*role));
    let other = ROLES.into_iter().find(|role| !words.contains(*role));
    let roles: Vec<&str> = named.chain(other).collect();
    let mut standings = Vec::new();
    for (kind, relation) in things {
        for office in [Office::None, Office::Elsewhere, Office::Here] {
            standings.push(Standing { kind, relation, role: "", office });
            standings.extend(roles.iter().map(|role| Standing { kind, relation, role, office }));
        }
    }
    let office = Office::None;
    let pairs = kinds.iter().flat_map(|kind| relations.iter().map(move |relation| (*kind, *relation)));
    standings.extend(pairs.map(|(kind, relation)| Standing { kind, relation, role: "", office }));
    standings
}

/// All that a file of policies can be asked, faster than a service asks: it need not tell what is denied from what is not
/// there.
struct Questions {
    actions: Vec<EntityUid>,
    /// A person and a thing for each standing.
    entities: Vec<Entities>,
}

impl Questions {
    fn of(policies: &str, schema: &str) -> Self {
        let (schema, _warnings) = Schema::from_cedarschema_str(schema).unwrap();
        // A schema gives its actions in any order, each time in another one.
        let mut actions: Vec<EntityUid> = schema.actions().cloned().collect();
        actions.sort();
        Self { actions, entities: standings(&words(policies)).iter().map(entities).collect() }
    }

    /// Whether each action is allowed to each standing.
    fn answers(&self, policies: &PolicySet) -> Vec<Vec<bool>> {
        let of = |action| self.entities.iter().map(|entities| allows(policies, action, entities)).collect();
        self.actions.iter().map(of).collect()
    }

    /// Whether these policies answer something else than `before`; the actions which were changed are asked for first.
    fn differ(&self, before: &[Vec<bool>], policies: &PolicySet, changed: &[String]) -> bool {
        let is_changed = |action: &EntityUid| changed.iter().any(|name| name == action.id().unescaped());
        let (first, then): (Vec<_>, Vec<_>) =
            self.actions.iter().zip(before).partition(|(action, _)| is_changed(action));
        first.into_iter().chain(then).any(|(action, before)| {
            self.entities.iter().zip(before).any(|(entities, was)| allows(policies, action, entities) != *was)
        })
    }
}

fn allows(policies: &PolicySet, action: &EntityUid, entities: &Entities) -> bool {
    let (person, thing) = (uid("Person"), uid("Resource"));
    let request = Request::new(person, action.clone(), thing, Context::empty(), None).unwrap();
    Authorizer::new().is_authorized(&request, policies, entities).decision() == Decision::Allow
}

fn uid(kind: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.parse().unwrap(), EntityId::new("it"))
}

fn entities(standing: &Standing<'_>) -> Entities {
    let (person, thing) = (uid("Person"), uid("Resource"));
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let some = |word: &str| RestrictedExpression::new_set((!word.is_empty()).then(|| text(word)));
    let here = if standing.office == Office::Here { standing.role } else { "" };
    let person_has = [("roles", some(standing.role)), ("offices", some("NBC")), ("roles_here", some(here))];
    let office = match standing.office {
        Office::None => "",
        Office::Elsewhere => "FO-NYC",
        Office::Here => "NBC",
    };
    let thing_has = [
        ("kind", text(standing.kind)),
        ("relations", some(standing.relation)),
        ("office", text(office)),
        ("class", text("normal")),
    ];
    let entity = |uid: &EntityUid, has: &[(&str, RestrictedExpression)]| {
        let has = has.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Entity::new(uid.clone(), has, HashSet::new()).unwrap()
    };
    Entities::from_entities([entity(&person, &person_has), entity(&thing, &thing_has)], None).unwrap()
}

/// Every string that the policies compare with, without the names of actions.
fn words(policies: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for policy in set(policies).policies() {
        collect(&policy.to_json().unwrap()["conditions"], &mut words);
    }
    words.remove("");
    words
}

fn collect(json: &Value, words: &mut BTreeSet<String>) {
    match json {
        Value::Object(fields) => {
            for (key, value) in fields {
                if let (Value::String(word), "Value") = (value, key.as_str()) {
                    words.insert(word.clone());
                } else {
                    collect(value, words);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn set(policies: &str) -> PolicySet {
    policies.parse().unwrap()
}

/// A file of policies with one of them deleted, or changed in one place.
struct Mutant {
    what: String,
    policies: String,
    /// The actions of the policy as it was.
    actions: Vec<String>,
}

fn mutants(policies: &str) -> Vec<Mutant> {
    let all: Vec<Value> = set(policies).policies().map(|policy| policy.to_json().unwrap()).collect();
    let mut mutants = Vec::new();
    for (place, policy) in all.iter().enumerate() {
        let with = |changed: Option<Value>| {
            let mut all = all.clone();
            match changed {
                Some(changed) => all[place] = changed,
                None => drop(all.remove(place)),
            }
            all.into_iter().map(text).collect::<Vec<_>>().join("\n")
        };
        let name = policy["annotations"]["id"].as_str().map_or_else(|| place.to_string(), str::to_owned);
        let actions: Vec<String> = actions(policy);
        let mutant = |what: String, policies| Mutant { what, policies, actions: actions.clone() };
        mutants.push(mutant(format!("{name} deleted"), with(None)));
        for (what, changed) in changes(policy) {
            mutants.push(mutant(format!("{name}: {what}"), with(Some(changed))));
        }
    }
    mutants
}

fn actions(policy: &Value) -> Vec<String> {
    let action = &policy["action"];
    let several = action["entities"].as_array().into_iter().flatten();
    let all = several.chain(action.get("entity"));
    all.filter_map(|one| one["id"].as_str()).map(str::to_owned).collect()
}

fn text(policy: Value) -> String {
    Policy::from_json(None, policy).unwrap().to_cedar().unwrap()
}

/// One policy, changed in one place.
fn changes(policy: &Value) -> Vec<(String, Value)> {
    let mut changes = Vec::new();
    if policy["conditions"].as_array().is_some_and(|conditions| !conditions.is_empty()) {
        let mut wide = policy.clone();
        wide["conditions"] = json!([]);
        changes.push(("without its condition".to_owned(), wide));
    }
    let mut any = policy.clone();
    any["action"] = json!({ "op": "All" });
    changes.push(("for every action".to_owned(), any));
    for (place, action) in policy["action"]["entities"].as_array().into_iter().flatten().enumerate() {
        let mut narrow = policy.clone();
        narrow["action"]["entities"].as_array_mut().unwrap().remove(place);
        changes.push((format!("without {}", action["id"]), narrow));
    }
    let mut paths = Vec::new();
    branches(&policy["conditions"], "/conditions", &mut paths);
    for (path, side) in paths {
        let mut one_side = policy.clone();
        let node = one_side.pointer_mut(&path).unwrap();
        let kept = node.as_object().unwrap().values().next().unwrap()[side].clone();
        *node = kept;
        changes.push((format!("only the {side} of {path}"), one_side));
    }
    changes
}

/// Where conditions join two parts, and which of them could stay alone.
fn branches(json: &Value, path: &str, found: &mut Vec<(String, &'static str)>) {
    match json {
        Value::Object(fields) => {
            for (key, value) in fields {
                if ["&&", "||"].contains(&key.as_str()) {
                    found.extend([(path.to_owned(), "left"), (path.to_owned(), "right")]);
                }
                branches(value, &format!("{path}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                branches(item, &format!("{path}/{place}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Every file of policies there is, is among those that are looked at.
#[test]
fn every_file_of_policies_is_looked_at() {
    let mut found = Vec::new();
    find(&root().join("services"), &mut found);
    found.sort();
    let mut known: Vec<String> = FILES.iter().map(|file| format!("{file}.cedar")).collect();
    known.sort();
    assert_eq!(found, known);
}

fn find(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, found);
        } else if path.extension().is_some_and(|end| end == "cedar") {
            found.push(path.strip_prefix(root()).unwrap().display().to_string());
        }
    }
}
