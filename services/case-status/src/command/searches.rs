//! The searches of a case for whom a mail about a notice did not reach, with what officers noted: opened here, for officers of the case.

use docket_eventlog::{EventLog, Recorded};
use docket_kernel::resource;
use docket_proto::case_status::v1::list_searches_response::Search;
use docket_service::ApiError;

use crate::domain::{Case, Event};

/// The kind of the event that has an officer's note.
const SOUGHT: &str = "case.addressee_sought.v1";

/// The searches of a case, oldest first, from its state and its events.
///
/// # Errors
/// The keys cannot be reached; an event that cannot be read.
pub(super) async fn of(log: &EventLog, case: &Case, events: &[Recorded]) -> Result<Vec<Search>, ApiError> {
    let mut found: Vec<(String, Search)> = case.searches.iter().map(shown).collect();
    for recorded in events.iter().filter(|recorded| recorded.kind == SOUGHT) {
        let event: Event = log.open_event(recorded).await?;
        note(&mut found, event, recorded.recorded_at.as_microsecond());
    }
    Ok(found.into_iter().map(|(_, search)| search).collect())
}

/// A search, with the account that is looked for.
fn shown(search: &crate::domain::Search) -> (String, Search) {
    let shown = Search {
        notice: resource::name("notices", search.notice),
        notice_kind: search.notice_kind.clone(),
        addressee: search.addressee.clone(),
        state: search.state.as_str().to_owned(),
        tried: search.tried.clone(),
        ..Search::default()
    };
    (search.account.to_string(), shown)
}

/// Puts a note where it belongs: there is one search for each notice and addressee.
fn note(found: &mut [(String, Search)], event: Event, at_us: i64) {
    let Event::AddresseeSought(sought) = event else { return };
    let notice = resource::name("notices", sought.notice_id.parse().unwrap_or_default());
    let of_it =
        |(account, search): &&mut (String, Search)| *account == sought.account_id && search.notice == notice;
    if let Some((_, search)) = found.iter_mut().find(of_it) {
        search.note = sought.note;
        search.officer = resource::name("accounts", sought.officer.parse().unwrap_or_default());
        search.noted_at_us = at_us;
    }
}

#[cfg(test)]
mod unit {
    use docket_proto::case_status::events::v1 as events;
    use uuid::Uuid;

    use super::*;
    use crate::domain::samples::{ADA, APPLICANT, accepted};

    #[test]
    fn a_note_stands_with_the_search_it_is_about_and_no_other() {
        let (notice, other) = (Uuid::from_u128(9), Uuid::from_u128(10));
        let missing = |notice: Uuid| events::AddresseeNotReached {
            notice_id: notice.to_string(),
            account_id: APPLICANT.to_string(),
            addressee: "party".into(),
            ..Default::default()
        };
        let sought = events::AddresseeSought {
            notice_id: notice.to_string(),
            account_id: APPLICANT.to_string(),
            officer: ADA.to_string(),
            tried: vec!["phone".into()],
            note: "A neighbor says that they moved.".into(),
            ..Default::default()
        };
        let case = accepted().and(missing(other)).and(missing(notice)).and(sought.clone()).0;
        let mut found: Vec<_> = case.searches.iter().map(shown).collect();
        note(&mut found, sought.into(), 5);
        let seen =
            |nth: usize| (found[nth].1.state.as_str(), found[nth].1.note.as_str(), found[nth].1.noted_at_us);
        assert_eq!([seen(0), seen(1)], [("open", "", 0), ("sought", "A neighbor says that they moved.", 5)]);
        assert_eq!(found[1].1.officer, format!("accounts/{ADA}"));
        assert_eq!(found[1].1.tried, ["phone"]);
    }
}
