//! What is decided: which event owes which notice, what a notice says, how a conversation goes, where and when texts go. Pure.

mod dates;
mod facts;
mod kind;
mod notice;
mod number;
mod overtaken;
mod quiet;
mod reply;
mod texting;
mod thread;

#[cfg(test)]
mod facts_tests;
#[cfg(test)]
mod laws_tests;
#[cfg(test)]
#[expect(clippy::unnecessary_wraps, reason = "messages hold their parts as options")]
pub(crate) mod samples;
#[cfg(test)]
mod texting_tests;
#[cfg(test)]
mod thread_tests;

pub(crate) use dates::{Said, office_date, said_date};
pub(crate) use facts::{Facts, Matter, facts};
pub(crate) use kind::NoticeKind;
pub(crate) use notice::{NoticeEvent, Notices, open as open_notice};
pub(crate) use number::{Country, textable};
pub(crate) use overtaken::CalledOff;
pub(crate) use quiet::{day_began_us, held_until, next_morning};
pub(crate) use reply::{Reply, reply};
pub(crate) use texting::{CONSENT, EndedBy, Texting, TextingEvent, TextingState, end, prove, resume};
pub(crate) use thread::{From, ThreadEvent, Threads, say, start};
