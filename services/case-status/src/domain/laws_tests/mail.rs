//! Laws over random lives of a case: what is written to the office waits until it is answered, and a reminder changes nothing.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Command, World};
use crate::domain::decide::{self, Decision};
use crate::domain::samples::{ADA, APPLICANT};
use crate::domain::{Case, Event, evolve};

/// A message waits for its answer, and nothing else follows from it; in a conversation one waits at a time.
pub(super) fn only_waits(case: &Case, event: &Event) {
    let after = evolve(case.clone(), event);
    let mut threads: Vec<Uuid> = after.waiting_threads.iter().map(|waiting| waiting.thread).collect();
    threads.sort_unstable();
    threads.dedup();
    assert_eq!(threads.len(), after.waiting_threads.len(), "waited for twice");
    let aside = Case { waiting_threads: case.waiting_threads.clone(), ..after };
    assert_eq!(&aside, case, "it changes nothing else");
}

/// A reminder changes nothing, and fewer days are left at each; of a request while it is open, of an appointment while it stands.
pub(super) fn is_only_reminded(case: &Case, now: Timestamp, event: &Event) {
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

impl World {
    /// What somebody writes to the office, and what becomes of it; and of what the party is reminded.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other commands are decided elsewhere")]
    pub(super) fn decide_on_mail(&self, command: &Command) -> Decision {
        let (case, now) = (&self.case, self.now);
        let thread =
            Uuid::from_u128(if matches!(command, Command::WriteMessage(true)) { 0x7EAE } else { 0x7EAD });
        match command {
            Command::WriteMessage(_) => {
                let message = Uuid::from_u128(self.events.len() as u128);
                let sent =
                    decide::Sent { thread, message, topic: "other".into(), account: APPLICANT, at: now };
                decide::record_message(case, &sent)
            }
            Command::ReplyToMessage => decide::record_reply(case, thread, ADA),
            Command::SetMessageAside => decide::set_message_aside(case, thread, ADA, "asked_twice"),
            Command::Remind => {
                let mut events = decide::remind_of_request(case, Uuid::from_u128(self.requests), now)?;
                events.extend(decide::remind_of_appointment(case, Uuid::from_u128(7), now)?);
                Ok(events)
            }
            other => unreachable!("{other:?}"),
        }
    }
}
