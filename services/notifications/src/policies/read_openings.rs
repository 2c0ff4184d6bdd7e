//! When it is not known of a case whether its person is protected (8 USC 1367), then its opening is read in the log of cases: of cases from
//! before that was kept, and of those that a replica from before writes down. Until then the person is sent no texts. So it is read, once,
//! where the parties of cases from before moves were followed live now.

use std::collections::HashMap;
use std::time::Duration;

use docket_database::answered;
use docket_eventlog::Recorded;
use docket_proto::events::case::Event;
use docket_service::{Again, Base, Rounds, Stop};

use crate::store::matter;

/// The log of cases.
const CASES: &str = "cases-0";
/// First words of the kind of an opening, whatever its version.
const OPENED: &str = "case.opened.";
/// Those of the kind of a move.
const MOVED: &str = "case.address_changed.";
/// Events read in one go.
const PAGE: u64 = 1_000;
/// How often it is looked for such a case.
const LOOK: Duration = Duration::from_mins(1);
/// When it begins anew what it read to the end.
const ANEW: Duration = Duration::from_hours(1);

/// Reads until `stop`.
pub(crate) async fn run(base: Base, stop: Stop) -> anyhow::Result<()> {
    let mut rounds = Rounds::every(LOOK, "what was not kept of cases from before cannot be read");
    let mut after = 0;
    while rounds.go_on(&stop).await {
        rounds.turn(next(&base, &mut after)).await;
    }
    Ok(())
}

/// Goes one page on through the log while there is such a case; at the end it begins anew, since one may have been written down behind us.
async fn next(base: &Base, after: &mut u64) -> anyhow::Result<Again> {
    if !answered(matter::is_any_unread(&base.pool)).await? {
        *after = 0;
        return Ok(Again::Later);
    }
    let events = base.feed(CASES).read(CASES, *after, PAGE).await?;
    let Some(last) = events.last() else {
        answered(matter::moves_are_read(&base.pool)).await?;
        *after = 0;
        return Ok(Again::After(ANEW));
    };
    let (mut cases, mut are_protected) = (Vec::new(), Vec::new());
    let mut moved = HashMap::new();
    let tells = |event: &&Recorded| event.kind.starts_with(OPENED) || event.kind.starts_with(MOVED);
    for event in events.iter().filter(tells) {
        match (event.stream.id(), event.decode()) {
            (Some(case), Ok(Event::CaseOpened(opened))) => {
                cases.push(case);
                are_protected.push(opened.protected);
            }
            // Each is where the last one went.
            (Some(case), Ok(Event::CaseAddressChanged(changed))) => drop(moved.insert(case, changed.zone)),
            (_, Ok(_)) => {}
            (_, Err(error)) => {
                tracing::warn!(event.position, %error, "what was not kept of a case cannot be read: its person is sent no texts");
            }
        }
    }
    answered(matter::protected(&base.pool, &cases, &are_protected)).await?;
    let (cases, zones): (Vec<_>, Vec<_>) = moved.into_iter().unzip();
    answered(matter::moved_before(&base.pool, &cases, &zones)).await?;
    *after = last.position;
    Ok(Again::AtOnce)
}
