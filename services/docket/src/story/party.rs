//! What the party does: an account, a form, evidence, signature, money, the inbox.
use super::act::Act;
use super::evidence::upload;
use super::player::{Answer, Player, Stumble, command_id};
use super::see;
use crate::client::reason;
use crate::commands::amount;
use anyhow::{Context, anyhow, bail, ensure};
use docket_proto::case_status::v1 as cases;
use docket_proto::filing::v1 as filings;
use docket_proto::identity::v1 as identity;
use docket_proto::notifications::v1 as notifications;
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Patience for what another service does in its own time.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// Calls a service patiently with one message: `call!(player, token, drafts, start_draft, message)`.
macro_rules! call {
    ($player:expr, $token:expr, $service:ident, $method:ident, $message:expr) => {{
        let (token, message): (Option<String>, _) = ($token, $message);
        $crate::client::patiently(|| {
            let mut client = $player.connection.$service();
            let message = $crate::client::request(token.as_deref(), message.clone());
            async move { client.$method(message).await }
        })
        .await
        .map(tonic::Response::into_inner)
    }};
}
pub(super) use call;

/// Acts on an account.
#[expect(clippy::wildcard_enum_match_arm, reason = "the player sorts the acts")]
pub async fn account(player: &mut Player, who: &str, act: &Act) -> Answer {
    match act {
        Act::BeKnownToTheRegister {} => be_known(player, who).await,
        Act::Register {} => register(player, who).await,
        Act::ConfirmEmail { wrong } => confirm_email(player, who, *wrong).await,
        Act::SetUpTotp {} => set_up_totp(player, who).await,
        Act::SignIn { wrong_password } => sign_in(player, who, *wrong_password).await,
        Act::SignInWithRecoveryCode {} => recover(player, who).await,
        Act::ReplaceApp {} => replace_app(player, who).await,
        Act::ChangeEmail {} => change_email(player, who).await,
        Act::StepUp {} => step_up(player, who).await,
        Act::SignOut {} => sign_out(player, who).await,
        Act::TakeRole { role } => take_role(player, who, role).await,
        Act::ProveIdentity { wrong_a_number } => prove_identity(player, who, *wrong_a_number).await,
        other => Err(anyhow!("{other:?} is no act on an account").into()),
    }
}

async fn be_known(player: &Player, who: &str) -> Answer {
    let person = player.person(who)?;
    let row = &person.row;
    let body = serde_json::json!({
        "family_name": row.family_name, "given_name": row.given_name,
        "date_of_birth": row.birth_date, "a_number": person.a_number,
    });
    let url = format!("{}/register/persons", player.addresses.sandbox);
    let answer = player.http.post(url).json(&body).send().await.context("the register")?;
    answer.error_for_status().context("the register")?;
    Ok(format!("the register of persons knows {} {}", row.given_name, row.family_name))
}

async fn register(player: &mut Player, who: &str) -> Answer {
    let person = player.person(who)?;
    let message = identity::RegisterRequest {
        request_id: command_id(),
        email: person.email.clone(),
        password: person.password.clone(),
        language: person.row.language.clone(),
        zone: person.row.zone.clone(),
    };
    let answer = call!(player, None, accounts, register, message)?;
    let email = player.person(who)?.email.clone();
    player.person_mut(who)?.registration_token = answer.registration_token;
    Ok(format!("account opened for {email}; a code is on its way there"))
}

async fn confirm_email(player: &mut Player, who: &str, wrong: bool) -> Answer {
    let person = player.person(who)?;
    let right = mailed_code(player, &person.email).await?;
    let code = if wrong { if right == "000000" { "000001" } else { "000000" } } else { &right };
    let message = identity::ConfirmEmailRequest {
        request_id: command_id(),
        registration_token: person.registration_token.clone(),
        code: code.to_owned(),
    };
    call!(player, None, accounts, confirm_email, message)?;
    Ok("the address is proven".to_owned())
}

/// The six digits in the last mail to an address.
async fn mailed_code(player: &Player, to: &str) -> Answer {
    let mail = mail_text(player, to, "").await?;
    let digits = mail.split(|c: char| !c.is_ascii_digit()).find(|word| word.len() == 6);
    Ok(digits.with_context(|| format!("no six digits in the mail: {mail}"))?.to_owned())
}

/// Has another address for the account, and sees that the one before is told.
async fn change_email(player: &mut Player, who: &str) -> Answer {
    step_up(player, who).await?;
    let before = player.person(who)?.email.clone();
    let email = format!("new.{before}");
    let message = identity::RequestEmailChangeRequest { request_id: command_id(), email: email.clone() };
    call!(player, player.token(who)?, accounts, request_email_change, message)?;
    let code = mailed_code(player, &email).await?;
    let message = identity::ConfirmEmailChangeRequest { request_id: command_id(), code };
    call!(player, player.token(who)?, accounts, confirm_email_change, message)?;
    mail_text(
        player,
        &before,
        if player.person(who)?.row.language == "es" { "Su cuenta tiene" } else { "Your account has" },
    )
    .await?;
    let person = player.person_mut(who)?;
    person.email = email;
    Ok("the account has another e-mail address; the one before was told".to_owned())
}

async fn set_up_totp(player: &mut Player, who: &str) -> Answer {
    let registration_token = player.person(who)?.registration_token.clone();
    let message = identity::BeginTotpRequest {
        request_id: command_id(),
        registration_token: registration_token.clone(),
    };
    let answer = call!(player, None, accounts, begin_totp, message)?;
    player.person_mut(who)?.totp_secret = answer.secret;
    with_code(player, who, async |player, code| confirm_totp(player, who, &registration_token, code).await)
        .await
}

async fn confirm_totp(player: &mut Player, who: &str, registration_token: &str, code: String) -> Answer {
    let registration_token = registration_token.to_owned();
    let message = identity::ConfirmTotpRequest { request_id: command_id(), registration_token, code };
    let answer = call!(player, None, accounts, confirm_totp, message)?;
    let told = format!("the authenticator works; {} recovery codes to keep", answer.recovery_codes.len());
    let person = player.person_mut(who)?;
    (person.account, person.recovery_codes) = (answer.account, answer.recovery_codes);
    Ok(told)
}

/// Does what needs a code of the authenticator; once more with a later one where the first has run out since, as who typed it
/// while a service was away does when it is back.
async fn with_code(
    player: &mut Player,
    who: &str,
    act: impl AsyncFn(&mut Player, String) -> Answer,
) -> Answer {
    let code = player.person_mut(who)?.code().await?;
    let answer = act(player, code).await;
    if answer.is_ok() || !player.person(who)?.code_ran_out() {
        return answer;
    }
    let code = player.person_mut(who)?.code().await?;
    act(player, code).await
}

pub(super) async fn sign_in(player: &mut Player, who: &str, wrong_password: bool) -> Answer {
    let password = player.person(who)?.password.clone();
    if wrong_password {
        return sign_in_with(player, who, &format!("{password}!"), "000000".to_owned()).await;
    }
    with_code(player, who, async |player, code| sign_in_with(player, who, &password, code).await).await
}

async fn sign_in_with(player: &mut Player, who: &str, password: &str, code: String) -> Answer {
    let (email, password) = (player.person(who)?.email.clone(), password.to_owned());
    let message = identity::SignInRequest { request_id: command_id(), email, password, code };
    let answer = call!(player, None, sessions, sign_in, message)?;
    player.person_mut(who)?.take_tokens(answer.tokens.context("tokens")?);
    Ok("signed in with password and authenticator".to_owned())
}

/// Signs in with the next recovery code.
pub(super) async fn recover(player: &mut Player, who: &str) -> Answer {
    let person = player.person_mut(who)?;
    let code = person.recovery_codes.pop().context("no recovery code is left")?;
    let (email, password) = (person.email.clone(), person.password.clone());
    let message = identity::SignInRequest { request_id: command_id(), email, password, code };
    let answer = call!(player, None, sessions, sign_in, message)?;
    player.person_mut(who)?.take_tokens(answer.tokens.context("tokens")?);
    Ok("signed in with password and a recovery code".to_owned())
}

/// Puts a new app in the place of the one that is lost.
async fn replace_app(player: &mut Player, who: &str) -> Answer {
    let code = player.person_mut(who)?.recovery_codes.pop().context("no recovery code is left")?;
    let message = identity::BeginTotpReplacementRequest { request_id: command_id(), code };
    let answer = call!(player, player.token(who)?, accounts, begin_totp_replacement, message)?;
    player.person_mut(who)?.totp_secret = answer.secret;
    with_code(player, who, async |player, code| {
        let message = identity::ConfirmTotpReplacementRequest { request_id: command_id(), code };
        let answer = call!(player, player.token(who)?, accounts, confirm_totp_replacement, message)?;
        let told = format!("the new authenticator works; {} new recovery codes", answer.recovery_codes.len());
        player.person_mut(who)?.recovery_codes = answer.recovery_codes;
        Ok(told)
    })
    .await
}

/// Gives the second factor again, unless the token at hand is one that was got so: an authenticator's code works once in
/// 30 seconds, and a story need not wait for the next one.
pub(super) async fn step_up(player: &mut Player, who: &str) -> Answer {
    if player.person(who)?.stepped_up {
        return Ok("the second factor was given a moment ago".to_owned());
    }
    with_code(player, who, async |player, code| give_code(player, who, code).await).await
}

async fn give_code(player: &mut Player, who: &str, code: String) -> Answer {
    let message = identity::StepUpRequest { request_id: command_id(), code };
    let answer = call!(player, player.token(who)?, sessions, step_up, message)?;
    let person = player.person_mut(who)?;
    person.take_tokens(answer.tokens.context("tokens")?);
    person.stepped_up = true;
    Ok("the second factor was given again; good for ten minutes".to_owned())
}

/// Signs out, and sees that the session cannot be renewed.
async fn sign_out(player: &mut Player, who: &str) -> Answer {
    let message = identity::SignOutRequest { request_id: command_id() };
    call!(player, player.token(who)?, sessions, sign_out, message)?;
    let person = player.person_mut(who)?;
    person.access_token = None;
    let message = identity::RefreshTokenRequest { refresh_token: std::mem::take(&mut person.refresh_token) };
    match call!(player, None, sessions, refresh_token, message) {
        Ok(_) => Err(anyhow!("the session was renewed after it had ended").into()),
        Err(status) => Ok(format!("signed out; renewing the session is refused: {}", reason(&status))),
    }
}

async fn take_role(player: &mut Player, who: &str, role: &str) -> Answer {
    // Beside the file with the codes: those that were tried already, so that nobody wastes a try on them.
    let tried = player.addresses.held.with_file_name("invitations.tried");
    let known = std::fs::read_to_string(&tried).unwrap_or_default();
    loop {
        let codes = player.addresses.invitations.entry(role.to_owned()).or_default();
        codes.retain(|code| !known.lines().any(|line| line == code));
        if codes.is_empty() {
            return Err(anyhow!("no invitation for {role} is left in docket.json").into());
        }
        let (code, last) = (codes.remove(0), codes.is_empty());
        note(&tried, &code)?;
        let message = identity::RedeemInvitationRequest { request_id: command_id(), code };
        match call!(player, player.token(who)?, accounts, redeem_invitation, message) {
            // Taken up by somebody of an earlier story.
            Err(status) if !last && reason(&status) == "CODE_WRONG" => {}
            answer => {
                let roles = answer?.account.context("account")?.roles;
                let roles = roles.iter().map(|role| format!("{} at {}", role.role, role.office));
                return Ok(format!("now {}", roles.collect::<Vec<_>>().join(", ")));
            }
        }
    }
}

fn note(file: &Path, code: &str) -> anyhow::Result<()> {
    let mut tried = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
    writeln!(tried, "{code}")?;
    Ok(())
}

async fn prove_identity(player: &mut Player, who: &str, wrong: bool) -> Answer {
    let person = player.person(who)?;
    let message = identity::ProveIdentityRequest {
        request_id: command_id(),
        family_name: person.row.family_name.clone(),
        given_name: person.row.given_name.clone(),
        birth_date: person.row.birth_date.clone(),
        a_number: if wrong { "A000999999".to_owned() } else { person.a_number.clone() },
    };
    let answer = call!(player, player.token(who)?, accounts, prove_identity, message)?;
    Ok(format!("identity level: {}", answer.account.context("account")?.identity_level))
}

/// Acts on a filing and its case.
#[expect(clippy::wildcard_enum_match_arm, reason = "the player sorts the acts")]
pub async fn filing(player: &mut Player, who: &str, act: &Act) -> Answer {
    match act {
        Act::StartForm { form, of, with } => start_form(player, who, form, [of, with]).await,
        Act::AskFeeWaiver { answers } => ask_fee_waiver(player, who, answers).await,
        Act::BeginAgain { files } => begin_again(player, who, *files).await,
        Act::Answer { answers, finds, silent } => answer(player, who, answers, finds, silent).await,
        Act::Upload { kind, file, in_answer } => {
            let parent = parent(player, who, *in_answer).await?;
            let evidence = upload(player, who, &parent, kind, file, &command_id()).await?;
            Ok(format!(
                "{file}: {}, {} bytes, scanned, sealed and read back",
                evidence.media_type, evidence.size
            ))
        }
        Act::RemoveEvidence { kind, in_answer } => remove_evidence(player, who, kind, *in_answer).await,
        Act::ExplainMissingEvidence { kind, explanation, in_answer: true } => {
            explain_item(player, who, kind, explanation).await
        }
        Act::ExplainMissingEvidence { kind, explanation, .. } => {
            explain(player, who, kind, explanation).await
        }
        Act::AddEvidence { kind, file } => add_evidence(player, who, kind, file).await,
        Act::SeeFee { cents } => see_fee(player, who, *cents).await,
        Act::Sign { name, capacity, reads } => sign(player, who, name, capacity, reads).await,
        Act::Submit { again } => submit(player, who, *again).await,
        Act::GetReceiptNumber {} => receipt_number(player, who).await,
        Act::ReadNotice { kind, says } => see::notice(player, who, kind, says).await,
        Act::GetMail { subject } => {
            let text = mail_text(player, &player.person(who)?.email, subject).await?;
            Ok(text.lines().filter(|line| !line.trim().is_empty()).take(2).collect::<Vec<_>>().join(" "))
        }
        Act::MoveAppointment { kind, cause } => move_appointment(player, who, kind, cause).await,
        Act::Write { topic, text } => write(player, who, topic, text).await,
        Act::Respond { files } => respond(player, who, files).await,
        Act::SeeRequest {} => {
            let response = open_response(player, who).await?;
            Ok(format!("the {} can be answered", response.request_kind.to_uppercase()))
        }
        Act::SeeRequestEnd { cause } => see_request_end(player, who, cause).await,
        Act::Withdraw {} => withdraw(player, who).await,
        Act::ConfirmAddress {} => confirm_address(player, who).await,
        Act::CountAtTheFarSide { charges, notices, refunds, mails, texts } => {
            see::count(player, who, [*charges, *refunds], notices, [*mails, *texts]).await
        }
        other => Err(anyhow!("{other:?} is no act of a party").into()),
    }
}

async fn add_evidence(player: &Player, who: &str, kind: &str, file: &str) -> Answer {
    let name = player.matter.filing.clone();
    let added = upload(player, who, &name, kind, file, &command_id()).await?;
    let message = filings::GetFilingRequest { name, language: String::new() };
    let filing = call!(player, player.token(who)?, drafts, get_filing, message)?.filing.context("filing")?;
    if !filing.unsolicited.contains(&added) || filing.evidence.contains(&added) {
        return Err(anyhow!("{file} does not stand beside what was signed: {filing:?}").into());
    }
    Ok(format!("{file} added unasked; what was signed stays as it is"))
}

async fn withdraw(player: &mut Player, who: &str) -> Answer {
    let message = cases::WithdrawCaseRequest { request_id: command_id(), name: player.case() };
    let case = call!(player, player.token(who)?, cases, withdraw_case, message)?.case.context("case")?;
    player.matter.version = case.version;
    Ok("withdrawn; this cannot be taken back".to_owned())
}

async fn confirm_address(player: &mut Player, who: &str) -> Answer {
    let message = cases::ConfirmAddressRequest { request_id: command_id(), name: player.case() };
    let case = call!(player, player.token(who)?, cases, confirm_address, message)?.case.context("case")?;
    player.matter.version = case.version;
    Ok("the address of record is confirmed".to_owned())
}

async fn ask_fee_waiver(player: &Player, who: &str, answers: &toml::Table) -> Answer {
    let message = filings::AskFeeWaiverRequest {
        request_id: command_id(),
        name: player.matter.filing.clone(),
        answers_json: serde_json::to_string(answers).context("answers")?,
        language: String::new(),
        etag: 0,
    };
    let answer = call!(player, player.token(who)?, drafts, ask_fee_waiver, message)?;
    let filing = answer.filing.context("filing")?;
    if answers.is_empty() {
        return if filing.fee_waiver {
            Err(anyhow!("the waiver is still asked for").into())
        } else {
            Ok("the request is taken back; the fee is due".to_owned())
        };
    }
    let open: Vec<&str> = filing.missing.iter().map(|missing| missing.field.as_str()).collect();
    if !filing.fee_waiver || !open.is_empty() {
        return Err(anyhow!("the waiver is not asked for, or answers are missing: {open:?}").into());
    }
    Ok("asked that the fee be waived; an officer will decide".to_owned())
}

async fn begin_again(player: &mut Player, who: &str, files: usize) -> Answer {
    let message = filings::StartDraftRequest {
        request_id: command_id(),
        form: String::new(),
        again: player.matter.filing.clone(),
        representation: String::new(),
        package: String::new(),
        language: String::new(),
    };
    let filing = call!(player, player.token(who)?, drafts, start_draft, message)?.filing.context("filing")?;
    if filing.evidence.len() != files
        || !filing.missing.is_empty()
        || filing.continues != player.matter.filing
    {
        return Err(anyhow!("not everything was taken over: {filing:?}").into());
    }
    let told = format!("{} begun again: {files} files are there, no answer is missing", filing.form);
    player.begin(filing);
    Ok(told)
}

async fn start_form(player: &mut Player, who: &str, form: &str, [of, with]: [&str; 2]) -> Answer {
    let package = match with {
        "" => String::new(),
        kept => format!("packages/{}", player.kept(kept)?.package),
    };
    let message = filings::StartDraftRequest {
        request_id: command_id(),
        form: form.to_owned(),
        again: String::new(),
        representation: player.appearances.get(of).map(|made| made.name.clone()).unwrap_or_default(),
        package,
        language: String::new(),
    };
    let filing = call!(player, player.token(who)?, drafts, start_draft, message)?.filing.context("filing")?;
    let told = format!("{} begun; {} questions are open", filing.form, filing.missing.len());
    player.begin(filing);
    Ok(told)
}

async fn answer(
    player: &Player,
    who: &str,
    answers: &toml::Table,
    finds: &[String],
    silent: &[String],
) -> Answer {
    let answers_json = serde_json::to_string(answers).context("answers")?;
    let message = filings::AnswerDraftRequest {
        request_id: command_id(),
        name: player.matter.filing.clone(),
        answers_json,
        etag: 0,
        language: String::new(),
    };
    let filing =
        call!(player, player.token(who)?, drafts, answer_draft, message)?.filing.context("filing")?;
    let mut told = Vec::new();
    for rule in finds {
        let finding = filing.findings.iter().find(|finding| finding.rule == *rule);
        let finding =
            finding.with_context(|| format!("rule {rule} is silent; spoken: {:?}", filing.findings))?;
        told.push(format!(
            "{} {} [{}] {}",
            if finding.level == "block" { "stop:" } else { "note:" },
            finding.message,
            finding.rule,
            finding.cite
        ));
    }
    for rule in silent {
        ensure_silent(&filing, rule)?;
    }
    told.push(format!("{} saved, {} still open", answers.len(), filing.missing.len()));
    Ok(told.join("\n"))
}

fn ensure_silent(filing: &filings::Filing, rule: &str) -> anyhow::Result<()> {
    ensure!(!filing.findings.iter().any(|finding| finding.rule == rule), "rule {rule} still speaks");
    Ok(())
}

async fn see_fee(player: &Player, who: &str, cents: i64) -> Answer {
    let message = filings::QuoteFeeRequest {
        request_id: command_id(),
        name: player.matter.filing.clone(),
        language: String::new(),
    };
    let quote = call!(player, player.token(who)?, drafts, quote_fee, message)?;
    let total = quote.total.context("total")?.cents;
    if total != cents {
        return Err(anyhow!("the fee is {total} cents, {cents} were expected").into());
    }
    let rows: Vec<String> = quote
        .rows
        .iter()
        .map(|row| format!("{} {} ({}): {}", amount(row.cents), row.row, row.cite, row.because))
        .collect();
    Ok(format!("{} in all\n{}", amount(total), rows.join("\n")))
}

/// Says why evidence cannot be provided, and sees what follows.
async fn explain(player: &Player, who: &str, kind: &str, explanation: &str) -> Answer {
    let message = filings::ExplainMissingEvidenceRequest {
        request_id: command_id(),
        name: player.matter.filing.clone(),
        kind: kind.to_owned(),
        explanation: explanation.to_owned(),
        language: String::new(),
    };
    let filing = call!(player, player.token(who)?, evidence, explain_missing_evidence, message)?.filing;
    let filing = filing.context("filing")?;
    let need = filing.evidence_needs.iter().find(|need| need.kind == kind);
    let need = need.with_context(|| format!("{kind} is not on the checklist"))?;
    if need.explained == explanation.is_empty() {
        return Err(anyhow!("{kind} is{} explained", if need.explained { "" } else { " not" }).into());
    }
    Ok(format!(
        "{}: {}",
        need.title,
        if need.explained { "explained; an officer will look at it" } else { "needed" }
    ))
}

/// Says why an item of the open request cannot be provided, and sees that it stands in the answer.
async fn explain_item(player: &Player, who: &str, item: &str, explanation: &str) -> Answer {
    let message = filings::ExplainMissingEvidenceRequest {
        request_id: command_id(),
        name: open_response(player, who).await?.name,
        kind: item.to_owned(),
        explanation: explanation.to_owned(),
        language: String::new(),
    };
    let response = call!(player, player.token(who)?, evidence, explain_missing_evidence, message)?.response;
    let said = response.context("response")?.explanations.into_iter().find(|said| said.kind == item);
    let said = said.map(|said| said.explanation).unwrap_or_default();
    if said != explanation {
        return Err(anyhow!("of {item} the answer says {said:?}").into());
    }
    Ok(format!("{item}: {}", if said.is_empty() { "open" } else { "explained; an officer will look at it" }))
}

/// What a file is attached to: the filing at hand, or the answer to its open request.
async fn parent(player: &Player, who: &str, in_answer: bool) -> Result<String, Stumble> {
    if in_answer {
        return Ok(open_response(player, who).await?.name);
    }
    Ok(player.matter.filing.clone())
}

/// Takes the last file of a kind off, and sees that it is there no more.
async fn remove_evidence(player: &Player, who: &str, kind: &str, in_answer: bool) -> Answer {
    let attached = async || {
        if in_answer {
            return Ok(open_response(player, who).await?.evidence);
        }
        let message =
            filings::GetFilingRequest { name: player.matter.filing.clone(), language: String::new() };
        let filing = call!(player, player.token(who)?, drafts, get_filing, message)?.filing;
        Ok::<_, Stumble>(filing.context("filing")?.evidence)
    };
    let files = attached().await?;
    let file = files.iter().rfind(|file| file.kind == kind).with_context(|| format!("no {kind} is there"))?;
    let message = filings::RemoveEvidenceRequest { request_id: command_id(), name: file.name.clone() };
    call!(player, player.token(who)?, evidence, remove_evidence, message)?;
    if attached().await?.iter().any(|left| left.name == file.name) {
        return Err(anyhow!("{} is still there", file.file_name).into());
    }
    Ok(format!("{} is there no more", file.file_name))
}

async fn sign(player: &Player, who: &str, name: &str, capacity: &str, reads: &[String]) -> Answer {
    let message = filings::ReviewFilingRequest { name: player.matter.filing.clone() };
    let review = call!(player, player.token(who)?, drafts, review_filing, message)?;
    if let Some(missing) = reads.iter().find(|words| !review.text.contains(*words)) {
        return Err(anyhow!("{missing} does not stand in what is signed").into());
    }
    let row = &player.person(who)?.row;
    let typed_name =
        if name.is_empty() { format!("{} {}", row.given_name, row.family_name) } else { name.to_owned() };
    let typed_name = typed_name.trim().to_owned();
    let message = filings::SignFilingRequest {
        request_id: command_id(),
        name: player.matter.filing.clone(),
        content_hash: review.content_hash,
        typed_name,
        capacity: capacity.to_owned(),
        language: String::new(),
    };
    let filing = call!(player, player.token(who)?, drafts, sign_filing, message)?.filing.context("filing")?;
    Ok(format!("{} lines read and signed; state: {}", review.text.lines().count(), filing.state))
}

async fn submit(player: &mut Player, who: &str, again: bool) -> Answer {
    let request_id = if again { player.last_submission.clone() } else { command_id() };
    let message =
        filings::SubmitFilingRequest { request_id: request_id.clone(), name: player.matter.filing.clone() };
    let answer = call!(player, player.token(who)?, drafts, submit_filing, message)?;
    player.last_submission = request_id;
    Ok(format!("on its way; what is due is paid as {}", answer.payment))
}

async fn receipt_number(player: &mut Player, who: &str) -> Answer {
    let case = player.case();
    let found = wait_for("the case is accepted", async || {
        let message = cases::GetCaseRequest { name: case.clone(), language: String::new(), min_version: 0 };
        let case =
            call!(player, player.token(who)?, status, get_case, message).ok().and_then(|answer| answer.case);
        Ok(case.filter(|case| !case.receipt_number.is_empty()))
    })
    .await?;
    player.matter.receipt_number.clone_from(&found.receipt_number);
    Ok(format!(
        "receipt number {}, receipt date {}\n{}: {}",
        found.receipt_number, found.receipt_date, found.title, found.explanation
    ))
}

async fn move_appointment(player: &mut Player, who: &str, kind: &str, cause: &str) -> Answer {
    let kind = appointment_kind(kind)?;
    let message = cases::ListFreeSlotsRequest { name: player.case(), kind: kind.into() };
    let slots = call!(player, player.token(who)?, cases, list_free_slots, message)?.slots;
    let slot = slots.get(2).or(slots.last()).context("no free time")?;
    let zone = jiff::tz::TimeZone::get(&slot.zone).context("zone of the office")?;
    let at = jiff::Timestamp::from_microsecond(slot.starts_at_us).context("time")?.to_zoned_datetime(zone);
    let message = cases::RescheduleAppointmentRequest {
        request_id: command_id(),
        name: player.case(),
        kind: kind.into(),
        date: at.date().to_string(),
        time: at.strftime("%H:%M").to_string(),
        cause: cause.to_owned(),
    };
    let answer = call!(player, player.token(who)?, cases, reschedule_appointment, message)?;
    player.matter.version = answer.case.context("case")?.version;
    Ok(format!("moved to {}", see::slot(&answer.appointment.context("appointment")?)?))
}

async fn write(player: &mut Player, who: &str, topic: &str, text: &str) -> Answer {
    let message = notifications::StartThreadRequest {
        request_id: command_id(),
        case: player.case(),
        topic: topic.to_owned(),
        text: text.to_owned(),
    };
    let thread = call!(player, player.token(who)?, inbox, start_thread, message)?.thread.context("thread")?;
    player.thread = thread.name;
    Ok(format!("to the office: {text}"))
}

/// The response of this case that is as `wanted`, once it is.
async fn response_that(
    player: &Player,
    who: &str,
    what: &str,
    wanted: impl Fn(&filings::Response) -> bool,
) -> Result<filings::Response, Stumble> {
    wait_for(what, async || {
        let message = filings::ListResponsesRequest { page_size: 100, ..Default::default() };
        let responses = call!(player, player.token(who)?, evidence, list_responses, message)?.responses;
        Ok(responses.into_iter().find(|response| response.case == player.case() && wanted(response)))
    })
    .await
}

/// The answer that the open request waits for.
async fn open_response(player: &Player, who: &str) -> Result<filings::Response, Stumble> {
    let open = |response: &filings::Response| response.closed_cause.is_empty();
    response_that(player, who, "the request can be answered", open).await
}

async fn see_request_end(player: &Player, who: &str, cause: &str) -> Answer {
    let response =
        response_that(player, who, "the request ends", |response| response.closed_cause == cause).await?;
    Ok(format!("the {} ended: {cause}", response.request_kind.to_uppercase()))
}

async fn respond(player: &Player, who: &str, files: &toml::Table) -> Answer {
    let unanswered = |response: &filings::Response| response.received_at_us == 0;
    let response = response_that(player, who, "the request can be answered", unanswered).await?;
    for (item, file) in files {
        let file = file.as_str().context("a file is a text")?;
        upload(player, who, &response.name, item, file, &command_id()).await?;
    }
    let message = filings::SubmitResponseRequest {
        request_id: command_id(),
        name: response.name.clone(),
        partial_confirmed: false,
    };
    let sent = call!(player, player.token(who)?, evidence, submit_response, message)?
        .response
        .context("response")?;
    let deadline = sent.deadline.context("deadline")?;
    Ok(format!(
        "answered with {} file(s); it was due {} ({})",
        files.len(),
        deadline.due_date,
        deadline.derivation
    ))
}

/// Kind of appointment by its name.
pub fn appointment_kind(kind: &str) -> anyhow::Result<cases::AppointmentKind> {
    Ok(match kind {
        "biometrics" => cases::AppointmentKind::Biometrics,
        "interview" => cases::AppointmentKind::Interview,
        "oath" => cases::AppointmentKind::Oath,
        other => bail!("{other:?} is no kind of appointment"),
    })
}

/// Waits until something is there.
pub async fn wait_for<T>(
    what: &str,
    look: impl AsyncFnMut() -> Result<Option<T>, Stumble>,
) -> Result<T, Stumble> {
    wait_at_most(PATIENCE, what, look).await
}

async fn wait_at_most<T>(
    patience: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<Option<T>, Stumble>,
) -> Result<T, Stumble> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if begun.elapsed() > patience {
            return Err(anyhow!("waited {} s in vain until {what}", patience.as_secs()).into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The newest mail to an address with these words in its subject, as text.
pub(super) async fn mail_text(player: &Player, to: &str, subject: &str) -> Result<String, Stumble> {
    let list = format!("{}/mail/messages", player.addresses.mail);
    // Of whoever is killed with a mail in hand it is sent a minute later.
    let patience = if player.disturbed { 2 * PATIENCE } else { PATIENCE };
    let found = wait_at_most(patience, &format!("a mail about {subject:?} has come"), async || {
        let answer =
            player.http.get(&list).query(&[("to", to), ("subject", subject)]).send().await.context("mail")?;
        let Ok(answer) = answer.json::<Value>().await else { return Ok(None) };
        let messages = answer["messages"].as_array().cloned().unwrap_or_default();
        Ok(messages.last().and_then(|message| message["id"].as_str().map(str::to_owned)))
    })
    .await?;
    let answer = player.http.get(format!("{list}/{found}")).send().await.context("mail")?;
    let mail: Value = answer.json().await.context("mail")?;
    Ok(mail["text"].as_str().unwrap_or_default().to_owned())
}
