//! Access: the service's Cedar policies, asked with the caller's roles and relations.
//!
//! A service's `access.cedarschema` names these entity types, and one action for each rpc that a
//! person may call; the rpc's method name is the action's name:
//!
//! ```cedarschema
//! entity Person { roles: Set<String>, offices: Set<String>, roles_here: Set<String> };
//! entity Resource { kind: String, relations: Set<String>, office: String, class: String };
//! action GetFiling, SubmitFiling appliesTo { principal: Person, resource: Resource };
//! ```
//!
//! `roles_here` are the roles held in the resource's office. `office` is empty where a resource has none.
//! Nothing is allowed that no policy permits.

mod view;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    Response, Schema, ValidationMode, Validator,
};
use moka::sync::Cache;
use uuid::Uuid;

use self::view::View;
use crate::{ApiError, Caller, Identity, Role};

/// So many answers are remembered; there are few questions.
const MOST_KNOWN: u64 = 4_096;
/// Classes of visibility which the coarse question tries.
const CLASSES: [&str; 3] = ["normal", "protected", "sealed"];

/// A thing somebody wants to do something with.
#[derive(Debug, Clone)]
pub struct Resource<'a> {
    /// Such as `Filing`.
    pub kind: &'a str,
    /// Its id.
    pub id: Uuid,
    /// The caller's relations to it: `owner`, `applicant`, `representative` …
    pub relations: Vec<&'a str>,
    /// The office it is with.
    pub office: Option<&'a str>,
    /// Its class of visibility: `normal`, `protected`, `sealed`.
    pub class: &'a str,
}

/// The policies of one service. Cheap to clone.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    policies: PolicySet,
    actions: Vec<EntityUid>,
    /// Every word a policy compares with, among them all relations.
    words: Vec<String>,
    person: EntityTypeName,
    resource: EntityTypeName,
    verdicts: Cache<Asked, Verdict>,
    /// Of an action and the roles of whoever would do it.
    ever: Cache<(String, Vec<Role>), bool>,
}

/// Everything that a policy sees of a question: the same question has the same answer.
#[derive(PartialEq, Eq, Hash)]
struct Asked {
    action: String,
    roles: Vec<Role>,
    kind: String,
    relations: Vec<String>,
    office: Option<String>,
    class: String,
}

impl Asked {
    fn of(caller: &Caller, action: &str, resource: &Resource<'_>) -> Self {
        Self {
            action: action.to_owned(),
            roles: caller.roles.clone(),
            kind: resource.kind.to_owned(),
            relations: resource.relations.iter().map(|&relation| relation.to_owned()).collect(),
            office: resource.office.map(str::to_owned),
            class: resource.class.to_owned(),
        }
    }
}

/// What the policies say.
#[derive(Clone)]
enum Verdict {
    Allowed,
    /// Something else is allowed, and not this: by that policy.
    Denied {
        policy: String,
    },
    /// Nothing at all is.
    Nothing,
}

impl Access {
    /// Reads the policies and checks them against the schema.
    ///
    /// # Errors
    /// Every fault the validator finds.
    pub fn new(policies: &str, schema: &str) -> anyhow::Result<Self> {
        let (schema, _warnings) = Schema::from_cedarschema_str(schema)?;
        let actions: Vec<_> = schema.actions().cloned().collect();
        let policies: PolicySet = policies.parse()?;
        let result = Validator::new(schema).validate(&policies, ValidationMode::Strict);
        if !result.validation_passed() {
            let faults: Vec<_> = result.validation_errors().map(ToString::to_string).collect();
            anyhow::bail!("the policies do not fit their schema:\n{}", faults.join("\n"));
        }
        let mut words = BTreeSet::new();
        for policy in policies.policies() {
            collect_words(&policy.to_json()?, &mut words);
        }
        Ok(Self(Arc::new(Inner {
            policies,
            actions,
            words: words.into_iter().collect(),
            person: "Person".parse()?,
            resource: "Resource".parse()?,
            verdicts: Cache::new(MOST_KNOWN),
            ever: Cache::new(MOST_KNOWN),
        })))
    }

    /// The actions of the schema.
    pub fn actions(&self) -> Vec<String> {
        self.0.actions.iter().map(|action| action.id().unescaped().to_owned()).collect()
    }

    /// Allows or refuses `action` (an rpc's name) on `resource`. Services pass: their methods name their callers.
    ///
    /// # Errors
    /// `NOT_FOUND` when the caller may do nothing at all with it, just as if it did not exist; `PERMISSION_DENIED`
    /// when something else, but not this.
    pub fn require(&self, caller: &Caller, action: &str, resource: &Resource<'_>) -> Result<(), ApiError> {
        if matches!(caller.identity, Identity::Service(_)) {
            return Ok(());
        }
        if caller.account().is_none() {
            return Err(ApiError::Unauthenticated);
        }
        let judge = || self.judge(action, &View::of(caller, resource));
        match self.0.verdicts.get_with(Asked::of(caller, action, resource), judge) {
            Verdict::Allowed => Ok(()),
            Verdict::Nothing => Err(ApiError::not_found()),
            Verdict::Denied { policy } => Err(ApiError::Denied { action: action.to_owned(), policy }),
        }
    }

    fn judge(&self, action: &str, view: &View<'_>) -> Verdict {
        let asked = self.0.actions.iter().find(|uid| uid.id().unescaped() == action);
        let answer = asked.map(|uid| self.ask(uid, view));
        match answer {
            Some(answer) if answer.decision() == Decision::Allow => Verdict::Allowed,
            _ if !self.0.actions.iter().any(|uid| self.ask(uid, view).decision() == Decision::Allow) => {
                Verdict::Nothing
            }
            answer => {
                Verdict::Denied { policy: answer.map(|answer| self.policy_of(&answer)).unwrap_or_default() }
            }
        }
    }

    /// Whether `action` is allowed, for lists and counts.
    pub fn allows(&self, caller: &Caller, action: &str, resource: &Resource<'_>) -> bool {
        self.require(caller, action, resource).is_ok()
    }

    /// Whether this person could ever do that: with some resource to which all relations are held.
    pub(crate) fn could_ever(&self, caller: &Caller, action: &str) -> bool {
        let asked = (action.to_owned(), caller.roles.clone());
        caller.account().is_some() && self.0.ever.get_with(asked, || self.finds_a_way(caller, action))
    }

    fn finds_a_way(&self, caller: &Caller, action: &str) -> bool {
        let Some(action) = self.0.actions.iter().find(|uid| uid.id().unescaped() == action) else {
            return false;
        };
        let offices = caller.roles.iter().map(|role| Some(role.office.as_str())).chain([None]);
        let relations: Vec<&str> = self.0.words.iter().map(String::as_str).collect();
        let mut kinds = relations.clone();
        kinds.push("");
        offices.into_iter().any(|office| {
            CLASSES.iter().any(|class| {
                // A policy may ask for the kind; relations cannot be told from kinds, so the words serve as both.
                kinds.iter().rev().any(|kind| {
                    let relations = relations.clone();
                    let resource = Resource { kind, id: Uuid::nil(), relations, office, class };
                    let view = View::of(caller, &resource);
                    self.ask(action, &view).decision() == Decision::Allow
                })
            })
        })
    }

    /// A policy sees no id: what it says holds for whoever stands so to whatever is such.
    fn ask(&self, action: &EntityUid, view: &View<'_>) -> Response {
        let inner = &self.0;
        let uid = |kind: &EntityTypeName| {
            EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(Uuid::nil().to_string()))
        };
        let (person, resource) = (uid(&inner.person), uid(&inner.resource));
        let request = Request::new(person.clone(), action.clone(), resource.clone(), Context::empty(), None)
            .expect("only a schema makes a request invalid, and none is given");
        let entities = [(person, view.person()), (resource, view.resource())].map(|(uid, attributes)| {
            Entity::new(uid, attributes, HashSet::new()).expect("strings and sets of strings evaluate")
        });
        let entities = Entities::from_entities(entities, None).expect("two entities of different types");
        Authorizer::new().is_authorized(&request, &inner.policies, &entities)
    }

    /// The `@id` of the policy that decided, or its place in the file.
    fn policy_of(&self, response: &Response) -> String {
        let Some(id) = response.diagnostics().reason().next() else { return String::new() };
        self.0.policies.annotation(id, "id").map_or_else(|| id.to_string(), str::to_owned)
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Access({} policies)", self.0.policies.policies().count())
    }
}

/// Every string a policy's conditions compare with (`{"Value": "…"}` in Cedar's JSON).
fn collect_words(json: &serde_json::Value, words: &mut BTreeSet<String>) {
    use serde_json::Value;
    match json {
        Value::Object(fields) => {
            for (key, value) in fields {
                if let (Value::String(word), "Value") = (value, key.as_str()) {
                    words.insert(word.clone());
                } else {
                    collect_words(value, words);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_words(item, words)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Person, Role};

    const SCHEMA: &str = "
        entity Person { roles: Set<String>, offices: Set<String>, roles_here: Set<String> };
        entity Resource { kind: String, relations: Set<String>, office: String, class: String };
        action GetFiling, SubmitFiling, DecideCase appliesTo { principal: Person, resource: Resource };
    ";
    const POLICIES: &str = r#"
        permit (principal, action in [Action::"GetFiling", Action::"SubmitFiling"], resource)
        when { resource.relations.contains("applicant") };
        permit (principal, action == Action::"GetFiling", resource)
        when { resource.relations.contains("representative") };
        permit (principal, action == Action::"DecideCase", resource)
        when { principal.roles_here.contains("adjudicator") && resource.class == "normal" };
    "#;

    fn person(roles: &[(&str, &str)]) -> Caller {
        let person = Person {
            account: Uuid::from_u128(1),
            session: Uuid::from_u128(2),
            step_up: false,
            auth_level: 2,
        };
        let roles =
            roles.iter().map(|(role, office)| Role { role: (*role).into(), office: (*office).into() });
        Caller { identity: Identity::Person(person), roles: roles.collect() }
    }

    fn filing<'a>(relations: &[&'a str], office: Option<&'a str>) -> Resource<'a> {
        Resource {
            kind: "Filing",
            id: Uuid::from_u128(3),
            relations: relations.to_vec(),
            office,
            class: "normal",
        }
    }

    #[test]
    fn a_relation_allows_what_its_policy_says() {
        let access = Access::new(POLICIES, SCHEMA).unwrap();
        assert!(access.allows(&person(&[]), "SubmitFiling", &filing(&["applicant"], None)));
        let denied = access.require(&person(&[]), "SubmitFiling", &filing(&["representative"], None));
        assert!(matches!(denied, Err(ApiError::Denied { .. })));
    }

    #[test]
    fn without_any_relation_it_is_as_if_it_did_not_exist() {
        let access = Access::new(POLICIES, SCHEMA).unwrap();
        let nobody = access.require(&person(&[]), "GetFiling", &filing(&[], None)).unwrap_err();
        assert_eq!(tonic::Status::from(nobody).code(), tonic::Code::NotFound);
        let elsewhere =
            access.require(&person(&[("adjudicator", "FO-NYC")]), "DecideCase", &filing(&[], Some("NBC")));
        assert_eq!(tonic::Status::from(elsewhere.unwrap_err()).code(), tonic::Code::NotFound);
        assert!(access.allows(&person(&[("adjudicator", "NBC")]), "DecideCase", &filing(&[], Some("NBC"))));
    }

    #[test]
    fn what_was_asked_before_is_answered_so_only_for_who_stands_so() {
        let access = Access::new(POLICIES, SCHEMA).unwrap();
        let officer = person(&[("adjudicator", "NBC")]);
        for _ in 0..2 {
            assert!(access.allows(&person(&[]), "SubmitFiling", &filing(&["applicant"], None)));
            assert!(!access.allows(&person(&[]), "DecideCase", &filing(&["applicant"], None)));
            assert!(!access.allows(&person(&[]), "SubmitFiling", &filing(&[], None)));
            assert!(access.could_ever(&officer, "DecideCase"));
            assert!(access.allows(&officer, "DecideCase", &filing(&[], Some("NBC"))));
            let sealed = Resource { class: "sealed", ..filing(&[], Some("NBC")) };
            assert!(!access.allows(&officer, "DecideCase", &sealed));
            // The role was taken away.
            assert!(!access.allows(&person(&[]), "DecideCase", &filing(&[], Some("NBC"))));
            assert!(!access.could_ever(&person(&[]), "DecideCase"));
        }
    }

    #[test]
    fn the_coarse_question_asks_whether_it_could_ever_be() {
        let access = Access::new(POLICIES, SCHEMA).unwrap();
        assert!(access.could_ever(&person(&[]), "SubmitFiling"));
        assert!(!access.could_ever(&person(&[]), "DecideCase"));
        assert!(access.could_ever(&person(&[("adjudicator", "NBC")]), "DecideCase"));
        assert!(!access.could_ever(&person(&[]), "NoSuchAction"));
    }

    #[test]
    fn policies_that_do_not_fit_the_schema_are_refused() {
        assert!(
            Access::new("permit (principal, action, resource) when { resource.colour == 1 };", SCHEMA)
                .is_err()
        );
    }
}
