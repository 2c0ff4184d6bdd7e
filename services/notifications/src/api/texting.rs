//! The gRPC face: `docket.notifications.v1.TextingService`, where somebody asks for texts and ends them.

use std::sync::Arc;

use docket_eventlog::{Context, Executed, Subjects};
use docket_kernel::{FieldFault, Refusal, derived_id};
use docket_proto::notifications::events::v1 as events;
use docket_proto::notifications::v1 as pb;
use docket_proto::notifications::v1::texting_service_server::TextingService;
use docket_service::{ApiError, Base, Caller, Gateway, TurnRule, Turns, Whence, caller, detached, whence_of};
use jiff::SignedDuration;
use tokio::sync::Notify;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::notices::own_inbox;
use crate::config::Plan;
use crate::domain::{CONSENT, EndedBy, Texting, TextingEvent, TextingState, prove, textable};
use crate::numbers;
use crate::policies::EndTexts;
use crate::store::delivery;
use crate::store::text::{self, Answered};
use crate::texts::{self, Language};

/// How long a code is good.
const LIFE: SignedDuration = SignedDuration::from_mins(10);
/// For so long codes are counted.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Codes for one account, and to one number, in that time.
const MOST_A_DAY: i64 = 5;
/// The shortest time from one to the next.
const APART: SignedDuration = SignedDuration::from_mins(1);
/// For so long it is kept that a code went out.
const KEPT: SignedDuration = SignedDuration::from_hours(48);

/// Codes that a network asks for, for whatever accounts: each costs money, and reaches a phone that may be somebody else's.
const CODES: TurnRule =
    TurnRule { purpose: "text-code", table: "text_turn", at_once: 20, each: SignedDuration::from_mins(10) };

/// The service.
#[derive(Clone)]
pub(crate) struct TextingApi {
    base: Base,
    /// None where no texts are sent from here.
    plan: Option<Plan>,
    turns: Turns,
    gateways: Arc<[Gateway]>,
    ending: EndTexts,
    texts: Arc<Notify>,
}

type Answer<T> = Result<Response<T>, Status>;

impl TextingApi {
    /// The service over `base`, behind these gateways; `texts` wakes the one who sends texts.
    pub(crate) fn new(
        base: &Base,
        plan: Option<Plan>,
        gateways: &[Gateway],
        ending: EndTexts,
        wake: Arc<Notify>,
    ) -> Self {
        Self {
            base: base.clone(),
            plan,
            turns: Turns::new(base, CODES),
            gateways: gateways.into(),
            ending,
            texts: wake,
        }
    }

    /// The account of who calls, which may do that with its own texts.
    fn account(&self, caller: &Caller, action: &str) -> Result<Uuid, ApiError> {
        let account = caller.person()?.account;
        self.base.access.require(caller, action, &own_inbox(account))?;
        Ok(account)
    }

    async fn get(&self, account: Uuid, language: &str) -> Result<pb::GetTextingResponse, ApiError> {
        let state = self.ending.texting.state(account).await?.state;
        let now_us = self.base.clock.now().as_microsecond();
        let waits = state.given.filter(|given| now_us < given.until_us);
        let word = match (self.offered(account).await?.is_some(), state.on, state.stopped) {
            (_, Some(_), _) => "on",
            (_, None, Some(_)) => "stopped",
            (false, None, None) => "not_offered",
            (true, None, None) if state.unreachable => "unreachable",
            (true, None, None) => "off",
        };
        let number = async |id: Option<Uuid>| match id {
            Some(id) => numbers::opened(&self.base, account, id).await.map(Option::unwrap_or_default),
            None => Ok(String::new()),
        };
        Ok(pb::GetTextingResponse {
            state: word.to_owned(),
            number: number(state.on.or(state.stopped)).await?,
            new_number: number(waits.map(|given| given.id)).await?,
            new_number_until_us: waits.map_or(0, |given| given.until_us),
            consent: CONSENT.to_owned(),
            consent_words: texts::consent(Language::of(language)),
        })
    }

    /// What may be sent to an account: nothing where no carrier is there, and to nobody who says that a case of theirs is protected,
    /// since a phone may be in other hands (8 USC 1367). Both are answered alike.
    async fn offered(&self, account: Uuid) -> Result<Option<&Plan>, ApiError> {
        let protected = text::is_protected(&self.base.pool, account).await?;
        Ok(self.plan.as_ref().filter(|_| !protected))
    }

    async fn add(
        &self,
        context: Context,
        account: Uuid,
        from: Whence,
        request: pb::AddTextNumberRequest,
    ) -> Result<i64, ApiError> {
        if self.base.log.was_done(&context).await? {
            return self.first_answer(&context, account).await;
        }
        let plan = self.offered(account).await?.ok_or_else(not_offered)?;
        let number = checked(&request, plan, self.base.config.is_production())?;
        // Looked at before as well: who is refused takes no turn of the network.
        let (key, now) = (numbers::key(&self.base.vault, &number), self.base.clock.now());
        let mut connection = self.base.pool.acquire().await?;
        let since_us = (now - DAY).as_microsecond();
        check_codes(
            text::asked_since(&mut connection, (account, &key), since_us).await?,
            now.as_microsecond(),
        )?;
        drop(connection);
        self.turn(from).await?;
        let (this, language) = (self.clone(), Language::of(&request.language));
        detached(async move { this.give(&context, account, number, language).await }).await
    }

    /// The first answer again: until when its code is good. The log compares the requests.
    async fn first_answer(&self, context: &Context, account: Uuid) -> Result<i64, ApiError> {
        let nothing = |_: &TextingState| Ok(Vec::new());
        let done = self.ending.texting.execute(context, account, Subjects::account(account), nothing).await?;
        until(&done)
    }

    /// Writes the number and the text with its code. A number from which somebody said that they want no texts gets none, and the answer is
    /// the same: to whoever asks, it is nobody's who wants or refuses anything.
    async fn give(
        &self,
        context: &Context,
        account: Uuid,
        number: String,
        language: Language,
    ) -> Result<i64, ApiError> {
        let (now, key) = (self.base.clock.now(), numbers::key(&self.base.vault, &number));
        let id = derived_id(&format!("text-number.{account}"), context.command_id, 0);
        let given = events::TextNumberGiven {
            number_id: id.to_string(),
            number,
            consent: CONSENT.to_owned(),
            consent_words: texts::consent(language),
            language: language.tag().to_owned(),
            until_us: (now + LIFE).as_microsecond(),
        };
        let mut tx = docket_database::begin(&self.base.pool).await?;
        let decide = |_: &TextingState| Ok(vec![TextingEvent::from(given.clone())]);
        let done = self
            .ending
            .texting
            .execute_in(&mut tx, context, account, Subjects::account(account), decide)
            .await?;
        let (Some(event), false) = (done.events.first(), done.repeated) else { return until(&done) };
        // Whoever appends holds the head of the log, so nobody else counts at the same time.
        let asked = text::asked_since(&mut tx, (account, &key), (now - DAY).as_microsecond()).await?;
        check_codes(asked, now.as_microsecond())?;
        let times = (now.as_microsecond(), (now - KEPT).as_microsecond());
        text::ask(&mut tx, (id, event), (account, &key), times).await?;
        if !text::is_refused(&mut *tx, &key).await? {
            text::queue_answer(&mut tx, Answered::event(event), account, text::CODE, now).await?;
        }
        tx.commit().await?;
        self.base.log.committed(event.position);
        self.texts.notify_one();
        until(&done)
    }

    /// Takes the turn of a network.
    async fn turn(&self, from: Whence) -> Result<(), ApiError> {
        let Some(wait) = self.turns.take(from).await? else { return Ok(()) };
        let refusal = Refusal::too_much("TOO_MANY_CODES", "From your network too many codes were asked for.");
        Err(refusal.way_out("Wait a moment and ask again.").retry_after(wait).into())
    }

    async fn confirm(&self, context: Context, account: Uuid, typed: &str) -> Result<(), ApiError> {
        if self.base.log.was_done(&context).await? {
            return self.first_answer(&context, account).await.map(drop);
        }
        let now_us = self.base.clock.now().as_microsecond();
        let id = self.ending.texting.state(account).await?.state.waiting(now_us)?;
        let row = text::code(&self.base.pool, id).await?.ok_or_else(code_wrong)?;
        if !text::charge(&self.base.pool, id).await? {
            let refusal = Refusal::too_much("TOO_MANY_TRIES", "This code was tried too often.");
            return Err(refusal.way_out("Give the number again, for a new code.").into());
        }
        let is_refused = text::is_refused(&self.base.pool, &row.number_key).await?;
        if !same(typed.trim(), &numbers::code(&self.base.vault, id)) || is_refused {
            let left = text::TRIES - row.tries - 1;
            return Err(code_wrong().fact("tries_left", left.max(0).to_string()).into());
        }
        let this = self.clone();
        detached(async move { this.turn_on(&context, account, (id, &row.number_key)).await }).await
    }

    /// Texts go there from now on; a mail says so.
    async fn turn_on(
        &self,
        context: &Context,
        account: Uuid,
        (id, key): (Uuid, &[u8]),
    ) -> Result<(), ApiError> {
        let now = self.base.clock.now();
        let mut tx = docket_database::begin(&self.base.pool).await?;
        let decide = |state: &TextingState| prove(state, id, now.as_microsecond());
        let done = self
            .ending
            .texting
            .execute_in(&mut tx, context, account, Subjects::account(account), decide)
            .await?;
        let (Some(event), false) = (done.events.first(), done.repeated) else { return Ok(()) };
        text::turn_on(&mut tx, account, (id, key)).await?;
        let occasion = event.event_id.to_string();
        delivery::queue_about_draft(&mut tx, event, account, ("texts_on", &occasion), now).await?;
        tx.commit().await?;
        self.ending.committed(event.position);
        Ok(())
    }

    async fn remove(&self, context: &Context, account: Uuid) -> Result<(), ApiError> {
        let mut tx = docket_database::begin(&self.base.pool).await?;
        let done = self.ending.end(&mut tx, context, account, EndedBy::Owner).await?;
        tx.commit().await?;
        if let Some(event) = done.events.last() {
            self.ending.committed(event.position);
        }
        Ok(())
    }
}

#[tonic::async_trait]
impl TextingService for TextingApi {
    async fn get_texting(&self, request: Request<pb::GetTextingRequest>) -> Answer<pb::GetTextingResponse> {
        let account = self.account(&caller(&request)?, "GetTexting")?;
        Ok(Response::new(self.get(account, &request.get_ref().language).await?))
    }

    async fn add_text_number(
        &self,
        request: Request<pb::AddTextNumberRequest>,
    ) -> Answer<pb::AddTextNumberResponse> {
        let (caller, from) = (caller(&request)?, whence_of(&request, &self.gateways));
        let account = self.account(&caller, "AddTextNumber")?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &message)?;
        let expires_at_us = self.add(context, account, from, message).await?;
        Ok(Response::new(pb::AddTextNumberResponse { expires_at_us }))
    }

    async fn confirm_text_number(
        &self,
        request: Request<pb::ConfirmTextNumberRequest>,
    ) -> Answer<pb::ConfirmTextNumberResponse> {
        let caller = caller(&request)?;
        let account = self.account(&caller, "ConfirmTextNumber")?;
        let message = request.into_inner();
        // The code is a secret of the request: what is kept of that must not tell it.
        let context = caller.context(&message.request_id, &pb::ConfirmTextNumberRequest::default())?;
        self.confirm(context, account, &message.code).await?;
        Ok(Response::new(pb::ConfirmTextNumberResponse {}))
    }

    async fn remove_text_number(
        &self,
        request: Request<pb::RemoveTextNumberRequest>,
    ) -> Answer<pb::RemoveTextNumberResponse> {
        let caller = caller(&request)?;
        let account = self.account(&caller, "RemoveTextNumber")?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &message)?;
        let this = self.clone();
        detached(async move { this.remove(&context, account).await }).await?;
        Ok(Response::new(pb::RemoveTextNumberResponse {}))
    }
}

/// Every faulty field at once; the number in E.164 form.
fn checked(request: &pb::AddTextNumberRequest, plan: &Plan, is_production: bool) -> Result<String, Refusal> {
    let mut faults = Vec::new();
    if request.consent != CONSENT {
        let message = format!(
            "Show the words of {CONSENT}, which GetTexting gives, and send that name when they are agreed to."
        );
        faults.push(FieldFault::new("consent", "CONSENT_OUTDATED", message));
    }
    match textable(&request.number, &plan.countries, is_production) {
        Ok(number) if faults.is_empty() => return Ok(number),
        Ok(_) => {}
        Err(fault) => faults.push(fault),
    }
    Err(faults.into())
}

/// Whether one more code may go out.
fn check_codes(asked: text::Asked, now_us: i64) -> Result<(), Refusal> {
    let next_us = asked.last_us.map_or(0, |last_us| last_us.saturating_add(micros(APART)));
    let wait_us = if asked.by_account.max(asked.to_number) >= MOST_A_DAY {
        micros(DAY)
    } else if next_us > now_us {
        next_us - now_us
    } else {
        return Ok(());
    };
    let message = "At most five codes go out in a day for an account and to a number, one in a minute.";
    let wait = std::time::Duration::from_micros(wait_us.unsigned_abs());
    Err(Refusal::too_much("TOO_MANY_CODES", message).way_out("Wait, then ask again.").retry_after(wait))
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Until when the code of what was done is good; 0 where that was something else.
fn until(done: &Executed<Texting>) -> Result<i64, ApiError> {
    for event in &done.events {
        if let TextingEvent::TextNumberGiven(given) = event.decode()? {
            return Ok(given.until_us);
        }
    }
    Ok(0)
}

fn not_offered() -> Refusal {
    let message = "Texts are not offered for this account.";
    Refusal::state("TEXTS_NOT_OFFERED", message).way_out("Go on reading your mail: it tells you the same.")
}

fn code_wrong() -> Refusal {
    Refusal::state("CODE_WRONG", "This code is wrong or was used before.").field("code")
}

/// Compares in constant time.
fn same(typed: &str, known: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(typed.as_bytes(), known.as_bytes()).is_ok()
}
