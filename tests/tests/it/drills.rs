//! A process killed at any moment of any story, and each service away in turn: the story goes through, and the books are right
//! afterwards.
//!
//! Five times in the short form, fifty in the long one (`DOCKET_PROOF`), each fifth in a story that turns the clock; `DOCKET_SEED`
//! repeats a run.
use crate::architecture::rust_files;
use crate::books;
use crate::random::Random;
use crate::story::{APART, DRILLS, OTHERS};
use crate::system::{System, root};
use std::collections::BTreeSet;
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

/// The sources in which services subscribe, and the name of the process that reads there.
const SUBSCRIBING: [(&str, &str); 6] = [
    ("filing/src/lib.rs", "filing"),
    ("payments/src/lib.rs", "payments"),
    ("notifications/src/lib.rs", "notifications"),
    ("identity/src/lib.rs", "identity"),
    ("case-status/src/command.rs", "case-status"),
    ("case-status/src/status.rs", "status-projection"),
];

/// Each service that reads another one's log is stopped in the story where the story says that something of that log waits for it,
/// and comes back: who reads what is read from the sources.
#[test]
fn every_arrow_between_two_services_has_its_stop_and_its_return_in_the_story() {
    let story = std::fs::read_to_string(root().join("tests/stories/arrows.toml")).unwrap();
    let arrows = arrows();
    assert!(arrows.len() >= 12, "{arrows:?}");
    let services = root().join("services");
    let mut files = Vec::new();
    for service in std::fs::read_dir(&services).unwrap() {
        rust_files(&service.unwrap().path().join("src"), &mut files);
    }
    for file in files {
        let looked_at = SUBSCRIBING.iter().any(|(known, _)| file == services.join(known));
        let subscribes = || std::fs::read_to_string(&file).unwrap().contains(".subscriber(");
        assert!(looked_at || !subscribes(), "{} subscribes, and is not looked at", file.display());
    }
    let lacking: Vec<_> = arrows.iter().filter(|arrow| !is_drilled(&story, arrow)).collect();
    assert!(lacking.is_empty(), "arrows without a stop in the story: {lacking:?}");
    // Of a story without the stops nothing is found.
    let none = story.replace("do.stop_service", "do.see_nothing");
    assert!(arrows.iter().all(|arrow| !is_drilled(&none, arrow)));
}

/// Whose log, and which service has a subscriber to it, by the name of its process.
fn arrows() -> BTreeSet<(String, String)> {
    let mut arrows = BTreeSet::new();
    for (file, reader) in SUBSCRIBING {
        let source = std::fs::read_to_string(root().join("services").join(file)).unwrap();
        for subscriber in source.split(".subscriber(").skip(1) {
            let log = subscriber.split(',').next().unwrap().trim_matches('"');
            let from = if matches!(log, "cases-0" | "LOG") { "case-status" } else { log };
            if from != reader {
                arrows.insert((from.to_owned(), reader.to_owned()));
            }
        }
    }
    arrows
}

/// Whether a part of the story that is about this arrow stops who reacts, and starts it again after that.
fn is_drilled(story: &str, (from, to): &(String, String)) -> bool {
    let [stop, start] = ["stop", "start"].map(|act| format!("do.{act}_service = {{ service = \"{to}\" }}"));
    let arrow = format!("{from} → {to}");
    // A part begins with a comment, whose lines name its arrows.
    let parts: Vec<&str> = story.split("\n\n#").collect();
    parts.iter().enumerate().any(|(n, part)| {
        let about = part.split("\n[[step]]").next().is_some_and(|comment| comment.contains(&arrow));
        let after = |stopped| part[stopped..].contains(&start) || parts[n + 1..].concat().contains(&start);
        about && part.find(&stop).is_some_and(after)
    })
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
