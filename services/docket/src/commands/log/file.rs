//! `docket log export`, `import` and `prove`: a portable file with its chain.
use super::args::{ImportArgs, ProveArgs};
use super::on::{Following, cut_short};
use super::{Coming, Operator, USUAL};
use crate::commands::Refused;
use crate::output::Teller;
use anyhow::{Context, Result, bail, ensure};
use docket_proto::export_file::Records;
use docket_proto::log::v1 as pb;
use docket_proto::log::v1::export_record::Record;
use prost::Message as _;
use prost::bytes::Bytes;
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use tokio_stream::StreamExt as _;

/// The largest batch of records that is taken.
const MOST_BYTES: usize = 64 << 20;

pub(super) async fn export(operator: &mut Operator<'_>, stream: Option<String>, to: &Path) -> Result<()> {
    // By another name first: a file of that name is always whole.
    let unfinished = to.with_added_extension("unfinished");
    let file = File::create(&unfinished).with_context(|| format!("write {}", unfinished.display()))?;
    let mut export = Export {
        stream: stream.unwrap_or_default(),
        file: BufWriter::new(file),
        ticket: Bytes::new(),
        after: 0,
    };
    let mut following = Following::new();
    let end = loop {
        match export.take(operator, &mut following).await {
            Ok(end) => break end,
            Err(failed) => following.again(operator, failed).await?,
        }
    };
    let file = export.file;
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    std::fs::rename(&unfinished, to).with_context(|| format!("write {}", to.display()))?;
    let size = end.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size);
    if operator.teller.is_json() {
        operator.teller.value(&json!({"file": to, "events": end.events, "checkpoint_size": size}));
    } else {
        operator.teller.line(&format!(
            "{} events in {}, signed within a log of {size}",
            end.events,
            to.display()
        ));
    }
    Ok(())
}

/// An export on its way into a file.
struct Export {
    stream: String,
    file: BufWriter<File>,
    /// What the rest is asked for with.
    ticket: Bytes,
    /// The last event that is written: its position, of a stream its version.
    after: u64,
}

impl Export {
    /// Writes what comes until the end of the export, or of the connection.
    async fn take(&mut self, operator: &Operator<'_>, following: &mut Following) -> Result<pb::ExportEnd> {
        let mut client = operator.client()?.max_decoding_message_size(MOST_BYTES);
        let mut batches: Coming<_> = if self.ticket.is_empty() {
            let asked = operator.ask_for_long(pb::ExportLogRequest { stream: self.stream.clone() });
            let batches = client.export_log(asked).await.map_err(Refused::from)?.into_inner();
            Box::pin(batches.map(|batch| batch.map(|batch| (batch.records, batch.ticket))))
        } else {
            let ask = pb::ContinueExportRequest { ticket: self.ticket.clone(), after: self.after };
            let asked = operator.ask_for_long(ask);
            let batches = client.continue_export(asked).await.map_err(Refused::from)?.into_inner();
            Box::pin(batches.map(|batch| batch.map(|batch| (batch.records, Bytes::new()))))
        };
        while let Some(batch) = batches.next().await {
            let (records, ticket) = batch.map_err(Refused::from)?;
            following.moved();
            if self.ticket.is_empty() {
                self.ticket = ticket;
            }
            if let Some(end) = self.write(records)? {
                return Ok(end);
            }
        }
        Err(cut_short())
    }

    /// Writes records; the end, when it is among them.
    fn write(&mut self, records: Vec<pb::ExportRecord>) -> Result<Option<pb::ExportEnd>> {
        let mut end = None;
        for record in records {
            self.file.write_all(&record.encode_length_delimited_to_vec())?;
            match record.record {
                Some(Record::Event(event)) if self.stream.is_empty() => self.after = event.position,
                Some(Record::Event(event)) => self.after = event.version,
                Some(Record::End(last)) => end = Some(last),
                Some(Record::Header(_)) | None => {}
            }
        }
        Ok(end)
    }
}

/// The checkpoint at the end of a file of a whole log. The file itself is not checked: what is signed speaks for itself.
pub(super) fn kept_in(path: &Path) -> Result<pb::KeptCheckpoint> {
    let file = std::fs::File::open(path).with_context(|| format!("open {}", path.display()))?;
    let mut records = Records::new(std::io::BufReader::new(file));
    let (mut header, mut end) = (None, None);
    while let Some(record) = records.read().with_context(|| format!("read {}", path.display()))? {
        match record {
            Record::Header(found) => header = Some(found),
            Record::End(found) => end = Some(found),
            Record::Event(_) => {}
        }
    }
    let (Some(header), Some(end)) = (header, end) else {
        bail!("{} was cut off, or is no file of `docket log export`", path.display());
    };
    ensure!(header.stream.is_empty(), "{} is of one stream: only a whole log is compared", path.display());
    let checkpoint = end.checkpoint.with_context(|| format!("{} holds no event", path.display()))?;
    Ok(pb::KeptCheckpoint { log: header.log, checkpoint: Some(checkpoint) })
}

/// The service's own program does it: it holds the chain's rules, and needs nothing that runs.
pub(super) fn import(service: Option<&str>, args: &ImportArgs, teller: &Teller) -> Result<()> {
    let mut command = program(service, "import")?;
    command.arg(&args.file);
    if let Some(key) = &args.public_key {
        command.args(["--public-key", key]);
    }
    if let Some(database) = &args.database {
        // Through the environment: arguments are there for everybody to see, and this may hold a password.
        command.env("DOCKET_IMPORT_DATABASE", database);
    }
    done(command, &format!("{} was not taken", args.file.display()), teller)
}

/// The service's own program does this too.
pub(super) fn prove(service: Option<&str>, args: &ProveArgs, teller: &Teller) -> Result<()> {
    let mut command = program(service, "prove")?;
    command.arg(args.position.to_string()).arg(&args.file);
    if let Some(key) = &args.public_key {
        command.args(["--public-key", key]);
    }
    if let Some(to) = &args.to {
        command.arg("--to").arg(to);
    }
    done(command, &format!("position {} was not proven", args.position), teller)
}

fn program(service: Option<&str>, does: &str) -> Result<Command> {
    let program = std::env::current_exe()?.with_file_name(format!("docket-{}", service.unwrap_or(USUAL)));
    ensure!(program.is_file(), "{} is missing: build it with `cargo build --bins`", program.display());
    let mut command = Command::new(&program);
    command.arg(does);
    Ok(command)
}

/// Runs it to its end. What it says is ours; to a program all that is wrong is said in one.
fn done(mut command: Command, failing: &str, teller: &Teller) -> Result<()> {
    command.stdout(Stdio::inherit());
    if !teller.is_json() {
        command.stderr(Stdio::inherit());
    }
    let done = command.output();
    let done = done.with_context(|| format!("start {}", command.get_program().display()))?;
    let why = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{}", format!("{failing}\n{why}").trim_end());
    Ok(())
}
