//! Asking for a waiver of the fee inside a draft: what several people answer of Form I-912 is merged, and nobody's answer is
//! overwritten unseen.

use docket_eventlog::{ExecuteError, Subjects};
use docket_forms::{Answers, Language};
use docket_proto::filing::v1 as pb;
use docket_service::{ApiError, Caller};
use serde_json::Value;

use super::drafts::ATTEMPTS;
use super::view;
use crate::check;
use crate::desk::{Desk, acting_for, id_in};
use crate::domain::filing::{self, Filing, WaiverAsked};
use crate::dossiers::Dossier;
use crate::waiver::{self, Merged};

/// Asks, answers otherwise, or takes the request back.
pub(super) async fn ask(
    desk: &Desk,
    caller: &Caller,
    request: pb::AskFeeWaiverRequest,
) -> Result<pb::Filing, ApiError> {
    let id = id_in("name", "filings", &request.name)?;
    let context = caller.context(&request.request_id, &request)?;
    let given = waiver::normalised(desk.form(waiver::FORM)?, &request.answers_json)?;
    let mut attempt = 1;
    loop {
        let dossier = desk.filing(caller, "AskFeeWaiver", id).await?;
        let context = acting_for(context.clone(), caller, dossier.filing.account);
        if given.is_some() {
            let form = desk.form(&dossier.filing.form)?;
            waiver::possible(form, &dossier.content.answers, &check::given(desk, form, &dossier).await?)?;
        }
        let asked = given.as_ref().map(|given| asked(&dossier, request.etag, given.clone()));
        let decide = |state: &Filing| match &asked {
            Some(asked) => filing::ask_fee_waiver(state, asked.clone()),
            None => filing::drop_fee_waiver(state, request.etag),
        };
        let (known, subjects) = (dossier.folded(), Subjects::filing(id));
        match desk.filings.execute_from(&context, (id, subjects), known, decide).await {
            Ok(done) => {
                // With all answers: who goes on from this etag has seen what others wrote.
                let dossier = desk.dossiers.after(dossier, done).await?;
                return view::whole(desk, caller, &dossier, Language::of(&request.language)).await;
            }
            // Somebody wrote to the request between our look and now: merged again.
            Err(ExecuteError::Refused(refusal))
                if refusal.reason == "STALE"
                    && request.etag <= dossier.filing.version
                    && attempt < ATTEMPTS =>
            {
                attempt += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The request as it is with these answers.
fn asked(dossier: &Dossier, etag: u64, given: Answers) -> WaiverAsked {
    let nothing = Answers::new();
    let before = dossier.waiver().unwrap_or(&nothing);
    let Merged { answers, changed } = waiver::merged(before, given, etag == 0);
    let questions = answers.keys().cloned().collect();
    WaiverAsked {
        merged_at: dossier.filing.version,
        etag,
        changed,
        answers: (questions, Value::Object(answers).to_string()),
    }
}
