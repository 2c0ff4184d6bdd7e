//! What a policy sees of the caller and the thing asked for.

use std::collections::{HashMap, HashSet};

use cedar_policy::RestrictedExpression;

use super::Resource;
use crate::Caller;

/// One question's attributes.
pub(super) struct View<'a> {
    roles: HashSet<&'a str>,
    offices: HashSet<&'a str>,
    roles_here: HashSet<&'a str>,
    resource: &'a Resource<'a>,
}

impl<'a> View<'a> {
    pub(super) fn of(caller: &'a Caller, resource: &'a Resource<'a>) -> Self {
        let here = caller.roles.iter().filter(|role| Some(role.office.as_str()) == resource.office);
        Self {
            roles: caller.roles.iter().map(|role| role.role.as_str()).collect(),
            offices: caller.roles.iter().map(|role| role.office.as_str()).collect(),
            roles_here: here.map(|role| role.role.as_str()).collect(),
            resource,
        }
    }

    pub(super) fn person(&self) -> HashMap<String, RestrictedExpression> {
        HashMap::from([
            ("roles".to_owned(), set(self.roles.iter().copied())),
            ("offices".to_owned(), set(self.offices.iter().copied())),
            ("roles_here".to_owned(), set(self.roles_here.iter().copied())),
        ])
    }

    pub(super) fn resource(&self) -> HashMap<String, RestrictedExpression> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        HashMap::from([
            ("kind".to_owned(), text(self.resource.kind)),
            ("relations".to_owned(), set(self.resource.relations.iter().copied())),
            ("office".to_owned(), text(self.resource.office.unwrap_or_default())),
            ("class".to_owned(), text(self.resource.class)),
        ])
    }
}

fn set<'a>(items: impl Iterator<Item = &'a str>) -> RestrictedExpression {
    RestrictedExpression::new_set(items.map(|item| RestrictedExpression::new_string(item.to_owned())))
}
