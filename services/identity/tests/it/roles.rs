//! Roles of the office: given by invitation, taken away by two operators.

use docket_identity::invite;
use docket_kernel::Clock as _;
use docket_proto::identity::events::v1::RoleGranted;
use docket_proto::identity::v1 as pb;
use docket_proto::identity::v1::role_service_client::RoleServiceClient;
use docket_service::testing::with_token;
use prost::Message as _;
use tonic::transport::Channel;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::erasure::operator;
use crate::registration::futures_join;
use crate::world::{World, eventually, id, reason, refused, way_out};

pub(crate) async fn redeem(
    world: &World,
    token: &str,
    code: &str,
    request_id: &str,
) -> Result<pb::Account, Status> {
    let message = pb::RedeemInvitationRequest { request_id: request_id.to_owned(), code: code.to_owned() };
    Ok(world.accounts().redeem_invitation(with_token(message, token)).await?.into_inner().account.unwrap())
}

pub(crate) async fn invite(world: &World, role: &str, office: &str) -> String {
    invite_by(world, role, office, "setup").await
}

async fn invite_by(world: &World, role: &str, office: &str, by: &str) -> String {
    invite::issue(&world.database.pool, role, office, by, world.clock.now()).await.unwrap()
}

fn role(role: &str, office: &str) -> pb::Role {
    pb::Role { role: role.into(), office: office.into() }
}

#[tokio::test]
async fn an_invitation_gives_its_role_once() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let token = world.sign_in(&ana).await.access_token;
    let code = invite(&world, "adjudicator", "NBC").await;
    let request = id();
    let account = redeem(&world, &token, &code.to_lowercase(), &request).await.unwrap();
    assert_eq!(account.roles, [role("adjudicator", "NBC")]);
    assert_eq!(redeem(&world, &token, &code.to_lowercase(), &request).await.unwrap().roles, account.roles);
    assert_eq!(refused(redeem(&world, &token, &code, &id()).await), "CODE_WRONG");
    world.lock("invitation:").await;
    let newer = invite(&world, "auditor", "NBC").await;
    let locked = redeem(&world, &token, &newer, &id()).await.unwrap_err();
    assert_eq!(
        (reason(&locked), way_out(&locked)),
        ("TOO_MANY_TRIES".into(), "Wait, then try again.".into())
    );
    // The roles which the methods' policies see follow from the log.
    eventually("the role in the projection", async || {
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM access.role WHERE role = 'adjudicator'")
            .fetch_one(&world.database.pool)
            .await
            .unwrap();
        (rows == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn one_of_many_takes_an_invitation_up() {
    let world = World::new().await;
    let code = invite(&world, "supervisor", "NBC").await;
    let mut tokens = Vec::new();
    for name in ["ana", "bea", "eva"] {
        let member = world.join(&format!("{name}@example.com")).await;
        tokens.push(world.sign_in(&member).await.access_token);
    }
    let request = id();
    let all = tokens.iter().map(|token| redeem(&world, token, &code, &request));
    assert_eq!(futures_join(all).await.into_iter().flatten().count(), 1);
}

#[tokio::test]
async fn who_runs_the_machines_neither_decides_nor_supervises_and_the_invitation_stays() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let bea = world.join("bea@example.com").await;
    let (ana, bea) = (world.sign_in(&ana).await.access_token, world.sign_in(&bea).await.access_token);
    redeem(&world, &ana, &invite(&world, "operator", "NBC").await, &id()).await.unwrap();
    let supervisor = invite(&world, "supervisor", "FO-NYC").await;
    assert_eq!(refused(redeem(&world, &ana, &supervisor, &id()).await), "ROLES_EXCLUDE_EACH_OTHER");
    let code = invite(&world, "adjudicator", "NBC").await;
    assert_eq!(refused(redeem(&world, &ana, &code, &id()).await), "ROLES_EXCLUDE_EACH_OTHER");
    redeem(&world, &bea, &code, &id()).await.unwrap();
    redeem(&world, &bea, &invite(&world, "oath_officer", "FO-NYC").await, &id()).await.unwrap();
    let roles = world.account(&bea).await.unwrap().roles;
    assert_eq!(roles, [role("adjudicator", "NBC"), role("oath_officer", "FO-NYC")]);
}

fn roles(world: &World) -> RoleServiceClient<Channel> {
    RoleServiceClient::new(world.running.channel())
}

/// Asks that the adjudicator's role of `of` be taken away.
async fn ask(
    world: &World,
    token: &str,
    of: &str,
    reason: &str,
    request_id: &str,
) -> Result<pb::AskRevocationResponse, Status> {
    let message = pb::AskRevocationRequest {
        request_id: request_id.to_owned(),
        account: of.to_owned(),
        role: "adjudicator".into(),
        office: "NBC".into(),
        reason: reason.to_owned(),
    };
    Ok(roles(world).ask_revocation(with_token(message, token)).await?.into_inner())
}

async fn approve(world: &World, token: &str, name: &str, request_id: &str) -> Result<(), Status> {
    let message = pb::ApproveRevocationRequest { request_id: request_id.to_owned(), name: name.to_owned() };
    roles(world).approve_revocation(with_token(message, token)).await.map(drop)
}

async fn holders(world: &World, token: &str, page_token: String) -> pb::ListRoleHoldersResponse {
    let message =
        pb::ListRoleHoldersRequest { office: "NBC".into(), page_size: 2, page_token, ..Default::default() };
    roles(world).list_role_holders(with_token(message, token)).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_role_is_taken_away_by_two_operators_and_ends_at_once() {
    let world = World::new().await;
    let (ana, bea) = (operator(&world, "ana").await, operator(&world, "bea").await);
    let eva = world.join("eva@example.com").await;
    let token = world.sign_in(&eva).await.access_token;
    redeem(&world, &token, &invite(&world, "adjudicator", "NBC").await, &id()).await.unwrap();
    eventually("her role in the projection", async || {
        let first = holders(&world, &ana, String::new()).await;
        (first.holders[0].account == eva.account && first.holders.len() == 2).then_some(())
    })
    .await;
    assert_eq!(refused(ask(&world, &token, &eva.account, "left", &id()).await), "NOT_YOUR_ACT");
    assert_eq!(refused(ask(&world, &ana, &eva.account, "tired", &id()).await), "ROLE_REASON_UNKNOWN");
    let nobody = format!("accounts/{}", Uuid::new_v4());
    assert_eq!(ask(&world, &ana, &nobody, "left", &id()).await.unwrap_err().code(), Code::NotFound);

    let request = id();
    let asked = ask(&world, &ana, &eva.account, "left", &request).await.unwrap();
    assert_eq!(ask(&world, &ana, &eva.account, "left", &request).await.unwrap(), asked);
    assert_eq!(refused(ask(&world, &ana, &eva.account, "moved", &request).await), "REQUEST_ID_REUSED");
    assert_eq!(refused(ask(&world, &bea, &eva.account, "left", &id()).await), "REVOCATION_OPEN");
    let first = holders(&world, &bea, String::new()).await;
    assert_eq!((&first.holders[0].revocation, &*first.holders[0].reason), (&asked.revocation, "left"));
    let second = holders(&world, &bea, first.next_page_token).await;
    assert_eq!((second.holders.len(), &*second.next_page_token), (1, ""), "three roles in all");
    assert_eq!(world.account(&token).await.unwrap().roles.len(), 1, "asked is not done");

    assert_eq!(refused(approve(&world, &ana, &asked.revocation, &id()).await), "REVOCATION_BY_ANOTHER");
    let approval = id();
    approve(&world, &bea, &asked.revocation, &approval).await.unwrap();
    approve(&world, &bea, &asked.revocation, &approval).await.unwrap();
    assert_eq!(approve(&world, &bea, &asked.revocation, &id()).await.unwrap_err().code(), Code::NotFound);
    assert!(world.account(&token).await.unwrap().roles.is_empty());
    assert_eq!(refused(ask(&world, &ana, &eva.account, "left", &id()).await), "ROLE_NOT_HELD");
}

#[tokio::test]
async fn a_revocation_that_nobody_approved_lapses_after_a_week() {
    let world = World::new().await;
    let ana = operator(&world, "ana").await;
    let (bea, eva) = (world.join("bea@example.com").await, world.join("eva@example.com").await);
    let token = world.sign_in(&eva).await.access_token;
    redeem(&world, &token, &invite(&world, "adjudicator", "NBC").await, &id()).await.unwrap();
    let asked = ask(&world, &ana, &eva.account, "misused", &id()).await.unwrap();
    world.advance(7 * 24 * 3600);
    let token = world.sign_in(&bea).await.access_token;
    redeem(&world, &token, &invite(&world, "operator", "NBC").await, &id()).await.unwrap();
    let token = world.stepped_up(&bea, &token).await;
    let late = eventually("her role in the projection", async || {
        let refusal = approve(&world, &token, &asked.revocation, &id()).await.unwrap_err();
        (refusal.code() != Code::PermissionDenied).then_some(refusal)
    })
    .await;
    assert_eq!(late.code(), Code::NotFound);
}

#[tokio::test]
async fn an_invitation_ends_after_a_week_and_guessing_is_slowed_down() {
    let world = World::new().await;
    let code = invite(&world, "supervisor", "NBC").await;
    let ana = world.join("ana@example.com").await;
    world.advance(7 * 24 * 3600);
    let token = world.sign_in(&ana).await.access_token;
    for _ in 0..5 {
        assert_eq!(refused(redeem(&world, &token, &code, &id()).await), "CODE_WRONG");
    }
    assert_eq!(refused(redeem(&world, &token, &code, &id()).await), "TOO_MANY_TRIES");
    for (role, by) in [("director", "setup"), ("supervisor", "Ina Example")] {
        assert!(invite::issue(&world.database.pool, role, "NBC", by, world.clock.now()).await.is_err());
    }
}

#[tokio::test]
async fn the_program_prints_a_code_and_nothing_else() {
    let world = World::new().await;
    let service = &world.config.service;
    let tls = &service.tls;
    let toml = format!(
        "[service]\ngrpc_listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\ndata_dir = {:?}\n\
         [service.tls]\ncert_file = {:?}\nkey_file = {:?}\nca_file = {:?}\n\
         [service.database]\nurl = {:?}\n[service.broker]\nurl = \"nats://127.0.0.1:1\"\n\
         [mail]\nsmtp_url = {:?}\nfrom = {:?}\n[register]\nurl = {:?}\n",
        service.data_dir,
        tls.cert_file,
        tls.key_file,
        tls.ca_file,
        service.database.url,
        world.config.mail.smtp_url,
        world.config.mail.from,
        world.config.register.url,
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("identity.toml");
    std::fs::write(&file, toml).unwrap();
    let run = async |arguments: &[&str]| {
        tokio::process::Command::new(env!("CARGO_BIN_EXE_docket-identity"))
            .args(arguments)
            .env("DOCKET_CONFIG", &file)
            .output()
            .await
            .unwrap()
    };
    let output = run(&["invite", "--role", "adjudicator", "--office", "NBC", "--by", "setup"]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let code = String::from_utf8(output.stdout).unwrap();
    assert_eq!(code.trim().len(), 24, "{code}");
    let refused = run(&["invite", "--role", "director", "--office", "NBC", "--by", "setup"]).await;
    assert!(!refused.status.success());
    // The real clock gave it a week from now, which in the test's time is later still.
    let ana = world.join("ana@example.com").await;
    let token = world.sign_in(&ana).await.access_token;
    redeem(&world, &token, code.trim(), &id()).await.unwrap();
}

async fn invitations(world: &World, token: &str) -> Result<Vec<pb::Invitation>, Status> {
    let message = with_token(pb::ListInvitationsRequest {}, token);
    Ok(roles(world).list_invitations(message).await?.into_inner().invitations)
}

async fn withdraw(world: &World, token: &str, name: &str) -> Result<(), Status> {
    let message = pb::WithdrawInvitationRequest { request_id: id(), name: name.to_owned() };
    roles(world).withdraw_invitation(with_token(message, token)).await.map(drop)
}

#[tokio::test]
async fn an_invitation_names_who_issued_it_and_is_withdrawn_before_it_is_taken_up() {
    let world = World::new().await;
    let (ana, bea) = (operator(&world, "ana").await, world.join("bea@example.com").await);
    let token = world.sign_in(&bea).await.access_token;
    let redeemed = invite_by(&world, "adjudicator", "NBC", "it-desk").await;
    let withdrawn = invite(&world, "finance", "NBC").await;
    let open = invitations(&world, &ana).await.unwrap();
    let told: Vec<_> = open.iter().map(|one| [&*one.role, &*one.issued_by]).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.contains(&["adjudicator", "it-desk"]) && told.contains(&["finance", "setup"]), "{told:?}");
    let named = |role: &str| open.iter().find(|one| one.role == role).unwrap().name.clone();

    assert_eq!(refused(withdraw(&world, &token, &named("finance")).await), "NOT_YOUR_ACT");
    for _repeated in 0..2 {
        withdraw(&world, &ana, &named("finance")).await.unwrap();
    }
    assert_eq!(refused(redeem(&world, &token, &withdrawn, &id()).await), "CODE_WRONG");
    redeem(&world, &token, &redeemed, &id()).await.unwrap();
    assert_eq!(withdraw(&world, &ana, &named("adjudicator")).await.unwrap_err().code(), Code::NotFound);
    assert!(invitations(&world, &ana).await.unwrap().is_empty());
    assert_eq!(refused(invitations(&world, &token).await.map(drop)), "NOT_YOUR_ACT");

    let query =
        "SELECT payload FROM log.event WHERE kind = 'account.role_granted.v1' ORDER BY position DESC LIMIT 1";
    let payload: Vec<u8> = sqlx::query_scalar(query).fetch_one(&world.database.pool).await.unwrap();
    let granted = RoleGranted::decode(payload.as_slice()).unwrap();
    assert_eq!([granted.granted_by, granted.invited_by], ["invitation", "it-desk"]);
}

#[tokio::test]
async fn nobody_takes_up_an_invitation_of_their_own() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let token = world.sign_in(&ana).await.access_token;
    let own = invite_by(&world, "finance", "NBC", &ana.account.replace("accounts/", "account:")).await;
    assert_eq!(refused(redeem(&world, &token, &own, &id()).await), "INVITATION_OF_ONES_OWN");
    let bea = world.join("bea@example.com").await;
    let token = world.sign_in(&bea).await.access_token;
    redeem(&world, &token, &own, &id()).await.unwrap();
}
