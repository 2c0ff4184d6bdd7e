//! `docket representation`: an appearance on Form G-28 is entered, read, consented to or refused, and ended by either side.
use super::interview::ask::say;
use super::interview::definition;
use super::interview::part::Part;
use super::paper;
use super::sign::Guarded;
use super::wishes::{self, WishesArgs};
use super::{Refused, StepUpArgs};
use crate::client::{patiently, request};
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::filing::v1 as pb;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use uuid::Uuid;

const FORM: &str = "G-28";
/// The sections of the form that the representative answers; the client answers the others.
const OF_REPRESENTATIVE: [&str; 4] = ["rep", "eligibility", "appearance", "rep_sign"];
const OF_CLIENT: [&str; 2] = ["client", "consent"];

/// Of either side.
#[derive(Debug, clap::Args)]
pub struct RepresentationArgs {
    #[command(subcommand)]
    command: RepresentationCommand,
}

/// What is done.
#[derive(Debug, clap::Subcommand)]
enum RepresentationCommand {
    /// As a representative: enter an appearance and sign it. Prints the code to hand to the client.
    Enter {
        /// A JSON file with the answers, by question; asked one by one when not given. `docket forms G-28` shows the questions.
        answers: Option<PathBuf>,
        /// The code of a client who asked for a representative with `docket appoint`.
        #[arg(long, default_value = "")]
        asked: String,
        /// Your full legal name, typed as your signature; asked for when not given.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        factor: StepUpArgs,
    },
    /// Read an appearance.
    Show {
        /// The code, or representations/<id>.
        what: String,
    },
    /// As the client: read it, consent to the representation and to the disclosure of your record, and sign that.
    Consent {
        /// The code that you were given, or handed over yourself.
        handed: String,
        /// A JSON file with your answers, by question; asked one by one when not given.
        answers: Option<PathBuf>,
        /// Your full legal name, typed as your signature; asked for when not given.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        factor: StepUpArgs,
    },
    /// As the client: say that you do not consent.
    Refuse {
        /// The code that you were given.
        handed: String,
    },
    /// As the representative: withdraw. You see nothing of the client any more; open deadlines stay.
    Withdraw {
        /// representations/<id>.
        name: String,
        #[command(flatten)]
        factor: StepUpArgs,
    },
    /// As the client: say otherwise than on the form where papers go. You need nobody's consent, and may take it back at any time.
    Wishes {
        /// representations/<id>.
        name: String,
        #[command(flatten)]
        wishes: WishesArgs,
        #[command(flatten)]
        factor: StepUpArgs,
    },
    /// Save the Form G-28 of a filing as both signed it, as PDF; also for the officer of its case.
    Form {
        /// filings/<id>.
        filing: String,
        /// Where to.
        #[arg(long)]
        out: PathBuf,
    },
    /// As the client: end it, or take back that you asked for one.
    End {
        /// representations/<id>.
        name: String,
        #[command(flatten)]
        factor: StepUpArgs,
    },
}

impl RepresentationCommand {
    /// The second factor, where it was given; what signs or ends something asks for it.
    fn factor(&self) -> StepUpArgs {
        match self {
            Self::Enter { factor, .. }
            | Self::Consent { factor, .. }
            | Self::Withdraw { factor, .. }
            | Self::Wishes { factor, .. }
            | Self::End { factor, .. } => factor.clone(),
            Self::Show { .. } | Self::Refuse { .. } | Self::Form { .. } => StepUpArgs::default(),
        }
    }
}

/// Enters, reads, consents, refuses, says where papers go, or ends.
pub async fn representation(home: &Path, args: &RepresentationArgs, teller: &Teller) -> Result<()> {
    if let RepresentationCommand::Form { filing, out } = &args.command {
        return wishes::save_form(home, filing, out, teller).await;
    }
    let factor = args.command.factor();
    let mut who = Guarded::of(home, &factor, teller.language()).await?;
    let request_id = Uuid::now_v7().to_string();
    let done = match &args.command {
        RepresentationCommand::Enter { answers, asked, name, .. } => {
            let answers = answers_of(&mut who, answers.as_deref(), &OF_REPRESENTATIVE).await?;
            let message = pb::PrepareRepresentationRequest {
                request_id,
                answers_json: Value::Object(answers).to_string(),
                typed_name: who.typed_name(name.as_ref())?,
                appointment_code: asked.clone(),
            };
            return enter(&mut who, message, teller).await;
        }
        RepresentationCommand::Show { what } => {
            show(&read(&who, what).await?, teller);
            return Ok(());
        }
        RepresentationCommand::Form { .. } => return Ok(()),
        RepresentationCommand::Consent { handed, answers, name, .. } => {
            let seen = read(&who, handed).await?;
            show(&seen, teller);
            let answers = answers_of(&mut who, answers.as_deref(), &OF_CLIENT).await?;
            let message = pb::AcceptRepresentationRequest {
                request_id,
                client_code: handed.clone(),
                content_hash: seen.content_hash,
                answers_json: Value::Object(answers).to_string(),
                typed_name: who.typed_name(name.as_ref())?,
            };
            consent(&mut who, message).await?
        }
        RepresentationCommand::Refuse { handed } => {
            let message = pb::RefuseRepresentationRequest { request_id, client_code: handed.clone() };
            let token = who.drafts.token().await.map_err(Refused::from)?;
            let mut representations = who.drafts.connection.representations();
            let answer = representations.refuse_representation(request(Some(&token), message)).await;
            answer.map_err(Refused::from)?.into_inner().representation
        }
        RepresentationCommand::Withdraw { name, .. } => {
            let message = pb::WithdrawRepresentationRequest { request_id, name: paper::appearance(name) };
            withdraw(&mut who, message).await?
        }
        RepresentationCommand::Wishes { name, wishes, .. } => {
            let name = paper::appearance(name);
            let wishes = Some(wishes.over(read(&who, &name).await?.wishes));
            let message = pb::ChangeRepresentationWishesRequest { request_id, name, wishes };
            let changed =
                who.call(async |drafts, token| wishes::change(drafts, token, message.clone()).await);
            changed.await?.into_inner().representation
        }
        RepresentationCommand::End { name, .. } => {
            let message = pb::EndRepresentationRequest { request_id, name: paper::appearance(name) };
            end(&mut who, message).await?
        }
    };
    stands(&done.context("an answer without its appearance")?, teller);
    Ok(())
}

/// The answers in a file, or those given on the terminal.
async fn answers_of(
    who: &mut Guarded<'_>,
    file: Option<&Path>,
    sections: &[&str],
) -> Result<Map<String, Value>> {
    if let Some(path) = file {
        return paper::answers_in(path);
    }
    let (form, rules) = definition(&who.drafts.connection, FORM, &who.drafts.language).await?;
    say(who.words.how_to_answer_a_part);
    let asked = Part { form: &form, rules: &rules, sections, but: &[] }.ask(&mut who.ask)?;
    asked.with_context(|| who.words.signing.not_signed.to_owned())
}

async fn enter(
    who: &mut Guarded<'_>,
    message: pb::PrepareRepresentationRequest,
    teller: &Teller,
) -> Result<()> {
    let asked = message.appointment_code.clone();
    let entered = who.call(async |drafts, token| {
        patiently(|| {
            let (mut representations, message) =
                (drafts.connection.representations(), request(Some(token), message.clone()));
            async move { representations.prepare_representation(message).await }
        })
        .await
    });
    let entered = entered.await?.into_inner();
    let one = entered.representation.context("representation")?;
    if teller.is_json() {
        teller.value(&json!({
            "name": one.name, "state": one.state, "forms": one.forms, "code": entered.client_code,
            "valid_until_us": one.valid_until_us,
        }));
        return Ok(());
    }
    stands(&one, teller);
    let code = if entered.client_code.is_empty() {
        teller.line(teller.words("your client has the code already"));
        asked
    } else {
        teller.pair(teller.words("code"), &entered.client_code);
        teller.pair(teller.words("good until"), &teller.when(one.valid_until_us));
        entered.client_code
    };
    let next = "nothing counts before your client consents: docket representation consent {}";
    teller.line(&teller.filled(next, &[&code]));
    Ok(())
}

/// An appearance, by its code or its name.
async fn read(who: &Guarded<'_>, what: &str) -> Result<pb::Representation> {
    let (name, client_code) = match what.strip_prefix("representations/") {
        Some(_) => (what.to_owned(), String::new()),
        None => (String::new(), what.to_owned()),
    };
    let message = pb::GetRepresentationRequest { name, client_code };
    let token = who.drafts.token().await.map_err(Refused::from)?;
    let mut representations = who.drafts.connection.representations();
    let answer = representations.get_representation(request(Some(&token), message)).await;
    answer.map_err(Refused::from)?.into_inner().representation.context("representation")
}

async fn consent(
    who: &mut Guarded<'_>,
    message: pb::AcceptRepresentationRequest,
) -> Result<Option<pb::Representation>> {
    let accepted = who.call(async |drafts, token| {
        patiently(|| {
            let (mut representations, message) =
                (drafts.connection.representations(), request(Some(token), message.clone()));
            async move { representations.accept_representation(message).await }
        })
        .await
    });
    Ok(accepted.await?.into_inner().representation)
}

async fn withdraw(
    who: &mut Guarded<'_>,
    message: pb::WithdrawRepresentationRequest,
) -> Result<Option<pb::Representation>> {
    let withdrawn = who.call(async |drafts, token| {
        let mut representations = drafts.connection.representations();
        representations.withdraw_representation(request(Some(token), message.clone())).await
    });
    Ok(withdrawn.await?.into_inner().representation)
}

async fn end(
    who: &mut Guarded<'_>,
    message: pb::EndRepresentationRequest,
) -> Result<Option<pb::Representation>> {
    let ended = who.call(async |drafts, token| {
        let mut representations = drafts.connection.representations();
        representations.end_representation(request(Some(token), message.clone())).await
    });
    Ok(ended.await?.into_inner().representation)
}

fn show(one: &pb::Representation, teller: &Teller) {
    if teller.is_json() {
        teller.value(&json!({
            "name": one.name, "state": one.state, "forms": one.forms, "filing": one.filing, "text": one.text,
            "content_hash": hex::encode(&one.content_hash), "valid_until_us": one.valid_until_us,
            "wishes": wishes::value(one),
        }));
        return;
    }
    stands(one, teller);
    if one.erased {
        teller.line(teller.words("its content was erased"));
    }
    one.text.lines().for_each(|line| teller.line(line));
    wishes::tell(one, teller);
}

/// Where an appearance stands.
fn stands(one: &pb::Representation, teller: &Teller) {
    if teller.is_json() {
        teller.value(&json!({
            "name": one.name, "state": one.state, "forms": one.forms, "filing": one.filing, "wishes": wishes::value(one),
        }));
        return;
    }
    let filing =
        if one.filing.is_empty() { String::new() } else { teller.filled(", for {} alone", &[&one.filing]) };
    teller.line(&format!("{}  {}, {}{filing}", one.name, one.state, one.forms.join(", ")));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever answers a section that is none of the two sides' would be asked nothing of it.
    #[test]
    fn every_section_of_the_form_is_answered_by_one_side() {
        let catalogue = docket_forms::Catalogue::embedded();
        let form = catalogue.form("G-28").unwrap();
        for section in &form.sections {
            let sides = [OF_REPRESENTATIVE.as_slice(), OF_CLIENT.as_slice()];
            let of = sides.iter().filter(|side| side.contains(&section.id.as_str())).count();
            assert_eq!(of, 1, "{}", section.id);
        }
    }
}
