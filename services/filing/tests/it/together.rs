//! A family asks on one form: each signs their own part, in an account of their own, before whoever files signs all of it.

use docket_kernel::deadline::office_date;
use docket_proto::events::filing::Event;
use docket_proto::filing::v1 as pb;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use tonic::{Code, Status};

use crate::client::Client;
use crate::copies::text;
use crate::files;
use crate::world::{World, fee_settled, reason, story_answers};

/// Everything that the I-539 of Rui Souza with wife, daughter and son asks, as the story answers it.
fn application(now_us: i64) -> Value {
    let today = office_date(Timestamp::from_microsecond(now_us).unwrap());
    let values = [
        ("today+60d", (today + 60.days()).to_string()),
        ("today+1y", (today + 1.years()).to_string()),
        ("today-2y", (today - 2.years()).to_string()),
        ("today-3y", (today - 3.years()).to_string()),
        ("applicant.family_name", "Souza".into()),
        ("applicant.given_name", "Rui".into()),
        ("applicant.birth_date", "1984-11-02".into()),
        ("spouse.family_name", "Sample".into()),
        ("spouse.given_name", "Sólveig".into()),
        ("spouse.birth_date", "1986-01-02".into()),
        ("daughter.family_name", "Sample".into()),
        ("daughter.given_name", "Pia".into()),
        ("daughter.birth_date", (today - 16.years()).to_string()),
    ];
    story_answers("i-539", values)
}

/// An application that is ready, its fee shown.
async fn ready(world: &World, rui: &Client) -> String {
    let draft = rui.start("I-539").await.unwrap().name;
    rui.answer(&draft, &application(world.now_us())).await.unwrap();
    rui.upload(&draft, "i94", "paper.png", &files::picture(91)).await.unwrap();
    let filing = rui.get(&draft).await.unwrap();
    assert!(filing.ready, "{:?} {:?} {:?}", filing.missing, filing.findings, filing.evidence_needs);
    rui.quote(&draft).await.unwrap();
    draft
}

impl Client {
    async fn member_code(&self, draft: &str, person: u32) -> String {
        self.ask_member(draft, person, "").await.unwrap().code
    }

    /// Who signs beside the filer: number, name and how it stands.
    async fn members(&self, draft: &str) -> Vec<(u32, String, String)> {
        let helpers = self.get(draft).await.unwrap().helpers;
        helpers.into_iter().map(|one| (one.person, one.name, one.state)).collect()
    }

    /// Reads the part with a code and signs it.
    async fn sign_part(&self, code: &str, name: &str) -> Result<Vec<u8>, Status> {
        let read = self.read_as_helper(code).await?;
        self.sign_as_helper(code, &read.content_hash, name, "").await?;
        Ok(read.content_hash)
    }
}

fn state(person: u32, name: &str, state: &str) -> (u32, String, String) {
    (person, name.to_owned(), state.to_owned())
}

const SOL: &str = "Sólveig Sample";
const PIA: &str = "Pia Sample";

#[tokio::test(flavor = "multi_thread")]
async fn each_of_a_family_reads_and_signs_their_own_part_and_the_copy_shows_all() {
    let world = World::start().await;
    let (rui, sol, pia) =
        (world.person("Rui", "Souza"), world.person("Sólveig", "Sample"), world.person("Pia", "Sample"));
    let draft = ready(&world, &rui).await;
    assert_eq!(rui.members(&draft).await, [state(1, SOL, "unasked"), state(2, PIA, "unasked")]);
    for nobody in [0, 3, 4] {
        assert_eq!(reason(&rui.ask_member(&draft, nobody, "").await.unwrap_err()), "HELPER_NOT_NAMED");
    }
    let shown = rui.review(&draft).await.unwrap();
    let all = "\nSigned together, each under penalty of perjury\n- Applicant: Rui Souza\n- Family member: Sólveig Sample\n- Family member: Pia Sample\n";
    assert!(shown.text.contains(all), "{}", shown.text);
    let alone = rui.sign(&draft, &shown.content_hash, "Rui Souza").await.unwrap_err();
    assert_eq!(reason(&alone), "CO_SIGNER_UNSIGNED");

    let (first, second) = (rui.member_code(&draft, 1).await, rui.member_code(&draft, 2).await);
    assert_eq!(reason(&pia.read_as_helper(&first).await.unwrap_err()), "NOT_THE_CO_SIGNER");
    assert_eq!(reason(&rui.read_as_helper(&first).await.unwrap_err()), "OWN_HELPER");
    let read = sol.read_as_helper(&first).await.unwrap();
    assert_eq!((&*read.role, read.person, &*read.signs_as), ("co_signer", 1, "family_member"));
    let theirs = "Part of Sólveig Sample\n";
    let both = "- Applicant: Rui Souza\n- Family member: Sólveig Sample\n";
    assert!(read.text.contains(theirs) && read.text.ends_with(both) && read.text.contains("Class now: L-1A"));
    for secret in ["Pia", "Max", "Makebelieve", "Izmir", "555", "arrested", "commitment", "1984-11-02"] {
        assert!(!read.text.contains(secret), "{secret}: {}", read.text);
    }
    // What is attached is none of theirs.
    assert!(read.evidence.is_empty());
    let file = &rui.get(&draft).await.unwrap().evidence[0].name;
    assert_eq!(sol.looks(&first, file).await.unwrap_err().code(), Code::PermissionDenied);
    assert_ne!(read.content_hash, shown.content_hash);
    let whole = sol.sign_as_helper(&first, &shown.content_hash, SOL, "").await.unwrap_err();
    assert_eq!(reason(&whole), "CONTENT_CHANGED", "they sign what they read");
    let plain = sol.without_step_up().sign_as_helper(&first, &read.content_hash, SOL, "").await;
    assert_eq!(plain.unwrap_err().code(), Code::PermissionDenied, "without the second factor");
    sol.sign_as_helper(&first, &read.content_hash, "solveig SAMPLE", "").await.unwrap();
    assert_eq!(reason(&sol.read_as_helper(&first).await.unwrap_err()), "CODE_UNKNOWN", "used");
    assert_eq!(rui.members(&draft).await, [state(1, "solveig SAMPLE", "signed"), state(2, PIA, "asked")]);
    pia.sign_part(&second, PIA).await.unwrap();
    for member in [&sol, &pia] {
        assert_eq!(member.get(&draft).await.unwrap_err().code(), Code::NotFound);
        assert!(member.list().await.is_empty());
    }

    let hash = rui.review(&draft).await.unwrap().content_hash;
    assert_eq!(hash, shown.content_hash, "whether they have signed is no part of the text");
    assert_eq!(rui.sign(&draft, &hash, "Rui Souza").await.unwrap().state, "signed");
    let said = text(&rui.copy(&draft).await.unwrap().1);
    for word in ["Applicant", "Rui Souza", "Family member", "solveig SAMPLE", PIA, "named in this part"] {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    assert!(said.replace(' ', "").contains(&hex::encode(&read.content_hash)), "{said}");
    let payment = rui.submit(&draft).await.unwrap().payment;
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    rui.until(&draft, "submitted").await;
    let Event::FilingSubmitted(submitted) = world.last_event(&draft).await else { panic!("another event") };
    assert_eq!(submitted.facts.unwrap().signed_as, "self", "all names are proven");
    assert_eq!(submitted.co_signers, [sol.account.to_string(), pia.account.to_string()]);
    assert_eq!(rui.members(&draft).await, [state(1, "solveig SAMPLE", "signed"), state(2, PIA, "signed")]);
    world.expect_nothing_personal_in_the_clear(&["olveig", "ólveig", "SAMPLE", "Part of", &first]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_asks_all_of_them_anew_and_one_account_signs_for_one() {
    let world = World::start().await;
    let (rui, sol) = (world.person("Rui", "Souza"), world.unproven_person());
    let draft = ready(&world, &rui).await;
    let (first, second) = (rui.member_code(&draft, 1).await, rui.member_code(&draft, 2).await);
    sol.sign_part(&first, SOL).await.unwrap();
    assert_eq!(reason(&sol.sign_part(&second, PIA).await.unwrap_err()), "ONE_ACCOUNT_EACH");
    // A change of what none of them reads ends what one signed and what the other was asked.
    rui.answer(&draft, &json!({ "app_birth_city": "Bursa" })).await.unwrap();
    let Event::CoSignaturesEnded(ended) = world.last_event(&draft).await else { panic!("another event") };
    assert_eq!(ended.accounts, [sol.account.to_string()]);
    assert_eq!(rui.members(&draft).await, [state(1, SOL, "changed"), state(2, PIA, "unasked")]);
    assert_eq!(reason(&sol.read_as_helper(&second).await.unwrap_err()), "CODE_UNKNOWN");

    // One signs on paper instead: the slot is there for whoever does.
    let mut members = application(world.now_us())["co_applicants"].clone();
    members[1]["signs"] = json!("on_paper");
    members[1]["signed"] = json!(true);
    let filing = rui.answer(&draft, &json!({ "co_applicants": members })).await.unwrap();
    let paper = filing.evidence_needs.iter().find(|need| need.kind == "i539a").unwrap();
    assert!(!filing.ready && !paper.satisfied);
    assert_eq!(reason(&rui.ask_member(&draft, 1, "").await.unwrap_err()), "NOT_READY");
    rui.upload(&draft, "i539a", "signed.png", &files::picture(92)).await.unwrap();
    assert_eq!(rui.members(&draft).await, [state(1, SOL, "changed")]);
    let code = rui.member_code(&draft, 1).await;
    sol.sign_part(&code, SOL).await.unwrap();
    rui.quote(&draft).await.unwrap();
    let shown = rui.review(&draft).await.unwrap();
    assert!(!shown.text.contains("Family member: Pia"), "{}", shown.text);
    rui.sign(&draft, &shown.content_hash, "Rui Souza").await.unwrap();
    let payment = rui.submit(&draft).await.unwrap().payment;
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    rui.until(&draft, "submitted").await;
    let Event::FilingSubmitted(submitted) = world.last_event(&draft).await else { panic!("another event") };
    assert_eq!(submitted.facts.unwrap().signed_as, "self_other_name", "an officer looks");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_by_mail_is_for_notifications_to_send_until_it_is_taken_back() {
    let world = World::start().await;
    let (rui, sol, eve) =
        (world.person("Rui", "Souza"), world.person("Sólveig", "Sample"), world.person("Eve", "Other"));
    let draft = ready(&world, &rui).await;
    let nowhere = rui.ask_member(&draft, 1, "no address").await.unwrap_err();
    assert_eq!(reason(&nowhere), "EMAIL_MALFORMED");
    let code = rui.ask_member(&draft, 1, "Sol@Example.test").await.unwrap().code;
    let (id, Event::HelperAsked(asked)) = world.last_event_with_id(&draft).await else {
        panic!("another event")
    };
    assert!(asked.by_mail && asked.mail_to.is_empty(), "the address is sealed");
    let sent = world.invitation("notifications", &draft, &id).await.unwrap();
    assert_eq!((&*sent.mail_to, &sent.code), ("Sol@example.test", &code));
    assert_eq!(world.invitation("payments", &draft, &id).await.unwrap_err().code(), Code::PermissionDenied);
    let other = rui.start("I-539").await.unwrap().name;
    assert_eq!(world.invitation("notifications", &other, &id).await.unwrap_err().code(), Code::NotFound);

    assert_eq!(eve.withdraw_member(&draft, 1).await.unwrap_err().code(), Code::NotFound);
    let after = rui.withdraw_member(&draft, 1).await.unwrap();
    assert_eq!(after.helpers[0].state, "unasked");
    assert_eq!(reason(&sol.read_as_helper(&code).await.unwrap_err()), "CODE_UNKNOWN");
    assert_eq!(reason(&rui.withdraw_member(&draft, 1).await.unwrap_err()), "HELPER_NOT_ASKED");
    let nothing = world.invitation("notifications", &draft, &id).await.unwrap();
    assert_eq!(nothing, pb::OpenInvitationResponse::default());
    world.expect_nothing_personal_in_the_clear(&["Sol@", "example.test", &code]).await;
}
