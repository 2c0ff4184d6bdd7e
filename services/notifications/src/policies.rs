//! What follows from events: a notice owed, a notice issued or let go, an alert sent, and sent to another address, sight that ends, a party reminded.

mod end_sight;
mod follow_address;
mod issue_notice;
mod let_go;
mod owe_notice;
mod send_alert;
mod tell_parties;
mod tell_preparers;

pub(crate) use end_sight::EndSight;
pub(crate) use follow_address::FollowAddress;
pub(crate) use issue_notice::IssueNotices;
pub(crate) use owe_notice::OweNotice;
pub(crate) use send_alert::SendAlerts;
pub(crate) use tell_parties::TellParties;
pub(crate) use tell_preparers::TellPreparers;
