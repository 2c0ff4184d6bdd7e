//! What keeps a case from being decided, and what ends an approval by itself, through the ports.

use docket_proto::case_status::v1 as pb;
use jiff::SignedDuration;
use tonic::Status;

use crate::people::{Someone, command, of_own_accord, reason};
use crate::world::World;

/// An adjudicator who has the case, and a supervisor with a second factor given just now.
struct Office {
    ito: Someone,
    sam: Someone,
}

async fn office(world: &World) -> Office {
    let ito = world.person(&[("adjudicator", "NBC")]).await;
    let sam = world.person(&[("supervisor", "NBC")]).await;
    Office { ito: world.stepped_up(&ito), sam: world.stepped_up(&sam) }
}

impl Office {
    /// A case under review.
    async fn review(&self, name: &str) {
        let (name, officer) = (name.to_owned(), format!("accounts/{}", self.ito.account));
        command!(self.sam, assign_case, AssignCaseRequest { name: name.clone(), officer: officer }).unwrap();
        command!(self.ito, start_review, StartReviewRequest { name: name }).unwrap();
    }

    async fn recommend(&self, name: &str) -> Result<u64, String> {
        let (name, recommendation) = (name.to_owned(), "approve".to_owned());
        let message = command!(
            self.ito,
            recommend_decision,
            RecommendDecisionRequest { name: name, recommendation: recommendation }
        );
        message.map(|done| done.case.unwrap().version).map_err(|status| reason(&status))
    }

    async fn hold(&self, who: &Someone, name: &str, why: &str, until: &str) -> Result<u64, String> {
        let (name, reason_, day) = (name.to_owned(), why.to_owned(), until.to_owned());
        let held = of_own_accord!(
            who,
            hold_case,
            HoldCaseRequest { name: name, reason: reason_, review_by_date: day }
        );
        held.map(|done| done.case.unwrap().version).map_err(|status| reason(&status))
    }

    async fn lift(&self, name: &str, why: &str) -> u64 {
        let (name, why) = (name.to_owned(), why.to_owned());
        let lifted = of_own_accord!(self.sam, lift_hold, LiftHoldRequest { name: name, reason: why });
        lifted.unwrap().case.unwrap().version
    }

    async fn approve(&self, name: &str) -> Result<u64, String> {
        let (name, decision) = (name.to_owned(), "approve".to_owned());
        let decided = command!(self.sam, decide_case, DecideCaseRequest { name: name, decision: decision });
        decided.map(|done| done.case.unwrap().version).map_err(|status| reason(&status))
    }
}

/// The obligations of a kind that are open, each with whether its day is over.
pub(crate) async fn owed(world: &World, kind: &str) -> Result<Vec<bool>, Status> {
    let sql = "SELECT due_at_us <= $2 FROM log.obligation WHERE closed_by IS NULL AND kind = $1";
    let now = world.clock_now().as_microsecond();
    let owed = sqlx::query_scalar(sql).bind(kind).bind(now).fetch_all(&world.cases.pool).await;
    owed.map_err(|error| Status::internal(error.to_string()))
}

fn held_for(case: &pb::Case) -> Vec<(&str, &str)> {
    case.holds.iter().map(|hold| (hold.reason.as_str(), hold.review_by_date.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_is_held_waits_in_honest_words_and_is_decided_when_the_hold_is_over() {
    let world = World::start().await;
    let office = office(&world).await;
    let pat = world.person(&[]).await;
    let filed = world.submit_package(&[("I-130", "family_petition", pat.account)]).await;
    let name = format!("cases/{}", filed[0]);
    world.until(|| pat.case(&name, 0), |case| case.stage == "accepted").await;
    office.review(&name).await;

    // Nobody but the office knows of a check that is not finished, and no stranger holds a case.
    let kim = world.person(&[("adjudicator", "NBC")]).await;
    assert_eq!(office.hold(&pat, &name, "litigation", "2026-12-24").await, Err("NOT_YOUR_ACT".into()));
    assert!(office.hold(&kim, &name, "litigation", "2026-12-24").await.is_err(), "the case is not hers");
    assert_eq!(office.hold(&office.ito, &name, "litigation", "soon").await, Err("FIELDS_INVALID".into()));
    let version = office.hold(&office.ito, &name, "background_check", "2026-12-24").await.unwrap();
    let shown = office.ito.case(&name, version).await.unwrap();
    assert_eq!(held_for(&shown), [("background_check", "2026-12-24")]);
    let before = pat.case(&name, 0).await.unwrap();
    assert_eq!((before.title_id.as_str(), before.holds.len()), ("31", 0));
    assert!(before.version < version && !pat.lines(&name, 0).await.unwrap().contains(&"held".to_owned()));
    assert_eq!(office.recommend(&name).await, Err("CASE_HELD".into()));

    // A court decides about something: the party reads that, and until when it is looked at again.
    let version = office.hold(&office.sam, &name, "litigation", "2026-12-24").await.unwrap();
    office.ito.case(&name, version).await.unwrap();
    let case = pat.case(&name, version).await.unwrap();
    assert_eq!((case.title_id.as_str(), case.stage.as_str()), ("29a", "in_review"));
    assert!(case.explanation.contains("the decision of a court") && case.explanation.contains("December 24"));
    world.until(|| owed(&world, "hold_review"), |owed| owed == &[false, false]).await;

    // The day comes and nobody looked: that is an alarm. Who looks again names another day.
    world.clock.advance(SignedDuration::from_hours(24 * 32));
    world.until(|| owed(&world, "hold_review"), |owed| owed == &[true, true]).await;
    let fresh = Office { ito: world.stepped_up(&office.ito), sam: world.stepped_up(&office.sam) };
    fresh.hold(&fresh.ito, &name, "litigation", "2027-02-01").await.unwrap();
    world.until(|| owed(&world, "hold_review"), |owed| owed.iter().filter(|over| **over).count() == 1).await;
    fresh.lift(&name, "background_check").await;
    assert_eq!(fresh.recommend(&name).await, Err("CASE_HELD".into()));
    world.until(|| fresh.ito.queue("mine"), |queue| queue.0 == ["see_to_hold"]).await;
    let version = fresh.lift(&name, "litigation").await;
    assert_eq!(pat.case(&name, version).await.unwrap().title_id, "31");
    fresh.recommend(&name).await.unwrap();
    let version = fresh.approve(&name).await.unwrap();
    assert_eq!(pat.case(&name, version).await.unwrap().title_id, "15");
    world.until(|| owed(&world, "hold_review"), Vec::is_empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_that_the_law_ends_leaves_what_rests_on_it_to_an_officer_who_owes_a_look() {
    let world = World::start().await;
    let office = office(&world).await;
    let (pat, ana) = (world.person(&[]).await, world.person(&[]).await);
    let filings = [("I-130", "family_petition", pat.account), ("I-485", "adjustment", ana.account)];
    let [petition, adjustment] = world.submit_package(&filings).await[..] else { panic!("two filings") };
    let (name, rests_on_it) = (format!("cases/{petition}"), format!("cases/{adjustment}"));
    world.until(|| pat.lines(&name, 0), |lines| lines.contains(&"linked".to_owned())).await;
    office.review(&name).await;
    let record = async |who: &Someone, cause: &str, on: &str| {
        let (cause, day) = (cause.to_owned(), on.to_owned());
        let recorded = of_own_accord!(
            who,
            record_revocation_by_law,
            RecordRevocationByLawRequest {
                name: name.clone(),
                cause: cause,
                happened_on_date: day,
                findings: "The petitioner wrote that he withdraws it.".into(),
                relation: "relative_of_citizen".into(),
            }
        );
        recorded.map(|done| done.case.unwrap().version).map_err(|status| reason(&status))
    };
    assert_eq!(record(&office.ito, "petitioner_withdrew", "2026-11-24").await, Err("NOT_APPROVED".into()));
    office.recommend(&name).await.unwrap();
    office.approve(&name).await.unwrap();
    // The other one waits for a visa number meanwhile.
    office.review(&rests_on_it).await;
    office.hold(&office.ito, &rests_on_it, "visa_unavailable", "2026-12-24").await.unwrap();
    world.until(|| ana.case(&rests_on_it, 0), |case| case.title_id == "29").await;

    assert_eq!(record(&pat, "petitioner_withdrew", "2026-11-24").await, Err("NOT_YOUR_ACT".into()));
    let version = record(&office.ito, "petitioner_withdrew", "2026-11-24").await.unwrap();
    assert_eq!(pat.case(&name, version).await.unwrap().title_id, "5b");
    let words = world.words("notifications", &name, "case.approval_revoked_by_law.v1").await.unwrap();
    assert_eq!(words.words, "The petitioner wrote that he withdraws it.");

    // It is not ended by that; somebody is to see to it, and that is owed until the party withdraws or somebody decides.
    world.until(|| office.ito.lines(&rests_on_it, 0), |lines| lines.contains(&"basis_lost".to_owned())).await;
    let case = ana.case(&rests_on_it, 0).await.unwrap();
    assert_eq!((case.title_id.as_str(), case.stage.as_str()), ("29", "in_review"));
    world.until(|| owed(&world, "lost_basis"), |owed| owed == &[false]).await;
    let ana = world.stepped_up(&ana);
    command!(ana, withdraw_case, WithdrawCaseRequest { name: rests_on_it.clone() }).unwrap();
    world.until(|| owed(&world, "lost_basis"), Vec::is_empty).await;
    world.until(|| owed(&world, "hold_review"), Vec::is_empty).await;
}
