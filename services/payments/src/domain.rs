//! The rules of money: pure, without clock, network or chance.
pub mod decline;
#[cfg(test)]
mod laws_tests;
pub mod payment;
pub mod posting;
pub mod quote;
