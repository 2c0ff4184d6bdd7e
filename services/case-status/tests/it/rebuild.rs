//! The projection built again by an operator, over the port: compared, switched, and back, while cases go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use docket_proto::log::v1 as pb;
use docket_proto::log::v1::log_admin_service_client::LogAdminServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::people::{Someone, command, reason};
use crate::world::World;

const NAME: &str = "status";
/// The projection may stand still so long, microseconds.
const STILL_US: i64 = 1_000_000;

/// An operator who has just given a second factor.
struct Operator {
    who: Someone,
    client: LogAdminServiceClient<Channel>,
}

impl Operator {
    async fn of(world: &World) -> Self {
        let who = world.person(&[("operator", "NBC")]).await;
        Self { who: world.stepped_up(&who), client: world.projection_admin() }
    }

    async fn rebuild(&self) -> Result<pb::RebuildProjectionResponse, Status> {
        let ask = self.who.ask(pb::RebuildProjectionRequest { name: NAME.into(), ..Default::default() });
        let mut steps = self.client.clone().rebuild_projection(ask).await?.into_inner();
        let mut last = pb::RebuildProjectionResponse::default();
        while let Some(step) = steps.message().await? {
            last = step;
        }
        Ok(last)
    }

    async fn compare(&self) -> Result<pb::CompareProjectionResponse, Status> {
        let ask = self.who.ask(pb::CompareProjectionRequest { name: NAME.into(), ..Default::default() });
        Ok(self.client.clone().compare_projection(ask).await?.into_inner())
    }

    async fn switch(&self, accept_differences: bool) -> Result<pb::SwitchProjectionResponse, Status> {
        let (name, reason) = (NAME.to_owned(), "as planned".to_owned());
        let ask = pb::SwitchProjectionRequest { name, accept_differences, reason, ..Default::default() };
        let ask = self.who.ask(ask);
        Ok(self.client.clone().switch_projection(ask).await?.into_inner())
    }

    async fn roll_back(&self) -> Result<pb::RollBackProjectionResponse, Status> {
        let ask = pb::RollBackProjectionRequest { name: NAME.into(), reason: "the old was right".into() };
        Ok(self.client.clone().roll_back_projection(self.who.ask(ask)).await?.into_inner())
    }

    /// Generation and state of the rows in use and of those beside.
    async fn sets(&self) -> [(u64, String); 2] {
        let ask = self.who.ask(pb::ListProjectionsRequest {});
        let answer = self.client.clone().list_projections(ask).await.unwrap().into_inner();
        let projection = answer.projections.into_iter().find(|one| one.name == NAME).unwrap();
        [projection.live, projection.beside].map(|set| set.map(|set| (set.generation, set.state)).unwrap())
    }
}

/// A few cases, accepted and assigned.
async fn cases(world: &World, ana: &Someone, sam: &Someone, count: usize) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..count {
        let name = format!("cases/{}", world.submit(ana, 40).await);
        world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
        let done = command!(sam, assign_case, AssignCaseRequest { name: name.clone() }).unwrap();
        sam.case(&name, done.case.unwrap().version).await.unwrap();
        names.push(name);
    }
    names
}

async fn people(world: &World) -> (Someone, Someone) {
    (world.person(&[]).await, world.person(&[("supervisor", "NBC")]).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_builds_compares_switches_and_goes_back_while_cases_go_on() {
    let world = World::start().await;
    let (ana, sam) = people(&world).await;
    let names = cases(&world, &ana, &sam, 3).await;
    let operator = Operator::of(&world).await;
    let state = |state: &str| state.to_owned();
    assert_eq!(operator.sets().await, [(1, state("live")), (0, state("empty"))]);
    assert_eq!(reason(&operator.compare().await.unwrap_err()), "NOT_BUILT");
    assert_eq!(reason(&operator.switch(false).await.unwrap_err()), "NOT_BUILT");
    assert_eq!(reason(&operator.roll_back().await.unwrap_err()), "NOTHING_KEPT");

    let built = operator.rebuild().await.unwrap();
    assert_eq!((built.done, built.cases, built.position, built.stopped), (true, 3, 12, 0));
    assert_eq!(operator.sets().await[1], (2, state("built")));
    // What happens after the rebuild is caught up with.
    let schedule = |name: &str| {
        let (sam, name) = (sam.clone(), name.to_owned());
        async move {
            let done =
                command!(sam, schedule_appointment, ScheduleAppointmentRequest { name: name, kind: 1 });
            done.unwrap().case.unwrap().version
        }
    };
    let version = schedule(&names[0]).await;
    sam.case(&names[0], version).await.unwrap();
    let found = operator.compare().await.unwrap();
    assert_eq!((found.equal, found.differing), (3, 0), "{found:?}");

    let switched = operator.switch(false).await.unwrap();
    assert!(switched.took_us < STILL_US, "{switched:?}");
    assert_eq!(operator.sets().await, [(2, state("live")), (1, state("kept"))]);
    assert_eq!(sam.case(&names[0], 0).await.unwrap().version, version);
    // The projector goes on in the new rows; the old ones are caught up with before they are taken again.
    let version = schedule(&names[1]).await;
    assert_eq!(sam.case(&names[1], version).await.unwrap().version, version);
    let back = operator.roll_back().await.unwrap();
    assert!(back.took_us < STILL_US, "{back:?}");
    assert_eq!(operator.sets().await, [(1, state("live")), (2, state("kept"))]);
    assert_eq!(sam.case(&names[1], 0).await.unwrap().version, version);
    assert_eq!(sam.lines(&names[1], 0).await.unwrap().len(), usize::try_from(version).unwrap());
    // Who did it and why is kept, and cannot be changed.
    assert_eq!(
        world.switches().await,
        [(1, 2, "as planned".to_owned()), (2, 1, "the old was right".to_owned())]
    );
    assert!(world.try_sql("DELETE FROM projection_switch").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_somebody_spoilt_are_found_and_named() {
    let world = World::start().await;
    let (ana, sam) = people(&world).await;
    let names = cases(&world, &ana, &sam, 3).await;
    let operator = Operator::of(&world).await;
    operator.rebuild().await.unwrap();
    let id = names[1].trim_start_matches("cases/").to_owned();
    world
        .try_sql(&format!("UPDATE timeline_a SET office_only = true WHERE case_id = '{id}' AND version = 1"))
        .await
        .unwrap();
    let found = operator.compare().await.unwrap();
    assert_eq!((found.equal, found.differing, found.examples), (2, 1, vec![id.clone()]));
    assert_eq!(reason(&operator.switch(false).await.unwrap_err()), "DIFFERENCES");
    assert_eq!(ana.lines(&names[1], 0).await.unwrap().len(), 2, "one line is hidden by mistake");
    assert_eq!(operator.switch(true).await.unwrap().differing, 1);
    assert_eq!(ana.lines(&names[1], 0).await.unwrap().len(), 3);
    // A case that the log does not know, and one that is missing.
    operator.rebuild().await.unwrap();
    let copy =
        "INSERT INTO case_row_b SELECT gen_random_uuid(), '', party, officer, office, site, stage, task,
        waiting_since_us, submitted_at_us, version, changed_at_us, party_version, party_changed_at_us, state, representative
        FROM case_row_b LIMIT 1";
    world.try_sql(copy).await.unwrap();
    world.try_sql(&format!("DELETE FROM case_row_b WHERE case_id = '{id}'")).await.unwrap();
    let found = operator.compare().await.unwrap();
    assert_eq!((found.equal, found.differing), (2, 2), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_sees_the_old_rows_or_the_new_and_never_a_mix() {
    let world = World::start().await;
    let (ana, sam) = people(&world).await;
    let names = cases(&world, &ana, &sam, 8).await;
    let operator = Operator::of(&world).await;
    operator.rebuild().await.unwrap();
    operator.switch(false).await.unwrap();
    // The two sets are told apart by a column that no later event of this test writes.
    world.try_sql("UPDATE case_row_a SET task = 'old'").await.unwrap();
    world.try_sql("UPDATE case_row_b SET task = 'new'").await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut readers = Vec::new();
    for _ in 0..4 {
        let (pool, stop) = (world.status_pool(), Arc::clone(&stop));
        readers.push(tokio::spawn(async move {
            let (mut looks, mut seen) = (0_u32, [0_u32; 2]);
            while !stop.load(Ordering::Relaxed) {
                let tasks: Vec<String> = sqlx::query_scalar(
                    "SELECT DISTINCT task FROM case_row UNION SELECT DISTINCT task FROM case_row JOIN timeline USING (case_id)",
                )
                .fetch_all(&pool)
                .await
                .unwrap();
                assert_eq!(tasks.len(), 1, "a mix: {tasks:?}");
                seen[usize::from(tasks[0] == "new")] += 1;
                looks += 1;
            }
            (looks, seen)
        }));
    }
    for _ in 0..20 {
        let back = operator.roll_back().await.unwrap();
        assert!(back.took_us < STILL_US, "{back:?}");
    }
    stop.store(true, Ordering::Relaxed);
    let (mut looks, mut seen) = (0, [0; 2]);
    for reader in readers {
        let (more, which) = reader.await.unwrap();
        looks += more;
        seen = [seen[0] + which[0], seen[1] + which[1]];
    }
    assert!(seen.iter().all(|count| *count > 0), "both were seen in {looks} looks: {seen:?}");
    assert_eq!(names.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_at_a_time_rebuilds_and_one_that_was_given_up_is_never_taken_into_use() {
    let world = World::start().await;
    let (ana, sam) = people(&world).await;
    cases(&world, &ana, &sam, 1).await;
    let operator = Operator::of(&world).await;
    // Somebody else has the lock of the rebuild.
    let mut other = world.status_pool().acquire().await.unwrap();
    let lock = "SELECT pg_advisory_lock(hashtextextended('docket.rebuild.status', 0))";
    sqlx::query(lock).execute(&mut *other).await.unwrap();
    for refused in [
        operator.rebuild().await.map(drop),
        operator.compare().await.map(drop),
        operator.switch(true).await.map(drop),
        operator.roll_back().await.map(drop),
    ] {
        assert_eq!(reason(&refused.unwrap_err()), "REBUILD_RUNNING");
    }
    let unlock = "SELECT pg_advisory_unlock(hashtextextended('docket.rebuild.status', 0))";
    sqlx::query(unlock).execute(&mut *other).await.unwrap();
    operator.rebuild().await.unwrap();
    // As a process that died in the middle of it leaves the rows.
    world.try_sql("UPDATE projection_set SET state = 'building' WHERE state = 'built'").await.unwrap();
    assert_eq!(reason(&operator.switch(true).await.unwrap_err()), "NOT_BUILT");
    operator.rebuild().await.unwrap();
    assert_eq!(operator.sets().await[1], (3, "built".to_owned()));
    operator.switch(false).await.unwrap();

    // Without a fresh second factor, or the role, nothing of it.
    let plain = world.person(&[("operator", "NBC")]).await;
    let ask = plain.ask(pb::SwitchProjectionRequest { name: NAME.into(), ..Default::default() });
    assert_eq!(
        reason(&operator.client.clone().switch_projection(ask).await.unwrap_err()),
        "STEP_UP_REQUIRED"
    );
    let ask =
        world.stepped_up(&sam).ask(pb::RebuildProjectionRequest { name: NAME.into(), ..Default::default() });
    let refused = operator.client.clone().rebuild_projection(ask).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let ask = operator.who.ask(pb::RollBackProjectionRequest { name: NAME.into(), reason: " ".into() });
    let refused = operator.client.clone().roll_back_projection(ask).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "a switch says why");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_and_a_comparison_go_on_when_their_connection_ends_and_are_found_again() {
    let world = World::start().await;
    let (ana, sam) = people(&world).await;
    cases(&world, &ana, &sam, 2).await;
    let who = world.person(&[("operator", "NBC")]).await;
    let replica = world.another_projection().await;
    let connected = || LogAdminServiceClient::new(replica.channel());
    let mut other = world.status_pool().acquire().await.unwrap();
    let lock = ["BEGIN", "LOCK TABLE case_row_b, timeline_b IN ACCESS EXCLUSIVE MODE"];

    for sql in lock {
        sqlx::query(sql).execute(&mut *other).await.unwrap();
    }
    let run = Uuid::new_v4().to_string();
    let ask = pb::RebuildProjectionRequest { name: NAME.into(), run: run.clone() };
    // Dropped with its connection, while it waits for the table.
    let mut begun =
        connected().rebuild_projection(world.stepped_up(&who).ask(ask)).await.unwrap().into_inner();
    assert!(begun.message().await.unwrap().is_some());
    world.until_somebody_waits_for_a_table().await;
    drop(begun);
    let mut client = connected();
    let watch = || pb::WatchRebuildRequest { run: run.clone() };
    let stranger = world.person(&[("operator", "NBC")]).await;
    assert_eq!(reason(&client.watch_rebuild(stranger.ask(watch())).await.unwrap_err()), "RUN_NOT_HERE");
    sqlx::query("ROLLBACK").execute(&mut *other).await.unwrap();
    let mut steps = client.watch_rebuild(who.ask(watch())).await.unwrap().into_inner();
    let mut last = pb::RebuildProjectionResponse::default();
    while let Some(seen) = steps.message().await.unwrap() {
        last = seen.step.unwrap();
    }
    assert!(last.done && last.cases == 2, "{last:?}");

    for sql in lock {
        sqlx::query(sql).execute(&mut *other).await.unwrap();
    }
    let ask = |resume| pb::CompareProjectionRequest { name: NAME.into(), run: run.clone(), resume };
    let early = client.compare_projection(who.ask(ask(true))).await.unwrap_err();
    assert_eq!(reason(&early), "RUN_NOT_HERE", "it is none of a comparison");
    let (mut asking, asked) = (connected(), who.ask(ask(false)));
    let asking = tokio::spawn(async move { asking.compare_projection(asked).await });
    world.until_somebody_waits_for_a_table().await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    sqlx::query("ROLLBACK").execute(&mut *other).await.unwrap();
    let found = client.compare_projection(who.ask(ask(true))).await.unwrap().into_inner();
    assert_eq!((found.equal, found.differing), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_goes_on_however_long_it_compares_and_is_found_again_without_another_second_factor() {
    let world = World::start().await;
    let (ana, sam) = people(&world).await;
    cases(&world, &ana, &sam, 2).await;
    let operator = Operator::of(&world).await;
    operator.rebuild().await.unwrap();
    let who = world.person(&[("operator", "NBC")]).await;
    let mut other = world.status_pool().acquire().await.unwrap();
    for sql in ["BEGIN", "LOCK TABLE case_row_b, timeline_b IN ACCESS EXCLUSIVE MODE"] {
        sqlx::query(sql).execute(&mut *other).await.unwrap();
    }
    let run = Uuid::new_v4().to_string();
    let (name, reason_given) = (NAME.to_owned(), "as planned".to_owned());
    let ask = || pb::SwitchProjectionRequest {
        name: name.clone(),
        reason: reason_given.clone(),
        run: run.clone(),
        accept_differences: false,
    };
    let (mut asking, asked) = (world.projection_admin(), world.stepped_up(&who).ask(ask()));
    let asking = tokio::spawn(async move { asking.switch_projection(asked).await });
    world.until_somebody_waits_for_a_table().await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    let mut client = world.projection_admin();
    let watch = || pb::WatchSwitchRequest { run: run.clone() };
    let stranger = world.person(&[("operator", "NBC")]).await;
    assert_eq!(reason(&client.watch_switch(stranger.ask(watch())).await.unwrap_err()), "RUN_NOT_HERE");
    sqlx::query("ROLLBACK").execute(&mut *other).await.unwrap();
    let done = client.watch_switch(who.ask(watch())).await.unwrap().into_inner().done.unwrap();
    assert!(done.differing == 0 && done.took_us < STILL_US, "{done:?}");
    // Asked twice, done once.
    let again = client.switch_projection(world.stepped_up(&who).ask(ask())).await.unwrap().into_inner();
    assert_eq!(again, done);
    assert_eq!(operator.sets().await, [(2, "live".to_owned()), (1, "kept".to_owned())]);
    assert_eq!(world.switches().await, [(1, 2, reason_given)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_that_do_not_fit_into_memory_are_written_and_read_again() {
    let world = World::start().await;
    let (ana, sam) = people(&world).await;
    let names = cases(&world, &ana, &sam, 5).await;
    // Every case goes on after the others, so each was put aside before.
    for name in &names {
        let done =
            command!(sam, schedule_appointment, ScheduleAppointmentRequest { name: name.clone(), kind: 1 });
        sam.case(name, done.unwrap().case.unwrap().version).await.unwrap();
    }
    for (page, rows, cases) in [(1, 1, 0), (2, 3, 1), (7, 2, 3), (2_000, 10_000, 100_000)] {
        let limits = docket_case_status::status::rebuild::Limits { page, rows, cases };
        assert_eq!(world.rebuild_within(limits).await, (5, 0), "{limits:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_from_before_the_log_was_restored_are_not_taken_into_use_again() {
    let world = World::start().await;
    let (ana, sam) = people(&world).await;
    cases(&world, &ana, &sam, 2).await;
    let operator = Operator::of(&world).await;
    operator.rebuild().await.unwrap();
    operator.switch(false).await.unwrap();
    world.raise_epoch().await;
    let refused = operator.roll_back().await.unwrap_err();
    assert_eq!(reason(&refused), "NOTHING_KEPT");
    assert!(refused.message().contains("kept from before the log was restored"), "{refused:?}");
    assert_eq!(reason(&operator.compare().await.unwrap_err()), "NOT_BUILT");
    // Built again they are of the log as it is; those that they take the place of are not.
    operator.rebuild().await.unwrap();
    assert_eq!(operator.compare().await.unwrap().equal, 2);
    operator.switch(false).await.unwrap();
    assert_eq!(reason(&operator.roll_back().await.unwrap_err()), "NOTHING_KEPT");
    assert_eq!(operator.sets().await, [(3, "live".to_owned()), (2, "kept".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_event_than_the_rows_have_parks_its_case() {
    let world = World::start().await;
    let (ana, sam) = people(&world).await;
    let names = cases(&world, &ana, &sam, 2).await;
    // One case of the rows is a step ahead, as after a restore of the log to before that step.
    let lost = names[0].trim_start_matches("cases/");
    let ahead = format!(
        "INSERT INTO timeline_a SELECT case_id, version + 1, kind, text_id, facts, office_only, recorded_at_us
         FROM timeline_a WHERE case_id = '{lost}' AND version = 4"
    );
    world.try_sql(&ahead).await.unwrap();
    world.try_sql(&format!("UPDATE case_row_a SET version = 5 WHERE case_id = '{lost}'")).await.unwrap();
    for name in &names {
        let done =
            command!(sam, schedule_appointment, ScheduleAppointmentRequest { name: name.clone(), kind: 1 })
                .unwrap();
        assert_eq!(done.case.unwrap().version, 5);
    }
    sam.case(&names[1], 5).await.unwrap();
    let parked = || async {
        let reasons = sqlx::query_scalar::<_, String>("SELECT reason FROM log.parked ORDER BY position");
        reasons.fetch_all(&world.status_pool()).await.map_err(|error| Status::internal(error.to_string()))
    };
    let reasons = world.until(parked, |reasons| !reasons.is_empty()).await;
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0].contains("another event at version 5"), "{reasons:?}");
}

/// Cuts of each build, one for each run: from the greeting to the last bytes.
const CUTS: u64 = 6;

#[tokio::test(flavor = "multi_thread")]
async fn a_build_whose_feed_is_cut_anywhere_asks_for_the_rest_and_builds_the_same() {
    let world = World::start().await;
    let (ana, sam) = people(&world).await;
    cases(&world, &ana, &sam, 3).await;
    let (way, projection) = world.projection_over_a_way().await;
    let client = LogAdminServiceClient::new(projection.channel());
    let operator = Operator { client, ..Operator::of(&world).await };
    // A line that is kept carries less than one that begins with its greeting.
    let mut bytes = u64::MAX;
    let mut whole = pb::RebuildProjectionResponse::default();
    for _ in 0..2 {
        let before = way.carried();
        whole = operator.rebuild().await.unwrap();
        bytes = bytes.min(way.carried() - before);
    }
    let said =
        |built: &pb::RebuildProjectionResponse| (built.done, built.cases, built.position, built.stopped);
    assert_eq!(said(&whole), (true, 3, 12, 0));
    for part in 0..CUTS {
        let after = (bytes * (2 * part + 1) / (2 * CUTS + 1)).max(1);
        way.cut_after(after, 1);
        assert_eq!(said(&operator.rebuild().await.unwrap()), said(&whole), "cut after {after} of {bytes}");
        assert_eq!(way.to_come(), 0, "it was cut after {after} of {bytes}");
        assert_eq!(operator.compare().await.unwrap().differing, 0);
    }
    // Again and again before anything came.
    way.cut_after(1, 5);
    assert_eq!(said(&operator.rebuild().await.unwrap()), said(&whole));
    assert_eq!(way.to_come(), 0);
    projection.stop().await.unwrap();
}
