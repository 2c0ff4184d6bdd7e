//! `docket log park`: streams that wait because an event of theirs could not be applied.
use super::each::Away;
use super::{Operator, show};
use crate::commands::{Refused, when};
use anyhow::{Context, Result};
use docket_proto::log::v1 as pb;
use serde_json::json;

pub(super) async fn list(operator: &Operator<'_>) -> Result<()> {
    let (mut rows, mut away) = (Vec::new(), Away::default());
    for (service, mut client) in operator.clients()? {
        let asked = client.list_parked(operator.ask(pb::ListParkedRequest {})).await;
        let Some(answer) = away.unless(operator, &service, asked)? else { continue };
        for parked in answer.streams {
            if operator.teller.is_json() {
                let mut value = show::json_of("ParkedStream", &parked)?;
                value["service"] = json!(service);
                operator.teller.value(&value);
            }
            rows.push(vec![
                service.clone(),
                parked.log,
                parked.stream,
                parked.position.to_string(),
                parked.waiting.to_string(),
                when(parked.since_at_us),
                parked.reason,
            ]);
        }
    }
    let heads = ["service", "log", "stream", "position", "waiting", "since", "reason"];
    tell(operator, &heads, rows, "nothing is parked", away)
}

pub(super) async fn show(operator: &Operator<'_>, log: String, stream: String) -> Result<()> {
    let asked = operator.ask(pb::GetParkedRequest { log, stream });
    let answer = operator.client()?.get_parked(asked).await.map_err(Refused::from)?.into_inner();
    if operator.teller.is_json() {
        operator.teller.value(&show::json_of("GetParkedResponse", &answer)?);
        return Ok(());
    }
    let parked = answer.parked.context("a parked stream")?;
    operator.teller.heading(&format!("{} of {}", parked.stream, parked.log));
    operator.teller.pair("stopped by", &format!("position {}: {}", parked.position, parked.reason));
    let rows = answer.positions.into_iter();
    let rows = rows.map(|one| vec![one.position.to_string(), when(one.since_at_us), one.reason]).collect();
    operator.teller.table(&["position", "since", "reason"], rows);
    match &answer.event {
        Some(event) => show::event(event, operator.teller),
        None => operator.teller.line("the owner of the log does not answer, so the event cannot be shown"),
    }
    Ok(())
}

pub(super) async fn redrive(operator: &Operator<'_>, log: String, stream: String) -> Result<()> {
    let asked = operator.ask_for_long(pb::RedriveParkedRequest { log, stream });
    let done = operator.client()?.redrive_parked(asked).await.map_err(Refused::from)?.into_inner();
    if operator.teller.is_json() {
        operator.teller.value(&json!({"applied": done.applied, "still_parked": done.still_parked}));
    } else {
        operator.teller.line(&format!(
            "{} event(s) applied, {} stream(s) still parked",
            done.applied, done.still_parked
        ));
    }
    Ok(())
}

pub(super) async fn skip(operator: &Operator<'_>, ask: pb::SkipParkedRequest) -> Result<()> {
    let position = ask.position;
    let done = operator.client()?.skip_parked(operator.ask(ask)).await.map_err(Refused::from)?.into_inner();
    if operator.teller.is_json() {
        operator.teller.value(&json!({"skipped": position, "waiting": done.waiting}));
    } else {
        operator.teller.line(&format!(
            "the event at {position} was given up; {} of its stream wait for a redrive",
            done.waiting
        ));
    }
    Ok(())
}

pub(super) async fn skipped(operator: &Operator<'_>) -> Result<()> {
    let (mut rows, mut away) = (Vec::new(), Away::default());
    for (service, mut client) in operator.clients()? {
        let asked = client.list_skipped(operator.ask(pb::ListSkippedRequest {})).await;
        let Some(answer) = away.unless(operator, &service, asked)? else { continue };
        for event in answer.events {
            if operator.teller.is_json() {
                let mut value = show::json_of("SkippedEvent", &event)?;
                value["service"] = json!(service);
                operator.teller.value(&value);
            }
            let when = when(event.skipped_at_us);
            let (stream, position) = (event.stream, event.position.to_string());
            rows.push(vec![
                service.clone(),
                event.log,
                stream,
                position,
                when,
                event.skipped_by,
                event.reason,
            ]);
        }
    }
    let heads = ["service", "log", "stream", "position", "given up", "by", "reason"];
    tell(operator, &heads, rows, "nothing was given up", away)
}

/// A table for people, or the words for an empty one where all have answered; and the end.
fn tell(
    operator: &Operator<'_>,
    heads: &[&str],
    rows: Vec<Vec<String>>,
    nothing: &str,
    away: Away,
) -> Result<()> {
    if !operator.teller.is_json() {
        if rows.is_empty() && away.is_nobody() {
            operator.teller.line(nothing);
        }
        operator.teller.table(heads, rows);
    }
    away.end()
}
