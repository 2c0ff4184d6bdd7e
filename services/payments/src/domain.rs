//! The rules of money: pure, without clock, network or chance.
pub mod decline;
pub mod payment;
pub mod quote;
