//! A card through the ports: who orders it, who records it, and what the party sees and confirms.

use docket_proto::events::account;
use docket_proto::identity::events::v1 as identity;

use crate::people::{Someone, command, reason};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_ordered_mailed_returned_and_mailed_again_once_the_address_is_confirmed() {
    let world = World::start().await;
    let ana = world.person(&[]).await;
    let roles = [("supervisor", "NBC"), ("biometrics_officer", "ASC-NYC")];
    let (ito, sam) = (world.person(&[("adjudicator", "NBC")]).await, world.person(&roles).await);
    let (ria, sam) = (world.person(&[("records_officer", "NBC")]).await, world.stepped_up(&sam));
    let [filing] = world.submit_package(&[("I-90", "card_replacement", ana.account)]).await[..] else {
        panic!("one filing")
    };
    let name = format!("cases/{filing}");
    world.until(|| ana.case(&name, 0), |case| case.stage == "accepted").await;
    let officer = format!("accounts/{}", ito.account);
    command!(sam, assign_case, AssignCaseRequest { name: name.clone(), officer: officer }).unwrap();
    let early = command!(ito, order_card, OrderCardRequest { name: name.clone() }).unwrap_err();
    assert_eq!(reason(&early), "NOT_APPROVED");
    command!(sam, schedule_appointment, ScheduleAppointmentRequest { name: name.clone(), kind: 1 }).unwrap();
    command!(
        sam,
        record_biometrics,
        RecordBiometricsRequest { name: name.clone(), early_by_agreement: true }
    )
    .unwrap();
    let system = "fbi_fingerprint".to_owned();
    command!(
        ito,
        record_background_check,
        RecordBackgroundCheckRequest { name: name.clone(), system: system, result_class: "no_record".into() }
    )
    .unwrap();
    command!(ito, start_review, StartReviewRequest { name: name.clone() }).unwrap();
    let approve = "approve".to_owned();
    command!(
        ito,
        recommend_decision,
        RecommendDecisionRequest { name: name.clone(), recommendation: approve }
    )
    .unwrap();
    command!(sam, decide_case, DecideCaseRequest { name: name.clone(), decision: "approve".into() }).unwrap();
    world.until(|| ito.queue("mine"), |queue| queue.0 == ["order_card"]).await;
    command!(ito, order_card, OrderCardRequest { name: name.clone() }).unwrap();

    // From here on it is the records'; they see the card, and not the case.
    world.until(|| ria.queue("office"), |queue| queue.0 == ["produce_card"]).await;
    assert!(ito.queue("mine").await.unwrap().0.is_empty());
    assert!(ria.case(&name, 0).await.is_err());
    let record = async |step: &str, tracking: &str, cause: &str| {
        let done = command!(
            ria,
            record_card,
            RecordCardRequest {
                name: name.clone(),
                step: step.into(),
                carrier: "USPS".into(),
                tracking_number: tracking.into(),
                cause: cause.into(),
            }
        );
        done.map(|done| done.case.unwrap().version).map_err(|status| reason(&status))
    };
    assert_eq!(record("lost", "", "").await, Err("CARD_STEP_UNKNOWN".into()));
    record("produced", "", "").await.unwrap();
    let at = record("mailed", "9400", "").await.unwrap();
    let case = ana.case(&name, at).await.unwrap();
    let card = case.card.unwrap();
    assert_eq!(
        (case.title_id.as_str(), card.tracking_number.as_str(), card.state.as_str()),
        ("9", "9400", "mailed")
    );
    assert!(case.explanation.contains("9400"));
    let at = record("returned", "", "unclaimed").await.unwrap();
    let case = ana.case(&name, at).await.unwrap();
    assert_eq!((case.title_id.as_str(), case.card.unwrap().keep_until_date.as_str()), ("7", "2027-01-23"));
    assert_eq!(record("mailed", "9401", "").await, Err("ADDRESS_NOT_CONFIRMED".into()));
    let weak = command!(ana, confirm_address, ConfirmAddressRequest { name: name.clone() }).unwrap_err();
    assert_eq!(reason(&weak), "STEP_UP_REQUIRED");
    world.clock.advance(jiff::SignedDuration::from_secs(1));
    let ana_up = world.stepped_up(&ana);
    let none = command!(ana_up, confirm_address, ConfirmAddressRequest { name: name.clone() }).unwrap_err();
    assert_eq!(reason(&none), "ADDRESS_NOT_ON_RECORD");
    world.address_on_record(&ana).await;
    command!(ana_up, confirm_address, ConfirmAddressRequest { name: name.clone() }).unwrap();
    record("mailed", "9401", "").await.unwrap();
    let at = record("delivered", "", "").await.unwrap();
    assert_eq!(ana.case(&name, at).await.unwrap().title_id, "8");
    let lines = ana.lines(&name, 0).await.unwrap();
    let card: Vec<&str> =
        lines.iter().map(String::as_str).skip_while(|line| *line != "card_ordered").collect();
    assert_eq!(
        card,
        [
            "card_ordered",
            "card_produced",
            "card_mailed",
            "card_returned",
            "address_confirmed",
            "card_remailed",
            "card_delivered"
        ]
    );
}

/// Confirms the address of a case; the id of the event that it comes from, or why not.
async fn confirm(world: &World, who: &Someone, name: &str) -> Result<String, String> {
    let who = world.stepped_up(who);
    let done = command!(who, confirm_address, ConfirmAddressRequest { name: name.to_owned() });
    done.map_err(|status| reason(&status))?;
    let payload: Vec<u8> = sqlx::query_scalar(
        "SELECT payload FROM log.event WHERE kind = 'case.address_confirmed.v1' ORDER BY position DESC LIMIT 1",
    )
    .fetch_one(&world.cases.pool)
    .await
    .unwrap();
    let confirmed: docket_proto::case_status::events::v1::AddressConfirmed =
        prost::Message::decode(payload.as_slice()).unwrap();
    Ok(confirmed.address_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_childs_case_the_childs_address_is_confirmed_and_changed_and_not_the_parents() {
    let world = World::start().await;
    let (ana, iva) = (world.person(&[]).await, world.person(&[("intake_officer", "NBC")]).await);
    let card = ("I-90", "card_replacement");
    let (own, childs) =
        (world.submit_signed(&ana, card, "self").await, world.submit_signed(&ana, card, "parent").await);
    let (own_name, name) = (format!("cases/{own}"), format!("cases/{childs}"));
    for case in [&own_name, &name] {
        world.until(|| ana.case(case, 0), |_| true).await;
    }
    let hers = identity::AddressRecorded { filing_id: own.to_string(), given_at_us: 1, ..Default::default() };
    world.happens_to(&ana, account::Event::from(hers)).await;
    world.until(|| confirmed(&world, &ana, &own_name), Result::is_ok).await.unwrap();
    assert_eq!(
        confirm(&world, &ana, &name).await,
        Err("ADDRESS_NOT_ON_RECORD".into()),
        "hers is not the child's"
    );
    let given =
        identity::CaseAddressGiven { filing_id: childs.to_string(), given_at_us: 2, ..Default::default() };
    world.happens_to(&ana, account::Event::from(given)).await;
    world.until(|| confirmed(&world, &ana, &name), Result::is_ok).await.unwrap();
    let at_first = confirm(&world, &ana, &name).await.unwrap();
    let account = confirm(&world, &ana, &own_name).await.unwrap();
    assert_ne!(at_first, account);

    // The child moves: its case goes by it, and the report is done; her own case and address stay.
    let report = world.submit_signed(&ana, ("AR-11", "address_change"), "parent").await;
    let report_name = format!("cases/{report}");
    world.until(|| ana.case(&report_name, 0), |_| true).await;
    command!(iva, accept_filing, AcceptFilingRequest { name: report_name.clone() }).unwrap();
    let moved = identity::AddressChanged {
        zone: "America/Los_Angeles".into(),
        filing_id: report.to_string(),
        given_at_us: 3,
        for_another: true,
        case_ids: vec![childs.to_string()],
        ..Default::default()
    };
    world.happens_to(&ana, account::Event::from(moved)).await;
    let has = |line: &'static str| move |lines: &Vec<String>| lines.iter().any(|one| one == line);
    world.until(|| ana.lines(&report_name, 0), has("move_recorded")).await;
    world.until(|| ana.lines(&name, 0), has("address_changed")).await;
    assert_ne!(confirm(&world, &ana, &name).await.unwrap(), at_first, "where it moved to");
    assert_eq!(confirm(&world, &ana, &own_name).await.unwrap(), account);
    let lines = ana.lines(&own_name, 0).await.unwrap();
    assert!(!has("address_changed")(&lines), "{lines:?}");
}

/// The same, looked at again until it is there.
async fn confirmed(
    world: &World,
    who: &Someone,
    name: &str,
) -> Result<Result<String, String>, tonic::Status> {
    Ok(confirm(world, who, name).await)
}
