//! `docket log projection`: built again beside the one in use, compared, taken into use, and the way back.
use super::args::ProjectionCommand;
use super::on::{Following, cut_short};
use super::{Coming, Operator, show};
use crate::commands::{Refused, when};
use crate::output::bar;
use anyhow::{Context, Result, bail};
use docket_proto::log::v1 as pb;
use indicatif::ProgressBar;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio_stream::StreamExt;
use tonic::Response;

/// A question that was under way for so long has arrived.
const HEARD: Duration = Duration::from_secs(5);

pub(super) async fn run(operator: &mut Operator<'_>, command: ProjectionCommand) -> Result<()> {
    match command {
        ProjectionCommand::List => list(operator).await,
        ProjectionCommand::Rebuild { name } => rebuild(operator, name).await,
        ProjectionCommand::Compare { name } => compare(operator, name).await,
        ProjectionCommand::Switch { name, accept_differences, reason } => {
            let message =
                pb::SwitchProjectionRequest { name, accept_differences, reason, ..Default::default() };
            let done = switch(operator, message).await?;
            switched(operator, done.projection, done.took_us, done.differing)
        }
        ProjectionCommand::Rollback { name, reason } => {
            let asked = operator.ask_for_long(pb::RollBackProjectionRequest { name, reason });
            let done =
                operator.client()?.roll_back_projection(asked).await.map_err(Refused::from)?.into_inner();
            switched(operator, done.projection, done.took_us, 0)
        }
    }
}

async fn list(operator: &Operator<'_>) -> Result<()> {
    let asked = operator.ask(pb::ListProjectionsRequest {});
    let answer = operator.client()?.list_projections(asked).await.map_err(Refused::from)?.into_inner();
    let mut rows = Vec::new();
    for projection in answer.projections {
        if operator.teller.is_json() {
            operator.teller.value(&show::json_of("Projection", &projection)?);
            continue;
        }
        let head = projection.head.map_or_else(|| "unknown".to_owned(), |head| head.to_string());
        for set in projection.live.into_iter().chain(projection.beside) {
            rows.push(vec![
                projection.name.clone(),
                set.state,
                set.generation.to_string(),
                set.cases.to_string(),
                format!("{} of {head}", set.position),
                when(set.changed_at_us),
                set.changed_by,
            ]);
        }
    }
    if !operator.teller.is_json() {
        operator
            .teller
            .table(&["projection", "rows", "generation", "cases", "position", "since", "by"], rows);
    }
    Ok(())
}

async fn rebuild(operator: &mut Operator<'_>, name: String) -> Result<()> {
    let mut following = Following::new();
    let bar = bar("events applied", operator.teller);
    let last = loop {
        match watch(operator, &name, &mut following, &bar).await {
            Ok(last) => break last,
            // The service goes on meanwhile.
            Err(failed) => following.again_or_anew(operator, failed).await?,
        }
    };
    bar.finish_and_clear();
    if operator.teller.is_json() {
        operator.teller.value(&show::json_of("RebuildProjectionResponse", &last)?);
    } else {
        operator.teller.line(&format!("built again: {} cases from {} events", last.cases, last.position));
        if last.stopped > 0 {
            operator
                .teller
                .line(&format!("{} case(s) stand before an event that cannot be applied", last.stopped));
        }
        operator.teller.line("next: docket log projection compare, then switch --reason …");
    }
    Ok(())
}

/// Begins a rebuild, or looks at the one that was begun, and shows how far it is until it is done.
async fn watch(
    operator: &Operator<'_>,
    name: &str,
    following: &mut Following,
    bar: &ProgressBar,
) -> Result<pb::RebuildProjectionResponse> {
    let (mut client, run) = (operator.client()?, following.run.clone());
    let mut steps: Coming<_> = if following.begun {
        let asked = operator.ask_for_long(pb::WatchRebuildRequest { run });
        let steps = client.watch_rebuild(asked).await.map_err(Refused::from)?.into_inner();
        Box::pin(steps.map(|seen| seen.map(|seen| seen.step.unwrap_or_default())))
    } else {
        let name = name.to_owned();
        let asked = operator.ask_for_long(pb::RebuildProjectionRequest { name, run });
        Box::pin(client.rebuild_projection(asked).await.map_err(Refused::from)?.into_inner())
    };
    while let Some(step) = steps.next().await {
        let step = step.map_err(Refused::from)?;
        following.moved();
        bar.set_length(step.head);
        bar.set_position(step.position);
        if step.done {
            return Ok(step);
        }
    }
    Err(cut_short())
}

async fn compare(operator: &mut Operator<'_>, name: String) -> Result<()> {
    let mut following = Following::new();
    let mut message = pb::CompareProjectionRequest { name, run: following.run.clone(), resume: false };
    let found = loop {
        let asked_at = Instant::now();
        let asked = operator.ask_for_long(message.clone());
        let status = match operator.client()?.compare_projection(asked).await {
            Ok(found) => break found.into_inner(),
            Err(status) => status,
        };
        if asked_at.elapsed() > HEARD {
            following.moved();
        }
        following.again_or_anew(operator, Refused::from(status).into()).await?;
        (message.run, message.resume) = (following.run.clone(), following.begun);
    };
    if operator.teller.is_json() {
        operator.teller.value(&show::json_of("CompareProjectionResponse", &found)?);
    } else {
        operator.teller.pair("equal", &format!("{} cases, up to position {}", found.equal, found.position));
        operator.teller.pair("differing", &found.differing.to_string());
        found.examples.iter().for_each(|case| operator.teller.line(&format!("differs: case-{case}")));
    }
    if found.differing > 0 {
        bail!("{} case(s) differ from the rows in use", found.differing);
    }
    Ok(())
}

/// Compares and switches, however long the comparison takes.
async fn switch(
    operator: &mut Operator<'_>,
    message: pb::SwitchProjectionRequest,
) -> Result<pb::SwitchProjectionResponse> {
    let mut following = Following::new();
    let run = following.run.clone();
    let message = pb::SwitchProjectionRequest { run: run.clone(), ..message };
    loop {
        let (mut client, asked_at) = (operator.client()?, Instant::now());
        let answer = if following.begun {
            // The second factor was given when it began.
            let asked = operator.ask_for_long(pb::WatchSwitchRequest { run: run.clone() });
            client.watch_switch(asked).await.map(|found| found.into_inner().done.unwrap_or_default())
        } else {
            client.switch_projection(operator.ask_for_long(message.clone())).await.map(Response::into_inner)
        };
        let status = match answer {
            Ok(done) => return Ok(done),
            Err(status) => status,
        };
        if asked_at.elapsed() > HEARD {
            following.moved();
        }
        following.again(operator, Refused::from(status).into()).await?;
    }
}

fn switched(
    operator: &Operator<'_>,
    projection: Option<pb::Projection>,
    took_us: i64,
    differing: u64,
) -> Result<()> {
    let projection = projection.context("a projection")?;
    let generation = projection.live.as_ref().map_or(0, |live| live.generation);
    if operator.teller.is_json() {
        let projection = show::json_of("Projection", &projection)?;
        operator.teller.value(&json!({"projection": projection, "took_us": took_us, "differing": differing}));
    } else {
        let stood_still_ms = took_us / 1000;
        operator.teller.line(&format!(
            "generation {generation} of {} is in use; the projection stood still for {stood_still_ms} ms",
            projection.name
        ));
        operator
            .teller
            .line("the other rows are kept until the next rebuild: docket log projection rollback");
    }
    Ok(())
}
