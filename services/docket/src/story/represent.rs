//! Representation in a story: a client asks or not, a representative appears, the client consents, looks at what was prepared, and it
//! ends.
use super::act::Act;
use super::party::{PATIENCE, call, wait_for};
use super::player::{Answer, Player, command_id};
use crate::client::{passing, reason};
use anyhow::{Context, anyhow, ensure};
use docket_proto::case_status::v1 as cases;
use docket_proto::filing::v1 as filings;
use docket_proto::notifications::v1 as notifications;
use docket_proto::types::v1::MailingWishes;
use std::time::{Duration, Instant};
use tonic::{Code, Status, Streaming};

/// After this a former representative sees nothing any more.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// An appearance as the story knows it.
#[derive(Clone, Debug)]
pub struct Appearance {
    /// `representations/<uuid>`.
    pub name: String,
    /// The client's code.
    pub code: String,
}

/// Acts of representation.
#[expect(clippy::wildcard_enum_match_arm, reason = "the player sorts the acts")]
pub async fn act(player: &mut Player, who: &str, act: &Act) -> Answer {
    match act {
        Act::AppointRepresentative {} => appoint(player, who).await,
        Act::PrepareRepresentation { of, answers, asked } => prepare(player, who, of, answers, *asked).await,
        Act::SeeRepresentations { states } => see_representations(player, who, states).await,
        Act::AcceptRepresentation { answers } => accept(player, who, answers).await,
        Act::RefuseRepresentation {} => {
            let client_code = appearance(player, who)?.code;
            let message = filings::RefuseRepresentationRequest { request_id: command_id(), client_code };
            let answer = call!(player, player.token(who)?, representations, refuse_representation, message)?;
            told(answer.representation)
        }
        Act::ChangeWishes { notices_to_representative, cards_to_representative } => {
            let wishes = MailingWishes {
                notices_to_representative: *notices_to_representative,
                documents_to_representative: *cards_to_representative,
                i94_to_client: true,
            };
            change_wishes(player, who, wishes).await
        }
        Act::EndRepresentation {} => {
            let name = appearance(player, who)?.name;
            let message = filings::EndRepresentationRequest { request_id: command_id(), name };
            let answer = call!(player, player.token(who)?, representations, end_representation, message)?;
            told(answer.representation)
        }
        Act::RefuseAppearance { reason } => {
            let (request_id, filing, reason) = (command_id(), filing(player), reason.clone());
            let message = filings::RefuseAppearanceRequest { request_id, filing, reason };
            let answer = call!(player, player.token(who)?, representations, refuse_appearance, message)?;
            told(answer.representation)
        }
        Act::EndAppearances { of, reason, ended } => end_all(player, who, (of, reason), *ended).await,
        Act::ReinstateRepresentative { of } => reinstate(player, who, of).await,
        Act::AskReview {} => {
            let (request_id, name) = (command_id(), filing(player));
            let message = filings::AskReviewRequest { request_id, name, language: String::new() };
            let answer = call!(player, player.token(who)?, drafts, ask_review, message)?;
            review(answer.filing, "asked")
        }
        Act::ReturnFiling { remark } => {
            let (request_id, name, remark) = (command_id(), filing(player), remark.clone());
            let language = String::new();
            let message = filings::ReturnFilingRequest { request_id, name, remark, language };
            let answer = call!(player, player.token(who)?, drafts, return_filing, message)?;
            review(answer.filing, "returned")
        }
        Act::SeeRemark { words } => {
            let message = filings::GetFilingRequest { name: filing(player), language: String::new() };
            let seen = call!(player, player.token(who)?, drafts, get_filing, message)?.filing;
            let seen = seen.context("filing")?;
            if seen.review != "returned" || !seen.remark.contains(words) {
                return Err(anyhow!("review {}, remark {:?}", seen.review, seen.remark).into());
            }
            Ok(format!("the client wants: {}", seen.remark))
        }
        Act::ApproveFiling {} => approve(player, who).await,
        Act::WithdrawRepresentation { of } => {
            let name = appearance(player, of)?.name;
            let message = filings::WithdrawRepresentationRequest { request_id: command_id(), name };
            let answer =
                call!(player, player.token(who)?, representations, withdraw_representation, message)?;
            told(answer.representation)
        }
        Act::WatchCase {} => watch(player, who).await,
        Act::SeeNothing {} => see_nothing(player, who).await,
        other => Err(anyhow!("{other:?} is no act of representation").into()),
    }
}

/// The appearance that was made for a client.
fn appearance(player: &Player, client: &str) -> anyhow::Result<Appearance> {
    player.appearances.get(client).cloned().with_context(|| format!("nobody appeared for {client}"))
}

fn told(representation: Option<filings::Representation>) -> Answer {
    Ok(format!("the appearance is {}", representation.context("representation")?.state))
}

fn filing(player: &Player) -> String {
    player.matter.filing.clone()
}

fn review(filing: Option<filings::Filing>, expected: &str) -> Answer {
    let review = filing.context("filing")?.review;
    if review != expected {
        return Err(anyhow!("the review is {review}, not {expected}").into());
    }
    Ok(format!("review: {review}"))
}

fn typed_name(player: &Player, who: &str) -> anyhow::Result<String> {
    let row = &player.person(who)?.row;
    Ok(format!("{} {}", row.given_name, row.family_name).trim().to_owned())
}

/// The client asks for a representative, and keeps the code to hand over.
async fn appoint(player: &mut Player, who: &str) -> Answer {
    let message = filings::AppointRepresentativeRequest { request_id: command_id(), filing: filing(player) };
    let answer = call!(player, player.token(who)?, representations, appoint_representative, message)?;
    let sought = answer.representation.context("representation")?;
    let told = format!("{} for {}; the representative gets a code", sought.state, sought.filing);
    let appearance = Appearance { name: sought.name, code: answer.code };
    player.appearances.insert(who.to_owned(), appearance);
    Ok(told)
}

/// The office ends all appearances of somebody.
async fn end_all(player: &Player, who: &str, (of, reason): (&str, &str), wanted: usize) -> Answer {
    let representative = player.person(of)?.account.clone();
    let (request_id, reason) = (command_id(), reason.to_owned());
    let message = filings::EndAppearancesRequest { request_id, representative, reason };
    let ended = call!(player, player.token(who)?, representations, end_appearances, message)?.ended;
    if ended.len() != wanted {
        return Err(anyhow!("{} appearances ended, not {wanted}", ended.len()).into());
    }
    Ok(format!("{} appearances of {of} ended", ended.len()))
}

/// The office lets somebody represent again.
async fn reinstate(player: &Player, who: &str, of: &str) -> Answer {
    let representative = player.person(of)?.account.clone();
    let message = filings::ReinstateRepresentativeRequest { request_id: command_id(), representative };
    call!(player, player.token(who)?, representations, reinstate_representative, message)?;
    Ok(format!("{of} may represent again"))
}

/// The client alone says anew where papers go.
async fn change_wishes(player: &Player, who: &str, wishes: MailingWishes) -> Answer {
    let (request_id, name) = (command_id(), appearance(player, who)?.name);
    let message = filings::ChangeRepresentationWishesRequest { request_id, name, wishes: Some(wishes) };
    let answer = call!(player, player.token(who)?, representations, change_representation_wishes, message)?;
    let changed = answer.representation.context("representation")?;
    if changed.wishes != Some(wishes) {
        return Err(anyhow!("the wishes are {:?}", changed.wishes).into());
    }
    let whose = |representative| if representative { "the representative" } else { "the client" };
    let (cards, originals) =
        (whose(wishes.documents_to_representative), whose(wishes.notices_to_representative));
    Ok(format!("cards go to {cards}, originals to {originals}"))
}

async fn see_representations(player: &Player, who: &str, states: &[String]) -> Answer {
    let message = filings::ListRepresentationsRequest { page_size: 100, ..Default::default() };
    let answer = call!(player, player.token(who)?, representations, list_representations, message)?;
    let seen: Vec<String> = answer.representations.into_iter().map(|one| one.state).collect();
    if seen != states {
        return Err(anyhow!("they are {seen:?}, not {states:?}").into());
    }
    Ok(format!("listed: {}", seen.join(", ")))
}

async fn prepare(player: &mut Player, who: &str, of: &str, answers: &toml::Table, asked: bool) -> Answer {
    let appointment_code = if asked { appearance(player, of)?.code } else { String::new() };
    let message = filings::PrepareRepresentationRequest {
        request_id: command_id(),
        answers_json: serde_json::to_string(answers).context("answers")?,
        typed_name: typed_name(player, who)?,
        appointment_code: appointment_code.clone(),
    };
    let answer = call!(player, player.token(who)?, representations, prepare_representation, message)?;
    let prepared = answer.representation.context("representation")?;
    let gets = if asked { "the client has the code" } else { "the client gets a code" };
    let told = format!("{} for {}; {gets}", prepared.state, prepared.forms.join(", "));
    let code = if asked { appointment_code } else { answer.client_code };
    let appearance = Appearance { name: prepared.name, code };
    player.appearances.insert(of.to_owned(), appearance);
    Ok(told)
}

/// The client looks at what the representative signed, and consents.
async fn accept(player: &Player, who: &str, answers: &toml::Table) -> Answer {
    let client_code = appearance(player, who)?.code;
    let message = filings::GetRepresentationRequest { name: String::new(), client_code: client_code.clone() };
    let seen = call!(player, player.token(who)?, representations, get_representation, message)?;
    let seen = seen.representation.context("representation")?;
    let message = filings::AcceptRepresentationRequest {
        request_id: command_id(),
        client_code,
        content_hash: seen.content_hash,
        answers_json: serde_json::to_string(answers).context("answers")?,
        typed_name: typed_name(player, who)?,
    };
    let answer = call!(player, player.token(who)?, representations, accept_representation, message)?;
    let accepted = answer.representation.context("representation")?;
    Ok(format!(
        "{} lines read and signed; the representation is {}",
        seen.text.lines().count(),
        accepted.state
    ))
}

async fn approve(player: &Player, who: &str) -> Answer {
    let message = filings::ReviewFilingRequest { name: filing(player) };
    let seen = call!(player, player.token(who)?, drafts, review_filing, message)?;
    let message = filings::ApproveFilingRequest {
        request_id: command_id(),
        name: filing(player),
        content_hash: seen.content_hash,
        language: String::new(),
    };
    let answer = call!(player, player.token(who)?, drafts, approve_filing, message)?;
    review(answer.filing, "approved")
}

/// Opens a live watch of the case at hand and keeps it open.
async fn watch(player: &mut Player, who: &str) -> Answer {
    let message = cases::WatchCaseRequest { name: player.case(), after_version: 0, language: String::new() };
    let mut stream: Streaming<_> = call!(player, player.token(who)?, status, watch_case, message)?;
    let first = stream.message().await?.context("the watch ended")?;
    player.watch = Some(stream);
    Ok(format!("watching: {}", first.case.context("case")?.title))
}

/// Whoever acts no longer is told of nothing: the open watch ends, and the case, the filing and the notices are not there.
async fn see_nothing(player: &mut Player, who: &str) -> Answer {
    let begun = Instant::now();
    let ends_within = if player.disturbed { PATIENCE } else { ENDS_WITHIN };
    if let Some(mut stream) = player.watch.take() {
        let ended = tokio::time::timeout(ends_within, async {
            loop {
                match stream.message().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return None,
                    Err(status) => return Some(status),
                }
            }
        });
        let status =
            ended.await.context("the watch is still open")?.context("the watch ended without a word")?;
        // One that broke with its server has ended too.
        if !(player.disturbed && passing(&status)) {
            ensure_not_found("the watch", &status)?;
        }
    }
    let (case, filing) = (player.case(), filing(player));
    wait_for("nothing is there any more", async || {
        let message = cases::GetCaseRequest { name: case.clone(), language: String::new(), min_version: 0 };
        let Err(status) = call!(player, player.token(who)?, status, get_case, message) else {
            return Ok(None);
        };
        if !is_gone("the case", &status)? {
            return Ok(None);
        }
        let message = notifications::ListNoticesRequest { case: case.clone(), ..Default::default() };
        let Err(status) = call!(player, player.token(who)?, inbox, list_notices, message) else {
            return Ok(None);
        };
        if !is_gone("the notices", &status)? {
            return Ok(None);
        }
        let message = filings::GetFilingRequest { name: filing.clone(), language: String::new() };
        let Err(status) = call!(player, player.token(who)?, drafts, get_filing, message) else {
            return Ok(None);
        };
        if !is_gone("the filing", &status)? {
            return Ok(None);
        }
        Ok(Some(()))
    })
    .await?;
    if begun.elapsed() > ends_within {
        return Err(anyhow!("it took {:?}", begun.elapsed()).into());
    }
    Ok("the open watch ended; the case, its notices and the filing are not there for them any more"
        .to_owned())
}

/// Whether it is not there any more: who may not do this but still something else is told so.
fn is_gone(what: &str, status: &Status) -> anyhow::Result<bool> {
    if status.code() == Code::PermissionDenied {
        return Ok(false);
    }
    ensure_not_found(what, status).map(|()| true)
}

fn ensure_not_found(what: &str, status: &Status) -> anyhow::Result<()> {
    ensure!(status.code() == Code::NotFound, "{what}: {} {}", reason(status), status.message());
    Ok(())
}
