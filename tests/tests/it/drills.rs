//! A process killed at any moment of any story, and each service away in turn: the story goes through, and the books are right
//! afterwards.
//!
//! Five times in the short form, fifty in the long one (`DOCKET_PROOF`); `DOCKET_SEED` repeats a run.
use crate::books;
use crate::random::Random;
use crate::story::OTHERS;
use crate::system::{System, root};
use std::time::Duration;

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
    let stories = [&["naturalization"], OTHERS].concat();
    let kills = if std::env::var_os("DOCKET_PROOF").is_some() { 50 } else { 5 };
    let mut random = Random::seeded(20_261_127);
    for _ in 0..kills / ON_ONE_SYSTEM {
        let system = System::start();
        for _ in 0..ON_ONE_SYSTEM {
            let story = *random.one_of(&stories);
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
    system.play_disturbed(story, |told| {
        if told["step"].as_u64() == Some(step) {
            killed = true;
            system.kill_after(victim, pause);
        }
    });
    assert!(killed, "step {step} of {story} was not told");
}
