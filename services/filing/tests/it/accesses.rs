//! Who opened a file is written down before it goes out, and the party sees it.

use docket_proto::filing::v1 as pb;
use docket_service::testing::with_token;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::client::Client;
use crate::papers;
use crate::unscanned::until_known;
use crate::world::{
    World, case_accepted, case_assigned, case_opened, examination_continued, fee_settled, request_served,
};

impl Client {
    /// Who opened the files of a filing.
    pub(crate) async fn accesses(&self, filing: &str) -> Result<Vec<pb::Access>, Status> {
        Ok(self.accesses_after(filing, 0, "").await?.accesses)
    }

    async fn accesses_after(
        &self,
        filing: &str,
        page_size: u32,
        page_token: &str,
    ) -> Result<pb::ListAccessesResponse, Status> {
        let page_token = page_token.to_owned();
        let request = pb::ListAccessesRequest { filing: filing.into(), page_size, page_token };
        Ok(self.evidence.clone().list_accesses(with_token(request, &self.token)).await?.into_inner())
    }
}

/// A minute into the next hour: what follows is within one.
async fn into_the_next_hour(world: &World, person: &mut Client) {
    world.advance(3_660 - world.now_us() / 1_000_000 % 3_600);
    person.token = world.token(person.account);
    until_known(person).await;
}

/// What of each access is told in a line: in which relation, what, and whether by whom.
fn lines(accesses: &[pb::Access]) -> Vec<(&str, &str, &str)> {
    accesses.iter().map(|one| (&*one.stands_as, &*one.opened, &*one.account)).collect()
}

/// A case with its officer, and a file in it.
async fn case_of(world: &World, ana: &Client) -> (String, String, Client) {
    let (filing, payment) = ana.sent().await;
    let file = ana.get(&filing).await.unwrap().evidence.remove(0).name;
    let ada = world.officer("adjudicator", "NBC").await;
    world.payment(&payment, fee_settled(&payment, &filing, world.now_us())).await;
    ana.until(&filing, "submitted").await;
    world.case(&filing, case_opened()).await;
    world.case(&filing, case_accepted("DKT1234567897")).await;
    world.case(&filing, case_assigned(ada.account)).await;
    ada.until(&filing, "accepted").await;
    (filing, file, ada)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_party_sees_who_opened_a_file_once_an_hour_and_of_the_office_in_which_role() {
    let world = World::start().await;
    let mut ana = world.person("Ana Lúcia", "Lima");
    into_the_next_hour(&world, &mut ana).await;
    let (filing, file, mut ada) = case_of(&world, &ana).await;
    assert_eq!(ana.accesses(&filing).await.unwrap(), [], "nobody has opened it");
    let begun = world.now_us();
    for _ in 0..3 {
        ada.looks("", &file).await.unwrap();
        ada.download(&file).await.unwrap();
    }
    let sam = world.officer("supervisor", "NBC").await;
    sam.download(&file).await.unwrap();
    ana.download(&file).await.unwrap();

    let seen = ana.accesses(&filing).await.unwrap();
    let own = format!("accounts/{}", ana.account);
    assert_eq!(
        lines(&seen),
        [
            ("applicant", "original", own.as_str()),
            ("supervisor", "original", ""),
            ("assigned_officer", "original", ""),
            ("assigned_officer", "view", ""),
        ]
    );
    let case = filing.replace("filings/", "cases/");
    assert!(seen.iter().all(|one| one.evidence == file && one.case == case && one.opened_at_us >= begun));
    let first = ana.accesses_after(&filing, 3, "").await.unwrap();
    let last = ana.accesses_after(&filing, 3, &first.next_page_token).await.unwrap();
    assert_eq!([first.accesses, last.accesses].concat(), seen, "page by page");
    assert!(!first.next_page_token.is_empty() && last.next_page_token.is_empty());

    into_the_next_hour(&world, &mut ada).await;
    ada.download(&file).await.unwrap();
    ana.token = world.token(ana.account);
    assert_eq!(ana.accesses(&filing).await.unwrap().len(), 5, "another hour");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_records_officer_sees_who_it_was_and_nobody_else_of_the_office_sees_the_list() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (filing, file, ada) = case_of(&world, &ana).await;
    ada.download(&file).await.unwrap();
    let ria = world.officer("records_officer", "NBC").await;
    let by_ada = format!("accounts/{}", ada.account);
    let seen = ria.accesses(&filing).await.unwrap();
    assert_eq!(lines(&seen), [("assigned_officer", "original", by_ada.as_str())]);
    for closed in
        [ria.download(&file).await.err(), ria.looks("", &file).await.err(), ria.get(&filing).await.err()]
    {
        assert_eq!(closed.unwrap().code(), Code::PermissionDenied, "who keeps the records opens none");
    }
    assert_eq!(ada.accesses(&filing).await.unwrap_err().code(), Code::PermissionDenied);
    let elsewhere = world.officer("records_officer", "FO-NYC").await;
    for stranger in [&elsewhere, &world.person("Eve", "Stone")] {
        assert_eq!(stranger.accesses(&filing).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(stranger.download(&file).await.unwrap_err().code(), Code::NotFound);
    }
    assert_eq!(ria.accesses(&filing).await.unwrap(), seen, "who was refused opened nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_an_answer_stands_with_the_case_it_was_given_in() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (filing, _, ada) = case_of(&world, &ana).await;
    let request = Uuid::now_v7();
    world.case(&filing, examination_continued(request, &["tax_transcripts"])).await;
    world.case(&filing, request_served(request, world.now_us() + 1_000_000_000)).await;
    let response = ana.until_response(request).await.name;
    let file =
        ana.upload(&response, "tax_transcripts", "taxes.pdf", &papers::two_pages()).await.unwrap().name;
    ana.respond(&response, false).await.unwrap();
    ada.looks("", &file).await.unwrap();
    let seen = ana.accesses(&filing).await.unwrap();
    assert_eq!(lines(&seen), [("assigned_officer", "view", "")]);
    assert_eq!((&seen[0].evidence, &seen[0].case), (&file, &filing.replace("filings/", "cases/")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_down_is_not_shown() {
    let world = World::start().await;
    let mut ana = world.person("Ana Lúcia", "Lima");
    into_the_next_hour(&world, &mut ana).await;
    let draft = ana.start("N-400").await.unwrap().name;
    let file = ana.upload(&draft, "green_card", "two.pdf", &papers::two_pages()).await.unwrap().name;
    ana.looks("", &file).await.unwrap();
    // From here on the log takes no access.
    let closed = "ALTER TABLE log.event ADD CONSTRAINT closed CHECK (stream NOT LIKE 'access-%') NOT VALID";
    sqlx::query(closed).execute(world.pool()).await.unwrap();
    ana.download(&file).await.unwrap_err();
    let other = ana.upload(&draft, "green_card", "card.png", &crate::files::picture(6)).await.unwrap().name;
    ana.looks("", &other).await.unwrap_err();
    assert_eq!(ana.looks("", &file).await.unwrap(), 1, "that was written down within the hour");
    sqlx::query("ALTER TABLE log.event DROP CONSTRAINT closed").execute(world.pool()).await.unwrap();
    ana.download(&file).await.unwrap();
    assert_eq!(ana.accesses(&draft).await.unwrap().len(), 2);
}
