//! One rule for everything that is read: whoever may open a case finds it in every way, and whoever may not in none.

use std::collections::BTreeSet;

use docket_proto::case_status::v1 as pb;
use docket_proto::types::v1::MailingWishes;
use tokio_stream::StreamExt as _;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::people::{Someone, command};
use crate::world::World;

const CASES: usize = 40;

/// Numbers that look random and are the same in every run (xorshift, 64 bits).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (limit as u64)).unwrap()
    }
}

struct People {
    parties: Vec<Someone>,
    attorneys: Vec<Someone>,
    officers: Vec<Someone>,
    /// Whoever gives cases to officers.
    sam: Someone,
    others: Vec<Someone>,
}

impl People {
    async fn join(world: &World) -> Self {
        let mut people = Self {
            parties: Vec::new(),
            attorneys: Vec::new(),
            officers: Vec::new(),
            sam: world.person(&[("supervisor", "NBC")]).await,
            others: Vec::new(),
        };
        for _ in 0..6 {
            people.parties.push(world.person(&[]).await);
        }
        // Two who are on both sides: nobody is the office in a case of their own or of a client.
        people.parties.push(world.person(&[("adjudicator", "NBC"), ("supervisor", "NBC")]).await);
        for _ in 0..3 {
            people.attorneys.push(world.person(&[]).await);
        }
        people.attorneys.push(world.person(&[("supervisor", "NBC")]).await);
        for _ in 0..3 {
            people.officers.push(world.person(&[("adjudicator", "NBC")]).await);
        }
        for role in [
            ("adjudicator", "FO-NYC"),
            ("supervisor", "FO-NYC"),
            ("intake_officer", "NBC"),
            ("intake_officer", "FO-NYC"),
            ("biometrics_officer", "ASC-NYC"),
            ("oath_officer", "FO-NYC"),
            ("records_officer", "NBC"),
            ("finance", "NBC"),
            ("operator", "NBC"),
        ] {
            people.others.push(world.person(&[role]).await);
        }
        people.others.push(world.person(&[]).await);
        people
    }

    fn all(&self) -> impl Iterator<Item = &Someone> {
        let groups = [&self.parties, &self.attorneys, &self.officers, &self.others];
        groups.into_iter().flatten().chain([&self.sam])
    }
}

/// Cases of all sorts: at intake, accepted, with an officer, represented, represented no longer. Gives their names, and who was
/// the representative in some of them.
async fn cases(world: &World, people: &People) -> (Vec<String>, Vec<(String, Someone)>) {
    let mut numbers = Numbers(0x1E65_C0DE);
    let (mut names, mut former) = (Vec::new(), Vec::new());
    for _ in 0..CASES {
        let party = &people.parties[numbers.below(people.parties.len())];
        let attorney = &people.attorneys[numbers.below(people.attorneys.len())];
        let age = if numbers.below(5) == 0 { 17 } else { 40 };
        let representation = (numbers.below(2) == 0).then(Uuid::new_v4);
        let case = world.submit_represented(party, age, representation.map(|id| (id, attorney))).await;
        let name = format!("cases/{case}");
        world.until(|| party.case(&name, 0), |case| case.version > 0).await;
        if age == 40 && numbers.below(3) > 0 {
            let officer = &people.officers[numbers.below(people.officers.len())];
            let officer = format!("accounts/{}", officer.account);
            let request = command!(
                people.sam,
                assign_case,
                AssignCaseRequest { name: name.clone(), officer: officer.clone() }
            );
            let version = request.unwrap().case.unwrap().version;
            let seen = || async { people.sam.case(&name, version).await };
            world.until(seen, |case| case.version >= version && case.officer == officer).await;
        }
        if let Some(representation) = representation.filter(|_| numbers.below(3) == 0) {
            world.end_representation(representation).await;
            let gone = || async {
                let lines = party.lines(&name, 0).await?;
                Ok::<_, Status>(lines)
            };
            world.until(gone, |lines| lines.iter().any(|line| line == "representation_ended")).await;
            former.push((name.clone(), attorney.clone()));
        }
        names.push(name);
    }
    (names, former)
}

/// Every case of the list, page by page.
async fn listed(someone: &Someone) -> BTreeSet<String> {
    let (mut names, mut page_token) = (BTreeSet::new(), String::new());
    loop {
        let message = pb::ListCasesRequest { page_size: 7, page_token, language: String::new() };
        let answer = someone.status.clone().list_cases(someone.ask(message)).await.unwrap().into_inner();
        for case in answer.cases {
            assert!(names.insert(case.name), "a case twice in a list that nothing changes");
        }
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return names;
        }
    }
}

/// Names of the cases in a queue, and how many it says there are.
async fn queued(someone: &Someone, queue: &str) -> Result<(BTreeSet<String>, u64), Status> {
    let message = pb::ListWorklistRequest { queue: queue.into(), ..Default::default() };
    let answer = someone.status.clone().list_worklist(someone.ask(message)).await?.into_inner();
    let names = answer.items.into_iter().filter_map(|item| item.case).map(|case| case.name);
    Ok((names.collect(), answer.total))
}

/// When the first line of a case was recorded.
async fn begun_at_us(someone: &Someone, name: &str) -> i64 {
    let message = pb::ListTimelineRequest { name: name.into(), ..Default::default() };
    let answer = someone.status.clone().list_timeline(someone.ask(message)).await.unwrap().into_inner();
    answer.entries[0].recorded_at_us
}

async fn watched(someone: &Someone, name: &str) -> Result<(), Status> {
    let message = pb::WatchCaseRequest { name: name.into(), ..Default::default() };
    let mut watch = someone.status.clone().watch_case(someone.ask(message)).await?.into_inner();
    watch.next().await.expect("a watch begins with the case as it is").map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_in_whatever_way_sees_the_same_cases() {
    let world = World::start().await;
    let people = People::join(&world).await;
    let (names, former) = cases(&world, &people).await;
    let now_us = world.clock_now().as_microsecond();
    let (mut pairs, mut seen) = (0, 0);
    for someone in people.all() {
        let listed = listed(someone).await;
        for name in &names {
            let ways = [
                ("get", someone.case(name, 0).await.map(drop)),
                ("timeline", someone.lines(name, 0).await.map(drop)),
                ("as of now", someone.lines(name, now_us).await.map(drop)),
                ("watch", watched(someone, name).await),
            ];
            for (way, found) in ways {
                match found {
                    Ok(()) => assert!(listed.contains(name), "{way} finds {name}, and the list does not"),
                    Err(status) => {
                        assert_eq!(status.code(), Code::NotFound, "{way}");
                        assert!(!listed.contains(name), "the list has {name}, and {way} does not find it");
                    }
                }
            }
            pairs += 1;
            seen += usize::from(listed.contains(name));
        }
        // A queue counts what it shows, and shows what the list has; nothing of somebody's own case or client.
        for queue in ["mine", "office", "unassigned"] {
            if let Ok((tasks, total)) = queued(someone, queue).await {
                assert_eq!(tasks.len() as u64, total, "{queue}");
                assert!(tasks.is_subset(&listed), "{queue} holds what the list has not");
            }
        }
    }
    // Whoever acts no longer sees nothing of the time either when they acted.
    for (name, attorney) in &former {
        if !listed(attorney).await.contains(name) {
            let then = attorney.lines(name, begun_at_us(&people.sam, name).await).await;
            assert_eq!(then.unwrap_err().code(), Code::NotFound, "as of its beginning");
        }
    }
    assert!(former.len() >= 3, "{} representations ended", former.len());
    assert!(pairs >= 1_000 && (150..pairs - 150).contains(&seen), "{seen} of {pairs} pairs see");
    // Whoever acts for the party sees just what the party sees, until it ends.
    let shown: usize = {
        let mut count = 0;
        for attorney in &people.attorneys[..3] {
            count += listed(attorney).await.len();
        }
        count
    };
    assert!((3..CASES).contains(&shown), "{shown} cases shown to attorneys");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_appointed_later_sees_the_case_and_whoever_was_before_no_longer() {
    let world = World::start().await;
    let (party, obi, nia) = (world.person(&[]).await, world.person(&[]).await, world.person(&[]).await);
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    let case = world.submit(&party, 40).await;
    let name = format!("cases/{case}");
    world.until(|| party.lines(&name, 0), |lines| lines.iter().any(|line| line == "filing_accepted")).await;
    assert_eq!(obi.case(&name, 0).await.unwrap_err().code(), Code::NotFound);
    // Somebody who is appointed for a draft changes no case.
    world.appoint(Uuid::new_v4(), Uuid::new_v4(), &nia).await;
    world.appoint(case, first, &obi).await;
    world.until(|| obi.lines(&name, 0), |lines| lines.iter().any(|l| l == "representation_activated")).await;
    // Who acts for the party moves an appointment as the party does, to the same free times.
    let free = async |who: &Someone| {
        let message = pb::ListFreeSlotsRequest { name: name.clone(), kind: 1 };
        who.cases.clone().list_free_slots(who.ask(message)).await.unwrap().into_inner().slots
    };
    assert_eq!(free(&obi).await, free(&party).await);
    let message = pb::WatchCaseRequest { name: name.clone(), ..Default::default() };
    let mut watch = obi.status.clone().watch_case(obi.ask(message)).await.unwrap().into_inner();
    watch.next().await.unwrap().unwrap();

    world.appoint(case, second, &nia).await;
    world.until(|| nia.lines(&name, 0), |lines| lines.iter().any(|l| l == "representation_replaced")).await;
    let ended = loop {
        match watch.next().await.expect("it ends with a word") {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_eq!(ended.code(), Code::NotFound);
    assert_eq!(obi.case(&name, 0).await.unwrap_err().code(), Code::NotFound);
    assert!(listed(&obi).await.is_empty() && listed(&nia).await.contains(&name));
    // The consents stand in streams of their own, and one that is read later than the other says nothing of the order.
    world.consent(case, first, &obi).await;
    world.read_of_filing(5).await;
    assert_eq!(obi.case(&name, 0).await.unwrap_err().code(), Code::NotFound);
    // The former one's end means nothing here any more; the other's does.
    world.end_representation(first).await;
    world.end_representation(second).await;
    world.until(|| party.lines(&name, 0), |lines| lines.iter().any(|l| l == "representation_ended")).await;
    assert_eq!(nia.case(&name, 0).await.unwrap_err().code(), Code::NotFound);
    let lines = party.lines(&name, 0).await.unwrap();
    assert_eq!(lines.iter().filter(|line| *line == "representation_ended").count(), 1);
}

/// The lines of a case once it has a receipt number, which its party sees.
async fn lines_once_accepted(world: &World, party: &Someone, name: &str) -> Vec<String> {
    world.until(|| party.lines(name, 0), |lines| lines.iter().any(|line| line == "filing_accepted")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_withdrew_before_the_case_was_opened_never_acts_in_it() {
    let world = World::start().await;
    let (party, obi) = (world.person(&[]).await, world.person(&[]).await);
    let representation = Uuid::new_v4();
    world.end_representation(representation).await;
    world.read_of_filing(1).await;
    let case = world.submit_represented(&party, 40, Some((representation, &obi))).await;
    let name = format!("cases/{case}");
    let lines = lines_once_accepted(&world, &party, &name).await;
    assert!(!lines.iter().any(|line| line == "representation_activated"), "{lines:?}");
    // Nor is the same appearance taken later.
    world.appoint(case, representation, &obi).await;
    let nia = world.person(&[]).await;
    world.appoint(case, Uuid::new_v4(), &nia).await;
    world.until(|| nia.lines(&name, 0), |lines| lines.iter().any(|l| l == "representation_activated")).await;
    assert_eq!(obi.case(&name, 0).await.unwrap_err().code(), Code::NotFound);
    assert!(listed(&obi).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_and_a_case_that_come_at_once_wait_for_each_other() {
    let world = World::start().await;
    let (party, obi) = (world.person(&[]).await, world.person(&[]).await);
    // The end is being kept when the case is to be opened.
    let ending = Uuid::new_v4();
    let mut held = docket_database::begin(&world.cases.pool).await.unwrap();
    let end = "INSERT INTO representation (representation_id, ended) VALUES ($1, true)";
    sqlx::query(end).bind(ending).execute(&mut *held).await.unwrap();
    let first = world.submit_represented(&party, 40, Some((ending, &obi))).await;
    world.somebody_waits().await;
    held.commit().await.unwrap();
    let name = format!("cases/{first}");
    let lines = lines_once_accepted(&world, &party, &name).await;
    assert!(!lines.iter().any(|line| line == "representation_activated"), "{lines:?}");

    // The case is being opened when the end is to be kept.
    let second = world.submit(&party, 40).await;
    let name = format!("cases/{second}");
    lines_once_accepted(&world, &party, &name).await;
    let standing = Uuid::new_v4();
    world.appoint(second, standing, &obi).await;
    world.until(|| obi.lines(&name, 0), |lines| lines.iter().any(|l| l == "representation_activated")).await;
    let unnoted = "DELETE FROM representation_case WHERE representation_id = $1";
    sqlx::query(unnoted).bind(standing).execute(&world.cases.pool).await.unwrap();
    let mut held = docket_database::begin(&world.cases.pool).await.unwrap();
    let taken = "SELECT FROM representation WHERE representation_id = $1 FOR UPDATE";
    sqlx::query(taken).bind(standing).execute(&mut *held).await.unwrap();
    world.end_representation(standing).await;
    world.somebody_waits().await;
    let note = "INSERT INTO representation_case (representation_id, case_id) VALUES ($1, $2)";
    sqlx::query(note).bind(standing).bind(second).execute(&mut *held).await.unwrap();
    held.commit().await.unwrap();
    world.until(|| party.lines(&name, 0), |lines| lines.iter().any(|l| l == "representation_ended")).await;
    assert_eq!(obi.case(&name, 0).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_client_wishes_of_papers_reaches_the_case_whichever_is_read_first() {
    let world = World::start().await;
    let (party, obi) = (world.person(&[]).await, world.person(&[]).await);
    let to_representative = MailingWishes {
        documents_to_representative: true,
        notices_to_representative: true,
        i94_to_client: false,
    };
    let pool = world.status_pool();
    let wished = |case: Uuid| {
        let row = "SELECT state->'appearance'->'wishes'->>'documents_to_representative' = 'true' FROM case_row_a WHERE case_id = $1";
        sqlx::query_scalar::<_, Option<bool>>(row).bind(case).fetch_one(&pool)
    };
    // The consent first: the case begins with what was wished.
    let first = Uuid::new_v4();
    world.wish(first, to_representative, false).await;
    world.read_of_filing(1).await;
    let early = world.submit_represented(&party, 40, Some((first, &obi))).await;
    let name = format!("cases/{early}");
    let lines = lines_once_accepted(&world, &party, &name).await;
    assert!(!lines.iter().any(|line| line == "representation_wishes_changed"), "{lines:?}");
    assert_eq!(wished(early).await.unwrap(), Some(true));
    // The case first: it hears of the consent.
    let second = Uuid::new_v4();
    let late = world.submit_represented(&party, 40, Some((second, &obi))).await;
    let name = format!("cases/{late}");
    lines_once_accepted(&world, &party, &name).await;
    assert_eq!(wished(late).await.unwrap(), None, "nothing is known yet");
    world.wish(second, to_representative, false).await;
    let changed = |lines: &Vec<String>| lines.iter().any(|line| line == "representation_wishes_changed");
    world.until(|| party.lines(&name, 0), changed).await;
    assert_eq!(wished(late).await.unwrap(), Some(true));
    // The client takes it back, in every case of that appearance.
    world.wish(first, MailingWishes::default(), true).await;
    let name = format!("cases/{early}");
    world.until(|| party.lines(&name, 0), changed).await;
    assert_eq!(wished(early).await.unwrap(), Some(false));
    assert_eq!(wished(late).await.unwrap(), Some(true), "the other appearance says what it said");
}
