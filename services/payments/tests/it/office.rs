//! Filing as payments meets it: it says which filings can go in no more as they were sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::package_service_server::PackageService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// What it says.
#[derive(Default)]
pub(crate) struct Said {
    /// What was overtaken, by filing.
    overtaken: BTreeMap<String, pb::OvertakenFiling>,
    /// Whether it answers at all.
    away: bool,
    /// As of when it was asked last, and about what.
    asked: Option<pb::CheckPackageRequest>,
}

/// The service.
#[derive(Clone, Default)]
pub(crate) struct Office(Arc<Mutex<Said>>);

impl Office {
    fn said(&self) -> std::sync::MutexGuard<'_, Said> {
        self.0.lock().expect("no test panics while holding it")
    }

    /// From here on a filing of an account can go in no more, for this.
    pub(crate) fn overtake(&self, filing: Uuid, account: Uuid, form: &str, words: &[&str]) {
        let filing = format!("filings/{filing}");
        let changes = words
            .iter()
            .map(|words| pb::OvertakenBy { reason: "NOT_READY".to_owned(), message: (*words).to_owned() });
        let overtaken = pb::OvertakenFiling {
            filing: filing.clone(),
            account_id: account.to_string(),
            form: form.to_owned(),
            changes: changes.collect(),
        };
        self.said().overtaken.insert(filing, overtaken);
    }

    /// All of it was put right.
    pub(crate) fn put_right(&self) {
        self.said().overtaken.clear();
    }

    /// Whether it answers.
    pub(crate) fn away(&self, away: bool) {
        self.said().away = away;
    }

    /// What it was asked last.
    pub(crate) fn asked(&self) -> Option<pb::CheckPackageRequest> {
        self.said().asked.take()
    }
}

#[tonic::async_trait]
impl PackageService for Office {
    async fn check_package(
        &self,
        request: Request<pb::CheckPackageRequest>,
    ) -> Result<Response<pb::CheckPackageResponse>, Status> {
        let mut said = self.said();
        if said.away {
            return Err(Status::unavailable("away"));
        }
        let request = request.into_inner();
        let found = request.filings.iter().filter_map(|filing| said.overtaken.get(filing).cloned());
        let overtaken = found.collect();
        said.asked = Some(request);
        Ok(Response::new(pb::CheckPackageResponse { overtaken }))
    }
}
