//! Names and addresses of the offices, as notices print them.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::render::PrintedOffice;

#[derive(Deserialize)]
struct Row {
    code: String,
    name: String,
    address: String,
}

#[derive(Deserialize)]
struct Table {
    office: Vec<Row>,
}

static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let text = include_str!("../../../deploy/config/offices.toml");
    toml::from_str::<Table>(text).expect("the table is part of the build and tested").office
});

/// The office that takes in every filing, and keeps those that it rejects; it stands on what is issued before a case has an office.
pub(crate) const INTAKE: &str = "NBC";

/// The office with this code; the office of intake for an unknown one.
pub(crate) fn printed(code: &str) -> PrintedOffice {
    let row = |code: &str| TABLE.iter().find(|row| row.code == code);
    let row = row(code).or_else(|| row(INTAKE)).expect("the table has the office of intake; tested");
    PrintedOffice { name: row.name.clone(), address: row.address.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_offices_are_printed_as_the_office_of_intake() {
        assert_eq!(printed("FO-NYC").name, "Docket Field Office, New York");
        assert_eq!(printed(""), printed(INTAKE));
    }
}
