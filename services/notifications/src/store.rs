//! The rows that are not events. Everything here can be written again from the logs, but the two queues.

pub(crate) mod delivery;
pub(crate) mod matter;
pub(crate) mod notice;
pub(crate) mod owed;
pub(crate) mod representation;
pub(crate) mod text;
pub(crate) mod thread;
