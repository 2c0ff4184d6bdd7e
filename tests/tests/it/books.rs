//! What the whole system wrote down, read from its logs, and what the far side has: the invariants that hold after every story,
//! whatever was killed in the middle of it.
#![expect(
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants,
    reason = "an invariant looks at the events that it is about"
)]
use crate::system::System;
use docket_kernel::EventEnum;
use docket_proto::events::{case, filing, notice, payment};
use docket_proto::payments::events::v1::fee_settled::Settlement;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection, Row as _};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

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
    kind: String,
    payload: Vec<u8>,
}

/// Everything that was written down, and what is still open.
#[derive(Debug, Default)]
pub(crate) struct Books {
    entries: Vec<Entry>,
    open_obligations: i64,
    parked: i64,
    far_side: Value,
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
                let rows = "SELECT log, position, stream, version, kind, payload FROM log.event ORDER BY log, position";
                for row in sqlx::query(rows).fetch_all(&mut connection).await.unwrap() {
                    books.entries.push(Entry {
                        log: row.get(0),
                        position: row.get(1),
                        stream: row.get(2),
                        version: row.get(3),
                        kind: row.get(4),
                        payload: row.get(5),
                    });
                }
                let count = async |connection: &mut PgConnection, sql| {
                    sqlx::query_scalar::<_, i64>(sql).fetch_one(connection).await.unwrap()
                };
                let open = "SELECT count(*) FROM log.obligation WHERE closed_by IS NULL";
                books.open_obligations += count(&mut connection, open).await;
                books.parked += count(&mut connection, "SELECT count(*) FROM log.parked").await;
                connection.close().await.unwrap();
            }
            let url = format!("{}/sandbox/charges", system.addresses()["sandbox"].as_str().unwrap());
            books.far_side = reqwest::get(url).await.unwrap().json().await.unwrap();
            books
        })
    }

    /// Events of a category, decoded, by stream.
    fn streams<E: EventEnum>(&self, category: &str) -> BTreeMap<String, Vec<E>> {
        let mut streams: BTreeMap<String, Vec<E>> = BTreeMap::new();
        for entry in &self.entries {
            if let Some(id) = entry.stream.strip_prefix(&format!("{category}-")) {
                let event = E::decode(&entry.kind, &entry.payload).unwrap();
                streams.entry(id.to_owned()).or_default().push(event);
            }
        }
        streams
    }

    fn count(&self, kind: &str) -> usize {
        self.entries.iter().filter(|entry| entry.kind == kind).count()
    }

    /// What somebody still has to do, so that it is too early to judge.
    fn under_way(&self) -> Vec<String> {
        let mut open = Vec::new();
        let mut waits = |is: bool, what: String| {
            if is {
                open.push(what);
            }
        };
        waits(self.open_obligations > 0, format!("{} open obligations", self.open_obligations));
        let pairs = [
            ("filing.submitted.v1", "case.opened.v1"),
            ("case.filing_accepted.v1", "filing.acceptance_recorded.v1"),
            ("case.filing_rejected.v1", "filing.rejection_recorded.v1"),
            ("notice.issued.v1", "case.notice_recorded.v1"),
            ("payment.withdrawn.v1", "filing.recalled.v1"),
            ("payment.refund_started.v1", "payment.refund_issued.v1"),
            ("payment.refund_issued.v1", "case.refund_recorded.v1"),
            ("payment.returned.v1", "case.payment_return_recorded.v1"),
            ("payment.made_good.v1", "case.fee_made_good_recorded.v1"),
            ("response.submitted.v1", "case.response_recorded.v1"),
            ("filing.unsolicited_evidence_added.v1", "case.unsolicited_evidence_recorded.v1"),
        ];
        for (cause, effect) in pairs {
            let (causes, effects) = (self.count(cause), self.count(effect));
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
        open
    }

    /// The invariants.
    fn hold(&self) {
        assert_eq!(self.parked, 0, "a stream is parked");
        self.logs_are_dense();
        let submitted = self.filings_go_in_once();
        self.cases_keep_the_lifecycle(&submitted);
        self.money_is_the_far_sides();
        self.notices_are_issued_once();
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

    /// Lifecycle 1: what was sent goes in exactly once. Gives the ids.
    fn filings_go_in_once(&self) -> BTreeSet<String> {
        let mut submitted = BTreeSet::new();
        for (id, events) in self.streams::<filing::Event>("filing") {
            let went_in = events.iter().filter(|event| matches!(event, filing::Event::FilingSubmitted(_)));
            match went_in.count() {
                0 => {}
                1 => {
                    submitted.insert(id);
                }
                times => panic!("filing {id} went in {times} times"),
            }
        }
        submitted
    }

    /// Lifecycle 1–3, 5, 17, 23.
    fn cases_keep_the_lifecycle(&self, submitted: &BTreeSet<String>) {
        let mut receipts = BTreeSet::new();
        let cases = self.streams::<case::Event>("case");
        assert_eq!(&cases.keys().cloned().collect::<BTreeSet<_>>(), submitted, "cases are of filings");
        for (id, events) in cases {
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
                    "case.notice_recorded.v1",
                    "case.response_recorded.v1",
                    "case.unsolicited_evidence_recorded.v1",
                    "case.representation_ended.v1",
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

    /// Lifecycle 44: each notice once, and one for each event that owes one.
    fn notices_are_issued_once(&self) {
        let mut issued: BTreeMap<String, usize> = BTreeMap::new();
        for (id, events) in self.streams::<notice::Event>("notice") {
            let of = |event: &notice::Event| match event {
                notice::Event::NoticeIssued(issued) => Some(issued.notice_kind.clone()),
                _ => None,
            };
            let kinds: Vec<String> = events.iter().filter_map(of).collect();
            assert_eq!(kinds.len(), 1, "notice {id} was issued {} times", kinds.len());
            *issued.entry(kinds[0].clone()).or_default() += 1;
        }
        let owed = [
            ("receipt", &["case.filing_accepted.v1"][..]),
            ("rejection", &["case.filing_rejected.v1"]),
            ("biometrics_appointment", &["case.biometrics_scheduled.v1"]),
            ("interview_appointment", &["case.interview_scheduled.v1"]),
            ("appointment_moved", &["case.biometrics_rescheduled.v1", "case.interview_rescheduled.v1"]),
            ("appointment_cancelled", &["case.biometrics_cancelled.v1", "case.interview_cancelled.v1"]),
            ("rfe", &["case.evidence_requested.v1"]),
            ("continuation", &["case.examination_continued.v1"]),
            ("approval", &["case.approved.v1"]),
            ("denial", &["case.denied.v1"]),
            ("withdrawal_ack", &["case.withdrawn.v1"]),
            ("case_closed_moot", &["case.closed_as_moot.v1"]),
            ("representation_ended", &["case.representation_ended.v1"]),
            ("reopened", &["case.reopened.v1"]),
            ("payment_returned", &["case.payment_return_recorded.v1"]),
            ("acceptance_voided", &["case.acceptance_voided.v1"]),
            ("address_changed", &["case.move_recorded.v1"]),
            ("card_mailed", &["case.card_mailed.v1", "case.card_remailed.v1"]),
            ("card_returned", &["case.card_returned.v1"]),
            ("oath", &["case.oath_scheduled.v1"]),
            ("citizenship_certificate_ready", &["case.certificate_issued.v1"]),
        ];
        for (kind, causes) in owed {
            let causes: usize = causes.iter().map(|cause| self.count(cause)).sum();
            assert_eq!(issued.remove(kind).unwrap_or_default(), causes, "notices of the kind {kind}");
        }
        assert!(issued.is_empty(), "notices that nothing owed: {issued:?}");
    }
}

/// Lifecycle 17: a request is served, answered, past or cancelled, each at most once.
fn requests_end_once(case: &str, events: &[case::Event]) {
    let mut seen = BTreeSet::new();
    for event in events {
        let (what, request) = match event {
            case::Event::RequestServed(event) => ("served", &event.request_id),
            case::Event::ResponseRecorded(event) => ("answered", &event.request_id),
            case::Event::DeadlinePassed(event) => ("ended", &event.request_id),
            case::Event::RequestCancelled(event) => ("ended", &event.request_id),
            _ => continue,
        };
        assert!(seen.insert((what, request)), "case {case}: request {request} was {what} twice");
    }
}

/// Lifecycle 23: who recommended does not decide.
fn somebody_else_decided(case: &str, events: &[case::Event]) {
    let mut recommended = String::new();
    for event in events {
        match event {
            case::Event::DecisionRecommended(event) => recommended.clone_from(&event.officer),
            case::Event::CaseApproved(event) => assert_ne!(event.officer, recommended, "case {case}"),
            case::Event::CaseDenied(event) => assert_ne!(event.officer, recommended, "case {case}"),
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
