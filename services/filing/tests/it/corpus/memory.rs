//! What a file costs whoever reads it: the most memory that a process of the reader ever had, as the kernel counts it.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};

use super::{Sample, all, started};
use crate::load::{MEMORY_KB, most_memory_kb};
use crate::world::World;

/// What can be written to is held to half a gigabyte (`confined.rs`); what is mapped of the program itself comes beside it.
const MOST_KB: u64 = (512 + 64) * 1024;

/// What one file cost.
struct Cost {
    name: String,
    /// Kilobytes at the highest (proc(5), `VmHWM`); nothing where the process was gone before anybody looked.
    memory_kb: Option<u64>,
    time: Duration,
}

/// Has a file read or drawn and looks again and again at the process that does it: its highest mark only ever rises.
fn cost(sample: &Sample, words: &[&str]) -> Cost {
    let begun = Instant::now();
    let mut child = started(words);
    let (mut input, mut output) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
    let status = format!("/proc/{}/status", child.id());
    let mut memory_kb = None;
    std::thread::scope(|all| {
        all.spawn(move || input.write_all(&sample.bytes).ok());
        all.spawn(move || output.read_to_end(&mut Vec::new()));
        while child.try_wait().expect("its end").is_none() {
            memory_kb = highest_kb(&status).or(memory_kb);
            // The other processor time is for those who are looked at.
            std::thread::park_timeout(Duration::from_millis(1));
        }
    });
    Cost { name: format!("{} {}", words[0], sample.name), memory_kb, time: begun.elapsed() }
}

fn is_taken(sample: &Sample) -> bool {
    sample.verdicts.iter().all(|said| said.contains("taken"))
}

fn highest_kb(status: &str) -> Option<u64> {
    let status = std::fs::read_to_string(status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Bombs too: what would take more than it may have dies of it.
#[test]
fn no_file_of_the_corpus_costs_more_memory_than_a_reader_may_have() {
    let all = all();
    let read = all.iter().map(|sample| cost(sample, &["inspect-file"]));
    let drawn = all.iter().filter(|sample| is_taken(sample));
    let drawn = drawn.map(|sample| cost(sample, &["render-page", "1", "256"]));
    let mut costs: Vec<Cost> = read.chain(drawn).collect();
    let seen = costs.iter().filter(|cost| cost.memory_kb.is_some()).count();
    assert!(seen * 2 > costs.len(), "{seen} of {} were seen", costs.len());
    costs.sort_by_key(|cost| std::cmp::Reverse(cost.memory_kb));
    for cost in &costs[..5] {
        println!("{} kB: {}", cost.memory_kb.unwrap_or_default(), cost.name);
    }
    let over: Vec<&str> =
        costs.iter().filter(|cost| cost.memory_kb > Some(MOST_KB)).map(|cost| cost.name.as_str()).collect();
    assert!(over.is_empty(), "{over:?}");
    // Told, and judged by nobody: a busy machine takes longer.
    costs.sort_by_key(|cost| cost.time);
    let at = |part: usize| costs[(costs.len() - 1) * part / 100].time;
    println!(
        "{} verdicts: half within {:?}, 99 of 100 within {:?}, all within {:?}",
        costs.len(),
        at(50),
        at(99),
        at(100)
    );
}

/// Traps do not reach the service: it hands them to a reader, and its own memory stays what it was.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_to_hurt_the_service_costs_it_nothing() {
    let traps = ["grows", "gigabyte", "longer side", "65535", "in each other", "itself", "as many bytes"];
    let is_trap = |sample: &Sample| traps.iter().any(|trap| sample.name.contains(trap));
    let may_be_taken = |sample: &Sample| sample.verdicts.iter().any(|said| said.contains("taken"));
    let refused = all().into_iter().filter(|sample| !sample.bytes.is_empty() && !may_be_taken(sample));
    let sent: Vec<Sample> = refused
        .enumerate()
        .filter(|(n, sample)| n % 8 == 0 || is_trap(sample))
        .map(|(_, sample)| sample)
        .collect();
    assert!(sent.len() > 20, "{}", sent.len());
    let world = World::start().await;
    let (node, process) = world.node_apart().await;
    let ana = world.person("Ana Lúcia", "Lima").at(&node);
    let draft = ana.start("N-400").await.unwrap().name;
    let before = most_memory_kb(process);
    let count = sent.len();
    let sending = stream::iter(sent).map(|sample| {
        let (ana, draft) =
            (crate::client::Client { token: world.token(ana.account), ..ana.clone() }, draft.clone());
        async move {
            let refused = ana.upload(&draft, "green_card", "card.png", &sample.bytes).await;
            (sample.name, refused.err())
        }
    });
    for (name, refused) in sending.buffer_unordered(2).collect::<Vec<_>>().await {
        assert!(refused.is_some(), "{name} was taken");
    }
    let most = most_memory_kb(process);
    println!("{count} files sent to hurt: {before} kB before, at most {most} kB");
    assert!(most <= MEMORY_KB, "{most} kB");
    assert!(world.person("Ana Lúcia", "Lima").at(&node).start("N-400").await.is_ok(), "it serves on");
}
