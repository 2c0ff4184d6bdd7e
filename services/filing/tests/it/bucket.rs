//! Evidence in a bucket of a real server of S3, as an office with several nodes has it: what holds in a folder holds there.

use docket_testkit::chance;

use crate::shelf::Bucket;
use crate::world::World;
use crate::{keep, load, scrub, uploads};

#[tokio::test(flavor = "multi_thread")]
async fn uploads_go_on_are_fenced_and_end_once_in_a_bucket() {
    let bucket = Bucket::start().await;
    uploads::goes_on_elsewhere(World::start_in(&bucket).await).await;
    uploads::misfits_are_told(World::start_in(&bucket).await).await;
    uploads::finished_and_given_up(World::start_in(&bucket).await).await;
    uploads::finished_many_times(World::start_in(&bucket).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_on_the_way_into_a_bucket_the_file_is_whole() {
    let bucket = Bucket::start().await;
    uploads::arrive_whole(World::start_in(&bucket).await, chance::short_or_long(8, 500)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_leaves_the_bucket() {
    let bucket = Bucket::start().await;
    keep::given_up_is_erased(World::start_in(&bucket).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bucket_loses_turns_or_swaps_is_found_within_a_day() {
    let bucket = Bucket::start().await;
    scrub::are_found(World::start_in(&bucket).await).await;
    scrub::signed_is_found(World::start_in(&bucket).await).await;
}

/// Nothing of a file is held for the store's sake, however long that takes.
#[tokio::test(flavor = "multi_thread")]
async fn many_large_files_at_once_arrive_in_a_bucket_in_bounded_memory() {
    let bucket = Bucket::start().await;
    load::arrive_in_bounded_memory(World::start_in(&bucket).await, chance::short_or_long(1, 10)).await;
}
