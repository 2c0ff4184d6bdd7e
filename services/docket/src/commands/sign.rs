//! `docket review`, `docket sign` and `docket send`: what was filled in is read, agreed with, signed under penalty of perjury, and sent.
use super::interview::ask::{Ask, say};
use super::interview::words::{Signing, Words};
use super::paper::{Drafts, found};
use super::session::{StepUpArgs, second_factor};
use super::{Refused, amount};
use crate::client::{patiently, reason, request};
use crate::output::Teller;
use crate::texts;
use anyhow::{Context, Result, bail, ensure};
use docket_proto::filing::v1 as pb;
use serde_json::{Value, json};
use std::path::Path;
use tonic::Status;
use uuid::Uuid;

/// What is read, and what is said of it.
#[derive(Debug, clap::Args)]
pub struct ReviewArgs {
    /// filings/<id>.
    filing: String,
    /// For representatives: ask the client to look at it.
    #[arg(long)]
    ask: bool,
    /// For clients: give it back to be corrected, and say what.
    #[arg(long, value_name = "WORDS", conflicts_with = "ask")]
    give_back: Option<String>,
    /// For clients: agree with it; signing is another step.
    #[arg(long, conflicts_with_all = ["ask", "give_back"])]
    agree: bool,
}

/// Who signs what.
#[derive(Debug, clap::Args)]
pub struct SignArgs {
    /// filings/<id>.
    filing: String,
    /// As whom: self, parent, guardian, `attorney_in_fact` or `company_officer`; asked for when not given.
    #[arg(long = "as", value_name = "CAPACITY")]
    capacity: Option<String>,
    /// Your full legal name, typed as your signature; asked for when not given, once you have read what you sign.
    #[arg(long)]
    name: Option<String>,
    /// You agree with what your representative prepared; asked for when not given.
    #[arg(long)]
    agree: bool,
    #[command(flatten)]
    factor: StepUpArgs,
}

/// What is sent.
#[derive(Debug, clap::Args)]
pub struct SendArgs {
    /// filings/<id>; all of its package goes with it.
    filing: String,
    #[command(flatten)]
    factor: StepUpArgs,
}

/// Somebody who is signed in and gives the second factor again where it is asked for.
pub struct Guarded<'a> {
    pub home: &'a Path,
    pub drafts: Drafts,
    pub words: &'static Words,
    pub ask: Ask,
    pub factor: &'a StepUpArgs,
}

impl<'a> Guarded<'a> {
    /// Who is signed in here.
    pub async fn of(home: &'a Path, factor: &'a StepUpArgs, language: &str) -> Result<Self> {
        let words = Words::of(language);
        let (drafts, ask) = (Drafts::of(home, language).await?, Ask::of_terminal(words));
        Ok(Self { home, drafts, words, ask, factor })
    }

    /// The name that signs, as it was given, or as it is typed now.
    pub fn typed_name(&mut self, given: Option<&String>) -> Result<String> {
        if let Some(name) = given {
            return Ok(name.clone());
        }
        let words = &self.words.signing;
        match self.ask.line(words.type_name)? {
            Some(name) if !name.is_empty() => Ok(name),
            Some(_) | None => bail!("{}", words.not_signed),
        }
    }

    /// Calls with a token; where that asks for a fresh second factor, asks the person, and calls again.
    pub async fn call<T>(&mut self, call: impl AsyncFn(&Drafts, &str) -> Result<T, Status>) -> Result<T> {
        let token = self.drafts.token().await.map_err(Refused::from)?;
        match call(&self.drafts, &token).await {
            Err(status) if reason(&status) == "STEP_UP_REQUIRED" => {
                let (ask, prompt) = (&mut self.ask, self.words.signing.code);
                let code = || ask.line(prompt)?.context("no code was typed: give it with --code");
                second_factor(self.home, self.factor, code).await?;
                let token = self.drafts.token().await.map_err(Refused::from)?;
                Ok(call(&self.drafts, &token).await.map_err(Refused::from)?)
            }
            answer => Ok(answer.map_err(Refused::from)?),
        }
    }
}

/// Shows what would be signed, and asks the client to look, gives it back or agrees with it.
pub async fn review(home: &Path, args: &ReviewArgs, teller: &Teller) -> Result<()> {
    let drafts = Drafts::of(home, teller.language()).await?;
    if let Some(words) = &args.give_back {
        let filing = give_back(&drafts, &args.filing, words).await?;
        said(&filing, teller);
        return Ok(());
    }
    if args.ask {
        show_fee(&drafts, &args.filing, teller).await?;
        let filing = ask_review(&drafts, &args.filing).await?;
        said(&filing, teller);
        return Ok(());
    }
    let review = read(&drafts, &args.filing).await?;
    show(&args.filing, &review, teller);
    if args.agree {
        let filing = approve(&drafts, &args.filing, &review).await?;
        said(&filing, teller);
    }
    Ok(())
}

/// Shows the fee and the text, and signs it with the name that is typed then.
pub async fn sign(home: &Path, args: &SignArgs, teller: &Teller) -> Result<()> {
    let mut signer = Guarded::of(home, &args.factor, teller.language()).await?;
    let words = &signer.words.signing;
    let filing = signer.drafts.get(&args.filing).await?;
    if !teller.is_json() {
        filing.findings.iter().for_each(|finding| say(&found(finding)));
    }
    if filing.state == "draft" {
        show_fee(&signer.drafts, &args.filing, teller).await?;
    }
    let review = read(&signer.drafts, &args.filing).await?;
    show(&args.filing, &review, teller);
    if filing.review == "asked" {
        ensure!(args.agree || agrees(&mut signer.ask, words)?, words.not_agreed);
        approve(&signer.drafts, &args.filing, &review).await?;
    }
    let capacity = match &args.capacity {
        Some(capacity) => capacity.clone(),
        None if args.name.is_some() => String::new(),
        None => capacity(&mut signer.ask, words)?,
    };
    let typed_name = signer.typed_name(args.name.as_ref())?;
    let message = pb::SignFilingRequest {
        request_id: Uuid::now_v7().to_string(),
        name: args.filing.clone(),
        content_hash: review.content_hash,
        typed_name,
        capacity,
        language: teller.language().to_owned(),
    };
    let answer = signer.call(async |drafts, token| {
        patiently(|| {
            let (mut drafts, message) = (drafts.connection.drafts(), request(Some(token), message.clone()));
            async move { drafts.sign_filing(message).await }
        })
        .await
    });
    let filing = answer.await?.into_inner().filing.context("filing")?;
    said(&filing, teller);
    if !teller.is_json() {
        say(&words.send_next.replace("{}", &format!("docket send {}", filing.name)));
    }
    Ok(())
}

/// Sends a signed filing with all of its package, and says what is to be paid.
pub async fn send(home: &Path, args: &SendArgs, teller: &Teller) -> Result<()> {
    let mut sender = Guarded::of(home, &args.factor, teller.language()).await?;
    let message =
        pb::SubmitFilingRequest { request_id: Uuid::now_v7().to_string(), name: args.filing.clone() };
    let sent = sender.call(async |drafts, token| {
        patiently(|| {
            let (mut drafts, message) = (drafts.connection.drafts(), request(Some(token), message.clone()));
            async move { drafts.submit_filing(message).await }
        })
        .await
    });
    let payment = sent.await?.into_inner().payment;
    super::pay::tell_due(&sender, &payment, teller).await
}

fn agrees(ask: &mut Ask, words: &Signing) -> Result<bool> {
    use super::interview::ask::Said;
    Ok(ask.yes_or_no(words.agree, words.agree_why)? == Said::Answer(Value::Bool(true)))
}

/// As whom somebody signs; an empty line is for oneself.
fn capacity(ask: &mut Ask, words: &Signing) -> Result<String> {
    let (options, labels): (Vec<String>, Vec<String>) =
        words.capacities.iter().map(|(word, label)| ((*word).to_owned(), (*label).to_owned())).unzip();
    Ok(ask.choice(words.as_whom, &options, &labels)?.unwrap_or_default())
}

/// The fee for the answers as they are, row by row: it is shown before the signature.
async fn show_fee(drafts: &Drafts, filing: &str, teller: &Teller) -> Result<()> {
    let message = pb::QuoteFeeRequest {
        request_id: Uuid::now_v7().to_string(),
        name: filing.to_owned(),
        language: drafts.language.clone(),
    };
    let token = drafts.token().await.map_err(Refused::from)?;
    let answer = drafts.connection.drafts().quote_fee(request(Some(&token), message)).await;
    let answer = answer.map_err(Refused::from)?.into_inner();
    let total = answer.total.unwrap_or_default().cents;
    if teller.is_json() {
        let rows = answer
            .rows
            .iter()
            .map(|row| json!({"row": row.row, "cents": row.cents, "because": row.because, "cite": row.cite}));
        teller.value(&json!({"fee_cents": total, "rows": rows.collect::<Vec<_>>()}));
        return Ok(());
    }
    teller.heading(&Words::of(&drafts.language).signing.fee.replace("{}", &amount(total)));
    for row in &answer.rows {
        teller.line(&format!("{} {} ({}): {}", amount(row.cents), row.row, row.cite, row.because));
    }
    Ok(())
}

async fn read(drafts: &Drafts, filing: &str) -> Result<pb::ReviewFilingResponse> {
    let message = pb::ReviewFilingRequest { name: filing.to_owned() };
    let token = drafts.token().await.map_err(Refused::from)?;
    let answer = drafts.connection.drafts().review_filing(request(Some(&token), message)).await;
    Ok(answer.map_err(Refused::from)?.into_inner())
}

/// Exactly what is signed, and what is declared with it.
fn show(filing: &str, review: &pb::ReviewFilingResponse, teller: &Teller) {
    let hash = hex::encode(&review.content_hash);
    if teller.is_json() {
        teller.value(&json!({
            "filing": filing, "text": review.text, "declaration": review.declaration, "content_hash": hash,
            "hard_to_read": review.hard_to_read.iter().map(|file| hard_to_read(file, "en")).collect::<Vec<_>>(),
        }));
        return;
    }
    teller.heading(filing);
    review.text.lines().for_each(|line| teller.line(line));
    for file in &review.hard_to_read {
        teller.line(&hard_to_read(file, teller.language()));
    }
    teller.heading(&review.declaration);
    teller.pair(teller.words("content hash"), &hash);
}

/// A file that may be hard to read, as its pages are.
pub fn hard_to_read(file: &pb::Evidence, language: &str) -> String {
    let pages = file.hard_to_read.iter().map(|page| {
        let what = match page.fault.as_str() {
            "blank" => "page {} is blank",
            "dark" => "page {} is dark",
            "blurred" => "page {} is blurred",
            "cut" => "page {} is cut",
            "undrawn" => "page {} cannot be shown as a picture; send it as another file",
            "coarse" => "page {} has only {} dots an inch",
            _ => "page {} may be hard to read",
        };
        texts::filled(language, what, &[&page.page, &page.dots_per_inch])
    });
    let pages = pages.collect::<Vec<_>>().join(", ");
    let says = "! {}: {} may be hard to read: {}";
    texts::filled(language, says, &[&file.kind, &file.file_name, &pages])
}

/// Where a filing stands after what was done.
fn said(filing: &pb::Filing, teller: &Teller) {
    if teller.is_json() {
        teller.value(&json!({"name": filing.name, "state": filing.state, "review": filing.review}));
        return;
    }
    let is_reviewed = !filing.review.is_empty();
    let review = if is_reviewed { teller.filled(", review {}", &[&filing.review]) } else { String::new() };
    teller.line(&format!("{}  {}, {}{review}", filing.name, filing.form, filing.state));
}

async fn ask_review(drafts: &Drafts, name: &str) -> Result<pb::Filing> {
    let (request_id, name, language) = (Uuid::now_v7().to_string(), name.to_owned(), drafts.language.clone());
    let message = pb::AskReviewRequest { request_id, name, language };
    let token = drafts.token().await.map_err(Refused::from)?;
    let answer = drafts.connection.drafts().ask_review(request(Some(&token), message)).await;
    answer.map_err(Refused::from)?.into_inner().filing.context("filing")
}

async fn give_back(drafts: &Drafts, name: &str, remark: &str) -> Result<pb::Filing> {
    let (request_id, name, language) = (Uuid::now_v7().to_string(), name.to_owned(), drafts.language.clone());
    let message = pb::ReturnFilingRequest { request_id, name, remark: remark.to_owned(), language };
    let token = drafts.token().await.map_err(Refused::from)?;
    let answer = drafts.connection.drafts().return_filing(request(Some(&token), message)).await;
    answer.map_err(Refused::from)?.into_inner().filing.context("filing")
}

async fn approve(drafts: &Drafts, name: &str, review: &pb::ReviewFilingResponse) -> Result<pb::Filing> {
    let message = pb::ApproveFilingRequest {
        request_id: Uuid::now_v7().to_string(),
        name: name.to_owned(),
        content_hash: review.content_hash.clone(),
        language: drafts.language.clone(),
    };
    let token = drafts.token().await.map_err(Refused::from)?;
    let answer = drafts.connection.drafts().approve_filing(request(Some(&token), message)).await;
    answer.map_err(Refused::from)?.into_inner().filing.context("filing")
}
