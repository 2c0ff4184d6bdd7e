//! The sealed objects of files that were taken off: which of them are nobody's any more.

use std::collections::{BTreeMap, BTreeSet};

use docket_proto::events::filing::Event;
use docket_proto::events::response::Event as ResponseEvent;
use docket_proto::types::v1::EvidenceRef;
use uuid::Uuid;

use super::attached::Verdict;
use super::id;

/// What an event does to the files of a filing or of a response.
pub enum Change<'a> {
    /// One came, and lies under this key.
    Added(Uuid, &'a str),
    /// One was taken off by whoever prepares it.
    TakenOff(Uuid),
    /// One was taken out by what the virus scanner found.
    Refused(Uuid),
    /// Somebody signed or approved, or it went in: what is there then is part of what they did.
    Agreed,
    /// Nothing.
    None,
}

/// What an event of a filing does to its files.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other events touch no file")]
pub fn of_filing(event: &Event) -> Change<'_> {
    match event {
        Event::EvidenceAdded(e) => Change::Added(named(e.evidence.as_ref()), &e.object_key),
        Event::UnsolicitedEvidenceAdded(e) => Change::Added(named(e.evidence.as_ref()), &e.object_key),
        Event::EvidenceRemoved(e) => Change::TakenOff(id(&e.evidence_id)),
        Event::EvidenceScanned(e) => scanned(&e.evidence_id, &e.verdict),
        Event::FilingSigned(_)
        | Event::FilingApproved(_)
        | Event::HelperSigned(_)
        | Event::FilingSent(_)
        | Event::FilingSubmitted(_) => Change::Agreed,
        _ => Change::None,
    }
}

/// What an event of a response does to its files.
pub fn of_response(event: &ResponseEvent) -> Change<'_> {
    match event {
        ResponseEvent::ResponseEvidenceAdded(e) => Change::Added(named(e.evidence.as_ref()), &e.object_key),
        ResponseEvent::ResponseEvidenceRemoved(e) => Change::TakenOff(id(&e.evidence_id)),
        ResponseEvent::ResponseEvidenceScanned(e) => scanned(&e.evidence_id, &e.verdict),
        ResponseEvent::ResponseSubmitted(_) => Change::Agreed,
        ResponseEvent::ResponseOpened(_)
        | ResponseEvent::ResponseItemExplained(_)
        | ResponseEvent::ResponseItemExplanationDropped(_)
        | ResponseEvent::ResponseClosed(_) => Change::None,
    }
}

fn named(evidence: Option<&EvidenceRef>) -> Uuid {
    evidence.map_or(Uuid::nil(), |evidence| id(&evidence.evidence_id))
}

fn scanned<'a>(evidence: &str, verdict: &str) -> Change<'a> {
    if verdict == Verdict::Clean.as_str() { Change::None } else { Change::Refused(id(evidence)) }
}

/// The object of a file that was taken off, where nothing has to do with it any more: it lies under no other file that is there,
/// and nobody signed or approved anything while it was there.
pub fn nobodys<'a>(changes: impl Iterator<Item = Change<'a>>, file: Uuid) -> Option<&'a str> {
    let (mut there, mut kept) = (BTreeMap::new(), BTreeSet::new());
    let mut taken_off = None;
    for change in changes {
        match change {
            Change::Added(added, key) => {
                there.insert(added, key);
            }
            Change::TakenOff(off) => {
                let key = there.remove(&off);
                taken_off = if off == file { key } else { taken_off };
            }
            Change::Refused(refused) => {
                there.remove(&refused);
            }
            Change::Agreed => kept.extend(there.values().copied()),
            Change::None => {}
        }
    }
    taken_off.filter(|key| !kept.contains(key) && !there.values().any(|here| here == key))
}

/// Every object under which a file ever lay.
pub fn all<'a>(changes: impl Iterator<Item = Change<'a>>) -> BTreeSet<&'a str> {
    let key = |change| match change {
        Change::Added(_, key) => Some(key),
        Change::TakenOff(_) | Change::Refused(_) | Change::Agreed | Change::None => None,
    };
    changes.filter_map(key).collect()
}

#[cfg(test)]
mod tests {
    use docket_proto::filing::events::v1 as pb;

    use super::*;

    const CARD: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    fn added(file: Uuid, key: &str) -> Event {
        let evidence = Some(EvidenceRef { evidence_id: file.to_string(), ..EvidenceRef::default() });
        pb::EvidenceAdded { evidence, object_key: key.into(), ..pb::EvidenceAdded::default() }.into()
    }

    fn off(file: Uuid) -> Event {
        pb::EvidenceRemoved { evidence_id: file.to_string() }.into()
    }

    fn left(events: &[Event]) -> Option<&str> {
        nobodys(events.iter().map(of_filing), CARD)
    }

    #[test]
    fn a_file_that_was_taken_off_is_nobodys_unless_somebody_agreed_to_it_or_its_object_serves_another() {
        let approved: Event = pb::FilingApproved::default().into();
        let helped: Event = pb::HelperSigned::default().into();
        let signed: Event = pb::FilingSigned::default().into();
        assert_eq!(left(&[added(CARD, "a"), off(CARD)]), Some("a"));
        assert_eq!(left(&[added(CARD, "a")]), None, "it is there");
        assert_eq!(left(&[added(CARD, "a"), off(OTHER)]), None);
        for agreed in [&approved, &helped, &signed] {
            assert_eq!(left(&[added(CARD, "a"), agreed.clone(), off(CARD)]), None);
            assert_eq!(left(&[added(CARD, "a"), off(CARD), agreed.clone()]), Some("a"), "without it");
            assert_eq!(left(&[agreed.clone(), added(CARD, "a"), off(CARD)]), Some("a"));
        }
        assert_eq!(left(&[added(CARD, "a"), added(OTHER, "a"), off(CARD)]), None, "it serves another");
        assert_eq!(left(&[added(CARD, "a"), added(OTHER, "a"), off(CARD), off(OTHER)]), Some("a"));
        assert_eq!(left(&[added(CARD, "a"), added(OTHER, "a"), off(OTHER), signed, off(CARD)]), None);
    }

    #[test]
    fn what_the_scanner_took_out_is_not_there_any_more() {
        let scanned = |verdict: &str| {
            let evidence_id = OTHER.to_string();
            pb::EvidenceScanned { evidence_id, verdict: verdict.into(), ..Default::default() }.into()
        };
        let life = |verdict| [added(OTHER, "a"), added(CARD, "a"), scanned(verdict), off(CARD)];
        assert_eq!(left(&life("clean")), None);
        assert_eq!(left(&life("infected")), Some("a"));
        let events = [added(CARD, "a"), off(CARD), added(OTHER, "b")];
        assert_eq!(all(events.iter().map(of_filing)), ["a", "b"].into());
    }

    #[test]
    fn the_files_of_an_answer_go_the_same_way() {
        let evidence = Some(EvidenceRef { evidence_id: CARD.to_string(), ..EvidenceRef::default() });
        let added = pb::ResponseEvidenceAdded { evidence, object_key: "a".into(), ..Default::default() };
        let off = pb::ResponseEvidenceRemoved { evidence_id: CARD.to_string() };
        let events: [ResponseEvent; 2] = [added.into(), off.into()];
        assert_eq!(nobodys(events.iter().map(of_response), CARD), Some("a"));
        assert_eq!(nobodys(events[..1].iter().map(of_response), CARD), None);
    }
}
