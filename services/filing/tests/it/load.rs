//! D15: two hundred files of twelve megabytes at once at one node: all arrive, and its memory stays below half a gigabyte.

use docket_testkit::chance;
use tokio::time::{sleep, timeout};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::files;
use crate::uploads::{Device, cut};
use crate::world::{GLANCE, PATIENCE, World};

const LARGEST: usize = 12 * 1024 * 1024;
/// Files of one person, in one filing.
const EACH: usize = 20;
pub(crate) const MEMORY_KB: u64 = 512 * 1024;

/// The most memory that a process ever had, in kilobytes (proc(5)).
pub(crate) fn most_memory_kb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// As every client does: what is away for a moment is asked again, by the same command.
async fn patiently<T, F: Future<Output = Result<T, Status>>>(call: impl Fn() -> F) -> T {
    let answered = async {
        loop {
            match call().await {
                Err(status) if status.code() == Code::Unavailable => sleep(GLANCE).await,
                answer => return answer.unwrap(),
            }
        }
    };
    timeout(10 * PATIENCE, answered).await.expect("it is not away for ever")
}

#[tokio::test(flavor = "multi_thread")]
async fn many_large_files_at_once_all_arrive_in_bounded_memory() {
    arrive_in_bounded_memory(World::start().await, chance::short_or_long(2, 10)).await;
}

/// Twenty files of each of so many people, wherever they are put.
pub(crate) async fn arrive_in_bounded_memory(world: World, people: usize) {
    let (node, process) = world.node_apart().await;
    let mut sending = Vec::new();
    let mut drafts = Vec::new();
    for person in 0..people {
        let ana = world.person("Ana Lúcia", "Lima");
        let draft = ana.start("N-400").await.unwrap().name;
        for file in 0..EACH {
            let (channel, token, draft) = (node.channel(), world.token(ana.account), draft.clone());
            let seed = u32::try_from(person * EACH + file + 1).unwrap();
            sending.push(tokio::spawn(async move {
                let device = Device::new(channel, &token);
                let bytes = files::sized(LARGEST, seed);
                let command = Uuid::now_v7();
                let mut upload = patiently(|| device.begin(command, &draft, &bytes)).await;
                // In a few calls, as from a line that is cut now and then.
                while upload.offset < upload.size {
                    let rest = &bytes[usize::try_from(upload.offset).unwrap()..];
                    let part = &rest[..rest.len().min(5 * 1024 * 1024)];
                    upload = match device.send(&upload, cut(part, 200_000)).await {
                        Err(status) if status.code() == Code::Unavailable => {
                            patiently(|| device.resume(&upload.name)).await
                        }
                        sent => sent.unwrap(),
                    };
                }
                upload.name
            }));
        }
        drafts.push((ana, draft));
    }
    let mut names = Vec::new();
    for sent in sending {
        names.push(sent.await.unwrap());
    }
    // All at once again: each is read, scanned and sealed; a token lives five minutes.
    let finishing: Vec<_> = names
        .into_iter()
        .enumerate()
        .map(|(number, name)| {
            let device = Device::new(node.channel(), &world.token(drafts[number / EACH].0.account));
            let command = Uuid::now_v7();
            tokio::spawn(async move { patiently(|| device.finish(command, &name)).await })
        })
        .collect();
    for finished in finishing {
        assert_eq!(finished.await.unwrap().size, LARGEST as u64);
    }
    for (ana, draft) in drafts {
        let ana = crate::client::Client { token: world.token(ana.account), ..ana };
        assert_eq!(ana.get(&draft).await.unwrap().evidence.len(), EACH);
    }
    let most = most_memory_kb(process);
    println!("{} files at once, at most {most} kB", people * EACH);
    assert!(most <= MEMORY_KB, "{most} kB");
}
