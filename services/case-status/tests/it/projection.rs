//! The projection: a live watch, the worklist, the public title.

use docket_proto::case_status::v1 as pb;
use docket_proto::case_status::v1::status_service_client::StatusServiceClient;
use jiff::SignedDuration;
use tokio_stream::StreamExt as _;
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use crate::people::{command, of_own_accord, reason};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_tells_the_case_now_and_after_each_change_the_viewer_may_see() {
    let world = World::start().await;
    let (ana, sam) = (world.person(&[]).await, world.person(&[("supervisor", "NBC")]).await);
    let name = format!("cases/{}", world.submit(&ana, 40).await);
    world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    let watch = pb::WatchCaseRequest { name: name.clone(), ..Default::default() };
    let mut watched = ana.status.clone().watch_case(ana.ask(watch)).await.unwrap().into_inner();
    assert_eq!(watched.next().await.unwrap().unwrap().case.unwrap().version, 3);
    // Hidden from the party: assigned (4). Seen: scheduled (5).
    command!(sam, assign_case, AssignCaseRequest { name: name.clone() }).unwrap();
    command!(sam, schedule_appointment, ScheduleAppointmentRequest { name: name.clone(), kind: 1 }).unwrap();
    let case = watched.next().await.unwrap().unwrap().case.unwrap();
    assert_eq!((case.version, case.title_id.as_str()), (5, "26"));
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_hold_what_their_people_have_to_do_and_nothing_else() {
    let world = World::start().await;
    let ana = world.person(&[]).await;
    let sam = world.person(&[("supervisor", "NBC")]).await;
    let elsewhere = world.person(&[("supervisor", "FO-NYC")]).await;
    let ito = world.person(&[("adjudicator", "NBC")]).await;
    for _ in 0..2 {
        let name = format!("cases/{}", world.submit(&ana, 40).await);
        world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    }
    let names = ana.listed().await;
    assert_eq!(sam.queue("unassigned").await.unwrap(), (vec!["assign".to_owned(); 2], 2));
    assert_eq!(elsewhere.queue("office").await.unwrap().1, 0);
    assert_eq!(ito.queue("unassigned").await.unwrap().1, 0);
    assert_eq!(ana.queue("mine").await.unwrap_err().code(), Code::PermissionDenied);
    let officer = format!("accounts/{}", ito.account);
    command!(sam, assign_case, AssignCaseRequest { name: names[0].clone(), officer: officer }).unwrap();
    assert_eq!(world.until(|| ito.queue("mine"), |queue| queue.1 == 1).await.0, ["schedule_biometrics"]);
    assert_eq!(sam.queue("unassigned").await.unwrap().1, 1);
    assert_eq!(sam.queue("office").await.unwrap().1, 2);

    // A page at a time, nothing twice and nothing left out.
    let list = |page_token: String| {
        let request = ana.ask(pb::ListCasesRequest { page_size: 1, page_token, language: String::new() });
        let mut status = ana.status.clone();
        async move { status.list_cases(request).await.unwrap().into_inner() }
    };
    let first = list(String::new()).await;
    let second = list(first.next_page_token.clone()).await;
    assert_eq!((first.cases.len(), second.cases.len(), second.next_page_token.as_str()), (1, 1, ""));
    assert_ne!(first.cases[0].name, second.cases[0].name);
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_with_the_whole_receipt_number_reads_a_title_in_their_language() {
    let world = World::start().await;
    let ana = world.person(&[]).await;
    let name = format!("cases/{}", world.submit(&ana, 40).await);
    let case = world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    let ask = |receipt_number: &str, language: &str| {
        let message =
            pb::GetPublicStatusRequest { receipt_number: receipt_number.into(), language: language.into() };
        let mut status = ana.status.clone();
        async move { status.get_public_status(Request::new(message)).await.map(tonic::Response::into_inner) }
    };
    let typed = format!(" {} ", case.receipt_number.to_lowercase());
    let public = ask(&typed, "es").await.unwrap();
    assert_eq!((public.title.as_str(), public.form.as_str()), ("Recibimos su caso", "N-400"));
    assert_eq!(ask("DKT1234567896", "en").await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(ask("DKT1234567897", "en").await.unwrap_err().code(), Code::NotFound);

    // Of who asks for asylum strangers learn nothing, nor of any case of who says that one is protected.
    let bo = world.person(&[]).await;
    let asylum = format!("cases/{}", world.submit_package(&[("I-589", "asylum", bo.account)]).await[0]);
    let case = world.until(|| bo.case(&asylum, 0), |case| case.version == 3).await;
    let unknown = ask("DKT1234567897", "en").await.unwrap_err();
    let hidden = ask(&case.receipt_number, "en").await.unwrap_err();
    assert_eq!((hidden.code(), hidden.message()), (unknown.code(), unknown.message()));
    let reported = format!("cases/{}", world.submit(&ana, 41).await);
    world.until(|| ana.case(&reported, 0), |case| case.version == 3).await;
    world
        .spoil(
            "UPDATE case_row_a SET state = jsonb_set(state, '{move_route}', '\"protected\"')
             WHERE state->>'age' = '41'",
        )
        .await;
    assert_eq!(ask(&typed, "en").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rows_built_again_from_the_log_are_the_same_and_can_be_taken_into_use() {
    let world = World::start().await;
    let (ana, sam) = (world.person(&[]).await, world.person(&[("supervisor", "NBC")]).await);
    let name = format!("cases/{}", world.submit(&ana, 40).await);
    world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    let done = command!(sam, assign_case, AssignCaseRequest { name: name.clone() }).unwrap();
    sam.case(&name, done.case.unwrap().version).await.unwrap();
    let report = world.rebuild(false).await;
    assert_eq!((report.events, report.cases, report.differing, report.switched), (4, 1, 0, false));
    // A row that somebody spoilt is found, and is right again after the switch.
    world.spoil("UPDATE case_row_a SET task = 'nothing'").await;
    assert_eq!(sam.queue("mine").await.unwrap().0, ["nothing"]);
    assert_eq!(world.rebuild(true).await.differing, 1);
    assert_eq!(sam.queue("mine").await.unwrap().0, ["schedule_biometrics"]);
    // And the projector goes on from there.
    let done =
        command!(sam, schedule_appointment, ScheduleAppointmentRequest { name: name.clone(), kind: 1 });
    let version = done.unwrap().case.unwrap().version;
    assert_eq!(ana.case(&name, version).await.unwrap().version, version);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_asks_for_one_number_after_the_other_is_slowed_on_every_replica() {
    let world = World::start().await;
    let (ana, other) = (world.person(&[]).await, world.another_projection().await);
    let name = format!("cases/{}", world.submit(&ana, 40).await);
    let case = world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    let replicas = [ana.status.clone(), StatusServiceClient::new(other.channel())];
    let ask = |nth: usize, receipt_number: &str| {
        let message =
            pb::GetPublicStatusRequest { receipt_number: receipt_number.into(), ..Default::default() };
        let mut status = replicas[nth % 2].clone();
        async move { status.get_public_status(Request::new(message)).await.map(tonic::Response::into_inner) }
    };
    // What is mistyped costs nothing; what is not there costs as much as what is.
    for nth in 0..3 {
        assert_eq!(ask(nth, "DKT1234567896").await.unwrap_err().code(), Code::InvalidArgument);
    }
    for nth in 0..59 {
        assert_eq!(ask(nth, "DKT1234567897").await.unwrap_err().code(), Code::NotFound, "{nth}");
    }
    assert_eq!(ask(0, &case.receipt_number).await.unwrap().form, "N-400");
    for nth in 0..2 {
        let slowed = ask(nth, &case.receipt_number).await.unwrap_err();
        assert_eq!((slowed.code(), reason(&slowed).as_str()), (Code::ResourceExhausted, "ASKED_TOO_OFTEN"));
        let wait = slowed.get_details_retry_info().unwrap().retry_delay.unwrap();
        assert_eq!(wait, std::time::Duration::from_secs(5));
    }
    // Who signed in is not slowed, and after five seconds there is one more answer.
    ana.case(&name, 0).await.unwrap();
    world.clock.advance(SignedDuration::from_secs(5));
    ask(0, &case.receipt_number).await.unwrap();
    assert_eq!(ask(1, &case.receipt_number).await.unwrap_err().code(), Code::ResourceExhausted);

    // No address is kept, and of the day before nothing at all.
    let kept = || async {
        let sql = "SELECT key FROM public_turn ORDER BY key";
        sqlx::query_scalar::<_, Vec<u8>>(sql).fetch_all(&world.status_pool()).await.unwrap()
    };
    let today = kept().await;
    assert!(today.iter().all(|key| key.len() == 32) && today.len() == 1, "{today:?}");
    world.clock.advance(SignedDuration::from_hours(24));
    ask(1, &case.receipt_number).await.unwrap();
    let tomorrow = kept().await;
    assert!(tomorrow.len() == 1 && tomorrow != today, "{tomorrow:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_went_to_another_office_is_in_the_queue_there_and_nobody_who_had_it_sees_it() {
    let world = World::start().await;
    let (ana, sam) = (world.person(&[]).await, world.person(&[("supervisor", "NBC")]).await);
    let ito = world.person(&[("adjudicator", "NBC")]).await;
    let kit = world.person(&[("supervisor", "FO-CHI")]).await;
    let name = format!("cases/{}", world.submit(&ana, 40).await);
    let received = world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    let officer = format!("accounts/{}", ito.account);
    command!(sam, assign_case, AssignCaseRequest { name: name.clone(), officer: officer }).unwrap();
    command!(ito, schedule_appointment, ScheduleAppointmentRequest { name: name.clone(), kind: 1 }).unwrap();
    world.until(|| ito.case(&name, 0), |case| case.version == 5).await;
    let watch = pb::WatchCaseRequest { name: name.clone(), ..Default::default() };
    let mut watched = ito.status.clone().watch_case(ito.ask(watch)).await.unwrap().into_inner();
    assert_eq!(watched.next().await.unwrap().unwrap().case.unwrap().version, 5);
    assert_eq!(kit.case(&name, 0).await.unwrap_err().code(), Code::NotFound);

    let (office, why) = ("FO-CHI".to_owned(), "workload".to_owned());
    let request =
        command!(ito, transfer_case, TransferCaseRequest { name: name.clone(), office: office, reason: why });
    let version = request.unwrap().case.unwrap().version;
    let ended = watched.next().await.unwrap().unwrap_err();
    assert_eq!(ended.code(), Code::NotFound, "an open watch ends");
    let case = ana.case(&name, version).await.unwrap();
    assert_eq!((case.title_id.as_str(), case.receipt_number), ("30", received.receipt_number));
    assert!(case.appointment.is_none(), "it is set again in Chicago");
    for former in [&sam, &ito] {
        assert_eq!(former.case(&name, 0).await.unwrap_err().code(), Code::NotFound);
        let again = command!(former, start_review, StartReviewRequest { name: name.clone() }).unwrap_err();
        assert!([Code::NotFound, Code::PermissionDenied].contains(&again.code()), "{again:?}");
    }
    assert_eq!(sam.queue("office").await.unwrap().1, 0);
    assert_eq!(kit.queue("unassigned").await.unwrap(), (vec!["assign".to_owned()], 1));
    command!(kit, assign_case, AssignCaseRequest { name: name.clone() }).unwrap();
    command!(kit, schedule_appointment, ScheduleAppointmentRequest { name: name.clone(), kind: 1 }).unwrap();
    let case = world.until(|| ana.case(&name, 0), |case| case.title_id == "26").await;
    assert_eq!(case.appointment.unwrap().office, "ASC-CHI");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_expected_at_a_site_stands_in_its_queue_whatever_else_is_to_be_done_in_the_case() {
    let world = World::start().await;
    let (ana, ito) = (world.person(&[]).await, world.person(&[("adjudicator", "NBC")]).await);
    let sam = world.stepped_up(&world.person(&[("supervisor", "NBC")]).await);
    let bea = world.person(&[("biometrics_officer", "ASC-NYC")]).await;
    let elsewhere = world.person(&[("biometrics_officer", "ASC-CHI")]).await;
    let expected = || async {
        assert_eq!(elsewhere.queue("office").await.unwrap().1, 0);
        let queue = bea.worklist("office").await.unwrap();
        let [item] = &queue.items[..] else { panic!("{queue:?}") };
        assert_eq!((item.task.as_str(), queue.total, item.answer.as_str()), ("record_biometrics", 1, ""));
        item.case.clone().unwrap()
    };
    let mut name = format!("cases/{}", world.submit(&ana, 40).await);
    world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    assert_eq!(bea.queue("office").await.unwrap().1, 0);
    let officer = format!("accounts/{}", ito.account);
    command!(sam, assign_case, AssignCaseRequest { name: name.clone(), officer: officer }).unwrap();
    command!(sam, schedule_appointment, ScheduleAppointmentRequest { name: name.clone(), kind: 1 }).unwrap();
    let done = command!(ito, start_review, StartReviewRequest { name: name.clone() }).unwrap();
    sam.case(&name, done.case.unwrap().version).await.unwrap();
    expected().await;
    // Nobody has it.
    let done = of_own_accord!(sam, unassign_case, UnassignCaseRequest { name: name.clone() }).unwrap();
    sam.case(&name, done.case.unwrap().version).await.unwrap();
    expected().await;
    // A denial is recommended, and goes back.
    command!(sam, assign_case, AssignCaseRequest { name: name.clone() }).unwrap();
    let deny = "deny".to_owned();
    let done = command!(
        sam,
        recommend_decision,
        RecommendDecisionRequest { name: name.clone(), recommendation: deny }
    )
    .unwrap();
    sam.case(&name, done.case.unwrap().version).await.unwrap();
    expected().await;
    let kim = world.stepped_up(&world.person(&[("supervisor", "NBC")]).await);
    let returned = "return".to_owned();
    command!(kim, decide_case, DecideCaseRequest { name: name.clone(), decision: returned }).unwrap();
    // More is asked of the party.
    let items = vec![pb::request_evidence_request::Item { code: "lease".into(), reason: "missing".into() }];
    let asked = command!(
        sam,
        request_evidence,
        RequestEvidenceRequest { name: name.clone(), kind: "rfe".into(), items: items, days: 30 }
    )
    .unwrap();
    sam.case(&name, asked.case.unwrap().version).await.unwrap();
    let shown = expected().await;
    assert_eq!((shown.appointment_kind.as_str(), shown.title.as_str()), ("biometrics", ""));

    // Whoever works there knows the case by that alone.
    name = shown.name;
    let taken = true;
    command!(bea, record_biometrics, RecordBiometricsRequest { name: name, early_by_agreement: taken })
        .unwrap();
    world.until(|| bea.queue("office"), |queue| queue.1 == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_supervisors_list_reads_no_more_than_it_shows() {
    const CASES: usize = 5_000;
    let world = World::start().await;
    let (ana, sam) = (world.person(&[]).await, world.person(&[("supervisor", "NBC")]).await);
    let name = format!("cases/{}", world.submit(&ana, 40).await);
    world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    // Half of them wait for intake, and have no office yet.
    world
        .spoil(
            "INSERT INTO case_row_a SELECT other.* FROM case_row_a AS known CROSS JOIN generate_series(1, 4999) AS nth
             CROSS JOIN LATERAL jsonb_populate_record(known, jsonb_build_object('case_id', gen_random_uuid(),
                 'receipt_number', '', 'party', gen_random_uuid(), 'changed_at_us', known.changed_at_us - nth,
                 'office', CASE WHEN nth % 2 = 0 THEN 'NBC' ELSE '' END)) AS other",
        )
        .await;
    world.spoil("ANALYZE case_row_a").await;
    let pool = world.status_pool();
    let read = || async {
        let sql = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'case_row_a'";
        let read = sqlx::query_scalar::<_, i64>(sql).fetch_one(&pool).await;
        read.map_err(|error| tonic::Status::internal(error.to_string()))
    };
    let page = |size: u32, page_token: String| {
        let request = sam.ask(pb::ListCasesRequest { page_size: size, page_token, language: String::new() });
        let mut status = sam.status.clone();
        async move { status.list_cases(request).await.unwrap().into_inner() }
    };
    let before = read().await.unwrap();
    let first = page(50, String::new()).await;
    let after = world.until(&read, |after| *after >= before + 50).await;
    assert!(after - before < 1_000, "{} rows read for 50", after - before);

    // And page by page it is all of them, newest first, each once.
    let (mut names, mut token) = (std::collections::BTreeSet::new(), first.next_page_token);
    let mut last = i64::MAX;
    let mut cases = first.cases;
    loop {
        for case in cases {
            assert!(case.changed_at_us <= last && names.insert(case.name));
            last = case.changed_at_us;
        }
        if token.is_empty() {
            break;
        }
        let next = page(500, token).await;
        (cases, token) = (next.cases, next.next_page_token);
    }
    assert_eq!(names.len(), CASES);
}
