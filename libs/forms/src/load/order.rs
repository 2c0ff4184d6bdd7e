//! Names settled and orders of evaluation: each question after those which decide whether it is shown.

use std::collections::HashMap;

use crate::expr::Expr;
use crate::filled::Filled;
use crate::form::{Form, Question};

/// Settles the names of a form, and finds its order and that of the items in it; gives back what is shown depending on
/// itself.
pub(crate) fn put_in_order(form: &mut Form) -> Vec<String> {
    settle(form);
    let mut cycles = Vec::new();
    for question in &mut form.questions {
        match field_order(question) {
            Ok(order) => question.field_order = order,
            Err(path) => cycles.push(path),
        }
    }
    match question_order(form) {
        Ok(order) => form.order = order,
        Err(id) => cycles.push(id),
    }
    cycles
}

/// Finds for every name in the form's conditions which question it is.
fn settle(form: &mut Form) {
    let places = form.places();
    for role in &mut form.roles {
        role.required.settle(&places);
    }
    for question in &mut form.questions {
        question.required.settle(&places);
        question.shown.settle(&places);
        for source in question.filled.iter_mut().flat_map(Filled::sources_mut) {
            source.settle(&places);
        }
        for field in &mut question.fields {
            field.required.settle(&places);
            field.shown.settle(&places);
        }
    }
    for rule in &mut form.rules {
        rule.when.settle(&places);
    }
    for row in &mut form.evidence {
        row.when.settle(&places);
    }
    for row in &mut form.fees {
        row.when.settle(&places);
        row.waivable_when.settle(&places);
    }
    for row in &mut form.last_days {
        row.when.settle(&places);
        row.day.settle(&places);
    }
    for row in &mut form.protections {
        row.when.settle(&places);
    }
}

/// The questions in an order in which each stands after those its being shown hangs on.
///
/// # Errors
/// The id of a question which is shown depending on itself.
fn question_order(form: &Form) -> Result<Vec<usize>, String> {
    let hangs_on = |question: &Question| -> Vec<usize> {
        let of_fields = question.fields.iter().flat_map(|field| field.shown.questions());
        let of_table = question.filled.iter().flat_map(Filled::questions);
        question.shown.questions().into_iter().chain(of_fields).chain(of_table).collect()
    };
    let edges: Vec<Vec<usize>> = form.questions.iter().map(hangs_on).collect();
    sorted(&edges).map_err(|n| form.questions.get(n).map(|question| question.id.clone()).unwrap_or_default())
}

/// The sub-fields of a question in such an order.
///
/// # Errors
/// The path of a sub-field which is shown depending on itself.
fn field_order(question: &Question) -> Result<Vec<usize>, String> {
    let place: HashMap<&str, usize> =
        question.fields.iter().enumerate().map(|(n, field)| (field.id.as_str(), n)).collect();
    let edges: Vec<Vec<usize>> = question
        .fields
        .iter()
        .map(|field| {
            item_names(&field.shown).iter().filter_map(|name| place.get(name.as_str()).copied()).collect()
        })
        .collect();
    sorted(&edges).map_err(|n| {
        let field = question.fields.get(n).map(|field| field.id.clone()).unwrap_or_default();
        format!("{}.{field}", question.id)
    })
}

fn item_names(expr: &Expr) -> Vec<String> {
    let mut names = Vec::new();
    expr.node.walk_names(&mut |name| {
        if let [first, field, ..] = name.words.as_slice()
            && first == "it"
        {
            names.push(field.clone());
        }
    });
    names
}

/// Depth-first; the place of a member of a cycle is the error.
fn sorted(edges: &[Vec<usize>]) -> Result<Vec<usize>, usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; edges.len()];
    let mut order = Vec::with_capacity(edges.len());
    for start in 0..edges.len() {
        let mut stack = vec![(start, 0)];
        while let Some((node, next)) = stack.pop() {
            if marks[node] == Mark::Done {
                continue;
            }
            marks[node] = Mark::Open;
            let Some(&to) = edges[node].get(next) else {
                marks[node] = Mark::Done;
                order.push(node);
                continue;
            };
            stack.push((node, next + 1));
            match marks[to] {
                Mark::New => stack.push((to, 0)),
                Mark::Open => return Err(to),
                Mark::Done => {}
            }
        }
    }
    Ok(order)
}
