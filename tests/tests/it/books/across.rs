//! What holds between cases, in the order of their log, and between the logs: the numbers are those of the invariants of the lifecycle.
use super::Books;
use crate::lifecycle::{Line, must_at};
use docket_case_status::domain::{Case, Direction, LinkKind, Outcome, evolve};
use docket_kernel::{EventEnum as _, calendar};
use docket_proto::events::{case, notice, payment, quote};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A row of what people read of cases: up to which version of the case's stream it goes, and the case as it is told.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) version: i64,
    pub(super) state: Value,
}

impl Books {
    /// 25, 27, 31, 59: what one case needs of others.
    pub(super) fn cases_keep_to_each_other(&self) {
        let lines = self.cases();
        let order = self.entries.iter().filter_map(|entry| {
            let id = entry.stream.strip_prefix("case-")?;
            let place = usize::try_from(entry.version - 1).unwrap();
            Some((id, &lines[id][place]))
        });
        lived_together(order);
    }

    /// 43: each notice is for the party and for whoever acted for them at what caused it, and for nobody who never did; where two are told,
    /// one of them has the original.
    pub(super) fn notices_are_for_whoever_acts(&self) {
        let acting: BTreeMap<String, Acting> =
            self.cases().into_iter().map(|(id, lines)| (id, Acting::of(&lines))).collect();
        let streams = self.of("case");
        for (id, entries) in self.of("notice") {
            let issued = entries.iter().find_map(|entry| {
                match notice::Event::decode(&entry.kind, &entry.payload).unwrap() {
                    notice::Event::NoticeIssued(issued) => Some((issued, entry.metadata.causation_id)),
                    notice::Event::NoticeNotIssued(_) | notice::Event::NoticeOpened(_) => None,
                }
            });
            let Some((issued, because_of)) = issued else { continue };
            let told: BTreeSet<Uuid> = issued.account_ids.iter().map(|id| id.parse().unwrap()).collect();
            let is_it = |entry: &&super::Entry| Some(entry.event_id) == because_of;
            let place = streams[issued.case_id.as_str()].iter().position(is_it);
            let place = place.unwrap_or_else(|| panic!("notice {id} has no cause in its case: {issued:?}"));
            let acting = &acting[&issued.case_id];
            let reached = acting.after[place].is_none_or(|representative| told.contains(&representative));
            assert!(reached, "lifecycle 43: notice {id} is not for who acts: {issued:?}");
            assert!(told.is_subset(&acting.ever), "lifecycle 43: notice {id} is for a stranger: {issued:?}");
            let original = issued.original_account_id.parse().ok();
            let one_has_it = original.map_or(told.len() == 1, |has: Uuid| told.contains(&has));
            assert!(one_has_it, "lifecycle 43: whose is the original of notice {id}? {issued:?}");
        }
    }

    /// 10: what was opened to be paid is what was quoted, and each row of a quote is one of the table that was in force on its day.
    pub(super) fn quotes_are_of_the_table(&self) {
        let forms = docket_forms::Catalogue::embedded();
        let mut quoted = BTreeMap::new();
        for (id, events) in self.streams::<quote::Event>("quote") {
            for quote::Event::FeeQuoted(fee) in events {
                let day: jiff::civil::Date = fee.filing_date.parse().unwrap();
                for row in &fee.rows {
                    // A form that was dropped into the folder of a system is not one of those that are built in.
                    let Some(form) = forms.form(&row.form) else { continue };
                    let known = form.fees.iter().any(|rule| {
                        let in_force = calendar::in_force(rule.from, rule.until, day);
                        let cents = if row.waiver_asked { 0 } else { rule.cents };
                        rule.id == row.row && in_force && cents == row.cents
                    });
                    assert!(known, "lifecycle 10: quote {id} of {day}: {row:?} is not of the table");
                }
                quoted.insert(id.clone(), fee.total_cents);
            }
        }
        for (id, events) in self.streams::<payment::Event>("payment") {
            for event in &events {
                let payment::Event::PaymentOpened(opened) = event else { continue };
                if let Some(total) = quoted.get(&opened.quote_id) {
                    assert_eq!(opened.amount_cents, *total, "lifecycle 10: payment {id}");
                }
                for part in &opened.parts {
                    let total = quoted.get(&part.quote_id).copied();
                    assert_eq!(Some(part.amount_cents), total, "lifecycle 10: payment {id}: {part:?}");
                }
                let parts: i64 = opened.parts.iter().map(|part| part.amount_cents).sum();
                assert!(
                    opened.parts.is_empty() || parts == opened.amount_cents,
                    "lifecycle 10: payment {id}"
                );
            }
        }
    }

    /// 55: a command is done once: what it wrote stands together in a log.
    pub(super) fn what_was_asked_twice_was_done_once(&self) {
        let mut last: BTreeMap<(&str, String, Uuid), i64> = BTreeMap::new();
        for entry in &self.entries {
            let metadata = &entry.metadata;
            let command = (entry.log.as_str(), metadata.actor.to_string(), metadata.command_id);
            let before = last.insert(command, entry.position);
            let together = before.is_none_or(|before| before + 1 == entry.position);
            assert!(together, "lifecycle 55: a command wrote at {before:?} and once more: {entry:?}");
        }
    }

    /// The cases whose rows are behind their streams.
    pub(super) fn rows_behind(&self) -> Vec<&str> {
        let streams = self.of("case").into_iter();
        let behind = streams.filter(|(id, entries)| {
            let head = entries.last().map_or(0, |entry| entry.version);
            self.rows.get(*id).is_none_or(|row| row.version < head)
        });
        behind.map(|(id, _)| id).collect()
    }

    /// 47, 55: what people read of a case is its fold, lived through again from the log.
    pub(super) fn rows_are_the_fold(&self) {
        let lines = self.cases();
        assert_eq!(lines.len(), self.rows.len(), "a row for each case");
        for (id, lines) in lines {
            let case = lines.iter().fold(Case::default(), |case, line| evolve(case, &line.event));
            let fold = serde_json::to_value(&case).unwrap();
            assert_eq!(self.rows[&id].state, fold, "lifecycle 55: the row of case {id} is not its fold");
        }
    }
}

/// Who acts in a case.
struct Acting {
    /// Who represented the party, after each line.
    after: Vec<Option<Uuid>>,
    /// The party, and whoever represented it at some time.
    ever: BTreeSet<Uuid>,
}

impl Acting {
    fn of(lines: &[Line]) -> Self {
        let mut acting = Self { after: Vec::with_capacity(lines.len()), ever: BTreeSet::new() };
        let mut case = Case::default();
        for line in lines {
            case = evolve(case, &line.event);
            acting.ever.extend(case.party);
            acting.ever.extend(case.appearance.map(|appearance| appearance.representative));
            acting.after.push(case.representative());
        }
        acting
    }
}

/// Lives all cases through together.
pub(super) fn lived_together<'a>(lines: impl Iterator<Item = (&'a str, &'a Line)>) {
    let mut cases: BTreeMap<&str, Case> = BTreeMap::new();
    for (id, line) in lines {
        let before = cases.remove(id).unwrap_or_default();
        let must = |invariant, holds| must_at((id, line, &before), invariant, holds);
        if let case::Event::CaseApproved(_) = &line.event {
            let approved = |basis: Uuid| {
                let basis = cases.get(basis.to_string().as_str());
                basis.is_some_and(|basis| basis.outcome == Some(Outcome::Approved))
            };
            must(25, before.bases().all(approved));
            // The person is the party, where nobody signed for them.
            let of_them = |case: &Case, family: &str| case.family == family && !case.is_for_another();
            let conditions = |other: &Case| {
                other.party == before.party && of_them(other, "conditions_removal") && other.is_open()
            };
            must(27, !of_them(&before, "naturalization") || !cases.values().any(conditions));
        }
        if let Some(officer) = decider(&line.event).filter(|_| before.challenge == "hearing") {
            let challenged = cases.values().find(|case| case.receipt_number == before.about_receipt);
            let mine = |case: &Case| case.decided_by == Some(officer) || case.interviewer == Some(officer);
            must(31, !challenged.is_some_and(mine));
        }
        cases.insert(id, evolve(before, &line.event));
    }
    links_are_of_both(&cases);
}

/// Who is to hear or decide it, heard it, recommended or decided by this.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others decide nothing")]
fn decider(event: &case::Event) -> Option<Uuid> {
    let officer = match event {
        case::Event::CaseAssigned(event) => &event.officer,
        case::Event::InterviewCompleted(event) => &event.officer,
        case::Event::DecisionRecommended(event) => &event.officer,
        case::Event::CaseApproved(event) => &event.officer,
        case::Event::CaseDenied(event) => &event.officer,
        _ => return None,
    };
    officer.parse().ok()
}

/// 59: what is linked is linked from both sides, as what it is; whoever works or travels on an application for adjustment made it. A case
/// that was never taken, or is taken no more, has no links to show.
fn links_are_of_both(cases: &BTreeMap<&str, Case>) {
    for (id, case) in cases.iter().filter(|(_, case)| !case.is_over_unfiled()) {
        for link in &case.links {
            let other = cases.get(link.case.to_string().as_str());
            let other =
                other.unwrap_or_else(|| panic!("lifecycle 59: case {id} is linked with none: {link:?}"));
            assert_eq!(link.form, other.form, "lifecycle 59: case {id}: {link:?}");
            let same = link.kind == LinkKind::Basis || case.party == other.party;
            assert!(same, "lifecycle 59: case {id} rests on somebody else's: {link:?}");
            let opposite = match link.direction {
                Direction::RestsOn => Direction::Carries,
                Direction::Carries => Direction::RestsOn,
            };
            let back = other.links.iter().any(|back| {
                (back.case.to_string().as_str(), back.kind, back.direction) == (*id, link.kind, opposite)
            });
            assert!(
                back || other.is_over_unfiled(),
                "lifecycle 59: case {id} is linked from one side: {link:?}"
            );
        }
    }
}

/// Lives of several cases that are spoilt, each in one thing.
mod spoilt {
    use super::super::{Books, Entry};
    use super::{Line, Row, lived_together};
    use docket_case_status::domain::{Case, evolve};
    use docket_eventlog::Metadata;
    use docket_kernel::{Actor, EventEnum};
    use docket_proto::case_status::events::v1 as pb;
    use docket_proto::events::case::Event;
    use docket_proto::events::{notice, payment, quote};
    use docket_proto::notifications::events::v1::NoticeIssued;
    use docket_proto::payments::events::v1::{FeeQuoted, PaymentOpened};
    use docket_proto::types::v1::FeeRow;
    use uuid::Uuid;

    const FIRST: &str = "00000000-0000-0000-0000-000000000001";
    const SECOND: &str = "00000000-0000-0000-0000-000000000002";
    const ANA: &str = "00000000-0000-0000-0000-0000000000a1";
    const KIM: &str = "00000000-0000-0000-0000-0000000000b1";
    const AMIR: &str = "00000000-0000-0000-0000-0000000000b2";

    fn opened(form: &str, family: &str) -> Event {
        pb::CaseOpened {
            form: form.into(),
            family: family.into(),
            account_id: ANA.into(),
            ..Default::default()
        }
        .into()
    }

    fn linked(case: &str, form: &str, direction: &str) -> Event {
        pb::CaseLinked {
            case_id: case.into(),
            form: form.into(),
            link_kind: "basis".into(),
            direction: direction.into(),
            apart: false,
        }
        .into()
    }

    fn approved(officer: &str) -> Event {
        pb::CaseApproved { officer: officer.into(), ..Default::default() }.into()
    }

    /// Why they are none, as the panic begins.
    fn check(events: Vec<(&'static str, Event)>, expected: Option<&str>) {
        let line =
            |event| Line { event, actor: Actor::machine("test"), on_behalf_of: None, recorded_at_us: 1 };
        let lines: Vec<(&str, Line)> = events.into_iter().map(|(id, event)| (id, line(event))).collect();
        let ended = std::panic::catch_unwind(|| lived_together(lines.iter().map(|(id, line)| (*id, line))));
        let said = ended.err().map(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default());
        match (&said, expected) {
            (None, None) => {}
            (Some(said), Some(begins)) if said.contains(begins) => {}
            _ => panic!("expected {expected:?}, found {said:?}"),
        }
    }

    #[test]
    fn an_approval_before_its_petition_and_a_link_from_one_side_are_found() {
        let both = || {
            vec![
                (FIRST, opened("I-130", "petition")),
                (SECOND, opened("I-485", "adjustment")),
                (SECOND, linked(FIRST, "I-130", "rests_on")),
                (FIRST, linked(SECOND, "I-485", "carries")),
            ]
        };
        let then = |events: Vec<(&'static str, Event)>| [both(), events].concat();
        check(then(vec![(FIRST, approved(KIM)), (SECOND, approved(KIM))]), None);
        check(
            then(vec![(SECOND, approved(KIM)), (FIRST, approved(KIM))]),
            Some("lifecycle 25 does not hold at case.approved.v1"),
        );
        check(
            both()[..3].to_vec(),
            Some("lifecycle 59: case 00000000-0000-0000-0000-000000000002 is linked"),
        );
        let mut other = both();
        other[2].1 = linked(FIRST, "I-140", "rests_on");
        check(other, Some("lifecycle 59"));
    }

    #[test]
    fn a_citizen_on_conditions_is_found() {
        let both = |last: [(&'static str, Event); 2]| {
            let opened =
                [(FIRST, opened("I-751", "conditions_removal")), (SECOND, opened("N-400", "naturalization"))];
            [opened, last].concat()
        };
        check(both([(FIRST, approved(KIM)), (SECOND, approved(KIM))]), None);
        check(
            both([(SECOND, approved(KIM)), (FIRST, approved(KIM))]),
            Some("lifecycle 27 does not hold at case.approved.v1"),
        );
    }

    #[test]
    fn a_hearing_by_who_denied_is_found() {
        let heard_by = |officer: &str| {
            let hearing = pb::CaseOpened {
                form: "N-336".into(),
                challenge: "hearing".into(),
                about_receipt: "DKT1".into(),
                ..Default::default()
            };
            let accepted = pb::FilingAccepted { receipt_number: "DKT1".into(), ..Default::default() };
            let denied = pb::CaseDenied { officer: KIM.into(), ..Default::default() };
            let held = pb::InterviewCompleted { officer: officer.into(), ..Default::default() };
            vec![
                (FIRST, opened("N-400", "naturalization")),
                (FIRST, accepted.into()),
                (FIRST, denied.into()),
                (SECOND, hearing.into()),
                (SECOND, held.into()),
            ]
        };
        check(heard_by(AMIR), None);
        check(heard_by(KIM), Some("lifecycle 31 does not hold at case.interview_completed.v1"));
    }

    /// Books of these events, each of a command of its own, and caused by the one before it.
    fn books(events: &[(&str, &str, Vec<u8>)]) -> Books {
        let mut books = Books::default();
        for (n, (stream, kind, payload)) in events.iter().enumerate() {
            let version = events[..=n].iter().filter(|(other, ..)| other == stream).count();
            let id = |n: usize| Uuid::from_u128(n as u128 + 1);
            books.entries.push(Entry {
                log: "all".into(),
                position: i64::try_from(n + 1).unwrap(),
                stream: (*stream).to_owned(),
                version: i64::try_from(version).unwrap(),
                event_id: id(n),
                kind: (*kind).to_owned(),
                payload: payload.clone(),
                metadata: Metadata {
                    command_id: id(n),
                    causation_id: n.checked_sub(1).map(id),
                    correlation_id: id(n),
                    actor: Actor::machine("test"),
                    on_behalf_of: None,
                    auth_level: 0,
                    traceparent: String::new(),
                    producer: String::new(),
                    rules: String::new(),
                },
                recorded_at_us: 1,
            });
        }
        books
    }

    fn said<'a, E: EventEnum>(stream: &'a str, event: &E) -> (&'a str, &'static str, Vec<u8>) {
        (stream, event.kind(), event.encode())
    }

    /// Whether a check finds nothing, or what it says.
    fn finds(books: &Books, check: impl Fn(&Books)) -> Option<String> {
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(books)));
        ended.err().map(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
    }

    #[test]
    fn a_notice_that_passes_who_acts_by_or_reaches_a_stranger_is_found() {
        let found = |told: &[&str], original: &str| {
            let issued = NoticeIssued {
                case_id: FIRST.into(),
                account_ids: told.iter().map(|&id| id.to_owned()).collect(),
                original_account_id: original.into(),
                ..Default::default()
            };
            let acts = pb::RepresentationActivated {
                representation_id: SECOND.into(),
                representative: AMIR.into(),
                ..Default::default()
            };
            let case = format!("case-{FIRST}");
            let books = books(&[
                said(&case, &opened("I-90", "card_replacement")),
                said(&case, &Event::from(acts)),
                said("notice-1", &notice::Event::from(issued)),
            ]);
            finds(&books, Books::notices_are_for_whoever_acts).unwrap_or_default()
        };
        assert_eq!(found(&[ANA, AMIR], ANA), "");
        assert!(found(&[ANA], "").contains("notice 1 is not for who acts"));
        assert!(found(&[ANA, AMIR, KIM], ANA).contains("notice 1 is for a stranger"));
        assert!(found(&[ANA, AMIR], "").contains("whose is the original of notice 1?"));
        assert!(found(&[ANA, AMIR], KIM).contains("whose is the original of notice 1?"));
    }

    #[test]
    fn a_quote_that_is_not_of_the_table_and_a_payment_that_is_not_of_its_quote_are_found() {
        let found = |row: &str, cents: i64, day: &str, asked: i64| {
            let row = FeeRow { row: row.into(), form: "I-130".into(), cents, ..Default::default() };
            let quoted = FeeQuoted {
                rows: vec![row],
                total_cents: cents,
                filing_date: day.into(),
                ..Default::default()
            };
            let opened = PaymentOpened { quote_id: "1".into(), amount_cents: asked, ..Default::default() };
            let books = books(&[
                said("quote-1", &quote::Event::from(quoted)),
                said("payment-1", &payment::Event::from(opened)),
            ]);
            finds(&books, Books::quotes_are_of_the_table).unwrap_or_default()
        };
        assert_eq!(found("i130-online", 62_500, "2026-11-27", 62_500), "");
        assert!(found("i130-online", 62_400, "2026-11-27", 62_400).contains("is not of the table"));
        assert!(found("online", 62_500, "2026-11-27", 62_500).contains("is not of the table"));
        assert!(found("i130-online", 62_500, "2024-03-31", 62_500).contains("is not of the table"));
        assert!(found("i130-online", 62_500, "2026-11-27", 62_400).contains("lifecycle 10: payment 1"));
    }

    #[test]
    fn a_command_that_was_done_again_and_a_row_that_is_not_the_fold_are_found() {
        let case = format!("case-{FIRST}");
        let events = [opened("I-90", "card_replacement"), approved(KIM), approved(KIM)];
        let mut books = books(&events.each_ref().map(|event| said(&case, event)));
        assert_eq!(finds(&books, Books::what_was_asked_twice_was_done_once), None);
        assert_eq!(books.rows_behind(), [FIRST]);
        let fold =
            |events: &[Event]| serde_json::to_value(events.iter().fold(Case::default(), evolve)).unwrap();
        books.rows.insert(FIRST.into(), Row { version: 3, state: fold(&events) });
        assert!(books.rows_behind().is_empty());
        assert_eq!(finds(&books, Books::rows_are_the_fold), None);
        books.rows.insert(FIRST.into(), Row { version: 3, state: fold(&events[..1]) });
        let said = finds(&books, Books::rows_are_the_fold).unwrap();
        assert!(said.contains("lifecycle 55: the row of case"), "{said}");
        books.entries[2].metadata.command_id = books.entries[0].metadata.command_id;
        let said = finds(&books, Books::what_was_asked_twice_was_done_once).unwrap();
        assert!(said.contains("lifecycle 55: a command wrote at Some(1)"), "{said}");
    }
}
