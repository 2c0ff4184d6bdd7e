//! Switches that break a whole party at once: `PUT /sandbox/parties/{party}`.

use axum::{
    Json, Router,
    extract::{ConnectInfo, Path, Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};

use crate::{Shared, cut::Cut, store::Record};

/// Who can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Party {
    Processor,
    Mail,
    Sms,
    Scanner,
    Register,
}

/// How a party behaves.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    #[default]
    Works,
    /// A temporary error in the party's own protocol.
    Error,
    /// The connection ends without an answer.
    Hangup,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    mode: Mode,
}

pub(crate) fn router() -> Router<Shared> {
    Router::new().route("/sandbox/parties/{party}", get(show).put(set))
}

async fn show(State(shared): State<Shared>, Path(party): Path<Party>) -> Json<Setting> {
    Json(Setting { mode: shared.store.read(|state| state.mode(party)).await })
}

async fn set(
    State(shared): State<Shared>,
    Path(party): Path<Party>,
    Json(setting): Json<Setting>,
) -> Json<Setting> {
    shared.store.write(|tx| tx.put(Record::Mode { party, mode: setting.mode })).await;
    Json(setting)
}

/// Answers in a broken HTTP party's place; to be layered over its routes.
pub(crate) async fn gate(
    State((shared, party)): State<(Shared, Party)>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
    next: Next,
) -> Response {
    match shared.store.read(|state| state.mode(party)).await {
        Mode::Works => next.run(request).await,
        Mode::Error => {
            let body = Json(
                serde_json::json!({"error": {"type": "api_error", "message": "out of order, try again later"}}),
            );
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
        Mode::Hangup => cut.now(),
    }
}
