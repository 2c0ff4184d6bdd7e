//! Laws over random lives of a card: none before the approval, none mailed again before the address is confirmed.

use docket_proto::case_status::events::v1 as pb;
use docket_proto::identity::events::v1::AddressChanged;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use crate::domain::decide::{self, CardStep, Decision};
use crate::domain::samples::{ADA, BO, RECEIPT, now, opened};
use crate::domain::{CardState, Case, Event, Outcome, Stage, evolve, task, title};

#[derive(Debug, Clone)]
enum Act {
    Approve(bool),
    Order,
    Record(CardStep),
    Confirm,
    MoveAway,
    Wait(i64),
}

fn act() -> impl Strategy<Value = Act> {
    let mailed = CardStep::Mailed { carrier: "USPS".into(), tracking_number: "9400".into() };
    prop_oneof![
        1 => prop::bool::weighted(0.9).prop_map(Act::Approve),
        3 => Just(Act::Order),
        3 => Just(Act::Record(CardStep::Produced)),
        5 => Just(Act::Record(mailed)),
        2 => Just(Act::Record(CardStep::Delivered)),
        4 => Just(Act::Record(CardStep::Returned { cause: "unclaimed".into() })),
        2 => Just(Act::Record(CardStep::Destroyed)),
        2 => Just(Act::Confirm),
        1 => Just(Act::MoveAway),
        2 => (1_i64..40).prop_map(Act::Wait),
    ]
}

struct World {
    case: Case,
    now: Timestamp,
    /// It came back, and nobody has confirmed the address since.
    unconfirmed: bool,
    remailed: usize,
}

impl World {
    fn new() -> Self {
        let filed = pb::CaseOpened { form: "I-90".into(), family: "card_replacement".into(), ..opened() };
        let accepted = pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() };
        let case = [Event::from(filed), accepted.into()].iter().fold(Case::default(), evolve);
        Self { case, now: now(), unconfirmed: false, remailed: 0 }
    }

    fn decide(&mut self, act: &Act) -> Decision {
        let case = &self.case;
        match act {
            Act::Approve(approve) if case.stage == Stage::Accepted => Ok(vec![if *approve {
                pb::CaseApproved { officer: BO.to_string(), effective_date: String::new() }.into()
            } else {
                pb::CaseDenied { officer: BO.to_string(), ..pb::CaseDenied::default() }.into()
            }]),
            Act::Approve(_) => Ok(Vec::new()),
            Act::Order => decide::order_card(case, ADA, self.now),
            Act::Record(step) => decide::record_card(case, step, self.now),
            Act::Confirm => decide::confirm_address(case, Some(Uuid::nil()), self.now),
            Act::MoveAway => {
                let ids = (Uuid::nil(), Uuid::nil());
                decide::change_address(case, ids, &AddressChanged::default(), self.now)
            }
            Act::Wait(days) => {
                self.now += SignedDuration::from_hours(24 * days);
                Ok(Vec::new())
            }
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the law says nothing of the others")]
    fn check(&mut self, event: &Event) {
        match event {
            Event::CardOrdered(_) => {
                assert_eq!(self.case.outcome, Some(Outcome::Approved), "a card before the approval");
                let known = Timestamp::from_microsecond(self.case.address_known_at_us).unwrap();
                assert!(self.now - SignedDuration::from_hours(24 * 60) <= known, "to an address of long ago");
            }
            Event::CardMailed(_) => assert_eq!(self.case.card.state, CardState::Produced),
            Event::CardRemailed(_) => {
                assert!(!self.unconfirmed, "mailed again to an address that nobody confirmed");
                self.remailed += 1;
            }
            Event::CardReturned(_) => self.unconfirmed = true,
            Event::AddressConfirmed(_) | Event::CaseAddressChanged(_) => self.unconfirmed = false,
            Event::CardDestroyed(_) => {
                assert!(self.case.card.state == CardState::Produced || self.unconfirmed);
            }
            _ => {}
        }
    }

    fn run(&mut self, act: &Act) {
        let Ok(events) = self.decide(act) else { return };
        // No two things happen at one instant.
        self.now += SignedDuration::from_secs(1);
        for event in events {
            self.check(&event);
            self.case = evolve(std::mem::take(&mut self.case), &event);
        }
        assert!(self.case.card.state == CardState::None || self.case.outcome == Some(Outcome::Approved));
        assert!(title::ROWS.iter().any(|(row, _)| *row == title::title(&self.case).id));
        let _ = task::task(&self.case);
    }
}

proptest! {
    #[test]
    fn a_card_keeps_its_order_whatever_is_tried(acts in prop::collection::vec(act(), 1..100)) {
        let mut world = World::new();
        for act in &acts {
            world.run(act);
        }
    }
}

/// Random lives must reach a second mailing now and then, or the law says little.
#[test]
fn random_cards_are_mailed_again() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop::collection::vec(act(), 100);
    let remailed: usize = (0..40)
        .map(|_| {
            let mut world = World::new();
            strategy.new_tree(&mut runner).unwrap().current().iter().for_each(|act| world.run(act));
            world.remailed
        })
        .sum();
    assert!(remailed > 0);
}
