//! What the office does of its own accord, through the ports: an approval revoked, a case reopened, appointments nobody needs.

use jiff::SignedDuration;
use uuid::Uuid;

use crate::people::{Someone, command, of_own_accord, reason};
use crate::world::World;

/// An adjudicator, and two supervisors with a second factor given just now, one of whom takes biometrics too.
struct Office {
    ito: Someone,
    sam: Someone,
    kim: Someone,
}

async fn office(world: &World) -> Office {
    let ito = world.person(&[("adjudicator", "NBC")]).await;
    let sam = world.person(&[("supervisor", "NBC"), ("biometrics_officer", "ASC-NYC")]).await;
    let kim = world.person(&[("supervisor", "NBC")]).await;
    Office { ito: world.stepped_up(&ito), sam: world.stepped_up(&sam), kim: world.stepped_up(&kim) }
}

impl Office {
    /// A case under review by the adjudicator.
    async fn review(&self, name: &str) {
        let (name, officer) = (name.to_owned(), format!("accounts/{}", self.ito.account));
        command!(self.sam, assign_case, AssignCaseRequest { name: name.clone(), officer: officer }).unwrap();
        command!(self.ito, start_review, StartReviewRequest { name: name }).unwrap();
    }

    /// Recommends by the adjudicator, and decides so by a supervisor.
    async fn decide(&self, name: &str, decision: &str) -> Result<(), String> {
        let (name, recommendation) = (name.to_owned(), decision.to_owned());
        let recommended = command!(
            self.ito,
            recommend_decision,
            RecommendDecisionRequest { name: name.clone(), recommendation: recommendation }
        );
        recommended.map_err(|status| reason(&status))?;
        let (ground_codes, reasons) = (vec!["bona_fides_not_shown".to_owned()], "because".to_owned());
        let decided = command!(
            self.sam,
            decide_case,
            DecideCaseRequest {
                name: name,
                decision: decision.into(),
                ground_codes: ground_codes,
                reasons: reasons,
                new_facts: "none".into()
            }
        );
        decided.map(drop).map_err(|status| reason(&status))
    }

    async fn revoke(&self, who: &Someone, name: &str) -> Result<u64, String> {
        let (name, ground_codes) = (name.to_owned(), vec!["bona_fides_not_shown".to_owned()]);
        let revoked = of_own_accord!(
            who,
            revoke_approval,
            RevokeApprovalRequest {
                name: name,
                ground_codes: ground_codes,
                reasons: "Nothing shows it.".into()
            }
        );
        revoked.map(|done| done.case.unwrap().version).map_err(|status| reason(&status))
    }
}

fn told(kind: &'static str) -> impl Fn(&Vec<String>) -> bool {
    move |lines| lines.iter().any(|line| line == kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_revoked_after_its_notice_passed_unanswered_and_reopened_by_the_office_itself() {
    let world = World::start().await;
    let office = office(&world).await;
    let (pat, ana) = (world.person(&[]).await, world.person(&[]).await);
    let filings = [("I-130", "family_petition", pat.account), ("I-485", "adjustment", ana.account)];
    let [petition, adjustment] = world.submit_package(&filings).await[..] else { panic!("two filings") };
    let (name, rests_on_it) = (format!("cases/{petition}"), format!("cases/{adjustment}"));
    world.until(|| pat.lines(&name, 0), told("linked")).await;
    office.review(&name).await;
    office.decide(&name, "approve").await.unwrap();

    let grounds = "The lease of 2024 names another spouse.";
    let asked = of_own_accord!(
        office.ito,
        intend_revocation,
        IntendRevocationRequest {
            name: name.clone(),
            grounds: grounds.into(),
            derogatory_information: "A petition of 2019 names her too.".into(),
        }
    )
    .unwrap();
    assert_eq!(asked.deadline.unwrap().derivation, "2026-11-24 + 30d = 2026-12-24 Thu");
    let case = pat.case(&name, asked.case.unwrap().version).await.unwrap();
    assert_eq!((case.title_id.as_str(), case.request.as_str()), ("18a", asked.request.as_str()));
    assert_eq!(case.stage, "decided");
    let words = world.words("notifications", &name, "case.revocation_intended.v1").await.unwrap();
    assert_eq!((words.words.as_str(), words.derogatory_information.is_empty()), (grounds, false));
    assert_eq!(office.revoke(&office.kim, &name).await, Err("REQUEST_OPEN".into()));

    // Nobody answers: the clock says so, and an officer decides, another one than who intended it.
    let request = asked.request.trim_start_matches("requests/").parse().unwrap();
    world.notice(petition, "noir", Some(request)).await;
    world.until(|| pat.lines(&name, 0), told("request_served")).await;
    world.clock.advance(SignedDuration::from_hours(24 * 32));
    let case = world.until(|| pat.case(&name, 0), |case| case.title_id == "19").await;
    assert_eq!(case.stage, "decided");
    world.until(|| office.ito.queue("mine"), |queue| queue.0.contains(&"decide_revocation".to_owned())).await;
    let ito = world.stepped_up(&office.ito);
    assert_eq!(office.revoke(&ito, &name).await, Err("SAME_OFFICER".into()));
    let kim = world.stepped_up(&office.kim);
    let version = office.revoke(&kim, &name).await.unwrap();
    assert_eq!(pat.case(&name, version).await.unwrap().title_id, "5");
    world.until(|| office.sam.lines(&rests_on_it, 0), told("basis_lost")).await;
    let words = world.words("notifications", &name, "case.approval_revoked.v1").await.unwrap();
    assert_eq!(words.words, "Nothing shows it.");

    // The office finds that it was wrong: for the party at once, and nobody denies it before the party was told.
    let reopen = async |who: &Someone| {
        let reasons = "The lease is another person's of the same name.".to_owned();
        of_own_accord!(
            who,
            reopen_on_own_motion,
            ReopenOnOwnMotionRequest { name: name.clone(), favorable: true, reasons: reasons }
        )
    };
    assert_eq!(reason(&reopen(&ito).await.unwrap_err()), "NOT_YOUR_ACT");
    let version = reopen(&kim).await.unwrap().case.unwrap().version;
    let case = pat.case(&name, version).await.unwrap();
    assert_eq!((case.title_id.as_str(), case.stage.as_str()), ("19", "in_review"));
    world.until(|| office.sam.lines(&rests_on_it, 0), told("basis_regained")).await;
    assert_eq!(office.decide(&name, "deny").await, Err("PARTY_NOT_TOLD".into()));
    let again = Office { sam: world.stepped_up(&office.sam), ..office };
    again.decide(&name, "approve").await.unwrap();
    world.until(|| pat.case(&name, 0), |case| case.title_id == "15").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_that_is_given_up_ends_its_request_and_the_approval_stands() {
    let world = World::start().await;
    let office = office(&world).await;
    let pat = world.person(&[]).await;
    let [petition] = world.submit_package(&[("I-140", "employment_petition", pat.account)]).await[..] else {
        panic!("one filing")
    };
    let name = format!("cases/{petition}");
    world.until(|| pat.case(&name, 0), |case| case.stage == "accepted").await;
    office.review(&name).await;
    office.decide(&name, "approve").await.unwrap();
    let intent = of_own_accord!(
        office.ito,
        intend_revocation,
        IntendRevocationRequest { name: name.clone(), grounds: "The employer closed.".into() }
    );
    intent.unwrap();
    let withdrawn = of_own_accord!(
        office.kim,
        withdraw_revocation_intent,
        WithdrawRevocationIntentRequest { name: name.clone() }
    );
    let done = withdrawn.unwrap().case.unwrap();
    assert_eq!(done.events, ["case.revocation_intent_withdrawn.v1", "case.request_cancelled.v1"]);
    let case = pat.case(&name, done.version).await.unwrap();
    assert_eq!((case.title_id.as_str(), case.request.as_str()), ("15", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_terminated_by_another_officer_once_its_holder_answered() {
    let world = World::start().await;
    let office = office(&world).await;
    let ana = world.person(&[]).await;
    let filed = world.submit_package(&[("I-821D", "humanitarian", ana.account)]).await;
    let name = format!("cases/{}", filed[0]);
    world.until(|| ana.case(&name, 0), |case| case.stage == "accepted").await;
    office.review(&name).await;
    let waived = of_own_accord!(
        office.ito,
        dispense_biometrics,
        DispenseBiometricsRequest { name: name.clone(), cause: "not_able".into() }
    );
    waived.unwrap();
    office.decide(&name, "approve").await.unwrap();
    let grounds = "The record does not show that you lived here throughout.";
    let asked = of_own_accord!(
        office.ito,
        intend_termination,
        IntendTerminationRequest { name: name.clone(), grounds: grounds.into() }
    )
    .unwrap();
    let case = ana.case(&name, asked.case.unwrap().version).await.unwrap();
    assert_eq!((case.title_id.as_str(), case.request.as_str()), ("18c", asked.request.as_str()));
    let words = world.words("notifications", &name, "case.termination_intended.v1").await.unwrap();
    assert_eq!(words.words, grounds);
    let terminate = async |who: &Someone| {
        let ground_codes = vec!["continuous_residence".to_owned()];
        let done = of_own_accord!(
            who,
            terminate_status,
            TerminateStatusRequest {
                name: name.clone(),
                ground_codes: ground_codes,
                reasons: "Nothing shows it.".into()
            }
        );
        done.map(|done| done.case.unwrap().version).map_err(|status| reason(&status))
    };
    assert_eq!(terminate(&office.kim).await, Err("REQUEST_OPEN".into()));
    let request = asked.request.trim_start_matches("requests/").parse().unwrap();
    world.notice(filed[0], "noit", Some(request)).await;
    world.until(|| ana.lines(&name, 0), told("request_served")).await;
    world.respond(filed[0], request).await;
    world.until(|| ana.case(&name, 0), |case| case.title_id == "20").await;
    assert_eq!(terminate(&office.ito).await, Err("SAME_OFFICER".into()));
    let version = terminate(&office.kim).await.unwrap();
    assert_eq!(ana.case(&name, version).await.unwrap().title_id, "5c");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_an_appointment_that_is_not_needed_and_a_missed_one_is_excused() {
    let world = World::start().await;
    let office = office(&world).await;
    let ana = world.person(&[]).await;
    let submit = async || {
        let filed = world.submit_package(&[("I-485", "adjustment", ana.account)]).await;
        let name = format!("cases/{}", filed[0]);
        world.until(|| ana.case(&name, 0), |case| case.stage == "accepted").await;
        office.review(&name).await;
        name
    };
    let schedule = async |name: &str| {
        let name = name.to_owned();
        command!(office.sam, schedule_appointment, ScheduleAppointmentRequest { name: name, kind: 1 })
            .unwrap();
    };

    // The capture fails, and on the next day nobody comes, with an excuse; then earlier ones are used.
    let name = submit().await;
    schedule(&name).await;
    let failed = of_own_accord!(
        office.sam,
        record_failed_capture,
        RecordFailedCaptureRequest {
            name: name.clone(),
            cause: "equipment".into(),
            early_by_agreement: true
        }
    );
    failed.unwrap();
    schedule(&name).await;
    world.clock.advance(SignedDuration::from_hours(24 * 20));
    command!(
        office.sam,
        record_missed_appointment,
        RecordMissedAppointmentRequest { name: name.clone(), kind: 1 }
    )
    .unwrap();
    let excused = of_own_accord!(
        office.ito,
        excuse_absence,
        ExcuseAbsenceRequest { name: name.clone(), kind: 1, cause: "illness".into() }
    );
    excused.unwrap();
    let reused = of_own_accord!(
        office.ito,
        dispense_biometrics,
        DispenseBiometricsRequest {
            name: name.clone(),
            cause: "reused".into(),
            captured_on_date: "2026-03-02".into(),
        }
    );
    reused.unwrap();
    let waived = of_own_accord!(
        office.ito,
        waive_interview,
        WaiveInterviewRequest { name: name.clone(), criterion: "unnecessary".into() }
    );
    let version = waived.unwrap().case.unwrap().version;
    ana.case(&name, version).await.unwrap();
    let lines = ana.lines(&name, 0).await.unwrap();
    for line in ["biometrics_capture_failed", "absence_excused", "biometrics_reused", "interview_waived"] {
        assert!(lines.contains(&line.to_owned()), "{line} is not in {lines:?}");
    }
    command!(
        office.ito,
        record_background_check,
        RecordBackgroundCheckRequest {
            name: name.clone(),
            system: "fbi_fingerprint".into(),
            result_class: "no_record".into(),
        }
    )
    .unwrap();
    let (ito, sam, kim) = (office.ito.clone(), world.stepped_up(&office.sam), office.kim.clone());
    Office { ito, sam, kim }.decide(&name, "approve").await.unwrap();

    // Of somebody who is not able to give them none are taken, and the day that was set falls away.
    let name = submit().await;
    schedule(&name).await;
    let waived = of_own_accord!(
        office.ito,
        dispense_biometrics,
        DispenseBiometricsRequest { name: name.clone(), cause: "not_able".into() }
    );
    let done = waived.unwrap().case.unwrap();
    assert_eq!(done.events, ["case.biometrics_cancelled.v1", "case.biometrics_waived.v1"]);
    let unknown = of_own_accord!(
        office.ito,
        dispense_biometrics,
        DispenseBiometricsRequest { name: format!("cases/{}", Uuid::new_v4()), cause: "age".into() }
    );
    assert_eq!(unknown.unwrap_err().code(), tonic::Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_case_taken_from_them_sees_it_no_more() {
    let world = World::start().await;
    let office = office(&world).await;
    let ana = world.person(&[]).await;
    let name = format!("cases/{}", world.submit(&ana, 40).await);
    world.until(|| ana.case(&name, 0), |case| case.stage == "accepted").await;
    office.review(&name).await;
    world.until(|| office.ito.lines(&name, 0), told("review_started")).await;
    let take =
        async |who: &Someone| of_own_accord!(who, unassign_case, UnassignCaseRequest { name: name.clone() });
    assert_eq!(reason(&take(&office.ito).await.unwrap_err()), "NOT_YOUR_ACT");
    let version = take(&office.kim).await.unwrap().case.unwrap().version;
    assert_eq!(office.sam.case(&name, version).await.unwrap().officer, "");
    assert_eq!(office.ito.case(&name, 0).await.unwrap_err().code(), tonic::Code::NotFound);
    assert!(!ana.lines(&name, 0).await.unwrap().contains(&"unassigned".to_owned()));
    world.until(|| office.sam.queue("unassigned"), |queue| queue.0 == ["assign"]).await;
    // Nobody came to no examination: a case is not closed for that.
    let closed = of_own_accord!(
        office.kim,
        close_administratively,
        CloseAdministrativelyRequest { name: name.clone(), cause: "examination_missed".into() }
    );
    assert_eq!(reason(&closed.unwrap_err()), "NOT_CLOSABLE");
}
