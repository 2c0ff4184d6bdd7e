//! The register of persons: knows plainly invented people and says whether all particulars agree.

use axum::{Json, Router, extract::State, http::StatusCode, middleware, routing::post};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;

use crate::{
    Shared, ids,
    parties::{self, Party},
    store::Record,
};

/// What is asked about, and what is known of an invented person.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Particulars {
    family_name: String,
    #[serde(default)]
    given_name: String,
    date_of_birth: Date,
    #[serde(default)]
    a_number: Option<String>,
}

/// A person of the register.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Person {
    person: String,
    particulars: Particulars,
}

impl Person {
    /// What makes two entries the same person.
    pub(crate) fn key(&self) -> String {
        self.particulars.key()
    }
}

impl Particulars {
    fn key(&self) -> String {
        let number = self.a_number.as_deref().map(digits).unwrap_or_default();
        format!("{}|{}|{}|{number}", folded(&self.family_name), folded(&self.given_name), self.date_of_birth)
    }
}

pub(crate) fn router(shared: &Shared) -> Router<Shared> {
    Router::new()
        .route("/register/match", post(find))
        .route("/register/persons", post(add))
        .layer(middleware::from_fn_with_state((shared.clone(), Party::Register), parties::gate))
}

async fn find(State(shared): State<Shared>, Json(asked): Json<Particulars>) -> Json<Value> {
    let key = asked.key();
    let found = shared.store.read(|state| state.persons.get(&key).map(|known| known.person.clone())).await;
    Json(match found {
        Some(person) => json!({"match": "exact", "person": person}),
        None => json!({"match": "none"}),
    })
}

async fn add(
    State(shared): State<Shared>,
    Json(particulars): Json<Particulars>,
) -> (StatusCode, Json<Value>) {
    let key = particulars.key();
    let (status, person) = shared
        .store
        .write(|tx| {
            if let Some(known) = tx.state.persons.get(&key) {
                return (StatusCode::OK, known.person.clone());
            }
            let person = ids::random("rp");
            tx.put(Record::Person(Person { person: person.clone(), particulars }));
            (StatusCode::CREATED, person)
        })
        .await;
    (status, Json(json!({"person": person})))
}

/// Composed, lower case, single spaces.
fn folded(name: &str) -> String {
    let composed: String = name.nfc().collect::<String>().to_lowercase();
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The digits of an A-number without leading zeros: `A012 345 678` is `12345678`.
fn digits(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    digits.trim_start_matches('0').to_owned()
}
