//! `CatalogueService`: the forms, open to everybody.

use docket_forms::Form;
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::catalogue_service_server::CatalogueService;
use docket_service::ApiError;
use tonic::{Request, Response, Status};

use crate::desk::Desk;

/// Answers from the catalogue.
pub(crate) struct CatalogueApi(pub(crate) Desk);

#[tonic::async_trait]
impl CatalogueService for CatalogueApi {
    async fn list_forms(
        &self,
        _request: Request<pb::ListFormsRequest>,
    ) -> Result<Response<pb::ListFormsResponse>, Status> {
        let mut forms: Vec<_> = self.0.catalogue.forms().map(summary).collect();
        forms.sort_by(|a, b| a.form.cmp(&b.form));
        Ok(Response::new(pb::ListFormsResponse {
            forms,
            catalogue_version: self.0.catalogue.version().to_owned(),
        }))
    }

    async fn get_form(
        &self,
        request: Request<pb::GetFormRequest>,
    ) -> Result<Response<pb::GetFormResponse>, Status> {
        let form = self.0.form(&request.get_ref().form).map_err(ApiError::from)?;
        Ok(Response::new(pb::GetFormResponse {
            summary: Some(summary(form)),
            definition_json: serde_json::to_string(form).expect("a form is plain data"),
        }))
    }
}

/// Whether a form can be filed by answering it here.
pub(crate) fn is_online(form: &Form) -> bool {
    form.docket == "online"
}

fn summary(form: &Form) -> pb::FormSummary {
    pb::FormSummary {
        form: form.id.clone(),
        title: form.title.clone(),
        summary: form.summary.clone(),
        edition: form.edition.to_string(),
        online: is_online(form),
    }
}
