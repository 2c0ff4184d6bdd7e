//! `docket respond`: what the office asked for in a case and until when, files for it, and the one answer.
use super::attach::attach_or_end;
use super::interview::ask::{Said, say};
use super::interview::definition;
use super::interview::evidence::{attach_one, is_foreign, paths, verdict};
use super::interview::reading::spoken;
use super::interview::words::{Answering, Words};
use super::paper::Drafts;
use super::sign::{Guarded, hard_to_read};
use super::{Refused, StepUpArgs, each_page};
use crate::client::{patiently, request};
use crate::clock;
use crate::failure::{Ending, Said as Told};
use crate::output::Teller;
use crate::upload::Outgoing;
use anyhow::{Context, Result, ensure};
use docket_proto::case_status::v1 as cases;
use docket_proto::filing::v1 as pb;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use uuid::Uuid;

/// Which request, and what is done about it.
#[derive(Debug, clap::Args)]
pub struct RespondArgs {
    /// Receipt number, cases/<id> or responses/<id>. Without it: all requests there are.
    request: Option<String>,
    /// Attach a file for what is asked: ITEM=PATH, the item by its code; may be given more than once. Without this and --send you are
    /// asked on the terminal.
    #[arg(long = "attach", value_name = "ITEM=PATH")]
    files: Vec<String>,
    /// Say why an item cannot be provided: ITEM=WORDS, in 20 to 2,000 characters; ITEM= takes it back; may be given more than
    /// once. The words are part of the answer (8 CFR 103.2(b)(2)).
    #[arg(long = "cannot", value_name = "ITEM=WORDS")]
    lacking: Vec<String>,
    /// The files of --attach are in another language than English.
    #[arg(long, requires = "files")]
    foreign_language: bool,
    /// Take a file off again, by its number; may be given more than once.
    #[arg(long = "remove", value_name = "NUMBER")]
    removed: Vec<usize>,
    /// Send the answer with all that is attached: once, nothing can be added to it later. Asks for a fresh second factor.
    #[arg(long)]
    send: bool,
    /// With --send: something that is asked for is left out, and the case is to be decided on what is there (8 CFR 103.2(b)(11)).
    #[arg(long, requires = "send")]
    partial: bool,
    #[command(flatten)]
    factor: StepUpArgs,
}

/// Shows requests, attaches to the answer of one, or sends it.
pub async fn respond(home: &Path, args: &RespondArgs, teller: &Teller) -> Result<()> {
    let mut who = Guarded::of(home, &args.factor, teller.language()).await?;
    let Some(named) = &args.request else { return list(&who.drafts, teller).await };
    let files: Vec<Outgoing> =
        args.files.iter().map(|file| look(file, args.foreign_language)).collect::<Result<_>>()?;
    let response = find(&who.drafts, named).await?;
    let lacking: Vec<(&str, &str)> = args.lacking.iter().map(|said| why_not(said)).collect::<Result<_>>()?;
    let titles = titles(&who.drafts, &response.case).await?;
    take_off(&who.drafts, &response, &args.removed).await?;
    for (item, words) in &lacking {
        let said = who.drafts.explain(&response.name, item, words).await;
        said.map_err(Refused::from).with_context(|| (*item).to_owned())?;
    }
    for file in &files {
        attach_or_end(&who.drafts, who.words, &response.name, file).await?;
    }
    let changed = !(files.is_empty() && args.removed.is_empty() && lacking.is_empty());
    let mut response = if changed { again(&who.drafts, &response).await? } else { response };
    // A program that sends it is told what came of that, in one value.
    if !(args.send && teller.is_json()) {
        tell(&response, &titles, who.words, teller);
    }
    if args.send {
        return send(&mut who, &response, &titles, args.partial, teller).await;
    }
    let is_led = !changed && !teller.is_json() && state(&response, clock::now_s()).may_be_sent();
    if is_led {
        response = led(&mut who, response, &titles).await?;
    }
    let says_something = !(response.evidence.is_empty() && response.explanations.is_empty());
    if state(&response, clock::now_s()).may_be_sent() && says_something && !teller.is_json() {
        say(&who.words.answering.send_next.replace("{}", &format!("docket respond {named} --send")));
    }
    Ok(())
}

/// How a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Its deadline is over; what is sent is kept, and marked late.
    Late,
    Answered,
    /// The case went on without an answer.
    Ended,
}

impl State {
    fn may_be_sent(self) -> bool {
        matches!(self, Self::Open | Self::Late)
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Late => "late",
            Self::Answered => "answered",
            Self::Ended => "ended",
        }
    }
}

fn state(response: &pb::Response, now_s: i64) -> State {
    let ends_us = response.deadline.as_ref().map_or(i64::MAX, |deadline| deadline.expires_at_us);
    if response.received_at_us != 0 {
        State::Answered
    } else if !response.closed_cause.is_empty() {
        State::Ended
    } else if now_s.saturating_mul(1_000_000) >= ends_us {
        State::Late
    } else {
        State::Open
    }
}

/// What is asked for, has no file, and of which it is not said why.
fn unanswered(response: &pb::Response) -> Vec<&String> {
    let is_there = |item: &&String| response.evidence.iter().any(|file| file.kind == **item);
    response.items.iter().filter(|item| !is_there(item) && why_lacking(response, item).is_none()).collect()
}

/// Why an item cannot be provided, as the party said it.
fn why_lacking<'a>(response: &'a pb::Response, item: &str) -> Option<&'a str> {
    response.explanations.iter().find(|said| said.kind == item).map(|said| said.explanation.as_str())
}

async fn list(drafts: &Drafts, teller: &Teller) -> Result<()> {
    let now_s = clock::now_s();
    let mut none = true;
    each_response(drafts, |response| {
        none = false;
        if teller.is_json() {
            teller.value(&told(&response, &BTreeMap::new(), now_s));
            return;
        }
        let due = response.deadline.as_ref().map_or("", |deadline| deadline.due_date.as_str());
        let kind = response.request_kind.to_uppercase();
        let state = teller.words(state(&response, now_s).as_str());
        let due = teller.filled("due {}", &[&due]);
        teller.line(&format!("{}  {}, {kind}, {due}, {state}", response.name, response.case));
    })
    .await?;
    if none && !teller.is_json() {
        teller.line(teller.words("nothing was asked of you"));
    }
    Ok(())
}

async fn each_response(drafts: &Drafts, mut take: impl FnMut(pb::Response)) -> Result<()> {
    each_page(async |page_token| {
        let message = pb::ListResponsesRequest { page_size: 100, page_token };
        let token = drafts.token().await.map_err(Refused::from)?;
        let answer = drafts.connection.evidence().list_responses(request(Some(&token), message)).await;
        let answer = answer.map_err(Refused::from)?.into_inner();
        answer.responses.into_iter().for_each(&mut take);
        Ok(answer.next_page_token)
    })
    .await
}

/// The request that is named, by itself or by its case: there the one that waits, else the newest.
async fn find(drafts: &Drafts, named: &str) -> Result<pb::Response> {
    let case = if named.starts_with("responses/") {
        String::new()
    } else {
        let token = drafts.token().await.map_err(Refused::from)?;
        super::inquiries::case_named(&drafts.connection, &token, named).await?
    };
    let mut found: Vec<pb::Response> = Vec::new();
    each_response(drafts, |one| {
        if one.name == named || one.case == case {
            found.push(one);
        }
    })
    .await?;
    let waits = found.iter().position(|one| state(one, clock::now_s()).may_be_sent());
    if found.is_empty() {
        return Err(Told(Ending::NotFound, format!("nothing was asked of you in {named}")).into());
    }
    Ok(found.swap_remove(waits.unwrap_or(0)))
}

/// The same request as it is now.
async fn again(drafts: &Drafts, response: &pb::Response) -> Result<pb::Response> {
    let mut found = None;
    each_response(drafts, |one| {
        if one.name == response.name {
            found = Some(one);
        }
    })
    .await?;
    found.with_context(|| format!("{} is not there any more", response.name))
}

/// What people read for the papers of the case's form.
async fn titles(drafts: &Drafts, case: &str) -> Result<BTreeMap<String, String>> {
    let message = cases::GetCaseRequest { name: case.to_owned(), language: String::new(), min_version: 0 };
    let token = drafts.token().await.map_err(Refused::from)?;
    let answer = drafts.connection.status().get_case(request(Some(&token), message)).await;
    let form = answer.map_err(Refused::from)?.into_inner().case.context("case")?.form;
    let (_, rules) = definition(&drafts.connection, &form, &drafts.language).await?;
    Ok(rules.evidence.iter().map(|paper| (paper.kind.clone(), paper.title.clone())).collect())
}

/// An item as people read it; by its code where the form has no such paper.
fn title(item: &str, titles: &BTreeMap<String, String>, words: &Answering) -> String {
    match titles.get(item) {
        Some(title) => title.clone(),
        None if item == "rebuttal" => words.rebuttal.to_owned(),
        None => spoken(item),
    }
}

/// A file of `--attach`, looked at before anything is sent.
fn look(named: &str, foreign_language: bool) -> Result<Outgoing> {
    let (item, path) = named
        .split_once('=')
        .with_context(|| format!("{named}: give the item and the file, as ITEM=PATH"))?;
    Outgoing::look(Path::new(path), item, foreign_language)
}

/// An item of `--cannot`, and why; without words that is taken back.
fn why_not(named: &str) -> Result<(&str, &str)> {
    named.split_once('=').with_context(|| format!("{named}: give the item and why, as ITEM=WORDS"))
}

async fn take_off(drafts: &Drafts, response: &pb::Response, numbers: &[usize]) -> Result<()> {
    for number in numbers {
        let file = number.checked_sub(1).and_then(|n| response.evidence.get(n));
        let name = file.with_context(|| format!("there is no file {number}"))?.name.clone();
        let message = pb::RemoveEvidenceRequest { request_id: Uuid::now_v7().to_string(), name };
        let token = drafts.token().await.map_err(Refused::from)?;
        let answer = drafts.connection.evidence().remove_evidence(request(Some(&token), message)).await;
        answer.map_err(Refused::from)?;
    }
    Ok(())
}

/// The request, for people or as JSON.
fn tell(response: &pb::Response, titles: &BTreeMap<String, String>, words: &Words, teller: &Teller) {
    let now_s = clock::now_s();
    if teller.is_json() {
        teller.value(&told(response, titles, now_s));
        return;
    }
    let (state, said) = (state(response, now_s), &words.answering);
    teller.heading(&format!("{} {}", response.request_kind.to_uppercase(), response.name));
    if let Some(deadline) = &response.deadline {
        let until = format!("{} ({}; {})", deadline.due_date, deadline.derivation, deadline.cite);
        teller.line(&said.due.replace("{}", &until));
    }
    match state {
        State::Open => {}
        State::Late => teller.line(said.late),
        State::Answered => teller.line(&said.answered.replace("{}", &teller.when(response.received_at_us))),
        State::Ended => teller.line(said.ended),
    }
    let missing = unanswered(response);
    for item in response.items.iter().chain(&response.optional_items) {
        let mark = if missing.contains(&item) {
            "+"
        } else if response.evidence.iter().any(|file| file.kind == *item) {
            "✓"
        } else if why_lacking(response, item).is_some() {
            "-"
        } else {
            "·"
        };
        teller.line(&format!("{mark} {} ({item})", title(item, titles, said)));
        if let Some(words) = why_lacking(response, item) {
            teller.line(&format!("    {}: {words}", said.cannot_be_provided));
        }
    }
    for (n, file) in response.evidence.iter().enumerate() {
        let checked = if file.being_checked { format!(" ({})", said.being_checked) } else { String::new() };
        teller.line(&format!("{:>3}. {}: {}{checked}", n + 1, file.kind, file.file_name));
        if !file.hard_to_read.is_empty() {
            teller.line(&hard_to_read(file, teller.language()));
        }
    }
    for file in &response.refused {
        teller.line(&said.refused.replace("{}", &format!("{} ({})", file.file_name, file.verdict)));
    }
}

fn told(response: &pb::Response, titles: &BTreeMap<String, String>, now_s: i64) -> Value {
    let words = &Words::of("en").answering;
    let items = |items: &[String]| {
        items
            .iter()
            .map(|item| json!({"item": item, "title": title(item, titles, words)}))
            .collect::<Vec<_>>()
    };
    let files = response.evidence.iter().map(|file| {
        json!({
            "name": file.name, "item": file.kind, "file": file.file_name, "being_checked": file.being_checked,
            "foreign_language": file.foreign_language, "hard_to_read": !file.hard_to_read.is_empty(),
        })
    });
    let lacking = response.explanations.iter();
    let lacking = lacking.map(|said| json!({"item": said.kind, "explanation": said.explanation}));
    let refused =
        response.refused.iter().map(|file| json!({"file": file.file_name, "verdict": file.verdict}));
    let deadline = response.deadline.clone().unwrap_or_default();
    json!({
        "name": response.name, "case": response.case, "request_kind": response.request_kind,
        "state": state(response, now_s).as_str(), "due_date": deadline.due_date, "derivation": deadline.derivation,
        "cite": deadline.cite, "zone": deadline.zone, "items": items(&response.items),
        "optional_items": items(&response.optional_items), "unanswered": unanswered(response),
        "files": files.collect::<Vec<_>>(), "cannot_be_provided": lacking.collect::<Vec<_>>(), "refused": refused.collect::<Vec<_>>(),
        "received_at_us": response.received_at_us, "closed_cause": response.closed_cause,
    })
}

/// Asks for a file for each item that has none, or why there is none, until the person leaves.
async fn led(
    who: &mut Guarded<'_>,
    mut response: pb::Response,
    titles: &BTreeMap<String, String>,
) -> Result<pb::Response> {
    let said = &who.words.answering;
    say(said.how);
    let wanted: Vec<String> =
        unanswered(&response).into_iter().chain(&response.optional_items).cloned().collect();
    for item in wanted {
        eprintln!();
        say(&title(&item, titles, said));
        if !ask_for(who, &response.name, &item).await? {
            break;
        }
    }
    response = again(&who.drafts, &response).await?;
    for file in response.evidence.iter().filter(|file| !file.hard_to_read.is_empty()) {
        say(&hard_to_read(file, &who.drafts.language));
    }
    Ok(response)
}

/// Asks for files for one item until they are attached, it is said why there are none, or it is left for later; false when the
/// person leaves.
async fn ask_for(who: &mut Guarded<'_>, response: &str, item: &str) -> Result<bool> {
    let (words, papers) = (who.words, &who.words.papers);
    loop {
        let Some(line) = who.ask.line(words.answering.a_file)? else { return Ok(false) };
        match line.as_str() {
            "!" | "<" => return Ok(false),
            "" => return Ok(true),
            "?" => {
                for more in [papers.files_taken, words.answering.cannot_be_had, papers.translation] {
                    say(more);
                }
            }
            line if line.starts_with('-') => {
                if explain(who, (response, item), line.trim_start_matches('-').trim()).await? {
                    return Ok(true);
                }
            }
            line => match paths(line, std::env::home_dir().as_deref(), Path::is_file) {
                Err(path) => say(&papers.no_such_file.replace("{}", &path.display().to_string())),
                Ok(paths) => {
                    let Some(foreign) = is_foreign(&mut who.ask, words)? else { continue };
                    let mut all = true;
                    for path in paths {
                        all &= attach_one(&who.drafts, words, (response, item), &path, foreign).await?;
                    }
                    if all {
                        return Ok(true);
                    }
                }
            },
        }
    }
}

/// Says why an item cannot be provided; true once that is noted.
async fn explain(who: &mut Guarded<'_>, (response, item): (&str, &str), words: &str) -> Result<bool> {
    let papers = &who.words.papers;
    let asked = if words.is_empty() { who.ask.line(papers.why_not)? } else { Some(words.to_owned()) };
    let Some(words) = asked.filter(|words| !words.is_empty()) else { return Ok(false) };
    match who.drafts.explain(response, item, &words).await {
        Ok(()) => {
            say(papers.noted);
            Ok(true)
        }
        Err(status) => verdict(item, status).map(|()| false),
    }
}

/// Sends the one answer. That something is left out is said by the person, never taken for granted.
async fn send(
    who: &mut Guarded<'_>,
    response: &pb::Response,
    titles: &BTreeMap<String, String>,
    partial: bool,
    teller: &Teller,
) -> Result<()> {
    let words = &who.words.answering;
    let missing = unanswered(response);
    let says_something = !(response.evidence.is_empty() && response.explanations.is_empty());
    let asks = !partial && !missing.is_empty() && says_something && !teller.is_json();
    if asks {
        let missing: Vec<String> = missing.iter().map(|item| title(item, titles, words)).collect();
        say(&words.partial.replace("{}", &missing.join(", ")));
        let answer = who.ask.yes_or_no(words.send_partial, words.partial_why)?;
        ensure!(answer == Said::Answer(Value::Bool(true)), words.not_sent);
    }
    let message = pb::SubmitResponseRequest {
        request_id: Uuid::now_v7().to_string(),
        name: response.name.clone(),
        partial_confirmed: partial || asks,
    };
    let sent = who.call(async |drafts, token| {
        patiently(|| {
            let (mut evidence, message) =
                (drafts.connection.evidence(), request(Some(token), message.clone()));
            async move { evidence.submit_response(message).await }
        })
        .await
    });
    let sent = sent.await?.into_inner().response.context("response")?;
    let is_late = sent.deadline.as_ref().is_some_and(|due| sent.received_at_us >= due.expires_at_us);
    if teller.is_json() {
        teller.value(&json!({
            "name": sent.name, "case": sent.case, "state": "answered", "received_at_us": sent.received_at_us,
            "late": is_late, "unanswered": unanswered(&sent),
        }));
        return Ok(());
    }
    teller.line(&words.answered.replace("{}", &teller.when(sent.received_at_us)));
    if is_late {
        teller.line(words.came_late);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_proto::types::v1::Deadline;

    fn asked() -> pb::Response {
        let deadline = Deadline { expires_at_us: 2_000_000, ..Deadline::default() };
        pb::Response {
            items: vec!["passport".into(), "lease".into()],
            evidence: vec![pb::Evidence { kind: "lease".into(), ..pb::Evidence::default() }],
            optional_items: vec!["rebuttal".into()],
            deadline: Some(deadline),
            ..pb::Response::default()
        }
    }

    #[test]
    fn a_request_waits_until_it_is_answered_or_ends_and_is_late_from_the_end_of_its_day_on() {
        assert_eq!(state(&asked(), 1), State::Open);
        assert_eq!(state(&asked(), 2), State::Late);
        assert!(state(&asked(), 2).may_be_sent(), "what comes late is kept");
        let answered = pb::Response { received_at_us: 1, ..asked() };
        assert_eq!(state(&answered, 9), State::Answered);
        let ended = pb::Response { closed_cause: "withdrawn".into(), ..asked() };
        assert_eq!(state(&ended, 9), State::Ended);
        assert!(!state(&answered, 9).may_be_sent() && !state(&ended, 9).may_be_sent());
    }

    #[test]
    fn what_is_asked_for_and_has_no_file_is_unanswered_and_what_may_be_sent_is_not() {
        assert_eq!(unanswered(&asked()), ["passport"]);
        let said =
            pb::MissingEvidence { kind: "passport".into(), explanation: "It was taken from me.".into() };
        let answered = pb::Response { explanations: vec![said], ..asked() };
        assert!(unanswered(&answered).is_empty(), "why it cannot be provided is an answer");
        let told = told(&answered, &BTreeMap::new(), 1);
        let why = json!([{"item": "passport", "explanation": "It was taken from me."}]);
        assert_eq!((&told["cannot_be_provided"], &told["unanswered"]), (&why, &json!([])));
    }

    #[test]
    fn why_an_item_cannot_be_provided_is_given_with_the_item_and_taken_back_without_words() {
        assert_eq!(why_not("passport=It was taken = lost.").unwrap(), ("passport", "It was taken = lost."));
        assert_eq!(why_not("passport=").unwrap(), ("passport", ""));
        assert!(why_not("passport").unwrap_err().to_string().contains("ITEM=WORDS"));
    }

    #[test]
    fn an_item_is_read_by_its_title_and_else_by_its_code() {
        let titles = BTreeMap::from([("lease".to_owned(), "A lease with both names".to_owned())]);
        let words = &Words::of("en").answering;
        assert_eq!(title("lease", &titles, words), "A lease with both names");
        assert_eq!(title("bank_records", &titles, words), "bank records");
        assert_eq!(title("rebuttal", &titles, words), words.rebuttal);
    }

    #[test]
    fn a_file_is_given_with_the_item_that_it_answers() {
        assert!(look("lease.pdf", false).unwrap_err().to_string().contains("ITEM=PATH"));
        let file = look("lease=Cargo.toml", false).unwrap();
        assert_eq!((file.kind(), file.file_name()), ("lease", "Cargo.toml"));
        assert!(look("lease=not-there.pdf", false).is_err(), "it is looked at before anything is sent");
    }
}
