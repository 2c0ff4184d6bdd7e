//! The rows that are not events: attempts, refunds under way, payers, the ledger.
pub mod attempt;
pub mod ledger;
pub mod owed;
pub mod payer;
pub mod refund;
