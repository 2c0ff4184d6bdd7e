//! The law of a package over random lives: what is decided folds, also of those who are asked to file in it.

use docket_kernel::Refusal;
use docket_proto::events::package::Event as PackageEvent;
use docket_proto::filing::events::v1 as pb;
use jiff::civil::Date;
use proptest::prelude::*;
use uuid::Uuid;

use super::PACKAGE;
use crate::domain::filing::{Fee, Filing};
use crate::domain::package::{self, Standing as InvitationStanding};

/// Nothing joins a package that was sent and not taken back, nothing is in it twice, and what is paid is the sum of what each costs.
#[test]
fn whatever_is_decided_for_a_package_folds() {
    let added = |number: u8| package::Added {
        filing: Uuid::from_u128(u128::from(number)),
        account: Uuid::from_u128(3),
        form: "I-485".into(),
    };
    let fee = any::<Option<u32>>().prop_map(|cents| {
        cents.map(|cents| Fee {
            quote: Uuid::from_u128(9),
            total_cents: cents.into(),
            answers_mac: Vec::new(),
        })
    });
    let act = prop::sample::select(
        &[
            "add",
            "add",
            "send",
            "send",
            "recall",
            "recall",
            "remind",
            "leave",
            "ask",
            "ask",
            "ask",
            "take back",
            "say no",
            "accept",
            "accept",
            "release",
            "step back",
        ][..],
    );
    let command = (act, prop::collection::vec((0_u8..30, fee), 1..8));
    PACKAGE.decided_lives(
        &[],
        command,
        |state, (act, filings)| {
            let day = Date::constant(2026, 11, 23);
            match *act {
                "recall" => return Ok(package::recall(state)),
                "remind" => return Ok(package::remind_payer(state, 14, day)),
                "leave" => return Ok(package::leave_unpaid(state, day)),
                "add" | "send" => {}
                asking => return ask_to_file(state, asking, filings[0].0),
            }
            if *act == "add" {
                return package::add(state, filings.iter().map(|(number, _)| added(*number)).collect());
            }
            let filings: Vec<_> = filings
                .iter()
                .map(|(number, fee)| {
                    let filing = Filing { fee: fee.clone(), ..Filing::default() };
                    (Uuid::from_u128(u128::from(*number)), filing)
                })
                .collect();
            package::ready(&filings.iter().map(|(id, filing)| (*id, filing)).collect::<Vec<_>>())
        },
        |before, event, after| match event {
            PackageEvent::PackageFilingAdded(_) => {
                assert!(!before.ready && after.filings.len() <= package::MOST_FILINGS);
            }
            PackageEvent::PackageRecalled(_) => {
                assert!(before.ready && !after.ready && before.filings == after.filings);
            }
            PackageEvent::PackagePayerReminded(reminded) => {
                assert!(before.ready && after.told == Some(reminded.days));
                assert_eq!(reminded.account_id, before.payer.unwrap().to_string());
            }
            PackageEvent::PackageLeftUnpaid(_) => assert!(before.ready && before == after),
            PackageEvent::PackageReadyForPayment(ready) => {
                assert!(after.ready && after.told.is_none() && after.payer.is_some());
                assert_eq!(ready.total_cents, ready.filings.iter().map(|f| f.total_cents).sum::<i64>());
            }
            PackageEvent::PackageFilerInvited(e) => {
                assert!(!before.ready && !before.invitations.contains_key(&e.number));
                let waits = after.waiting(e.number, 0).unwrap();
                assert_eq!(waits.asker.to_string(), e.filing_id);
            }
            PackageEvent::PackageInvitationWithdrawn(pb::PackageInvitationWithdrawn { number })
            | PackageEvent::PackageInvitationDeclined(pb::PackageInvitationDeclined { number, .. }) => {
                assert_eq!(before.invitations[number].standing, InvitationStanding::Waits);
                assert_ne!(after.invitations[number].standing, InvitationStanding::Waits);
            }
            PackageEvent::PackageInvitationAccepted(e) => {
                assert!(!before.ready && before.invitations[&e.number].standing == InvitationStanding::Waits);
                let filing = Uuid::try_parse(&e.filing_id).unwrap();
                assert!(after.joined().any(|joined| joined == filing) && after.filings.contains(&filing));
            }
            PackageEvent::PackageFilerReleased(e) => {
                assert!(!after.is_left_by(was_accepted(before, e.number, &e.filing_id)));
            }
            PackageEvent::PackageFilerSteppedBack(e) => {
                assert!(after.is_left_by(was_accepted(before, e.number, &e.filing_id)));
            }
        },
    );
}

/// The filing of an invitation that had been accepted.
fn was_accepted(before: &package::Package, number: u32, filing_id: &str) -> Uuid {
    let filing = Uuid::try_parse(filing_id).unwrap();
    assert_eq!(before.invitations[&number].standing, InvitationStanding::Accepted(filing));
    filing
}

/// Asks somebody to file a form in a package, or answers that, with numbers of the invitation and of a filing that are near each other.
fn ask_to_file(state: &package::Package, act: &str, number: u8) -> Result<Vec<PackageEvent>, Refusal> {
    let (asker, sponsor) = (Uuid::from_u128(1), Uuid::from_u128(4));
    let (filing, of) = (Uuid::from_u128(u128::from(100 + number)), u32::from(number % 4) + 1);
    let code_mac = vec![u8::try_from(of).unwrap(); 32];
    let next = u8::try_from(state.invitations.len() + 1).unwrap();
    let answer = package::Answer { number: of, code_mac, account: sponsor, now_us: 0, asker_open: true };
    let joining = package::Added { filing, account: sponsor, form: "I-864".into() };
    match act {
        "ask" => {
            let ask = package::Ask {
                asker,
                account: Uuid::from_u128(3),
                form: "I-864".into(),
                most: 2,
                code_mac: vec![next; 32],
                now_us: 0,
                valid_until_us: 1,
                mail_to: String::new(),
                invitee_name: "Sol".into(),
            };
            package::invite(state, ask, &[])
        }
        "take back" => package::withdraw(state, asker, of),
        "say no" => package::decline(state, &answer),
        "accept" => package::accept(state, &answer, joining, Vec::new()),
        "release" => Ok(package::release(of, package::to_release(state, asker, of)?, sponsor)),
        _ => Ok(package::step_back(state, filing)),
    }
}
