//! Laws over random lives of a case: what is written to the office waits until it is answered, and a reminder changes nothing.

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::World;
use crate::domain::decide::{self, Decision};
use crate::domain::samples::{ADA, APPLICANT};
use crate::domain::{Case, Event, evolve};

/// A message waits for its answer, and nothing else follows from it; in a conversation one waits at a time.
fn only_waits(case: &Case, event: &Event) {
    let after = evolve(case.clone(), event);
    let mut threads: Vec<Uuid> = after.waiting_threads.iter().map(|waiting| waiting.thread).collect();
    threads.sort_unstable();
    threads.dedup();
    assert_eq!(threads.len(), after.waiting_threads.len(), "waited for twice");
    let aside = Case { waiting_threads: case.waiting_threads.clone(), ..after };
    assert_eq!(&aside, case, "it changes nothing else");
}

/// A reminder changes nothing, and fewer days are left at each; of a request while it is open, of an appointment while it stands.
fn is_only_reminded(case: &Case, now: Timestamp, event: &Event) {
    let after = evolve(case.clone(), event);
    for (of, left) in &after.reminded {
        assert!(case.reminded.get(of).is_none_or(|before| left <= before));
        if case.reminded.get(of) == Some(left) {
            continue;
        }
        let open = case.open_request().filter(|request| request.id == *of && request.served);
        let stands = case.reminders_of_appointment(*of).is_some();
        assert!(
            open.is_some_and(|request| now < request.deadline.expires_at) || stands,
            "reminded of what is over"
        );
    }
    assert_ne!(after.reminded, case.reminded);
    let aside = Case { reminded: case.reminded.clone(), ..after };
    assert_eq!(&aside, case, "it changes nothing else");
}

/// What is written and of what is reminded.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    /// The party writes, in one of two conversations.
    Write(bool),
    /// The office answers in the first.
    Reply,
    /// It says that the first needs no answer.
    SetAside,
    /// A timer falls due.
    Remind,
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        1 => any::<bool>().prop_map(Act::Write),
        1 => Just(Act::Reply),
        1 => Just(Act::SetAside),
        2 => Just(Act::Remind),
    ]
}

impl World {
    /// What somebody writes to the office, and what becomes of it; and of what the party is reminded.
    pub(super) fn decide_on_mail(&self, act: Act) -> Decision {
        let (case, now, thread) = (&self.case, self.now, Uuid::from_u128(0x7EAD));
        match act {
            Act::Write(other) => {
                let message = Uuid::from_u128(self.events.len() as u128);
                let thread = if other { Uuid::from_u128(0x7EAE) } else { thread };
                let sent =
                    decide::Sent { thread, message, topic: "other".into(), account: APPLICANT, at: now };
                decide::record_message(case, &sent)
            }
            Act::Reply => decide::record_reply(case, thread, ADA),
            Act::SetAside => {
                let waits = case.waiting_threads.iter().find(|waiting| waiting.thread == thread);
                let last = waits.map(|waiting| waiting.last_message).unwrap_or_default();
                decide::set_message_aside(case, (thread, last), ADA, "asked_twice")
            }
            Act::Remind => {
                let mut events = decide::remind_of_request(case, Uuid::from_u128(self.requests), now)?;
                events.extend(decide::remind_of_appointment(case, Uuid::from_u128(7), now)?);
                Ok(events)
            }
        }
    }

    /// What must hold of it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the law says nothing of the others")]
    pub(super) fn check_mail(&self, event: &Event) {
        match event {
            Event::MessageReceived(_) | Event::MessageAnswered(_) | Event::MessageSetAside(_) => {
                only_waits(&self.case, event);
            }
            Event::RequestReminded(_) | Event::AppointmentReminded(_) => {
                is_only_reminded(&self.case, self.now, event);
            }
            _ => {}
        }
    }
}
