//! kill -9 of every process, one after the other, in the middle of the story, which goes on by itself.
//!
//! The story's own last step counts charges, notices and mails at the far side; the books hold afterwards.
use crate::books;
use crate::random::Random;
use crate::system::System;
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
    let mut random = Random::seeded(20_261_123);
    let system = System::start();
    let mut victims: VecDeque<&str> = VICTIMS.into();
    let mut steps_left = 4_u64;
    system.play_disturbed("tests/stories/naturalization.toml", |_| {
        steps_left = steps_left.saturating_sub(1);
        if steps_left > 0 {
            return;
        }
        let Some(victim) = victims.pop_front() else { return };
        steps_left = 6 + random.below(5);
        system.kill_after(victim, Duration::from_millis(random.below(120)));
    });
    assert!(victims.is_empty(), "not reached before the story ended: {victims:?}");
    books::check(&system);
}
