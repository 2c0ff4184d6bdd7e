//! The law of a representation over random lives: what is decided folds.

use docket_proto::events::representation::Event as RepresentationEvent;
use docket_proto::filing::events::v1 as pb;
use docket_proto::types::v1::MailingWishes;
use proptest::prelude::*;
use uuid::Uuid;

use super::REPRESENTATION;
use crate::domain::representation::{self, Consent, Invalid, Replacement};

/// Cards go to the representative or not.
fn cards(documents_to_representative: bool) -> MailingWishes {
    MailingWishes { documents_to_representative, ..Default::default() }
}

/// A client asks.
fn sought() -> pb::RepresentationSought {
    pb::RepresentationSought {
        client: Uuid::from_u128(3).to_string(),
        filing_id: Uuid::from_u128(1).to_string(),
        code_hash: vec![1; 32],
        valid_until_us: 1_000,
        form: "N-400".into(),
        ..Default::default()
    }
}

/// A representative enters the form.
fn prepared() -> pb::RepresentationPrepared {
    pb::RepresentationPrepared {
        representative: Uuid::from_u128(6).to_string(),
        code_hash: vec![1; 32],
        valid_until_us: 1_000,
        content_mac: vec![2; 32],
        ..Default::default()
    }
}

/// Nobody represents without the client's consent, given with the code, in time, to what was shown; an end is an end.
#[test]
fn whatever_is_decided_for_a_representation_folds() {
    let answered = |right: &[bool]| pb::RepresentationPrepared {
        representative: Uuid::from_u128(if right[0] { 6 } else { 3 }).to_string(),
        code_hash: vec![u8::from(right[1]); 32],
        valid_until_us: 1_000,
        signed_at_us: if right[2] { 999 } else { 1_000 },
        forms: vec![if right[3] { "N-400" } else { "I-90" }.into()],
        content_mac: vec![2; 32],
        ..Default::default()
    };
    let consent = |right: &[bool]| Consent {
        client: Uuid::from_u128(if right[0] { 3 } else { 6 }),
        code_hash: vec![u8::from(right[1]); 32],
        shown_mac: vec![if right[2] { 2 } else { 3 }; 32],
        not_ready: None,
        name_agrees: right[3],
        accepted: pb::RepresentationAccepted {
            client: Uuid::from_u128(3).to_string(),
            signed_at_us: if right[4] { 999 } else { 1_000 },
            ..Default::default()
        },
    };
    let replacement = |ends| Replacement { by: Uuid::from_u128(9), filing: Uuid::from_u128(1), ends };
    let command = (0_u8..12, prop::collection::vec(prop::bool::weighted(0.9), 5));
    REPRESENTATION.decided_lives(
        &[],
        command,
        |state, (number, right)| match number {
            0 => representation::prepare(state, prepared()),
            1 | 2 => representation::accept(state, consent(right)),
            3 => representation::refuse(state, &[u8::from(right[1]); 32], Uuid::from_u128(3), 999),
            4 => representation::withdraw(state),
            5 => Ok(representation::replace(state, replacement(right[0]))),
            6 => representation::seek(state, sought()),
            7 | 8 => representation::prepare_for(state, answered(right)),
            11 => representation::end_by_office(state, Invalid::of_person("suspended").unwrap()),
            9 => representation::change_wishes(state, cards(right[0])),
            _ => representation::end(state),
        },
        |before, event, after| match event {
            RepresentationEvent::RepresentationSought(_) => {
                assert_eq!(before.standing, representation::Standing::Absent);
            }
            RepresentationEvent::RepresentationPrepared(prepared) => {
                let sought = before.standing == representation::Standing::Sought;
                assert!(sought || before.standing == representation::Standing::Absent);
                assert_eq!((before.client, before.filing), (after.client, after.filing));
                assert!(!sought || (prepared.signed_at_us < 1_000 && prepared.forms == ["N-400"]));
                assert_ne!(after.client, Some(after.representative));
            }
            RepresentationEvent::RepresentationReplaced(replaced) => {
                assert_eq!(before.standing, representation::Standing::Active);
                assert_eq!(after.standing == representation::Standing::Replaced, replaced.ended);
            }
            RepresentationEvent::RepresentationAccepted(accepted) => {
                assert!(
                    before.standing == representation::Standing::Prepared && accepted.signed_at_us < 1_000
                );
                assert_ne!(after.client, Some(before.representative));
                assert!(before.client.is_none_or(|asked| after.client == Some(asked)));
            }
            RepresentationEvent::RepresentationWishesChanged(changed) => {
                assert_eq!(before.standing, representation::Standing::Active);
                assert_ne!(before.wishes, changed.wishes);
                assert_eq!(changed.client, before.client.unwrap().to_string());
            }
            RepresentationEvent::RepresentationRefused(_) => {
                assert_eq!(before.standing, representation::Standing::Prepared);
            }
            RepresentationEvent::RepresentationWithdrawn(withdrawn) => {
                assert_eq!(withdrawn.representative, before.representative.to_string());
                assert_eq!(withdrawn.client, before.client.map(|id| id.to_string()).unwrap_or_default());
                assert!(matches!(
                    before.standing,
                    representation::Standing::Prepared | representation::Standing::Active
                ));
            }
            RepresentationEvent::RepresentationEndedByOffice(ended) => {
                assert_eq!(ended.representative, before.representative.to_string());
                assert_eq!(after.ended_because, "suspended");
                assert!(matches!(
                    before.standing,
                    representation::Standing::Prepared | representation::Standing::Active
                ));
            }
            RepresentationEvent::RepresentationEnded(ended) => {
                assert_eq!(Some(ended.client.clone()), before.client.map(|id| id.to_string()));
                let entered = before.standing != representation::Standing::Sought;
                assert_eq!(!ended.representative.is_empty(), entered);
                let active = before.standing == representation::Standing::Active;
                assert!(active || before.filing.is_some());
            }
        },
    );
}
