//! Notices: one for each event that owes one, with the right words, for the right eyes.

use docket_kernel::EventEnum as _;
use docket_proto::case_status::events::v1::{CaseRepresentationWishesChanged, RepresentationActivated};
use docket_proto::filing::events::v1 as filings;
use docket_proto::identity::v1::GetContactResponse;
use docket_proto::types::v1::MailingWishes;
use tonic::Code;
use uuid::Uuid;

use crate::events;
use crate::world::{World, until};

fn text(pdf: &[u8]) -> String {
    let document = lopdf::Document::load_mem(pdf).unwrap();
    let pages: Vec<u32> = document.get_pages().keys().copied().collect();
    document.extract_text(&pages).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_that_owes_a_notice_gives_one_and_the_others_give_none() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "es");
    let case = world.accepted_case(&ana).await;
    for event in events::quiet() {
        world.happens(case, event).await;
    }
    let request = Uuid::now_v7();
    for event in [
        events::biometrics_scheduled(),
        events::biometrics_rescheduled(),
        events::interview_scheduled(),
        events::interview_cancelled(),
        events::continued(request, &events::period(world.bench.now())),
        events::approved(),
        events::oath_scheduled(),
        events::certificate_issued(),
    ] {
        if event.kind() == "case.interview_cancelled.v1" {
            // Called off before it was posted, it would not be.
            ana.wait_for_notice(case, "interview_appointment").await;
        }
        world.happens(case, event).await;
    }
    ana.wait_for_deliveries("handed_over", 9).await;
    let mut kinds: Vec<_> = ana.notices(case).await.into_iter().map(|notice| notice.kind).collect();
    kinds.sort();
    let expected = [
        "appointment_cancelled",
        "appointment_moved",
        "approval",
        "biometrics_appointment",
        "citizenship_certificate_ready",
        "continuation",
        "interview_appointment",
        "oath",
        "receipt",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(world.count("notice.issued.v1").await, 9);
    assert_eq!(world.mails("ana@example.test").await.len(), 9);
    assert_eq!(world.debts().await, (0, 0), "owed, and obligations that are open");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notice_of_a_request_prints_the_due_date_and_carries_the_request() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "es");
    let case = world.accepted_case(&ana).await;
    let request = Uuid::now_v7();
    let period = events::period(world.bench.now());
    world.happens(case, events::continued(request, &period)).await;
    let notice = ana.wait_for_notice(case, "continuation").await;
    assert_eq!((notice.official_name.as_str(), notice.served_on_date), ("N-14", period.day0.to_string()));
    assert!(!notice.opened);

    let (header, pdf) = ana.download(&notice.name).await.unwrap();
    assert_eq!((header.name.as_str(), header.size), (notice.name.as_str(), pdf.len() as u64));
    let text = text(&pdf);
    let due = period.due.strftime("%A, %B %-d, %Y").to_string();
    let counted = format!("{} + 30d", period.day0);
    for said in [
        due.as_str(),
        counted.as_str(),
        "Ana Lúcia Verdemar",
        events::RECEIPT,
        "Tax transcripts or certified returns",
        "Sealed words of the officer",
        "a más tardar el",
        "America/Chicago",
    ] {
        assert!(text.contains(said), "{said:?} is not in {text:?}");
    }

    // Opened is recorded once, however often it is read.
    ana.download(&notice.name).await.unwrap();
    assert!(ana.wait_for_notice(case, "continuation").await.opened);
    assert_eq!(world.count("notice.opened.v1").await, 1);

    // A denial that is intended: its grounds, and what she may not know of.
    world.happens(case, events::denial_intended(Uuid::now_v7(), &period)).await;
    let noid = ana.wait_for_notice(case, "noid").await;
    assert_eq!(noid.official_name, "Intent to Deny");
    let (_, pdf) = ana.download(&noid.name).await.unwrap();
    let text = self::text(&pdf);
    for said in ["Sealed grounds of the officer", "Sealed facts that she may not know", due.as_str()] {
        assert!(text.contains(said), "{said:?} is not in {text:?}");
    }

    // The event carries what the log of cases needs, and nothing in the clear that names her.
    let payloads: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT payload FROM log.event WHERE kind = 'notice.issued.v1'")
            .fetch_all(&world.own.pool)
            .await
            .unwrap();
    let has = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    assert!(payloads.iter().any(|payload| has(payload, &request.to_string())));
    let mut stored = payloads;
    stored.extend(world.objects().iter().map(|path| std::fs::read(path).unwrap()));
    assert!(!stored.iter().any(|bytes| has(bytes, "Verdemar") || has(bytes, "%PDF")));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_an_officer_that_no_font_has_keep_neither_that_notice_nor_the_next_one_back() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let case = world.accepted_case(&ana).await;
    let period = events::period(world.bench.now());
    // As it is copied from a word processor.
    let pasted = "\u{f0b7}\tThe lease of 王 🙂";
    world.happens(case, events::continued_with(Uuid::now_v7(), &period, pasted)).await;
    world.happens(case, events::biometrics_scheduled()).await;
    ana.wait_for_notice(case, "biometrics_appointment").await;
    let request = ana.wait_for_notice(case, "continuation").await;
    let (_, pdf) = ana.download(&request.name).await.unwrap();
    let text = text(&pdf);
    for said in ["• The lease of [U+738B] [U+1F642]", "Each stands as its Unicode number"] {
        assert!(text.contains(said), "{said:?} is not in {text:?}");
    }
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_begins_to_act_while_a_notice_is_printed_has_it_too() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let mut obi = world.person(server.channel(), "obi@example.test", "en");
    let case = Uuid::now_v7();
    let asked = world.directory.holds(&case.to_string());
    world.happens(case, events::opened(ana.account)).await;
    world.happens(case, events::accepted()).await;
    asked.notified().await;
    world.happens(case, events::activated((Uuid::now_v7(), obi.account))).await;
    until("he acts", async || {
        let acts = "SELECT representative FROM matter WHERE case_id = $1";
        let acts: Option<Uuid> =
            sqlx::query_scalar(acts).bind(case).fetch_one(&world.own.pool).await.unwrap();
        (acts == Some(obi.account)).then_some(())
    })
    .await;
    world.directory.lets_go(&case.to_string());
    let receipt = obi.wait_for_notice(case, "receipt").await;
    assert_eq!(
        (receipt.which.as_str(), ana.wait_for_notice(case, "receipt").await.which.as_str()),
        ("copy", "original")
    );
    world.wait_for_mails(&obi.email, 1).await;
    let (_, pdf) = obi.download(&receipt.name).await.unwrap();
    assert!(text(&pdf).to_lowercase().contains("representative, who is told the same"), "{}", text(&pdf));
    assert_eq!((world.count("notice.issued.v1").await, world.objects().len()), (1, 1), "once, and one file");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_move_the_days_of_a_decision_end_where_the_party_lives_now() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let case = world.accepted_case(&ana).await;
    let before = world.accepted_case(&ana).await;
    for case in [case, before] {
        world.happens(case, events::moved_to("America/Denver")).await;
        world.happens(case, events::moved_to("Pacific/Honolulu")).await;
    }
    world.happens(case, events::denied()).await;
    let denial = ana.wait_for_notice(case, "denial").await;
    let zone = |pdf: &[u8]| {
        let text = text(pdf);
        assert!(text.contains("Pacific/Honolulu") && !text.contains("America/"), "{text}");
    };
    zone(&ana.download(&denial.name).await.unwrap().1);
    server.stop().await.unwrap();

    // As a release left it that followed no moves.
    let sql = "UPDATE matter SET zone = 'America/Chicago', zone_read = false WHERE case_id = $1";
    sqlx::query(sql).bind(before).execute(&world.own.pool).await.unwrap();
    let server = world.serve().await;
    until("the moves are read", async || {
        let unread = "SELECT count(*) FROM matter WHERE NOT zone_read";
        let unread: i64 = sqlx::query_scalar(unread).fetch_one(&world.own.pool).await.unwrap();
        (unread == 0).then_some(())
    })
    .await;
    let mut ana = world.stranger(server.channel(), ana.account, &ana.email);
    world.happens(before, events::denied()).await;
    let denial = ana.wait_for_notice(before, "denial").await;
    zone(&ana.download(&denial.name).await.unwrap().1);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_after_a_correction_has_the_corrected_name_and_an_old_notice_stays_as_it_was() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let case = world.accepted_case(&ana).await;
    let receipt = ana.wait_for_notice(case, "receipt").await;
    let (_, before) = ana.download(&receipt.name).await.unwrap();
    assert!(text(&before).contains("Ana Lúcia Verdemar"));
    world.happens(case, events::name_corrected("Ana Lúcia do Verdemar")).await;
    let answer = ana.wait_for_notice(case, "inquiry_answer").await;
    world.happens(case, events::approved()).await;
    let approval = ana.wait_for_notice(case, "approval").await;
    for notice in [answer, approval] {
        let (_, pdf) = ana.download(&notice.name).await.unwrap();
        let text = text(&pdf);
        let has = (text.contains("Ana Lúcia do Verdemar"), text.contains("Ana Lúcia Verdemar"));
        assert_eq!(has, (true, false), "{text:?}");
    }
    let (_, again) = ana.download(&receipt.name).await.unwrap();
    assert_eq!(again, before);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_sees_a_notice_or_that_there_is_one() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let mut eve = world.person(server.channel(), "eve@example.test", "en");
    let case = world.accepted_case(&ana).await;
    let notice = ana.wait_for_notice(case, "receipt").await;
    let unknown = Uuid::now_v7();
    let theirs = eve.download(&notice.name).await.unwrap_err();
    let nobodys = eve.download(&format!("notices/{unknown}")).await.unwrap_err();
    assert_eq!(theirs.code(), Code::NotFound);
    assert_eq!((theirs.message(), theirs.details()), (nobodys.message(), nobodys.details()));
    let theirs = eve.try_notices(&format!("cases/{case}"), 0, "").await.unwrap_err();
    let nobodys = eve.try_notices(&format!("cases/{unknown}"), 0, "").await.unwrap_err();
    assert_eq!((theirs.code(), theirs.message()), (Code::NotFound, nobodys.message()));
    assert!(eve.try_notices("", 0, "").await.unwrap().notices.is_empty());
    assert_eq!(eve.try_notices("case", 0, "").await.unwrap_err().code(), Code::InvalidArgument);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_read_in_pages_newest_first() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let case = world.accepted_case(&ana).await;
    ana.wait_for_notice(case, "receipt").await;
    for (event, kind) in [
        (events::biometrics_scheduled(), "biometrics_appointment"),
        (events::interview_scheduled(), "interview_appointment"),
    ] {
        world.happens(case, event).await;
        ana.wait_for_notice(case, kind).await;
    }
    let (mut token, mut kinds) = (String::new(), Vec::new());
    loop {
        let page = ana.try_notices("", 1, &token).await.unwrap();
        kinds.extend(page.notices.into_iter().map(|notice| notice.kind));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(kinds, ["interview_appointment", "biometrics_appointment", "receipt"]);
    assert_eq!(ana.try_notices("", 1, "forged").await.unwrap_err().code(), Code::InvalidArgument);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_waits_for_the_name_and_is_issued_when_identity_answers() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.stranger(server.channel(), Uuid::now_v7(), "ana@example.test");
    let case = Uuid::now_v7();
    world.happens(case, events::opened(ana.account)).await;
    world.happens(case, events::rejected()).await;
    until("a try in vain", async || {
        let tries: Option<i32> = sqlx::query_scalar("SELECT max(attempts) FROM owed_notice")
            .fetch_one(&world.own.pool)
            .await
            .unwrap();
        tries.filter(|tries| *tries > 0)
    })
    .await;
    assert!(world.objects().is_empty());
    let known = world.person(server.channel(), "ana@example.test", "en");
    let contact = world.directory.0.lock().unwrap()[&known.account.to_string()].clone();
    world.directory.set(&ana.account.to_string(), contact);
    let notice = ana.wait_for_notice(case, "rejection").await;
    let (_, pdf) = ana.download(&notice.name).await.unwrap();
    assert!(text(&pdf).contains("It has no receipt number"));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_acts_no_longer_keeps_nothing_of_a_filing_that_was_rejected() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let mut obi = world.person(server.channel(), "obi@example.test", "en");
    let (case, representation) = (Uuid::now_v7(), Uuid::now_v7());
    let appearance = (representation, obi.account);
    world.happens(case, events::opened_under(ana.account, appearance)).await;
    world.happens(case, events::rejected()).await;
    let notice = obi.wait_for_notice(case, "rejection").await;
    obi.download(&notice.name).await.unwrap();
    // The log of cases says nothing of it: nothing follows a rejection.
    let ended = filings::RepresentationEnded::default();
    world.happens_to_appearance(representation, ended.into()).await;
    until("the end of his sight", async || obi.clone().notices(case).await.is_empty().then_some(())).await;
    assert_eq!(obi.download(&notice.name).await.unwrap_err().code(), Code::NotFound);
    let listed = obi.try_notices(&format!("cases/{case}"), 0, "").await.unwrap_err();
    assert_eq!(listed.code(), Code::NotFound);
    assert!(obi.try_notices("", 0, "").await.unwrap().notices.is_empty());
    ana.download(&notice.name).await.unwrap();

    // A case of which we hear later is not his either: neither as it was opened nor as it was accepted.
    let later = Uuid::now_v7();
    world.happens(later, events::opened_under(ana.account, appearance)).await;
    world.happens(later, events::activated(appearance)).await;
    world.happens(later, events::accepted()).await;
    ana.wait_for_notice(later, "receipt").await;
    assert!(obi.notices(later).await.is_empty());
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notices_of_a_case_are_posted_in_the_order_of_its_events_and_wait_for_no_other_case() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.stranger(server.channel(), Uuid::now_v7(), "ana@example.test");
    let case = world.accepted_case(&ana).await;
    world.happens(case, events::biometrics_scheduled()).await;
    world.tried_in_vain(case, "receipt").await;

    // Identity is back before the first is tried again; what comes now could be posted at once, and waits its turn.
    let mut bo = world.person(server.channel(), "bo@example.test", "en");
    let known = world.directory.0.lock().unwrap()[&bo.account.to_string()].clone();
    world.directory.set(&ana.account.to_string(), known);
    world.happens(case, events::biometrics_rescheduled()).await;
    let other = world.accepted_case(&bo).await;
    bo.wait_for_notice(other, "receipt").await;
    assert!(ana.clone().notices(case).await.is_empty());
    assert_eq!(world.debts().await, (3, 3));

    world.bench.advance(601);
    until("all that is owed", async || (world.debts().await == (0, 0)).then_some(())).await;
    let mut ana = world.stranger(server.channel(), ana.account, "ana@example.test");
    let posted: Vec<_> = ana.notices(case).await.into_iter().rev().map(|notice| notice.kind).collect();
    assert_eq!(posted, ["receipt", "biometrics_appointment", "appointment_moved"]);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_called_off_before_it_could_be_posted_is_not_posted_and_the_log_says_why() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.stranger(server.channel(), Uuid::now_v7(), "ana@example.test");
    let case = world.accepted_case(&ana).await;
    let request = Uuid::now_v7();
    for event in [
        events::biometrics_scheduled(),
        events::biometrics_rescheduled(),
        events::continued(request, &events::period(world.bench.now())),
        events::interview_scheduled(),
        events::request_cancelled(request),
        events::biometrics_cancelled(),
        events::withdrawn(),
    ] {
        world.happens(case, event).await;
    }
    until("the end of the case", async || {
        let ended = (world.debts().await, world.let_go().await.len()) == ((4, 4), 3);
        ended.then_some(())
    })
    .await;
    let let_go = |kind: &str| (kind.to_owned(), "overtaken".to_owned(), true);
    let expected = ["continuation", "biometrics_appointment", "appointment_moved"].map(let_go);
    assert_eq!(world.let_go().await, expected);

    let known = world.person(server.channel(), "ana@example.test", "en").account.to_string();
    let known = world.directory.0.lock().unwrap()[&known].clone();
    world.directory.set(&ana.account.to_string(), known);
    world.bench.advance(601);
    until("all that is owed", async || (world.debts().await == (0, 0)).then_some(())).await;
    let mut ana = world.stranger(server.channel(), ana.account, "ana@example.test");
    let posted: Vec<_> = ana.notices(case).await.into_iter().rev().map(|notice| notice.kind).collect();
    assert_eq!(posted, ["receipt", "interview_appointment", "appointment_cancelled", "withdrawal_ack"]);
    assert_eq!(world.let_go().await.len(), 3);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_to_who_was_erased_is_let_go_and_the_log_says_why() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let case = world.accepted_case(&ana).await;
    ana.wait_for_notice(case, "receipt").await;
    world.directory.erase(&ana.account.to_string());
    world.happens(case, events::biometrics_scheduled()).await;
    world.happens(case, events::approved()).await;
    let let_go = |kind: &str| (kind.to_owned(), "erased".to_owned(), false);
    let expected = ["biometrics_appointment", "approval"].map(let_go);
    until("the end of what is owed", async || (world.let_go().await == expected).then_some(())).await;
    assert_eq!(world.debts().await, (0, 0));
    assert_eq!(world.count("notice.issued.v1").await, 1);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_filing_that_was_erased_nothing_is_sealed_any_more_and_nothing_owed() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let case = world.accepted_case(&ana).await;
    ana.wait_for_notice(case, "receipt").await;
    // As an erasure leaves the key; it is remembered by whoever has used it and carries out none.
    server.stop().await.unwrap();
    let destroyed = format!(
        "ALTER TABLE vault.data_key DISABLE TRIGGER USER;
         UPDATE vault.data_key SET wrapped = NULL, destroyed_at_us = 1 WHERE subject LIKE '%{case}'"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(destroyed)).execute(&world.keys.pool).await.unwrap();
    let server = world.serve().await;
    world.happens(case, events::biometrics_scheduled()).await;
    let expected = [("biometrics_appointment".to_owned(), "erased".to_owned(), false)];
    until("the end of what is owed", async || (world.let_go().await == expected).then_some(())).await;
    assert_eq!(world.debts().await, (0, 0));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_names_who_acts_for_the_party_and_nobody_who_was_erased() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let obi = world.person(server.channel(), "obi@example.test", "en");
    let known = world.directory.0.lock().unwrap()[&obi.account.to_string()].clone();
    let postal_address = "5 Invented Square\nReno, NV 89501".into();
    let named = GetContactResponse {
        given_name: "Obi".into(),
        family_name: "Kaltner".into(),
        postal_address,
        ..known
    };
    world.directory.set(&obi.account.to_string(), named);
    let case = Uuid::now_v7();
    world.happens(case, events::opened(ana.account)).await;
    let activated = RepresentationActivated {
        representation_id: Uuid::now_v7().to_string(),
        representative: obi.account.to_string(),
        wishes: None,
    };
    world.happens(case, activated.into()).await;
    world.happens(case, events::accepted()).await;
    let notice = ana.wait_for_notice(case, "receipt").await;
    let (_, pdf) = ana.download(&notice.name).await.unwrap();
    let named = "Obi Kaltner, 5 Invented Square, Reno, NV 89501";
    assert!(text(&pdf).contains(named), "{}", text(&pdf));

    world.directory.erase(&obi.account.to_string());
    world.happens(case, events::biometrics_scheduled()).await;
    let notice = ana.wait_for_notice(case, "biometrics_appointment").await;
    let (_, pdf) = ana.download(&notice.name).await.unwrap();
    assert!(!text(&pdf).contains("Kaltner"));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_waits_for_the_address_that_the_form_gives_and_prints_it() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let (account, case) = (ana.account.to_string(), Uuid::now_v7());
    world.happens(case, events::opened_with_address(ana.account, 2_000)).await;
    world.happens(case, events::accepted()).await;
    world.tried_in_vain(case, "receipt").await;
    assert!(ana.notices(case).await.is_empty(), "printed with an address of before");
    let before = world.directory.0.lock().unwrap()[&account].clone();
    let address = "c/o Bo Sample\n7 Invented Lane\n1000-001 Lisboa\nPORTUGAL";
    let contact = GetContactResponse { postal_address: address.into(), address_given_at_us: 2_000, ..before };
    world.directory.set(&account, contact);
    let due = "UPDATE owed_notice SET next_at_us = 0";
    sqlx::query(due).execute(&world.own.pool).await.unwrap();
    let receipt = ana.wait_for_notice(case, "receipt").await;
    let of_receipt = text(&ana.download(&receipt.name).await.unwrap().1);
    let printed = "Ana Lúcia Verdemar c/o Bo Sample 7 Invented Lane 1000-001 Lisboa PORTUGAL";
    assert!(of_receipt.contains(printed), "{printed:?} is not in {of_receipt:?}");

    // Of a form that she signs for somebody else it is the address for that case alone.
    let childs = Uuid::now_v7();
    let before = world.directory.0.lock().unwrap()[&account].clone();
    let address = "8 Pretend Street\nReno, NV 89501";
    let contact = GetContactResponse { postal_address: address.into(), address_given_at_us: 3_000, ..before };
    world.directory.set(&childs.to_string(), contact);
    world.happens(childs, events::opened_with_address(ana.account, 3_000)).await;
    world.happens(childs, events::accepted()).await;
    let receipt = ana.wait_for_notice(childs, "receipt").await;
    let of_receipt = text(&ana.download(&receipt.name).await.unwrap().1);
    assert!(of_receipt.contains("8 Pretend Street Reno, NV 89501"), "{of_receipt:?}");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn both_find_a_notice_and_each_is_told_whether_it_is_the_original_or_the_copy() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let mut obi = world.person(server.channel(), "obi@example.test", "en");
    let case = Uuid::now_v7();
    world.happens(case, events::opened(ana.account)).await;
    let representation_id = Uuid::now_v7().to_string();
    let wishes = MailingWishes { notices_to_representative: true, ..Default::default() };
    let activated = RepresentationActivated {
        representation_id: representation_id.clone(),
        representative: obi.account.to_string(),
        wishes: Some(wishes),
    };
    world.happens(case, activated.into()).await;
    world.happens(case, events::accepted()).await;
    let (partys, attorneys) =
        (ana.wait_for_notice(case, "receipt").await, obi.wait_for_notice(case, "receipt").await);
    assert_eq!((partys.which.as_str(), attorneys.which.as_str()), ("copy", "original"));
    let (header, pdf) = ana.download(&partys.name).await.unwrap();
    assert_eq!(header.which, "copy");
    assert!(text(&pdf).contains("the copy yours, as you asked on Form G-28"), "{}", text(&pdf));
    // The client takes it back: what was posted stays as it was, what is posted next is theirs.
    let changed =
        CaseRepresentationWishesChanged { representation_id, wishes: Some(MailingWishes::default()) };
    world.happens(case, changed.into()).await;
    world.happens(case, events::biometrics_scheduled()).await;
    let next = ana.wait_for_notice(case, "biometrics_appointment").await;
    let copy = obi.wait_for_notice(case, "biometrics_appointment").await;
    assert_eq!((next.which.as_str(), copy.which.as_str()), ("original", "copy"));
    assert_eq!(ana.wait_for_notice(case, "receipt").await.which, "copy");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_notice_that_the_party_alone_is_told_there_is_no_copy() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let case = world.accepted_case(&ana).await;
    assert_eq!(ana.wait_for_notice(case, "receipt").await.which, "");
    server.stop().await.unwrap();
}
