//! The form's rules over a filing as it is now: what is missing, what is wrong, and what would be signed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use docket_forms::{
    Answers, Evaluation, Form, Given, Language, Question, Truth, evaluate, last_day, takes_part,
};
use docket_kernel::Refusal;
use docket_service::ApiError;
use serde_json::Value;
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::desk::Desk;
use crate::domain::at_hand::LastDay;
use crate::domain::filing::{Checked, Filing, HelperRole};
use crate::dossiers::Dossier;
use crate::facts::{OFFICE_ZONE, civil_date, ends_at_us};
use crate::help::{self, Helping};
use crate::lacks::Lacks;
use crate::sheet::{Row, Section, Sheet};
use crate::store::filings;
use crate::waiver::{self, Waiver};
use crate::{appearance, party, place, review, spoken};

/// A filing held against its form, at an instant.
pub(crate) struct Check<'a> {
    pub(crate) form: &'a Form,
    pub(crate) given: Given,
    pub(crate) evaluation: Evaluation,
    /// The waiver that is asked for inside the filing.
    pub(crate) waiver: Option<Waiver<'a>>,
    /// Who signs beside the filer.
    pub(crate) helpers: Vec<Helping>,
}

/// How a sheet was written before: with what was typed for helpers, until they signed themselves; with what is set aside in
/// items and in the request for a waiver, until that was left out.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    typed: bool,
    aside: bool,
}

impl<'a> Check<'a> {
    /// Evaluates the filing as it would be if it were signed and sent now.
    pub(crate) async fn now(desk: &'a Desk, dossier: &Dossier) -> Result<Self, ApiError> {
        Self::said_in(desk, dossier, Language::En).await
    }

    /// The same, with what is found said in a language; what is signed is English in any.
    pub(crate) async fn said_in(
        desk: &'a Desk,
        dossier: &Dossier,
        language: Language,
    ) -> Result<Self, ApiError> {
        Self::against(desk, dossier, desk.form(&dossier.filing.form)?, language).await
    }

    /// The same, held against its form in an edition.
    pub(crate) async fn against(
        desk: &'a Desk,
        dossier: &Dossier,
        form: &'a Form,
        language: Language,
    ) -> Result<Self, ApiError> {
        let given = given(desk, form, dossier).await?;
        let answers = with_signature(form, &dossier.content.answers, &given);
        let said = |form| desk.catalogue.in_language(form, language);
        let evaluation = evaluate(said(form), &answers, &given);
        let waiver = match dossier.waiver().cloned() {
            Some(asked) => {
                let form_of_waiver = desk.form(waiver::FORM)?;
                let main = (form, &dossier.content.answers);
                Some(Waiver::new((form_of_waiver, said(form_of_waiver)), asked, main, &given))
            }
            None => None,
        };
        let mut check = Self { form, given, evaluation, waiver, helpers: Vec::new() };
        let applies = |question: &str| check.applies(&dossier.content.answers, question);
        let answers = &dossier.content.answers;
        let takes_part = |role: &str| takes_part(form, role, answers, &check.given) == Some(Truth::True);
        check.helpers = help::with(desk, dossier, form, applies, takes_part).await?;
        Ok(check)
    }

    /// Whether a question belongs to the text: it is asked, or may be and has an answer.
    fn applies(&self, answers: &Answers, question: &str) -> bool {
        match self.evaluation.shown.get(question) {
            Some(Truth::True) => true,
            Some(Truth::Unknown) => answers.contains_key(question),
            Some(Truth::False) | None => false,
        }
    }

    /// The questions that are asked, section by section.
    pub(crate) fn shown(&self) -> Vec<String> {
        let asked = |question: &&Question| self.evaluation.shown.get(&question.id) == Some(&Truth::True);
        // They stand in the order of their sections.
        let questions =
            self.form.questions.iter().filter(|question| !review::is_signing(self.form, question));
        questions.filter(asked).map(|question| question.id.clone()).collect()
    }

    /// What would be signed.
    pub(crate) fn sheet(&self, dossier: &Dossier) -> Sheet {
        self.sheet_of(dossier, Before::default())
    }

    /// What was signed where the sheet was not kept, in every way in which it was ever written; as it is now first.
    pub(crate) fn sheets(&self, dossier: &Dossier) -> impl Iterator<Item = Sheet> {
        let ways = [(false, false), (false, true), (true, false), (true, true)];
        ways.into_iter().map(|(typed, aside)| self.sheet_of(dossier, Before { typed, aside }))
    }

    fn sheet_of(&self, dossier: &Dossier, before: Before) -> Sheet {
        let (content, all) = (&dossier.content, &dossier.content.answers);
        let counting = if before.aside { Cow::Borrowed(all) } else { self.evaluation.counting(all) };
        let answers: &Answers = &counting;
        let of_others = |asked: &Question| help::is_signature(self.form, asked);
        let stands = |question: &str| before.typed || !self.form.question(question).is_some_and(of_others);
        let applies = |question: &str| stands(question) && self.applies(answers, question);
        let mut sheet = Sheet::of(self.form, &dossier.filing, (content, answers), applies);
        sheet.sections.extend(self.signers(all, |_| true));
        let waiver = if before.aside { Waiver::section_with_aside } else { Waiver::section };
        Sheet { waiver: self.waiver.as_ref().map(waiver), ..sheet }
    }

    /// Who signs it, where two or more do, of the others those that are named: so each of them signs that the others do.
    fn signers(&self, answers: &Answers, names: impl Fn(&Helping) -> bool) -> Option<Section> {
        let others = self.helpers.iter().filter(|one| one.role.is_co_signer() && names(one));
        let signer = |role: &str, name: &str| Row::said_of(&spoken::choice(role), name);
        let others: Vec<Row> = others.map(|other| signer(&other.signs_as, &other.name)).collect();
        if others.is_empty() {
            return None;
        }
        let filer = party::names(self.form, answers).pop().unwrap_or_default();
        Some(Section {
            title: "Signed together, each under penalty of perjury".to_owned(),
            rows: std::iter::once(signer(filer_role(self.form), &filer)).chain(others).collect(),
        })
    }

    /// The canonical text of it.
    pub(crate) fn text(&self, dossier: &Dossier) -> String {
        review::text(&self.sheet(dossier))
    }

    /// What somebody signs beside the filer: the same text, or of one of several the part that is theirs.
    pub(crate) fn text_of(&self, dossier: &Dossier, helping: &Helping) -> String {
        self.part(dossier, helping).unwrap_or_else(|| self.text(dossier))
    }

    /// The part that one of several signs: their own item of the list, the sections that concern all of them, and that the filer and
    /// they sign it. What the form says of the filer and of the others, and what is attached, is none of theirs.
    pub(crate) fn part(&self, dossier: &Dossier, helping: &Helping) -> Option<String> {
        let each = self.form.co_signer()?.1.each.as_ref()?;
        let place = usize::try_from(helping.role.person()).ok()?.checked_sub(1)?;
        let (content, all) = (&dossier.content, &dossier.content.answers);
        let mut answers = self.evaluation.counting(all).into_owned();
        if let Some(Value::Array(items)) = answers.get_mut(&each.list) {
            *items = items.get(place).cloned().into_iter().collect();
        }
        let theirs = |asked: &Question| asked.id == each.list || each.sees.contains(&asked.section);
        let applies = |id: &str| self.form.question(id).is_some_and(theirs) && self.applies(all, id);
        let mut sheet = Sheet::of(self.form, &dossier.filing, (content, &answers), applies);
        sheet.sections.extend(self.signers(all, |one| one.role == helping.role));
        Some(review::part(&sheet, &helping.name))
    }

    /// The keyed hash of the answers, for which a fee is shown.
    pub(crate) fn answers_mac(&self, desk: &Desk, dossier: &Dossier) -> Vec<u8> {
        let answers = &dossier.content.answers;
        let mut bytes = review::answers_bytes(self.form, answers, |question| self.applies(answers, question));
        // A fee that was shown with a waiver asked for is another one than without.
        bytes.extend(self.waiver.as_ref().map(Waiver::text).unwrap_or_default().into_bytes());
        desk.base.vault.mac("filing.answers", &bytes).to_vec()
    }

    /// The keyed hash of a text.
    pub(crate) fn content_mac(desk: &Desk, dossier: &Dossier, text: &str) -> Vec<u8> {
        desk.base.vault.mac(review::PURPOSE, &review::signed_bytes(dossier.id, text)).to_vec()
    }

    /// What the domain must know before a signature or sending.
    pub(crate) fn checked(&self, desk: &Desk, dossier: &Dossier) -> Checked {
        let (sheet, filing) = (self.sheet(dossier), &dossier.filing);
        let mac = |sheet: &Sheet| Self::content_mac(desk, dossier, &review::text(sheet));
        let signed = filing.signature.as_ref().map(|signature| &signature.catalogue_version);
        let before = signed.into_iter().chain(Some(&filing.approved_under));
        let before = before.filter(|version| !version.is_empty() && **version != sheet.catalogue_version);
        let content_macs_before = before
            .map(|version| mac(&Sheet { catalogue_version: version.clone(), ..sheet.clone() }))
            .collect();
        Checked {
            content_version: filing.content_version,
            not_ready: self.not_ready(),
            content_mac: mac(&sheet),
            content_macs_before,
            answers_mac: self.answers_mac(desk, dossier),
            helpers: self.helpers.iter().filter(|one| !one.by_appearance).map(|one| one.role).collect(),
            last_day: self.last_day(desk, dossier),
            parts: self.parts(desk, dossier),
        }
    }

    /// The last day on which it can be filed in time, where the law sets one and it is not over.
    pub(crate) fn last_day(&self, desk: &Desk, dossier: &Dossier) -> Option<LastDay> {
        let answers = &dossier.content.answers;
        let on = last_day(self.form, answers, &self.given)?;
        let ends_at_us = ends_at_us(on, zone_of(self.form, dossier));
        LastDay::of(on, ends_at_us, desk.now_us())
    }

    /// The keyed hashes of the parts that several co-signers sign.
    pub(crate) fn parts(&self, desk: &Desk, dossier: &Dossier) -> BTreeMap<HelperRole, Vec<u8>> {
        let mac = |one| Some((one, Self::content_mac(desk, dossier, &self.part(dossier, one)?)));
        let parts = self.helpers.iter().filter_map(mac);
        parts.map(|(one, content_mac)| (one.role, content_mac)).collect()
    }

    /// What the rules of the form say, and of the waiver inside it.
    pub(crate) fn evaluations(&self) -> impl Iterator<Item = &Evaluation> {
        std::iter::once(&self.evaluation).chain(self.waiver.iter().map(|waiver| &waiver.evaluation))
    }

    /// The same, taken out.
    pub(crate) fn into_evaluations(self) -> impl Iterator<Item = Evaluation> {
        std::iter::once(self.evaluation).chain(self.waiver.map(|waiver| waiver.evaluation))
    }

    /// Whether the filing can be signed.
    pub(crate) fn is_ready(&self) -> bool {
        self.evaluations().all(|evaluation| evaluation.ready)
    }

    /// What is still missing or wrong, a line each, in the words of the form and of the waiver inside it.
    pub(crate) fn lacking(&self) -> Vec<String> {
        let waiver = self.waiver.iter().map(|waiver| (waiver.form, &waiver.evaluation));
        let all = std::iter::once((self.form, &self.evaluation)).chain(waiver);
        let lines = |(form, evaluation)| Lacks::of(std::iter::once(evaluation), |_| true).lines(form);
        all.flat_map(lines).collect()
    }

    /// Why the filing cannot be signed yet; nothing when it can.
    pub(crate) fn not_ready(&self) -> Option<Refusal> {
        if self.is_ready() {
            return None;
        }
        let lacks = Lacks::of(self.evaluations(), |_| true);
        let words = lacks.words("evidence is missing");
        let refusal = Refusal::state("NOT_READY", format!("The filing is not ready: {words}."))
            .way_out("Complete and correct what is named; then review it again.");
        Some(lacks.facts(refusal))
    }
}

/// The role in which the person who files signs.
pub(crate) fn filer_role(form: &Form) -> &str {
    form.roles.iter().find(|role| role.signs).map_or("applicant", |role| &role.id)
}

/// What is given beside the answers, as of now.
pub(crate) async fn given(desk: &Desk, form: &Form, dossier: &Dossier) -> Result<Given, ApiError> {
    let now = desk.base.clock.now();
    let filing = &dossier.filing;
    let is_represented = desk.represented(dossier).await?.is_some();
    let linked = linked(&desk.base.pool, form, (dossier.id, filing), is_represented).await?;
    Ok(Given {
        today: civil_date(now, zone_of(form, dossier)),
        filer_role: filer_role(form).to_owned(),
        linked,
        evidence: filing.evidence.iter().map(|file| file.kind.clone()).collect(),
        explained: filing.explained.clone(),
        fee_waiver_requested: filing.fee_waiver,
        foreign_language: filing.evidence.iter().any(|file| file.foreign_language),
        ..Given::on(civil_date(now, OFFICE_ZONE))
    })
}

/// The zone where the filer lives, as it is settled when it is sent; the account's where the form does not say.
fn zone_of<'a>(form: &Form, dossier: &'a Dossier) -> &'a str {
    place::zone(form, &dossier.content.answers).unwrap_or(&dossier.filing.zone)
}

/// The forms that count with a filing: other filings, and the appearance that stands for it. With a form that opens no case of its own
/// only what goes in with it does: a case that is pending already takes in no form.
///
/// # Errors
/// The database.
pub(crate) async fn linked(
    db: impl PgExecutor<'_>,
    form: &Form,
    (id, filing): (Uuid, &Filing),
    is_represented: bool,
) -> sqlx::Result<BTreeSet<String>> {
    let pending_of = form.goes_with.is_none().then_some(filing.account);
    let others = filings::linked_forms(db, (pending_of, filing.package), id).await?;
    Ok(others.into_iter().chain(is_represented.then(|| appearance::FORM.to_owned())).collect())
}

/// The answers as signing will complete them: typed name and today's date.
pub(crate) fn with_signature(form: &Form, answers: &Answers, given: &Given) -> Answers {
    let mut answers = answers.clone();
    let name = party::names(form, &answers).into_iter().next().unwrap_or_else(|| "-".to_owned());
    for question in form.questions.iter().filter(|question| review::is_signing(form, question)) {
        let is_date = question.kind == docket_forms::Type::Date;
        let answer = if is_date { given.today.to_string() } else { name.clone() };
        answers.insert(question.id.clone(), Value::String(answer));
    }
    answers
}
