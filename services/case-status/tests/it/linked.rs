//! Cases of one package: linked in whatever order they come, approved in the right one, and what the end of one does.

use docket_proto::filing::events::v1::DerivedFacts;
use uuid::Uuid;

use crate::people::{Someone, command, of_own_accord, reason};
use crate::world::World;

const PETITION: (&str, &str) = ("I-130", "family_petition");
const ADJUSTMENT: (&str, &str) = ("I-485", "adjustment");
const PERMIT: (&str, &str) = ("I-765", "ancillary_card");

pub(crate) struct Office {
    pub(crate) ito: Someone,
    /// With a second factor given just now.
    pub(crate) sam: Someone,
}

pub(crate) async fn office(world: &World) -> Office {
    let ito = world.person(&[("adjudicator", "NBC")]).await;
    let sam = world.person(&[("supervisor", "NBC"), ("biometrics_officer", "ASC-NYC")]).await;
    Office { ito, sam: world.stepped_up(&sam) }
}

fn name(case: Uuid) -> String {
    format!("cases/{case}")
}

/// A case up to the recommendation.
pub(crate) async fn recommend(office: &Office, case: Uuid, approve: bool) {
    let (ito, sam, name) = (&office.ito, &office.sam, name(case));
    let officer = format!("accounts/{}", ito.account);
    command!(sam, assign_case, AssignCaseRequest { name: name.clone(), officer: officer }).unwrap();
    // Biometrics and the check where they are needed; an interview too.
    if command!(sam, schedule_appointment, ScheduleAppointmentRequest { name: name.clone(), kind: 1 }).is_ok()
    {
        command!(
            sam,
            record_biometrics,
            RecordBiometricsRequest { name: name.clone(), early_by_agreement: true }
        )
        .unwrap();
        command!(
            ito,
            record_background_check,
            RecordBackgroundCheckRequest {
                name: name.clone(),
                system: "fbi_fingerprint".into(),
                result_class: "no_record".into(),
            }
        )
        .unwrap();
    }
    command!(ito, start_review, StartReviewRequest { name: name.clone() }).unwrap();
    let is_tested = sam.case(&name, 0).await.unwrap().form == "N-400";
    let tests = if is_tested { crate::story::tests() } else { Vec::new() };
    if command!(sam, schedule_appointment, ScheduleAppointmentRequest { name: name.clone(), kind: 2 }).is_ok()
    {
        command!(
            ito,
            record_interview,
            RecordInterviewRequest { name: name.clone(), early_by_agreement: true, tests: tests }
        )
        .unwrap();
    }
    let recommendation = if approve { "approve" } else { "deny" }.to_owned();
    command!(
        ito,
        recommend_decision,
        RecommendDecisionRequest { name: name, recommendation: recommendation }
    )
    .unwrap();
}

pub(crate) async fn decide(office: &Office, case: Uuid, decision: &str) -> Result<u64, String> {
    let done = command!(
        office.sam,
        decide_case,
        DecideCaseRequest {
            name: name(case),
            decision: decision.into(),
            ground_codes: vec!["no_bona_fides".into()],
            reasons: "because".into(),
            new_facts: "none".into(),
        }
    );
    done.map(|done| done.case.unwrap().version).map_err(|status| reason(&status))
}

/// A package in this order, once every link stands in both streams.
async fn package(world: &World, order: [usize; 3]) -> ([Uuid; 3], [Someone; 2]) {
    let (pat, ana) = (world.person(&[]).await, world.person(&[]).await);
    let filings = [PETITION, ADJUSTMENT, PERMIT];
    let parties = [pat.account, ana.account, ana.account];
    let sent = order.map(|nth| (filings[nth].0, filings[nth].1, parties[nth]));
    let ids = world.submit_package(&sent).await;
    let mut cases = [Uuid::nil(); 3];
    for (nth, id) in order.into_iter().zip(ids) {
        cases[nth] = id;
    }
    for (case, who, links) in [(cases[0], &pat, 1), (cases[1], &ana, 2), (cases[2], &ana, 1)] {
        let linked = |lines: &Vec<String>| lines.iter().filter(|line| *line == "linked").count() == links;
        let name = name(case);
        world.until(|| who.lines(&name, 0), linked).await;
        world.until(|| who.case(&name, 0), |case| case.stage == "accepted").await;
    }
    (cases, [pat, ana])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_linked_in_any_order_and_only_the_office_sees_which_cases() {
    let world = World::start().await;
    let office = office(&world).await;
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let ([petition, adjustment, permit], [pat, ana]) = package(&world, order).await;
        let seen = office.sam.case(&name(adjustment), 0).await.unwrap();
        let mut links: Vec<_> = seen
            .links
            .iter()
            .map(|link| (link.case.clone(), link.form.as_str(), link.kind.as_str(), link.direction.as_str()))
            .collect();
        links.sort_by_key(|link| link.1);
        assert_eq!(
            links,
            [(name(petition), "I-130", "basis", "rests_on"), (name(permit), "I-765", "ancillary", "carries")]
        );
        assert!(seen.links.iter().all(|link| link.stage == "accepted" && !link.lost), "{seen:?}");
        assert!(ana.case(&name(adjustment), 0).await.unwrap().links.is_empty());
        assert!(pat.case(&name(petition), 0).await.unwrap().links.is_empty());
        assert!(ana.case(&name(petition), 0).await.is_err(), "the petition is its petitioner's");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adjustment_follows_its_petition_and_makes_the_permit_needless() {
    let world = World::start().await;
    let office = office(&world).await;
    let ([petition, adjustment, permit], [_, ana]) = package(&world, [1, 0, 2]).await;
    recommend(&office, adjustment, true).await;
    assert_eq!(decide(&office, adjustment, "approve").await, Err("BASIS_NOT_APPROVED".into()));
    recommend(&office, petition, true).await;
    decide(&office, petition, "approve").await.unwrap();
    decide(&office, adjustment, "approve").await.unwrap();
    let permit = name(permit);
    let closed = world.until(|| ana.case(&permit, 0), |case| case.stage == "closed").await;
    assert_eq!((closed.title_id.as_str(), closed.appointment), ("3a", None));
    let seen = office.sam.case(&permit, 0).await.unwrap();
    assert_eq!((seen.links[0].outcome.as_str(), seen.links[0].stage.as_str()), ("approved", "decided"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_petition_is_a_task_in_the_adjustment_and_decides_nothing() {
    let world = World::start().await;
    let office = office(&world).await;
    let ([petition, adjustment, _], [_, ana]) = package(&world, [0, 2, 1]).await;
    let adjustment = name(adjustment);
    let officer = format!("accounts/{}", office.ito.account);
    command!(office.sam, assign_case, AssignCaseRequest { name: adjustment.clone(), officer: officer })
        .unwrap();
    let before = ana.case(&adjustment, 0).await.unwrap();
    recommend(&office, petition, false).await;
    decide(&office, petition, "deny").await.unwrap();
    let lost =
        world.until(|| office.ito.case(&adjustment, 0), |case| case.links.iter().any(|link| link.lost)).await;
    let basis = lost.links.iter().find(|link| link.kind == "basis").unwrap();
    assert_eq!((lost.stage.as_str(), basis.outcome.as_str(), basis.lost), ("accepted", "denied", true));
    assert!(office.ito.queue("mine").await.unwrap().0.contains(&"see_to_basis".to_owned()));
    let after = ana.case(&adjustment, 0).await.unwrap();
    assert_eq!((after.title_id, after.version), (before.title_id, before.version));
    assert!(!ana.lines(&adjustment, 0).await.unwrap().contains(&"basis_lost".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_filed_apart_is_linked_too_by_the_party_or_by_an_officer() {
    let world = World::start().await;
    let office = office(&world).await;
    let (pat, ana) = (world.person(&[]).await, world.person(&[]).await);
    let accepted = async |who: &Someone, case: Uuid| {
        let name = name(case);
        world.until(|| who.case(&name, 0), |case| case.stage == "accepted").await.receipt_number
    };
    let petition = world.submit_package(&[(PETITION.0, PETITION.1, pat.account)]).await[0];
    let receipt = accepted(&pat, petition).await;
    // The petition is another's: that they belong together is for an officer to see.
    let adjustment = world.submit_resting(&[(ADJUSTMENT.0, ADJUSTMENT.1, ana.account)], &receipt).await[0];
    let own = accepted(&ana, adjustment).await;
    assert!(office.sam.case(&name(adjustment), 0).await.unwrap().links.is_empty());
    // The permit names the own adjustment, which nobody has to look up.
    let permit = world.submit_resting(&[(PERMIT.0, PERMIT.1, ana.account)], &own).await[0];
    accepted(&ana, permit).await;
    let [petition_name, permit_name] = [petition, permit].map(name);
    let links = |case: &docket_proto::case_status::v1::Case| {
        let links =
            case.links.iter().map(|link| (link.case.clone(), link.kind.clone(), link.direction.clone()));
        links.collect::<Vec<_>>()
    };
    let told = |case: Uuid, kind: &str, direction: &str| (name(case), kind.to_owned(), direction.to_owned());
    let rests = world.until(|| office.sam.case(&permit_name, 0), |case| !case.links.is_empty()).await;
    assert_eq!(links(&rests), [told(adjustment, "ancillary", "rests_on")]);

    recommend(&office, adjustment, true).await;
    assert_eq!(decide(&office, adjustment, "approve").await, Err("BASIS_NOT_VERIFIED".into()));
    let link = async |basis: Uuid| {
        let linked = of_own_accord!(
            office.ito,
            verify_basis,
            VerifyBasisRequest { name: name(adjustment), basis: name(basis) }
        );
        linked.map(drop).map_err(|status| reason(&status))
    };
    assert_eq!(link(permit).await, Err("NOT_A_PETITION".into()));
    // The wrong one of two at first; that can be said anew, and the petitioner reads nothing of it.
    let wrong = world.submit_package(&[(PETITION.0, PETITION.1, pat.account)]).await[0];
    accepted(&pat, wrong).await;
    link(wrong).await.unwrap();
    link(petition).await.unwrap();
    let wrong = name(wrong);
    let both = |lines: &Vec<String>| lines.ends_with(&["linked".to_owned(), "unlinked".to_owned()]);
    world.until(|| office.sam.lines(&wrong, 0), both).await;
    assert!(office.sam.case(&wrong, 0).await.unwrap().links.is_empty());
    assert!(!pat.lines(&wrong, 0).await.unwrap().iter().any(|line| line.ends_with("linked")));
    assert_eq!(link(petition).await, Err("ALREADY_LINKED".into()));
    assert_eq!(decide(&office, adjustment, "approve").await, Err("BASIS_NOT_APPROVED".into()));
    let carries = world.until(|| office.sam.case(&petition_name, 0), |case| !case.links.is_empty()).await;
    assert_eq!(links(&carries), [told(adjustment, "basis", "carries")]);
    recommend(&office, petition, true).await;
    decide(&office, petition, "approve").await.unwrap();
    decide(&office, adjustment, "approve").await.unwrap();
    world.until(|| ana.case(&permit_name, 0), |case| case.stage == "closed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_petition_that_is_pending_is_the_basis_without_a_number_and_another_ones_is_not() {
    let world = World::start().await;
    let office = office(&world).await;
    let ana = world.person(&[]).await;
    let accepted = async |case: Uuid| {
        let name = name(case);
        world.until(|| ana.case(&name, 0), |case| case.stage == "accepted").await
    };
    // For somebody else, and for oneself.
    let for_another = world.submit_package(&[(PETITION.0, PETITION.1, ana.account)]).await[0];
    accepted(for_another).await;
    let without = world.submit_resting(&[(ADJUSTMENT.0, ADJUSTMENT.1, ana.account)], "").await[0];
    accepted(without).await;
    assert!(office.sam.case(&name(without), 0).await.unwrap().links.is_empty());
    recommend(&office, without, true).await;
    assert_eq!(decide(&office, without, "approve").await, Err("BASIS_NOT_VERIFIED".into()));

    let own = world.submit_package(&[("I-140", "worker_petition", ana.account)]).await[0];
    accepted(own).await;
    let adjustment = world.submit_resting(&[(ADJUSTMENT.0, ADJUSTMENT.1, ana.account)], "").await[0];
    accepted(adjustment).await;
    let linked = office.sam.case(&name(adjustment), 0).await.unwrap().links;
    assert_eq!(linked.iter().map(|link| link.case.clone()).collect::<Vec<_>>(), [name(own)]);
    recommend(&office, adjustment, true).await;
    assert_eq!(decide(&office, adjustment, "approve").await, Err("BASIS_NOT_APPROVED".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_derivative_is_approved_after_the_principal_in_whatever_order_they_went_in() {
    let world = World::start().await;
    let office = office(&world).await;
    let (ana, leo) = (world.person(&[]).await, world.person(&[]).await);
    let whose = |derivative: bool| if derivative { &leo } else { &ana };
    for order in [[false, true], [true, false]] {
        let filed = order.map(|derivative| (ADJUSTMENT.0, ADJUSTMENT.1, whose(derivative).account));
        let facts = |nth: usize| DerivedFacts { age: 40, derivative: order[nth], ..Default::default() };
        let cases = world.submit_with(&filed, facts).await;
        let case = |derivative: bool| cases[usize::from(order[1] == derivative)];
        let [principal, follows] = [case(false), case(true)];
        for (of, nth) in [(principal, false), (follows, true)] {
            let name = name(of);
            world.until(|| whose(nth).lines(&name, 0), |lines| lines.contains(&"linked".to_owned())).await;
            world.until(|| whose(nth).case(&name, 0), |case| case.stage == "accepted").await;
        }
        let seen = office.sam.case(&name(follows), 0).await.unwrap();
        let link = &seen.links[0];
        assert_eq!(
            (link.case.clone(), link.kind.as_str(), link.direction.as_str()),
            (name(principal), "principal", "rests_on")
        );
        recommend(&office, follows, true).await;
        assert_eq!(decide(&office, follows, "approve").await, Err("PRINCIPAL_NOT_APPROVED".into()));
        recommend(&office, principal, true).await;
        decide(&office, principal, "approve").await.unwrap();
        decide(&office, follows, "approve").await.unwrap();
    }
    // Who files apart follows somebody whom an officer names.
    let facts = |_| DerivedFacts { age: 40, derivative: true, ..Default::default() };
    let apart = world.submit_with(&[(ADJUSTMENT.0, ADJUSTMENT.1, leo.account)], facts).await[0];
    let apart_name = name(apart);
    world.until(|| leo.case(&apart_name, 0), |case| case.stage == "accepted").await;
    recommend(&office, apart, true).await;
    assert_eq!(decide(&office, apart, "approve").await, Err("PRINCIPAL_NOT_KNOWN".into()));
    let noted = of_own_accord!(
        office.ito,
        verify_basis,
        VerifyBasisRequest {
            name: apart_name.clone(),
            note: "Approval notice of an I-485 of 2024, seen in the file.".into(),
            of_principal: true,
        }
    );
    noted.unwrap();
    decide(&office, apart, "approve").await.unwrap();

    // The wrong one of two at first; said anew, it is undone in both cases.
    let more = [(ADJUSTMENT.0, ADJUSTMENT.1, ana.account); 2];
    let plain = |_| DerivedFacts { age: 40, ..Default::default() };
    let [wrong, right] = world.submit_with(&more, plain).await[..] else { panic!("two filings") };
    let another = world.submit_with(&[(ADJUSTMENT.0, ADJUSTMENT.1, leo.account)], facts).await[0];
    for (case, whose) in [(wrong, &ana), (right, &ana), (another, &leo)] {
        let name = name(case);
        world.until(|| whose.case(&name, 0), |case| case.stage == "accepted").await;
    }
    let officer = format!("accounts/{}", office.ito.account);
    command!(office.sam, assign_case, AssignCaseRequest { name: name(another), officer: officer }).unwrap();
    for principal in [wrong, right] {
        let said = of_own_accord!(
            office.ito,
            verify_basis,
            VerifyBasisRequest { name: name(another), basis: name(principal) }
        );
        said.unwrap();
    }
    let wrong = name(wrong);
    let both = |lines: &Vec<String>| lines.ends_with(&["linked".to_owned(), "unlinked".to_owned()]);
    world.until(|| office.sam.lines(&wrong, 0), both).await;
    assert!(office.sam.case(&wrong, 0).await.unwrap().links.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_naturalization_waits_for_the_petition_to_remove_conditions() {
    let world = World::start().await;
    let office = office(&world).await;
    let ana = world.person(&[]).await;
    let filed = [("N-400", "naturalization", ana.account), ("I-751", "conditions_removal", ana.account)];
    let [naturalization, conditions] = world.submit_package(&filed).await[..] else { panic!("two filings") };
    for case in [naturalization, conditions] {
        let name = name(case);
        world.until(|| ana.case(&name, 0), |case| case.stage == "accepted").await;
        recommend(&office, case, true).await;
    }
    assert_eq!(decide(&office, naturalization, "approve").await, Err("CONDITIONS_PENDING".into()));
    decide(&office, conditions, "approve").await.unwrap();
    decide(&office, naturalization, "approve").await.unwrap();
}
