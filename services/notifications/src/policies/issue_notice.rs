//! When a notice is owed, then issue it: once, however often this crashes on the way, and after those that its case owed before.
//!
//! The name comes from identity, or from the owner of the case where it was corrected there, the officer's words from that owner, the page is
//! set and sealed, and only
//! then one transaction writes the event, the inbox, the mail and the texts to be sent, and takes the debt away. The command's id follows
//! from the event that owes the notice, so whoever comes second finds it done. A crash in between leaves a sealed file that
//! nothing names, and no more.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use docket_database::{WORK, answered, within};
use docket_eventlog::{Appended, Context, Expected, Recorded, StreamAppend, StreamName, Subjects};
use docket_forms::Catalogue;
use docket_kernel::EventEnum as _;
use docket_messaging::{current_traceparent, link_or_continue};
use docket_proto::events::case::Event;
use docket_proto::identity::v1::GetContactResponse;
use docket_proto::notifications::events::v1 as pb;
use docket_service::{Again, ApiError, Base, Rounds, Stop};
use docket_vault::{Subject, SubjectKind};
use jiff::{SignedDuration, Timestamp};
use rand::Rng as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use tonic::Status;
use tracing::Instrument as _;
use uuid::Uuid;

use super::let_go::{POLICY, Why, let_go};
use super::owe_notice::OBLIGATION;
use crate::case_words::{corrected_name, with_words};
use crate::directory::{contact, contact_about, full_name};
use crate::domain::{Matter, NoticeEvent, NoticeKind, facts, office_date, said_date};
use crate::render::{Page, Renderer, form_of_notice, template_version};
use crate::store::{delivery, matter, notice, owed, text};
use crate::texts::{self, Language};
use crate::{LOOK, offices};

/// Pauses after a try in vain, in seconds; the last one stays.
const PAUSES_S: [i64; 6] = [1, 2, 5, 30, 120, 600];

/// For so long after what owes it a notice waits for the address that the form gave; then it prints what is on record.
const ADDRESS_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// Issues notices one after the other.
pub(crate) struct IssueNotices {
    pub(crate) base: Base,
    pub(crate) renderer: Renderer,
    pub(crate) catalogue: Catalogue,
    pub(crate) wake: Arc<Notify>,
    pub(crate) mail: Arc<Notify>,
    pub(crate) texts: Arc<Notify>,
}

/// A page, ready to be issued.
struct Printed {
    kind: NoticeKind,
    matter: Matter,
    pdf: Vec<u8>,
    posted_at: Timestamp,
    served_on: jiff::civil::Date,
    request_id: String,
    version: String,
}

/// Whom a notice is for, or what it tells of, was erased.
#[derive(Debug)]
struct Erased;

impl std::fmt::Display for Erased {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("its addressee was erased")
    }
}

impl std::error::Error for Erased {}

/// What our own parts could not do.
fn failed(error: impl Into<ApiError>) -> anyhow::Error {
    let error = error.into();
    if matches!(error, ApiError::Erased) { Erased.into() } else { anyhow!(error.cause()) }
}

/// What another service answered.
fn refused(peer: &'static str, status: &Status) -> anyhow::Error {
    let erased = matches!(ApiError::peer(peer, status), ApiError::Erased);
    if erased { Erased.into() } else { anyhow!("{peer} answered {:?}", status.code()) }
}

impl IssueNotices {
    /// Issues what is owed until `stop`.
    pub(crate) async fn run(self, stop: Stop) -> anyhow::Result<()> {
        let rounds = Rounds::every(LOOK, "the queue of notices cannot be read");
        let mut rounds = rounds.bounded_inside().woken_by(Arc::clone(&self.wake));
        while rounds.go_on(&stop).await {
            rounds.turn(self.next()).await;
        }
        Ok(())
    }

    async fn next(&self) -> anyhow::Result<Again> {
        let owed = answered(owed::next(&self.base.pool, self.base.clock.now())).await?;
        let Some(owed) = owed else { return Ok(Again::Later) };
        self.issue_or_put_off(&owed).await;
        Ok(Again::AtOnce)
    }

    async fn issue_or_put_off(&self, owed: &owed::Owed) {
        let notice = owed.notice_id;
        let Err(error) = within(WORK, self.issue(owed)).await else { return };
        let tried = usize::try_from(owed.attempts).unwrap_or_default();
        let pause = PAUSES_S[tried.min(PAUSES_S.len() - 1)];
        // A peer that starts a second later than we do is nobody's worry.
        if tried >= 3 {
            tracing::warn!(notice.id = %notice, kind = owed.notice_kind, attempts = tried + 1,
                error = format!("{error:#}"), "a notice cannot be issued yet; it stays owed");
        }
        metrics::counter!("docket_notice_put_off", "kind" => owed.notice_kind.clone()).increment(1);
        let until = self.base.clock.now() + SignedDuration::from_secs(pause);
        if let Err(error) = answered(owed::put_off(&self.base.pool, notice, until)).await {
            tracing::debug!(%error, "the notice could not be put off; it is tried again at once");
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    }

    async fn issue(&self, owed: &owed::Owed) -> anyhow::Result<()> {
        let recorded = Recorded::from_stored(&owed.event)?;
        let span = tracing::info_span!(
            "issue notice",
            notice.id = %owed.notice_id, docket.notice.kind = owed.notice_kind, docket.attempts = owed.attempts
        );
        let metadata = &recorded.metadata;
        link_or_continue(&span, &metadata.traceparent, recorded.recorded_at, self.base.clock.now());
        self.issue_for(owed, &recorded).instrument(span).await
    }

    async fn issue_for(&self, owed: &owed::Owed, recorded: &Recorded) -> anyhow::Result<()> {
        match self.post(owed, recorded).await {
            Err(error) if error.is::<Erased>() => self.let_go(owed, recorded).await,
            posted => posted,
        }
    }

    async fn let_go(&self, owed: &owed::Owed, recorded: &Recorded) -> anyhow::Result<()> {
        let mut tx = docket_database::begin(&self.base.pool).await?;
        let appended = let_go(&self.base, &mut tx, owed, recorded, Why::Erased).await?;
        tx.commit().await?;
        self.base.log.committed(appended.last);
        Ok(())
    }

    async fn post(&self, owed: &owed::Owed, recorded: &Recorded) -> anyhow::Result<()> {
        let printed = self.print(owed, recorded).await?;
        let subject = Subject { kind: SubjectKind::Filing, id: owed.case_id };
        let object_key = self.base.objects.put(&subject, &printed.pdf).await.map_err(failed)?;
        let appended = self.append(owed, recorded, &printed, &object_key).await?;
        if appended.as_ref().is_none_or(|appended| appended.repeated) {
            // Somebody issued it before, or let it go, or it is printed anew: the file is nobody's.
            self.base.objects.delete(&object_key).await.map_err(|error| anyhow!(error.cause()))?;
        }
        let appended = appended.context("who is told of it changed while it was printed")?;
        if appended.repeated {
            return Ok(());
        }
        metrics::counter!("docket_notice_issued", "kind" => printed.kind.id()).increment(1);
        self.base.log.committed(appended.last);
        self.mail.notify_one();
        self.texts.notify_one();
        Ok(())
    }

    async fn print(&self, owed: &owed::Owed, recorded: &Recorded) -> anyhow::Result<Printed> {
        let kind = NoticeKind::of_id(&owed.notice_kind).context("a kind of notice nobody knows")?;
        let matter = matter::find(&self.base.pool, owed.case_id).await?.context("a case nobody opened")?;
        let event = self.whole(kind, owed.case_id, recorded).await?;
        let contact =
            contact_about(&self.base, &matter).await.map_err(|status| refused("identity", &status))?;
        let posted_at = self.base.clock.now();
        if contact.address_given_at_us < matter.address_given_at_us
            && posted_at < recorded.recorded_at + ADDRESS_WITHIN
        {
            return Err(anyhow!("the address that the form gives is not on record yet"));
        }
        let representative = self.representative(&matter).await?;
        let (facts, served_on) = facts(&matter, &event, office_date(posted_at), &self.catalogue)?;
        let name = self.name(&matter, &contact).await?;
        let request_id = facts.request_id.clone();
        let version = template_version(kind);
        let page = Page {
            notice_id: owed.notice_id.to_string(),
            version: version.clone(),
            title: texts::title(Language::En, kind),
            official_name: kind.official_name(),
            form_of_notice: form_of_notice(kind),
            language: Language::of(&contact.language).tag().to_owned(),
            form: matter.form.clone(),
            name,
            address: contact.postal_address.lines().map(str::to_owned).collect(),
            original_to_representative: matter
                .original(kind)
                .is_some_and(|account| account != matter.account),
            representative,
            office: offices::printed(&matter.office),
            notice_date: said_date(office_date(posted_at)),
            facts,
        };
        let renderer = self.renderer.clone();
        let pdf = tokio::task::spawn_blocking(move || renderer.render(kind, &page, posted_at)).await??;
        Ok(Printed { kind, matter, pdf, posted_at, served_on, request_id, version })
    }

    /// The party's name: as it was corrected in the case, else as the account has it.
    async fn name(&self, matter: &Matter, contact: &GetContactResponse) -> anyhow::Result<String> {
        let Some(event_id) = matter.name_from else { return Ok(full_name(contact)) };
        let corrected = corrected_name(&self.base, matter.case, event_id).await;
        let corrected = corrected.map_err(|status| refused("case-status", &status))?;
        Ok(corrected.unwrap_or_else(|| full_name(contact)))
    }

    /// Name and address of who acts for the party, a line each; nothing where nobody does, or who did is not there any more.
    async fn representative(&self, matter: &Matter) -> anyhow::Result<Vec<String>> {
        let Some(account) = matter.representative else { return Ok(Vec::new()) };
        let contact = match contact(&self.base, account).await {
            Ok(contact) => contact,
            Err(status) => {
                let gone = ApiError::peer("identity", &status);
                let gone = matches!(gone, ApiError::Erased | ApiError::Refused(_));
                return if gone { Ok(Vec::new()) } else { Err(refused("identity", &status)) };
            }
        };
        let name = full_name(&contact);
        let lines = std::iter::once(name.as_str()).chain(contact.postal_address.lines());
        Ok(lines.filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    /// The event that owes the notice, with the officer's words where the notice prints them.
    async fn whole(&self, kind: NoticeKind, case: Uuid, recorded: &Recorded) -> anyhow::Result<Event> {
        let event: Event = Event::decode(&recorded.kind, &recorded.payload)?;
        if !kind.has_words() {
            return Ok(event);
        }
        with_words(&self.base, case, recorded.event_id, event)
            .await
            .map_err(|status| refused("case-status", &status))
    }

    /// Issues what was printed; none where others are told now, or have the original, than when it was: whoever begins to act for the party
    /// finds what was issued before, and is told of what comes after.
    async fn append(
        &self,
        owed: &owed::Owed,
        recorded: &Recorded,
        printed: &Printed,
        object_key: &str,
    ) -> anyhow::Result<Option<Appended>> {
        let (case, id) = (owed.case_id, owed.notice_id);
        let event: NoticeEvent = issued(printed, case, object_key).into();
        let stream = StreamAppend::of(
            StreamName::of(NoticeEvent::CATEGORY, id),
            Expected::Any,
            Subjects::filing(case),
            &[event],
        );
        let traceparent = current_traceparent();
        let context = Context { traceparent, ..Context::reaction(POLICY, recorded, 0) };
        let mut tx = docket_database::begin(&self.base.pool).await?;
        // Before the log: who takes both takes the matter first.
        if !matter::is_told_as(&mut tx, &printed.matter).await? {
            return Ok(None);
        }
        let append = context.append(&self.base.log, vec![stream]);
        let appended = self.base.log.append_in(&mut tx, append).await.map_err(failed)?;
        owed::done(&mut tx, id).await?;
        self.base.log.obligations().close_in(&mut tx, OBLIGATION, &id.to_string(), appended.last).await?;
        if let (false, Some(stored)) = (appended.repeated, appended.events.first()) {
            let now = self.base.clock.now();
            let withdrawn = withdrawn(&Event::decode(&recorded.kind, &recorded.payload)?);
            for account in printed.matter.told() {
                notice::insert(&mut tx, &row(printed, id, case, account, object_key)).await?;
                if printed.kind.is_told_by_text() {
                    text::queue(&mut tx, stored, (case, account), printed.kind.alert(), now).await?;
                }
                match withdrawn {
                    Some(from) if account == printed.matter.account => {
                        delivery::queue_withdrawal(&mut tx, stored, (account, from), now).await?;
                    }
                    Some(_) | None => {
                        let alert = printed.kind.alert();
                        delivery::queue_mail(&mut tx, stored, (case, account), alert, now).await?;
                    }
                }
            }
        }
        tx.commit().await?;
        Ok(Some(appended))
    }
}

/// The representation from which the representative withdrew, where the notice is about that.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other notice has a mail of its own")]
fn withdrawn(event: &Event) -> Option<Uuid> {
    match event {
        Event::CaseRepresentationEnded(ended) if ended.cause == "withdrawn" => {
            Uuid::try_parse(&ended.representation_id).ok()
        }
        _ => None,
    }
}

fn issued(printed: &Printed, case: Uuid, object_key: &str) -> pb::NoticeIssued {
    let mut salt = [0_u8; 32];
    rand::rng().fill_bytes(&mut salt);
    pb::NoticeIssued {
        case_id: case.to_string(),
        notice_kind: printed.kind.id().to_owned(),
        official_name: printed.kind.official_name().to_owned(),
        account_ids: printed.matter.told().map(|account| account.to_string()).collect(),
        language: "en".to_owned(),
        posted_at_us: printed.posted_at.as_microsecond(),
        served_on_date: printed.served_on.to_string(),
        object_key: object_key.to_owned(),
        commitment: commitment(&salt, &printed.pdf),
        template_version: printed.version.clone(),
        request_id: printed.request_id.clone(),
        size: printed.pdf.len() as u64,
        salt: salt.to_vec(),
        original_account_id: original(printed).map(|account| account.to_string()).unwrap_or_default(),
    }
}

/// Who has the original.
fn original(printed: &Printed) -> Option<Uuid> {
    printed.matter.original(printed.kind)
}

/// SHA-256(salt ‖ PDF): proves the content to who has the salt, tells nothing to who has not.
fn commitment(salt: &[u8], pdf: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(salt);
    hash.update(pdf);
    hash.finalize().to_vec()
}

fn row(printed: &Printed, id: Uuid, case: Uuid, account: Uuid, object_key: &str) -> notice::Row {
    notice::Row {
        notice_id: id,
        account_id: account,
        case_id: case,
        notice_kind: printed.kind.id().to_owned(),
        official_name: printed.kind.official_name().to_owned(),
        posted_at_us: printed.posted_at.as_microsecond(),
        served_on_date: printed.served_on.to_string(),
        object_key: object_key.to_owned(),
        size_bytes: i64::try_from(printed.pdf.len()).unwrap_or(i64::MAX),
        opened: false,
        original_account: original(printed),
    }
}
