//! `docket log verify`: with a bar that says how fast it goes and how long it will take.
use super::file::kept_in;
use super::on::{Following, cut_short};
use super::{Client, Operator};
use crate::commands::Refused;
use crate::output::{Teller, bar};
use anyhow::{Result, bail};
use docket_proto::log::v1 as pb;
use docket_proto::log::v1::verify_log_response::Step;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::path::PathBuf;
use tonic::Request;

pub(super) async fn verify(
    operator: &mut Operator<'_>,
    stream: Option<String>,
    from: u64,
    kept: &[PathBuf],
) -> Result<()> {
    let of_stream = stream.is_some();
    let kept = kept.iter().map(|file| kept_in(file)).collect::<Result<_>>()?;
    let mut following = Following::new();
    let mut message = pb::VerifyLogRequest {
        from_position: from,
        stream: stream.unwrap_or_default(),
        kept,
        run: following.run.clone(),
        resume: false,
    };
    let bar = bar("events checked", operator.teller);
    let found = loop {
        let client = operator.client()?;
        match watch(client, operator.ask_for_long(message.clone()), &mut following, &bar).await {
            Ok(found) => break found,
            Err(failed) => following.again_or_anew(operator, failed).await?,
        }
        (message.run, message.resume) = (following.run.clone(), following.begun);
    };
    bar.finish_and_clear();
    told(operator, &found, of_stream);
    if !found.sound {
        bail!("the log is not as it was written: {}: {}", place(&found), found.fault);
    }
    Ok(())
}

/// Shows how far a check is until its result comes.
async fn watch(
    mut client: Client,
    asked: Request<pb::VerifyLogRequest>,
    following: &mut Following,
    bar: &ProgressBar,
) -> Result<pb::VerifyResult> {
    let mut steps = client.verify_log(asked).await.map_err(Refused::from)?.into_inner();
    while let Some(step) = steps.message().await.map_err(Refused::from)? {
        following.moved();
        match step.step {
            Some(Step::Progress(progress)) => {
                bar.set_length(progress.total);
                bar.set_position(progress.done);
            }
            Some(Step::Result(result)) => return Ok(result),
            None => {}
        }
    }
    Err(cut_short())
}

/// Where the first fault is.
fn place(found: &pb::VerifyResult) -> String {
    let position = format!("position {}", found.broken_position);
    if found.broken_stream.is_empty() {
        return position;
    }
    format!("{position} ({} version {})", found.broken_stream, found.broken_version)
}

fn told(operator: &Operator<'_>, found: &pb::VerifyResult, of_stream: bool) {
    let teller: &Teller = operator.teller;
    if teller.is_json() {
        teller.value(&json!({
            "service": operator.service(), "from": found.from, "to": found.to, "checkpoints": found.checkpoints,
            "protected_to": found.protected_to, "sound": found.sound, "broken_position": found.broken_position,
            "broken_event_id": found.broken_event_id, "broken_stream": found.broken_stream,
            "broken_version": found.broken_version, "fault": found.fault, "faults": found.faults,
            "further": found.further.iter().map(further).collect::<Vec<_>>(),
        }));
        return;
    }
    let what = if of_stream { "versions" } else { "positions" };
    teller.pair("checked", &format!("{what} {} to {}", found.from, found.to));
    if !of_stream {
        teller.pair("checkpoints met", &found.checkpoints.to_string());
        teller.pair("signed up to", &found.protected_to.to_string());
    }
    if found.sound {
        teller.line("all is as it was written");
        return;
    }
    teller.pair("faults", &found.faults.to_string());
    let first = pb::VerifyFault {
        position: found.broken_position,
        stream: found.broken_stream.clone(),
        version: found.broken_version,
        event_id: found.broken_event_id.clone(),
        fault: found.fault.clone(),
    };
    let rows = std::iter::once(&first).chain(&found.further).map(|fault| {
        let version = if fault.version == 0 { String::new() } else { fault.version.to_string() };
        vec![fault.position.to_string(), fault.stream.clone(), version, fault.fault.clone()]
    });
    teller.table(&["position", "stream", "version", "fault"], rows.collect());
}

fn further(fault: &pb::VerifyFault) -> Value {
    json!({
        "position": fault.position, "stream": fault.stream, "version": fault.version, "event_id": fault.event_id,
        "fault": fault.fault,
    })
}
