//! The days that the law gives the office: shown to the party, owed until an officer decides, and nothing is decided by them.

use docket_proto::filing::events::v1::DerivedFacts;
use jiff::SignedDuration;

use crate::holds::owed;
use crate::linked::{Office, decide, office, recommend};
use crate::people::command;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_naturalization_that_is_not_decided_in_120_days_is_an_alarm_and_nothing_else() {
    let world = World::start().await;
    let office = office(&world).await;
    let ana = world.person(&[]).await;
    let filing = world.submit(&ana, 40).await;
    let name = format!("cases/{filing}");
    world.until(|| ana.case(&name, 0), |case| case.stage == "accepted").await;
    recommend(&office, filing, true).await;

    let case = world.until(|| ana.case(&name, 0), |case| case.title_id == "16").await;
    let day = case.office_deadline.unwrap();
    assert_eq!((day.rule.as_str(), day.due_date.as_str()), ("n400.decision", "2027-03-24"));
    let queue = office.sam.worklist("office").await.unwrap();
    let by_law = queue.items[0].case.as_ref().and_then(|case| case.office_deadline.as_ref());
    assert_eq!(by_law.unwrap().due_date, "2027-03-24");
    world.until(|| owed(&world, "naturalization_decision"), |owed| owed == &[false]).await;

    world.clock.advance(SignedDuration::from_hours(24 * 121));
    world.until(|| owed(&world, "naturalization_decision"), |owed| owed == &[true]).await;
    let (ana, ito, sam) =
        (world.stepped_up(&ana), world.stepped_up(&office.ito), world.stepped_up(&office.sam));
    let late = ana.case(&name, 0).await.unwrap();
    assert_eq!((late.title_id.as_str(), late.version), ("16", case.version), "nobody decided");
    decide(&Office { ito, sam }, filing, "approve").await.unwrap();
    world.until(|| owed(&world, "naturalization_decision"), Vec::is_empty).await;
    let decided = world.until(|| ana.case(&name, 0), |case| case.title_id == "14").await;
    assert_eq!(decided.office_deadline, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_a_hearing_is_owed_until_it_is_decided() {
    let world = World::start().await;
    let office = office(&world).await;
    let ana = world.person(&[]).await;
    let facts = |_| DerivedFacts {
        age: 40,
        about_receipt: "DKT1234567897".into(),
        challenge: "hearing".into(),
        ..Default::default()
    };
    let request = world.submit_with(&[("N-336", "appeal", ana.account)], facts).await[0];
    let name = format!("cases/{request}");
    let case = world.until(|| ana.case(&name, 0), |case| case.stage == "accepted").await;
    assert_eq!(case.office_deadline.unwrap().rule, "n336.hearing");
    world.until(|| owed(&world, "hearing"), |owed| owed == &[false]).await;
    recommend(&office, request, false).await;
    decide(&office, request, "deny").await.unwrap();
    world.until(|| owed(&world, "hearing"), Vec::is_empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_whose_motion_was_granted_is_owed_its_reopening_until_a_supervisor_does_it() {
    let world = World::start().await;
    let office = office(&world).await;
    let (ana, kim) = (world.person(&[]).await, world.person(&[("supervisor", "NBC")]).await);
    let denied = world.submit_package(&[("I-130", "family_petition", ana.account)]).await[0];
    let name = format!("cases/{denied}");
    let receipt = world.until(|| ana.case(&name, 0), |case| case.stage == "accepted").await.receipt_number;
    recommend(&office, denied, false).await;
    decide(&office, denied, "deny").await.unwrap();
    let facts = |_| DerivedFacts {
        age: 40,
        about_receipt: receipt.clone(),
        challenge: "motion_reopen".into(),
        ..Default::default()
    };
    let motion = world.submit_with(&[("I-290B", "appeal", ana.account)], facts).await[0];
    let motion_name = format!("cases/{motion}");
    world.until(|| ana.case(&motion_name, 0), |case| case.stage == "accepted").await;
    world.until(|| ana.case(&name, 0), |case| case.title_id == "6").await;
    let told = |tasks: &[String]| tasks.iter().any(|task| task == "reopen");
    assert!(!told(&office.sam.queue("office").await.unwrap().0));

    recommend(&office, motion, true).await;
    // Who denied the case does not decide about the motion.
    let kim = Office { ito: office.ito.clone(), sam: world.stepped_up(&kim) };
    decide(&kim, motion, "approve").await.unwrap();
    world.until(|| owed(&world, "reopening"), |owed| owed == &[false]).await;
    world.until(|| office.sam.queue("office"), |queue| told(&queue.0)).await;
    assert!(!told(&office.ito.queue("mine").await.unwrap().0), "only a supervisor can");
    world.clock.advance(SignedDuration::from_hours(24 * 31));
    world.until(|| owed(&world, "reopening"), |owed| owed == &[true]).await;

    let sam = world.stepped_up(&office.sam);
    command!(sam, reopen_case, ReopenCaseRequest { name: name.clone(), motion: motion_name }).unwrap();
    world.until(|| owed(&world, "reopening"), Vec::is_empty).await;
    world.until(|| sam.queue("office"), |queue| !told(&queue.0)).await;
    assert_eq!(ana.case(&name, 0).await.unwrap().stage, "in_review");
}
