//! A notice that is owed and will not be issued: its debt ends with an event that says why, and with it the obligation.

use docket_eventlog::{Appended, Context, Error, Expected, Recorded, StreamAppend, StreamName, Subjects};
use docket_kernel::EventEnum as _;
use docket_proto::notifications::events::v1 as pb;
use docket_service::Base;
use sqlx::PgConnection;
use uuid::Uuid;

use super::owe_notice::OBLIGATION;
use crate::domain::NoticeEvent;
use crate::store::owed::{self, Owed};

/// The policy whose command a notice is, whatever becomes of it: who comes second finds it issued, or let go.
pub(super) const POLICY: &str = "issue_notice";

/// Why a notice is not issued.
#[derive(Debug, Clone, Copy)]
pub(super) enum Why {
    /// What it asks for was called off or settled, by this event of the case.
    Overtaken(Uuid),
    /// The account that it is for, or the filing that it tells of, was erased: nobody is left to read it.
    Erased,
}

/// Ends a debt, which `owing` made, without a notice. One that was issued meanwhile stays issued.
///
/// # Errors
/// Those of the log.
pub(super) async fn let_go(
    base: &Base,
    tx: &mut PgConnection,
    owed: &Owed,
    owing: &Recorded,
    why: Why,
) -> Result<Appended, Error> {
    let (cause, overtaken_by) = match why {
        Why::Overtaken(by) => ("overtaken", by.to_string()),
        Why::Erased => ("erased", String::new()),
    };
    let event: NoticeEvent = pb::NoticeNotIssued {
        case_id: owed.case_id.to_string(),
        notice_kind: owed.notice_kind.clone(),
        cause: cause.to_owned(),
        overtaken_by,
    }
    .into();
    let stream = StreamName::of(NoticeEvent::CATEGORY, owed.notice_id);
    let stream = StreamAppend::of(stream, Expected::Any, Subjects::NONE, &[event]);
    let append = Context::reaction(POLICY, owing, 0).append(&base.log, vec![stream]);
    let appended = base.log.append_in(tx, append).await?;
    owed::done(tx, owed.notice_id).await?;
    base.log.obligations().close_in(tx, OBLIGATION, &owed.notice_id.to_string(), appended.last).await?;
    if !appended.repeated {
        let kind = owed.notice_kind.clone();
        metrics::counter!("docket_notice_let_go", "kind" => kind, "cause" => cause).increment(1);
    }
    Ok(appended)
}
