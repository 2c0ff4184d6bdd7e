//! `CatalogueService`: the forms, open to everybody.

use docket_forms::{Catalogue, Form, Outcome, Step};
use docket_kernel::Refusal;
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::catalogue_service_server::CatalogueService;
use docket_service::ApiError;
use tonic::{Request, Response, Status};

use crate::answers;
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

    async fn guide_forms(
        &self,
        request: Request<pb::GuideFormsRequest>,
    ) -> Result<Response<pb::GuideFormsResponse>, Status> {
        let answer = guide(&self.0.catalogue, &request.get_ref().answers_json).map_err(ApiError::from)?;
        Ok(Response::new(answer))
    }
}

/// The next question of the guided choice, or where the answers lead.
fn guide(catalogue: &Catalogue, answers_json: &str) -> Result<pb::GuideFormsResponse, Refusal> {
    let guide = catalogue.guide().ok_or_else(|| {
        Refusal::state("NO_GUIDE", "This catalogue has no guided choice of a form.")
            .way_out("Look at the list of forms.")
    })?;
    let text = if answers_json.is_empty() { "{}" } else { answers_json };
    let answers = answers::object(text, r#"{"aim": "citizenship"}"#, |question, answer| {
        guide.normalise(question, answer)
    })?;
    Ok(match guide.step(&answers) {
        Step::Ask { question, label, choices } => pb::GuideFormsResponse {
            question: Some(pb::GuideQuestion {
                id: question.to_owned(),
                label: label.to_owned(),
                choices: choices
                    .iter()
                    .map(|choice| pb::GuideChoice { id: choice.id.clone(), label: choice.label.clone() })
                    .collect(),
            }),
            outcomes: Vec::new(),
        },
        Step::End(outcomes) => pb::GuideFormsResponse {
            question: None,
            outcomes: outcomes.into_iter().map(|one| outcome(catalogue, one)).collect(),
        },
    })
}

fn outcome(catalogue: &Catalogue, outcome: &Outcome) -> pb::GuideOutcome {
    pb::GuideOutcome {
        forms: outcome.forms.iter().filter_map(|form| catalogue.form(form)).map(summary).collect(),
        text: outcome.text.clone(),
        cite: outcome.cite.clone(),
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
