//! A test that fails beside one that passes.

#[test]
fn one_is_one() {
    assert_eq!(1, 1);
}

#[test]
fn one_is_two() {
    assert_eq!(1, 2);
}
