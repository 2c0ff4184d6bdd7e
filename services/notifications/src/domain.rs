//! What is decided: which event owes which notice, what a notice says, how a conversation goes. Pure.

mod dates;
mod facts;
mod kind;
mod notice;
mod overtaken;
mod thread;

#[cfg(test)]
mod facts_tests;
#[cfg(test)]
mod laws_tests;
#[cfg(test)]
#[expect(clippy::unnecessary_wraps, reason = "messages hold their parts as options")]
pub(crate) mod samples;
#[cfg(test)]
mod thread_tests;

pub(crate) use dates::{Said, office_date, said_date};
pub(crate) use facts::{Facts, Matter, facts};
pub(crate) use kind::NoticeKind;
pub(crate) use notice::{NoticeEvent, Notices, open as open_notice};
pub(crate) use overtaken::CalledOff;
pub(crate) use thread::{From, ThreadEvent, Threads, say, start};
