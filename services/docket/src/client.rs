//! A person's way to the public gRPC APIs: channels, tokens, errors in plain words, patience with what is down.
use crate::address::Addresses;
use anyhow::{Context, Result};
use docket_proto::{case_status, filing, identity, log, notifications, payments};
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status, Streaming};
use tonic_types::StatusExt;
use uuid::Uuid;

/// How long a call goes on trying while a service is away.
const PATIENCE: Duration = Duration::from_mins(1);
const DEADLINE: Duration = Duration::from_secs(20);

pub use case_status::v1::case_command_service_client::CaseCommandServiceClient;
pub use case_status::v1::case_office_service_client::CaseOfficeServiceClient;
pub use case_status::v1::status_service_client::StatusServiceClient;
pub use filing::v1::catalogue_service_client::CatalogueServiceClient;
pub use filing::v1::draft_service_client::DraftServiceClient;
pub use filing::v1::evidence_service_client::EvidenceServiceClient;
pub use filing::v1::helper_service_client::HelperServiceClient;
pub use filing::v1::invitation_service_client::InvitationServiceClient;
pub use filing::v1::representation_service_client::RepresentationServiceClient;
pub use filing::v1::upload_service_client::UploadServiceClient;
pub use identity::v1::account_service_client::AccountServiceClient;
pub use identity::v1::erasure_service_client::ErasureServiceClient;
pub use identity::v1::person_service_client::PersonServiceClient;
pub use identity::v1::role_service_client::RoleServiceClient;
pub use identity::v1::session_service_client::SessionServiceClient;
pub use log::v1::log_admin_service_client::LogAdminServiceClient;
pub use log::v1::subject_admin_service_client::SubjectAdminServiceClient;
pub use notifications::v1::inbox_service_client::InboxServiceClient;
pub use notifications::v1::texting_service_client::TextingServiceClient;
pub use payments::v1::payment_service_client::PaymentServiceClient;

/// Channels to every service; they connect when first used and again when a connection is lost.
#[derive(Clone, Debug)]
pub struct Connection {
    identity: Channel,
    filing: Channel,
    payments: Channel,
    cases: Channel,
    status: Channel,
    notifications: Channel,
    reader: Reader,
}

/// A channel whose calls say in which language the caller reads.
pub type Line = InterceptedService<Channel, Reader>;

/// Who reads the answers, by `accept-language`; English where no language is named.
#[derive(Clone, Debug, Default)]
pub struct Reader(Option<MetadataValue<Ascii>>);

impl Interceptor for Reader {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(language) = &self.0 {
            request.metadata_mut().insert("accept-language", language.clone());
        }
        Ok(request)
    }
}

impl Connection {
    /// Prepares the channels.
    pub fn new(addresses: &Addresses) -> Result<Self> {
        let ca = Certificate::from_pem(
            std::fs::read(&addresses.ca_file).context("read the authority's certificate")?,
        );
        let channel = |name: &str| -> Result<Channel> {
            let tls = ClientTlsConfig::new().ca_certificate(ca.clone()).domain_name("localhost");
            let endpoint = Endpoint::from_shared(addresses.service(name)?.to_owned())?;
            Ok(endpoint.tls_config(tls)?.connect_timeout(Duration::from_secs(5)).connect_lazy())
        };
        Ok(Self {
            identity: channel("identity")?,
            filing: channel("filing")?,
            payments: channel("payments")?,
            cases: channel("case-status")?,
            status: channel("status-projection")?,
            notifications: channel("notifications")?,
            reader: Reader::default(),
        })
    }

    /// The same, for somebody who reads a language such as `es`.
    #[must_use]
    pub fn reading(self, language: &str) -> Self {
        Self { reader: Reader(language.parse().ok()), ..self }
    }

    /// The services by name.
    pub fn services(&self) -> impl Iterator<Item = &'static str> {
        self.named().into_iter().map(|(name, _)| name)
    }

    fn named(&self) -> [(&'static str, &Channel); 6] {
        [
            ("identity", &self.identity),
            ("filing", &self.filing),
            ("payments", &self.payments),
            ("case-status", &self.cases),
            ("status-projection", &self.status),
            ("notifications", &self.notifications),
        ]
    }

    /// The operator's face of a service.
    pub fn log_admin(&self, service: &str) -> Result<LogAdminServiceClient<Channel>> {
        Ok(LogAdminServiceClient::new(self.channel(service)?))
    }

    /// The operator's face to a service's keys.
    pub fn subject_admin(&self, service: &str) -> Result<SubjectAdminServiceClient<Channel>> {
        Ok(SubjectAdminServiceClient::new(self.channel(service)?))
    }

    /// How far erasures have come.
    pub fn erasures(&self) -> ErasureServiceClient<Channel> {
        ErasureServiceClient::new(self.identity.clone())
    }

    /// Links of people to accounts.
    pub fn persons(&self) -> PersonServiceClient<Line> {
        PersonServiceClient::new(self.line(&self.identity))
    }

    /// Who holds roles of the office.
    pub fn roles(&self) -> RoleServiceClient<Line> {
        RoleServiceClient::new(self.line(&self.identity))
    }

    fn channel(&self, service: &str) -> Result<Channel> {
        let found = self.named().into_iter().find(|(name, _)| *name == service);
        let (_, channel) = found.with_context(|| {
            let names: Vec<_> = self.services().collect();
            format!("there is no service {service}; there are {}", names.join(", "))
        })?;
        Ok(channel.clone())
    }

    fn line(&self, channel: &Channel) -> Line {
        InterceptedService::new(channel.clone(), self.reader.clone())
    }

    pub fn accounts(&self) -> AccountServiceClient<Line> {
        AccountServiceClient::new(self.line(&self.identity))
    }
    pub fn sessions(&self) -> SessionServiceClient<Line> {
        SessionServiceClient::new(self.line(&self.identity))
    }
    pub fn catalogue(&self) -> CatalogueServiceClient<Line> {
        CatalogueServiceClient::new(self.line(&self.filing))
    }
    pub fn drafts(&self) -> DraftServiceClient<Line> {
        DraftServiceClient::new(self.line(&self.filing))
    }
    pub fn evidence(&self) -> EvidenceServiceClient<Line> {
        EvidenceServiceClient::new(self.line(&self.filing))
    }
    pub fn uploads(&self) -> UploadServiceClient<Line> {
        UploadServiceClient::new(self.line(&self.filing))
    }
    pub fn helpers(&self) -> HelperServiceClient<Line> {
        HelperServiceClient::new(self.line(&self.filing))
    }
    pub fn invitations(&self) -> InvitationServiceClient<Line> {
        InvitationServiceClient::new(self.line(&self.filing))
    }
    pub fn representations(&self) -> RepresentationServiceClient<Line> {
        RepresentationServiceClient::new(self.line(&self.filing))
    }
    pub fn payments(&self) -> PaymentServiceClient<Line> {
        PaymentServiceClient::new(self.line(&self.payments))
    }
    pub fn cases(&self) -> CaseCommandServiceClient<Line> {
        CaseCommandServiceClient::new(self.line(&self.cases))
    }
    pub fn office(&self) -> CaseOfficeServiceClient<Line> {
        CaseOfficeServiceClient::new(self.line(&self.cases))
    }
    pub fn status(&self) -> StatusServiceClient<Line> {
        StatusServiceClient::new(self.line(&self.status))
    }
    pub fn inbox(&self) -> InboxServiceClient<Line> {
        InboxServiceClient::new(self.line(&self.notifications))
    }
    pub fn texting(&self) -> TextingServiceClient<Line> {
        TextingServiceClient::new(self.line(&self.notifications))
    }
}

/// A part of an answer that comes in several.
pub enum Part<H> {
    /// What the bytes are.
    Header(H),
    /// Some of them.
    Chunk(Vec<u8>),
}

/// The header and all bytes of an answer in parts; `part` says what a message holds.
///
/// # Errors
/// What the service says instead of a part.
pub async fn header_and_bytes<M, H>(
    mut messages: Streaming<M>,
    part: impl Fn(M) -> Option<Part<H>>,
) -> Result<(Option<H>, Vec<u8>), Status> {
    let (mut header, mut bytes) = (None, Vec::new());
    while let Some(message) = messages.message().await? {
        match part(message) {
            Some(Part::Header(first)) => header = Some(first),
            Some(Part::Chunk(chunk)) => bytes.extend_from_slice(&chunk),
            None => {}
        }
    }
    Ok((header, bytes))
}

/// All bytes of a file that comes in pieces.
pub async fn whole_file(
    messages: Streaming<filing::v1::DownloadEvidenceResponse>,
) -> Result<Vec<u8>, Status> {
    use filing::v1::download_evidence_response::Part as Sent;

    let part = |message: filing::v1::DownloadEvidenceResponse| match message.part? {
        Sent::Evidence(evidence) => Some(Part::Header(evidence)),
        Sent::Chunk(chunk) => Some(Part::Chunk(chunk)),
    };
    Ok(header_and_bytes(messages, part).await?.1)
}

/// The picture of a page that comes in pieces, with its header.
pub async fn whole_page(
    messages: Streaming<filing::v1::ViewEvidenceResponse>,
) -> Result<(Option<filing::v1::PageView>, Vec<u8>), Status> {
    use filing::v1::view_evidence_response::Part as Sent;

    let part = |message: filing::v1::ViewEvidenceResponse| match message.part? {
        Sent::View(view) => Some(Part::Header(view)),
        Sent::Chunk(chunk) => Some(Part::Chunk(chunk)),
    };
    header_and_bytes(messages, part).await
}

/// The PDF of a notice that comes in pieces.
pub async fn whole_notice(
    messages: Streaming<notifications::v1::DownloadNoticeResponse>,
) -> Result<Vec<u8>, Status> {
    use notifications::v1::download_notice_response::Part as Sent;

    let part = |message: notifications::v1::DownloadNoticeResponse| match message.part? {
        Sent::Notice(notice) => Some(Part::Header(notice)),
        Sent::Chunk(chunk) => Some(Part::Chunk(chunk)),
    };
    Ok(header_and_bytes(messages, part).await?.1)
}

/// A request with a deadline, a trace of its own (W3C `traceparent`) and, for a person, a token.
pub fn request<T>(token: Option<&str>, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    let (trace, span) = (Uuid::new_v4().simple().to_string(), Uuid::new_v4().simple().to_string());
    if let Ok(value) = format!("00-{trace}-{}-01", &span[..16]).parse() {
        request.metadata_mut().insert("traceparent", value);
    }
    if let Some(value) = token.and_then(|token| format!("Bearer {token}").parse().ok()) {
        request.metadata_mut().insert("authorization", value);
    }
    request
}

/// Calls until it is answered; only what may be repeated safely belongs in here (a command id makes it so).
pub async fn patiently<T, F>(mut call: impl FnMut() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<T, Status>>,
{
    let begun = Instant::now();
    let mut pause = Duration::from_millis(50);
    loop {
        match call().await {
            Err(status) if passing(&status) && begun.elapsed() < PATIENCE => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
            answer => return answer,
        }
    }
}

/// Whether trying again may help. What is refused for a reason, as somebody who guessed too often is, does not pass in a minute.
pub fn passing(status: &Status) -> bool {
    let (code, details) = (status.code(), status.get_error_details());
    // A lost race may be won the next time; what somebody else answered meanwhile stays answered.
    let lost = code == Code::Aborted && reason(status) != "ANSWERED_MEANWHILE";
    lost || matches!(code, Code::Unavailable | Code::DeadlineExceeded)
        || (details.error_info().is_none()
            && (matches!(code, Code::Unknown | Code::Internal | Code::Cancelled)
                || (code == Code::ResourceExhausted && details.retry_info().is_some())))
}

/// The reason of a refusal, for example `ALREADY_SUBMITTED`; else the name of the gRPC code.
pub fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details.error_info().map_or_else(|| code_name(status.code()).to_owned(), |info| info.reason.clone())
}

/// What a refusal says beside its reason; empty where it does not.
pub fn fact(status: &Status, name: &str) -> String {
    let details = status.get_error_details();
    details.error_info().and_then(|info| info.metadata.get(name).cloned()).unwrap_or_default()
}

/// The name of a code as the protocol writes it.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// A refusal as people should read it, in their language where the service said it so: what is wrong, where, and the way out.
pub fn plainly(status: &Status) -> String {
    let details = status.get_error_details();
    let spoken = details.localized_message();
    let mut text = spoken.map_or(status.message(), |spoken| &spoken.message).to_owned();
    for fault in details.bad_request().iter().flat_map(|bad| &bad.field_violations) {
        let words = fault.localized_message.as_ref().map_or(&fault.description, |spoken| &spoken.message);
        let _ = write!(text, "\n{}: {words}", fault.field);
    }
    let way_out = if spoken.is_some_and(|spoken| spoken.locale == "es") { "qué hacer" } else { "way out" };
    for link in details.help().iter().flat_map(|help| &help.links) {
        let _ = write!(text, "\n{way_out}: {}", link.description);
    }
    if text.is_empty() { format!("{:?}", status.code()) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::ErrorDetails;

    #[test]
    fn who_is_busy_is_asked_again_and_who_refuses_for_a_reason_is_not() {
        let mut details = ErrorDetails::with_retry_info(Some(Duration::from_secs(1)));
        let busy = Status::with_error_details(Code::ResourceExhausted, "The log is busy.", details.clone());
        assert!(passing(&busy));
        details.set_error_info("TOO_MANY_TRIES", "identity.docket", []);
        assert!(!passing(&Status::with_error_details(Code::ResourceExhausted, "Too many tries.", details)));
        assert!(!passing(&Status::resource_exhausted("a message that is too large")));
        assert!(passing(&Status::unavailable("away")) && passing(&Status::internal("cut off")));
        let lost = |reason: &str| {
            let details = ErrorDetails::with_error_info(reason, "filing.docket", []);
            Status::with_error_details(Code::Aborted, "Somebody else wrote.", details)
        };
        assert!(passing(&lost("STALE")) && !passing(&lost("ANSWERED_MEANWHILE")));
    }
}
