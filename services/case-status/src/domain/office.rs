//! Offices: a table of rows read once, which says where people come and on which days.

use std::sync::LazyLock;

use docket_kernel::calendar::is_working_day;
use jiff::civil::Date;
use serde::Deserialize;

/// An office.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Office {
    /// Code, for example `ASC-NYC`.
    pub code: String,
    /// Name.
    pub name: String,
    /// Address.
    pub address: String,
    /// IANA zone.
    pub zone: String,
    /// Whether cases are kept here.
    #[serde(default)]
    pub cases: bool,
    /// Appointments held here.
    hosts: Vec<String>,
    /// Case offices whose appointments are held here.
    serves: Vec<String>,
    /// Days closed beside weekends and legal holidays.
    closed: Vec<Date>,
}

#[derive(Deserialize)]
struct Table {
    office: Vec<Office>,
}

static TABLE: LazyLock<Vec<Office>> = LazyLock::new(|| {
    let text = include_str!("../../../../deploy/config/offices.toml");
    toml::from_str::<Table>(text).expect("the table is part of the build and tested").office
});

pub use docket_kernel::office::INTAKE_OFFICE;

/// Every office.
pub fn offices() -> &'static [Office] {
    &TABLE
}

/// The office with this code.
pub fn office(code: &str) -> Option<&'static Office> {
    TABLE.iter().find(|office| office.code == code)
}

impl Office {
    /// Name and address in one line.
    pub fn place(&self) -> String {
        format!("{}, {}", self.name, self.address)
    }

    /// Whether people may come on this day.
    pub fn is_open(&self, day: Date) -> bool {
        is_working_day(day) && !self.closed.contains(&day)
    }
}

/// Where a case of `case_office` has its appointments of a kind.
pub fn site(case_office: &str, kind: &str) -> Option<&'static Office> {
    TABLE.iter().find(|office| {
        office.hosts.iter().any(|hosted| hosted == kind)
            && (office.code == case_office || office.serves.iter().any(|served| served == case_office))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_office_that_keeps_cases_has_a_site_for_every_appointment_and_every_zone_is_known() {
        let keeping: Vec<&Office> = offices().iter().filter(|office| office.cases).collect();
        assert!(keeping.len() > 1 && keeping.iter().any(|office| office.code == INTAKE_OFFICE));
        for office in keeping {
            for kind in ["biometrics", "interview", "oath"] {
                assert!(site(&office.code, kind).is_some(), "{} {kind}", office.code);
            }
        }
        for office in offices() {
            docket_kernel::deadline::zone(&office.zone).unwrap();
        }
    }
}
