//! Laws over random lives of a filing, its package and a response: what is decided folds, and what was ever written
//! still does.

use docket_eventlog::Aggregate;
use docket_kernel::Refusal;
use docket_proto::events::filing::Event;
use docket_proto::events::package::Event as PackageEvent;
use docket_proto::events::response::Event as ResponseEvent;
use docket_proto::filing::events::v1 as pb;
use docket_testkit::evolution::{Fold, owns};
use proptest::prelude::*;
use uuid::Uuid;

use super::attached::{Attached, NewFile};
use super::filing::{self, Capacity, Checked, Fee, Filing, MOST_FILES, Phase, Settled, Sign, Start};
use super::{package, response};
use crate::aggregates::{Filings, Packages, Responses};

const FILING: Fold<Event, Filing> = Fold {
    evolve: Filings::evolve,
    // Every event is counted; that alone is no fold.
    seen: |filing| Filing { version: 0, ..filing },
    life: &[
        "filing.draft_started.v1",
        "filing.draft_answered.v1",
        "filing.evidence_added.v1",
        "filing.fee_shown.v1",
        "filing.signed.v1",
        "filing.sent.v1",
        "filing.submitted.v1",
        "filing.acceptance_recorded.v1",
    ],
    changes_nothing: &[],
};

const PACKAGE: Fold<PackageEvent, package::Package> = Fold {
    evolve: Packages::evolve,
    seen: |package| package,
    life: &["package.ready_for_payment.v1"],
    changes_nothing: &[],
};

const RESPONSE: Fold<ResponseEvent, response::Response> = Fold {
    evolve: Responses::evolve,
    seen: |response| response,
    life: &["response.opened.v1", "response.evidence_added.v1", "response.submitted.v1"],
    changes_nothing: &[],
};

#[test]
fn the_events_of_this_service_fold() {
    owns("docket.filing.events.v1", &["filing", "package", "response"], &[]);
    FILING.every_golden_folds();
    PACKAGE.every_golden_folds();
    RESPONSE.every_golden_folds();
}

#[test]
fn any_events_of_a_filing_package_or_response_obey_the_laws_of_a_fold() {
    FILING.any_events_obey_the_laws();
    PACKAGE.any_events_obey_the_laws();
    RESPONSE.any_events_obey_the_laws();
}

/// A command with whatever a caller may send; `current` is what the edge saw last, else something older.
#[derive(Debug, Clone)]
enum Command {
    Start,
    Answer { current: bool },
    Attach(u8),
    Detach(u8),
    ShowFee { current: bool },
    Sign { current: bool, name_agrees: bool },
    Send { current: bool },
    Submit { own_package: bool, authorised_at_us: i64 },
    Accept,
    Reject,
    Void,
    BeginAgain,
    AskFeeWaiver(bool),
}

fn command() -> impl Strategy<Value = Command> {
    use Command::*;
    let mostly = || prop::bool::weighted(0.9);
    prop_oneof![
        2 => Just(Start),
        1 => mostly().prop_map(|current| Answer { current }),
        1 => any::<u8>().prop_map(Attach),
        1 => any::<u8>().prop_map(Detach),
        5 => mostly().prop_map(|current| ShowFee { current }),
        5 => (mostly(), mostly()).prop_map(|(current, name_agrees)| Sign { current, name_agrees }),
        4 => mostly().prop_map(|current| Send { current }),
        3 => (mostly(), 0..3_000_i64).prop_map(|(own_package, authorised_at_us)| Submit { own_package, authorised_at_us }),
        1 => Just(Accept),
        2 => Just(Reject),
        1 => Just(Void),
        2 => Just(BeginAgain),
        1 => any::<bool>().prop_map(AskFeeWaiver),
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
    };
    NewFile { attached, file_name: "scan.pdf".into(), salt: vec![1; 32], same_as: None }
}

/// Stands for the keyed hash of the text at a version.
fn mac(content_version: u64) -> Vec<u8> {
    content_version.to_be_bytes().to_vec()
}

fn checked(filing: &Filing, current: bool) -> Checked {
    let content_version =
        if current { filing.content_version } else { filing.content_version.wrapping_sub(1) };
    let content_mac = mac(content_version);
    Checked { content_version, not_ready: None, answers_mac: content_mac.clone(), content_mac }
}

fn decide(filing: &Filing, command: &Command) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Start => filing::start(
            filing,
            Start {
                form: "N-400".into(),
                edition: "2025-01-20".into(),
                package: Uuid::from_u128(2),
                account: Uuid::from_u128(3),
                zone: "America/Chicago".into(),
                continues: None,
            },
        ),
        Command::Answer { current } => {
            let etag = if *current { filing.version } else { filing.version + 1 };
            filing::answer(filing, etag, vec!["basis".into()], "{}".into())
        }
        Command::Attach(number) => filing::attach(filing, file(*number, "green_card")),
        Command::Detach(number) => {
            let any = filing.evidence.iter().cycle().nth((*number).into());
            filing::detach(filing, any.map_or(Uuid::nil(), |attached| attached.id))
        }
        Command::ShowFee { current } => {
            let answers_mac = checked(filing, *current).answers_mac;
            filing::show_fee(filing, Fee { quote: Uuid::from_u128(9), total_cents: 71_000, answers_mac })
        }
        Command::Sign { current, name_agrees } => {
            let checked = checked(filing, *current);
            let sign = Sign {
                signer: Uuid::from_u128(3),
                role: "applicant".into(),
                capacity: Capacity::OneSelf,
                age: 40,
                shown_mac: checked.content_mac.clone(),
                name_agrees: *name_agrees,
                typed_name: "Ina Example".into(),
                proven_name: String::new(),
                signed_at_us: 1_500,
                catalogue_version: "2026-03-01".into(),
            };
            filing::sign(filing, &checked, sign)
        }
        Command::Send { current } => filing::send(filing, &checked(filing, *current)),
        Command::Submit { own_package, authorised_at_us } => {
            let settled = Settled {
                package: if *own_package { filing.package } else { Uuid::from_u128(0xBAD) },
                payment: None,
                authorised_at_us: *authorised_at_us,
                family: "naturalization".into(),
                facts: pb::DerivedFacts::default(),
            };
            filing::submit(filing, settled)
        }
        Command::Accept => filing::accept(filing, "DKT1234567897".into()),
        Command::Reject => filing::reject(filing, vec!["X-SIGN".into()]),
        Command::Void => filing::void(filing, "payment".into()),
        Command::AskFeeWaiver(asked) => {
            filing::ask_fee_waiver(filing, asked.then(|| (vec!["basis".into()], "{}".into())))
        }
        Command::BeginAgain => filing::begin_again(filing, Uuid::from_u128(u128::from(filing.version))),
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
        | Event::FeeWaiverRequested(_)
        | Event::FeeWaiverDropped(_) => {
            assert!(before.open().is_ok() && after.signature.is_none());
            assert!(after.content_version > before.content_version);
        }
        Event::FeeShown(_) => assert_eq!(before.phase, after.phase),
        Event::FilingSigned(signed) => {
            assert_eq!((&signed.content_mac, &before.fee.as_ref().unwrap().answers_mac), (&now, &now));
        }
        Event::FilingSent(_) => assert_eq!(before.signature.as_ref().unwrap().content_mac, now),
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
            assert!(matches!(before.phase, Phase::Rejected | Phase::Voided) && before.continued_as.is_none());
            assert!(after.continued_as.is_some());
        }
    }
    assert_eq!(after.version, before.version + 1);
    assert!(after.evidence.len() <= MOST_FILES);
    assert_eq!(after.receipt_number.is_empty(), !matches!(after.phase, Phase::Accepted | Phase::Voided));
}

#[test]
fn whatever_is_decided_for_a_filing_folds() {
    let decided = FILING.decided_lives(command(), decide, holds);
    assert_eq!(decided.len(), 14, "{decided:?}");
}

#[test]
fn whatever_is_decided_for_a_package_folds() {
    let fee = any::<Option<i64>>().prop_map(|cents| {
        cents.map(|total_cents| Fee { quote: Uuid::from_u128(9), total_cents, answers_mac: Vec::new() })
    });
    let decided = PACKAGE.decided_lives(
        fee,
        |_, fee| package::ready(Uuid::from_u128(1), &Filing { fee: fee.clone(), ..Filing::default() }),
        |_, _, after| assert!(after.ready),
    );
    assert_eq!(decided.len(), 1, "{decided:?}");
}

/// One answer, with what was asked for, and nothing after it.
#[test]
fn whatever_is_decided_for_a_response_folds() {
    let opened = || pb::ResponseOpened {
        case_id: Uuid::from_u128(6).to_string(),
        items: vec!["tax_transcripts".into(), "name_change".into()],
        ..Default::default()
    };
    let item = prop::sample::select(&["tax_transcripts", "name_change", "passport"][..]);
    let decided = RESPONSE.decided_lives(
        (0..12_u8, item, any::<bool>()),
        |state, (command, item, confirmed)| match command {
            0 => response::open(state, opened()),
            1 => response::submit(state, *confirmed, 1_000),
            2 => response::close(state, "withdrawn"),
            number => response::attach(state, file(*number, item)),
        },
        |before, event, after| {
            assert_eq!(before.received_at_us, 0, "nothing comes after the answer");
            assert_eq!(before.closed_cause, "", "nothing comes after the end");
            match event {
                ResponseEvent::ResponseOpened(_) => assert!(!before.exists() && after.exists()),
                ResponseEvent::ResponseEvidenceAdded(_) => {
                    assert!(after.evidence.last().is_some_and(|file| before.items.contains(&file.kind)));
                }
                ResponseEvent::ResponseClosed(closed) => assert_eq!(after.closed_cause, closed.cause),
                ResponseEvent::ResponseSubmitted(sent) => {
                    assert!(!sent.evidence.is_empty() && sent.complete == before.unanswered().is_empty());
                }
            }
        },
    );
    assert_eq!(decided.len(), 4, "{decided:?}");
}
