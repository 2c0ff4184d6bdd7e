//! Offices by their code.

/// The office that takes filings in.
pub const INTAKE_OFFICE: &str = "NBC";
