//! The words of `docket log`.
use std::path::PathBuf;

/// What is asked, and of whose log.
#[derive(Debug, clap::Args)]
pub struct LogArgs {
    /// Service whose log is meant: identity, filing, payments, case-status, status-projection, notifications.
    #[arg(long, global = true)]
    pub service: Option<String>,
    /// What is asked.
    #[command(subcommand)]
    pub command: LogCommand,
}

/// What operators can ask of a log.
#[derive(Debug, clap::Subcommand)]
pub enum LogCommand {
    /// The last events, and with --follow each new one.
    Tail(TailArgs),
    /// The events of one stream.
    Stream(StreamArgs),
    /// One event: circumstances and payload decoded, sealed fields shown as sealed.
    Event {
        /// Its position.
        position: u64,
    },
    /// Check that the log is as it was written; exit code 1 when it is not. Names the first bad event, and the others.
    Verify {
        /// Only this stream.
        #[arg(long)]
        stream: Option<String>,
        /// Begin at the last signed checkpoint before this position.
        #[arg(long, default_value_t = 0, conflicts_with = "stream")]
        from: u64,
        /// A file that `docket log export` wrote earlier and that was kept elsewhere: the log must hold what was signed then.
        #[arg(long, conflicts_with = "stream")]
        kept: Vec<PathBuf>,
    },
    /// Figures of a log; of all logs when no service is named.
    Stats,
    /// What is on the broker.
    #[command(subcommand)]
    Relay(RelayCommand),
    /// Streams that wait because an event of theirs could not be applied.
    #[command(subcommand)]
    Park(ParkCommand),
    /// Projections: built again beside the one in use.
    #[command(subcommand)]
    Projection(ProjectionCommand),
    /// Whose data may be destroyed and whose may not; a command of the service that sealed them.
    #[command(subcommand)]
    Subject(SubjectCommand),
    /// Write a log, or one stream, to a portable file with its chain; asks for a fresh second factor.
    Export {
        /// Only this stream.
        #[arg(long)]
        stream: Option<String>,
        /// File to write.
        #[arg(long)]
        to: PathBuf,
    },
    /// Check such a file, and put it into the empty log of a throw-away database.
    Import(ImportArgs),
    /// Make a proof out of such a file of a whole log: one event, the hashes from it to the signed root, the signature.
    Prove(ProveArgs),
}

/// Which events.
#[derive(Debug, clap::Args)]
pub struct TailArgs {
    /// How many of the last events.
    #[arg(short = 'n', long, default_value_t = 20, conflicts_with = "after")]
    pub lines: u64,
    /// Begin after this position instead.
    #[arg(long)]
    pub after: Option<u64>,
    /// Stay and show every new event.
    #[arg(short, long)]
    pub follow: bool,
    /// Only this stream.
    #[arg(long, default_value = "")]
    pub stream: String,
    /// Only streams of this category, such as `case`.
    #[arg(long, default_value = "")]
    pub category: String,
    /// Only this kind, such as `case.opened.v1`.
    #[arg(long, default_value = "")]
    pub kind: String,
    /// At most so many events; 0 for no limit.
    #[arg(long, default_value_t = 0)]
    pub limit: u64,
}

/// Which part of a stream.
#[derive(Debug, clap::Args)]
pub struct StreamArgs {
    /// Stream, such as `case-0190…`.
    pub stream: String,
    /// From the newest to the oldest.
    #[arg(long)]
    pub backwards: bool,
    /// First version to show.
    #[arg(long, default_value_t = 0)]
    pub from_version: u64,
    /// As it was when the log ended at this position.
    #[arg(long)]
    pub as_of_position: Option<u64>,
    /// As it was at this instant, such as 2026-11-24T17:00:00Z.
    #[arg(long, conflicts_with = "as_of_position")]
    pub as_of: Option<jiff::Timestamp>,
    /// At most so many events; 0 for no limit.
    #[arg(long, default_value_t = 0)]
    pub limit: u64,
}

/// What is on the broker.
#[derive(Debug, clap::Subcommand)]
pub enum RelayCommand {
    /// How each log's stream stands to the log, and which process publishes.
    Status,
}

/// Parked streams.
#[derive(Debug, clap::Subcommand)]
pub enum ParkCommand {
    /// All of them; of all services when none is named.
    List,
    /// One of them, with the event that could not be applied.
    Show {
        /// Log the stream stands in.
        log: String,
        /// Stream.
        stream: String,
    },
    /// Give up the first parked event of a stream for good; asks for a fresh second factor.
    Skip {
        /// Log the stream stands in.
        log: String,
        /// Stream.
        stream: String,
        /// Position of the event, as `show` gives it.
        position: u64,
        /// Why; kept for ever, so nothing personal.
        #[arg(long)]
        reason: String,
    },
    /// What was given up, by whom and why; of all services when none is named.
    Skipped,
    /// Apply what waits again, in order; asks for a fresh second factor.
    Redrive {
        /// Log the streams stand in; all when not given.
        #[arg(long, default_value = "")]
        log: String,
        /// Only this stream.
        #[arg(long, default_value = "")]
        stream: String,
    },
}

/// Projections. What changes something asks for a fresh second factor.
#[derive(Debug, clap::Subcommand)]
pub enum ProjectionCommand {
    /// How they stand.
    List,
    /// Build one again beside the one in use.
    Rebuild {
        /// Projection.
        #[arg(default_value = "status")]
        name: String,
    },
    /// Compare the one built again with the one in use; exit code 1 when cases differ.
    Compare {
        /// Projection.
        #[arg(default_value = "status")]
        name: String,
    },
    /// Take the one built again into use.
    Switch {
        /// Projection.
        #[arg(default_value = "status")]
        name: String,
        /// Although cases differ.
        #[arg(long)]
        accept_differences: bool,
        /// Why; kept with the switch.
        #[arg(long)]
        reason: String,
    },
    /// Take the one that was in use before into use again.
    Rollback {
        /// Projection.
        #[arg(default_value = "status")]
        name: String,
        /// Why; kept with the switch.
        #[arg(long)]
        reason: String,
    },
}

/// A portable file.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// The file.
    pub file: PathBuf,
    /// Database to put it into, as its owner: postgres://…; without one the file is only checked.
    #[arg(long)]
    pub database: Option<String>,
    /// The key that must have signed it, 64 hexadecimal digits; else the key that the file names.
    #[arg(long)]
    pub public_key: Option<String>,
}

/// A proof that whoever gets it can check without our programs.
#[derive(Debug, clap::Args)]
pub struct ProveArgs {
    /// Position of the event.
    pub position: u64,
    /// The file of a whole log.
    pub file: PathBuf,
    /// File to write the proof to (JSON); else it is printed.
    #[arg(long)]
    pub to: Option<PathBuf>,
    /// The key that must have signed the file, 64 hexadecimal digits; else the key that the file names.
    #[arg(long)]
    pub public_key: Option<String>,
}

/// Erasure by two people, and legal hold. Whose: `filing:<id>`, `account:<id>`, `person:<id>`. Reasons are codes. What
/// changes something asks for a fresh second factor.
#[derive(Debug, clap::Subcommand)]
pub enum SubjectCommand {
    /// How somebody stands: requests, holds, the certificate.
    Show {
        /// Whose.
        subject: String,
    },
    /// The requests that wait for another person.
    Requests,
    /// Ask for an erasure; another person must approve it.
    Erase {
        /// Whose.
        subject: String,
        /// Code of the reason.
        #[arg(long)]
        reason: String,
        /// Code of the legal basis.
        #[arg(long)]
        legal_basis: String,
    },
    /// Approve what somebody else asked for: the key is destroyed at once.
    Approve {
        /// The request's id.
        request: String,
    },
    /// How far an erasure has come in the other services; asked of identity, where it was approved.
    Answers {
        /// The request's id.
        request: String,
    },
    /// Withdraw or refuse a request.
    Cancel {
        /// The request's id.
        request: String,
    },
    /// Forbid erasing.
    Hold {
        /// Whose.
        subject: String,
        /// Code of the reason.
        #[arg(long)]
        reason: String,
    },
    /// End a hold.
    Release {
        /// Whose.
        subject: String,
        /// Code of the hold's reason.
        #[arg(long)]
        reason: String,
        /// Code of why it ends.
        #[arg(long)]
        why: String,
    },
}
