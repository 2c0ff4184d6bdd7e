//! When another service's event, then our command.
mod open_payment;
mod refund_rejected;

pub use open_payment::OpenPayment;
pub use refund_rejected::RefundRejected;
