//! What the whole system wrote down, read from its logs, and what the far side has: the invariants that hold after every story,
//! whatever was killed in the middle of it.
#![expect(clippy::wildcard_enum_match_arm, reason = "an invariant looks at the events that it is about")]
mod across;

use crate::lifecycle::{self, Line};
use crate::system::System;
use docket_case_status::domain::{Case, Outcome};
use docket_eventlog::Metadata;
use docket_kernel::EventEnum;
use docket_proto::events::{case, delivery, filing, notice, payment, quote, response};
use docket_proto::notifications::events::v1::DeliveryHandedOver;
use docket_proto::payments::events::v1::fee_settled::Settlement;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection, Row as _};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Databases that hold a log.
const LOGS: [&str; 5] = ["identity", "filing", "payments", "cases", "notifications"];
/// What is under way when a story has ended comes to rest within this time, or never.
const PATIENCE: Duration = Duration::from_mins(1);

/// An event as it is stored.
#[derive(Clone, Debug)]
struct Entry {
    log: String,
    position: i64,
    stream: String,
    version: i64,
    event_id: Uuid,
    kind: String,
    payload: Vec<u8>,
    metadata: Metadata,
    recorded_at_us: i64,
}

/// Everything that was written down, and what is still open.
#[derive(Debug, Default)]
pub(crate) struct Books {
    entries: Vec<Entry>,
    /// What is owed and not done, by kind and key.
    open_obligations: Vec<String>,
    /// What is owed, done or not, by nobody.
    unowned: i64,
    parked: i64,
    /// What people read of the cases.
    rows: BTreeMap<String, across::Row>,
    far_side: Value,
    /// The ids of all mails at the far side, as often as they came.
    mails: Vec<String>,
    /// The texts that the carrier has.
    texts: Vec<Value>,
    /// Somebody was killed: a mail may have come twice, since nobody could say that it had been sent.
    killed: bool,
}

/// Reads the books once nothing is under way any more, and checks them; gives how many events they hold.
pub(crate) fn check(system: &System) -> usize {
    let begun = Instant::now();
    loop {
        let books = Books::read(system);
        let open = books.under_way();
        if open.is_empty() {
            books.hold();
            return books.entries.len();
        }
        assert!(begun.elapsed() < PATIENCE, "it does not come to rest: {open:#?}\n{}", system.logs());
        std::thread::park_timeout(Duration::from_millis(200));
    }
}

/// The kinds of events in all logs.
pub(crate) fn kinds(system: &System) -> BTreeSet<String> {
    Books::read(system).entries.into_iter().map(|entry| entry.kind).collect()
}

impl Books {
    fn read(system: &System) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut books = Self::default();
            for database in LOGS {
                let mut connection = PgConnection::connect(&superuser(system, database)).await.unwrap();
                let rows =
                    "SELECT log, position, stream, version, event_id, kind, payload, metadata, recorded_at_us
                    FROM log.event ORDER BY log, position";
                for row in sqlx::query(rows).fetch_all(&mut connection).await.unwrap() {
                    books.entries.push(Entry {
                        log: row.get(0),
                        position: row.get(1),
                        stream: row.get(2),
                        version: row.get(3),
                        event_id: row.get(4),
                        kind: row.get(5),
                        payload: row.get(6),
                        metadata: Metadata::decode(row.get(7)).unwrap(),
                        recorded_at_us: row.get(8),
                    });
                }
                let count = async |connection: &mut PgConnection, sql| {
                    sqlx::query_scalar::<_, i64>(sql).fetch_one(connection).await.unwrap()
                };
                let open = "SELECT kind || ' ' || key FROM log.obligation WHERE closed_by IS NULL";
                books
                    .open_obligations
                    .extend(sqlx::query_scalar(open).fetch_all(&mut connection).await.unwrap());
                books.parked += count(&mut connection, "SELECT count(*) FROM log.parked").await;
                let unowned = "SELECT count(*) FROM log.obligation WHERE owner = '' OR due_at_us <= 0";
                books.unowned += count(&mut connection, unowned).await;
                connection.close().await.unwrap();
            }
            let mut status = PgConnection::connect(&superuser(system, "status")).await.unwrap();
            let rows = "SELECT case_id, version, state FROM case_row";
            for row in sqlx::query(rows).fetch_all(&mut status).await.unwrap() {
                let (version, state) = (row.get(1), row.get(2));
                books.rows.insert(row.get::<Uuid, _>(0).to_string(), across::Row { version, state });
            }
            status.close().await.unwrap();
            let addresses = system.addresses();
            books.far_side = far_side(&addresses["sandbox"], "sandbox/charges").await;
            let mails = far_side(&addresses["mail"], "mail/messages").await;
            let mails = mails["messages"].as_array().unwrap().iter();
            books.mails = mails.filter_map(|mail| mail["message_id"].as_str().map(str::to_owned)).collect();
            let texts = far_side(&addresses["sandbox"], "sms/messages").await;
            books.texts.clone_from(texts["messages"].as_array().unwrap());
            books.killed = system.was_killed();
            books
        })
    }

    /// What is written in the streams of a category, by stream.
    fn of(&self, category: &str) -> BTreeMap<&str, Vec<&Entry>> {
        let mut streams: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for entry in &self.entries {
            if let Some(id) = entry.stream.strip_prefix(&format!("{category}-")) {
                streams.entry(id).or_default().push(entry);
            }
        }
        streams
    }

    /// Events of a category, decoded, by stream.
    fn streams<E: EventEnum>(&self, category: &str) -> BTreeMap<String, Vec<E>> {
        let event = |entry: &&Entry| E::decode(&entry.kind, &entry.payload).unwrap();
        let streams = self.of(category).into_iter();
        streams.map(|(id, entries)| (id.to_owned(), entries.iter().map(event).collect())).collect()
    }

    /// The events of the cases, each with who caused it.
    fn cases(&self) -> BTreeMap<String, Vec<Line>> {
        let line = |entry: &&Entry| Line {
            event: case::Event::decode(&entry.kind, &entry.payload).unwrap(),
            actor: entry.metadata.actor.clone(),
            on_behalf_of: entry.metadata.on_behalf_of,
            recorded_at_us: entry.recorded_at_us,
        };
        let cases = self.of("case").into_iter();
        cases.map(|(id, entries)| (id.to_owned(), entries.iter().map(line).collect())).collect()
    }

    /// How often something was written, in other streams than these.
    fn count(&self, kind: &str, but: &BTreeSet<String>) -> usize {
        self.entries.iter().filter(|entry| entry.kind == kind && !but.contains(&entry.stream)).count()
    }

    /// The streams of filings that went in with another one and open no case.
    fn enclosed(&self) -> BTreeSet<String> {
        let filings = self.streams::<filing::Event>("filing").into_iter();
        let enclosed = filings.filter(|(_, events)| events.iter().any(opens_no_case));
        enclosed.map(|(id, _)| format!("filing-{id}")).collect()
    }

    /// What somebody still has to do, so that it is too early to judge.
    fn under_way(&self) -> Vec<String> {
        let mut open = Vec::new();
        let mut waits = |is: bool, what: String| {
            if is {
                open.push(what);
            }
        };
        waits(!self.open_obligations.is_empty(), format!("open obligations: {:?}", self.open_obligations));
        let pairs = [
            ("filing.submitted.v1", "case.opened.v1"),
            ("case.filing_accepted.v1", "filing.acceptance_recorded.v1"),
            ("case.filing_rejected.v1", "filing.rejection_recorded.v1"),
            ("notice.issued.v1", "case.notice_recorded.v1"),
            ("payment.withdrawn.v1", "filing.recalled.v1"),
            ("payment.refund_started.v1", "payment.refund_issued.v1"),
            ("payment.refund_issued.v1", "case.refund_recorded.v1"),
            ("payment.refund_failed.v1", "case.refund_failure_recorded.v1"),
            ("payment.returned.v1", "case.payment_return_recorded.v1"),
            ("payment.made_good.v1", "case.fee_made_good_recorded.v1"),
            ("response.submitted.v1", "case.response_recorded.v1"),
            ("filing.unsolicited_evidence_added.v1", "case.unsolicited_evidence_recorded.v1"),
        ];
        let behind = self.rows_behind();
        waits(!behind.is_empty(), format!("rows of cases are behind: {behind:?}"));
        let enclosed = self.enclosed();
        for (cause, effect) in pairs {
            let (causes, effects) = (self.count(cause, &enclosed), self.count(effect, &enclosed));
            waits(causes > effects, format!("{causes} × {cause}, {effects} × {effect}"));
        }
        for (id, events) in self.streams::<payment::Event>("payment") {
            let pending = events.iter().fold(false, |pending, event| match event {
                payment::Event::PaymentAttempted(_) => true,
                payment::Event::FeeSettled(_)
                | payment::Event::FeeRefused(_)
                | payment::Event::PaymentMadeGood(_) => false,
                _ => pending,
            });
            waits(pending, format!("an attempt at payment {id} has no answer"));
        }
        for (filing, left) in self.fees_to_give_back() {
            waits(
                left != 0,
                format!("{left} cents of the fee of {filing}, which was not taken, are not back"),
            );
        }
        open
    }

    /// Lifecycle 13: of each filing that was rejected or voided with its fee to go back, what was paid for it and is not back but should
    /// be; of a fee that stays in part or whole, that much stays. What came back another way is owed no more.
    fn fees_to_give_back(&self) -> BTreeMap<String, i64> {
        let mut paid = BTreeMap::new();
        for events in self.streams::<payment::Event>("payment").into_values() {
            paid.extend(kept_of_each(&events));
        }
        let stays = |event: &case::Event| match event {
            case::Event::FilingRejected(rejected) => match &rejected.kept {
                Some(kept) => Some(kept.cents),
                None => rejected.refund.then_some(0),
            },
            case::Event::AcceptanceVoided(voided) => voided.refund.then_some(0),
            _ => None,
        };
        let cases = self.streams::<case::Event>("case").into_iter();
        let ended = cases.filter_map(|(id, events)| Some((id, events.iter().find_map(stays)?)));
        ended.map(|(id, stays)| (id.clone(), paid.get(&id).copied().unwrap_or_default() - stays)).collect()
    }

    /// The invariants.
    fn hold(&self) {
        assert_eq!(self.parked, 0, "a stream is parked");
        assert_eq!(self.unowned, 0, "lifecycle 45: something is owed by nobody, or without a day");
        self.logs_are_dense();
        self.what_was_asked_twice_was_done_once();
        let submitted = self.filings_go_in_once();
        self.cases_keep_the_lifecycle(&submitted);
        self.cases_are_opened_as_the_filing_came();
        self.cases_keep_to_each_other();
        self.rows_are_the_fold();
        self.nothing_is_added_while_something_is_asked();
        self.waivers_are_of_what_may_be_waived();
        self.quotes_are_of_the_table();
        self.money_is_the_far_sides();
        self.fees_are_paid_as_quoted_and_go_back_once();
        self.notices_are_issued_once();
        self.notices_are_for_whoever_acts();
        self.mails_are_sent_once();
        self.texts_are_sent_once();
    }

    /// L2, L3: positions and versions without a gap.
    fn logs_are_dense(&self) {
        let (mut heads, mut versions) = (BTreeMap::new(), BTreeMap::new());
        for entry in &self.entries {
            let head: &mut i64 = heads.entry(&entry.log).or_default();
            let version: &mut i64 = versions.entry((&entry.log, &entry.stream)).or_default();
            (*head, *version) = (*head + 1, *version + 1);
            assert_eq!((entry.position, entry.version), (*head, *version), "{entry:?}");
        }
    }

    /// Lifecycle 1: what was sent goes in exactly once; 7, 8: signed, and as it was signed. Gives the ids of what opens a case.
    fn filings_go_in_once(&self) -> BTreeSet<String> {
        let mut submitted = BTreeSet::new();
        for (id, events) in self.streams::<filing::Event>("filing") {
            goes_in_as_it_was_signed(&id, &events);
            let went_in = |event: &&filing::Event| matches!(event, filing::Event::FilingSubmitted(_));
            let went_in: Vec<_> = events.iter().filter(went_in).collect();
            assert!(went_in.len() <= 1, "filing {id} went in {} times", went_in.len());
            if went_in.first().is_some_and(|event| !opens_no_case(event)) {
                submitted.insert(id);
            }
        }
        submitted
    }

    /// Lifecycle 1, 2, 4, 5, 17, 25, 30, and what `lifecycle` looks for.
    fn cases_keep_the_lifecycle(&self, submitted: &BTreeSet<String>) {
        let mut receipts = BTreeSet::new();
        let lines = self.cases();
        assert_eq!(&lines.keys().cloned().collect::<BTreeSet<_>>(), submitted, "cases are of filings");
        let ends = lines.iter().map(|(id, lines)| (id.as_str(), lifecycle::lived(id, lines))).collect();
        approvals_have_their_bases(&ends);
        for (id, events) in self.streams::<case::Event>("case") {
            assert!(matches!(events[0], case::Event::CaseOpened(_)), "case {id} begins otherwise");
            let kinds: Vec<&str> = events.iter().map(EventEnum::kind).collect();
            let times = |kind: &str| kinds.iter().filter(|known| **known == kind).count();
            assert_eq!(times("case.opened.v1"), 1, "case {id}");
            let (accepted, rejected) = (times("case.filing_accepted.v1"), times("case.filing_rejected.v1"));
            assert!(accepted + rejected <= 1, "case {id} was accepted and rejected: {kinds:?}");
            let end = ["case.filing_rejected.v1", "case.acceptance_voided.v1"];
            if let Some(place) = kinds.iter().position(|kind| end.contains(kind)) {
                let after = [
                    "case.refund_recorded.v1",
                    "case.refund_failure_recorded.v1",
                    "case.notice_recorded.v1",
                    "case.response_recorded.v1",
                    "case.unsolicited_evidence_recorded.v1",
                    "case.representation_ended.v1",
                    "case.message_received.v1",
                    "case.message_answered.v1",
                    "case.message_set_aside.v1",
                ];
                assert!(kinds[place + 1..].iter().all(|kind| after.contains(kind)), "case {id}: {kinds:?}");
            }
            for event in &events {
                if let case::Event::FilingAccepted(accepted) = event {
                    assert!(receipts.insert(accepted.receipt_number.clone()), "a receipt number twice");
                }
            }
            requests_end_once(&id, &events);
            somebody_else_decided(&id, &events);
        }
    }

    /// Lifecycle 6: the instant of a case is that of its filing.
    fn cases_are_opened_as_the_filing_came(&self) {
        let filings = self.streams::<filing::Event>("filing");
        for (id, events) in self.streams::<case::Event>("case") {
            let case::Event::CaseOpened(opened) = &events[0] else { panic!("case {id} begins otherwise") };
            let came = filings[&id].iter().find_map(|event| match event {
                filing::Event::FilingSubmitted(submitted) => Some(submitted.submitted_at_us),
                _ => None,
            });
            assert_eq!(came, Some(opened.submitted_at_us), "lifecycle 6: case {id}");
        }
    }

    /// Lifecycle 61: nothing comes unasked into a case while its party is asked for something, in the order of filing's log.
    fn nothing_is_added_while_something_is_asked(&self) {
        let mut asked: BTreeMap<String, (String, i64)> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.log == "filing") {
            if let Some(request) = entry.stream.strip_prefix("response-") {
                match response::Event::decode(&entry.kind, &entry.payload).unwrap() {
                    response::Event::ResponseOpened(opened) => {
                        let ends = opened.deadline.unwrap_or_default().expires_at_us;
                        asked.insert(request.to_owned(), (opened.case_id, ends));
                    }
                    response::Event::ResponseSubmitted(_) | response::Event::ResponseClosed(_) => {
                        asked.remove(request);
                    }
                    _ => {}
                }
            } else if let Some(case) = entry.stream.strip_prefix("filing-")
                && let filing::Event::UnsolicitedEvidenceAdded(added) =
                    filing::Event::decode(&entry.kind, &entry.payload).unwrap()
            {
                let open = |(of, ends): &(String, i64)| of == case && added.received_at_us < *ends;
                assert!(!asked.values().any(open), "lifecycle 61: filing {case}: {entry:?}");
            }
        }
    }

    /// Lifecycle 11: a waiver is asked for what may be waived; and a quote is the sum of its rows.
    fn waivers_are_of_what_may_be_waived(&self) {
        let forms = docket_forms::Catalogue::embedded();
        for (id, events) in self.streams::<quote::Event>("quote") {
            for event in &events {
                let quote::Event::FeeQuoted(quoted) = event;
                let sum: i64 = quoted.rows.iter().map(|row| row.cents).sum();
                assert_eq!(sum, quoted.total_cents, "quote {id}");
                for row in quoted.rows.iter().filter(|row| row.waiver_asked) {
                    let mut rules = forms.form(&row.form).into_iter().flat_map(|form| &form.fees);
                    let waivable = rules.any(|rule| rule.id == row.row && rule.waivable);
                    assert!(waivable && row.cents == 0, "lifecycle 11: quote {id}: {row:?}");
                }
            }
        }
    }

    /// Lifecycle 12, 13 and the processor's own count: as many charges and refunds as were written down, of the same cents.
    fn money_is_the_far_sides(&self) {
        let (mut charges, mut taken_cents, mut refunds, mut returned_cents) = (0, 0, 0, 0);
        for (id, events) in self.streams::<payment::Event>("payment") {
            let mut settled = 0;
            for event in &events {
                match event {
                    payment::Event::FeeSettled(fee) => {
                        settled += 1;
                        if fee.settlement() == Settlement::Paid {
                            (charges, taken_cents) = (charges + 1, taken_cents + fee.amount_cents);
                        }
                    }
                    payment::Event::PaymentMadeGood(fee) => {
                        (charges, taken_cents) = (charges + 1, taken_cents + fee.amount_cents);
                    }
                    payment::Event::RefundIssued(refund) => {
                        (refunds, returned_cents) = (refunds + 1, returned_cents + refund.amount_cents);
                    }
                    payment::Event::RefundFailed(refund) if refund.was_issued => {
                        (refunds, returned_cents) = (refunds - 1, returned_cents - refund.amount_cents);
                    }
                    _ => {}
                }
            }
            assert!(settled <= 1, "payment {id} was settled {settled} times");
        }
        let far = |name: &str| self.far_side[name].as_i64().unwrap();
        assert_eq!((far("succeeded"), far("amount")), (charges, taken_cents), "charges, cents");
        assert_eq!((far("refunds"), far("refunded")), (refunds, returned_cents), "refunds, cents");
        assert_eq!(far("pending"), 0, "a bank has not answered");
    }

    /// Lifecycle 10: what is charged is what was asked for. 12: a filing is paid for in one payment. 13: it goes back once, and never
    /// more than was paid.
    fn fees_are_paid_as_quoted_and_go_back_once(&self) {
        let mut paid_for = BTreeSet::new();
        for (id, events) in self.streams::<payment::Event>("payment") {
            let (mut asked, mut kept, mut back) = (0, 0, BTreeSet::new());
            for event in &events {
                match event {
                    payment::Event::PaymentOpened(opened) => {
                        asked = opened.amount_cents;
                        let new = opened.filing_ids.iter().all(|filing| paid_for.insert(filing.clone()));
                        assert!(new, "lifecycle 12: a filing of payment {id} stands in another payment too");
                    }
                    // Not paid, and open again: it may be asked for once more.
                    payment::Event::PaymentWithdrawn(withdrawn) => {
                        assert!(
                            withdrawn.filing_ids.iter().all(|filing| paid_for.remove(filing)),
                            "payment {id}"
                        );
                    }
                    payment::Event::FeeSettled(fee) if fee.settlement() == Settlement::Paid => {
                        assert_eq!(fee.amount_cents, asked, "lifecycle 10: payment {id}");
                        kept += fee.amount_cents;
                    }
                    payment::Event::PaymentMadeGood(fee) => kept += fee.amount_cents,
                    payment::Event::PaymentReturned(lost) => kept -= lost.amount_cents,
                    payment::Event::RefundIssued(refund) => {
                        kept -= refund.amount_cents;
                        let new = back.insert(refund.refund_id.clone());
                        assert!(new, "lifecycle 13: payment {id} gave a fee back twice");
                    }
                    // It did not arrive, and goes back once more as the same refund.
                    payment::Event::RefundFailed(refund) if refund.was_issued => {
                        kept += refund.amount_cents;
                        let known = back.remove(&refund.refund_id);
                        assert!(known, "payment {id}: what never went back came back");
                    }
                    _ => {}
                }
                assert!(kept >= 0, "lifecycle 13: payment {id} gave back more than was paid");
            }
        }
    }

    /// Every mail that was handed over is at the far side: once, unless somebody was killed, and then its copies have its id.
    fn mails_are_sent_once(&self) {
        let mut came: BTreeMap<&str, usize> = BTreeMap::new();
        for mail in &self.mails {
            let id = mail.trim_start_matches('<').split('@').next().unwrap_or_default();
            *came.entry(id).or_default() += 1;
        }
        for (delivery, events) in self.streams::<delivery::Event>("delivery") {
            if !events.iter().any(|event| handed_over(event).is_some_and(|sent| sent.channel == "email")) {
                continue;
            }
            let times = came.get(delivery.as_str()).copied().unwrap_or_default();
            let once = times == 1 || (self.killed && times > 1);
            assert!(events.len() == 1 && once, "mail {delivery} came {times} times: {events:?}");
        }
    }

    /// Every text that was handed over is at the carrier, and none is there twice, whoever was killed: each bears letters of its own.
    fn texts_are_sent_once(&self) {
        let mut kept = BTreeSet::new();
        for text in self.texts.iter().filter(|text| text["direction"] != "inbound") {
            let (to, body) = (text["to"].as_str().unwrap(), text["body"].as_str().unwrap());
            let letters = body.rsplit_once(" Ref. ").map(|(_, letters)| letters);
            assert!(
                letters.is_some_and(|letters| kept.insert((to, letters))),
                "a text was sent twice: {body}"
            );
        }
        let sids: BTreeSet<&str> = self.texts.iter().filter_map(|text| text["sid"].as_str()).collect();
        for (delivery, events) in self.streams::<delivery::Event>("delivery") {
            for sent in events.iter().filter_map(handed_over).filter(|sent| sent.channel == "sms") {
                assert!(sids.contains(sent.carrier_id.as_str()), "text {delivery} is not at the carrier");
            }
        }
    }

    /// Lifecycle 44: each notice once, and in each case one for each event that owes one, or the word that it was let go; 43: to the party, whoever else gets it.
    fn notices_are_issued_once(&self) {
        let cases = self.streams::<case::Event>("case");
        let mut issued: BTreeMap<(String, String), usize> = BTreeMap::new();
        for (id, events) in self.streams::<notice::Event>("notice") {
            let of = |event: &notice::Event| match event {
                notice::Event::NoticeIssued(issued) => Some(issued.clone()),
                _ => None,
            };
            let notices: Vec<_> = events.iter().filter_map(of).collect();
            if let [notice::Event::NoticeNotIssued(let_go)] = &events[..] {
                *issued.entry((let_go.case_id.clone(), let_go.notice_kind.clone())).or_default() += 1;
                continue;
            }
            assert_eq!(notices.len(), 1, "notice {id} was issued {} times", notices.len());
            let notice = &notices[0];
            let party = matches!(&cases[&notice.case_id][0], case::Event::CaseOpened(opened)
                if notice.account_ids.iter().any(|told| opened.account_id.ends_with(told)));
            assert!(party, "lifecycle 43: notice {id} is not the party's");
            *issued.entry((notice.case_id.clone(), notice.notice_kind.clone())).or_default() += 1;
        }
        let owed = [
            ("receipt", &["case.filing_accepted.v1"][..]),
            ("rejection", &["case.filing_rejected.v1"]),
            ("biometrics_appointment", &["case.biometrics_scheduled.v1"]),
            ("interview_appointment", &["case.interview_scheduled.v1"]),
            ("appointment_moved", &["case.biometrics_rescheduled.v1", "case.interview_rescheduled.v1"]),
            ("appointment_cancelled", &["case.biometrics_cancelled.v1", "case.interview_cancelled.v1"]),
            (
                "appointment_missed",
                &["case.biometrics_missed.v1", "case.interview_missed.v1", "case.oath_missed.v1"],
            ),
            ("rfe", &["case.evidence_requested.v1"]),
            ("continuation", &["case.examination_continued.v1"]),
            ("noid", &["case.denial_intended.v1"]),
            ("noir", &["case.revocation_intended.v1"]),
            ("noir_withdrawn", &["case.revocation_intent_withdrawn.v1"]),
            ("revocation", &["case.approval_revoked.v1"]),
            ("noit", &["case.termination_intended.v1"]),
            ("noit_withdrawn", &["case.termination_intent_withdrawn.v1"]),
            ("termination", &["case.status_terminated.v1"]),
            ("revocation_by_law", &["case.approval_revoked_by_law.v1"]),
            ("own_motion", &["case.reopened_on_own_motion.v1"]),
            ("biometrics_reused", &["case.biometrics_reused.v1"]),
            ("admin_close", &["case.administratively_closed.v1"]),
            ("approval", &["case.approved.v1"]),
            ("denial", &["case.denied.v1"]),
            ("referral", &["case.referred.v1"]),
            ("transfer", &["case.transferred.v1"]),
            ("withdrawal_ack", &["case.withdrawn.v1"]),
            ("case_closed_moot", &["case.closed_as_moot.v1"]),
            ("representation_ended", &["case.representation_ended.v1"]),
            ("reopened", &["case.reopened.v1", "case.reopened_on_request.v1"]),
            ("payment_returned", &["case.payment_return_recorded.v1"]),
            ("refund_failed", &["case.refund_failure_recorded.v1"]),
            ("acceptance_voided", &["case.acceptance_voided.v1"]),
            ("address_changed", &["case.move_recorded.v1"]),
            ("card_mailed", &["case.card_mailed.v1", "case.card_remailed.v1"]),
            ("card_returned", &["case.card_returned.v1"]),
            ("expedite_decision", &["case.expedite_decided.v1"]),
            (
                "inquiry_answer",
                &[
                    "case.inquiry_answered.v1",
                    "case.name_corrected.v1",
                    "case.birth_date_corrected.v1",
                    "case.correction_refused.v1",
                ],
            ),
            ("oath", &["case.oath_scheduled.v1"]),
            ("citizenship_certificate_ready", &["case.certificate_issued.v1"]),
        ];
        for (id, events) in &cases {
            for (kind, owing) in owed {
                let owing = events.iter().filter(|event| owing.contains(&event.kind())).count();
                let issued = issued.remove(&(id.clone(), kind.to_owned())).unwrap_or_default();
                assert_eq!(issued, owing, "notices of the kind {kind} in case {id}");
            }
        }
        assert!(issued.is_empty(), "notices that nothing owed: {issued:?}");
    }
}

/// Lifecycle 17, 18: a request is served, answered, past or cancelled, each at most once; what was answered in time is not past.
fn requests_end_once(case: &str, events: &[case::Event]) {
    let mut seen = BTreeSet::new();
    for event in events {
        let (what, request): (&[&str], _) = match event {
            case::Event::RequestServed(event) => (&["served"], &event.request_id),
            case::Event::ResponseRecorded(event) if event.timely => {
                (&["answered", "answered in time or past"], &event.request_id)
            }
            case::Event::ResponseRecorded(event) => (&["answered"], &event.request_id),
            case::Event::DeadlinePassed(event) => (&["ended", "answered in time or past"], &event.request_id),
            case::Event::RequestCancelled(event) => (&["ended"], &event.request_id),
            _ => continue,
        };
        for what in what {
            assert!(seen.insert((what, request)), "case {case}: request {request} was {what} twice");
        }
    }
}

/// Whether by this a filing went in with another one, as an affidavit of support does.
fn opens_no_case(event: &filing::Event) -> bool {
    matches!(event, filing::Event::FilingSubmitted(submitted) if submitted.family == "attached")
}

/// Lifecycle 7, 8: nothing that was signed changed before it was sent.
fn goes_in_as_it_was_signed(id: &str, events: &[filing::Event]) {
    let mut signed = false;
    for event in events {
        match event {
            filing::Event::FilingSigned(_) => signed = true,
            filing::Event::DraftAnswered(_)
            | filing::Event::DraftEditionChanged(_)
            | filing::Event::EvidenceAdded(_)
            | filing::Event::EvidenceRemoved(_)
            | filing::Event::FeeWaiverRequested(_)
            | filing::Event::FeeWaiverDropped(_)
            | filing::Event::MissingEvidenceExplained(_)
            | filing::Event::MissingEvidenceExplanationDropped(_) => signed = false,
            filing::Event::FilingSent(_) | filing::Event::FilingSubmitted(_) => {
                assert!(signed, "filing {id} went in otherwise than it was signed");
            }
            _ => {}
        }
    }
}

/// What a payment keeps of the fee of each of its filings; nothing of one that was not honoured.
fn kept_of_each(events: &[payment::Event]) -> BTreeMap<String, i64> {
    let (mut parts, mut kept) = (BTreeMap::new(), BTreeMap::new());
    for event in events {
        match event {
            payment::Event::PaymentOpened(opened) if opened.parts.is_empty() => {
                parts.extend(opened.filing_ids.iter().map(|id| (id.clone(), opened.amount_cents)));
            }
            payment::Event::PaymentOpened(opened) => {
                parts.extend(opened.parts.iter().map(|part| (part.filing_id.clone(), part.amount_cents)));
            }
            payment::Event::FeeSettled(fee) if fee.settlement() == Settlement::Paid => {
                kept.clone_from(&parts);
            }
            payment::Event::PaymentReturned(lost) => lost.filing_ids.iter().for_each(|id| {
                kept.remove(id);
            }),
            payment::Event::PaymentMadeGood(fee) => {
                let again = fee.filing_ids.iter().filter_map(|id| parts.get_key_value(id));
                kept.extend(again.map(|(id, cents)| (id.clone(), *cents)));
            }
            payment::Event::RefundIssued(refund) => {
                *kept.entry(refund.filing_id.clone()).or_default() -= refund.amount_cents;
            }
            payment::Event::RefundFailed(refund) if refund.was_issued => {
                *kept.entry(refund.filing_id.clone()).or_default() += refund.amount_cents;
            }
            _ => {}
        }
    }
    kept
}

/// Lifecycle 25: what rests on a petition is approved with it only.
fn approvals_have_their_bases(cases: &BTreeMap<&str, Case>) {
    let approved = |case: &Case| case.outcome == Some(Outcome::Approved);
    for (id, case) in cases.iter().filter(|(_, case)| approved(case)) {
        let basis = |basis: uuid::Uuid| cases.get(basis.to_string().as_str()).is_some_and(approved);
        assert!(case.bases().all(basis), "lifecycle 25: case {id} is approved, and its petition is not");
    }
}

/// What a party that is not ours tells.
async fn far_side(address: &Value, path: &str) -> Value {
    let url = format!("{}/{path}", address.as_str().unwrap());
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

/// What was handed over.
fn handed_over(event: &delivery::Event) -> Option<&DeliveryHandedOver> {
    match event {
        delivery::Event::DeliveryHandedOver(sent) => Some(sent),
        delivery::Event::DeliveryConfirmed(_) | delivery::Event::DeliveryFailed(_) => None,
    }
}

/// Lifecycle 30: who recommended does not decide, nor concur.
fn somebody_else_decided(case: &str, events: &[case::Event]) {
    let mut recommended = String::new();
    for event in events {
        match event {
            case::Event::DecisionRecommended(event) => recommended.clone_from(&event.officer),
            case::Event::DecisionReviewed(event) => assert_ne!(event.officer, recommended, "case {case}"),
            case::Event::CaseApproved(event) => assert_ne!(event.officer, recommended, "case {case}"),
            case::Event::CaseDenied(event) => assert_ne!(event.officer, recommended, "case {case}"),
            case::Event::CaseReferred(event) => assert_ne!(event.officer, recommended, "case {case}"),
            case::Event::RevocationIntended(event) => recommended.clone_from(&event.officer),
            case::Event::ApprovalRevoked(event) => assert_ne!(event.officer, recommended, "case {case}"),
            case::Event::TerminationIntended(event) => recommended.clone_from(&event.officer),
            case::Event::StatusTerminated(event) => assert_ne!(event.officer, recommended, "case {case}"),
            _ => {}
        }
    }
}

/// The superuser's way into a database of the system.
pub(crate) fn superuser(system: &System, database: &str) -> String {
    let password = std::fs::read_to_string(system.home().join("data/postgres/password")).unwrap();
    let place = system.addresses()["databases"][database].as_str().unwrap().to_owned();
    place.replacen(
        "postgres://",
        &format!("postgres://{}:{}@", docket_servers::SUPERUSER, password.trim()),
        1,
    )
}
