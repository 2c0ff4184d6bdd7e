//! A person who is linked elsewhere: released by two records officers, for the account that was refused.

use docket_proto::identity::v1 as pb;
use docket_proto::identity::v1::person_service_client::PersonServiceClient;
use docket_service::testing::with_token;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::proofing::prove;
use crate::roles::{invite, redeem};
use crate::world::{Member, World, eventually, id, reason, refused};

const NUMBER: &str = "A012345678";

fn persons(world: &World) -> PersonServiceClient<Channel> {
    PersonServiceClient::new(world.running.channel())
}

/// A records officer's token with a fresh second factor.
async fn records_officer(world: &World, member: &Member) -> String {
    let token = world.sign_in(member).await.access_token;
    redeem(world, &token, &invite(world, "records_officer", "NBC").await, &id()).await.unwrap();
    eventually("the role in the projection", async || {
        persons(world).list_releases(with_token(pb::ListReleasesRequest {}, &token)).await.ok()
    })
    .await;
    world.stepped_up(member, &token).await
}

async fn ask(
    world: &World,
    token: &str,
    account: &str,
    reason: &str,
    request_id: &str,
) -> Result<pb::Release, Status> {
    let (request_id, account, reason) = (request_id.to_owned(), account.to_owned(), reason.to_owned());
    let message = pb::AskReleaseRequest { request_id, account, reason };
    Ok(persons(world).ask_release(with_token(message, token)).await?.into_inner().release.unwrap())
}

async fn approve(world: &World, token: &str, name: &str, request_id: &str) -> Result<(), Status> {
    let message = pb::ApproveReleaseRequest { request_id: request_id.to_owned(), name: name.to_owned() };
    persons(world).approve_release(with_token(message, token)).await.map(drop)
}

/// One account that the person is linked to, and one that was refused for it.
async fn linked_elsewhere(world: &World) -> [Member; 2] {
    world.person("Díaz", NUMBER).await;
    let (first, second) = (world.join("ana@example.com").await, world.join("bea@example.com").await);
    let token = world.sign_in(&first).await.access_token;
    prove(world, &token, "Díaz", NUMBER, &id()).await.unwrap();
    let token = world.sign_in(&second).await.access_token;
    // All the tries that there are.
    for _ in 0..3 {
        let status = prove(world, &token, "Díaz", NUMBER, &id()).await.unwrap_err();
        assert_eq!(reason(&status), "PERSON_LINKED_ELSEWHERE");
        let told = format!("{status:?}");
        assert!(told.contains("recovery code") && told.contains("records office"), "{told}");
    }
    [first, second]
}

#[tokio::test]
async fn a_person_is_released_by_two_officers_for_the_account_that_was_refused_and_no_other() {
    let world = World::new().await;
    let [first, second] = linked_elsewhere(&world).await;
    let (ida, joy) = (world.join("ida@example.com").await, world.join("joy@example.com").await);
    let (ida, joy) = (records_officer(&world, &ida).await, records_officer(&world, &joy).await);
    assert_eq!(
        refused(ask(&world, &ida, &first.account, "account_lost", &id()).await),
        "NOT_LINKED_ELSEWHERE"
    );
    assert_eq!(refused(ask(&world, &ida, &second.account, "tired", &id()).await), "RELEASE_REASON_UNKNOWN");
    let request = id();
    let asked = ask(&world, &ida, &second.account, "made_by_another", &request).await.unwrap();
    assert_eq!((&asked.account, &asked.linked_to), (&second.account, &first.account));
    assert_eq!(ask(&world, &ida, &second.account, "made_by_another", &request).await.unwrap(), asked);
    let other = ask(&world, &ida, &second.account, "account_lost", &request).await;
    assert_eq!(refused(other), "REQUEST_ID_REUSED");
    assert_eq!(refused(ask(&world, &joy, &second.account, "account_lost", &id()).await), "RELEASE_OPEN");
    let open = persons(&world).list_releases(with_token(pb::ListReleasesRequest {}, &joy)).await.unwrap();
    assert_eq!(open.into_inner().releases, std::slice::from_ref(&asked));

    let told = [world.mails_to(&first.email).await, world.mails_to(&second.email).await];
    assert_eq!(refused(approve(&world, &ida, &asked.name, &id()).await), "RELEASE_BY_ANOTHER");
    let approval = id();
    approve(&world, &joy, &asked.name, &approval).await.unwrap();
    approve(&world, &joy, &asked.name, &approval).await.unwrap();
    assert_eq!(approve(&world, &joy, &asked.name, &id()).await.unwrap_err().code(), Code::NotFound);
    let mail = world.mail(&first.email, told[0] + 1).await;
    assert!(mail.starts_with("Your proof of identity was released"), "{mail}");
    let mail = world.mail(&second.email, told[1] + 1).await;
    assert!(mail.starts_with("You can prove your identity now"), "{mail}");

    // Whoever had the person has no more claim on them than anybody else.
    let token = world.sign_in(&first).await.access_token;
    let account = world.account(&token).await.unwrap();
    assert_eq!((account.identity_level.as_str(), account.family_name.as_str()), ("none", ""));
    assert_eq!(refused(prove(&world, &token, "Díaz", NUMBER, &id()).await), "PERSON_LINKED_ELSEWHERE");
    let token = world.sign_in(&second).await.access_token;
    let account = prove(&world, &token, "Díaz", NUMBER, &id()).await.unwrap();
    assert_eq!((account.identity_level.as_str(), account.family_name.as_str()), ("register_matched", "Díaz"));
}

#[tokio::test]
async fn nobody_releases_a_person_for_their_own_account_and_what_nobody_approved_lapses() {
    let world = World::new().await;
    let [first, second] = linked_elsewhere(&world).await;
    let ida = world.join("ida@example.com").await;
    let own = records_officer(&world, &second).await;
    assert_eq!(
        refused(ask(&world, &own, &second.account, "account_lost", &id()).await),
        "RELEASE_OF_ONES_OWN"
    );
    let ida = records_officer(&world, &ida).await;
    let asked = ask(&world, &ida, &second.account, "account_lost", &id()).await.unwrap();
    assert_eq!(refused(approve(&world, &own, &asked.name, &id()).await), "RELEASE_OF_ONES_OWN");
    let token = world.sign_in(&first).await.access_token;
    assert_eq!(refused(ask(&world, &token, &second.account, "account_lost", &id()).await), "NOT_YOUR_ACT");

    world.advance(7 * 24 * 3600);
    let token = world.guarded(&second).await;
    assert_eq!(approve(&world, &token, &asked.name, &id()).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(world.account(&token).await.unwrap().identity_level, "none");
}
