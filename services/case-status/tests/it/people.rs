//! People of the tests: an account with a token and the roles it holds.

use docket_proto::case_status::v1 as pb;
use docket_proto::case_status::v1::case_command_service_client::CaseCommandServiceClient;
use docket_proto::case_status::v1::case_office_service_client::CaseOfficeServiceClient;
use docket_proto::case_status::v1::status_service_client::StatusServiceClient;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

/// Somebody who calls.
#[derive(Clone)]
pub(crate) struct Someone {
    pub(crate) account: Uuid,
    pub(crate) token: String,
    pub(crate) cases: CaseCommandServiceClient<Channel>,
    pub(crate) office: CaseOfficeServiceClient<Channel>,
    pub(crate) status: StatusServiceClient<Channel>,
}

impl Someone {
    /// A request with the token.
    pub(crate) fn ask<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        if !self.token.is_empty() {
            let bearer = MetadataValue::try_from(format!("Bearer {}", self.token)).unwrap();
            request.metadata_mut().insert("authorization", bearer);
        }
        request
    }

    /// The case as this person sees it, at a version or later.
    pub(crate) async fn case(&self, name: &str, min_version: u64) -> Result<pb::Case, Status> {
        let message = pb::GetCaseRequest { name: name.into(), language: String::new(), min_version };
        Ok(self.status.clone().get_case(self.ask(message)).await?.into_inner().case.unwrap())
    }

    /// Kinds on the timeline, without `case.` and version.
    pub(crate) async fn lines(&self, name: &str, as_of_us: i64) -> Result<Vec<String>, Status> {
        let message = pb::ListTimelineRequest { name: name.into(), language: String::new(), as_of_us };
        let entries = self.status.clone().list_timeline(self.ask(message)).await?.into_inner().entries;
        Ok(entries.iter().map(|entry| entry.kind.split('.').nth(1).unwrap().to_owned()).collect())
    }

    /// Tasks of a queue, and the total.
    pub(crate) async fn queue(&self, queue: &str) -> Result<(Vec<String>, u64), Status> {
        let answer = self.worklist(queue).await?;
        Ok((answer.items.iter().map(|item| item.task.clone()).collect(), answer.total))
    }

    /// A queue.
    pub(crate) async fn worklist(&self, queue: &str) -> Result<pb::ListWorklistResponse, Status> {
        let message = pb::ListWorklistRequest { queue: queue.into(), ..Default::default() };
        Ok(self.status.clone().list_worklist(self.ask(message)).await?.into_inner())
    }

    /// Names of the cases in the list.
    pub(crate) async fn listed(&self) -> Vec<String> {
        let message = pb::ListCasesRequest::default();
        let answer = self.status.clone().list_cases(self.ask(message)).await.unwrap().into_inner();
        answer.cases.into_iter().map(|case| case.name).collect()
    }
}

/// A new command id.
pub(crate) fn id() -> String {
    Uuid::new_v4().to_string()
}

/// The reason of a refusal.
pub(crate) fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// Sends a command: `command!(person, start_review, StartReviewRequest { name: case })`; the id is new.
macro_rules! command {
    ($person:expr, $rpc:ident, $message:ident { $($field:ident : $value:expr),* $(,)? }) => {{
        #[allow(clippy::needless_update, reason = "some messages have no other field")]
        let message = docket_proto::case_status::v1::$message {
            request_id: $crate::people::id(), $($field: $value,)* ..Default::default()
        };
        let person = &$person;
        person.cases.clone().$rpc(person.ask(message)).await.map(tonic::Response::into_inner)
    }};
}

/// [`command!`] for what the office does of its own accord.
macro_rules! of_own_accord {
    ($person:expr, $rpc:ident, $message:ident { $($field:ident : $value:expr),* $(,)? }) => {{
        #[allow(clippy::needless_update, reason = "some messages have no other field")]
        let message = docket_proto::case_status::v1::$message {
            request_id: $crate::people::id(), $($field: $value,)* ..Default::default()
        };
        let person = &$person;
        person.office.clone().$rpc(person.ask(message)).await.map(tonic::Response::into_inner)
    }};
}
pub(crate) use {command, of_own_accord};
