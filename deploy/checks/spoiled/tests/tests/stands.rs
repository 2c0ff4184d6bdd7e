//! Tests that pass, and one that is left out.

#[test]
fn one_is_one() {
    assert_eq!(1, 1);
}

#[test]
#[ignore = "a test that is left out is no fault"]
fn one_is_two() {
    assert_eq!(1, 2);
}
