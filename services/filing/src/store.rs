//! The rows that are not events: owners, officers, requests waiting to be served.

pub(crate) mod filings;
pub(crate) mod officers;
pub(crate) mod representations;
pub(crate) mod requests;
pub(crate) mod responses;
