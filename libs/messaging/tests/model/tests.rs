//! The rules hold everything in every interleaving; without any one of them the checker finds the harm.

use std::time::Instant;

use stateright::{Checker, Model as _, UniformChooser};

use crate::properties::{
    CHECKPOINT, DENSE, EFFECTS, EXACT, IN_THE_END, NOTHING_LATE, ONCE, SAME_STREAM, VERSIONS,
};
use crate::rules::Rule;
use crate::world::World;
use crate::writer::Command;

const fn versioned(stream: u8) -> Command {
    Command { stream, versioned: true, events: 1, process: None }
}

const fn any(stream: u8, events: u8) -> Command {
    Command { stream, versioned: false, events, process: None }
}

/// The command by the appending task of a process.
const fn by(process: usize, command: Command) -> Command {
    Command { process: Some(process), ..command }
}

fn world(commands: &[Command], relays: usize, consumers: usize, faults: u8) -> World {
    World { commands: commands.to_vec(), relays, consumers, faults, broken: None }
}

fn holds(world: World) {
    let started = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let checker = world.checker().threads(threads).spawn_bfs().join();
    println!("{} states, {} s", checker.unique_state_count(), started.elapsed().as_secs_f32());
    checker.assert_properties();
    assert!(checker.is_done());
}

/// Two writers of one stream and a third which takes any version: who meets whom at the head.
const WRITERS: [Command; 3] = [versioned(0), versioned(0), any(1, 2)];

/// Two processes, one of which has two commands of two streams, and a transaction between them.
const GUESSING: [Command; 4] = [by(0, versioned(0)), by(0, any(1, 2)), by(1, versioned(0)), any(1, 1)];

/// Checks that without `rule` the checker finds a way to harm `property`.
fn breaks(rule: Rule, property: &'static str, world: World) {
    let world = World { broken: Some(rule), ..world };
    let checker = world.checker().spawn_bfs().join();
    assert!(checker.discovery(property).is_some(), "without {rule:?} nothing harms `{property}`");
}

/// Larger worlds are explored where proofs are run.
fn long() -> bool {
    std::env::var_os("DOCKET_PROOF").is_some()
}

#[test]
fn three_writers_and_two_relays_keep_every_promise() {
    holds(world(&WRITERS, 2, 0, if long() { 2 } else { 1 }));
}

#[test]
fn processes_that_guess_and_ask_keep_every_promise() {
    holds(world(&GUESSING, 1, 0, if long() { 2 } else { 1 }));
}

#[test]
fn two_relays_and_two_consumers_keep_every_promise() {
    holds(world(&[any(1, 1)], 2, 2, if long() { 2 } else { 1 }));
}

/// Two events behind each other in one lane, or in two lanes: who applies which, and in what order. Without a fault: with one
/// they are more states than can be visited in minutes.
#[test]
fn two_consumers_of_two_events_keep_every_promise() {
    for commands in [&[any(0, 2)] as &[Command], &[any(0, 1), any(1, 1)]] {
        holds(world(commands, 1, 2, 0));
    }
}

/// All seven, with two faults on a path: walked at random from a seed, since they are more states than can be visited.
fn walked(broken: Option<Rule>) -> impl Checker<World> {
    let seed = std::env::var("DOCKET_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_127_u64);
    let states = if long() { 5_000_000 } else { 100_000 };
    let world = World { broken, ..world(&WRITERS, 2, 2, 2) };
    let checker = world.checker().target_state_count(states).spawn_simulation(seed, UniformChooser).join();
    println!("DOCKET_SEED={seed}: {} states", checker.state_count());
    checker
}

#[test]
fn all_seven_at_once_keep_every_promise_wherever_they_walk() {
    walked(None).assert_properties();
}

#[test]
fn the_walks_of_all_seven_find_what_a_broken_rule_does() {
    for (rule, property) in [(Rule::CompareAndSet, EFFECTS), (Rule::PassInTurn, CHECKPOINT)] {
        assert!(
            walked(Some(rule)).discovery(property).is_some(),
            "without {rule:?} nothing harms `{property}`"
        );
    }
}

#[test]
fn without_the_head_lock_something_becomes_visible_late() {
    breaks(Rule::HeadLock, NOTHING_LATE, world(&WRITERS, 1, 0, 0));
}

#[test]
fn without_the_head_lock_a_rollback_leaves_a_gap() {
    breaks(Rule::HeadLock, DENSE, world(&WRITERS, 0, 0, 1));
}

#[test]
fn a_look_before_the_lock_writes_a_command_twice() {
    breaks(Rule::LookUnderLock, ONCE, world(&[any(0, 1)], 0, 0, 1));
}

#[test]
fn a_look_before_the_lock_overlooks_another_version() {
    breaks(Rule::LookUnderLock, VERSIONS, world(&WRITERS, 0, 0, 0));
}

#[test]
fn without_the_lookup_a_repeated_command_is_written_twice() {
    breaks(Rule::CommandLookup, ONCE, world(&[any(0, 1)], 0, 0, 1));
}

#[test]
fn a_command_remembered_later_is_written_twice() {
    breaks(Rule::CommandWithEvents, ONCE, world(&[any(0, 1)], 0, 0, 1));
}

#[test]
fn without_the_version_check_an_append_overlooks_another() {
    breaks(Rule::ExpectedVersion, VERSIONS, world(&WRITERS, 0, 0, 0));
}

#[test]
fn a_guess_that_does_not_name_what_it_was_decided_on_writes_over_another() {
    breaks(Rule::StatementNamesCommits, DENSE, world(&GUESSING, 0, 0, 0));
}

#[test]
fn a_guess_that_does_not_name_its_command_writes_a_repetition_twice() {
    breaks(Rule::StatementNamesCommand, ONCE, world(&[by(0, any(0, 1))], 0, 0, 1));
}

#[test]
fn a_guess_that_takes_a_stream_for_new_unasked_overlooks_another() {
    let commands = [by(0, any(1, 1)), by(0, versioned(0)), any(0, 1)];
    breaks(Rule::StatementNamesNewStream, VERSIONS, world(&commands, 0, 0, 0));
}

#[test]
fn a_stream_remembered_while_others_hold_the_lock_by_turns_is_stale() {
    let commands = [by(0, any(0, 1)), by(0, any(1, 1)), by(0, any(0, 1)), any(0, 1), any(0, 1)];
    breaks(Rule::ForgetUnderLock, VERSIONS, world(&commands, 0, 0, 0));
}

#[test]
fn a_commit_without_an_answer_that_is_taken_for_done_leaves_a_gap() {
    let commands = [by(0, any(0, 1)), by(0, versioned(0)), by(0, versioned(1))];
    breaks(Rule::ForgetInDoubt, DENSE, world(&commands, 0, 0, 1));
}

#[test]
fn a_commit_without_an_answer_that_is_taken_for_not_done_may_be_told_so_and_be_there() {
    breaks(Rule::AskInDoubt, EXACT, world(&[by(0, any(0, 1))], 0, 0, 2));
}

#[test]
fn what_was_sent_arrives_after_it_was_told_not_done_unless_the_door_is_closed() {
    breaks(Rule::CloseTheDoor, EXACT, world(&[by(0, any(0, 1))], 0, 0, 2));
}

#[test]
fn a_late_publication_without_the_expected_sequence_repeats() {
    breaks(Rule::ExpectedLastSequence, SAME_STREAM, world(&[any(0, 1)], 1, 0, 1));
}

#[test]
fn without_the_expected_sequence_two_relays_repeat() {
    breaks(Rule::ExpectedLastSequence, SAME_STREAM, world(&[any(0, 1)], 2, 0, 0));
}

#[test]
fn a_relay_which_does_not_ask_the_stream_never_refills_it() {
    breaks(Rule::ResumeFromStream, IN_THE_END, world(&[any(0, 1)], 1, 0, 1));
}

#[test]
fn a_checkpoint_after_its_effect_repeats_the_effect() {
    breaks(Rule::CheckpointWithEffect, EFFECTS, world(&[any(0, 1)], 1, 1, 1));
}

#[test]
fn without_compare_and_set_a_second_consumer_repeats_the_effect() {
    breaks(Rule::CompareAndSet, EFFECTS, world(&[any(0, 1)], 1, 2, 0));
}

#[test]
fn an_old_message_that_is_not_ignored_is_applied_again() {
    breaks(Rule::OldIgnored, EFFECTS, world(&[any(0, 1)], 1, 2, 1));
}

#[test]
fn a_gap_that_is_not_filled_leaves_an_effect_out() {
    breaks(Rule::GapsFilled, EFFECTS, world(&[any(0, 2)], 1, 2, 0));
}

#[test]
fn what_the_broker_thinks_it_handed_out_is_never_applied_without_catching_up() {
    breaks(Rule::CatchUp, IN_THE_END, world(&[any(0, 1)], 1, 1, 2));
}

#[test]
fn a_lane_out_of_order_leaves_an_effect_out() {
    breaks(Rule::LaneInOrder, EFFECTS, world(&[any(0, 2)], 1, 1, 0));
}

#[test]
fn passing_out_of_turn_leaves_an_effect_out() {
    breaks(Rule::PassInTurn, CHECKPOINT, world(&[any(0, 1)], 1, 1, 0));
}
