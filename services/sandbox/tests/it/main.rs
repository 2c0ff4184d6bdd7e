//! The sandbox driven from outside: the real binary, real sockets, real clients.

mod harness;
mod mail;
mod payments;
mod receiver;
mod register;
mod restart;
mod scanner;
mod sms;
mod webhooks;
