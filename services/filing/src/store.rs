//! The rows that are not events: owners, helpers' codes, invitations to a package, officers, offices, requests waiting to be served, uploads under way, files found damaged, files not scanned yet.

pub(crate) mod filings;
pub(crate) mod helper_codes;
pub(crate) mod invitations;
pub(crate) mod officers;
pub(crate) mod offices;
pub(crate) mod representations;
pub(crate) mod requests;
pub(crate) mod responses;
pub(crate) mod scrub;
pub(crate) mod unscanned;
pub(crate) mod uploads;
