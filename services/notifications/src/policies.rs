//! What follows from events: a notice owed, a notice issued or let go, an alert sent, and sent to another address, sight that ends,
//! a text sent, followed, answered, and texts that end, a party reminded, a case found to be protected.

mod end_sight;
mod end_texts;
mod follow_address;
mod follow_text;
mod forget_number;
mod hear_replies;
mod issue_notice;
mod let_go;
mod owe_notice;
mod read_openings;
mod send_alert;
mod send_text;
mod settle;
mod tell_parties;
mod tell_preparers;

pub(crate) use end_sight::EndSight;
pub(crate) use end_texts::EndTexts;
pub(crate) use follow_address::FollowAddress;
pub(crate) use follow_text::FollowTexts;
pub(crate) use forget_number::ForgetNumber;
pub(crate) use hear_replies::HearReplies;
pub(crate) use issue_notice::IssueNotices;
pub(crate) use owe_notice::OweNotice;
pub(crate) use read_openings::run as read_openings;
pub(crate) use send_alert::SendAlerts;
pub(crate) use send_text::SendTexts;
pub(crate) use tell_parties::TellParties;
pub(crate) use tell_preparers::TellPreparers;
