//! The page that says which check holds each invariant of the lifecycle names all of them, and checks that there are.
use crate::architecture::rust_files;
use crate::system::root;
use std::collections::BTreeSet;
use std::path::Path;

/// Invariants that nothing looks for yet.
const NOWHERE: [u32; 0] = [];

#[test]
fn every_invariant_of_the_lifecycle_has_a_check_that_there_is() {
    let page = std::fs::read_to_string(root().join("docs/reference/lifecycle.md")).unwrap();
    let mut functions = BTreeSet::new();
    for folder in ["services", "libs", "tests"] {
        functions_in(&root().join(folder), &mut functions);
    }
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit())
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let numbers: Vec<u32> = rows.iter().map(|row| row[0].parse().unwrap()).collect();
    assert_eq!(numbers, (1..=62).collect::<Vec<u32>>());
    let mut nowhere = Vec::new();
    for (number, row) in numbers.into_iter().zip(&rows) {
        let [_, what, after, beside] = row.as_slice() else { panic!("{row:?}") };
        assert!(!what.is_empty(), "{row:?}");
        let names: Vec<&str> = [after, beside].iter().flat_map(|cell| quoted(cell)).collect();
        if names.is_empty() {
            nowhere.push(number);
        }
        for name in names {
            assert!(functions.contains(name), "{number}: there is no {name}");
        }
    }
    assert_eq!(nowhere, NOWHERE, "an invariant without a check");
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The names of all functions in the sources of a folder.
fn functions_in(folder: &Path, found: &mut BTreeSet<String>) {
    let mut files = Vec::new();
    rust_files(folder, &mut files);
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        let names = source.split("fn ").skip(1);
        let name = |rest: &str| rest.split(['(', '<']).next().map(str::to_owned);
        found.extend(names.filter_map(name));
    }
}
