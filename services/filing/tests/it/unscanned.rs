//! Files that come while the virus scanner is away: kept, shown as being checked, opened by nobody, scanned once when it is back;
//! an answer, or a form, on its last day goes in with them.

use std::net::SocketAddr;
use std::time::Duration;

use docket_kernel::EventEnum as _;
use docket_kernel::calendar::roll;
use docket_kernel::deadline::office_date;
use docket_proto::events::response::Event;
use docket_proto::filing::events::v1 as events;
use docket_proto::filing::v1 as pb;
use docket_service::testing::with_token;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::client::Client;
use crate::copies::text;
use crate::files;
use crate::keep::turn_to;
use crate::world::{GLANCE, PATIENCE, World, case_assigned, fee_settled, reason};

const DAY_US: i64 = 86_400_000_000;

impl World {
    /// What was appended to a response, of one kind.
    async fn events_of(&self, response: &str, kind: &str) -> Vec<Event> {
        let stream = response.replace("responses/", "response-");
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
            "SELECT kind, payload FROM log.event WHERE stream = $1 AND kind = $2 ORDER BY version",
        )
        .bind(stream)
        .bind(kind)
        .fetch_all(self.pool())
        .await
        .expect("the events are read");
        rows.iter().map(|(kind, payload)| Event::decode(kind, payload).expect("a known event")).collect()
    }

    async fn scans_of(&self, response: &str) -> Vec<events::ResponseEvidenceScanned> {
        let events = self.events_of(response, "response.evidence_scanned.v1").await;
        let scanned = |event| {
            let Event::ResponseEvidenceScanned(scanned) = event else { panic!("{event:?}") };
            scanned
        };
        events.into_iter().map(scanned).collect()
    }
}

/// A request that was served to Ana, with its deadline in two days, and an officer who has her case.
async fn asked(world: &World) -> (Client, Client, Uuid, String) {
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, _) = ana.sent().await;
    let officer = world.officer("adjudicator", "NBC").await;
    world.case(&draft, case_assigned(officer.account)).await;
    let request = Uuid::now_v7();
    world.ask(&draft, request, &["tax_transcripts"], world.now_us() + 2 * DAY_US).await;
    let name = ana.until_response(request).await.name;
    officer.until(&draft, "sent").await;
    (ana, officer, request, name)
}

/// The last day to answer begins, and everybody has a token that holds then.
async fn last_day(world: &World, who: [&mut Client; 2]) {
    world.advance(86_400);
    for person in who {
        person.token = world.token(person.account);
        until_known(person).await;
    }
}

/// The service's clock follows within a moment.
pub(crate) async fn until_known(person: &Client) {
    let known = async {
        let list = || with_token(pb::ListFilingsRequest::default(), &person.token);
        while person.drafts.clone().list_filings(list()).await.is_err() {
            sleep(GLANCE).await;
        }
    };
    timeout(PATIENCE, known).await.expect("the clock is turned");
}

/// It is opened by nobody, neither the party nor the office.
async fn shut(who: [&Client; 2], evidence: &str, because: &str) {
    for one in who {
        assert_eq!(reason(&one.download(evidence).await.unwrap_err()), because);
        assert_eq!(reason(&one.looks("", evidence).await.unwrap_err()), because);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_on_its_last_day_is_received_though_the_scanner_is_away() {
    let world = World::start().await;
    let (mut ana, mut officer, request, name) = asked(&world).await;
    world.break_scanner("hangup").await;
    let taxes = ana.upload(&name, "tax_transcripts", "taxes.png", &files::picture(5)).await.unwrap();
    assert!(taxes.being_checked);
    shut([&ana, &officer], &taxes.name, "FILE_BEING_CHECKED").await;
    let early = ana.respond(&name, false).await.unwrap_err();
    assert_eq!(reason(&early), "FILES_BEING_CHECKED");
    assert!(early.message().contains("tax_transcripts"), "{early:?}");

    last_day(&world, [&mut ana, &mut officer]).await;
    let sent = ana.respond(&name, false).await.unwrap();
    assert!(sent.received_at_us > 0 && sent.evidence[0].being_checked);
    let marked = world.events_of(&name, "response.submitted.v1").await;
    let [Event::ResponseSubmitted(submitted)] = marked.as_slice() else { panic!("{marked:?}") };
    assert_eq!(taxes.name, format!("{name}/evidence/{}", submitted.being_checked[0]));
    shut([&ana, &officer], &taxes.name, "FILE_BEING_CHECKED").await;
    assert!(world.scans_of(&name).await.is_empty(), "nothing is decided while it is away");

    // Two nodes look for it: it is scanned once.
    let second = world.second_node().await;
    world.break_scanner("works").await;
    let clean = ana.until_response_is(request, |one| !one.evidence[0].being_checked).await;
    assert_eq!((clean.received_at_us, clean.refused.len()), (sent.received_at_us, 0));
    for one in [&ana, &officer] {
        assert!(one.download(&taxes.name).await.unwrap().1 == files::picture(5));
    }
    let scans = world.scans_of(&name).await;
    assert_eq!(scans.iter().map(|scan| scan.verdict.as_str()).collect::<Vec<_>>(), ["clean"]);
    assert!(scans[0].answered && scans[0].account_id == ana.account.to_string());
    second.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_turns_out_hostile_is_no_part_of_the_answer_which_stays_received() {
    let world = World::start().await;
    let (mut ana, mut officer, request, name) = asked(&world).await;
    let before = world.objects();
    world.break_scanner("error").await;
    let good = ana.upload(&name, "tax_transcripts", "taxes.png", &files::picture(5)).await.unwrap();
    let bad = ana.upload(&name, "tax_transcripts", "more.png", &files::infected()).await.unwrap();
    assert!(good.being_checked && bad.being_checked);
    last_day(&world, [&mut ana, &mut officer]).await;
    let sent = ana.respond(&name, false).await.unwrap();
    world.break_scanner("works").await;

    let scanned = |one: &pb::Response| one.refused.len() == 1 && !one.evidence[0].being_checked;
    let after = ana.until_response_is(request, scanned).await;
    assert_eq!(after.received_at_us, sent.received_at_us);
    assert_eq!((after.evidence.len(), &after.evidence[0].name), (1, &good.name));
    let refused = &after.refused[0];
    assert_eq!(
        (&refused.name, refused.file_name.as_str(), refused.verdict.as_str()),
        (&bad.name, "more.png", "infected")
    );
    shut([&ana, &officer], &bad.name, "FILE_REFUSED").await;
    officer.download(&good.name).await.unwrap();
    // The copy says that it was sent, and what became of it.
    let printed = text(&ana.copy(&name).await.unwrap().1);
    for said in ["taxes.png", "more.png", "sent, and taken out when it was checked for viruses"] {
        assert!(printed.contains(said), "{said:?} is not in {printed}");
    }
    world.until_objects(before + 1).await;
    world.expect_nothing_personal_in_the_clear(&["more.png"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_waits_for_the_scanner_and_goes_on_without_what_is_hostile() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    ana.answer(&draft, &crate::answers::ready()).await.unwrap();
    world.break_scanner("hangup").await;
    let bad = ana.upload(&draft, "green_card", "card.png", &files::infected()).await.unwrap();
    assert!(bad.being_checked);
    let shown = ana.get(&draft).await.unwrap();
    assert!(shown.findings.iter().any(|one| one.rule == "file-being-checked" && one.field == "green_card"));
    ana.quote(&draft).await.unwrap();
    let review = ana.review(&draft).await.unwrap();
    let unscanned = ana.sign(&draft, &review.content_hash, "Ana Lucia Lima").await.unwrap_err();
    assert_eq!(reason(&unscanned), "FILES_BEING_CHECKED");
    // One that is taken off meanwhile is scanned by nobody any more.
    let other = ana.upload(&draft, "marriage_certificate", "other.png", &files::picture(6)).await.unwrap();
    ana.remove(&other.name).await.unwrap();

    world.break_scanner("works").await;
    let without = ana.until_scanned(&draft).await;
    assert!(without.evidence.is_empty() && !without.ready, "{without:?}");
    assert!(without.findings.iter().any(|one| one.rule == "file-refused" && one.field == "green_card"));
    let spanish = ana.get_in(&draft, "es").await.unwrap();
    assert!(spanish.findings.iter().any(|one| one.rule == "file-refused" && one.message.contains("adjúnte")));
    assert_eq!(reason(&ana.download(&bad.name).await.unwrap_err()), "FILE_REFUSED");
    assert_eq!(
        reason(&ana.sign(&draft, &review.content_hash, "Ana Lucia Lima").await.unwrap_err()),
        "NOT_READY"
    );
    ana.upload(&draft, "green_card", "card.png", &files::picture(7)).await.unwrap();
    let (whole, of_scans) = (ana.get(&draft).await.unwrap(), ["file-being-checked", "file-refused"]);
    assert!(
        whole.ready && whole.findings.iter().all(|one| !of_scans.contains(&one.rule.as_str())),
        "{whole:?}"
    );
    ana.sign_now(&draft).await;
    nothing_waits(&world).await;
}

/// Answers to Form I-290B against a denial of that day: a motion to reopen, which has a last day of its own.
fn motion(decided_on: Date) -> Value {
    let address = json!({
        "line1": "12 Main St", "city": "Albany", "state": "NY", "postal_code": "12207", "country": "US"
    });
    json!({
        "what": "motion_reopen", "receipt": "DKT1234567897", "form_decided": "I-485",
        "decided_on": decided_on.to_string(), "served_by": "online", "office": "National Benefits Center",
        "decision_kind": "denial", "fee_exempt_basis": "none", "brief": "none",
        "basis": "The lease shows that we lived together, and was not there when it was decided.",
        "app_family_name": "Lima", "app_given_name": "Ana Lúcia", "app_other_names_used": false,
        "app_a_number": "A212345678", "app_mailing": address, "app_physical_same": true,
        "app_physical_since": "2015-01-01", "app_day_phone": "(212) 555-0123", "used_interpreter": false,
        "used_preparer": false, "reads_english": "i_read_it", "declares_true": true
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_motion_on_its_last_day_goes_in_though_the_scanner_is_away_and_stays_what_it_is() {
    let world = World::start().await;
    let mut ana = world.person("Ana Lúcia", "Lima");
    let today = office_date(Timestamp::from_microsecond(world.now_us()).unwrap());
    let last = roll(today.saturating_add(3.days()));
    let draft = ana.start("I-290B").await.unwrap().name;
    ana.answer(&draft, &motion(last.saturating_sub(30.days()))).await.unwrap();
    world.break_scanner("hangup").await;
    let lease = ana.upload(&draft, "new_facts", "lease.png", &files::picture(5)).await.unwrap();
    let bad = ana.upload(&draft, "decision_copy", "decision.png", &files::infected()).await.unwrap();
    assert!(lease.being_checked && bad.being_checked);
    ana.quote(&draft).await.unwrap();
    let review = ana.review(&draft).await.unwrap();
    let early = ana.sign(&draft, &review.content_hash, "Ana Lucia Lima").await.unwrap_err();
    assert_eq!(reason(&early), "FILES_BEING_CHECKED");
    let details = early.get_error_details();
    assert_eq!(details.error_info().unwrap().metadata["last_day"], last.to_string());

    turn_to(&world, &mut ana, last, 12).await;
    let told = ana.get(&draft).await.unwrap().findings;
    let as_it_is =
        |one: &pb::Finding| one.rule == "file-being-checked" && one.message.contains("last 24 hours");
    assert_eq!(told.iter().filter(|one| as_it_is(one)).count(), 2, "{told:?}");
    ana.quote(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    let payment = ana.submit(&draft).await.unwrap().payment;
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    let received = ana.until(&draft, "submitted").await;
    assert!(received.evidence.iter().all(|file| file.being_checked), "{received:?}");
    shut([&ana, &ana], &lease.name, "FILE_BEING_CHECKED").await;

    world.break_scanner("works").await;
    let after = ana.until_scanned(&draft).await;
    assert_eq!((after.state.as_str(), after.submitted_at_us), ("submitted", received.submitted_at_us));
    assert_eq!((after.evidence.len(), &after.evidence[0].name), (1, &lease.name));
    assert!(after.findings.iter().any(|one| one.rule == "file-refused" && one.field == "decision_copy"));
    assert!(ana.download(&lease.name).await.unwrap().1 == files::picture(5));
    assert_eq!(reason(&ana.download(&bad.name).await.unwrap_err()), "FILE_REFUSED");
    nothing_waits(&world).await;
    world.until_objects(1).await;
}

/// Waits until no file is left to be scanned or taken away.
async fn nothing_waits(world: &World) {
    world.until_none("SELECT count(*) FROM unscanned").await;
}

/// Answers one command.
async fn fails(mut stream: TcpStream) -> std::io::Result<()> {
    let mut asked = [0; b"zINSTREAM\0".len()];
    stream.read_exact(&mut asked).await?;
    let mut bytes = Vec::new();
    while let Ok(length @ 1..) = stream.read_u32().await {
        let mut piece = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut piece).await?;
        bytes.extend(piece);
    }
    let found = memchr::memmem::find(&bytes, b"ANTIVIRUS").is_some();
    let says: &[u8] = if found { b"stream: Docket.Test FOUND\0" } else { b"Can't allocate memory ERROR\0" };
    stream.write_all(says).await
}

/// A daemon that finds the test signature, as it is proven by, and fails over everything else.
async fn failing() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(fails(stream));
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_over_which_the_scanner_fails_again_and_again_is_refused() {
    let world = World::start_with_scanner(failing().await).await;
    let mut ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let card = ana.upload(&draft, "green_card", "card.png", &files::picture(8)).await.unwrap();
    assert!(card.being_checked);
    let refused = async {
        while ana.get(&draft).await.unwrap().evidence.len() == 1 {
            let shut = reason(&ana.download(&card.name).await.unwrap_err());
            assert!(["FILE_BEING_CHECKED", "FILE_REFUSED"].contains(&shut.as_str()), "{shut}");
            // Between two tries it waits by the clock.
            world.advance(31);
            ana.token = world.token(ana.account);
            until_known(&ana).await;
            sleep(Duration::from_secs(1)).await;
        }
    };
    timeout(3 * PATIENCE, refused).await.expect("it is refused in the end");
    assert_eq!(reason(&ana.download(&card.name).await.unwrap_err()), "FILE_REFUSED");
    world.until_objects(0).await;
    nothing_waits(&world).await;
}
