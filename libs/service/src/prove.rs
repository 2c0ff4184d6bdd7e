//! `prove POSITION FILE`: checks a portable file of a whole log, and gives what shows a stranger that one event stands in it:
//! the event, its leaf, the hashes from there to the root, and the signed checkpoint. Nothing of the system needs to run.
//!
//! The form is in `docs/reference/event-format.md`; whoever has it needs neither the rest of the log nor a program of ours.

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use docket_eventlog::merkle::{Hash, Prover, leaf};
use docket_eventlog::{Recorded, SignedCheckpoint};
use docket_proto::log::v1::export_record::Record;
use serde_json::{Value, json};

use crate::ends::{Ends, MOST};
use crate::import::{Check, next, open};
use crate::log_admin::signed_checkpoint;

/// Format of the proof.
const FORMAT: u32 = 1;

/// What is proven, and out of which file.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Prove {
    /// Position of the event.
    pub position: u64,
    /// The file of a whole log.
    pub file: PathBuf,
    /// File to write the proof to; else it is printed.
    #[arg(long)]
    pub to: Option<PathBuf>,
    /// The key that must have signed the file, 64 hexadecimal digits; else the key that the file names.
    #[arg(long)]
    pub public_key: Option<String>,
}

impl Prove {
    /// Makes the proof; gives it, or a sentence about the file it was written to.
    ///
    /// # Errors
    /// The first thing in the file that is not as it was written; a position that is not in it.
    pub fn run(&self) -> anyhow::Result<String> {
        self.run_within(MOST)
    }

    /// As [`Prove::run`] with the ends of at most `most_ends` streams in mind: fewer cost less memory and more readings.
    ///
    /// # Errors
    /// As [`Prove::run`].
    pub fn run_within(&self, most_ends: usize) -> anyhow::Result<String> {
        let proven = self.proven(most_ends)?;
        let proof = proven.written();
        let Some(to) = &self.to else { return Ok(format!("{proof:#}")) };
        std::fs::write(to, format!("{proof:#}\n")).with_context(|| format!("write {}", to.display()))?;
        let SignedCheckpoint { log, size, .. } = &proven.signed;
        Ok(format!(
            "position {} of the log {log} is one of the {size} events that were signed by {}; the proof is in {}",
            self.position,
            proven.public_key,
            to.display()
        ))
    }

    /// The file is read and checked whole, again where its streams are too many to be in mind at once.
    fn proven(&self, most_ends: usize) -> anyhow::Result<Proven> {
        ensure!(self.position > 0, "positions begin with 1");
        let (mut rest, mut key, mut proven) = (Some(Ends::new(most_ends)), self.public_key.clone(), None);
        while let Some(ends) = rest {
            let (check, found) = self.reading(key.as_deref(), ends)?;
            key = Some(hex::encode(&check.header.public_key));
            proven = found.or(proven);
            rest = check.ends.rest();
        }
        proven.context("the event's stream was not followed")
    }

    /// One reading; the event is found in that which follows its stream.
    fn reading(&self, key: Option<&str>, ends: Ends) -> anyhow::Result<(Check, Option<Proven>)> {
        let (mut records, mut check) = open(&self.file, key, ends)?;
        let name = &check.header.stream;
        ensure!(
            !check.of_stream(),
            "this is the file of {name} alone: a proof is made from the file of a whole log"
        );
        let mut prover = Prover::of(self.position - 1);
        let mut found = None;
        let end = loop {
            match next(&mut records)? {
                Record::Event(stored) => {
                    let event = Recorded::from_message(stored)?;
                    let previous = check.link(&event.stream);
                    let event = check.event(event)?;
                    prover.push(leaf(event.position, &event.link));
                    check.commands_done(1);
                    if event.position == self.position {
                        found = previous.map(|previous| (event, previous));
                    }
                }
                Record::End(end) => break end,
                Record::Header(_) => bail!("a second header: this is not one file"),
            }
        };
        check.end(&mut records, &end)?;
        let Some(path) = prover.proof() else {
            bail!("the file holds {} events, and none at position {}", end.events, self.position);
        };
        let signed = end.checkpoint.as_ref().and_then(|signed| signed_checkpoint(&check.header.log, signed));
        let signed = signed.context("nothing is signed about these events")?;
        let public_key = hex::encode(&check.header.public_key);
        let shown = found.map(|(event, previous)| Proven { event, previous, path, signed, public_key });
        Ok((check, shown))
    }
}

/// An event, and what shows that it is one of those that were signed.
struct Proven {
    event: Recorded,
    /// The link before it in its stream.
    previous: Hash,
    path: Vec<Hash>,
    signed: SignedCheckpoint,
    public_key: String,
}

impl Proven {
    /// Bytes are hexadecimal.
    fn written(&self) -> Value {
        let Self { event, previous, path, signed, public_key } = self;
        json!({
            "format": FORMAT,
            "event": {
                "position": event.position,
                "log": event.log,
                "stream": event.stream.as_str(),
                "version": event.version,
                "kind": event.kind,
                "event_id": event.event_id,
                "recorded_at_us": event.recorded_at.as_microsecond(),
                "metadata": hex::encode(&event.metadata_bytes),
                "payload": hex::encode(&event.payload),
                "sealed": event.sealed.iter().map(hex::encode).collect::<Vec<_>>(),
                "link": hex::encode(event.link),
            },
            "previous": hex::encode(previous),
            "leaf": hex::encode(leaf(event.position, &event.link)),
            "path": path.iter().map(hex::encode).collect::<Vec<_>>(),
            "checkpoint": {
                "log": signed.log,
                "size": signed.size,
                "root": hex::encode(signed.root),
                "epoch": signed.epoch,
                "signed_at_us": signed.signed_at.as_microsecond(),
                "key_id": signed.key_id,
                "signature": hex::encode(signed.signature),
            },
            "public_key": public_key,
        })
    }
}
