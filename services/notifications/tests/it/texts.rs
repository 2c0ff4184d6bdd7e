//! Texts: none without consent and a code, one for each notice, none at night; ended by their owner, by a reply, or because none arrives.
#![expect(clippy::wildcard_enum_match_arm, reason = "a test looks for one kind of event among all")]

use docket_kernel::EventEnum as _;
use docket_proto::events::delivery::Event as Outcome;
use docket_proto::events::{subject, texting};
use docket_proto::identity::events::v1::SubjectErased;
use docket_proto::notifications::v1 as pb;
use docket_service::testing::{append, with_token};
use serde_json::Value;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::events;
use crate::world::{Person, World, patiently, until};

const PHONE: &str = "+12125550123";

impl World {
    /// Somebody asks for texts to a number.
    async fn asks(&self, person: &Person, number: &str) -> Result<i64, Status> {
        self.asks_as(person, Uuid::now_v7(), number).await
    }

    async fn asks_as(&self, person: &Person, id: Uuid, number: &str) -> Result<i64, Status> {
        let message = pb::AddTextNumberRequest {
            request_id: id.to_string(),
            number: number.into(),
            consent: "texts-2026-11".into(),
            language: "en".into(),
        };
        let asked = patiently(async || {
            let mut texting = person.texting.clone();
            let token = self.bench.step_up_token(person.account);
            texting.add_text_number(with_token(message.clone(), &token)).await
        });
        Ok(asked.await?.expires_at_us)
    }

    async fn confirms(&self, person: &Person, code: &str) -> Result<(), Status> {
        let request_id = Uuid::now_v7().to_string();
        let message = pb::ConfirmTextNumberRequest { request_id, code: code.into() };
        let given = patiently(async || {
            let mut texting = person.texting.clone();
            let token = self.bench.token(person.account);
            texting.confirm_text_number(with_token(message.clone(), &token)).await
        });
        given.await.map(drop)
    }

    async fn removes(&self, person: &Person) {
        self.removes_as(person, Uuid::now_v7()).await;
    }

    async fn removes_as(&self, person: &Person, id: Uuid) {
        let message = pb::RemoveTextNumberRequest { request_id: id.to_string() };
        let removed = patiently(async || {
            let mut texting = person.texting.clone();
            let token = self.bench.token(person.account);
            texting.remove_text_number(with_token(message.clone(), &token)).await
        });
        removed.await.unwrap();
    }

    async fn texting(&self, person: &Person) -> pb::GetTextingResponse {
        let message = pb::GetTextingRequest { language: "en".into() };
        let told = patiently(async || {
            let mut texting = person.texting.clone();
            let token = self.bench.token(person.account);
            texting.get_texting(with_token(message.clone(), &token)).await
        });
        told.await.unwrap()
    }

    /// Somebody has texts on; the code has come to the number.
    pub(crate) async fn has_texts(&self, person: &Person, number: &str) {
        let before = self.texts_to(number).await.len();
        until("a code goes there", async || self.asks(person, number).await.ok()).await;
        let texts = self.wait_for_texts(number, before + 1).await;
        self.confirms(person, &code_in(texts.last().unwrap())).await.unwrap();
        self.wait_for_mail(person, "Texts to a phone are on").await;
    }

    async fn wait_for_mail(&self, person: &Person, subject: &str) {
        until(&format!("the mail {subject}"), async || {
            let mails = self.mails(&person.email).await;
            mails.iter().any(|mail| mail["subject"] == subject).then_some(())
        })
        .await;
    }

    /// Waits until so many texts of the ledger are held, without having been tried.
    async fn wait_for_held(&self, person: &Person, count: i64) {
        until(&format!("{count} texts held"), async || {
            let held: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM delivery WHERE account_id = $1 AND state = 'to_text'
                 AND attempts = 0 AND next_at_us > $2",
            )
            .bind(person.account)
            .bind(self.bench.now().as_microsecond())
            .fetch_one(&self.own.pool)
            .await
            .unwrap();
            (held == count).then_some(())
        })
        .await;
    }

    /// Waits until somebody said from so many numbers that they want no texts there.
    async fn wait_for_refused(&self, count: i64) {
        until(&format!("{count} numbers refused"), async || {
            let refused: i64 = sqlx::query_scalar("SELECT count(*) FROM text_refused")
                .fetch_one(&self.own.pool)
                .await
                .unwrap();
            (refused == count).then_some(())
        })
        .await;
    }

    /// How many texts stand in the ledger for somebody, in whatever state.
    async fn text_rows(&self, person: &Person) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM delivery WHERE account_id = $1 AND channel = 'sms'")
            .bind(person.account)
            .fetch_one(&self.own.pool)
            .await
            .unwrap()
    }

    /// How the texts to a number ended, in order.
    async fn ends(&self) -> Vec<String> {
        let sql = "SELECT payload FROM log.event WHERE kind = 'texting.ended.v1' ORDER BY position";
        let payloads: Vec<Vec<u8>> = sqlx::query_scalar(sql).fetch_all(&self.own.pool).await.unwrap();
        let read = |payload: Vec<u8>| match texting::Event::decode("texting.ended.v1", &payload).unwrap() {
            texting::Event::TextsEnded(ended) => ended.by,
            other => panic!("{other:?}"),
        };
        payloads.into_iter().map(read).collect()
    }
}

fn code_in(text: &Value) -> String {
    let body = text["body"].as_str().unwrap();
    body.split(|letter: char| !letter.is_ascii_digit()).find(|word| word.len() == 6).unwrap().to_owned()
}

fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_on_from_the_code_on_and_each_notice_is_told_once_by_mail_and_once_by_text() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let before = world.texting(&ana).await;
    assert_eq!((before.state.as_str(), before.consent.as_str()), ("off", "texts-2026-11"));
    assert!(before.consent_words.contains("answering STOP"), "{}", before.consent_words);

    let case = world.accepted_case(&ana).await;
    world.wait_for_mails(&ana.email, 1).await;
    world.asks(&ana, "(212) 555-0123").await.unwrap();
    let texts = world.wait_for_texts(PHONE, 1).await;
    let waiting = world.texting(&ana).await;
    assert_eq!(
        (waiting.state.as_str(), waiting.number.as_str(), waiting.new_number.as_str()),
        ("off", "", PHONE)
    );
    let code = code_in(&texts[0]);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let refused = world.confirms(&ana, wrong).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "CODE_WRONG"));
    world.confirms(&ana, &code).await.unwrap();
    world.wait_for_mail(&ana, "Texts to a phone are on").await;
    let on = world.texting(&ana).await;
    assert_eq!((on.state.as_str(), on.number.as_str(), on.new_number.as_str()), ("on", PHONE, ""));

    world.happens(case, events::biometrics_scheduled()).await;
    let texts = world.wait_for_texts(PHONE, 2).await;
    let body = texts[1]["body"].as_str().unwrap();
    assert!(body.starts_with("Docket: there is a new notice in your account."), "{body}");
    for secret in ["Ana", "Verdemar", "DKT", "N-400", "biometrics", "http"] {
        assert!(!body.contains(secret), "{secret}");
    }
    // Two notices, the mail that says that texts are on; and the text of the notice of after that. What became of codes nobody is told.
    let told = ana.wait_for_deliveries("handed_over", 4).await;
    assert_eq!(told.iter().filter(|delivery| delivery.channel == "sms").count(), 1);
    let sent: Vec<String> = world
        .outcomes()
        .await
        .into_iter()
        .filter_map(|outcome| match outcome {
            Outcome::DeliveryHandedOver(sent) if sent.channel == "sms" => Some(sent.carrier_id),
            _ => None,
        })
        .collect();
    assert_eq!(sent, [&texts[0]["sid"], &texts[1]["sid"]].map(|sid| sid.as_str().unwrap().to_owned()));
    until("the carrier said that both arrived", async || {
        (world.count("delivery.confirmed.v1").await == 2).then_some(())
    })
    .await;
    assert_eq!(world.texts_to(PHONE).await.len(), 2, "each once");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_a_number_without_a_fresh_second_factor_and_the_words_of_now() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    let message = |consent: &str| pb::AddTextNumberRequest {
        request_id: Uuid::now_v7().to_string(),
        number: PHONE.into(),
        consent: consent.into(),
        language: "en".into(),
    };
    let mut texting = ana.texting.clone();
    let stale = texting.add_text_number(with_token(message("texts-2026-11"), &ana.token)).await.unwrap_err();
    assert_eq!((stale.code(), reason(&stale).as_str()), (Code::PermissionDenied, "STEP_UP_REQUIRED"));
    let fresh = world.bench.step_up_token(ana.account);
    let outdated = texting.add_text_number(with_token(message("texts-2019"), &fresh)).await.unwrap_err();
    assert_eq!(outdated.code(), Code::InvalidArgument);
    for number in ["900-555-0123", "876-555-0123", "+44 20 7946 0018", "12"] {
        let refused = world.asks(&ana, number).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{number}");
    }
    assert_eq!(world.count("texting.number_given.v1").await, 0);
    assert!(world.texts_to(PHONE).await.is_empty());
    assert_eq!(reason(&world.confirms(&ana, "123456").await.unwrap_err()), "NO_NUMBER_GIVEN");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_few_and_a_request_repeated_sends_none() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    let ben = world.person(server.channel(), "ben@example.test", "en");
    let id = Uuid::now_v7();
    let until_us = world.asks_as(&ana, id, PHONE).await.unwrap();
    assert_eq!(world.asks_as(&ana, id, PHONE).await.unwrap(), until_us);
    world.wait_for_texts(PHONE, 1).await;
    for person in [&ana, &ben] {
        let refused = world.asks(person, PHONE).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "TOO_MANY_CODES"));
    }
    for sent in 1..=4 {
        world.wait_for_texts(PHONE, sent).await;
        // Who takes it away meanwhile has the next one no sooner, and none more.
        world.removes(&ana).await;
        assert_eq!(reason(&world.asks(&ana, PHONE).await.unwrap_err()), "TOO_MANY_CODES");
        world.bench.advance(61);
        until("the next code", async || world.asks(&ana, PHONE).await.ok()).await;
    }
    world.bench.advance(61);
    // Whoever asks for it: it is the same phone that rings.
    for person in [&ana, &ben] {
        let refused = world.asks(person, PHONE).await.unwrap_err();
        assert_eq!(reason(&refused), "TOO_MANY_CODES");
    }
    assert_eq!(world.wait_for_texts(PHONE, 5).await.len(), 5);
    let last = code_in(&world.texts_to(PHONE).await[4]);
    for _ in 0..5 {
        let wrong = if last == "000000" { "000001" } else { "000000" };
        assert_eq!(reason(&world.confirms(&ana, wrong).await.unwrap_err()), "CODE_WRONG");
    }
    assert_eq!(reason(&world.confirms(&ana, &last).await.unwrap_err()), "TOO_MANY_TRIES");
    assert_eq!(world.texting(&ana).await.state, "off");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_the_number_away_is_sent_no_more_texts_and_mail_goes_on() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    world.has_texts(&ana, PHONE).await;
    world.removes(&ana).await;
    world.wait_for_mail(&ana, "Texts to a phone have ended").await;
    assert_eq!(world.texting(&ana).await.state, "off");
    world.removes(&ana).await;
    assert_eq!(world.ends().await, ["owner"], "once");
    world.accepted_case(&ana).await;
    world.wait_for_mail(&ana, "You have a new notice").await;
    assert_eq!((world.texts_to(PHONE).await.len(), world.text_rows(&ana).await), (1, 1), "the code alone");

    // A number whose code was not given yet is taken away with it.
    world.bench.advance(61);
    until("another code", async || world.asks(&ana, PHONE).await.ok()).await;
    let texts = world.wait_for_texts(PHONE, 2).await;
    world.removes(&ana).await;
    let refused = world.confirms(&ana, &code_in(&texts[1])).await.unwrap_err();
    assert_eq!(reason(&refused), "NO_NUMBER_GIVEN");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_is_asked_for_again_says_nothing_of_a_number_given_later() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    let (id, another) = (Uuid::now_v7(), "+12125550124");
    world.has_texts(&ana, PHONE).await;
    world.removes_as(&ana, id).await;
    world.bench.advance(61);
    world.has_texts(&ana, another).await;
    world.removes_as(&ana, id).await;
    assert_eq!((world.texting(&ana).await.state.as_str(), world.ends().await.len()), ("on", 1));
    world.accepted_case(&ana).await;
    world.wait_for_texts(another, 2).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_at_night_is_sent_in_the_morning() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    world.has_texts(&ana, PHONE).await;
    world.is_in(ana.account, world.zone_where_it_is(23));
    world.accepted_case(&ana).await;
    world.wait_for_mail(&ana, "You have a new notice").await;
    world.wait_for_held(&ana, 1).await;
    assert_eq!(world.texts_to(PHONE).await.len(), 1);
    ana.wait_for_deliveries("queued", 1).await;
    // What a replica from before there were texts would take, and mail.
    let queued = "SELECT count(*) FROM delivery WHERE state = 'queued' AND channel = 'sms'";
    assert_eq!(sqlx::query_scalar::<_, i64>(queued).fetch_one(&world.own.pool).await.unwrap(), 0);
    world.bench.advance(9 * 3_600);
    assert_eq!(world.wait_for_texts(PHONE, 2).await.len(), 2);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_case_five_texts_go_in_a_day_and_what_was_read_meanwhile_is_not_sent_later() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    world.has_texts(&ana, PHONE).await;
    let case = world.accepted_case(&ana).await;
    for _ in 0..6 {
        world.happens(case, events::biometrics_scheduled()).await;
    }
    world.wait_for_texts(PHONE, 6).await;
    world.wait_for_held(&ana, 2).await;
    // Another case has its own five.
    world.accepted_case(&ana).await;
    world.wait_for_texts(PHONE, 7).await;

    let held = until("the seventh is settled, and two are held", async || {
        let held: Vec<Uuid> = sqlx::query_scalar(
            "SELECT notice_id FROM delivery WHERE account_id = $1 AND state = 'to_text' ORDER BY delivery_id",
        )
        .bind(ana.account)
        .fetch_all(&world.own.pool)
        .await
        .unwrap();
        (held.len() == 2).then_some(held)
    })
    .await;
    ana.download(&format!("notices/{}", held[0])).await.unwrap();
    world.bench.advance(21 * 3_600);
    world.wait_for_texts(PHONE, 8).await;
    until("nothing more is queued", async || {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM delivery WHERE state = 'to_text'")
            .fetch_one(&world.own.pool)
            .await
            .unwrap();
        (left == 0).then_some(())
    })
    .await;
    assert_eq!(world.texts_to(PHONE).await.len(), 8);
    let unsent = world.outcomes().await.into_iter().filter_map(|outcome| match outcome {
        Outcome::DeliveryFailed(failed) => Some((failed.channel, failed.reason)),
        _ => None,
    });
    assert_eq!(unsent.collect::<Vec<_>>(), [("sms".to_owned(), "opened".to_owned())]);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_whose_answer_was_lost_is_asked_for_and_not_sent_again() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    let phone = "+12125550198";
    assert_eq!(phone.len(), PHONE.len());
    world.asks(&ana, phone).await.unwrap();
    let texts = world.wait_for_texts(phone, 1).await;
    world.confirms(&ana, &code_in(&texts[0])).await.unwrap();
    world.accepted_case(&ana).await;
    world.wait_for_texts(phone, 2).await;
    world.bench.advance(61);
    until("both are settled", async || {
        let sent = world.outcomes().await.into_iter().filter_map(|outcome| match outcome {
            Outcome::DeliveryHandedOver(sent) if sent.channel == "sms" => Some(sent.carrier_id),
            _ => None,
        });
        (sent.count() == 2).then_some(())
    })
    .await;
    assert_eq!(world.texts_to(phone).await.len(), 2);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_carrier_is_away_texts_wait_and_then_go_once() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    world.has_texts(&ana, PHONE).await;
    let party = async |mode: &str| {
        let url = format!("http://{}/sandbox/parties/sms", world.sandbox.ports.http);
        let body = serde_json::json!({ "mode": mode });
        assert!(reqwest::Client::new().put(url).json(&body).send().await.unwrap().status().is_success());
    };
    party("error").await;
    world.accepted_case(&ana).await;
    world.wait_for_mail(&ana, "You have a new notice").await;
    until("a try in vain", async || {
        let tries: Option<i32> =
            sqlx::query_scalar("SELECT max(attempts) FROM delivery WHERE state = 'to_text'")
                .fetch_one(&world.own.pool)
                .await
                .unwrap();
        tries.filter(|tries| *tries == 1)
    })
    .await;
    party("works").await;
    world.bench.advance(61);
    assert_eq!(world.wait_for_texts(PHONE, 2).await.len(), 2);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_ends_texts_at_once_and_another_one_begins_them_again() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    world.has_texts(&ana, PHONE).await;
    let case = world.accepted_case(&ana).await;
    world.wait_for_texts(PHONE, 2).await;

    world.answers(PHONE, "Thank you, when is my interview?").await;
    world.answers(PHONE, " stop. ").await;
    let texts = world.wait_for_texts(PHONE, 3).await;
    assert!(texts[2]["body"].as_str().unwrap().contains("no more texts"), "{texts:?}");
    world.wait_for_mail(&ana, "Texts to a phone have ended").await;
    let stopped = world.texting(&ana).await;
    assert_eq!((stopped.state.as_str(), stopped.number.as_str()), ("stopped", PHONE));
    world.happens(case, events::biometrics_scheduled()).await;
    until("the second notice is told by mail", async || {
        let mails = world.mails(&ana.email).await;
        let told = mails.iter().filter(|mail| mail["subject"] == "You have a new notice").count();
        (told == 2).then_some(())
    })
    .await;
    assert_eq!(world.texts_to(PHONE).await.len(), 3, "one confirmation and nothing else");

    world.answers(PHONE, "HELP").await;
    world.wait_for_texts(PHONE, 4).await;
    world.answers(PHONE, "start").await;
    let texts = world.wait_for_texts(PHONE, 5).await;
    assert!(texts[4]["body"].as_str().unwrap().contains("you get texts again"), "{texts:?}");
    assert_eq!(world.texting(&ana).await.state, "on");
    world.happens(case, events::biometrics_scheduled()).await;
    world.wait_for_texts(PHONE, 6).await;
    assert_eq!((world.ends().await, world.count("texting.resumed.v1").await), (vec!["reply".to_owned()], 1));

    // What was heard is not heard again by whoever starts anew.
    server.stop().await.unwrap();
    let server = world.serve().await;
    let ana = world.stranger(server.channel(), ana.account, &ana.email);
    world.answers(PHONE, "ayuda").await;
    world.wait_for_texts(PHONE, 7).await;
    assert_eq!((world.texting(&ana).await.state.as_str(), world.ends().await.len()), ("on", 1));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_answered_within_minutes_and_by_what_is_so_or_not_at_all() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    world.has_texts(&ana, PHONE).await;
    world.answers(PHONE, "STOP").await;
    world.wait_for_texts(PHONE, 2).await;
    let account = ana.account.to_string();
    let known = world.directory.0.lock().unwrap().remove(&account).unwrap();
    let is = async |state: &str| {
        until(state, async || (world.texting(&ana).await.state == state).then_some(())).await;
    };
    world.answers(PHONE, "START").await;
    is("on").await;
    world.answers(PHONE, "STOP").await;
    is("stopped").await;
    // Both wait while identity is away; by now texts have ended again.
    world.wait_for_held(&ana, 2).await;
    world.directory.set(&account, known.clone());
    let due = "UPDATE delivery SET next_at_us = 0 WHERE state = 'to_text'";
    sqlx::query(due).execute(&world.own.pool).await.unwrap();
    let over = async |count: i64| {
        until(&format!("{count} answers are over"), async || {
            let over = "SELECT count(*) FROM delivery WHERE state = 'failed' AND reason = 'over'";
            let over: i64 = sqlx::query_scalar(over).fetch_one(&world.own.pool).await.unwrap();
            (over == count).then_some(())
        })
        .await;
    };
    over(1).await;
    let texts = world.wait_for_texts(PHONE, 3).await;
    assert!(texts[2]["body"].as_str().unwrap().contains("no more texts"), "{texts:?}");

    // And who asks who we are is not told so by night, long after.
    world.directory.0.lock().unwrap().remove(&account);
    world.answers(PHONE, "HELP").await;
    world.wait_for_held(&ana, 1).await;
    world.directory.set(&account, known);
    world.bench.advance(301);
    over(2).await;
    assert_eq!(world.texts_to(PHONE).await.len(), 3);
    server.stop().await.unwrap();
}

/// Whoever asks for a code to somebody else's phone does not learn that they want none.
#[tokio::test(flavor = "multi_thread")]
async fn a_phone_to_which_only_a_code_went_gets_no_other_until_it_wants_texts_again() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let ben = world.person(server.channel(), "ben@example.test", "en");
    world.asks(&ana, PHONE).await.unwrap();
    let texts = world.wait_for_texts(PHONE, 1).await;
    world.answers(PHONE, "STOP").await;
    world.wait_for_refused(1).await;
    let refused = world.confirms(&ana, &code_in(&texts[0])).await.unwrap_err();
    assert_eq!(reason(&refused), "CODE_WRONG");
    world.bench.advance(61);
    let until_us = until("an answer as ever", async || world.asks(&ben, PHONE).await.ok()).await;
    let waiting = world.texting(&ben).await;
    assert_eq!((waiting.new_number.as_str(), waiting.new_number_until_us), (PHONE, until_us));
    assert_eq!((world.text_rows(&ben).await, ana.deliveries().await.len()), (0, 0));

    world.answers(PHONE, "START").await;
    world.wait_for_refused(0).await;
    world.bench.advance(61);
    until("another code", async || world.asks(&ben, PHONE).await.ok()).await;
    let texts = world.wait_for_texts(PHONE, 2).await;
    assert_eq!(texts.len(), 2, "none in between");
    world.confirms(&ben, &code_in(&texts[1])).await.unwrap();
    assert_eq!(world.texting(&ben).await.state, "on");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_cannot_be_done_keeps_only_those_of_its_own_number_waiting() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    let ben = world.person(server.channel(), "ben@example.test", "en");
    let bens = "+12125550124";
    world.has_texts(&ana, PHONE).await;
    world.has_texts(&ben, bens).await;
    let run =
        async |sql: String| sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&world.own.pool).await.unwrap();
    run(format!(
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'spoiled'; END $$;
         CREATE TRIGGER spoil BEFORE UPDATE ON text_line FOR EACH ROW
         WHEN (OLD.account_id = '{}' AND NEW.state = 'stopped') EXECUTE FUNCTION spoil()",
        ben.account
    ))
    .await;
    for (number, body) in [(bens, "STOP"), (bens, "START"), (PHONE, "STOP")] {
        world.answers(number, body).await;
    }
    until("what came after it is done", async || {
        (world.texting(&ana).await.state == "stopped").then_some(())
    })
    .await;
    assert_eq!((world.texting(&ben).await.state.as_str(), world.ends().await.len()), ("on", 1));
    run("DROP TRIGGER spoil ON text_line".to_owned()).await;
    // In their order: what was said last holds.
    until("all are done", async || (world.count("texting.resumed.v1").await == 1).then_some(())).await;
    assert_eq!((world.texting(&ben).await.state.as_str(), world.ends().await.len()), ("on", 2));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_a_family_shares_is_quiet_for_all_of_them() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    let ben = world.person(server.channel(), "ben@example.test", "es");
    world.asks(&ben, PHONE).await.unwrap();
    let texts = world.wait_for_texts(PHONE, 1).await;
    assert!(texts[0]["body"].as_str().unwrap().contains("su clave"), "{texts:?}");
    world.confirms(&ben, &code_in(&texts[0])).await.unwrap();
    world.bench.advance(61);
    until("a code for the other one", async || world.asks(&ana, PHONE).await.ok()).await;
    let texts = world.wait_for_texts(PHONE, 2).await;
    world.confirms(&ana, &code_in(&texts[1])).await.unwrap();
    world.answers(PHONE, "ALTO").await;
    for person in [&ana, &ben] {
        until("texts are stopped", async || (world.texting(person).await.state == "stopped").then_some(()))
            .await;
    }
    world.wait_for_texts(PHONE, 3).await;
    assert_eq!(world.ends().await, ["reply", "reply"]);
    assert_eq!(world.text_rows(&ana).await + world.text_rows(&ben).await, 3, "two codes and one answer");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn three_texts_that_do_not_arrive_end_them_and_the_mail_says_so() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    let phone = "+12125550197";
    world.has_texts(&ana, phone).await;
    let case = world.accepted_case(&ana).await;
    for expected in 2..=4 {
        world.wait_for_texts(phone, expected).await;
        if expected < 4 {
            world.happens(case, events::biometrics_scheduled()).await;
        }
    }
    world.bench.advance(6);
    world.wait_for_mail(&ana, "Texts to your phone do not arrive").await;
    assert_eq!(
        (world.texting(&ana).await.state.as_str(), world.ends().await),
        ("unreachable", vec!["unreachable".to_owned()])
    );
    world.happens(case, events::biometrics_scheduled()).await;
    until("the fourth notice is told by mail", async || {
        let mails = world.mails(&ana.email).await;
        (mails.iter().filter(|mail| mail["subject"] == "You have a new notice").count() == 4).then_some(())
    })
    .await;
    assert_eq!(world.texts_to(phone).await.len(), 4);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_the_carrier_knows_to_want_none_is_sent_none() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    world.asks(&ana, "+12125550195").await.unwrap();
    until("the carrier refused", async || {
        let outcomes = world.outcomes().await;
        outcomes
            .iter()
            .any(|outcome| matches!(outcome, Outcome::DeliveryFailed(it) if it.reason == "stopped"))
            .then_some(())
    })
    .await;
    assert_eq!(world.texting(&ana).await.state, "off");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_whose_case_is_protected_is_sent_or_offered_texts() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    world.has_texts(&ana, PHONE).await;
    let case = Uuid::now_v7();
    world.happens(case, events::opened_as_protected(ana.account)).await;
    world.happens(case, events::accepted()).await;
    world.wait_for_mail(&ana, "You have a new notice").await;
    // Neither about that case nor about another one.
    world.accepted_case(&ana).await;
    until("both notices are told by mail", async || {
        let mails = world.mails(&ana.email).await;
        (mails.iter().filter(|mail| mail["subject"] == "You have a new notice").count() == 2).then_some(())
    })
    .await;
    assert_eq!((world.texts_to(PHONE).await.len(), world.text_rows(&ana).await), (1, 1), "the code alone");
    world.bench.advance(61);
    let refused = world.asks(&ana, PHONE).await.unwrap_err();
    assert_eq!(reason(&refused), "TEXTS_NOT_OFFERED");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_case_from_before_it_is_read_whether_it_is_protected_and_no_text_is_sent_until_then() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    let ben = world.person(server.channel(), "ben@example.test", "en");
    let eve = world.person(server.channel(), "eve@example.test", "en");
    let bens = "+12125550124";
    world.has_texts(&ana, PHONE).await;
    world.has_texts(&ben, bens).await;
    let open = world.accepted_case(&ana).await;
    world.wait_for_texts(PHONE, 2).await;
    let protected = Uuid::now_v7();
    world.happens(protected, events::opened_as_protected(ben.account)).await;
    world.happens(protected, events::accepted()).await;
    world.wait_for_mail(&ben, "You have a new notice").await;
    server.stop().await.unwrap();

    // As a release left them that kept nothing of it; the opening of eve's is not in the log.
    sqlx::query("UPDATE matter SET protected = NULL").execute(&world.own.pool).await.unwrap();
    let sql = "INSERT INTO matter (case_id, account_id, form, receipt_date, zone)
               VALUES ($1, $2, 'N-400', '2026-03-02', 'America/Chicago')";
    sqlx::query(sql).bind(Uuid::now_v7()).bind(eve.account).execute(&world.own.pool).await.unwrap();
    let server = world.serve().await;
    let [ben, eve] = [ben, eve].map(|person| world.stranger(server.channel(), person.account, &person.email));
    until("those in the log are known", async || {
        let known: Vec<Option<bool>> = sqlx::query_scalar("SELECT protected FROM matter ORDER BY protected")
            .fetch_all(&world.own.pool)
            .await
            .unwrap();
        (known == [Some(false), Some(true), None]).then_some(())
    })
    .await;
    assert_eq!(reason(&world.asks(&eve, "+12125550125").await.unwrap_err()), "TEXTS_NOT_OFFERED");
    for case in [protected, open] {
        world.happens(case, events::biometrics_scheduled()).await;
    }
    world.wait_for_texts(PHONE, 3).await;
    until("the other one is told by mail", async || {
        let mails = world.mails(&ben.email).await;
        (mails.iter().filter(|mail| mail["subject"] == "You have a new notice").count() == 2).then_some(())
    })
    .await;
    assert_eq!(world.text_rows(&ben).await, 1, "the code alone");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_carrier_nobody_is_offered_texts() {
    let world = World::new().await;
    let server = world.serve_with(None).await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    assert_eq!(world.texting(&ana).await.state, "not_offered");
    assert_eq!(reason(&world.asks(&ana, PHONE).await.unwrap_err()), "TEXTS_NOT_OFFERED");
    world.accepted_case(&ana).await;
    world.wait_for_mails(&ana.email, 1).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_and_no_event_holds_a_number_in_the_clear_and_an_erasure_leaves_no_way_to_it() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    world.has_texts(&ana, PHONE).await;
    let payloads: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT payload FROM log.event").fetch_all(&world.own.pool).await.unwrap();
    assert!(!payloads.is_empty());
    for payload in payloads {
        assert!(!payload.windows(10).any(|window| window == b"2125550123"));
    }
    let lines = async || {
        let count: i64 =
            sqlx::query_scalar("SELECT (SELECT count(*) FROM text_line) + (SELECT count(*) FROM text_code)")
                .fetch_one(&world.own.pool)
                .await
                .unwrap();
        count
    };
    assert_eq!(lines().await, 2);
    let erased = SubjectErased { subject: format!("account:{}", ana.account), ..Default::default() };
    append(world.accounts(), Uuid::now_v7(), subject::Event::from(erased)).await;
    until("nothing leads to the number", async || (lines().await == 0).then_some(())).await;
    world.accepted_case(&ana).await;
    world.wait_for_mail(&ana, "You have a new notice").await;
    assert_eq!(world.texts_to(PHONE).await.len(), 1);
    server.stop().await.unwrap();
}
