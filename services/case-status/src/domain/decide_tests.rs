//! Every branch of every decision: the name is the rule, the body is given, when, then.

mod address;
mod assign;
mod biometrics;
mod by_law;
mod card;
mod challenge;
mod closing;
mod correction;
mod decision;
mod dispense;
mod expedite;
mod fee;
mod hold;
mod inquiry;
mod intake;
mod interview;
mod link;
mod message;
mod oath;
mod own_motion;
mod referral;
mod reminder;
mod reopen;
mod representation;
mod request;
mod revocation;
mod search;
mod termination;
mod transfer;
mod unsolicited;

use super::decide;

#[test]
fn every_reason_of_the_list_is_raised_by_a_test_and_no_other_is() {
    let tests = concat!(
        include_str!("decide_tests/address.rs"),
        include_str!("decide_tests/assign.rs"),
        include_str!("decide_tests/biometrics.rs"),
        include_str!("decide_tests/by_law.rs"),
        include_str!("decide_tests/card.rs"),
        include_str!("decide_tests/challenge.rs"),
        include_str!("decide_tests/closing.rs"),
        include_str!("decide_tests/correction.rs"),
        include_str!("decide_tests/decision.rs"),
        include_str!("decide_tests/dispense.rs"),
        include_str!("decide_tests/expedite.rs"),
        include_str!("decide_tests/fee.rs"),
        include_str!("decide_tests/hold.rs"),
        include_str!("decide_tests/inquiry.rs"),
        include_str!("decide_tests/intake.rs"),
        include_str!("decide_tests/interview.rs"),
        include_str!("decide_tests/link.rs"),
        include_str!("decide_tests/message.rs"),
        include_str!("decide_tests/oath.rs"),
        include_str!("decide_tests/own_motion.rs"),
        include_str!("decide_tests/referral.rs"),
        include_str!("decide_tests/reopen.rs"),
        include_str!("decide_tests/representation.rs"),
        include_str!("decide_tests/request.rs"),
        include_str!("decide_tests/revocation.rs"),
        include_str!("decide_tests/search.rs"),
        include_str!("decide_tests/termination.rs"),
        include_str!("decide_tests/transfer.rs"),
        include_str!("decide_tests/unsolicited.rs"),
        include_str!("appointment.rs"),
    );
    for reason in decide::REASONS {
        assert!(tests.contains(&format!("\"{reason}\"")), "{reason} is raised by no test");
    }
    let sources = [
        include_str!("decide.rs"),
        include_str!("decide/address.rs"),
        include_str!("decide/assign.rs"),
        include_str!("decide/biometrics.rs"),
        include_str!("decide/by_law.rs"),
        include_str!("decide/card.rs"),
        include_str!("decide/challenge.rs"),
        include_str!("decide/closing.rs"),
        include_str!("decide/correction.rs"),
        include_str!("decide/decision.rs"),
        include_str!("decide/dispense.rs"),
        include_str!("decide/ending.rs"),
        include_str!("decide/expedite.rs"),
        include_str!("decide/fee.rs"),
        include_str!("decide/hold.rs"),
        include_str!("decide/inquiry.rs"),
        include_str!("decide/intake.rs"),
        include_str!("decide/interview.rs"),
        include_str!("decide/link.rs"),
        include_str!("decide/message.rs"),
        include_str!("decide/oath.rs"),
        include_str!("decide/own_motion.rs"),
        include_str!("decide/referral.rs"),
        include_str!("decide/reminder.rs"),
        include_str!("decide/reopen.rs"),
        include_str!("decide/representation.rs"),
        include_str!("decide/request.rs"),
        include_str!("decide/response.rs"),
        include_str!("decide/revocation.rs"),
        include_str!("decide/search.rs"),
        include_str!("decide/termination.rs"),
        include_str!("decide/transfer.rs"),
        include_str!("decide/unsolicited.rs"),
    ];
    for source in sources {
        let raised = source.split("Refusal::").skip(1).filter_map(|rest| rest.split_once('('));
        for (constructor, rest) in raised {
            if !["state", "invalid", "exists", "not_yours"].contains(&constructor) {
                continue;
            }
            let upper =
                |text: &&str| text.len() > 3 && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
            let reason = rest.split('"').find(upper).unwrap();
            assert!(decide::REASONS.contains(&reason), "{reason} stands in no list");
        }
    }
}
