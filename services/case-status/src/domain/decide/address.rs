//! The party moved: cases that are open, or may be again, go by the new address, and the report itself is done.

use docket_kernel::Refusal;
use docket_proto::case_status::events::v1 as pb;
use docket_proto::identity::events::v1::AddressChanged;
use jiff::Timestamp;
use uuid::Uuid;

use super::Decision;
use super::ending::answered_by_itself;
use super::hold::holds_ended;
use super::own_motion::may_be_reopened;
use crate::domain::{Case, Stage};

/// The address of record changed, or whoever a case is about moved: an open case that it is for goes by it, and one that may be
/// reopened, whose days would then end in the old zone. A due date that was served stays (lifecycle 54). Where the account's owner moved
/// and names no case, it is for all of them; where they signed for somebody else who moved, for that person's alone (INA 265(c), 8 CFR
/// 265.1).
///
/// # Errors
/// None.
pub fn change_address(
    case: &Case,
    (id, change_id): (Uuid, Uuid),
    changed: &AddressChanged,
    at: Timestamp,
) -> Decision {
    let named = !case.receipt_number.is_empty() && changed.receipt_numbers.contains(&case.receipt_number);
    let all = !changed.for_another && changed.receipt_numbers.is_empty();
    let meant = all || named || changed.case_ids.contains(&id.to_string());
    let open = case.is_open() || case.may_be_answered() || case.oath_is_to_come() || case.card_is_to_come();
    if !meant || !(open || may_be_reopened(case, true)) {
        return Ok(Vec::new());
    }
    Ok(vec![
        pb::CaseAddressChanged {
            change_id: change_id.to_string(),
            zone: changed.zone.clone(),
            abroad: changed.abroad,
            changed_at_us: at.as_microsecond(),
        }
        .into(),
    ])
}

/// The report was carried out: its own case is done.
///
/// # Errors
/// Not found without a case.
pub fn record_move(case: &Case, change_id: Uuid, receipt_numbers: &[String]) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    if case.stage != Stage::Accepted {
        return Ok(Vec::new());
    }
    let recorded = pb::MoveRecorded {
        change_id: change_id.to_string(),
        receipt_numbers: receipt_numbers.to_vec(),
        for_another: case.is_for_another(),
    };
    let mut events = vec![recorded.into()];
    events.extend(holds_ended(case, "recorded"));
    events.extend(answered_by_itself(case, "recorded"));
    Ok(events)
}
