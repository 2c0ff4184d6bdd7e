//! Laws over random lives of notices, conversations and numbers for texts: what is decided folds, and what was ever written still does.

use docket_eventlog::Aggregate;
use docket_proto::notifications::events::v1 as pb;
use docket_testkit::evolution::{Fold, owns};
use proptest::prelude::*;
use uuid::Uuid;

use super::notice::{self, NoticeEvent, NoticeState, Notices};
use super::texting::{self, EndedBy, Texting, TextingEvent, TextingState};
use super::thread::{self, From, ThreadEvent, ThreadState, Threads};

const NOTICE: Fold<NoticeEvent, NoticeState> = Fold {
    evolve: Notices::evolve,
    seen: |notice| notice,
    life: &["notice.issued.v1", "notice.opened.v1"],
    changes_nothing: &["notice.not_issued.v1"],
};

const TEXTING: Fold<TextingEvent, TextingState> = Fold {
    evolve: Texting::evolve,
    seen: |texting| texting,
    life: &["texting.number_given.v1", "texting.number_proven.v1", "texting.ended.v1", "texting.resumed.v1"],
    changes_nothing: &[],
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
    owns("docket.notifications.events.v1", &["notice", "texting", "thread"], &[("delivery", ledger)]);
    NOTICE.every_golden_folds();
    TEXTING.every_golden_folds();
    THREAD.every_golden_folds();
}

#[test]
fn any_events_of_a_notice_or_conversation_obey_the_laws_of_a_fold() {
    NOTICE.any_events_obey_the_laws();
    TEXTING.any_events_obey_the_laws();
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

/// Texts go to one number at most, to none that was not proven, and from an end on to none.
#[test]
fn whatever_is_decided_for_a_number_folds() {
    let number = |n: u8| Uuid::from_u128(u128::from(n) + 1);
    TEXTING.decided_lives(
        &[],
        (0..6_u8, 0..3_u8),
        move |state, (what, n)| match what {
            0 => Ok(vec![
                pb::TextNumberGiven { number_id: number(*n).to_string(), until_us: 10, ..Default::default() }
                    .into(),
            ]),
            1 => texting::prove(state, number(*n), i64::from(*n) * 5),
            2 => Ok(texting::resume(state)),
            3 => Ok(texting::end(state, EndedBy::Owner)),
            4 => Ok(texting::end(state, EndedBy::Reply)),
            _ => Ok(texting::end(state, EndedBy::Unreachable)),
        },
        |before, event, after| match event {
            TextingEvent::TextNumberGiven(_) => assert_eq!(before.on, after.on),
            TextingEvent::TextNumberProven(_) => {
                assert_eq!(before.given.map(|given| given.id), after.on);
            }
            TextingEvent::TextsEnded(_) => assert!(after.on.is_none()),
            TextingEvent::TextsResumed(_) => assert!(before.on.is_none() && before.stopped == after.on),
        },
    );
}
