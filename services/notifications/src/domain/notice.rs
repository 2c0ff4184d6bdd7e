//! A notice: issued once, opened once by each account; its content never changes.

use std::collections::BTreeSet;

use docket_eventlog::Aggregate;
use docket_kernel::Refusal;
use docket_proto::events::notice::Event;
use docket_proto::notifications::events::v1 as pb;
use uuid::Uuid;

/// What happens to a notice.
pub(crate) type NoticeEvent = Event;

/// Notices: stream `notice-<notice id>`.
#[derive(Debug)]
pub(crate) struct Notices;

/// A notice as far as its rules need it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NoticeState {
    /// Whether it was issued.
    pub(crate) issued: bool,
    /// Accounts that opened it.
    pub(crate) opened_by: BTreeSet<String>,
}

impl Aggregate for Notices {
    type Event = Event;
    type State = NoticeState;

    fn evolve(mut state: NoticeState, event: &Event) -> NoticeState {
        match event {
            Event::NoticeIssued(_) => state.issued = true,
            // There is nothing to be opened, as before.
            Event::NoticeNotIssued(_) => {}
            Event::NoticeOpened(event) => {
                state.opened_by.insert(event.account_id.clone());
            }
        }
        state
    }
}

/// Records that an account opened the notice of a case; only the first time is an event.
///
/// # Errors
/// Not found before it is issued.
pub(crate) fn open(state: &NoticeState, account: Uuid, case: Uuid) -> Result<Vec<Event>, Refusal> {
    let account_id = account.to_string();
    match state {
        NoticeState { issued: false, .. } => Err(Refusal::not_found()),
        NoticeState { opened_by, .. } if opened_by.contains(&account_id) => Ok(Vec::new()),
        _ => Ok(vec![pb::NoticeOpened { account_id, case_id: case.to_string() }.into()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opening_is_an_event_once_for_each_account_and_never_before_the_issue() {
        let (first, second, case) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        assert!(open(&NoticeState::default(), first, case).is_err());
        let issued = Notices::evolve(NoticeState::default(), &pb::NoticeIssued::default().into());
        let events = open(&issued, first, case).unwrap();
        assert_eq!(events.len(), 1);
        let opened = Notices::evolve(issued, &events[0]);
        assert!(open(&opened, first, case).unwrap().is_empty());
        assert_eq!(open(&opened, second, case).unwrap().len(), 1);
    }
}
