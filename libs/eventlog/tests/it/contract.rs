//! The contract of a log: small named cases over its public face, run on whatever gives a [`Fixture`].
//!
//! `contract!` is the table; `run_on!(F)` makes a test of each case on the fixture `F`.

mod appending;
mod fixture;
mod following;
mod reading;
mod refusing;
mod repeating;
mod rows;
mod sealing;
mod several;
mod storing;
mod transactions;
mod versions;

use fixture::SingleLog;
use several::SeveralLogs;

macro_rules! contract {
    ($to_each:ident!($($argument:tt)*)) => {
        $to_each! { ($($argument)*)
            appending {
                a_new_log_is_empty the_first_event_has_position_one positions_are_dense_over_streams
                versions_are_dense_in_each_stream the_events_of_an_append_stay_together
                several_streams_are_written_in_the_order_given the_answer_is_what_is_stored
                event_ids_are_distinct event_ids_depend_on_the_command_alone instants_never_go_back
                instants_follow_the_clock metadata_is_kept_whole concurrent_appends_all_get_places
                a_thousand_events_fit_one_append the_head_is_told_to_this_process the_clear_payload_is_kept
            }
            versions {
                version_zero_means_a_new_stream version_zero_is_refused_on_a_stream_which_is_there
                the_exact_version_is_taken a_stale_version_is_refused_with_the_current_one
                a_version_ahead_is_refused any_takes_whatever_is_there a_conflict_writes_nothing
                one_stale_stream_of_several_refuses_all a_version_can_be_checked_without_writing
                a_checked_version_which_is_stale_refuses_the_rest of_many_for_one_version_one_wins
                a_conflict_costs_strangers_nothing after_a_conflict_the_current_version_is_taken
            }
            repeating {
                a_command_done_again_gives_the_first_answer repeated_after_others_it_is_still_the_first_answer
                a_repeated_command_does_not_look_at_versions a_repeated_command_moves_no_head
                many_at_once_under_one_id_are_one another_actor_may_use_the_same_id
                another_body_under_the_same_id_is_refused the_differing_field_is_named
                a_body_which_is_no_message_is_told_apart_too a_refused_command_is_decided_anew
                a_command_without_events_is_remembered a_command_is_found_by_actor_and_id
                an_unknown_command_is_not_found another_replica_knows_the_command
                a_command_without_events_is_known_after_logs_were_added
                a_stream_that_was_only_looked_at_may_go_elsewhere_before_a_repetition
                a_repetition_that_names_another_stream_is_answered_from_the_first
                another_body_is_refused_in_whichever_log_it_comes
                a_repetition_inside_a_transaction_is_known_after_logs_were_added
            }
            refusing {
                an_event_too_large_is_refused an_append_too_large_is_refused too_many_events_are_refused
                a_kind_with_a_control_character_is_refused an_empty_kind_is_refused
                a_payload_which_is_no_message_is_refused a_stream_named_twice_is_refused
                an_actor_with_a_control_character_is_refused names_of_streams_are_checked
                a_closed_log_refuses
            }
            reading {
                a_stream_is_read_from_any_version a_stream_nobody_wrote_is_empty
                a_stream_holds_its_own_events_only a_stream_is_read_as_of_a_position
                the_log_is_read_in_pages_without_a_gap reading_after_the_head_gives_nothing
                a_limit_of_none_gives_nothing an_instant_names_a_prefix before_the_first_instant_is_nothing
                another_replica_reads_the_same
            }
            transactions {
                what_is_appended_in_a_transaction_is_seen_after_its_commit
                a_rollback_leaves_no_hole a_conflict_does_not_spoil_the_transaction
                two_appends_in_one_transaction_follow_each_other
                a_row_and_an_event_are_there_together_or_not_at_all
                a_repetition_inside_a_transaction_is_known
            }
            rows {
                a_timer_is_due_at_its_instant a_timer_set_again_is_moved a_timer_cancelled_is_gone
                a_timer_fires_under_one_command_id a_timer_goes_with_its_transaction
                an_obligation_is_open_until_closed an_obligation_is_overdue_after_its_instant
                an_obligation_opened_twice_is_one
            }
            storing {
                a_decision_is_made_on_the_state_and_answered_with_the_new_one
                an_execution_done_again_is_answered_as_of_the_first_time a_refused_execution_writes_nothing
                executions_at_once_are_each_decided_on_the_last_state
                an_execution_that_decided_nothing_is_known_after_logs_were_added
                an_aggregate_is_born_where_its_slot_went
            }
            following {
                a_subscriber_is_given_what_is_there_and_what_comes a_subscriber_that_waits_is_woken
                who_stops_waiting_loses_nothing
            }
            sealing {
                personal_fields_are_not_in_the_record personal_fields_come_back_when_opened
                personal_data_of_nobody_is_refused an_erased_subject_reads_erased
                after_an_erasure_nothing_more_can_be_sealed an_erasure_changes_no_record
            }
        }
    };
}

macro_rules! run_on {
    (($fixture:ty) $($subject:ident { $($case:ident)* })*) => {
        $(mod $subject {
            $(#[tokio::test]
            async fn $case() {
                let fixture = <$fixture as crate::contract::fixture::Fixture>::new().await;
                crate::contract::$subject::$case(&fixture).await;
                crate::contract::fixture::is_sound(&fixture).await;
            })*
        })*
    };
}

macro_rules! names {
    (() $($subject:ident { $($case:ident)* })*) => { &[$($(stringify!($case)),*),*] };
}

mod on_a_single_log {
    contract!(run_on!(super::super::SingleLog));
}

mod on_several_logs {
    contract!(run_on!(super::super::SeveralLogs));
}

#[test]
fn the_contract_has_at_least_sixty_cases_of_different_names() {
    let names: &[&str] = contract!(names!());
    let different: std::collections::HashSet<_> = names.iter().collect();
    assert_eq!(different.len(), names.len());
    assert!(names.len() >= 60, "{}", names.len());
}
