//! When another service's event, then our command.
mod end_fee;
mod open_payment;
mod withdraw_unpaid;

pub use end_fee::EndFee;
pub use open_payment::OpenPayment;
pub use withdraw_unpaid::WithdrawUnpaid;
