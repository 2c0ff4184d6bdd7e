//! A person at the other end of the service's gRPC port.

use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::draft_service_client::DraftServiceClient;
use docket_proto::filing::v1::evidence_service_client::EvidenceServiceClient;
use docket_proto::filing::v1::helper_service_client::HelperServiceClient;
use docket_proto::filing::v1::invitation_service_client::InvitationServiceClient;
use docket_proto::filing::v1::representation_service_client::RepresentationServiceClient;
use docket_proto::filing::v1::{download_evidence_response, upload_evidence_request};
use docket_service::testing::with_token;
use futures::future::Either;
use serde_json::Value;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use uuid::Uuid;

use crate::files;
use crate::world::{GLANCE, PATIENCE};

/// What comes in several messages: the header, and all bytes.
pub(crate) async fn header_and_bytes<M, H>(
    mut messages: Streaming<M>,
    part: impl Fn(M) -> Either<H, Vec<u8>>,
) -> Result<(H, Vec<u8>), Status> {
    let (mut header, mut bytes) = (None, Vec::new());
    while let Some(message) = messages.message().await? {
        match part(message) {
            Either::Left(first) => header = Some(first),
            Either::Right(chunk) => bytes.extend(chunk),
        }
    }
    Ok((header.expect("the header comes first"), bytes))
}

/// A person, signed in.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) account: Uuid,
    pub(crate) token: String,
    pub(crate) plain_token: String,
    pub(crate) drafts: DraftServiceClient<Channel>,
    pub(crate) evidence: EvidenceServiceClient<Channel>,
    pub(crate) helpers: HelperServiceClient<Channel>,
    pub(crate) invitations: InvitationServiceClient<Channel>,
    pub(crate) representations: RepresentationServiceClient<Channel>,
}

impl Client {
    /// The same person without a second factor given just now.
    pub(crate) fn without_step_up(&self) -> Self {
        Self { token: self.plain_token.clone(), ..self.clone() }
    }

    pub(crate) async fn start(&self, form: &str) -> Result<pb::Filing, Status> {
        self.start_as(Uuid::now_v7(), form).await
    }

    pub(crate) async fn start_as(&self, request_id: Uuid, form: &str) -> Result<pb::Filing, Status> {
        let (form, again) = (form.into(), String::new());
        self.begin(pb::StartDraftRequest {
            request_id: request_id.to_string(),
            form,
            again,
            ..Default::default()
        })
        .await
    }

    /// Begins a rejected filing again.
    pub(crate) async fn again_as(&self, request_id: Uuid, name: &str) -> Result<pb::Filing, Status> {
        let (form, again) = (String::new(), name.into());
        self.begin(pb::StartDraftRequest {
            request_id: request_id.to_string(),
            form,
            again,
            ..Default::default()
        })
        .await
    }

    pub(crate) async fn begin(&self, request: pb::StartDraftRequest) -> Result<pb::Filing, Status> {
        let answer = self.drafts.clone().start_draft(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().filing.expect("a filing"))
    }

    pub(crate) async fn answer(&self, name: &str, answers: &Value) -> Result<pb::Filing, Status> {
        self.answer_as(Uuid::now_v7(), name, answers, 0).await
    }

    pub(crate) async fn answer_as(
        &self,
        request_id: Uuid,
        name: &str,
        answers: &Value,
        etag: u64,
    ) -> Result<pb::Filing, Status> {
        let request = pb::AnswerDraftRequest {
            request_id: request_id.to_string(),
            name: name.into(),
            answers_json: answers.to_string(),
            etag,
            ..Default::default()
        };
        self.send_answers(request).await
    }

    pub(crate) async fn answer_text(&self, name: &str, answers_json: &str) -> Result<pb::Filing, Status> {
        let request_id = Uuid::now_v7().to_string();
        let (name, answers_json) = (name.into(), answers_json.into());
        self.send_answers(pb::AnswerDraftRequest { request_id, name, answers_json, ..Default::default() })
            .await
    }

    async fn send_answers(&self, request: pb::AnswerDraftRequest) -> Result<pb::Filing, Status> {
        let answer = self.drafts.clone().answer_draft(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().filing.expect("a filing"))
    }

    /// Asks for a waiver of the fee with these answers to Form I-912; without any, no longer.
    pub(crate) async fn ask_fee_waiver(&self, name: &str, answers_json: &str) -> Result<pb::Filing, Status> {
        self.ask_fee_waiver_from(0, name, answers_json).await
    }

    /// The same, by who saw the filing at a version.
    pub(crate) async fn ask_fee_waiver_from(
        &self,
        etag: u64,
        name: &str,
        answers_json: &str,
    ) -> Result<pb::Filing, Status> {
        let request_id = Uuid::now_v7().to_string();
        let (name, answers_json) = (name.into(), answers_json.into());
        let request = pb::AskFeeWaiverRequest { request_id, name, answers_json, etag, ..Default::default() };
        let answer = self.drafts.clone().ask_fee_waiver(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().filing.expect("a filing"))
    }

    pub(crate) async fn get(&self, name: &str) -> Result<pb::Filing, Status> {
        self.get_in(name, "").await
    }

    /// A filing as it reads in a language.
    pub(crate) async fn get_in(&self, name: &str, language: &str) -> Result<pb::Filing, Status> {
        let request = pb::GetFilingRequest { name: name.into(), language: language.into() };
        let answer = self.drafts.clone().get_filing(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().filing.expect("a filing"))
    }

    pub(crate) async fn list(&self) -> Vec<pb::Filing> {
        self.list_in("").await
    }

    pub(crate) async fn list_in(&self, language: &str) -> Vec<pb::Filing> {
        let request = pb::ListFilingsRequest { language: language.into(), ..Default::default() };
        let request = with_token(request, &self.token);
        self.drafts.clone().list_filings(request).await.expect("a list").into_inner().filings
    }

    pub(crate) async fn quote(&self, name: &str) -> Result<pb::QuoteFeeResponse, Status> {
        self.quote_in(name, "").await
    }

    pub(crate) async fn quote_in(&self, name: &str, language: &str) -> Result<pb::QuoteFeeResponse, Status> {
        let request = pb::QuoteFeeRequest {
            request_id: Uuid::now_v7().to_string(),
            name: name.into(),
            language: language.into(),
        };
        Ok(self.drafts.clone().quote_fee(with_token(request, &self.token)).await?.into_inner())
    }

    pub(crate) async fn review(&self, name: &str) -> Result<pb::ReviewFilingResponse, Status> {
        let request = pb::ReviewFilingRequest { name: name.into() };
        Ok(self.drafts.clone().review_filing(with_token(request, &self.token)).await?.into_inner())
    }

    pub(crate) async fn sign(
        &self,
        name: &str,
        content_hash: &[u8],
        typed_name: &str,
    ) -> Result<pb::Filing, Status> {
        self.sign_for(name, content_hash, typed_name, "").await
    }

    /// Signs in a capacity.
    pub(crate) async fn sign_for(
        &self,
        name: &str,
        content_hash: &[u8],
        typed_name: &str,
        capacity: &str,
    ) -> Result<pb::Filing, Status> {
        let request = pb::SignFilingRequest {
            request_id: Uuid::now_v7().to_string(),
            name: name.into(),
            content_hash: content_hash.to_vec(),
            typed_name: typed_name.into(),
            capacity: capacity.into(),
            ..Default::default()
        };
        let answer = self.drafts.clone().sign_filing(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().filing.expect("a filing"))
    }

    /// Reviews and signs as Ana Lúcia Lima.
    pub(crate) async fn sign_now(&self, name: &str) {
        let review = self.review(name).await.expect("it is ready");
        let signed = self.sign(name, &review.content_hash, "Ana Lucia Lima").await.expect("it is signed");
        assert_eq!(signed.state, "signed");
    }

    pub(crate) async fn submit(&self, name: &str) -> Result<pb::SubmitFilingResponse, Status> {
        self.submit_as(Uuid::now_v7(), name).await
    }

    pub(crate) async fn submit_as(
        &self,
        request_id: Uuid,
        name: &str,
    ) -> Result<pb::SubmitFilingResponse, Status> {
        let request = pb::SubmitFilingRequest { request_id: request_id.to_string(), name: name.into() };
        Ok(self.drafts.clone().submit_filing(with_token(request, &self.token)).await?.into_inner())
    }

    /// Answers everything and attaches the card.
    pub(crate) async fn make_ready(&self, name: &str) {
        self.answer(name, &crate::answers::ready()).await.expect("the answers are saved");
        self.upload(name, "green_card", "card.png", &files::picture(1)).await.expect("the card is taken");
        assert!(self.get(name).await.expect("the filing").ready);
    }

    /// A filing that was sent, and its payment.
    pub(crate) async fn sent(&self) -> (String, String) {
        let draft = self.start("N-400").await.expect("a draft").name;
        self.make_ready(&draft).await;
        self.quote(&draft).await.expect("a fee");
        self.sign_now(&draft).await;
        let payment = self.submit(&draft).await.expect("it is sent").payment;
        (draft, payment)
    }

    pub(crate) async fn upload(
        &self,
        parent: &str,
        kind: &str,
        file_name: &str,
        bytes: &[u8],
    ) -> Result<pb::Evidence, Status> {
        self.upload_as(Uuid::now_v7(), parent, kind, file_name, bytes).await
    }

    pub(crate) async fn upload_as(
        &self,
        request_id: Uuid,
        parent: &str,
        kind: &str,
        file_name: &str,
        bytes: &[u8],
    ) -> Result<pb::Evidence, Status> {
        let header = pb::UploadHeader {
            request_id: request_id.to_string(),
            parent: parent.into(),
            kind: kind.into(),
            file_name: file_name.into(),
            foreign_language: false,
        };
        self.upload_with(header, bytes).await
    }

    pub(crate) async fn upload_with(
        &self,
        header: pb::UploadHeader,
        bytes: &[u8],
    ) -> Result<pb::Evidence, Status> {
        use upload_evidence_request::Part;
        let chunks = bytes.chunks(256 * 1024).map(|chunk| Part::Chunk(chunk.to_vec()));
        let parts: Vec<_> = std::iter::once(Part::Header(header))
            .chain(chunks)
            .map(|part| pb::UploadEvidenceRequest { part: Some(part) })
            .collect();
        let request = with_token(futures::stream::iter(parts), &self.token);
        let answer = self.evidence.clone().upload_evidence(request).await?;
        Ok(answer.into_inner().evidence.expect("evidence"))
    }

    pub(crate) async fn download(&self, name: &str) -> Result<(pb::Evidence, Vec<u8>), Status> {
        use download_evidence_response::Part;
        let request = pb::DownloadEvidenceRequest { name: name.into() };
        let parts =
            self.evidence.clone().download_evidence(with_token(request, &self.token)).await?.into_inner();
        header_and_bytes(parts, |message| match message.part.expect("a part") {
            Part::Evidence(evidence) => Either::Left(evidence),
            Part::Chunk(chunk) => Either::Right(chunk),
        })
        .await
    }

    pub(crate) async fn remove(&self, name: &str) -> Result<(), Status> {
        let request = pb::RemoveEvidenceRequest { request_id: Uuid::now_v7().to_string(), name: name.into() };
        self.evidence.clone().remove_evidence(with_token(request, &self.token)).await.map(drop)
    }

    pub(crate) async fn explain(&self, name: &str, kind: &str, words: &str) -> Result<pb::Filing, Status> {
        Ok(self.explain_in(name, kind, words).await?.filing.expect("a filing"))
    }

    /// Says of an item of a request why it cannot be provided.
    pub(crate) async fn explain_item(
        &self,
        name: &str,
        item: &str,
        words: &str,
    ) -> Result<pb::Response, Status> {
        Ok(self.explain_in(name, item, words).await?.response.expect("a response"))
    }

    async fn explain_in(
        &self,
        name: &str,
        kind: &str,
        words: &str,
    ) -> Result<pb::ExplainMissingEvidenceResponse, Status> {
        let request = pb::ExplainMissingEvidenceRequest {
            request_id: Uuid::now_v7().to_string(),
            name: name.into(),
            kind: kind.into(),
            explanation: words.into(),
            ..Default::default()
        };
        let request = with_token(request, &self.token);
        Ok(self.evidence.clone().explain_missing_evidence(request).await?.into_inner())
    }

    /// The answers that went in in a case.
    pub(crate) async fn case_responses(&self, filing: &str) -> Result<Vec<pb::Response>, Status> {
        let request = pb::ListCaseResponsesRequest { case: filing.replace("filings/", "cases/") };
        let answer = self.evidence.clone().list_case_responses(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().responses)
    }

    pub(crate) async fn responses(&self) -> Vec<pb::Response> {
        let request = with_token(pb::ListResponsesRequest::default(), &self.token);
        self.evidence.clone().list_responses(request).await.expect("a list").into_inner().responses
    }

    pub(crate) async fn respond(&self, name: &str, partial_confirmed: bool) -> Result<pb::Response, Status> {
        self.respond_as(Uuid::now_v7(), name, partial_confirmed).await
    }

    pub(crate) async fn respond_as(
        &self,
        request_id: Uuid,
        name: &str,
        partial_confirmed: bool,
    ) -> Result<pb::Response, Status> {
        let request_id = request_id.to_string();
        let request = pb::SubmitResponseRequest { request_id, name: name.into(), partial_confirmed };
        let answer = self.evidence.clone().submit_response(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().response.expect("a response"))
    }

    /// The filing, once it can be seen and is in a state.
    pub(crate) async fn until(&self, name: &str, state: &str) -> pb::Filing {
        let reached = async {
            loop {
                match self.get(name).await {
                    Ok(filing) if filing.state == state => return filing,
                    Ok(_) => {}
                    Err(status) => assert_eq!(status.code(), Code::NotFound, "{status}"),
                }
                sleep(GLANCE).await;
            }
        };
        timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("{name} does not become {state}"))
    }

    /// The filing, once none of its files is being checked.
    pub(crate) async fn until_scanned(&self, name: &str) -> pb::Filing {
        let scanned = async {
            loop {
                let filing = self.get(name).await.expect("the filing");
                if !filing.evidence.iter().any(|file| file.being_checked) {
                    return filing;
                }
                sleep(GLANCE).await;
            }
        };
        timeout(PATIENCE, scanned).await.unwrap_or_else(|_| panic!("a file of {name} is still being checked"))
    }

    /// Waits until the filing cannot be seen any more.
    pub(crate) async fn until_gone(&self, name: &str) {
        let gone = async {
            while self.get(name).await.is_ok() {
                sleep(GLANCE).await;
            }
        };
        timeout(PATIENCE, gone).await.unwrap_or_else(|_| panic!("{name} can still be seen"));
    }

    /// The response to a request, once it is open.
    pub(crate) async fn until_response(&self, request: Uuid) -> pb::Response {
        self.until_response_is(request, |_| true).await
    }

    /// The response to a request, once it is as `wanted`.
    pub(crate) async fn until_response_is(
        &self,
        request: Uuid,
        wanted: impl Fn(&pb::Response) -> bool,
    ) -> pb::Response {
        let name = format!("responses/{request}");
        let open = async {
            loop {
                let found = self.responses().await.into_iter().find(|one| one.name == name && wanted(one));
                if let Some(response) = found {
                    return response;
                }
                sleep(GLANCE).await;
            }
        };
        timeout(PATIENCE, open).await.unwrap_or_else(|_| panic!("the response to {request} is not as wanted"))
    }
}
