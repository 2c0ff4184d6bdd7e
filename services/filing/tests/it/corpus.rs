//! A corpus of files that people, machines and enemies send, each with the verdict it must get; and the room in which
//! they are read.
//!
//! The files are made here, not kept: valid ones in every colour and version, cut ones, traps, things that only look like
//! documents. They are read by the very program that reads people's files.

mod foreign;
mod memory;
mod pdfs;
mod pictures;
mod two_kinds;

pub(crate) use pdfs::{Lock, locked};
pub(crate) use pictures::lying_jpeg;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use docket_testkit::chance;
use rand::RngExt as _;
use tonic::Code;

use crate::files;
use crate::world::{World, reason};

/// One file of the corpus.
pub(crate) struct Sample {
    /// What it is.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// The verdict as it is said; several where readers may see either.
    pub(crate) verdicts: &'static [&'static str],
}

impl Sample {
    fn new(name: impl Into<String>, bytes: Vec<u8>, verdicts: &'static [&'static str]) -> Self {
        Self { name: name.into(), bytes, verdicts }
    }
}

fn started(words: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_docket-filing"))
        .args(words)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

/// What a process says of a file; nothing when it did not end by itself.
fn said(words: &[&str], bytes: &[u8]) -> Option<Vec<u8>> {
    let mut child = started(words);
    let mut input = child.stdin.take().expect("a pipe");
    let output = std::thread::scope(|both| {
        both.spawn(move || input.write_all(bytes).ok());
        child.wait_with_output().expect("it ends")
    });
    output.status.success().then_some(output.stdout)
}

/// What is said of a file; `died` when the process did not end by itself.
fn verdict(bytes: &[u8]) -> String {
    said(&["inspect-file"], bytes)
        .map_or_else(|| "died".to_owned(), |said| String::from_utf8(said).expect("text"))
}

/// What is said of a page, and its dots.
fn drawn(bytes: &[u8], page: u32) -> (String, Vec<u8>) {
    let Some(said) = said(&["render-page", &page.to_string(), "256"], bytes) else {
        return ("died".to_owned(), Vec::new());
    };
    let end = said.iter().position(|byte| *byte == b'\n').expect("a line");
    (String::from_utf8(said[..end].to_vec()).expect("text"), said[end + 1..].to_vec())
}

fn all() -> Vec<Sample> {
    let mut all = pictures::samples();
    all.extend(pdfs::samples());
    all.extend(foreign::samples());
    all.extend(two_kinds::samples());
    all
}

/// How long each verdict took, beside one on next to nothing, which is the start of a process: printed and judged by nobody.
fn tell_times(mut times: Vec<Duration>) {
    let begun = Instant::now();
    verdict(b"%");
    let start = begun.elapsed();
    times.sort_unstable();
    let of_start = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() / start.as_secs_f64();
    println!(
        "{} verdicts, in starts of a process ({start:?}): half {:.1}, p99 {:.1}, longest {:.1}",
        times.len(),
        of_start(50),
        of_start(99),
        of_start(100)
    );
}

#[test]
fn every_file_of_the_corpus_gets_the_verdict_it_must() {
    let all = all();
    let names: BTreeSet<&str> = all.iter().map(|sample| sample.name.as_str()).collect();
    assert_eq!(names.len(), all.len(), "two files of one name");
    assert!(all.len() >= 380, "a corpus of {}", all.len());
    let (mut given, mut wrong, mut times) = (BTreeMap::<String, usize>::new(), Vec::new(), Vec::new());
    for sample in &all {
        let begun = Instant::now();
        let verdict = verdict(&sample.bytes);
        times.push(begun.elapsed());
        if !sample.verdicts.contains(&verdict.as_str()) {
            wrong.push(format!("{}: {verdict}, not {}", sample.name, sample.verdicts.join(" or ")));
        }
        *given.entry(verdict).or_default() += 1;
    }
    println!("{given:#?}");
    tell_times(times);
    assert!(wrong.is_empty(), "{} of {} files:\n{}", wrong.len(), all.len(), wrong.join("\n"));
    // No kind of verdict is left out, and as many are given as there are files.
    for wanted in all.iter().filter(|sample| sample.verdicts.len() == 1).flat_map(|sample| sample.verdicts) {
        assert!(given.contains_key(*wanted), "{wanted} was never given");
    }
    assert_eq!(given.values().sum::<usize>(), all.len());
}

/// The reason for which a service refuses what gets this verdict.
fn refused_for(verdict: &str) -> &'static str {
    let fault = verdict.trim_start_matches("{\"refused\":\"").trim_end_matches("\"}");
    match fault {
        "empty" | "pdf_broken" | "pdf_without_page" | "picture_broken" => "FILE_BROKEN",
        "too_large" => "TOO_LARGE",
        "not_allowed" | "heic" => "TYPE_NOT_ALLOWED",
        "pdf_protected" => "FILE_PROTECTED",
        "pdf_active" | "two_kinds" => "FILE_ACTIVE",
        "too_many_pages" => "TOO_MANY_PAGES",
        "picture_too_large" => "PICTURE_TOO_LARGE",
        "died" | "unbearable" => "FILE_UNBEARABLE",
        other => panic!("no service says {other}"),
    }
}

/// Whatever is in a file, the service that has it read goes on, and keeps nothing of what it refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_outlives_every_file_of_the_corpus_that_is_refused() {
    let world = World::start().await;
    let mut ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let refused: Vec<Sample> = all()
        .into_iter()
        .filter(|sample| sample.verdicts.iter().all(|said| !said.contains("taken")))
        .collect();
    assert!(refused.len() >= 200, "{}", refused.len());
    for sample in &refused {
        // A token lives five minutes.
        ana.token = world.token(ana.account);
        let status = ana.upload(&draft, "green_card", "card.pdf", &sample.bytes).await.unwrap_err();
        let wanted: Vec<&str> = sample.verdicts.iter().map(|verdict| refused_for(verdict)).collect();
        assert_eq!(status.code(), Code::InvalidArgument, "{}: {status:?}", sample.name);
        assert!(wanted.contains(&reason(&status).as_str()), "{}: {status:?}, not {wanted:?}", sample.name);
    }
    assert!(ana.get(&draft).await.unwrap().evidence.is_empty());
    assert_eq!(world.objects(), 0);
    ana.upload(&draft, "green_card", "card.png", &files::picture(3)).await.unwrap();
}

/// Of a PDF the last page, of a picture the only one: in the size that was asked for, with something on it.
#[test]
fn every_file_that_is_taken_is_drawn() {
    let taken: Vec<Sample> = all()
        .into_iter()
        .filter(|sample| sample.verdicts.iter().all(|said| said.contains("taken")))
        .collect();
    assert!(taken.len() > 90, "{}", taken.len());
    let not_drawn: Vec<String> = taken
        .iter()
        .filter_map(|sample| {
            let (said, dots) = drawn(&sample.bytes, 1);
            let drawn =
                said.starts_with("{\"dots\":") && said.contains("\"incomplete\":false") && !dots.is_empty();
            (!drawn).then(|| format!("{}: {said}", sample.name))
        })
        .collect();
    assert!(not_drawn.is_empty(), "{} of {} files:\n{}", not_drawn.len(), taken.len(), not_drawn.join("\n"));
}

/// Flipped bits and lost pieces: whatever is said of it, it is said, or the reader alone dies of it.
#[test]
fn whatever_is_done_to_a_file_something_is_said_of_it() {
    let mut chance = chance::rng();
    let whole: Vec<Sample> = all().into_iter().filter(|sample| sample.bytes.len() > 64).collect();
    for _ in 0..chance::short_or_long(60, 20_000) {
        let sample = &whole[chance.random_range(0..whole.len())];
        let mut bytes = sample.bytes.clone();
        for _ in 0..chance.random_range(1..8) {
            let at = chance.random_range(0..bytes.len());
            bytes[at] ^= 1 << chance.random_range(0..8);
        }
        if chance.random_range(0..4) == 0 {
            let (from, to) = (chance.random_range(0..bytes.len()), chance.random_range(0..bytes.len()));
            bytes.drain(from.min(to)..from.max(to));
        }
        let verdict = verdict(&bytes);
        let said =
            verdict == "died" || verdict.starts_with("{\"taken\":") || verdict.starts_with("{\"refused\":");
        assert!(said, "{}: {verdict}", sample.name);
        if verdict.contains("taken") {
            let (said, _) = drawn(&bytes, 1);
            assert!(said == "died" || said.starts_with('{'), "{}: {said}", sample.name);
        }
    }
}

#[test]
fn a_stranger_is_read_in_a_room_without_doors() {
    confined(&["inspect-file"], "60");
    confined(&["render-page", "1", "64"], "15");
}

/// As the kernel tells it while the process waits for its file.
fn confined(words: &[&str], seconds: &str) {
    let mut child = started(words);
    let end = Instant::now() + Duration::from_secs(30);
    let told =
        |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", child.id())).unwrap_or_default();
    while !told("status").contains("Seccomp:\t2") {
        assert!(Instant::now() < end, "{}", told("status"));
        std::thread::yield_now();
    }
    assert!(told("status").contains("NoNewPrivs:\t1"));
    // The limit counts for what is taken from now on: nothing much may be reserved before it.
    let status = told("status");
    let reserved = status.lines().find_map(|line| line.strip_prefix("VmData:")).unwrap();
    let reserved: u64 = reserved.split_whitespace().next().unwrap().parse().unwrap();
    assert!(reserved < 64 * 1024, "{reserved} kB");
    let limits = told("limits");
    // At the first of the two for processor time it is told so, at the second it is over.
    let over = (seconds.parse::<u32>().unwrap() + 1).to_string();
    for (name, limit) in [
        ("Max data size", ["536870912"; 2]),
        ("Max cpu time", [seconds, over.as_str()]),
        ("Max file size", ["0"; 2]),
        ("Max open files", ["0"; 2]),
        ("Max processes", ["0"; 2]),
        ("Max core file size", ["0"; 2]),
    ] {
        let row = limits.lines().find(|line| line.starts_with(name)).unwrap();
        assert_eq!(row[name.len()..].split_whitespace().take(2).collect::<Vec<_>>(), limit, "{row}");
    }
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}
