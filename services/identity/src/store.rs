//! Rows which are not events: secrets in use, tries, sessions, mail under way.

pub(crate) mod closing;
pub(crate) mod credential;
pub(crate) mod email_change;
pub(crate) mod housekeeping;
pub(crate) mod invitation;
pub(crate) mod mail;
pub(crate) mod registration;
pub(crate) mod release;
pub(crate) mod replacement;
pub(crate) mod revocation;
pub(crate) mod session;
pub(crate) mod signing_key;
pub(crate) mod tries;
