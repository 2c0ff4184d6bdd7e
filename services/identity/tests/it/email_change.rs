//! Another e-mail address for an account: proven by its mail, told to the one before, which can take it back.

use std::collections::{BTreeMap, BTreeSet};

use docket_kernel::EventEnum as _;
use docket_proto::events::email;
use docket_proto::identity::v1 as pb;
use docket_service::testing::with_token;
use tonic::{Code, Status};

use crate::erasure::{erased_by, operator, subject_of};
use crate::world::{Member, PASSWORD, World, eventually, id, refused};

const NEW: &str = "ana.new@example.net";
const DAY_S: i64 = 24 * 3600;

async fn ask(world: &World, token: &str, email: &str) -> Result<i64, Status> {
    ask_as(world, token, email, &id()).await
}

async fn ask_as(world: &World, token: &str, email: &str, request_id: &str) -> Result<i64, Status> {
    let message =
        pb::RequestEmailChangeRequest { request_id: request_id.to_owned(), email: email.to_owned() };
    let answer = world.accounts().request_email_change(with_token(message, token)).await?;
    Ok(answer.into_inner().expires_at_us)
}

async fn confirm(world: &World, token: &str, code: &str) -> Result<i64, Status> {
    confirm_as(world, token, code, &id()).await
}

async fn confirm_as(world: &World, token: &str, code: &str, request_id: &str) -> Result<i64, Status> {
    let message = pb::ConfirmEmailChangeRequest { request_id: request_id.to_owned(), code: code.to_owned() };
    let answer = world.accounts().confirm_email_change(with_token(message, token)).await?;
    Ok(answer.into_inner().back_until_us)
}

async fn withdraw(world: &World, token: &str) -> Result<(), Status> {
    withdraw_as(world, token, &id()).await
}

async fn withdraw_as(world: &World, token: &str, request_id: &str) -> Result<(), Status> {
    let message = pb::WithdrawEmailChangeRequest { request_id: request_id.to_owned() };
    world.accounts().withdraw_email_change(with_token(message, token)).await.map(drop)
}

async fn take_back(world: &World, code: &str) -> Result<(), Status> {
    take_back_as(world, code, &id()).await
}

async fn take_back_as(world: &World, code: &str, request_id: &str) -> Result<(), Status> {
    let message = pb::TakeBackEmailChangeRequest { request_id: request_id.to_owned(), code: code.to_owned() };
    world.accounts().take_back_email_change(message).await.map(drop)
}

/// The code of four groups in the `nth` mail to somebody.
async fn way_back(world: &World, to: &str, nth: usize) -> String {
    let text = world.mail(to, nth).await;
    let is_code = |word: &&str| word.len() == 19 && word.split('-').count() == 4;
    text.split_whitespace().find(is_code).unwrap_or_else(|| panic!("no code in {text}")).to_owned()
}

/// Asks for the new address and confirms it. `nth` is the mail with its code.
async fn move_to(world: &World, token: &str, email: &str, nth: usize) {
    ask(world, token, email).await.unwrap();
    let code = world.mailed_code(email, nth).await;
    confirm(world, token, &code).await.unwrap();
}

/// The same person with another address.
fn at(member: Member, email: &str) -> Member {
    Member { email: email.to_owned(), ..member }
}

async fn sign_in_refused(world: &World, email: &str, member: &Member) -> (Code, String) {
    let code = world.next_code(member);
    let status = world.try_sign_in(email, PASSWORD, &code).await.unwrap_err();
    (status.code(), status.message().to_owned())
}

/// At each position of the log an address is one account's at most, and none that is open loses its address to another one unless it
/// gave it up before.
async fn each_address_is_one_accounts(world: &World) {
    let sql = "SELECT stream, kind, payload FROM log.event ORDER BY position";
    let rows: Vec<(String, String, Vec<u8>)> =
        sqlx::query_as(sql).fetch_all(&world.database.pool).await.unwrap();
    let (mut holders, mut kept, mut open) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    for (stream, kind, payload) in rows {
        if kind == "account.second_factor_added.v1" {
            open.insert(stream.replace("account-", ""));
        }
        if !kind.starts_with("email.") {
            continue;
        }
        match email::Event::decode(&kind, &payload).unwrap() {
            email::Event::EmailClaimed(claimed) => {
                let before: Option<String> = holders.insert(stream.clone(), claimed.account_id.clone());
                let taken = before.filter(|before| open.contains(before));
                assert!(taken.is_none_or(|before| before == claimed.account_id), "{stream} was taken away");
            }
            email::Event::EmailReleased(released) => {
                // What was kept for an account is given free by a release of its own.
                let holder = holders.remove(&stream).or_else(|| kept.remove(&stream));
                assert_eq!(holder, Some(released.account_id.clone()), "{stream}");
                if released.kept_until_us > 0 {
                    kept.insert(stream, released.account_id);
                }
            }
        }
    }
    let mut with_one = BTreeSet::new();
    for account in holders.into_values().filter(|account| open.contains(account)) {
        assert!(with_one.insert(account), "an account has two addresses");
    }
}

#[tokio::test]
async fn a_person_signs_in_with_the_new_address_from_then_on_and_both_addresses_are_told() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let other = world.sign_in(&ana).await;
    let own = world.sign_in(&ana).await;
    assert_eq!(refused(ask(&world, &own.access_token, NEW).await), "STEP_UP_REQUIRED");
    let token = world.stepped_up(&ana, &own.access_token).await;
    assert_eq!(refused(ask(&world, &token, "ANA@example.com").await), "EMAIL_UNCHANGED");
    assert_eq!(ask(&world, &token, "nobody").await.unwrap_err().code(), Code::InvalidArgument);
    let told = world.mails_to(&ana.email).await;

    let until_us = ask(&world, &token, NEW).await.unwrap();
    let mail = world.mail(&ana.email, told + 1).await;
    assert!(mail.starts_with("Another address was asked for your account"), "{mail}");
    assert!(!mail.contains("example"), "no address in {mail}");
    let account = world.account(&token).await.unwrap();
    assert_eq!((account.email.as_str(), account.new_email.as_str()), ("ana@example.com", NEW));
    assert_eq!(account.new_email_until_us, until_us);
    assert_eq!(sign_in_refused(&world, NEW, &ana).await.0, Code::FailedPrecondition);

    let code = world.mailed_code(NEW, 1).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(refused(confirm(&world, &token, wrong).await), "CODE_WRONG");
    let request = id();
    let back_until_us = confirm_as(&world, &token, &code, &request).await.unwrap();
    assert_eq!(confirm_as(&world, &token, &code, &request).await.unwrap(), back_until_us);
    assert_eq!(refused(confirm(&world, &token, &code).await), "NO_EMAIL_CHANGE_ASKED");
    assert!(world.mail(&ana.email, told + 2).await.starts_with("Your account has another address"));
    assert!(world.mail(NEW, 2).await.starts_with("This is the address of your account now"));

    assert_eq!(refused(world.refresh(&other.refresh_token).await), "SESSION_ENDED");
    world.refresh(&own.refresh_token).await.unwrap();
    let unknown = sign_in_refused(&world, "nobody@example.com", &ana).await;
    assert_eq!(sign_in_refused(&world, "ana@example.com", &ana).await, unknown);
    let ana = at(ana, NEW);
    let token = world.sign_in(&ana).await.access_token;
    world.try_sign_in(NEW, PASSWORD, &ana.recovery_codes[0]).await.unwrap();
    let account = world.account(&token).await.unwrap();
    assert_eq!((account.email.as_str(), account.new_email.as_str()), (NEW, ""));
    assert_eq!(account.name, ana.account);
    let history = world.history(&token).await;
    for kind in ["email_change_requested", "email_changed", "session_ended"] {
        assert_eq!(history.iter().filter(|one| *one == kind).count(), 1, "{kind} in {history:?}");
    }
    let account_id = ana.account.replace("accounts/", "");
    let asked = pb::GetContactRequest { account_id, ..Default::default() };
    let contact = world.directory("notifications").get_contact(asked).await.unwrap().into_inner();
    assert_eq!(contact.email, NEW);
    each_address_is_one_accounts(&world).await;
}

#[tokio::test]
async fn an_address_that_is_somebodys_is_answered_as_any_other_and_its_owner_is_told() {
    let world = World::new().await;
    let (ana, bea) = (world.join("ana@example.com").await, world.join("bea@example.com").await);
    let token = world.guarded(&ana).await;
    let before = world.mails_to(&ana.email).await;
    let known = ask(&world, &token, &bea.email).await.unwrap();
    let mail = world.mail(&bea.email, 2).await;
    assert!(mail.starts_with("Somebody asked for your address"), "{mail}");
    assert!(!mail.contains(|c: char| c.is_ascii_digit()), "no code in {mail}");
    let shown = world.account(&token).await.unwrap();
    assert_eq!((shown.new_email.as_str(), shown.new_email_until_us), (bea.email.as_str(), known));
    let mut told = Vec::new();
    for _ in 0..5 {
        let status = confirm(&world, &token, "123456").await.unwrap_err();
        told.push((status.code(), status.message().to_owned()));
    }

    // The same of one that is nobody's.
    let unknown = ask(&world, &token, "nobody@example.com").await.unwrap();
    assert_eq!(unknown, known, "the clock stood still");
    let code = world.mailed_code("nobody@example.com", 1).await;
    let wrong = if code == "123456" { "123457" } else { "123456" };
    for answer in told {
        let status = confirm(&world, &token, wrong).await.unwrap_err();
        assert_eq!((status.code(), status.message().to_owned()), answer);
    }
    assert_eq!(refused(confirm(&world, &token, &code).await), "TOO_MANY_TRIES");
    eventually("the mails to the own address", async || {
        (world.mails_to(&ana.email).await == before + 2).then_some(())
    })
    .await;
    world.sign_in(&bea).await;
}

#[tokio::test]
async fn who_reads_the_mail_of_the_address_before_takes_the_change_back_without_signing_in() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let told = world.mails_to(&ana.email).await;
    let own = world.sign_in(&ana).await;
    let token = world.stepped_up(&ana, &own.access_token).await;
    move_to(&world, &token, NEW, 1).await;
    // One more change does not cut it off.
    move_to(&world, &token, "third@example.net", 1).await;
    let (first, second) = (way_back(&world, &ana.email, told + 2).await, way_back(&world, NEW, 4).await);
    assert_eq!(way_back(&world, &ana.email, told + 1).await, first, "both mails bring the same code");
    world.advance(13 * DAY_S);
    let elsewhere = world.sign_in(&at(ana.clone(), "third@example.net")).await;

    assert_eq!(refused(take_back(&world, "AAAA-BBBB-CCCC-DDDD").await), "CODE_WRONG");
    let request = id();
    take_back_as(&world, &first.to_lowercase().replace('-', " "), &request).await.unwrap();
    take_back_as(&world, &first, &request).await.unwrap();
    for code in [&first, &second] {
        assert_eq!(refused(take_back(&world, code).await), "CODE_WRONG");
    }
    assert_eq!(refused(world.refresh(&elsewhere.refresh_token).await), "SESSION_ENDED");
    assert_eq!(sign_in_refused(&world, "third@example.net", &ana).await.0, Code::FailedPrecondition);
    let token = world.sign_in(&ana).await.access_token;
    assert_eq!(world.account(&token).await.unwrap().email, "ana@example.com");
    assert!(world.mail(&ana.email, told + 3).await.starts_with("Your account has this address again"));
    let mail = world.mail("third@example.net", 3).await;
    assert!(mail.starts_with("This is not the address of your account any more"), "{mail}");
    world.join_again("third@example.net", 4).await;
    // So is the one in between, which was kept for what was taken back.
    let anew = world.join_again(NEW, 5).await;
    assert_ne!(anew.account, ana.account);
    each_address_is_one_accounts(&world).await;
}

#[tokio::test]
async fn who_is_back_at_the_address_before_has_none_of_those_in_between_kept() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let told = world.mails_to(&ana.email).await;
    let token = world.guarded(&ana).await;
    move_to(&world, &token, NEW, 1).await;
    let first = way_back(&world, &ana.email, told + 2).await;
    move_to(&world, &token, &ana.email, told + 3).await;
    take_back(&world, &first).await.unwrap();
    world.sign_in(&ana).await;
    world.join_again(NEW, 5).await;
    each_address_is_one_accounts(&world).await;
}

#[tokio::test]
async fn an_address_stays_kept_for_its_own_way_back_when_a_change_after_it_is_taken_back() {
    for goes_on in [false, true] {
        let world = World::new().await;
        let ana = world.join("ana@example.com").await;
        let told = world.mails_to(&ana.email).await;
        let token = world.guarded(&ana).await;
        move_to(&world, &token, NEW, 1).await;
        let first = way_back(&world, &ana.email, told + 2).await;
        move_to(&world, &token, &ana.email, told + 3).await;
        let second = way_back(&world, NEW, 4).await;
        if goes_on {
            move_to(&world, &token, "third@example.net", 1).await;
        }
        take_back(&world, &second).await.unwrap();
        world.sign_in(&at(ana.clone(), NEW)).await;

        // Nobody else has it meanwhile.
        let last = told + if goes_on { 6 } else { 5 };
        world.mail(&ana.email, last).await;
        world.register(&ana.email).await.unwrap();
        let mail = world.mail(&ana.email, last + 1).await;
        assert!(mail.starts_with("An address that is kept for an account"), "{mail}");
        take_back(&world, &first).await.unwrap();
        world.sign_in(&ana).await;
        each_address_is_one_accounts(&world).await;
    }
}

#[tokio::test]
async fn who_reads_the_mail_of_the_address_stops_what_was_asked_for() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let told = world.mails_to(&ana.email).await;
    let own = world.sign_in(&ana).await;
    let token = world.stepped_up(&ana, &own.access_token).await;
    ask(&world, &token, NEW).await.unwrap();
    let code = world.mailed_code(NEW, 1).await;
    take_back(&world, &way_back(&world, &ana.email, told + 1).await).await.unwrap();
    assert!(world.mail(&ana.email, told + 2).await.starts_with("The change of your address was stopped"));
    assert_eq!(refused(world.refresh(&own.refresh_token).await), "SESSION_ENDED");
    let again = world.sign_in(&ana).await.access_token;
    assert_eq!(refused(confirm(&world, &again, &code).await), "NO_EMAIL_CHANGE_ASKED");
    assert_eq!(world.account(&again).await.unwrap().new_email, "");
}

#[tokio::test]
async fn what_was_asked_for_is_given_up_replaced_or_over_after_a_day() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let token = world.guarded(&ana).await;
    assert_eq!(refused(withdraw(&world, &token).await), "NO_EMAIL_CHANGE_ASKED");
    let told = world.mails_to(&ana.email).await;
    ask(&world, &token, NEW).await.unwrap();
    let first = world.mailed_code(NEW, 1).await;
    ask(&world, &token, "second@example.net").await.unwrap();
    let second = world.mailed_code("second@example.net", 1).await;
    if first != second {
        assert_eq!(refused(confirm(&world, &token, &first).await), "CODE_WRONG");
    }
    let request = id();
    withdraw_as(&world, &token, &request).await.unwrap();
    withdraw_as(&world, &token, &request).await.unwrap();
    // After those that told of either address.
    let mail = world.mail(&ana.email, told + 3).await;
    assert!(mail.starts_with("The change of your address was given up"), "{mail}");
    let mail = world.mail("second@example.net", 2).await;
    assert!(mail.starts_with("This address is not asked for any more"), "{mail}");
    assert_eq!(world.mails_to(&ana.email).await, told + 3, "who repeats it sends no second mail");
    assert_eq!(refused(confirm(&world, &token, &second).await), "NO_EMAIL_CHANGE_ASKED");
    ask(&world, &token, NEW).await.unwrap();
    let third = world.mailed_code(NEW, 2).await;
    world.advance(DAY_S);
    let token = world.sign_in(&ana).await.access_token;
    assert_eq!(refused(confirm(&world, &token, &third).await), "NO_EMAIL_CHANGE_ASKED");
    assert_eq!(world.account(&token).await.unwrap().new_email, "");
}

#[tokio::test]
async fn the_address_before_is_kept_as_long_as_it_can_take_the_change_back_and_then_anybodys() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let token = world.guarded(&ana).await;
    let told = world.mails_to(&ana.email).await;
    move_to(&world, &token, NEW, 1).await;
    let back = way_back(&world, &ana.email, told + 2).await;
    let bea = world.join("bea@example.com").await;
    let registration = world.register(&ana.email).await.unwrap();
    assert!(world.mail(&ana.email, told + 3).await.starts_with("An address that is kept for an account"));
    assert_eq!(refused(world.confirm_email(&registration, "123456").await), "CODE_WRONG");
    let token_of_bea = world.guarded(&bea).await;
    ask(&world, &token_of_bea, &ana.email).await.unwrap();
    assert!(world.mail(&ana.email, told + 4).await.starts_with("Somebody asked for your address"));

    world.advance(14 * DAY_S);
    assert_eq!(refused(take_back(&world, &back).await), "CODE_WRONG");
    let anew = world.join_again(&ana.email, told + 5).await;
    assert_ne!(anew.account, ana.account);
    world.sign_in(&anew).await;
    world.sign_in(&at(ana, NEW)).await;
    each_address_is_one_accounts(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_accounts_that_confirm_one_address_at_once_exactly_one_has_it() {
    let world = World::new().await;
    let mut asked = Vec::new();
    for (nth, email) in ["ana@example.com", "bea@example.com"].into_iter().enumerate() {
        let member = world.join(email).await;
        let token = world.guarded(&member).await;
        ask(&world, &token, NEW).await.unwrap();
        asked.push((member, token, world.mailed_code(NEW, nth + 1).await));
    }
    let [(ana, token_of_ana, first), (bea, token_of_bea, second)] = <[_; 2]>::try_from(asked).ok().unwrap();
    let (one, other) =
        tokio::join!(confirm(&world, &token_of_ana, &first), confirm(&world, &token_of_bea, &second));
    let (winner, loser, refusal) = match (one, other) {
        (Ok(_), Err(refusal)) => (ana, bea, refusal),
        (Err(refusal), Ok(_)) => (bea, ana, refusal),
        (one, other) => panic!("exactly one has it: {one:?}, {other:?}"),
    };
    assert_eq!(refused::<()>(Err(refusal)), "EMAIL_TAKEN");
    let accounts = [world.sign_in(&at(winner, NEW)).await.account, world.sign_in(&loser).await.account];
    assert_ne!(accounts[0], accounts[1]);
    each_address_is_one_accounts(&world).await;
}

#[tokio::test]
async fn an_account_that_a_stranger_began_with_the_address_and_never_finished_does_not_keep_it() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let strangers = world.register(NEW).await.unwrap();
    let proven = world.mailed_code(NEW, 1).await;
    let token = world.guarded(&ana).await;
    move_to(&world, &token, NEW, 2).await;
    assert_eq!(refused(world.confirm_email(&strangers, &proven).await), "REGISTRATION_EXPIRED");
    world.sign_in(&at(ana, NEW)).await;
    let registration = world.register(NEW).await.unwrap();
    assert_eq!(refused(world.begin_totp(&registration).await), "EMAIL_NOT_PROVEN");
    each_address_is_one_accounts(&world).await;
}

#[tokio::test]
async fn who_asks_again_and_again_is_slowed_and_so_is_a_mailbox_that_many_ask_for() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let token = world.guarded(&ana).await;
    for n in 0..5 {
        ask(&world, &token, &format!("{n}@example.net")).await.unwrap();
    }
    assert_eq!(refused(ask(&world, &token, "5@example.net").await), "TOO_MANY_TRIES");
    assert_eq!(world.mails_to("5@example.net").await, 0);
    let bea = world.join("bea@example.com").await;
    for _ in 0..5 {
        world.register(NEW).await.unwrap();
    }
    let token = world.guarded(&bea).await;
    world.register(NEW).await.unwrap();
    assert_eq!(refused(ask(&world, &token, NEW).await), "TOO_MANY_TRIES");
}

#[tokio::test]
async fn a_repeated_request_sends_no_second_mail_and_another_address_under_its_id_is_refused() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let token = world.guarded(&ana).await;
    let before = world.mails_to(&ana.email).await;
    let request = id();
    let first = ask_as(&world, &token, NEW, &request).await.unwrap();
    let world = world.restart().await;
    world.advance(60);
    assert_eq!(ask_as(&world, &token, NEW, &request).await.unwrap(), first);
    let other = ask_as(&world, &token, "other@example.net", &request).await.unwrap_err();
    assert_eq!(other.code(), Code::AlreadyExists);
    let code = world.mailed_code(NEW, 1).await;
    confirm(&world, &token, &code).await.unwrap();
    eventually("the mails", async || {
        let told = (world.mails_to(NEW).await, world.mails_to(&ana.email).await - before);
        (told == (2, 2)).then_some(())
    })
    .await;
    let world = world.restart().await;
    let ana = at(ana, NEW);
    world.sign_in(&ana).await;
    for table in [
        "log.event WHERE position('ana.new'::bytea in payload) > 0",
        "mail WHERE sealed IS NOT NULL AND position('ana.new'::bytea in sealed) > 0",
    ] {
        let clear: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
            .fetch_one(&world.database.pool)
            .await
            .unwrap();
        assert_eq!(clear, 0, "an address stands in the clear in {table}");
    }
}

#[tokio::test]
async fn with_an_account_that_is_erased_its_changes_go_and_both_addresses_are_free() {
    let world = World::new().await;
    let operators = [operator(&world, "ida").await, operator(&world, "joy").await];
    let ana = world.join("ana@example.com").await;
    let token = world.guarded(&ana).await;
    let told = world.mails_to(&ana.email).await;
    move_to(&world, &token, NEW, 1).await;
    let back = way_back(&world, &ana.email, told + 2).await;
    erased_by(&world, &operators, &subject_of(&ana)).await.unwrap();
    assert_eq!(refused(take_back(&world, &back).await), "CODE_WRONG");
    eventually("no change is left", async || {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM email_change")
            .fetch_one(&world.database.pool)
            .await
            .unwrap();
        (left == 0).then_some(())
    })
    .await;
    let (at_old, at_new) = (world.mails_to(&ana.email).await, world.mails_to(NEW).await);
    world.join_again(&ana.email, at_old + 1).await;
    world.join_again(NEW, at_new + 1).await;
}
