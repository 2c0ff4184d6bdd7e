//! A crash between printing and issuing: the real program, killed, gives one notice and one mail all the same.

use std::process::{Child, Command, Stdio};

use docket_service::Listening;
use docket_service::testing::service_toml;

use crate::events;
use crate::world::{World, catalogue, until};

/// The real program, as an operator starts it.
struct Program(Child);

impl Program {
    fn start(world: &World) -> Self {
        let (service, mail, texts) = (&world.config, world.mail(), world.texts());
        let own = format!(
            "[mail]\nsmtp_url = {:?}\nfrom = {:?}\n[catalogue]\ndir = \"{}\"\n\
             [texts]\nurl = {:?}\naccount_sid = {:?}\nauth_token_file = \"{}\"\nfrom = {:?}\nreplies_every_s = 1\n",
            mail.smtp_url,
            mail.from,
            catalogue().dir.display(),
            texts.url,
            texts.account_sid,
            texts.auth_token_file.display(),
            texts.from,
        );
        let toml = service_toml(service) + &own;
        std::fs::create_dir_all(&service.data_dir).unwrap();
        let file = service.data_dir.join("notifications.toml");
        std::fs::write(&file, toml).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_docket-notifications"))
            .arg("serve")
            .env("DOCKET_CONFIG", file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// As `kill -9` does it.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_printing_and_issuing_gives_one_notice_and_one_mail() {
    let world = World::new().await;
    let mut program = Program::start(&world);
    until("the program listens", async || Listening::read(&world.config.data_dir)).await;

    // Whoever holds the head of the log keeps every append waiting: the page is printed, the notice not issued.
    let mut holding = docket_database::begin(&world.own.pool).await.unwrap();
    sqlx::query("SELECT position FROM log.head WHERE log = 'notifications' FOR UPDATE")
        .execute(&mut *holding)
        .await
        .unwrap();
    let account = uuid::Uuid::now_v7();
    let contact = docket_proto::identity::v1::GetContactResponse {
        email: "ana@example.test".into(),
        language: "en".into(),
        given_name: "Ana".into(),
        family_name: "Verdemar".into(),
        ..Default::default()
    };
    world.directory.set(&account.to_string(), contact);
    let case = uuid::Uuid::now_v7();
    world.happens(case, events::opened(account)).await;
    world.happens(case, events::accepted()).await;
    until("the sealed page", async || (!world.objects().is_empty()).then_some(())).await;
    program.kill();
    std::fs::remove_file(world.config.data_dir.join("listening.json")).unwrap();
    assert_eq!(world.count("notice.issued.v1").await, 0);
    holding.rollback().await.unwrap();

    let server = world.serve().await;
    let mut ana = world.stranger(server.channel(), account, "ana@example.test");
    let notice = ana.wait_for_notice(case, "receipt").await;
    let (_, pdf) = ana.download(&notice.name).await.unwrap();
    assert!(pdf.starts_with(b"%PDF-"));
    ana.wait_for_deliveries("handed_over", 1).await;
    // What the first program left is a sealed file that nothing names.
    assert_eq!(world.objects().len(), 2);

    // A third start finds nothing more to do.
    server.stop().await.unwrap();
    let server = world.serve().await;
    let mut ana = world.stranger(server.channel(), account, "ana@example.test");
    world.happens(case, events::biometrics_scheduled()).await;
    ana.wait_for_deliveries("handed_over", 2).await;
    assert_eq!(world.count("notice.issued.v1").await, 2);
    assert_eq!(world.mails("ana@example.test").await.len(), 2);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_waits_for_the_migrations_of_its_release() {
    let world = World::new().await;
    let applied = |done: bool| {
        let statement = "UPDATE _sqlx_migrations SET success = $1
                         WHERE version = (SELECT max(version) FROM _sqlx_migrations)";
        sqlx::query(statement).bind(done).execute(&world.own.pool)
    };
    applied(false).await.unwrap();
    let _program = Program::start(&world);
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(Listening::read(&world.config.data_dir), None, "it serves on an older schema");
    applied(true).await.unwrap();
    until("the program listens", async || Listening::read(&world.config.data_dir)).await;
}

/// The carrier takes no id of ours, so that a text has been sent is known by asking it for the text.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_the_carriers_taking_and_our_settling_sends_no_second_text() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    world.has_texts(&ana, "+12125550123").await;
    server.stop().await.unwrap();
    let _ = std::fs::remove_file(world.config.data_dir.join("listening.json"));
    let mut program = Program::start(&world);
    until("the program listens", async || Listening::read(&world.config.data_dir)).await;

    // Somebody holds the rows of texts that were sent: the carrier has the text, and we cannot say so.
    let mut holding = docket_database::begin(&world.own.pool).await.unwrap();
    sqlx::query("LOCK TABLE text_sent IN EXCLUSIVE MODE").execute(&mut *holding).await.unwrap();
    world.accepted_case(&ana).await;
    world.wait_for_texts("+12125550123", 2).await;
    program.kill();
    std::fs::remove_file(world.config.data_dir.join("listening.json")).unwrap();
    holding.rollback().await.unwrap();

    let server = world.serve().await;
    world.bench.advance(61);
    let ana = world.stranger(server.channel(), ana.account, &ana.email);
    until("the text is settled", async || {
        let told = ana.clone().deliveries().await;
        let sent = |delivery: &&docket_proto::notifications::v1::Delivery| {
            delivery.channel == "sms" && delivery.state == "handed_over"
        };
        // That of the notice: codes are not listed.
        (told.iter().filter(sent).count() == 1).then_some(())
    })
    .await;
    assert_eq!(world.texts_to("+12125550123").await.len(), 2);
    server.stop().await.unwrap();
}
