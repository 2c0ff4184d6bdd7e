//! Laws over random lives of notices and conversations: what is decided folds, and what was ever written still does.

use docket_eventlog::Aggregate;
use docket_proto::notifications::events::v1 as pb;
use docket_testkit::evolution::{Fold, owns};
use proptest::prelude::*;
use uuid::Uuid;

use super::notice::{self, NoticeEvent, NoticeState, Notices};
use super::thread::{self, From, ThreadEvent, ThreadState, Threads};

const NOTICE: Fold<NoticeEvent, NoticeState> = Fold {
    evolve: Notices::evolve,
    seen: |notice| notice,
    life: &["notice.issued.v1", "notice.opened.v1"],
    changes_nothing: &["notice.not_issued.v1"],
};

const THREAD: Fold<ThreadEvent, ThreadState> = Fold {
    evolve: Threads::evolve,
    seen: |thread| thread,
    life: &["thread.started.v1", "thread.message_sent.v1"],
    changes_nothing: &[],
};

#[test]
fn the_events_of_this_service_fold() {
    let ledger = "what was handed over stands in the rows of deliveries; the events tell the others of it";
    owns("docket.notifications.events.v1", &["notice", "thread"], &[("delivery", ledger)]);
    NOTICE.every_golden_folds();
    THREAD.every_golden_folds();
}

#[test]
fn any_events_of_a_notice_or_conversation_obey_the_laws_of_a_fold() {
    NOTICE.any_events_obey_the_laws();
    THREAD.any_events_obey_the_laws();
}

/// Nobody opens what was not issued, and each account opens it once.
#[test]
fn whatever_is_decided_for_a_notice_folds() {
    let account = (0..4_u8).prop_map(|n| (n > 0).then(|| Uuid::from_u128(n.into())));
    NOTICE.decided_lives(
        &["notice.not_issued.v1"],
        account,
        |state, account| match account {
            Some(account) => notice::open(state, *account, Uuid::from_u128(9)),
            None if state.issued => Ok(Vec::new()),
            None => Ok(vec![pb::NoticeIssued::default().into()]),
        },
        |before, event, after| match event {
            NoticeEvent::NoticeIssued(_) => assert!(!before.issued && after.opened_by.is_empty()),
            NoticeEvent::NoticeOpened(_) => {
                assert!(before.issued && after.opened_by.len() == before.opened_by.len() + 1);
            }
            NoticeEvent::NoticeNotIssued(_) => unreachable!("what is owed is no rule of a notice"),
        },
    );
}

/// The party begins, once; messages are never empty and only added.
#[test]
fn whatever_is_decided_for_a_conversation_folds() {
    let text = prop::sample::select(&["", "  ", "When is my interview?", " Thank you. "][..]);
    THREAD.decided_lives(
        &[],
        (0..3_u8, text),
        |state, (who, text)| match who {
            0 => thread::start(state, Uuid::from_u128(6), Uuid::from_u128(1), "technical", text),
            1 => thread::say(state, From::Party, Uuid::from_u128(1), text),
            _ => thread::say(state, From::Office, Uuid::from_u128(2), text),
        },
        |before, event, after| match event {
            ThreadEvent::ThreadStarted(_) => assert!(!before.started),
            ThreadEvent::MessageSent(sent) => {
                assert!(before.started && !sent.text.trim().is_empty());
                assert_eq!(after.messages, before.messages + 1);
            }
        },
    );
}
