//! A test that takes its whole program with it.

#[test]
fn it_is_killed() {
    std::process::abort();
}
