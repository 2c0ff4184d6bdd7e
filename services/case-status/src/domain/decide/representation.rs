//! Who acts for the party: the office takes an appearance with the filing or later, another takes its place, and it ends when
//! either side says so.

use docket_proto::case_status::events::v1 as pb;
use uuid::Uuid;

use super::Decision;
use crate::domain::{Case, Event, Wishes};

/// The appearance that was made together with the filing, now that the filing is accepted (8 CFR 292.4(a)).
pub(super) fn activate(case: &Case) -> Option<Event> {
    let waiting = case.appearance.filter(|appearance| !appearance.active)?;
    Some(
        pb::RepresentationActivated {
            representation_id: waiting.representation.to_string(),
            representative: waiting.representative.to_string(),
            wishes: waiting.wishes.map(Into::into),
        }
        .into(),
    )
}

/// The party appointed a representative for the case, in place of another where one acted: never do two act at once, and no due
/// date moves (8 CFR 292.4(a)). A filing that has no case yet brings the appearance with it. What the client wishes of papers comes
/// with it, where it is known.
///
/// # Errors
/// None.
pub fn appoint_representative(
    case: &Case,
    (representation, representative): (Uuid, Uuid),
    wishes: Option<Wishes>,
) -> Decision {
    let acts_already = case.appearance.is_some_and(|acting| acting.representation == representation);
    if !case.exists() || case.is_over_unfiled() || acts_already {
        return Ok(Vec::new());
    }
    let (representation_id, representative) = (representation.to_string(), representative.to_string());
    let wishes = wishes.map(Into::into);
    let event: Event = match case.appearance {
        None => pb::RepresentationActivated { representation_id, representative, wishes }.into(),
        Some(former) => pb::CaseRepresentationReplaced {
            representation_id,
            representative,
            former_representation_id: former.representation.to_string(),
            former_representative: former.representative.to_string(),
            wishes,
        }
        .into(),
    };
    Ok(vec![event])
}

/// The client wishes otherwise than before of where originals and documents go; what was mailed stays as it was.
///
/// # Errors
/// None.
pub fn change_wishes(case: &Case, representation: Uuid, wishes: Wishes) -> Decision {
    let standing = case.appearance.filter(|appearance| appearance.representation == representation);
    let changes = standing.is_some_and(|appearance| appearance.wishes != Some(wishes));
    if !changes || case.is_over_unfiled() {
        return Ok(Vec::new());
    }
    let (representation_id, wishes) = (representation.to_string(), Some(wishes.into()));
    Ok(vec![pb::CaseRepresentationWishesChanged { representation_id, wishes }.into()])
}

/// Another was appointed whose appearance has ended meanwhile: who acted before acts no longer, and nobody does.
///
/// # Errors
/// None.
pub fn end_former(case: &Case, appointed: Uuid) -> Decision {
    match case.appearance.filter(|former| former.representation != appointed) {
        Some(former) => end_representation(case, former.representation, "ended"),
        None => Ok(Vec::new()),
    }
}

/// The representation ended: nobody acts for the party any more, and no due date moves (8 CFR 292.4(a); lifecycle 41).
///
/// # Errors
/// None.
pub fn end_representation(case: &Case, representation: Uuid, ended_by: &str) -> Decision {
    let standing = case.appearance.filter(|appearance| appearance.representation == representation);
    // Nothing follows a rejection or the voiding of an acceptance (lifecycle 5), and nobody acts in the case from then on.
    let Some(appearance) = standing.filter(|_| !case.is_over_unfiled()) else { return Ok(Vec::new()) };
    Ok(vec![
        pb::CaseRepresentationEnded {
            representation_id: representation.to_string(),
            representative: appearance.representative.to_string(),
            cause: ended_by.to_owned(),
            deadline: case.open_request().map(|request| (&request.deadline).into()),
            appointment: case.appointment().map(Into::into),
        }
        .into(),
    ])
}
