//! Asking the processor: one thing by its id, or a list, newest first.

use axum::{
    Json,
    extract::{OriginalUri, Path, RawQuery, State},
};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Shared, store};

use super::{fault::Fault, form::Params, objects::PaymentIntent};

type Answer = Result<Json<Value>, Fault>;

macro_rules! one {
    ($name:ident, $table:ident, $kind:literal) => {
        pub(crate) async fn $name(State(shared): State<Shared>, Path(id): Path<String>) -> Answer {
            let found = shared.store.read(|state| state.$table.get(&id).map(|thing| json!(thing))).await;
            found.map(Json).ok_or_else(|| Fault::missing_resource($kind, &id))
        }
    };
}

macro_rules! many {
    ($name:ident, $table:ident, [$($field:literal),*]) => {
        pub(crate) async fn $name(
            State(shared): State<Shared>,
            OriginalUri(uri): OriginalUri,
            RawQuery(query): RawQuery,
        ) -> Answer {
            let params = Params::parse(query.unwrap_or_default().as_bytes());
            params.only(&["limit", "starting_after", "created", $($field),*])?;
            shared.store.read(|state| page(&state.$table, &params, &[$($field),*], uri.path())).await
        }
    };
}

one!(intent, intents, "payment_intent");
one!(charge, charges, "charge");
one!(refund, refunds, "refund");
one!(dispute, disputes, "dispute");
one!(event, events, "event");
many!(intents, intents, ["status"]);
many!(charges, charges, ["payment_intent"]);
many!(refunds, refunds, ["payment_intent", "charge"]);
many!(disputes, disputes, ["payment_intent", "charge"]);
many!(events, events, ["type"]);

/// `GET /v1/payment_intents/search?query=metadata['payment']:'…' AND status:'succeeded'`.
pub(crate) async fn search(
    State(shared): State<Shared>,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
) -> Answer {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    params.only(&["query", "limit", "page"])?;
    let terms = terms(params.required("query")?)?;
    let limit = limit(&params)?;
    let (data, has_more) = shared
        .store
        .read(|state: &store::State| {
            let mut found =
                state.intents.values().rev().filter(|intent| terms.iter().all(|term| term.fits(intent)));
            let data: Vec<Value> = found.by_ref().take(limit).map(|intent| json!(intent)).collect();
            (data, found.next().is_some())
        })
        .await;
    let url = uri.path();
    Ok(Json(
        json!({"object": "search_result", "data": data, "has_more": has_more, "next_page": null, "url": url}),
    ))
}

/// One `field:'value'` of a search.
enum Term {
    Metadata(String, String),
    Status(String),
    Currency(String),
}

impl Term {
    fn fits(&self, intent: &PaymentIntent) -> bool {
        match self {
            Self::Metadata(key, value) => intent.metadata.get(key) == Some(value),
            Self::Status(value) => intent.status.word() == value,
            Self::Currency(value) => intent.currency == *value,
        }
    }
}

fn terms(query: &str) -> Result<Vec<Term>, Fault> {
    let unclear = || Fault::param("parameter_invalid", "query", "We were unable to parse the query");
    let parse = |part: &str| {
        let (field, value) = part.trim().split_once(':')?;
        let value = unquoted(value)?.to_owned();
        match field {
            "status" => Some(Term::Status(value)),
            "currency" => Some(Term::Currency(value)),
            _ => {
                let key = field.strip_prefix("metadata[")?.strip_suffix(']')?;
                Some(Term::Metadata(unquoted(key)?.to_owned(), value))
            }
        }
    };
    query.split(" AND ").map(|part| parse(part).ok_or_else(unclear)).collect()
}

fn unquoted(text: &str) -> Option<&str> {
    let text = text.trim();
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('\'').or_else(|| inner('"'))
}

fn limit(params: &Params) -> Result<usize, Fault> {
    let wrong = || Fault::param("parameter_invalid_integer", "limit", "Limit is between 1 and 100");
    let limit = params.number("limit")?.unwrap_or(10);
    if (1..=100).contains(&limit) { usize::try_from(limit).map_err(|_| wrong()) } else { Err(wrong()) }
}

fn page<T: Serialize>(table: &IndexMap<String, T>, params: &Params, fields: &[&str], url: &str) -> Answer {
    let limit = limit(params)?;
    let since = params.number("created[gte]")?;
    let end = match params.get("starting_after") {
        Some(id) => table.get_index_of(id).ok_or_else(|| Fault::missing_resource("object", id))?,
        None => table.len(),
    };
    let fits = |thing: &Value| {
        fields.iter().all(|field| params.get(field).is_none_or(|wanted| thing[*field] == wanted))
            && since.is_none_or(|since| thing["created"].as_i64() >= Some(since))
    };
    let mut found =
        (0..end).rev().filter_map(|at| table.get_index(at)).map(|(_, thing)| json!(thing)).filter(fits);
    let data: Vec<Value> = found.by_ref().take(limit).collect();
    let has_more = found.next().is_some();
    Ok(Json(json!({"object": "list", "data": data, "has_more": has_more, "url": url})))
}
