//! The others as notifications meets them: identity's directory, the owner of the log of cases, filing with whom it asks to sign.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use docket_eventlog::{EventLog, Recorded, StreamName};
use docket_proto::case_status::v1 as cases;
use docket_proto::case_status::v1::case_words_service_server::CaseWordsService;
use docket_proto::events::case::Event;
use docket_proto::filing::v1 as filing;
use docket_proto::filing::v1::helper_service_server::HelperService;
use docket_proto::identity::v1 as identity;
use docket_proto::identity::v1::directory_service_server::DirectoryService;
use docket_proto::log::v1 as feed;
use docket_proto::log::v1::event_feed_service_server::EventFeedService;
use docket_service::ApiError;
use futures::Stream;
use tokio::sync::{Notify, Semaphore};
use tonic::{Request, Response, Status};

/// Contacts by account; an account that is not there is answered as "away". The others were erased.
#[derive(Clone, Default)]
pub(crate) struct Directory(
    pub(crate) Arc<Mutex<HashMap<String, identity::GetContactResponse>>>,
    Arc<Mutex<HashSet<String>>>,
    /// Who has another e-mail address as soon as somebody asked for the one of now.
    Arc<Mutex<HashMap<String, String>>>,
    /// Cases about which nobody is answered for now.
    Arc<Mutex<HashMap<String, Held>>>,
);

/// A case about which nobody is answered: that somebody asked, and that they are answered again.
#[derive(Clone)]
struct Held {
    asked: Arc<Notify>,
    answered: Arc<Semaphore>,
}

impl Directory {
    pub(crate) fn set(&self, account: &str, contact: identity::GetContactResponse) {
        self.0.lock().unwrap().insert(account.to_owned(), contact);
    }

    pub(crate) fn moves_when_asked(&self, account: &str, email: &str) {
        self.2.lock().unwrap().insert(account.to_owned(), email.to_owned());
    }

    /// Whoever asks about a case waits; told when somebody did.
    pub(crate) fn holds(&self, case: &str) -> Arc<Notify> {
        let held = Held { asked: Arc::default(), answered: Arc::new(Semaphore::new(0)) };
        let asked = Arc::clone(&held.asked);
        self.3.lock().unwrap().insert(case.to_owned(), held);
        asked
    }

    /// Whoever waits is answered.
    pub(crate) fn lets_go(&self, case: &str) {
        if let Some(held) = self.3.lock().unwrap().remove(case) {
            held.answered.close();
        }
    }

    pub(crate) fn erase(&self, account: &str) {
        self.1.lock().unwrap().insert(account.to_owned());
    }
}

#[tonic::async_trait]
impl DirectoryService for Directory {
    async fn get_contact(
        &self,
        request: Request<identity::GetContactRequest>,
    ) -> Result<Response<identity::GetContactResponse>, Status> {
        if self.1.lock().unwrap().contains(&request.get_ref().account_id) {
            return Err(ApiError::Erased.into());
        }
        let asked = request.get_ref();
        let held = self.3.lock().unwrap().get(&asked.case_id).cloned();
        if let Some(held) = held {
            held.asked.notify_one();
            // Closed when it is let go.
            drop(held.answered.acquire().await);
        }
        // What a test sets for a case is answered about that case alone.
        let mut contacts = self.0.lock().unwrap();
        let contact = contacts.get(&asked.case_id).or_else(|| contacts.get(&asked.account_id)).cloned();
        let moved =
            if asked.case_id.is_empty() { self.2.lock().unwrap().remove(&asked.account_id) } else { None };
        if let (Some(email), Some(known)) = (moved, contacts.get_mut(&asked.account_id)) {
            known.email = email;
        }
        contact.map(Response::new).ok_or_else(|| Status::unavailable("not now"))
    }

    async fn record_address(
        &self,
        _: Request<identity::RecordAddressRequest>,
    ) -> Result<Response<identity::RecordAddressResponse>, Status> {
        Err(Status::permission_denied("only filing records addresses"))
    }
}

/// Address and code of who is asked to sign, by filing or package, none where filing is "away"; nobody waits for others.
#[derive(Clone, Default)]
pub(crate) struct Invitations(pub(crate) Arc<Mutex<HashMap<String, Invited>>>);
type Invited = Option<(String, String)>;

#[tonic::async_trait]
impl HelperService for Invitations {
    async fn open_invitation(
        &self,
        request: Request<filing::OpenInvitationRequest>,
    ) -> Result<Response<filing::OpenInvitationResponse>, Status> {
        let asked = request.get_ref();
        let of = if asked.package.is_empty() { &asked.filing } else { &asked.package };
        let waits = self.0.lock().unwrap().get(of).cloned();
        let (mail_to, code) =
            waits.unwrap_or_else(|| Some(<_>::default())).ok_or_else(|| Status::unavailable("not now"))?;
        Ok(Response::new(filing::OpenInvitationResponse { mail_to, code }))
    }

    async fn ask_helper(
        &self,
        _: Request<filing::AskHelperRequest>,
    ) -> Result<Response<filing::AskHelperResponse>, Status> {
        Err(Status::permission_denied("only people ask"))
    }

    async fn withdraw_helper(
        &self,
        _: Request<filing::WithdrawHelperRequest>,
    ) -> Result<Response<filing::WithdrawHelperResponse>, Status> {
        Err(Status::permission_denied("only people take it back"))
    }

    async fn review_as_helper(
        &self,
        _: Request<filing::ReviewAsHelperRequest>,
    ) -> Result<Response<filing::ReviewAsHelperResponse>, Status> {
        Err(Status::permission_denied("only people read"))
    }

    async fn sign_as_helper(
        &self,
        _: Request<filing::SignAsHelperRequest>,
    ) -> Result<Response<filing::SignAsHelperResponse>, Status> {
        Err(Status::permission_denied("only people sign"))
    }
}

/// The words in the log of cases, as its owner opens them.
pub(crate) struct Words(pub(crate) EventLog);

#[tonic::async_trait]
impl CaseWordsService for Words {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other events print no words")]
    async fn get_words(
        &self,
        request: Request<cases::GetWordsRequest>,
    ) -> Result<Response<cases::GetWordsResponse>, Status> {
        let asked = request.into_inner();
        let stream = StreamName::of("case", asked.case.trim_start_matches("cases/").parse().unwrap());
        let events = self.0.read_stream(&stream, 1).await.unwrap();
        let recorded = events.iter().find(|event| event.event_id.to_string() == asked.event_id).unwrap();
        let mut answer = cases::GetWordsResponse::default();
        match self.0.open_event::<Event>(recorded).await.unwrap() {
            Event::ExaminationContinued(event) => answer.words = event.explanation,
            Event::DenialIntended(event) => {
                answer.words = event.grounds;
                answer.derogatory_information = event.derogatory_information;
            }
            Event::CaseDenied(event) => answer.words = event.reasons,
            Event::NameCorrected(event) => answer.words = event.corrected_name,
            other => panic!("no test prints the words of {other:?}"),
        }
        Ok(Response::new(answer))
    }
}

/// The log of cases as its owner gives it, for what the broker does not send again.
pub(crate) struct Feed(pub(crate) EventLog);

#[tonic::async_trait]
impl EventFeedService for Feed {
    type ReadEventsStream =
        Pin<Box<dyn Stream<Item = Result<feed::ReadEventsResponse, Status>> + Send + 'static>>;

    async fn read_events(
        &self,
        request: Request<feed::ReadEventsRequest>,
    ) -> Result<Response<Self::ReadEventsStream>, Status> {
        let asked = request.into_inner();
        let limit = if asked.limit == 0 { 1_000 } else { asked.limit };
        let limit = limit.try_into().unwrap();
        let events = self.0.read(asked.after_position, limit).await.unwrap();
        let batch = feed::ReadEventsResponse { events: events.iter().map(Recorded::to_message).collect() };
        Ok(Response::new(Box::pin(futures::stream::once(async { Ok(batch) }))))
    }

    async fn get_head(
        &self,
        _: Request<feed::GetHeadRequest>,
    ) -> Result<Response<feed::GetHeadResponse>, Status> {
        let head = self.0.head().await.unwrap();
        let epochs = Vec::new();
        Ok(Response::new(feed::GetHeadResponse { position: head.position, epoch: head.epoch.number, epochs }))
    }
}
