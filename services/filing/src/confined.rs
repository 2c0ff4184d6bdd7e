//! The room in which a stranger's file is read and drawn: memory, processor time, what is open already, and nothing else.
//!
//! Before the first byte is read the process gives up what it does not need: memory, time, files, programs, the network. A
//! decoder that is taken over by what it reads finds itself in an empty room; one that is overrun dies alone.

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

use crate::file_type::MAX_BYTES;
use crate::{inspect, legibility, render};

/// The exit code of a process that could not give up what it does not need: it has read nothing.
pub(crate) const NOT_CONFINED: u8 = 70;

/// Where the allocator is told how much it reserves; who starts the process says "0" and spares it a second beginning.
pub(crate) const RESERVE: &str = "MIMALLOC_ARENA_RESERVE";
/// Memory that can be written, bytes: 512 MiB.
const MEMORY: u64 = 512 * 1024 * 1024;

/// Does what a confined process is started for; nothing where this process is none.
#[must_use]
pub fn confined() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1).filter_map(|word| word.into_string().ok());
    match words.next()?.as_str() {
        inspect::ARGUMENT => Some(inspect::inspect_file()),
        render::ARGUMENT => Some(render::render_page(words)),
        legibility::ARGUMENT => Some(legibility::look_over_file()),
        _ => None,
    }
}

/// Gives up everything but so many seconds of processor time and what it needs for computing.
///
/// # Errors
/// The exit code of one that could not.
pub(crate) fn enter(seconds: u64) -> Result<(), ExitCode> {
    begin_small().and_then(|()| confine(seconds)).map_err(|error| {
        println!("{error:#}");
        ExitCode::from(NOT_CONFINED)
    })
}

/// The file on standard input; of a longer one than is ever taken, as much as shows that.
///
/// # Errors
/// Standard input cannot be read.
pub(crate) fn given() -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Begins anew without the gigabyte that the allocator reserves at the start: what is reserved before the limit would be
/// beyond it.
fn begin_small() -> anyhow::Result<()> {
    if std::env::var_os(RESERVE).is_some() {
        return Ok(());
    }
    let words = std::env::args_os().skip(1);
    Err(Command::new(std::env::current_exe()?).args(words).env(RESERVE, "0").exec().into())
}

fn confine(seconds: u64) -> anyhow::Result<()> {
    // Where memory runs out for all, this one goes first (proc(5)); what cannot be asked for is no reason to stop.
    std::fs::write("/proc/self/oom_score_adj", "1000").ok();
    let limits = [
        (Resource::Data, MEMORY),
        (Resource::Cpu, seconds),
        (Resource::Fsize, 0),
        (Resource::Core, 0),
        // Those that are open stay open.
        (Resource::Nofile, 0),
        (Resource::Nproc, 0),
    ];
    for (resource, limit) in limits {
        // A second more for processor time: at the first limit comes SIGXCPU, which says why; at the second SIGKILL.
        let maximum = if resource == Resource::Cpu { limit + 1 } else { limit };
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(maximum) })?;
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
