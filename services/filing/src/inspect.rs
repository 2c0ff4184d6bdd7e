//! The process in which a stranger's file is read: it can read what it is given, say what it found, and nothing else.
//!
//! `docket-filing inspect-file` takes the file on its standard input and writes the verdict, JSON, to its standard output.
//! Before the first byte is read the process gives up what it does not need: memory, time, files, programs, the network. A
//! decoder that is taken over by what it reads finds itself in an empty room; one that is overrun dies alone.

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
use serde::{Deserialize, Serialize};

use crate::file_type::{self, Fault, MAX_BYTES, MediaType};

/// The word after the program's name.
pub const ARGUMENT: &str = "inspect-file";
/// The exit code of a process that could not give up what it does not need: it has read nothing.
pub(crate) const NOT_CONFINED: u8 = 70;
/// Seconds of processor time.
pub(crate) const SECONDS: u64 = 60;

/// Where the allocator is told how much it reserves; who starts the process says "0" and spares it a second beginning.
pub(crate) const RESERVE: &str = "MIMALLOC_ARENA_RESERVE";
/// Memory that can be written, bytes: 512 MiB.
const MEMORY: u64 = 512 * 1024 * 1024;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Taken(MediaType),
    Refused(Fault),
}

/// Reads the file on standard input and says what it is.
#[must_use]
pub fn inspect_file() -> ExitCode {
    if let Err(error) = begin_small().and_then(|()| confine()) {
        println!("{error:#}");
        return ExitCode::from(NOT_CONFINED);
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes);
    let verdict = match file_type::check(&bytes) {
        Ok(media_type) => Verdict::Taken(media_type),
        Err(fault) => Verdict::Refused(fault),
    };
    let said = serde_json::to_vec(&verdict).expect("a verdict is plain data");
    match read.and_then(|_| std::io::stdout().lock().write_all(&said)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Begins anew without the gigabyte that the allocator reserves at the start: what is reserved before the limit would be
/// beyond it.
fn begin_small() -> anyhow::Result<()> {
    if std::env::var_os(RESERVE).is_some() {
        return Ok(());
    }
    Err(Command::new(std::env::current_exe()?).arg(ARGUMENT).env(RESERVE, "0").exec().into())
}

fn confine() -> anyhow::Result<()> {
    // Where memory runs out for all, this one goes first (proc(5)); what cannot be asked for is no reason to stop.
    std::fs::write("/proc/self/oom_score_adj", "1000").ok();
    let limits = [
        (Resource::Data, MEMORY),
        (Resource::Cpu, SECONDS),
        (Resource::Fsize, 0),
        (Resource::Core, 0),
        // Those that are open stay open.
        (Resource::Nofile, 0),
        (Resource::Nproc, 0),
    ];
    for (resource, limit) in limits {
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?;
    }
    // Whatever is not named is answered with "not permitted" by the kernel.
    let denied = SeccompAction::Errno(u32::try_from(libc::EPERM)?);
    let named: BTreeMap<i64, _> = NEEDED.iter().map(|call| (*call, Vec::new())).collect();
    let filter = SeccompFilter::new(named, denied, SeccompAction::Allow, ARCH.try_into()?)?;
    apply_filter(&BpfProgram::try_from(filter)?)?;
    Ok(())
}

/// The system calls of a program that computes: memory, what is open already, its own end.
const NEEDED: [i64; 24] = [
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_tgkill,
    libc::SYS_sigaltstack,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_exit,
    libc::SYS_exit_group,
];
