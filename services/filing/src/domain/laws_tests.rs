//! Laws of the folds: what was ever written folds still, and over random lives of a filing what is decided folds. Those of its package,
//! its representation and a response are in the files below.

mod appearances;
mod packages;
mod responses;

use std::collections::BTreeSet;

use docket_eventlog::Aggregate;
use docket_kernel::Refusal;
use docket_proto::events::filing::Event;
use docket_proto::events::package::Event as PackageEvent;
use docket_proto::events::practitioner::Event as PractitionerEvent;
use docket_proto::events::representation::Event as RepresentationEvent;
use docket_proto::events::response::Event as ResponseEvent;
use docket_proto::filing::events::v1 as pb;
use docket_testkit::evolution::{Fold, owns};
use proptest::prelude::*;
use uuid::Uuid;

use super::at_hand::LastDay;
use super::attached::{Attached, NewFile, Verdict};
use super::filing::{
    self, Capacity, Checked, EditionChange, Ending, Fee, Filer, Filing, HelperCode, HelperRole, HelperSign,
    MOST_FILES, Overtaken, Phase, Review, Settled, Sign, Standing, Start, WaiverAsked,
};
use super::practitioner::Practitioner;
use super::representation::Representation;
use super::{package, response};
use crate::aggregates::{Filings, Packages, Practitioners, Representations, Responses};

const FILING: Fold<Event, Filing> = Fold {
    evolve: Filings::evolve,
    // Every event is counted; that alone is no fold.
    seen: |filing| Filing { version: 0, worked: 0, ..filing },
    life: &[
        "filing.draft_started.v1",
        "filing.draft_answered.v1",
        "filing.evidence_added.v1",
        "filing.review_asked.v1",
        "filing.returned.v1",
        "filing.approved.v1",
        "filing.helper_asked.v1",
        "filing.helper_signed.v1",
        "filing.fee_shown.v1",
        "filing.signed.v1",
        "filing.sent.v1",
        "filing.submitted.v1",
        "filing.acceptance_recorded.v1",
        "filing.unsolicited_evidence_added.v1",
    ],
    // It tells what the change before it ended.
    changes_nothing: &["filing.co_signatures_ended.v1"],
};

const PACKAGE: Fold<PackageEvent, package::Package> = Fold {
    evolve: Packages::evolve,
    seen: |package| package,
    life: &[
        "package.filer_invited.v1",
        "package.filing_added.v1",
        "package.ready_for_payment.v1",
        "package.payer_reminded.v1",
    ],
    // It only asks payments to end what waits.
    changes_nothing: &["package.left_unpaid.v1"],
};

const REPRESENTATION: Fold<RepresentationEvent, Representation> = Fold {
    evolve: Representations::evolve,
    seen: |representation| representation,
    life: &[
        "representation.sought.v1",
        "representation.prepared.v1",
        "representation.accepted.v1",
        "representation.wishes_changed.v1",
        "representation.withdrawn.v1",
    ],
    changes_nothing: &[],
};

const PRACTITIONER: Fold<PractitionerEvent, Practitioner> = Fold {
    evolve: Practitioners::evolve,
    seen: |practitioner| practitioner,
    life: &["practitioner.barred.v1", "practitioner.reinstated.v1"],
    changes_nothing: &[],
};

const RESPONSE: Fold<ResponseEvent, response::Response> = Fold {
    evolve: Responses::evolve,
    seen: |response| response,
    life: &[
        "response.opened.v1",
        "response.item_explained.v1",
        "response.item_explanation_dropped.v1",
        "response.evidence_added.v1",
        "response.submitted.v1",
    ],
    changes_nothing: &[],
};

#[test]
fn the_events_of_this_service_fold() {
    let folded = ["filing", "package", "practitioner", "representation", "response"];
    // Who opened a file is read as it was written.
    owns("docket.filing.events.v1", &folded, &[("access", "nothing is decided by who opened a file")]);
    FILING.every_golden_folds();
    PACKAGE.every_golden_folds();
    PRACTITIONER.every_golden_folds();
    REPRESENTATION.every_golden_folds();
    RESPONSE.every_golden_folds();
}

#[test]
fn any_events_of_this_service_obey_the_laws_of_a_fold() {
    FILING.any_events_obey_the_laws();
    PACKAGE.any_events_obey_the_laws();
    PRACTITIONER.any_events_obey_the_laws();
    REPRESENTATION.any_events_obey_the_laws();
    RESPONSE.any_events_obey_the_laws();
}

/// A command with whatever a caller may send; `current` is what the edge saw last, else something older.
#[derive(Debug, Clone)]
enum Command {
    Start { represented: bool },
    Appoint { pending: bool },
    AskReview { current: bool },
    GiveBack,
    Approve { current: bool },
    Answer { current: bool },
    Attach(u8),
    Scan(u8, Verdict),
    Detach(u8),
    ShowFee { current: bool },
    Sign { current: bool, name_agrees: bool },
    AskHelper { role: HelperRole, current: bool, by_mail: bool },
    WithdrawHelper(HelperRole),
    SignAsHelper { role: HelperRole, current: bool, other: bool },
    Send { current: bool },
    Recall { own_package: bool },
    Submit { own_package: bool, authorised_at_us: i64 },
    Accept,
    Reject,
    Void,
    BeginAgain { gone: bool },
    AnnounceExpiry { current: bool, days: u32 },
    Expire { current: bool },
    Abandon,
    AskFeeWaiver(bool),
    ExplainMissing(bool),
    AddUnsolicited(u8, Standing),
    ChangeEdition { current: bool },
    VoidSignature { current: bool },
    RemindReview { current: bool, days: u32 },
}

fn standing() -> impl Strategy<Value = Standing> {
    let open = Standing::RequestOpen(Uuid::from_u128(7));
    let all = [Standing::Pending, Standing::Pending, Standing::RequestWaits, open, Standing::Decided];
    prop::sample::select(all.to_vec())
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop::sample::select(vec![Verdict::Clean, Verdict::Clean, Verdict::Infected, Verdict::Unscannable])
}

fn beside() -> impl Strategy<Value = HelperRole> {
    prop::sample::select(vec![HelperRole::Interpreter, HelperRole::CoSigner, HelperRole::OneOf(2)])
}

fn command() -> impl Strategy<Value = Command> {
    use Command::*;
    let mostly = || prop::bool::weighted(0.9);
    prop_oneof![
        2 => any::<bool>().prop_map(|represented| Start { represented }),
        1 => any::<bool>().prop_map(|pending| Appoint { pending }),
        3 => mostly().prop_map(|current| AskReview { current }),
        1 => Just(GiveBack),
        3 => mostly().prop_map(|current| Approve { current }),
        1 => mostly().prop_map(|current| Answer { current }),
        1 => any::<u8>().prop_map(Attach),
        2 => (any::<u8>(), verdict()).prop_map(|(number, verdict)| Scan(number, verdict)),
        1 => any::<u8>().prop_map(Detach),
        5 => mostly().prop_map(|current| ShowFee { current }),
        5 => (mostly(), mostly()).prop_map(|(current, name_agrees)| Sign { current, name_agrees }),
        3 => (beside(), mostly(), any::<bool>()).prop_map(|(role, current, by_mail)| AskHelper { role, current, by_mail }),
        1 => beside().prop_map(WithdrawHelper),
        3 => (beside(), mostly(), mostly()).prop_map(|(role, current, other)| SignAsHelper { role, current, other }),
        4 => mostly().prop_map(|current| Send { current }),
        1 => mostly().prop_map(|own_package| Recall { own_package }),
        3 => (mostly(), 0..3_000_i64).prop_map(|(own_package, authorised_at_us)| Submit { own_package, authorised_at_us }),
        1 => Just(Accept),
        2 => Just(Reject),
        1 => Just(Void),
        2 => any::<bool>().prop_map(|gone| BeginAgain { gone }),
        3 => (mostly(), prop::sample::select(vec![14, 7, 1, 1])).prop_map(|(current, days)| AnnounceExpiry { current, days }),
        2 => mostly().prop_map(|current| Expire { current }),
        1 => Just(Abandon),
        2 => mostly().prop_map(|current| ChangeEdition { current }),
        1 => mostly().prop_map(|current| VoidSignature { current }),
        2 => (mostly(), prop::sample::select(vec![2, 5, 9])).prop_map(|(current, days)| RemindReview { current, days }),
        1 => any::<bool>().prop_map(AskFeeWaiver),
        1 => any::<bool>().prop_map(ExplainMissing),
        2 => (any::<u8>(), standing()).prop_map(|(number, standing)| AddUnsolicited(number, standing)),
    ]
}

fn file(number: u8, kind: &str) -> NewFile {
    let attached = Attached {
        id: Uuid::from_u128(u128::from(number) + 100),
        kind: kind.into(),
        commitment: vec![number; 32],
        media_type: "application/pdf".into(),
        size: 1,
        object_key: format!("objects/{number}"),
        foreign_language: number.is_multiple_of(2),
        being_checked: number.is_multiple_of(5),
        hard_to_read: Vec::new(),
    };
    NewFile { attached, file_name: "scan.pdf".into(), salt: vec![1; 32], same_as: None }
}

/// Stands for the keyed hash of the text at a version.
fn mac(content_version: u64) -> Vec<u8> {
    content_version.to_be_bytes().to_vec()
}

/// Some versions of the answers say that somebody interpreted, some that two file it, some that several do.
fn helping(filing: &Filing) -> BTreeSet<HelperRole> {
    let helped = filing.content_version.is_multiple_of(4).then_some(HelperRole::Interpreter);
    let joint = filing.content_version.is_multiple_of(3).then_some(HelperRole::CoSigner);
    let several = filing.content_version.is_multiple_of(5).then_some(HelperRole::OneOf(2));
    helped.into_iter().chain(joint).chain(several).collect()
}

/// Stands for the keyed hash of what somebody signs beside the filer: one of several a part.
fn mac_of(role: HelperRole, content_version: u64) -> Vec<u8> {
    let mut mac = mac(content_version);
    mac.extend((role.person() > 0).then_some(1));
    mac
}

/// Some versions of the answers have a last day, which is at hand for half of these.
fn last_day(filing: &Filing) -> Option<LastDay> {
    let at_hand = filing.content_version.is_multiple_of(4);
    let on = jiff::civil::date(2026, 3, 2);
    filing.content_version.is_multiple_of(2).then_some(LastDay { on, at_hand })
}

/// Nothing that is signed or sent waits for the scanner, but on its last day.
fn is_scanned(filing: &Filing) -> bool {
    let at_hand = last_day(filing).is_some_and(|last| last.at_hand);
    at_hand || !filing.evidence.iter().any(|file| file.being_checked)
}

fn checked(filing: &Filing, current: bool) -> Checked {
    let content_version =
        if current { filing.content_version } else { filing.content_version.wrapping_sub(1) };
    let content_mac = mac(content_version);
    Checked {
        content_version,
        not_ready: None,
        answers_mac: content_mac.clone(),
        content_mac,
        content_macs_before: Vec::new(),
        helpers: helping(filing),
        last_day: last_day(filing),
        parts: [(HelperRole::OneOf(2), mac_of(HelperRole::OneOf(2), content_version))].into(),
    }
}

fn decide(filing: &Filing, command: &Command) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Start { represented } => filing::start(filing, a_start(*represented)),
        Command::Appoint { pending } => {
            let appearance = Uuid::from_u128(u128::from(filing.version));
            filing::appoint(filing, *pending, (appearance, Uuid::from_u128(6)), None)
        }
        Command::AskReview { current } => filing::ask_review(filing, &checked(filing, *current)),
        Command::GiveBack => filing::give_back(filing, "the date is wrong".into(), Some(Uuid::from_u128(6))),
        Command::Approve { current } => {
            let checked = checked(filing, *current);
            filing::approve(filing, &checked, &checked.content_mac, (Some(Uuid::from_u128(6)), "2026-03-01"))
        }
        Command::Answer { current } => {
            let etag = if *current { filing.version } else { filing.version + 1 };
            filing::answer(filing, etag, vec!["basis".into()], "{}".into())
        }
        Command::Attach(number) => filing::attach(filing, file(*number, "green_card")),
        Command::Scan(number, verdict) => {
            let any = filing.evidence.iter().cycle().nth((*number).into());
            let evidence = any.map_or(Uuid::nil(), |attached| attached.id);
            Ok(filing::scanned_file(filing, evidence, *verdict, Some(Uuid::from_u128(6))))
        }
        Command::Detach(number) => {
            let any = filing.evidence.iter().cycle().nth((*number).into());
            filing::detach(filing, any.map_or(Uuid::nil(), |attached| attached.id))
        }
        Command::ShowFee { current } => {
            let answers_mac = checked(filing, *current).answers_mac;
            filing::show_fee(filing, Fee { quote: Uuid::from_u128(9), total_cents: 71_000, answers_mac })
        }
        Command::Sign { current, name_agrees } => sign(filing, *current, *name_agrees),
        Command::AskHelper { role, current, by_mail } => {
            let code = HelperCode { mac: vec![1; 32], valid_until_us: 2_000 };
            let mail_to = if *by_mail { "sol@example.test" } else { "" };
            filing::ask_helper(filing, &checked(filing, *current), *role, (code, mail_to.into()))
        }
        Command::WithdrawHelper(role) => filing::withdraw_helper(filing, *role, 1_400),
        Command::SignAsHelper { role, current, other } => sign_as_helper(filing, *role, *current, *other),
        Command::Send { current } => filing::send(filing, &checked(filing, *current), "Pacific/Honolulu"),
        Command::Recall { own_package } => {
            let package = if *own_package { filing.package } else { Uuid::from_u128(0xBAD) };
            Ok(filing::recall(filing, package, ""))
        }
        Command::Submit { own_package, authorised_at_us } => {
            let settled = Settled {
                package: if *own_package { filing.package } else { Uuid::from_u128(0xBAD) },
                payment: None,
                authorised_at_us: *authorised_at_us,
                family: "naturalization".into(),
                other_name: false,
                facts: pb::DerivedFacts::default(),
                gives_address: false,
                represented: None,
            };
            filing::submit(filing, settled)
        }
        Command::Accept => filing::accept(filing, "DKT1234567897".into()),
        Command::Reject => filing::reject(filing, vec!["X-SIGN".into()]),
        Command::Void => filing::void(filing, "payment".into()),
        Command::AskFeeWaiver(false) => filing::drop_fee_waiver(filing, 0),
        Command::AskFeeWaiver(true) => {
            let asked = WaiverAsked {
                merged_at: filing.version,
                etag: 0,
                changed: vec!["basis".into()],
                answers: (vec!["basis".into()], "{}".into()),
            };
            filing::ask_fee_waiver(filing, asked)
        }
        Command::ExplainMissing(said) => {
            filing::explain_missing(filing, "birth_certificate", said.then(|| "the archive burned".into()))
        }
        Command::AddUnsolicited(number, standing) => {
            filing::add_unsolicited(filing, *standing, file(*number, filing::OTHER), 3_000)
        }
        Command::BeginAgain { gone } => {
            filing::begin_again(filing, Uuid::from_u128(u128::from(filing.version)), *gone)
        }
        Command::AnnounceExpiry { current, days } => {
            filing::announce_expiry(filing, ending(filing, *current), *days)
        }
        Command::Expire { current } => filing::expire(filing, ending(filing, *current)),
        Command::Abandon => filing::abandon(filing),
        Command::ChangeEdition { current } => {
            let next = if filing.edition == "2025-01-20" { "2026-09-15" } else { "2027-01-01" };
            let change = EditionChange {
                edition: next.into(),
                questions: vec!["basis".into()],
                answers_json: r#"{"basis":null}"#.into(),
                attention_json: "[]".into(),
                overtaken: overtaken(filing, *current),
            };
            filing::change_edition(filing, change)
        }
        Command::VoidSignature { current } => filing::void_signature(filing, &overtaken(filing, *current)),
        Command::RemindReview { current, days } => {
            let asked = if *current { filing.asked.0 } else { filing.asked.0 + 1 };
            filing::remind_review(filing, asked, *days)
        }
    }
}

fn sign(filing: &Filing, current: bool, name_agrees: bool) -> Result<Vec<Event>, Refusal> {
    let checked = checked(filing, current);
    let sign = Sign {
        signer: Uuid::from_u128(3),
        role: "applicant".into(),
        capacity: Capacity::OneSelf,
        filer: Filer { age: Some(40), ..Filer::default() },
        ended: None,
        shown_mac: checked.content_mac.clone(),
        name_agrees,
        typed_name: "Ina Example".into(),
        proven_name: String::new(),
        name_unproven: false,
        signed_at_us: 1_500,
        catalogue_version: "2026-03-01".into(),
        sheet_json: String::new(),
        sheet_key: String::new(),
    };
    filing::sign(filing, &checked, sign)
}

fn sign_as_helper(
    filing: &Filing,
    role: HelperRole,
    current: bool,
    other: bool,
) -> Result<Vec<Event>, Refusal> {
    let checked = checked(filing, current);
    let account = Uuid::from_u128(if other { 8 } else { 3 });
    let shown_mac = checked.signed_by(role).to_vec();
    let sign = HelperSign {
        role,
        account,
        code_mac: vec![1; 32],
        shown_mac: shown_mac.clone(),
        name_agrees: true,
        language_agrees: true,
        signed: pb::HelperSigned {
            role: role.as_str().into(),
            account_id: account.to_string(),
            content_mac: shown_mac,
            person: role.person(),
            signed_at_us: 1_400,
            ..Default::default()
        },
    };
    filing::sign_as_helper(filing, &checked, sign)
}

fn a_start(represented: bool) -> Start {
    Start {
        form: "N-400".into(),
        edition: "2025-01-20".into(),
        package: Uuid::from_u128(2),
        account: Uuid::from_u128(3),
        zone: "America/Chicago".into(),
        continues: None,
        representation: represented.then(|| Uuid::from_u128(5)),
    }
}

fn overtaken(filing: &Filing, current: bool) -> Overtaken {
    Overtaken {
        version: if current { filing.version } else { filing.version + 1 },
        representative: Some(Uuid::from_u128(6)),
        catalogue_version: "2026-09-01".into(),
    }
}

fn ending(filing: &Filing, current: bool) -> Ending {
    Ending {
        version: if current { filing.version } else { filing.version.saturating_sub(1) },
        representative: None,
        kept_until: jiff::civil::date(2026, 11, 23),
    }
}

/// A change leaves no signature and nothing that a co-signer was asked for.
fn is_changed(before: &Filing, after: &Filing) {
    assert!(before.open().is_ok() && after.signature.is_none());
    assert!(after.content_version > before.content_version);
    let mut others = after.helpers.iter().filter(|(role, _)| role.is_co_signer());
    assert!(others.all(|(_, other)| other.ended && other.code.is_none()), "nobody reads on");
}

fn reminds(before: &Filing, reminded: &pb::FilingReviewReminded, after: &Filing) {
    assert!(before.awaits_review() && before.asked.1 < reminded.days);
    let unreminded = Filing { version: before.version, asked: before.asked, ..after.clone() };
    assert_eq!(&unreminded, before, "to be reminded is no work");
}

/// A clean file changes nothing of what is signed; another one is taken off with all that a change ends, or, where it was sent, from
/// what stays as it is.
fn scans(before: &Filing, scanned: &pb::EvidenceScanned, after: &Filing) {
    let of = |filing: &Filing| filing.evidence.iter().any(|file| file.id.to_string() == scanned.evidence_id);
    assert!(!before.is_gone() && of(before));
    assert_eq!((before.worked, before.told), (after.worked, after.told), "it is no work");
    if scanned.verdict == "clean" {
        let unscanned =
            Filing { version: before.version, evidence: before.evidence.clone(), ..after.clone() };
        assert!(of(after) && &unscanned == before);
    } else {
        assert!(!of(after) && after.refused.len() == before.refused.len() + 1);
        if before.open().is_ok() {
            return is_changed(before, after);
        }
        let Filing { version, content_version, .. } = *before;
        let (evidence, refused) = (before.evidence.clone(), before.refused.clone());
        let stays = Filing { version, content_version, evidence, refused, ..after.clone() };
        assert_eq!(&stays, before, "it stays received as it was");
    }
}

/// A helper is asked for what stands, signs it once, and is asked no more when it was taken back.
#[expect(clippy::wildcard_enum_match_arm, reason = "those of helpers, which the caller sorts out")]
fn helps(before: &Filing, event: &Event, after: &Filing) {
    match event {
        Event::HelperAsked(asked) => {
            let role = HelperRole::known(&asked.role, asked.person).unwrap();
            assert!(before.open().is_ok() && helping(before).contains(&role));
            assert!(before.helper_signed(role, &mac_of(role, before.content_version)).is_none());
            assert_eq!(
                (asked.by_mail, after.invitations > before.invitations),
                (!asked.mail_to.is_empty(), asked.by_mail)
            );
        }
        Event::HelperSigned(signed) => {
            let role = HelperRole::known(&signed.role, signed.person).unwrap();
            assert!(before.helper_waits(role, signed.signed_at_us).is_some());
            assert!(after.helper_waits(role, signed.signed_at_us).is_none(), "once");
            assert!(signed.content_mac == mac_of(role, before.content_version));
            assert!(signed.account_id != before.account.to_string());
        }
        Event::HelperAskWithdrawn(taken_back) => {
            let role = HelperRole::known(&taken_back.role, taken_back.person).unwrap();
            assert!(before.helper_waits(role, 1_400).is_some() && after.helper_waits(role, 1_400).is_none());
        }
        other => panic!("{other:?} is not of a helper"),
    }
}

/// Nothing goes in that was not signed as it stands, with its fee shown for it.
fn holds(before: &Filing, event: &Event, after: &Filing) {
    let now = mac(before.content_version);
    match event {
        Event::DraftStarted(_) => assert_eq!(before.phase, Phase::Absent),
        Event::DraftAnswered(_)
        | Event::EvidenceAdded(_)
        | Event::EvidenceRemoved(_)
        | Event::MissingEvidenceExplained(_)
        | Event::MissingEvidenceExplanationDropped(_)
        | Event::FeeWaiverRequested(_)
        | Event::FeeWaiverDropped(_) => is_changed(before, after),
        Event::EvidenceScanned(scanned) => scans(before, scanned, after),
        Event::UnsolicitedEvidenceAdded(_) => {
            assert_eq!(before.phase, Phase::Accepted);
            assert_eq!(after.unsolicited.len(), before.unsolicited.len() + 1);
            let (version, worked) = (before.version, before.worked);
            let beside = Filing { version, worked, unsolicited: before.unsolicited.clone(), ..after.clone() };
            assert_eq!(&beside, before, "what was signed changed");
        }
        Event::DraftEditionChanged(changed) => {
            assert!(before.open().is_ok() && after.signature.is_none() && before.edition != after.edition);
            assert_eq!((&before.edition, &after.edition), (&changed.from_edition, &changed.edition));
            assert_eq!((before.worked, before.told), (after.worked, after.told), "it is no work");
            assert!(after.content_version > before.content_version);
        }
        Event::DraftExpiryAnnounced(_) => {
            assert!(before.open().is_ok());
            let untold = Filing { version: before.version, told: before.told, ..after.clone() };
            assert_eq!(&untold, before, "to be told is no work");
        }
        Event::DraftExpired(_) => {
            assert!(before.open().is_ok() && matches!(before.told, Some((_, 1))), "the last word was said");
            assert!(after.is_gone() && after.open().is_err());
        }
        Event::DraftAbandoned(_) => assert!(before.open().is_ok() && after.is_gone()),
        Event::FeeShown(_) => assert_eq!(before.phase, after.phase),
        Event::RepresentativeAppointed(_) => {
            let open = before.open().is_ok();
            assert!(open || before.phase == Phase::Accepted);
            assert_eq!((after.content_version, &after.fee), (before.content_version, &before.fee));
            assert!(!open || (after.signature.is_none() && after.review == Review::None));
            assert!(open || (&after.signature, after.phase) == (&before.signature, before.phase));
        }
        Event::FilingReviewAsked(_) => assert!(before.representation.is_some() && before.open().is_ok()),
        Event::FilingReturned(_) => assert!(matches!(before.review, Review::Asked | Review::Approved(_))),
        Event::FilingApproved(approved) => assert_eq!(approved.content_mac, now),
        Event::HelperAsked(_) | Event::HelperSigned(_) | Event::HelperAskWithdrawn(_) => {
            helps(before, event, after);
        }
        Event::CoSignaturesEnded(ended) => {
            // The change came before, in the same append.
            assert!(before.co_signers().next().is_none() && !ended.accounts.is_empty());
            assert_eq!((before.worked, before.told), (after.worked, after.told), "it is no work");
        }
        Event::ApprovalVoided(voided) => {
            // The change came just before, in the same append.
            assert_eq!((before.review.clone(), before.content_version), (Review::None, before.version));
            assert_eq!(voided.representative, before.prepared_by.unwrap().to_string());
        }
        Event::SignatureVoided(voided) => {
            assert!(before.open().is_ok() && after.overtaken && !after.is_agreed());
            assert_eq!((before.worked, before.told), (after.worked, after.told), "it is no work");
            assert_eq!(voided.account_id, before.account.to_string());
        }
        Event::FilingReviewReminded(reminded) => reminds(before, reminded, after),
        Event::FilingSigned(signed) => {
            assert!(!after.overtaken && is_scanned(before));
            // Whoever helped has signed this very text.
            let mac = |role: HelperRole| mac_of(role, before.content_version);
            assert!(helping(before).iter().all(|role| before.helper_signed(*role, &mac(*role)).is_some()));
            // What a representative prepared is signed only as the client approved it.
            assert!(before.representation.is_none() || before.review == Review::Approved(now.clone()));
            assert_eq!((&signed.content_mac, &before.fee.as_ref().unwrap().answers_mac), (&now, &now));
        }
        Event::FilingSent(sent) => {
            assert!(is_scanned(before));
            assert_eq!((&before.signature.as_ref().unwrap().content_mac, &after.zone), (&now, &sent.zone));
        }
        Event::FilingRecalled(_) => {
            assert_eq!((before.phase, after.phase), (Phase::Sent, Phase::Draft));
            assert!(after.fee.is_none() && after.signature.is_none() && after.told.is_none());
            assert_eq!((before.content_version, &before.review), (after.content_version, &after.review));
        }
        Event::FilingSubmitted(submitted) => {
            let signature = before.signature.as_ref().unwrap();
            assert_eq!((before.phase, &submitted.content_mac), (Phase::Sent, &signature.content_mac));
            assert!(submitted.submitted_at_us >= signature.signed_at_us);
            assert_eq!(submitted.evidence.len(), before.evidence.len());
        }
        Event::AcceptanceRecorded(_) => assert_eq!(before.phase, Phase::Submitted),
        Event::RejectionRecorded(_) => assert!(before.phase == Phase::Submitted && after.open().is_err()),
        Event::VoidingRecorded(_) => assert!(before.phase == Phase::Accepted && after.open().is_err()),
        Event::FilingContinued(_) => {
            assert!(matches!(before.phase, Phase::Rejected | Phase::Voided));
            assert!(after.continued_as.is_some() && after.continued_as != before.continued_as);
        }
    }
    assert_eq!(after.version, before.version + 1);
    assert!(after.evidence.len() <= MOST_FILES && after.unsolicited.len() <= MOST_FILES);
    assert_eq!(after.receipt_number.is_empty(), !matches!(after.phase, Phase::Accepted | Phase::Voided));
}

#[test]
fn whatever_is_decided_for_a_filing_folds() {
    FILING.decided_lives(&[], command(), decide, holds);
}
