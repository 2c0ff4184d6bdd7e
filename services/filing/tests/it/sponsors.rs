//! A joint sponsor is asked to file Form I-864 in the package of an application: from an account of their own, seen by nobody else, and
//! either side may do without until it went in.

use std::path::{Path, PathBuf};

use docket_forms::Catalogue;
use docket_proto::events::package::Event as PackageEvent;
use docket_proto::events::payment;
use docket_proto::filing::v1 as pb;
use docket_proto::payments::events::v1::{FeeSettled, fee_settled::Settlement};
use docket_service::testing::with_token;
use serde_json::{Value, json};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::client::Client;
use crate::editions::{NEXT, copy};
use crate::enclosed::affidavit;
use crate::files;
use crate::unscanned::until_known;
use crate::waiting::{answers, make_ready, sign_as, today};
use crate::world::{
    World, bad_fields, case_accepted, case_assigned, case_opened, case_rejected, catalogue,
    payment_withdrawn, reason,
};

impl Client {
    async fn ask_to_file(
        &self,
        draft: &str,
        form: &str,
        mail_to: &str,
    ) -> Result<pb::InviteToPackageResponse, Status> {
        self.ask_to_file_as(Uuid::now_v7(), draft, form, mail_to).await
    }

    async fn ask_to_file_as(
        &self,
        request_id: Uuid,
        draft: &str,
        form: &str,
        mail_to: &str,
    ) -> Result<pb::InviteToPackageResponse, Status> {
        let request = pb::InviteToPackageRequest {
            request_id: request_id.to_string(),
            name: draft.into(),
            form: form.into(),
            invitee_name: "Cousin Olavo".into(),
            mail_to: mail_to.into(),
        };
        Ok(self.invitations.clone().invite_to_package(with_token(request, &self.token)).await?.into_inner())
    }

    /// Whom a draft asked: number and how it stands.
    async fn asked(&self, draft: &str) -> Vec<(u32, String)> {
        let request = pb::ListPackageInvitationsRequest { name: draft.into() };
        let answer =
            self.invitations.clone().list_package_invitations(with_token(request, &self.token)).await;
        let invitations = answer.unwrap().into_inner().invitations;
        invitations.into_iter().map(|one| (one.number, one.state)).collect()
    }

    async fn take_back(&self, draft: &str, number: u32) -> Result<(), Status> {
        let (request_id, name) = (Uuid::now_v7().to_string(), draft.into());
        let request = pb::WithdrawPackageInvitationRequest { request_id, name, number };
        self.invitations.clone().withdraw_package_invitation(with_token(request, &self.token)).await.map(drop)
    }

    async fn release(&self, draft: &str, number: u32) -> Result<(), Status> {
        let (request_id, name) = (Uuid::now_v7().to_string(), draft.into());
        let request = pb::ReleaseFromPackageRequest { request_id, name, number };
        self.invitations.clone().release_from_package(with_token(request, &self.token)).await.map(drop)
    }

    async fn read_invitation(&self, code: &str) -> Result<pb::ReadPackageInvitationResponse, Status> {
        let request = pb::ReadPackageInvitationRequest { code: code.into(), ..Default::default() };
        Ok(self
            .invitations
            .clone()
            .read_package_invitation(with_token(request, &self.token))
            .await?
            .into_inner())
    }

    async fn accept_invitation(&self, code: &str) -> Result<pb::Filing, Status> {
        self.accept_invitation_as(Uuid::now_v7(), code).await
    }

    async fn accept_invitation_as(&self, request_id: Uuid, code: &str) -> Result<pb::Filing, Status> {
        let request_id = request_id.to_string();
        let request =
            pb::AcceptPackageInvitationRequest { request_id, code: code.into(), ..Default::default() };
        self.accept_with(request).await
    }

    /// Accepts with a filing that was rejected before.
    async fn accept_again(&self, request_id: Uuid, code: &str, again: &str) -> Result<pb::Filing, Status> {
        let (request_id, code, again) = (request_id.to_string(), code.into(), again.into());
        self.accept_with(pb::AcceptPackageInvitationRequest { request_id, code, again, ..Default::default() })
            .await
    }

    async fn accept_with(&self, request: pb::AcceptPackageInvitationRequest) -> Result<pb::Filing, Status> {
        let answer =
            self.invitations.clone().accept_package_invitation(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().filing.unwrap())
    }

    async fn decline_invitation_as(&self, request_id: Uuid, code: &str) -> Result<String, Status> {
        let request =
            pb::DeclinePackageInvitationRequest { request_id: request_id.to_string(), code: code.into() };
        let answer =
            self.invitations.clone().decline_package_invitation(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().form)
    }

    async fn abandon(&self, draft: &str) -> Result<(), Status> {
        let request = pb::AbandonDraftRequest { request_id: Uuid::now_v7().to_string(), name: draft.into() };
        self.drafts.clone().abandon_draft(with_token(request, &self.token)).await.map(drop)
    }
}

fn state(number: u32, state: &str) -> (u32, String) {
    (number, state.to_owned())
}

/// A wrong code is answered as one that is over.
const WRONG: &str = "00000-00000";

/// An application that is ready, signed by nobody.
async fn application(world: &World, ana: &Client) -> String {
    let residence = ana.start("I-485").await.unwrap().name;
    make_ready(ana, &residence, &answers(("Ana", "1985-03-11".parse().unwrap()), today(world)), 1).await;
    residence
}

/// What a joint sponsor answers; what they are is there from the start.
fn joint() -> Value {
    let mut answers = affidavit();
    let own = answers.as_object_mut().unwrap();
    own.remove("sponsor_kind");
    own.extend(json!({ "app_given_name": "Olavo", "app_family_name": "Prado" }).as_object().unwrap().clone());
    own.insert("household_income".into(), json!(8_700_031));
    answers
}

/// Fills the affidavit in and signs it.
async fn sign_affidavit(olavo: &Client, support: &str) {
    let filing = olavo.answer(support, &joint()).await.unwrap();
    assert!(filing.missing.is_empty(), "{:?}", filing.missing);
    olavo.upload(support, "tax_transcript", "paper.png", &files::picture(30)).await.unwrap();
    olavo.upload(support, "sponsor_status_proof", "paper.png", &files::picture(31)).await.unwrap();
    olavo.quote(support).await.unwrap();
    let review = olavo.review(support).await.unwrap();
    olavo.sign(support, &review.content_hash, "Olavo Prado").await.unwrap();
}

/// What payments says once nothing more is due for an application and the affidavit that goes with it.
fn settled(world: &World, payment: &str, filings: [&str; 2]) -> payment::Event {
    payment::Event::FeeSettled(FeeSettled {
        settlement: Settlement::Paid.into(),
        package_id: payment.replace("payments/", ""),
        filing_ids: filings.map(|name| name.replace("filings/", "")).to_vec(),
        authorised_at_us: world.now_us(),
        amount_cents: 144_000,
        ..FeeSettled::default()
    })
}

/// An application with the signed affidavit of somebody who was asked, sent: both drafts and the payment.
async fn sent(world: &World, ana: &Client, olavo: &Client) -> (String, String, String) {
    let residence = application(world, ana).await;
    let code = ana.ask_to_file(&residence, "I-864", "").await.unwrap().code;
    let support = olavo.accept_invitation(&code).await.unwrap().name;
    sign_affidavit(olavo, &support).await;
    sign_as(ana, &residence, "").await;
    let payment = ana.submit(&residence).await.unwrap().payment;
    (residence, support, payment)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_joint_sponsor_is_asked_by_mail_and_files_what_nobody_else_of_the_package_sees() {
    let world = World::start().await;
    let (ana, olavo) = (world.person("Ana", "Lima"), world.person("Olavo", "Prado"));
    let residence = application(&world, &ana).await;
    let request_id = Uuid::now_v7();
    let asked = ana.ask_to_file_as(request_id, &residence, "i864", "Olavo@Example.test").await.unwrap();
    let again = ana.ask_to_file_as(request_id, &residence, "i864", "Olavo@Example.test").await.unwrap();
    assert_eq!((&again.code, again.invitation.as_ref().unwrap().number), (&asked.code, 1), "once");
    let (package, event, invited) = world.package_of(&residence, &ana).await;
    let PackageEvent::PackageFilerInvited(invited) = invited else { panic!("another event") };
    assert!(invited.by_mail && invited.mail_to.is_empty() && invited.invitee_name.is_empty(), "sealed");
    let mail = world.invitation_to_file("notifications", &package, &event).await.unwrap();
    assert_eq!((&*mail.mail_to, &mail.code), ("Olavo@example.test", &asked.code));
    let others = world.invitation_to_file("payments", &package, &event).await.unwrap_err();
    assert_eq!(others.code(), Code::PermissionDenied);

    assert_eq!(reason(&olavo.read_invitation(WRONG).await.unwrap_err()), "CODE_UNKNOWN");
    assert_eq!(reason(&ana.read_invitation(&asked.code).await.unwrap_err()), "OWN_INVITATION");
    assert_eq!(reason(&ana.accept_invitation(&asked.code).await.unwrap_err()), "OWN_INVITATION");
    let read = olavo.read_invitation(&asked.code.to_lowercase()).await.unwrap();
    assert_eq!((&*read.asked_by, &*read.form, &*read.with_form), ("Ana Lima", "I-864", "I-485"));
    assert_eq!(read.invitee_name, "Cousin Olavo");
    assert_eq!(ana.asked(&residence).await, [state(1, "asked")]);

    let request_id = Uuid::now_v7();
    let support = olavo.accept_invitation_as(request_id, &asked.code).await.unwrap();
    assert_eq!(support.answers_json, r#"{"sponsor_kind":"joint_sponsor"}"#, "nothing else is known of him");
    let repeated = olavo.accept_invitation_as(request_id, &asked.code).await.unwrap();
    assert_eq!(repeated.name, support.name, "done once");
    for taker in [&olavo, &world.person("Eve", "Other")] {
        assert_eq!(reason(&taker.accept_invitation(&asked.code).await.unwrap_err()), "CODE_UNKNOWN");
    }
    assert_eq!(world.invitation_to_file("notifications", &package, &event).await.unwrap().mail_to, "");
    assert_eq!(ana.asked(&residence).await, [state(1, "accepted")]);

    // He has to do with nothing else in the package, nor she with his form.
    for (reader, of) in [(&olavo, &residence), (&ana, &support.name)] {
        assert_eq!(reader.get(of).await.unwrap_err().code(), Code::NotFound);
    }
    let joining = pb::StartDraftRequest {
        request_id: Uuid::now_v7().to_string(),
        form: "I-765".into(),
        package: package.clone(),
        ..Default::default()
    };
    assert_eq!(olavo.begin(joining).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(ana.list().await.len(), 1);

    assert_eq!(reason(&ana.submit(&residence).await.unwrap_err()), "PACKAGE_NOT_SIGNED");
    sign_affidavit(&olavo, &support.name).await;
    assert_eq!(ana.asked(&residence).await, [state(1, "signed")]);
    sign_as(&ana, &residence, "").await;
    assert_eq!(reason(&olavo.submit(&support.name).await.unwrap_err()), "SENT_BY_WHO_ASKED");
    let payment = ana.submit(&residence).await.unwrap().payment;
    assert_eq!(ana.asked(&residence).await, [state(1, "sent")]);
    world.payment(&payment, settled(&world, &payment, [&residence, &support.name])).await;
    olavo.until(&support.name, "submitted").await;
    assert_eq!(ana.asked(&residence).await, [state(1, "went_in")]);
    assert_eq!(reason(&olavo.abandon(&support.name).await.unwrap_err()), "ALREADY_SUBMITTED");
    assert_eq!(reason(&ana.release(&residence, 1).await.unwrap_err()), "ALREADY_SUBMITTED");

    // Who decides her case reads his affidavit; she knows that it went in, and still reads nothing of it.
    let officer = world.officer("adjudicator", "NBC").await;
    world.case(&residence, case_opened()).await;
    world.case(&residence, case_accepted("DKT1234567897")).await;
    world.case(&residence, case_assigned(officer.account)).await;
    officer.until(&residence, "accepted").await;
    assert!(officer.get(&support.name).await.unwrap().answers_json.contains("8700031"));
    assert_eq!(ana.get(&support.name).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(ana.copy(&support.name).await.unwrap_err().code(), Code::NotFound);
    world.expect_nothing_personal_in_the_clear(&["Olavo", "lavo@", "Cousin", "8700031", &asked.code]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_takes_it_back_and_asks_anew_and_no_more_than_two_stand() {
    let world = World::start().await;
    let (ana, olavo, eve) =
        (world.person("Ana", "Lima"), world.person("Olavo", "Prado"), world.person("Eve", "Other"));
    let residence = ana.start("I-485").await.unwrap().name;
    let asking = async |form: &str, mail: &str| {
        ana.ask_to_file(&residence, form, mail).await.map_err(|status| reason(&status))
    };
    assert_eq!(asking("I-765", "").await.unwrap_err(), "NOT_ASKED_FOR");
    assert_eq!(asking("I-864", "no address").await.unwrap_err(), "EMAIL_MALFORMED");
    let work = ana.start("I-765").await.unwrap().name;
    assert_eq!(reason(&ana.ask_to_file(&work, "I-864", "").await.unwrap_err()), "NOT_ASKED_FOR");
    let stranger = eve.ask_to_file(&residence, "I-864", "").await.unwrap_err();
    assert_eq!(stranger.code(), Code::NotFound);

    let first = asking("I-864", "").await.unwrap().code;
    ana.take_back(&residence, 1).await.unwrap();
    assert_eq!(reason(&ana.take_back(&residence, 1).await.unwrap_err()), "INVITATION_OVER");
    assert_eq!(reason(&ana.take_back(&residence, 9).await.unwrap_err()), "INVITATION_UNKNOWN");
    assert_eq!(eve.take_back(&residence, 1).await.unwrap_err().code(), Code::NotFound);
    for over in
        [olavo.read_invitation(&first).await.unwrap_err(), olavo.accept_invitation(&first).await.unwrap_err()]
    {
        assert_eq!(reason(&over), "CODE_UNKNOWN");
    }
    let second = asking("I-864", "").await.unwrap().code;
    let request_id = Uuid::now_v7();
    assert_eq!(reason(&ana.decline_invitation_as(request_id, &second).await.unwrap_err()), "OWN_INVITATION");
    for _ in 0..2 {
        assert_eq!(olavo.decline_invitation_as(request_id, &second).await.unwrap(), "I-864");
    }
    let (_, _, declined) = world.package_of(&residence, &ana).await;
    let PackageEvent::PackageInvitationDeclined(declined) = declined else { panic!("another event") };
    assert_eq!(declined.asker_account_id, ana.account.to_string());
    assert_eq!(reason(&olavo.accept_invitation(&second).await.unwrap_err()), "CODE_UNKNOWN");

    // Two are asked at once, and both may accept; nobody files the form twice.
    let (third, fourth) = (asking("I-864", "").await.unwrap().code, asking("I-864", "").await.unwrap().code);
    assert_eq!(asking("I-864", "").await.unwrap_err(), "TOO_MANY_ASKED");
    let support = olavo.accept_invitation(&third).await.unwrap().name;
    assert_eq!(reason(&olavo.accept_invitation(&fourth).await.unwrap_err()), "IN_PACKAGE_ALREADY");
    eve.accept_invitation(&fourth).await.unwrap();
    assert_eq!(asking("I-864", "").await.unwrap_err(), "TOO_MANY_ASKED");
    assert_eq!(reason(&ana.take_back(&residence, 3).await.unwrap_err()), "INVITATION_OVER");

    // She does without him before it is sent; he steps back no more, and his draft is gone.
    assert_eq!(olavo.release(&residence, 3).await.unwrap_err().code(), Code::NotFound);
    ana.release(&residence, 3).await.unwrap();
    assert_eq!(reason(&ana.release(&residence, 3).await.unwrap_err()), "INVITATION_OVER");
    assert_eq!(olavo.get(&support).await.unwrap().state, "abandoned");
    assert_eq!(reason(&olavo.abandon(&support).await.unwrap_err()), "DRAFT_GONE");
    let fifth = asking("I-864", "").await.unwrap().code;
    let states = ["withdrawn", "declined", "released", "accepted", "asked"];
    let states: Vec<_> = (1..).zip(states).map(|(number, stands)| state(number, stands)).collect();
    assert_eq!(ana.asked(&residence).await, states);
    // With the draft that asks its invitations end.
    ana.abandon(&residence).await.unwrap();
    assert_eq!(reason(&olavo.read_invitation(&fifth).await.unwrap_err()), "CODE_UNKNOWN");
    assert_eq!(asking("I-864", "").await.unwrap_err(), "DRAFT_GONE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_runs_out_and_opens_nothing_once_the_package_is_sent() {
    let world = World::start().await;
    let (ana, olavo, eve) =
        (world.person("Ana", "Lima"), world.person("Olavo", "Prado"), world.person("Eve", "Other"));
    let residence = application(&world, &ana).await;
    let first = ana.ask_to_file(&residence, "I-864", "").await.unwrap().code;
    let second = ana.ask_to_file(&residence, "I-864", "").await.unwrap().code;
    let support = olavo.accept_invitation(&first).await.unwrap().name;
    sign_affidavit(&olavo, &support).await;
    sign_as(&ana, &residence, "").await;
    let payment = ana.submit(&residence).await.unwrap().payment;
    assert_eq!(reason(&eve.accept_invitation(&second).await.unwrap_err()), "CODE_UNKNOWN", "sent");
    assert_eq!(reason(&ana.ask_to_file(&residence, "I-864", "").await.unwrap_err()), "ALREADY_SUBMITTED");
    world.payment(&payment, payment_withdrawn(&payment, &[&residence, &support])).await;
    ana.until(&residence, "draft").await;
    eve.read_invitation(&second).await.unwrap();
    world.advance(30 * 86_400 + 60);
    let [ana, eve] = [ana, eve].map(|one| Client { token: world.token(one.account), ..one });
    until_known(&ana).await;
    assert_eq!(reason(&eve.read_invitation(&second).await.unwrap_err()), "CODE_UNKNOWN", "run out");
    assert_eq!(ana.asked(&residence).await[1], state(2, "run_out"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_accepted_steps_back_before_it_is_sent_and_while_it_waits_for_the_fee() {
    let world = World::start().await;
    let (ana, olavo) = (world.person("Ana", "Lima"), world.person("Olavo", "Prado"));
    let residence = application(&world, &ana).await;
    let code = ana.ask_to_file(&residence, "I-864", "").await.unwrap().code;
    let support = olavo.accept_invitation(&code).await.unwrap().name;
    olavo.abandon(&support).await.unwrap();
    let (_, _, left) = world.package_of(&residence, &ana).await;
    let PackageEvent::PackageFilerSteppedBack(left) = left else { panic!("another event") };
    assert_eq!(left.asker_account_id, ana.account.to_string());
    assert_eq!(ana.asked(&residence).await, [state(1, "stepped_back")]);
    assert_eq!(reason(&olavo.abandon(&support).await.unwrap_err()), "DRAFT_GONE");

    let (residence, support, payment) = sent(&world, &ana, &olavo).await;
    let both = [residence.as_str(), support.as_str()];
    assert!(world.overtaken(&both).await.unwrap().is_empty());
    assert_eq!(reason(&ana.abandon(&residence).await.unwrap_err()), "ALREADY_SUBMITTED");
    for _ in 0..2 {
        olavo.abandon(&support).await.unwrap();
    }
    // Nobody is charged for what can go in no more; payments withdraws the payment by the event.
    let overtaken = world.overtaken(&both).await.unwrap();
    let found: Vec<_> = overtaken.iter().map(|one| (&*one.filing, &*one.changes[0].reason)).collect();
    assert_eq!(found, [(support.as_str(), "STEPPED_BACK")]);
    world.payment(&payment, payment_withdrawn(&payment, &both)).await;
    ana.until(&residence, "draft").await;
    olavo.until(&support, "abandoned").await;
    assert_eq!(ana.asked(&residence).await, [state(1, "stepped_back")]);
    sign_as(&ana, &residence, "").await;
    ana.submit(&residence).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_rejected_is_begun_again_by_a_new_invitation_which_counts_by_itself() {
    let world = World::start().await;
    let (ana, olavo, eve) =
        (world.person("Ana", "Lima"), world.person("Olavo", "Prado"), world.person("Eve", "Other"));
    let (residence, support, payment) = sent(&world, &ana, &olavo).await;
    world.payment(&payment, settled(&world, &payment, [&residence, &support])).await;
    olavo.until(&support, "submitted").await;
    world.case(&residence, case_opened()).await;
    world.case(&residence, case_rejected("X-SIGN")).await;
    ana.until(&residence, "rejected").await;
    olavo.until(&support, "rejected").await;
    assert_eq!(ana.asked(&residence).await, [state(1, "over")]);
    assert_eq!(reason(&ana.ask_to_file(&residence, "I-864", "").await.unwrap_err()), "FILING_REJECTED");

    // In the new package nobody is asked yet, and no more than two are.
    let next = ana.again_as(Uuid::now_v7(), &residence).await.unwrap();
    assert_eq!(ana.asked(&next.name).await, []);
    let code = ana.ask_to_file(&next.name, "I-864", "").await.unwrap().code;
    let other = ana.ask_to_file(&next.name, "I-864", "").await.unwrap().code;
    assert_eq!(reason(&ana.ask_to_file(&next.name, "I-864", "").await.unwrap_err()), "TOO_MANY_ASKED");

    // With his own filing of that form, and no other; the code is used up by what succeeds.
    let card = olavo.start("I-90").await.unwrap().name;
    let with = async |who: &Client, filing: &str| who.accept_again(Uuid::now_v7(), &code, filing).await;
    assert_eq!(with(&eve, &support).await.unwrap_err().code(), Code::NotFound);
    let wrong = with(&olavo, &card).await.unwrap_err();
    assert_eq!((reason(&wrong), bad_fields(&wrong)), ("OTHER_FORM".into(), vec!["again".into()]));
    let request_id = Uuid::now_v7();
    let again = olavo.accept_again(request_id, &code, &support).await.unwrap();
    assert_eq!(olavo.accept_again(request_id, &code, &support).await.unwrap().name, again.name, "once");
    assert_eq!((&again.package_id, &again.continues), (&next.package_id, &support));
    assert!(again.missing.is_empty() && again.evidence.len() == 2, "{again:?}");
    assert!(again.answers_json.contains("8700031"), "{}", again.answers_json);
    assert_eq!(ana.asked(&next.name).await, [state(1, "accepted"), state(2, "asked")]);
    let twice = olavo.accept_again(Uuid::now_v7(), &other, &support).await.unwrap_err();
    assert_eq!(reason(&twice), "BEGUN_AGAIN");
    assert_eq!(ana.get(&again.name).await.unwrap_err().code(), Code::NotFound);
}

/// The catalogue with a next edition of I-864, in which a joint sponsor has another word.
fn catalogue_with_another_word(folder: &Path) -> PathBuf {
    const EARLIER: &str = "2024-10-17";
    let to = folder.join("catalogue");
    copy(&catalogue(), &to);
    let earlier = Catalogue::embedded().form("I-864").unwrap().asked();
    let (file, of) =
        (to.join("i-864.toml"), |word: &str| format!("answers = {{ sponsor_kind = \"{word}\" }}"));
    let changes = [
        (
            format!("form.edition = \"{EARLIER}\""),
            format!("form.edition = \"{NEXT}\"\nform.accepted_from = \"{NEXT}\""),
        ),
        (of("joint_sponsor"), of("joint")),
        ("\"petitioner\", \"joint_sponsor\"".to_owned(), "\"petitioner\", \"joint\"".to_owned()),
    ];
    let form = std::fs::read_to_string(&file).unwrap();
    let next = changes.iter().fold(form, |form, (was, is)| {
        assert!(form.contains(was), "{was}");
        form.replace(was, is)
    });
    std::fs::write(&file, next).unwrap();
    for language in ["en", "es"] {
        std::fs::remove_file(to.join(language).join("i-864.toml")).unwrap();
    }
    let lens = format!(
        r#"[[edition]]
date = "{EARLIER}"
source = "made up for a test"
change = [{{ do = "carry", from = "sponsor_kind", options = {{ joint_sponsor = "joint" }} }}]
[edition.question]
{earlier}"#
    );
    std::fs::write(to.join("editions/i-864.toml"), lens).unwrap();
    to
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_from_the_start_is_an_answer_to_the_edition_in_which_one_is_asked_and_the_old_ones_are_carried_there()
 {
    let (world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let (ana, olavo) = (world.person("Ana", "Lima"), world.person("Olavo", "Prado"));
    let (residence, support, payment) = sent(&world, &ana, &olavo).await;
    world.payment(&payment, settled(&world, &payment, [&residence, &support])).await;
    olavo.until(&support, "submitted").await;
    world.case(&residence, case_opened()).await;
    world.case(&residence, case_rejected("X-SIGN")).await;
    olavo.until(&support, "rejected").await;
    ana.until(&residence, "rejected").await;
    let next = ana.again_as(Uuid::now_v7(), &residence).await.unwrap();
    let code = ana.ask_to_file(&next.name, "I-864", "").await.unwrap().code;

    let node = world.node_with(catalogue_with_another_word(folder.path())).await;
    let there = olavo.at(&node);
    let again = there.accept_again(Uuid::now_v7(), &code, &support).await.unwrap();
    assert_eq!((again.edition.as_str(), &again.continues), (NEXT, &support));
    let answers: Value = serde_json::from_str(&again.answers_json).unwrap();
    assert_eq!(answers["sponsor_kind"], "joint", "{answers:#}");
    assert_eq!(answers["household_income"], 8_700_031, "what he answered is there: {answers:#}");
    assert!(again.attention.is_empty() && again.missing.is_empty(), "{again:?}");
    assert_eq!(again.evidence.len(), 2);
    node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_of_an_asker_who_was_erased_opens_nothing_and_no_mail_is_sent() {
    let world = World::start().await;
    let (ana, olavo) = (world.person("Ana", "Lima"), world.person("Olavo", "Prado"));
    let residence = ana.start("I-485").await.unwrap().name;
    let code = ana.ask_to_file(&residence, "I-864", "Olavo@Example.test").await.unwrap().code;
    let (package, event, _) = world.package_of(&residence, &ana).await;
    olavo.read_invitation(&code).await.unwrap();
    world.erase(&residence).await;
    assert!(ana.get(&residence).await.unwrap().erased);
    assert_eq!(world.invitation_to_file("notifications", &package, &event).await.unwrap().mail_to, "");
    assert_eq!(reason(&olavo.read_invitation(&code).await.unwrap_err()), "CODE_UNKNOWN");
    assert_eq!(reason(&olavo.accept_invitation(&code).await.unwrap_err()), "CODE_UNKNOWN");
    let declined = olavo.decline_invitation_as(Uuid::now_v7(), &code).await;
    assert_eq!(reason(&declined.unwrap_err()), "CODE_UNKNOWN");
}
