//! kill -9 of every process, one after the other, in the middle of the story, which goes on by itself.
//!
//! The story's own last step counts charges, notices and mails at the far side.
use crate::system::System;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::VecDeque;
use std::time::Duration;

/// Who is killed, in this order, each a seeded pause after its step began.
const VICTIMS: [&str; 8] = [
    "identity",
    "filing",
    "payments",
    "nats",
    "case-status",
    "notifications",
    "status-projection",
    "postgres",
];

#[test]
fn every_process_is_killed_once_and_the_story_goes_through() {
    let seed = std::env::var("DOCKET_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_123_u64);
    println!("DOCKET_SEED={seed}");
    let system = System::start();
    let mut random = seed;
    let mut victims: VecDeque<&str> = VICTIMS.into();
    let mut steps_left = 4;
    system.play("tests/stories/naturalization.toml", |_| {
        steps_left -= 1;
        if steps_left > 0 {
            return;
        }
        let Some(victim) = victims.pop_front() else { return };
        random = xorshift(random);
        steps_left = 6 + (random % 5) as i32;
        let pause = Duration::from_millis(random % 120);
        let pid = system.addresses()["processes"][victim]
            .as_i64()
            .unwrap_or_else(|| panic!("no process id of {victim}"));
        std::thread::spawn(move || {
            std::thread::park_timeout(pause);
            let pid = Pid::from_raw(i32::try_from(pid).expect("a process id")).expect("a process id");
            let _ = kill_process(pid, Signal::KILL);
        });
    });
    assert!(victims.is_empty(), "not reached before the story ended: {victims:?}");
}

fn xorshift(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^ (state << 17)
}
