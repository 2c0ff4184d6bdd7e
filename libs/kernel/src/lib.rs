//! The kernel: the words every part of Docket shares. Pure: no input, no output, no clock of its own.
//!
//! What stands here is true without a database or a network: identities, the clock's trait,
//! refusals, money, legal days, periods and the formats of numbers people type.

#![allow(clippy::result_large_err, reason = "a refusal is rare, and carries all the caller is told")]

pub mod actor;
pub mod calendar;
pub mod clock;
pub mod deadline;
pub mod event;
pub mod id;
pub mod identifier;
pub mod money;
pub mod office;
pub mod refusal;
pub mod resource;

pub use actor::{Actor, ActorKind};
pub use clock::{Clock, ManualClock, SharedClock, SystemClock};
pub use event::{DecodeError, EventEnum, SubjectKind};
pub use id::derived_id;
pub use identifier::ReceiptNumber;
pub use money::Cents;
pub use refusal::{FieldFault, Refusal, RefusalCode};
