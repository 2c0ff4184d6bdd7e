//! `CatalogueService`: the forms, open to everybody.

use docket_forms::{Form, Language, Outcome, Step};
use docket_kernel::Refusal;
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::catalogue_service_server::CatalogueService;
use docket_service::ApiError;
use tonic::{Request, Response, Status};

use crate::desk::Desk;
use crate::{answers, appearance};

/// Answers from the catalogue.
pub(crate) struct CatalogueApi(pub(crate) Desk);

#[tonic::async_trait]
impl CatalogueService for CatalogueApi {
    async fn list_forms(
        &self,
        request: Request<pb::ListFormsRequest>,
    ) -> Result<Response<pb::ListFormsResponse>, Status> {
        let (catalogue, language) = (&self.0.catalogue, Language::of(&request.get_ref().language));
        let said = |form| summary(catalogue.in_language(form, language));
        let mut forms: Vec<_> = catalogue.forms_on(self.0.today()).map(said).collect();
        forms.sort_by(|a, b| a.form.cmp(&b.form));
        Ok(Response::new(pb::ListFormsResponse { forms, catalogue_version: catalogue.version().to_owned() }))
    }

    async fn get_form(
        &self,
        request: Request<pb::GetFormRequest>,
    ) -> Result<Response<pb::GetFormResponse>, Status> {
        let asked = request.get_ref();
        let form = self.0.form(&asked.form).map_err(ApiError::from)?;
        let form = self.0.catalogue.in_language(form, Language::of(&asked.language));
        Ok(Response::new(pb::GetFormResponse {
            summary: Some(summary(form)),
            definition_json: serde_json::to_string(form).expect("a form is plain data"),
        }))
    }

    async fn guide_forms(
        &self,
        request: Request<pb::GuideFormsRequest>,
    ) -> Result<Response<pb::GuideFormsResponse>, Status> {
        let answer = guide(&self.0, request.get_ref()).map_err(ApiError::from)?;
        Ok(Response::new(answer))
    }
}

/// The next question of the guided choice, or where the answers lead.
fn guide(desk: &Desk, request: &pb::GuideFormsRequest) -> Result<pb::GuideFormsResponse, Refusal> {
    let language = Language::of(&request.language);
    let guide = desk.catalogue.guide(language).ok_or_else(|| {
        Refusal::state("NO_GUIDE", "This catalogue has no guided choice of a form.")
            .way_out("Look at the list of forms.")
    })?;
    let text = if request.answers_json.is_empty() { "{}" } else { &request.answers_json };
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
            outcomes: outcomes.into_iter().map(|one| outcome(desk, one, language)).collect(),
        },
    })
}

fn outcome(desk: &Desk, outcome: &Outcome, language: Language) -> pb::GuideOutcome {
    let forms = outcome.forms.iter().filter_map(|form| desk.catalogue.form_on(form, desk.today()));
    pb::GuideOutcome {
        forms: forms.map(|form| summary(desk.catalogue.in_language(form, language))).collect(),
        text: outcome.text.clone(),
        cite: outcome.cite.clone(),
    }
}

/// Whether a form can be filed by itself by answering it here; an appearance is made by `PrepareRepresentation`, with two signatures.
pub(crate) fn is_online(form: &Form) -> bool {
    form.docket == "online" && form.id != appearance::FORM
}

/// Why a form cannot be begun by answering it here, by itself or in a package; nothing where it can.
pub(crate) fn not_begun_here(form: &Form, in_package: bool) -> Option<Refusal> {
    let refusal = |words: String| Refusal::state("FORM_NOT_ONLINE", words).fact("form", form.id.clone());
    match &form.goes_with {
        Some(_) if in_package => None,
        Some(main) => {
            let way_out = "Begin that form, or the petition for it, and then this one in the same package.";
            let words = format!("{} goes in together with {main}, and not by itself.", form.id);
            Some(refusal(words).way_out(way_out).fact("goes_with", main.clone()))
        }
        None if is_online(form) => None,
        None => Some(
            refusal(format!("{} cannot be filed here by itself.", form.id))
                .way_out("Look at the list of forms for those that can."),
        ),
    }
}

fn summary(form: &Form) -> pb::FormSummary {
    pb::FormSummary {
        form: form.id.clone(),
        title: form.title.clone(),
        summary: form.summary.clone(),
        edition: form.edition.to_string(),
        online: is_online(form),
        goes_with: form.goes_with.clone().unwrap_or_default(),
        accepted_from: form.accepted_from.to_string(),
        accepted_until: form.accepted_until.map(|day| day.to_string()).unwrap_or_default(),
    }
}
