//! The address of record: kept as an accepted report says it, told once, and known to nobody without need.

use docket_proto::identity::v1 as pb;
use docket_service::testing::with_token;
use tonic::{Code, Status};

use crate::world::{Member, World, id};

fn report(member: &Member, request_id: &str, filing_id: &str, city: &str) -> pb::RecordAddressRequest {
    pb::RecordAddressRequest {
        request_id: request_id.to_owned(),
        account_id: member.account.replace("accounts/", ""),
        filing_id: filing_id.to_owned(),
        address: format!("9 Sample Ave\n{city}, NV 89501"),
        zone: "America/Los_Angeles".to_owned(),
        moved_on_date: "2026-05-30".to_owned(),
        ..pb::RecordAddressRequest::default()
    }
}

/// What another form gives, submitted at an instant.
fn stated(member: &Member, filing_id: &str, city: &str, given_at_us: i64) -> pb::RecordAddressRequest {
    pb::RecordAddressRequest { no_move: true, given_at_us, ..report(member, &id(), filing_id, city) }
}

async fn record(world: &World, caller: &str, report: pb::RecordAddressRequest) -> Result<(), Status> {
    world.directory(caller).record_address(report).await.map(drop)
}

#[tokio::test]
async fn a_reported_address_is_kept_shown_and_told_once() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let token = world.sign_in(&ana).await.access_token;
    let before = world.mails_to(&ana.email).await;
    let (request, filing) = (id(), id());
    for again in [&request, &request, &id()] {
        record(&world, "filing", report(&ana, again, &filing, "Reno")).await.unwrap();
    }
    let text = world.mail(&ana.email, before + 1).await;
    assert!(text.starts_with("Your address of record was changed") && !text.contains("Reno"), "{text}");

    let asked = with_token(pb::GetAccountRequest {}, &token);
    let account = world.accounts().get_account(asked).await.unwrap().into_inner().account.unwrap();
    assert_eq!(account.postal_address, "9 Sample Ave\nReno, NV 89501");
    assert_eq!(account.zone, "America/Los_Angeles");
    let account_id = ana.account.replace("accounts/", "");
    let contact = world
        .directory("notifications")
        .get_contact(pb::GetContactRequest { account_id, ..Default::default() })
        .await;
    assert_eq!(contact.unwrap().into_inner().postal_address, account.postal_address);

    record(&world, "filing", report(&ana, &id(), &id(), "Elko")).await.unwrap();
    let text = world.mail(&ana.email, before + 2).await;
    assert!(text.starts_with("Your address of record was changed"), "{text}");
    assert_eq!(world.mails_to(&ana.email).await, before + 2, "a repeated report tells nothing");
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM log.event WHERE kind = 'account.address_changed.v1'")
            .fetch_one(&world.database.pool)
            .await
            .unwrap();
    assert_eq!(kept, 2);
    let clear: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM log.event WHERE position('Sample Ave'::bytea in payload) > 0",
    )
    .fetch_one(&world.database.pool)
    .await
    .unwrap();
    assert_eq!(clear, 0, "an address stands in the clear");
}

#[tokio::test]
async fn a_move_that_is_told_again_in_other_words_stands_as_it_was_told_first() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let first = pb::RecordAddressRequest { for_case: true, ..report(&ana, &id(), &id(), "Reno") };
    record(&world, "filing", first.clone()).await.unwrap();
    // Another case of the child's went in, and a newer release writes the address otherwise.
    let again = pb::RecordAddressRequest {
        case_ids: vec![id()],
        address: "9 Sample Avenue\nReno, NV 89501".to_owned(),
        ..first
    };
    record(&world, "filing", again).await.unwrap();
    let events: i64 =
        sqlx::query_scalar("SELECT count(*) FROM log.event WHERE kind = 'account.address_changed.v1'")
            .fetch_one(&world.database.pool)
            .await
            .unwrap();
    assert_eq!(events, 1);
}

#[tokio::test]
async fn only_filing_records_and_only_an_address_of_somebody() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let denied = record(&world, "notifications", report(&ana, &id(), &id(), "Reno")).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    let nobody = Member { account: id(), ..world.join("bo@example.com").await };
    let unknown = record(&world, "filing", report(&nobody, &id(), &id(), "Reno")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let empty = pb::RecordAddressRequest { address: " ".to_owned(), ..report(&ana, &id(), &id(), "") };
    assert_eq!(record(&world, "filing", empty).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn what_a_form_gives_is_of_record_until_one_given_later_and_only_another_one_is_told() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let before = world.mails_to(&ana.email).await;
    let account_id = ana.account.replace("accounts/", "");
    let on_record = async || {
        let request = pb::GetContactRequest { account_id: account_id.clone(), ..Default::default() };
        let contact = world.directory("notifications").get_contact(request).await.unwrap().into_inner();
        (contact.postal_address.lines().nth(1).unwrap_or_default().to_owned(), contact.address_given_at_us)
    };
    assert_eq!(on_record().await, (String::new(), 0));
    record(&world, "filing", stated(&ana, &id(), "Reno", 2_000)).await.unwrap();
    assert_eq!(on_record().await, ("Reno, NV 89501".to_owned(), 2_000));
    assert_eq!(world.mails_to(&ana.email).await, before, "the first one is no change");
    record(&world, "filing", stated(&ana, &id(), "Elko", 1_000)).await.unwrap();
    assert_eq!(on_record().await, ("Reno, NV 89501".to_owned(), 2_000), "it is older");
    record(&world, "filing", stated(&ana, &id(), "Reno", 3_000)).await.unwrap();
    assert_eq!((on_record().await.1, world.mails_to(&ana.email).await), (3_000, before), "it is the same");
    record(&world, "filing", stated(&ana, &id(), "Elko", 4_000)).await.unwrap();
    let text = world.mail(&ana.email, before + 1).await;
    assert!(text.starts_with("Your address of record was changed") && text.contains("in a form"), "{text}");
    let moved = pb::RecordAddressRequest { given_at_us: 5_000, ..report(&ana, &id(), &id(), "Sparks") };
    record(&world, "filing", moved).await.unwrap();
    assert_eq!(on_record().await, ("Sparks, NV 89501".to_owned(), 5_000));
}

#[tokio::test]
async fn what_a_form_gives_for_somebody_else_is_for_its_case_until_a_move_is_reported_for_that() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let before = world.mails_to(&ana.email).await;
    let account_id = ana.account.replace("accounts/", "");
    let mail_about = async |case: &str, receipt: &str| {
        let (account_id, case_id, receipt_number) = (account_id.clone(), case.to_owned(), receipt.to_owned());
        let request = pb::GetContactRequest { account_id, case_id, receipt_number };
        let contact = world.directory("notifications").get_contact(request).await.unwrap().into_inner();
        (contact.postal_address.lines().nth(1).unwrap_or_default().to_owned(), contact.address_given_at_us)
    };
    let (childs, own) = (id(), id());
    let given = pb::RecordAddressRequest { for_case: true, ..stated(&ana, &childs, "Elko", 2_000) };
    record(&world, "filing", given.clone()).await.unwrap();
    record(&world, "filing", pb::RecordAddressRequest { request_id: id(), ..given }).await.unwrap();
    assert_eq!(mail_about(&childs, "DKT1").await, ("Elko, NV 89501".to_owned(), 2_000));
    assert_eq!(mail_about("", "").await, (String::new(), 0), "she has none of her own by that");
    record(&world, "filing", stated(&ana, &own, "Reno", 3_000)).await.unwrap();
    assert_eq!(mail_about(&own, "DKT2").await, ("Reno, NV 89501".to_owned(), 3_000));
    assert_eq!(
        mail_about(&childs, "DKT1").await,
        ("Elko, NV 89501".to_owned(), 2_000),
        "what a form gives is no move"
    );
    assert_eq!(world.mails_to(&ana.email).await, before);
    let moved = |city: &str, receipts: &[&str], given_at_us| pb::RecordAddressRequest {
        receipt_numbers: receipts.iter().map(ToString::to_string).collect(),
        given_at_us,
        ..report(&ana, &id(), &id(), city)
    };
    record(&world, "filing", moved("Sparks", &["DKT2"], 4_000)).await.unwrap();
    assert_eq!(mail_about(&childs, "DKT1").await, ("Elko, NV 89501".to_owned(), 2_000), "of another case");
    record(&world, "filing", moved("Fernley", &["DKT2", "DKT1"], 5_000)).await.unwrap();
    assert_eq!(mail_about(&childs, "DKT1").await, ("Fernley, NV 89501".to_owned(), 5_000));
}

#[tokio::test]
async fn a_move_of_somebody_else_is_for_their_cases_and_never_the_accounts() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    record(&world, "filing", stated(&ana, &id(), "Reno", 1_000)).await.unwrap();
    let (older, younger) = (id(), id());
    for (childs, city) in [(&older, "Elko"), (&younger, "Ely")] {
        let given = pb::RecordAddressRequest { for_case: true, ..stated(&ana, childs, city, 2_000) };
        record(&world, "filing", given).await.unwrap();
    }
    let before = world.mails_to(&ana.email).await;
    let account_id = ana.account.replace("accounts/", "");
    let mail_about = async |case: &str, receipt: &str| {
        let (account_id, case_id, receipt_number) = (account_id.clone(), case.to_owned(), receipt.to_owned());
        let request = pb::GetContactRequest { account_id, case_id, receipt_number };
        let contact = world.directory("notifications").get_contact(request).await.unwrap().into_inner();
        contact.postal_address.lines().nth(1).unwrap_or_default().replace(", NV 89501", "")
    };
    let childs_move = |report: &str, city: &str, given_at_us| pb::RecordAddressRequest {
        for_case: true,
        given_at_us,
        ..self::report(&ana, &id(), report, city)
    };
    let reported = id();
    let named = pb::RecordAddressRequest {
        receipt_numbers: vec!["DKT1".to_owned()],
        ..childs_move(&reported, "Sparks", 3_000)
    };
    record(&world, "filing", named).await.unwrap();
    assert_eq!(mail_about("", "").await, "Reno", "she lives where she lived");
    assert_eq!(mail_about(&older, "DKT1").await, "Sparks");
    assert_eq!(mail_about(&younger, "DKT2").await, "Ely", "another child's, which was not named");
    assert_eq!(
        mail_about(&reported, "DKT3").await,
        "Sparks",
        "what is said of the report itself goes there too"
    );
    assert_eq!(world.mails_to(&ana.email).await, before, "her address of record is the same");

    // One that is known by its id; and one that came later, though it was reported before.
    let known =
        pb::RecordAddressRequest { case_ids: vec![younger.clone()], ..childs_move(&id(), "Fernley", 5_000) };
    record(&world, "filing", known).await.unwrap();
    let late =
        pb::RecordAddressRequest { case_ids: vec![younger.clone()], ..childs_move(&id(), "Fallon", 4_000) };
    record(&world, "filing", late).await.unwrap();
    assert_eq!(
        (mail_about(&younger, "").await, mail_about(&older, "").await),
        ("Fernley".into(), "Elko".into())
    );
    let hers = pb::RecordAddressRequest { given_at_us: 6_000, ..report(&ana, &id(), &id(), "Gerlach") };
    record(&world, "filing", hers).await.unwrap();
    for (case, receipt) in [("", ""), (&older, "DKT1"), (&younger, "DKT2")] {
        assert_eq!(mail_about(case, receipt).await, "Gerlach", "her own move, which names none");
    }
}
