//! The law of a response over random lives: what is decided folds.

use docket_proto::events::response::Event as ResponseEvent;
use docket_proto::filing::events::v1 as pb;
use proptest::prelude::*;
use uuid::Uuid;

use super::{RESPONSE, file};
use crate::domain::attached::{Attached, Verdict};
use crate::domain::response;

/// One answer, with what was asked for, and nothing after it.
#[test]
fn whatever_is_decided_for_a_response_folds() {
    let opened = |request_kind: &str| pb::ResponseOpened {
        case_id: Uuid::from_u128(6).to_string(),
        request_kind: request_kind.into(),
        items: vec!["tax_transcripts".into(), "name_change".into()],
        ..Default::default()
    };
    let item = prop::sample::select(&["tax_transcripts", "name_change", "rebuttal", "passport"][..]);
    RESPONSE.decided_lives(
        &[],
        (0..18_u8, item, any::<bool>()),
        |state, (command, item, confirmed)| match command {
            12..16 => {
                let verdict = if *confirmed { Verdict::Clean } else { Verdict::Infected };
                let waiting = state.evidence.iter().find(|file| file.being_checked);
                let evidence = waiting.map_or(Uuid::nil(), |file| file.id);
                Ok(response::scanned_file(state, evidence, verdict, None))
            }
            16.. => {
                response::explain(state, item, confirmed.then(|| "The archive burned in 1998.".to_owned()))
            }
            0 => response::open(state, opened(if *confirmed { response::NOID } else { "rfe" })),
            1 => response::submit(state, *confirmed, 1_000),
            2 => response::close(state, "withdrawn"),
            3 => response::detach(state, state.evidence.first().map_or_else(Uuid::nil, |file| file.id)),
            number => response::attach(state, file(*number, item)),
        },
        |before, event, after| {
            if !matches!(event, ResponseEvent::ResponseEvidenceScanned(_)) {
                assert_eq!(before.received_at_us, 0, "nothing comes after the answer but the end of a scan");
                assert_eq!(before.closed_cause, "", "nothing comes after the end but that of a scan");
            }
            match event {
                ResponseEvent::ResponseEvidenceScanned(scanned) => {
                    let kept = usize::from(scanned.verdict == "clean");
                    assert_eq!(after.evidence.len() + 1, before.evidence.len() + kept);
                    assert_eq!(after.refused.len() + kept, before.refused.len() + 1);
                    assert_eq!(after.received_at_us, before.received_at_us, "it stays received when it was");
                }
                ResponseEvent::ResponseOpened(_) => assert!(!before.exists() && after.exists()),
                ResponseEvent::ResponseEvidenceAdded(_) => {
                    let rebuttal = before.request_kind == response::NOID;
                    assert!(after.evidence.last().is_some_and(
                        |file| before.items.contains(&file.kind) || (rebuttal && file.kind == "rebuttal")
                    ));
                }
                ResponseEvent::ResponseEvidenceRemoved(removed) => {
                    let stays = |file: &&Attached| file.id.to_string() != removed.evidence_id;
                    let others: Vec<_> = before.evidence.iter().filter(stays).cloned().collect();
                    assert!(others.len() < before.evidence.len() && others == after.evidence);
                }
                ResponseEvent::ResponseItemExplained(said) => {
                    assert!(before.items.contains(&said.item) && after.explained.contains(&said.item));
                    assert!(
                        after.evidence.iter().all(|file| file.kind != said.item),
                        "there is no file for it"
                    );
                }
                ResponseEvent::ResponseItemExplanationDropped(said) => {
                    assert!(before.explained.contains(&said.item) && !after.explained.contains(&said.item));
                }
                ResponseEvent::ResponseClosed(closed) => assert_eq!(after.closed_cause, closed.cause),
                ResponseEvent::ResponseSubmitted(sent) => {
                    assert!(!(sent.evidence.is_empty() && sent.explained.is_empty()));
                    assert_eq!(sent.complete, before.unanswered().is_empty());
                    assert!(sent.explained.iter().all(|item| !sent.items.contains(item)));
                }
            }
        },
    );
}
