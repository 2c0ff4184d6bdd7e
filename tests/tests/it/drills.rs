//! A process killed at any moment of any story, and each service away in turn: the story goes through, and the books are right
//! afterwards.
//!
//! Five times in the short form, fifty in the long one (`DOCKET_PROOF`), each fifth in a story that turns the clock; `DOCKET_SEED`
//! repeats a run.
use crate::books;
use crate::random::Random;
use crate::story::{APART, DRILLS, OTHERS};
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
const ON_ONE_SYSTEM: usize = 4;
/// Milliseconds of the longest pause, which is drawn first: steps take from a few of them to seconds.
const LONGEST_PAUSES_MS: [u64; 4] = [50, 250, 1_000, 4_000];

#[test]
fn whoever_is_killed_at_any_moment_of_any_story_the_books_are_right() {
    let stories = [&["naturalization"], OTHERS, DRILLS].concat();
    let rounds = if std::env::var_os("DOCKET_PROOF").is_some() { 10 } else { 1 };
    let mut random = Random::seeded(20_261_127);
    for _ in 0..rounds {
        let system = System::start();
        for _ in 0..ON_ONE_SYSTEM {
            let story = *random.one_of(&stories);
            play_and_kill(&system, story, &mut random);
        }
        right_are_the_books_of(system);
        // Invitations and sessions run out when the clock is turned, so these have a system each.
        let system = System::start_apart(&[]);
        let story = *random.one_of(APART);
        play_and_kill(&system, story, &mut random);
        right_are_the_books_of(system);
    }
}

fn right_are_the_books_of(system: System) {
    let events = books::check(&system);
    println!("the books of {events} events are right");
}

/// Each service that reacts to another one is away while there is something to react to.
#[test]
fn whoever_reacts_may_be_away_and_finishes_once() {
    let system = System::start();
    system.play("arrows", |_| ());
    books::check(&system);
}

fn play_and_kill(system: &System, story: &str, random: &mut Random) {
    let text = std::fs::read_to_string(root().join(format!("tests/stories/{story}.toml"))).unwrap();
    let steps = text.matches("[[step]]").count();
    let victim = *random.one_of(&VICTIMS);
    let (step, longest_ms) = (random.below(steps as u64), *random.one_of(&LONGEST_PAUSES_MS));
    let pause = Duration::from_millis(random.below(longest_ms));
    println!("{story}: {victim} is killed {} ms after step {step} of {steps}", pause.as_millis());
    let mut killed = step == 0;
    if killed {
        system.kill_after(victim, pause);
    }
    system.play_disturbed(story, |told| {
        if told["step"].as_u64() == Some(step) {
            killed = true;
            system.kill_after(victim, pause);
        }
    });
    assert!(killed, "step {step} of {story} was not told");
}
