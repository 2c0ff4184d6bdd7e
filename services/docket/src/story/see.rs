//! What people see after a step: the party, the officer, and a stranger, who sees nothing.
use super::file::{See, View};
use super::party::{call, wait_for};
use super::people::Person;
use super::player::{Answer, Player, Stumble};
use super::texts::told_by_text;
use crate::client::{patiently, reason, request, whole_notice};
use anyhow::{Context, Result, anyhow, ensure};
use docket_proto::case_status::v1 as cases;
use docket_proto::identity::v1 as identity;
use docket_proto::log::v1 as log;
use docket_proto::notifications::v1 as notifications;
use docket_proto::types::v1::AppointmentSlot;
use serde_json::Value;

/// Checks the views of a step; gives the applicant's title to tell.
pub async fn check(player: &Player, see: &See) -> Result<String> {
    let mut told = String::new();
    let views = [
        ("applicant", &see.applicant),
        ("petitioner", &see.petitioner),
        ("representative", &see.representative),
        ("officer", &see.officer),
    ];
    for (part, view) in views {
        let Some(view) = view else { continue };
        let ids: Vec<String> = player
            .people
            .values()
            .filter(|p| p.row.part == part && p.token().is_some())
            .map(|p| p.row.id.clone())
            .collect();
        let id = ids
            .iter()
            .find(|id| player.person(id).is_ok_and(|p| p.row.id == **id))
            .context("nobody of that part has signed in")?;
        let id =
            if part == "officer" { officer(player).await.unwrap_or_else(|| id.clone()) } else { id.clone() };
        let seen = see_case(player, &id, view).await.map_err(|stumble| plain(part, stumble))?;
        if part == "applicant" {
            told = format!("shown: {}", seen.title);
        }
    }
    if !player.matter.filing.is_empty() {
        strangers(player).await?;
    }
    Ok(told)
}

/// An officer who may open the case now.
async fn officer(player: &Player) -> Option<String> {
    for person in player.people.values().filter(|p| p.row.part == "officer" && p.token().is_some()) {
        let message = cases::GetCaseRequest { name: player.case(), language: String::new(), min_version: 0 };
        let token = person.access_token.clone();
        if call!(player, token, status, get_case, message).is_ok() {
            return Some(person.row.id.clone());
        }
    }
    None
}

fn plain(part: &str, stumble: Stumble) -> anyhow::Error {
    match stumble {
        Stumble::Refused(status) => {
            anyhow!("the {part} is refused the case: {} {}", reason(&status), status.message())
        }
        Stumble::Failed(error) => error.context(format!("what the {part} sees")),
    }
}

/// The case as somebody reads it in their language.
async fn see_case(player: &Player, who: &str, view: &View) -> Result<cases::Case, Stumble> {
    let language = &player.person(who)?.row.language;
    let mut last = String::new();
    let seen = wait_for("the view is as told", async || {
        let (name, language, min_version) = (player.case(), language.clone(), player.matter.version);
        let message = cases::GetCaseRequest { name, language: language.clone(), min_version };
        let Ok(answer) = call!(player, player.token(who)?, status, get_case, message) else {
            return Ok(None);
        };
        let case = answer.case.context("case")?;
        let message = cases::ListTimelineRequest { name: player.case(), language, as_of_us: 0 };
        let Ok(timeline) = call!(player, player.token(who)?, status, list_timeline, message) else {
            return Ok(None);
        };
        let kinds: Vec<String> = timeline.entries.iter().map(|entry| short(&entry.kind)).collect();
        let lines = timeline.entries.iter().map(|entry| entry.text.as_str());
        let texts = [&case.title, &case.explanation, &case.next_step].map(String::as_str);
        let said: Vec<&str> = texts.into_iter().chain(lines).collect();
        last = format!("title {}, timeline {kinds:?}, texts {said:#?}", case.title_id);
        let fits = view.title.as_ref().is_none_or(|title| *title == case.title_id)
            && view.lines.iter().all(|line| kinds.contains(line))
            && !view.hidden.iter().any(|line| kinds.contains(line))
            && view.says.iter().all(|words| said.iter().any(|text| text.contains(words)));
        Ok(fits.then_some(case))
    })
    .await;
    seen.map_err(|stumble| match stumble {
        Stumble::Failed(error) => {
            Stumble::Failed(error.context(format!("{who} should see {view:?}, but saw {last}")))
        }
        refused @ Stumble::Refused(_) => refused,
    })
}

/// `case.opened.v1` → `opened`.
fn short(kind: &str) -> String {
    kind.split('.').nth(1).unwrap_or(kind).to_owned()
}

/// Whoever has nothing to do with the case finds nothing: not the case, not its timeline, not the filing.
async fn strangers(player: &Player) -> Result<()> {
    for person in player.people.values().filter(|p| p.row.part == "stranger" && p.token().is_some()) {
        let token = || person.access_token.clone();
        let message = cases::GetCaseRequest { name: player.case(), language: String::new(), min_version: 0 };
        expect_nothing("the case", call!(player, token(), status, get_case, message).err())?;
        let message =
            cases::ListTimelineRequest { name: player.case(), language: String::new(), as_of_us: 0 };
        expect_nothing("the timeline", call!(player, token(), status, list_timeline, message).err())?;
        let message = docket_proto::filing::v1::GetFilingRequest {
            name: player.matter.filing.clone(),
            language: String::new(),
        };
        expect_nothing("the filing", call!(player, token(), drafts, get_filing, message).err())?;
        let message =
            cases::ListCasesRequest { page_size: 0, page_token: String::new(), language: String::new() };
        let cases = call!(player, token(), status, list_cases, message)
            .map_err(|status| anyhow!("the stranger's own list: {}", status.message()))?;
        ensure!(cases.cases.is_empty(), "a stranger's list holds {} case(s)", cases.cases.len());
    }
    Ok(())
}

fn expect_nothing(what: &str, refused: Option<tonic::Status>) -> Result<()> {
    let status = refused.with_context(|| format!("a stranger sees {what}"))?;
    ensure!(
        status.code() == tonic::Code::NotFound,
        "a stranger asking for {what} should be told NOT_FOUND, not {:?}",
        status.code()
    );
    Ok(())
}

/// Finds a notice in somebody's inbox, reads its PDF whole, and sees the words that must stand there.
pub async fn notice(player: &Player, who: &str, kind: &str, says: &[String]) -> Answer {
    let (found, pdf) =
        wait_for(&format!("a notice {kind:?} that says {says:?} is in the inbox"), async || {
            let message = notifications::ListNoticesRequest {
                case: player.case(),
                page_size: 100,
                page_token: String::new(),
            };
            let Ok(answer) = call!(player, player.token(who)?, inbox, list_notices, message) else {
                return Ok(None);
            };
            // The last of a kind; where it says something else, the one that is meant is still to come.
            let Some(last) = answer.notices.into_iter().find(|notice| notice.kind == kind) else {
                return Ok(None);
            };
            let pdf = page(player, who, &last.name).await?;
            let text = if says.is_empty() { String::new() } else { text_of(&pdf)? };
            Ok(says.iter().all(|words| text.contains(words)).then_some((last, pdf)))
        })
        .await?;
    if !pdf.starts_with(b"%PDF-") || pdf.len() as u64 != found.size {
        return Err(anyhow!("the notice is no whole PDF: {} of {} bytes", pdf.len(), found.size).into());
    }
    Ok(format!(
        "{} ({}), PDF of {} bytes, served {}",
        found.title,
        found.official_name,
        pdf.len(),
        found.served_on_date
    ))
}

/// A notice as it is handed out.
async fn page(player: &Player, who: &str, name: &str) -> Result<Vec<u8>, Stumble> {
    let token = player.token(who)?;
    let pdf = patiently(|| {
        let mut inbox = player.connection.inbox();
        let message = notifications::DownloadNoticeRequest { name: name.to_owned() };
        let message = request(token.as_deref(), message);
        async move { whole_notice(inbox.download_notice(message).await?.into_inner()).await }
    });
    Ok(pdf.await?)
}

/// The text of a PDF, with blanks and line ends as single blanks.
fn text_of(pdf: &[u8]) -> Result<String> {
    let document = lopdf::Document::load_mem(pdf).context("the notice is no PDF")?;
    let pages: Vec<u32> = document.get_pages().keys().copied().collect();
    let text = document.extract_text(&pages).context("the text of the notice")?;
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Counts what happened outside: charges and refunds at the processor, notices in the inbox; mails and texts that tell of notices, all of
/// them to that person, where their number is said.
pub async fn count(
    player: &Player,
    who: &str,
    charges_and_refunds: [u64; 2],
    notices: &[String],
    [mails_wanted, texts_wanted]: [Option<usize>; 2],
) -> Answer {
    let mut last = [0, 0];
    let counted = wait_for("every charge and refund is there once", async || {
        last = at_the_processor(player).await?;
        Ok((last == charges_and_refunds).then_some(last))
    })
    .await;
    let [succeeded, refunds] = counted.map_err(|_| {
        anyhow!("{last:?} charges and refunds at the processor, {charges_and_refunds:?} expected")
    })?;
    let mut want = notices.to_vec();
    want.sort();
    let mut last = Vec::new();
    let counted = wait_for("every notice is there once", async || {
        let message = notifications::ListNoticesRequest {
            case: player.case(),
            page_size: 100,
            page_token: String::new(),
        };
        let answer = call!(player, player.token(who)?, inbox, list_notices, message)?;
        last = answer.notices.into_iter().map(|notice| notice.kind).collect();
        last.sort();
        Ok((last == want).then_some(last.len()))
    })
    .await;
    let count = counted.map_err(|_| anyhow!("notices {last:?}, expected {want:?}"))?;
    let person = player.person(who)?;
    let mails = mails(player, &person.email, "").await?;
    if let Some(wanted) = mails_wanted {
        told_by_mail(player, person, wanted).await?;
    }
    let texts = match texts_wanted {
        Some(wanted) => format!(", {} texts", told_by_text(player, who, wanted).await?),
        None => String::new(),
    };
    let refunds = if refunds == 0 { String::new() } else { format!(", {refunds} refunded") };
    Ok(format!(
        "{succeeded} charge at the processor{refunds}, {count} notices, {mails} mails{texts}; no mail twice"
    ))
}

/// Successful charges and refunds of this story's payment, as the processor has them.
async fn at_the_processor(player: &Player) -> Result<[u64; 2], Stumble> {
    let url = format!("{}/sandbox/charges", player.addresses.sandbox);
    let counted = player
        .http
        .get(url)
        .query(&[("payment", &player.matter.package)])
        .send()
        .await
        .context("the processor")?;
    let counted: Value = counted.json().await.context("the processor")?;
    Ok(["succeeded", "refunds"].map(|what| counted[what].as_u64().unwrap_or_default()))
}

/// So many mails tell somebody of notices. While something is killed a mail may be put off for longer than a story takes.
async fn told_by_mail(player: &Player, person: &Person, wanted: usize) -> Result<(), Stumble> {
    let subject = if person.row.language == "es" { "Tiene un aviso nuevo" } else { "You have a new notice" };
    let mut last = 0;
    let counted = wait_for("every mail is there once", async || {
        last = mails(player, &person.email, subject).await?;
        Ok((last == wanted || (player.disturbed && last < wanted)).then_some(()))
    })
    .await;
    counted.map_err(|_| anyhow!("{last} mails tell of notices, {wanted} expected").into())
}

/// Counts the mails to somebody with these words in the subject and sees that no message was sent twice.
async fn mails(player: &Player, to: &str, subject: &str) -> Result<usize, Stumble> {
    let url = format!("{}/mail/messages", player.addresses.mail);
    let query = [("to", to), ("subject", subject), ("limit", "500")];
    let answer = player.http.get(url).query(&query).send().await.context("mail")?;
    let answer: Value = answer.json().await.context("mail")?;
    let ids: Vec<String> = answer["messages"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|m| m["message_id"].as_str().unwrap_or_default().to_owned())
        .collect();
    let mut unique = ids.clone();
    unique.sort();
    unique.dedup();
    if unique.len() != ids.len() {
        return Err(anyhow!("{} mails, but only {} different ones", ids.len(), unique.len()).into());
    }
    Ok(ids.len())
}

/// What is owed of the case's fee, once it is that.
pub async fn fee_owed(player: &Player, who: &str, cents: i64) -> Answer {
    let seen = wait_for(&format!("{cents} cents are owed"), async || {
        let message = cases::GetCaseRequest { name: player.case(), language: String::new(), min_version: 0 };
        let case = call!(player, player.token(who)?, status, get_case, message)?.case;
        Ok(case.filter(|case| case.fee_owed.as_ref().map_or(0, |owed| owed.cents) == cents))
    })
    .await?;
    Ok(match seen.fee_deadline {
        Some(deadline) => format!(
            "{} owed until {} ({}); the case is {}",
            crate::commands::amount(cents),
            deadline.due_date,
            deadline.cite,
            seen.stage
        ),
        None => format!("nothing is owed; the case is {}", seen.stage),
    })
}

/// How many files were added unasked and are new to the office.
pub async fn new_evidence(player: &Player, who: &str, files: u32) -> Answer {
    let seen = wait_for(&format!("{files} new files"), async || {
        let message = cases::GetCaseRequest { name: player.case(), language: String::new(), min_version: 0 };
        let case = call!(player, player.token(who)?, status, get_case, message)?.case;
        Ok(case.filter(|case| case.new_evidence == files))
    })
    .await?;
    Ok(format!("{files} files came unasked and are new; the case is {}", seen.stage))
}

/// The address of record of somebody's own account, once it has these words.
pub async fn address(player: &Player, who: &str, words: &str) -> Answer {
    let seen = wait_for(&format!("the address says {words:?}"), async || {
        let message = identity::GetAccountRequest {};
        let account = call!(player, player.token(who)?, accounts, get_account, message)?.account;
        Ok(account.filter(|account| account.postal_address.contains(words)))
    })
    .await?;
    Ok(format!("address of record: {}; zone {}", seen.postal_address.replace('\n', ", "), seen.zone))
}

/// That the open request is due when it was due when it was made.
pub async fn due_date(player: &Player, who: &str, zone: &str) -> Answer {
    let seen = wait_for("the request is served", async || {
        let message = cases::GetCaseRequest { name: player.case(), language: String::new(), min_version: 0 };
        let case = call!(player, player.token(who)?, status, get_case, message)?.case;
        Ok(case.and_then(|case| case.deadline))
    })
    .await?;
    if seen.due_date != player.matter.due_date || seen.zone != zone {
        return Err(anyhow!("due {} in {}, not {}", seen.due_date, seen.zone, player.matter.due_date).into());
    }
    Ok(format!("still due {} ({})", seen.due_date, seen.zone))
}

/// That the log of a service holds events of these kinds.
pub async fn in_log(player: &Player, who: &str, service: &str, kinds: &[String]) -> Answer {
    for kind in kinds {
        wait_for(&format!("{kind} is in the log of {service}"), async || {
            let start = Some(log::read_log_request::Start::Last(1));
            let message = log::ReadLogRequest { start, kind: kind.clone(), ..Default::default() };
            let mut client = player.connection.log_admin(service)?;
            // A role or a clock may be known to the service in a moment only.
            let Ok(answer) = client.read_log(request(player.person(who)?.token(), message)).await else {
                return Ok(None);
            };
            let batch = answer.into_inner().message().await?;
            Ok(batch.filter(|batch| !batch.events.is_empty()).map(drop))
        })
        .await?;
    }
    Ok(format!("in the log of {service}: {}", kinds.join(", ")))
}

/// An appointment as people read it.
pub fn slot(slot: &AppointmentSlot) -> Result<String> {
    let zone = jiff::tz::TimeZone::get(&slot.zone).context("zone of the office")?;
    let at = jiff::Timestamp::from_microsecond(slot.starts_at_us)?.to_zoned_datetime(zone);
    Ok(format!("{} at {}", at.strftime("%A, %B %-d, %Y, %-I:%M %p %Z"), slot.place))
}
