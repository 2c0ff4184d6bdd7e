//! The sandbox driven from outside: the real binary, real sockets, real clients.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod harness;
mod mail;
mod payments;
mod receiver;
mod register;
mod restart;
mod scanner;
mod sms;
mod start;
mod webhooks;
