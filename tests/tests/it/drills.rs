//! A process killed at any moment of any story, and each service away in turn: the story goes through, and the books are right
//! afterwards.
//!
//! Five times in the short form, fifty in the long one (`DOCKET_PROOF`); `DOCKET_SEED` repeats a run.
use crate::books;
use crate::system::{System, root};
use rustix::process::{Pid, Signal, kill_process};
use std::time::Duration;

const STORIES: [&str; 6] = ["fee-waiver", "free", "moved", "rejected", "trouble-with-money", "withdrawal"];
const VICTIMS: [&str; 8] = [
    "identity",
    "filing",
    "payments",
    "case-status",
    "status-projection",
    "notifications",
    "nats",
    "postgres",
];
/// Stories on one system: each takes some of the invitations that it has for officers.
const ON_ONE_SYSTEM: usize = 5;
/// A step takes less.
const LONGEST_PAUSE_MS: u64 = 250;

#[test]
fn whoever_is_killed_at_any_moment_of_any_story_the_books_are_right() {
    let seed = std::env::var("DOCKET_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_127_u64);
    let kills = if std::env::var_os("DOCKET_PROOF").is_some() { 50 } else { 5 };
    println!("DOCKET_SEED={seed}");
    let mut random = Random(seed);
    for _ in 0..kills / ON_ONE_SYSTEM {
        let system = System::start();
        for _ in 0..ON_ONE_SYSTEM {
            let story = *random.one_of(&STORIES);
            let victim = *random.one_of(&VICTIMS);
            play_and_kill(&system, story, victim, &mut random);
        }
        let events = books::check(&system);
        println!("the books of {events} events are right");
    }
}

/// Each service that reacts to another one is away while there is something to react to.
#[test]
fn whoever_reacts_may_be_away_and_finishes_once() {
    let system = System::start();
    system.play("arrows", |_| ());
    books::check(&system);
}

fn play_and_kill(system: &System, story: &str, victim: &'static str, random: &mut Random) {
    let text = std::fs::read_to_string(root().join(format!("tests/stories/{story}.toml"))).unwrap();
    let steps = text.matches("[[step]]").count();
    let step = 1 + random.below(steps as u64 - 1);
    let pause = Duration::from_millis(random.below(LONGEST_PAUSE_MS));
    println!("{story}: {victim} is killed {} ms after step {step} of {steps}", pause.as_millis());
    let mut killed = false;
    system.play(story, |told| {
        if told["step"].as_u64() == Some(step) {
            killed = true;
            kill(system, victim, pause);
        }
    });
    assert!(killed, "step {step} of {story} was not told");
}

fn kill(system: &System, victim: &'static str, pause: Duration) {
    let pid = system.addresses()["processes"][victim]
        .as_i64()
        .unwrap_or_else(|| panic!("no process id of {victim}"));
    std::thread::spawn(move || {
        std::thread::park_timeout(pause);
        let pid = Pid::from_raw(i32::try_from(pid).expect("a process id")).expect("a process id");
        let _ = kill_process(pid, Signal::KILL);
    });
}

/// Numbers that a seed repeats.
struct Random(u64);

impl Random {
    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let place = self.below(all.len() as u64);
        &all[usize::try_from(place).expect("a place in a list")]
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % end
    }
}
