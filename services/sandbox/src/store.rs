//! The state of every party: read and changed under one lock, and on disk before it is told to anyone.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    journal::Journal,
    mail::StoredMail,
    parties::{Mode, Party},
    processor::{
        idempotency::KeptAnswer,
        objects::{Charge, Dispute, Event, PaymentIntent, Refund, Status},
        webhook::{Delivery, Endpoint},
    },
    register::Person,
    sms::Text,
};

/// One thing as it stands from now on; a later record with the same id replaces it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "record", content = "value", rename_all = "snake_case")]
pub(crate) enum Record {
    Intent(PaymentIntent),
    Charge(Charge),
    Refund(Refund),
    Dispute(Dispute),
    Event(Event),
    Delivery(Delivery),
    Answer(KeptAnswer),
    Endpoint(Endpoint),
    Mail(StoredMail),
    Text(Text),
    Person(Person),
    Mode {
        party: Party,
        mode: Mode,
    },
    /// A fault that happens once has happened.
    Spent(String),
    /// No idempotency key is known any more.
    KeysForgotten,
}

/// Everything the parties know, in the order it came.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) intents: IndexMap<String, PaymentIntent>,
    pub(crate) charges: IndexMap<String, Charge>,
    pub(crate) refunds: IndexMap<String, Refund>,
    pub(crate) disputes: IndexMap<String, Dispute>,
    pub(crate) events: IndexMap<String, Event>,
    pub(crate) deliveries: IndexMap<String, Delivery>,
    /// Ids of deliveries still to be made.
    pub(crate) undelivered: BTreeSet<String>,
    /// Ids of intents waiting for their bank.
    pub(crate) processing: BTreeSet<String>,
    pub(crate) answers: HashMap<String, KeptAnswer>,
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) mails: IndexMap<String, StoredMail>,
    pub(crate) texts: IndexMap<String, Text>,
    pub(crate) persons: IndexMap<String, Person>,
    modes: HashMap<Party, Mode>,
    spent: HashSet<String>,
}

impl State {
    /// How `party` behaves at the moment.
    pub(crate) fn mode(&self, party: Party) -> Mode {
        self.modes.get(&party).copied().unwrap_or_default()
    }

    fn apply(&mut self, record: Record) {
        match record {
            Record::Intent(intent) => {
                if intent.status == Status::Processing {
                    self.processing.insert(intent.id.clone());
                } else {
                    self.processing.remove(&intent.id);
                }
                self.intents.insert(intent.id.clone(), intent);
            }
            Record::Charge(charge) => drop(self.charges.insert(charge.id.clone(), charge)),
            Record::Refund(refund) => drop(self.refunds.insert(refund.id.clone(), refund)),
            Record::Dispute(dispute) => drop(self.disputes.insert(dispute.id.clone(), dispute)),
            Record::Event(event) => drop(self.events.insert(event.id.clone(), event)),
            Record::Delivery(delivery) => {
                if delivery.delivered || delivery.lost {
                    self.undelivered.remove(&delivery.id());
                } else {
                    self.undelivered.insert(delivery.id());
                }
                self.deliveries.insert(delivery.id(), delivery);
            }
            Record::Answer(answer) => drop(self.answers.insert(answer.key.clone(), answer)),
            Record::Endpoint(endpoint) => self.endpoint = Some(endpoint),
            Record::Mail(mail) => drop(self.mails.insert(mail.id.clone(), mail)),
            Record::Text(text) => drop(self.texts.insert(text.sid.clone(), text)),
            Record::Person(person) => drop(self.persons.insert(person.key(), person)),
            Record::Mode { party, mode } => drop(self.modes.insert(party, mode)),
            Record::Spent(fault) => drop(self.spent.insert(fault)),
            Record::KeysForgotten => self.answers.clear(),
        }
    }
}

/// A change under way: what it puts is visible to itself at once and kept as one line.
pub(crate) struct Change<'a> {
    pub(crate) state: &'a mut State,
    records: Vec<Record>,
}

impl Change<'_> {
    pub(crate) fn put(&mut self, record: Record) {
        self.records.push(record.clone());
        self.state.apply(record);
    }

    /// True the first time only: spends a fault that happens once.
    pub(crate) fn spend(&mut self, fault: String) -> bool {
        let first = !self.state.spent.contains(&fault);
        if first {
            self.put(Record::Spent(fault));
        }
        first
    }
}

/// The state and its journal.
pub(crate) struct Store {
    inner: Mutex<Inner>,
    journal: Option<Journal>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Inner {
    state: State,
    /// Lines queued since the start.
    queued: u64,
}

impl Store {
    /// Reads the state back from `folder`; without one it lives in memory only.
    ///
    /// # Errors
    /// The folder cannot be used, or its journal is damaged.
    pub(crate) fn open(folder: Option<&Path>) -> anyhow::Result<Self> {
        let mut state = State::default();
        let replay = |line: &[u8]| {
            let records: Vec<Record> = serde_json::from_slice(line)?;
            for record in records {
                state.apply(record);
            }
            Ok(())
        };
        let journal = folder.map(|folder| Journal::open(folder, replay)).transpose()?;
        Ok(Self { inner: Mutex::new(Inner { state, queued: 0 }), journal, changes: watch::Sender::new(0) })
    }

    /// Looks at the state; what it gives is on disk.
    pub(crate) async fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        let (answer, queued) = {
            let inner = self.lock();
            (look(&inner.state), inner.queued)
        };
        self.durable(queued).await;
        answer
    }

    /// Changes the state as one step; comes back when the change is on disk.
    pub(crate) async fn write<R>(&self, act: impl FnOnce(&mut Change<'_>) -> R) -> R {
        let (answer, queued) = {
            let mut inner = self.lock();
            let mut tx = Change { state: &mut inner.state, records: Vec::new() };
            let answer = act(&mut tx);
            let records = tx.records;
            if let (Some(journal), false) = (&self.journal, records.is_empty()) {
                let mut line = serde_json::to_vec(&records).expect("records are plain data with text keys");
                line.push(b'\n');
                journal.queue(line);
                inner.queued += 1;
            }
            (answer, inner.queued)
        };
        self.durable(queued).await;
        self.changes.send_modify(|count| *count += 1);
        answer
    }

    /// Waits until `found` gives something, at most `limit`; looks again after every change.
    pub(crate) async fn wait_for<R>(
        &self,
        limit: Duration,
        found: impl Fn(&State) -> Option<R>,
    ) -> Option<R> {
        let mut changes = self.changes();
        let search = async {
            loop {
                changes.borrow_and_update();
                if let Some(answer) = self.read(&found).await {
                    return Some(answer);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(limit, search).await.ok().flatten()
    }

    /// Wakes after every change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn durable(&self, queued: u64) {
        if let Some(journal) = &self.journal {
            journal.durable(queued).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
