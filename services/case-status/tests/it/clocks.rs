//! The days that the law gives the office: shown to the party, owed until an officer decides, and nothing is decided by them.

use docket_proto::filing::events::v1::DerivedFacts;
use jiff::SignedDuration;

use crate::holds::owed;
use crate::linked::{Office, decide, office, recommend};
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
