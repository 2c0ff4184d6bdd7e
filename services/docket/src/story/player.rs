//! Plays the steps in order and tells them.
use super::act::Act;
use super::file::{PersonRow, Step, Story};
use super::people::Person;
use super::represent::Appearance;
use super::vars::Vars;
use super::{
    evidence, help, inquire, invite, money, officer, outage, party, represent, role, see, texts, time,
};
use crate::address::Addresses;
use crate::client::{Connection, plainly, reason, request};
use crate::clock::{now_ms, now_s};
use crate::output::Teller;
use anyhow::{Context, Result, bail};
use docket_proto::identity::v1 as identity;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tonic::Status;
use uuid::Uuid;

/// Seconds after which an access token is renewed, before its five minutes end.
const RENEW_AFTER_S: i64 = 240;

/// A story being played.
pub struct Player {
    /// Public addresses only.
    pub addresses: Addresses,
    /// Channels.
    pub connection: Connection,
    /// For the mail catcher and the parties that are not ours.
    pub http: reqwest::Client,
    /// People by id.
    pub people: BTreeMap<String, Person>,
    /// Folder of the story.
    pub folder: PathBuf,
    /// The filing and its case.
    pub matter: Matter,
    /// Request id of the last submission.
    pub last_submission: String,
    /// Conversation.
    pub thread: String,
    /// The last request to take a role away, `revocations/<uuid>`.
    pub revocation: String,
    /// Code with which somebody else pays.
    pub payer_code: String,
    /// The processor's reference of the last dispute.
    pub dispute: String,
    /// Officer who has the case, by id.
    pub assigned: String,
    /// The code of the helper who was asked last.
    pub helper_code: String,
    /// Appearances by client.
    pub appearances: BTreeMap<String, Appearance>,
    /// Something is stopped or killed meanwhile.
    pub disturbed: bool,
    /// A live watch that is open.
    pub watch: Option<tonic::Streaming<docket_proto::case_status::v1::WatchCaseResponse>>,
    /// Cases kept by name.
    pub kept: BTreeMap<String, Matter>,
}

/// A filing and its case.
#[derive(Clone, Debug, Default)]
pub struct Matter {
    /// The filing, `filings/<uuid>`; the case has the same id.
    pub filing: String,
    /// Package id.
    pub package: String,
    /// Receipt number.
    pub receipt_number: String,
    /// Version of the case that the last command led to.
    pub version: u64,
    /// The due date of the last request, when it was made.
    pub due_date: String,
}

impl Matter {
    /// The case, `cases/<uuid>`.
    pub fn case(&self) -> String {
        self.filing.replacen("filings/", "cases/", 1)
    }
}

/// Why a step did not go as told.
#[derive(Debug)]
pub enum Stumble {
    /// A service refused.
    Refused(Box<Status>),
    /// Something else.
    Failed(anyhow::Error),
}

impl From<Status> for Stumble {
    fn from(status: Status) -> Self {
        Self::Refused(Box::new(status))
    }
}
impl From<anyhow::Error> for Stumble {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}
/// What a step answers.
pub type Answer = Result<String, Stumble>;

/// What came of a story.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Told {
    /// Ways in, to try.
    pub sign_ins: Vec<SignIn>,
    /// Receipt number of its case.
    pub receipt_number: Option<String>,
    /// Steps played.
    pub steps: usize,
}

/// A way in.
#[derive(Clone, Debug, Serialize)]
pub struct SignIn {
    /// `applicant`, `officer` or `operator`.
    pub role: String,
    /// E-mail address.
    pub email: String,
    /// Password.
    pub password: String,
    /// TOTP secret.
    pub totp_secret: String,
}

/// Stories of a folder with their titles.
pub fn list(folder: &Path) -> Result<Vec<(PathBuf, String, String)>> {
    let mut stories = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "toml") {
            let story = Story::read(&path)?;
            stories.push((path, story.title, story.about));
        }
    }
    stories.sort();
    Ok(stories)
}

/// Plays a story from its file; `disturbed` where something is stopped or killed meanwhile.
pub async fn play(addresses: &Addresses, file: &Path, disturbed: bool, teller: &Teller) -> Result<Told> {
    let story = Story::read(file)?;
    teller.heading(&story.title);
    let run = run()?;
    if story.turns_clock && addresses.clock.is_none() {
        bail!("this story turns the clock: play it with `docket up --story`, in an environment of its own");
    }
    let mut vars = Vars::new(today()?);
    vars.set("run", format!("{run:06}"));
    let mut people = BTreeMap::new();
    for (row, offset) in story.person.iter().zip(0..) {
        let person = Person::new(row.clone(), (run + offset) % 1_000_000);
        vars.set(format!("{}.email", row.id), &person.email);
        vars.set(format!("{}.a_number", row.id), &person.a_number);
        // Answers that several stories share know the person by the part only; the first of a part stands for it.
        for (name, value) in [
            ("a_number", &person.a_number),
            ("family_name", &row.family_name),
            ("given_name", &row.given_name),
            ("birth_date", &row.birth_date),
        ] {
            vars.set_if_new(format!("{}.{name}", row.part), value);
        }
        people.insert(row.id.clone(), person);
    }
    let mut player = Player { disturbed, ..Player::new(addresses, people, story.folder.clone())? };
    for (step, number) in story.step.iter().zip(1..) {
        vars.set_today(today()?);
        for (name, kept) in &player.kept {
            vars.set(format!("{name}.receipt"), &kept.receipt_number);
        }
        let filled = vars.fill(step).with_context(|| format!("step {number}"))?;
        let step: Step = filled.try_into().with_context(|| format!("step {number}"))?;
        player
            .step(number, &step, teller)
            .await
            .with_context(|| format!("step {number}: {} {}", step.who, step.say))?;
    }
    let told = player.told(story.step.len());
    if teller.is_json() {
        teller.value(&serde_json::to_value(&told)?);
    }
    Ok(told)
}

/// What tells the people of one playing from those of another: tenths of a second. Each person takes the next number, and
/// no story is over before its people could meet those of the one after it.
fn run() -> Result<u32> {
    Ok(u32::try_from(now_ms() / 100 % 1_000_000)?)
}

/// The civil date at the office.
fn today() -> Result<jiff::civil::Date> {
    let zone = jiff::tz::TimeZone::get("America/New_York").context("zone data")?;
    Ok(jiff::Timestamp::from_second(now_s())?.to_zoned_datetime(zone).date())
}

impl Player {
    /// A player of people, before the first step.
    pub fn new(addresses: &Addresses, people: BTreeMap<String, Person>, folder: PathBuf) -> Result<Self> {
        Ok(Self {
            addresses: addresses.clone(),
            connection: Connection::new(addresses)?,
            http: reqwest::Client::new(),
            people,
            folder,
            matter: Matter::default(),
            last_submission: String::new(),
            thread: String::new(),
            revocation: String::new(),
            payer_code: String::new(),
            dispute: String::new(),
            assigned: String::new(),
            helper_code: String::new(),
            appearances: BTreeMap::new(),
            disturbed: false,
            watch: None,
            kept: BTreeMap::new(),
        })
    }

    /// A player of people who have nothing but a name, for tests.
    pub fn with_people(addresses: &Addresses, ids: &[String]) -> Result<Self> {
        let run = run()?;
        let people = ids.iter().map(|id| (id.clone(), Person::new(PersonRow::named(id), run)));
        Self::new(addresses, people.collect(), PathBuf::new())
    }

    async fn step(&mut self, number: usize, step: &Step, teller: &Teller) -> Result<()> {
        let begun = Instant::now();
        self.renew(&step.who).await?;
        let answer = self.act_in_time(step).await;
        let answer = match (answer, &step.refused) {
            (Ok(answer), None) => answer,
            (Ok(answer), Some(expected)) => bail!("{expected} was expected, but it was done: {answer}"),
            (Err(Stumble::Refused(status)), Some(expected)) if reason(&status) == *expected => {
                format!("refused, {expected}: {}", plainly(&status))
            }
            (Err(Stumble::Refused(status)), _) => bail!("refused, {}: {}", reason(&status), plainly(&status)),
            (Err(Stumble::Failed(error)), _) => return Err(error),
        };
        let seen = see::check(self, &step.see).await?;
        let who = self.person(&step.who)?.row.called.clone();
        let answer = if seen.is_empty() { answer } else { format!("{answer}\n{seen}") };
        teller.told(number, &who, &step.say, &answer, begun.elapsed());
        Ok(())
    }

    /// Acts. A role travels to the services as an event: who joined the office a moment ago, and is not known there yet, tries
    /// again.
    async fn act_in_time(&mut self, step: &Step) -> Answer {
        let begun = Instant::now();
        loop {
            let answer = self.act(&step.who, &step.act).await;
            let unknown =
                matches!(&answer, Err(Stumble::Refused(status)) if reason(status) == "NOT_YOUR_ACT");
            let of_the_office = ["officer", "operator"].contains(&self.person(&step.who)?.row.part.as_str());
            let joined = of_the_office && step.refused.is_none();
            if !unknown || !joined || begun.elapsed() > party::PATIENCE {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn act(&mut self, who: &str, act: &Act) -> Answer {
        let Some(parts) = act.parts(self.person(who)?.row.proves_identity()) else {
            return self.single(who, act).await;
        };
        let mut told = Vec::with_capacity(parts.len());
        for part in &parts {
            told.push(self.single(who, part).await?);
        }
        Ok(told.join("\n"))
    }

    #[expect(clippy::too_many_lines, reason = "a table: each act, and where it is played")]
    async fn single(&mut self, who: &str, act: &Act) -> Answer {
        match act {
            Act::Join { .. } | Act::FileForm { .. } => {
                Err(anyhow::anyhow!("{act:?} stands for several acts").into())
            }
            Act::BeKnownToTheRegister {}
            | Act::Register {}
            | Act::ConfirmEmail { .. }
            | Act::SetUpTotp {}
            | Act::SignIn { .. }
            | Act::SignInWithRecoveryCode {}
            | Act::ReplaceApp {}
            | Act::ChangeEmail {}
            | Act::StepUp {}
            | Act::SignOut {}
            | Act::TakeRole { .. }
            | Act::ProveIdentity { .. } => party::account(self, who, act).await,
            Act::HaveTexts {} | Act::AnswerText { .. } => texts::act(self, who, act).await,
            Act::Pay { .. }
            | Act::InvitePayer {}
            | Act::WithdrawPayment {}
            | Act::SeePayment { .. }
            | Act::BankPays {}
            | Act::PaymentComesBack {}
            | Act::DisputeIsWon {} => money::act(self, who, act).await,
            Act::AppointRepresentative {}
            | Act::SeeRepresentations { .. }
            | Act::PrepareRepresentation { .. }
            | Act::AcceptRepresentation { .. }
            | Act::RefuseRepresentation {}
            | Act::ChangeWishes { .. }
            | Act::EndRepresentation {}
            | Act::RefuseAppearance { .. }
            | Act::EndAppearances { .. }
            | Act::ReinstateRepresentative { .. }
            | Act::AskReview {}
            | Act::ReturnFiling { .. }
            | Act::SeeRemark { .. }
            | Act::ApproveFiling {}
            | Act::WithdrawRepresentation { .. }
            | Act::WatchCase {}
            | Act::SeeNothing {} => represent::act(self, who, act).await,
            Act::AskHelper { .. }
            | Act::WithdrawHelper { .. }
            | Act::OpenInvitation {}
            | Act::SeeSigners { .. }
            | Act::SignAsHelper { .. } => help::act(self, who, act).await,
            Act::AskToFile { .. } | Act::AcceptToFile { .. } | Act::SeeAsked { .. } => {
                invite::act(self, who, act).await
            }
            Act::SeeAddress { words } => see::address(self, who, words).await,
            Act::SeeDueDateStand { zone } => see::due_date(self, who, zone).await,
            Act::SeeNewEvidence { files } => see::new_evidence(self, who, *files).await,
            Act::SeeFeeOwed { cents } => see::fee_owed(self, who, *cents).await,
            Act::RequestExpedite { .. }
            | Act::SendInquiry { .. }
            | Act::ReadInquiries { .. }
            | Act::AskCorrection { .. }
            | Act::AnswerExpedite { .. }
            | Act::AnswerInquiry { .. } => inquire::act(self, who, act).await,
            Act::StartForm { .. }
            | Act::BeginAgain { .. }
            | Act::AskFeeWaiver { .. }
            | Act::Answer { .. }
            | Act::Upload { .. }
            | Act::RemoveEvidence { .. }
            | Act::ExplainMissingEvidence { .. }
            | Act::AddEvidence { .. }
            | Act::SeeFee { .. }
            | Act::Sign { .. }
            | Act::Submit { .. }
            | Act::GetReceiptNumber {}
            | Act::ReadNotice { .. }
            | Act::GetMail { .. }
            | Act::MoveAppointment { .. }
            | Act::Write { .. }
            | Act::Respond { .. }
            | Act::SeeRequest {}
            | Act::SeeRequestEnd { .. }
            | Act::Withdraw {}
            | Act::ConfirmAddress {}
            | Act::CountAtTheFarSide { .. } => party::filing(self, who, act).await,
            Act::RevokeRole { .. } | Act::ApproveRevocation {} => role::act(self, who, act).await,
            Act::FindInLog { service, kinds } => see::in_log(self, who, service, kinds).await,
            Act::TurnClock { days } => time::turn_by(self, who, *days).await,
            Act::HavePasswordGuessed {} => time::guess(self, who).await,
            Act::TurnClockPastDeadline {} => time::turn_past_deadline(self, who).await,
            Act::StopService { service } => outage::stop(self, service).await,
            Act::StartService { service } => outage::start(self, service).await,
            Act::BreakMail {} => outage::set_mail(self, false).await,
            Act::MendMail {} => outage::set_mail(self, true).await,
            Act::SeeMailWaiting {} => outage::see_mail_waiting(self, who).await,
            Act::SeeFiling { state } => outage::see_filing(self, who, state).await,
            Act::OpenEvidence { kind } => evidence::open(self, who, kind).await,
            Act::ViewEvidence { kind } => evidence::view(self, who, kind).await,
            Act::SeeAccesses { office, named } => evidence::see_accesses(self, who, office, *named).await,
            Act::ReadEnclosed { form } => evidence::read_enclosed(self, who, form).await,
            Act::Remember { case } => Ok(self.keep(case)),
            Act::TurnTo { case } => self.turn_to(case),
            Act::AnswerMessage { .. }
            | Act::SetMessageAside { .. }
            | Act::Reopen { .. }
            | Act::SeeWhyIntakeLooks { .. }
            | Act::DecideFeeWaiver { .. }
            | Act::AcceptFiling {}
            | Act::VoidAcceptance { .. }
            | Act::RejectFiling { .. }
            | Act::Assign { .. }
            | Act::StartReview {}
            | Act::Schedule { .. }
            | Act::TakeBiometrics { .. }
            | Act::MissAppointment { .. }
            | Act::Transfer { .. }
            | Act::BackgroundCheck { .. }
            | Act::Interview { .. }
            | Act::RequestEvidence { .. }
            | Act::IntendDenial { .. }
            | Act::IntendRevocation { .. }
            | Act::WithdrawRevocationIntent {}
            | Act::RevokeApproval { .. }
            | Act::RevokeByLaw { .. }
            | Act::Hold { .. }
            | Act::LiftHold { .. }
            | Act::AnswerCorrection { .. }
            | Act::ReopenOnOwnMotion { .. }
            | Act::CloseAdministratively { .. }
            | Act::ReopenClosed {}
            | Act::Unassign {}
            | Act::DispenseBiometrics { .. }
            | Act::FailCapture { .. }
            | Act::ExcuseAbsence { .. }
            | Act::WaiveInterview { .. }
            | Act::Recommend { .. }
            | Act::Decide { .. }
            | Act::Reverify {}
            | Act::TakeOath { .. }
            | Act::OrderCard {}
            | Act::RecordCard { .. }
            | Act::IssueCertificate { .. } => officer::act(self, who, act).await,
        }
    }

    fn keep(&mut self, name: &str) -> String {
        self.kept.insert(name.to_owned(), self.matter.clone());
        format!("kept as {name}")
    }

    /// A case that was kept.
    pub fn kept(&self, name: &str) -> Result<&Matter> {
        self.kept.get(name).with_context(|| format!("no case called {name:?} was kept"))
    }

    /// Goes on with a filing that was just begun.
    pub fn begin(&mut self, filing: docket_proto::filing::v1::Filing) {
        self.matter = Matter { filing: filing.name, package: filing.package_id, ..Matter::default() };
    }

    fn turn_to(&mut self, name: &str) -> Answer {
        self.matter = self.kept(name)?.clone();
        Ok(format!("back to {name}"))
    }

    /// Somebody of the story.
    pub fn person(&self, id: &str) -> Result<&Person> {
        self.people.get(id).with_context(|| format!("nobody called {id:?} is in this story"))
    }

    /// Somebody of the story, to change.
    pub fn person_mut(&mut self, id: &str) -> Result<&mut Person> {
        self.people.get_mut(id).with_context(|| format!("nobody called {id:?} is in this story"))
    }

    /// The token of somebody.
    pub fn token(&self, id: &str) -> Result<Option<String>> {
        Ok(self.person(id)?.access_token.clone())
    }

    /// The case, `cases/<uuid>`.
    pub fn case(&self) -> String {
        self.matter.case()
    }

    /// Renews everybody's access token in time.
    async fn renew(&mut self, who: &str) -> Result<()> {
        let ids: Vec<String> = self.people.keys().cloned().collect();
        for id in ids {
            let person = self.person(&id)?;
            // A step-up token is not renewed into one: who needs it steps up again.
            if person.refresh_token.is_empty()
                || (now_s() - person.token_at < RENEW_AFTER_S
                    && !(id == who && person.access_token.is_none()))
            {
                continue;
            }
            let message = identity::RefreshTokenRequest { refresh_token: person.refresh_token.clone() };
            let mut sessions = self.connection.sessions();
            let answer = sessions.refresh_token(request(None, message)).await.context("renew the session")?;
            let tokens = answer.into_inner().tokens.context("tokens")?;
            self.person_mut(&id)?.take_tokens(tokens);
        }
        Ok(())
    }

    fn told(&self, steps: usize) -> Told {
        let signed_in: Vec<&Person> =
            self.people.values().filter(|person| !person.refresh_token.is_empty()).collect();
        let applicant = signed_in.iter().find(|person| person.row.part == "applicant");
        let officer = signed_in.iter().find(|person| person.row.id == self.assigned);
        let officer = officer.or(signed_in.iter().find(|person| person.row.part == "officer"));
        let operators = signed_in.iter().filter(|person| person.row.part == "operator");
        let representative = signed_in.iter().find(|person| person.row.part == "representative");
        let sign_ins = applicant.into_iter().chain(officer).chain(operators).chain(representative);
        let sign_ins = sign_ins.map(|person| SignIn {
            role: person.row.part.clone(),
            email: person.email.clone(),
            password: person.password.clone(),
            totp_secret: person.totp_secret.clone(),
        });
        let receipt_number =
            (!self.matter.receipt_number.is_empty()).then(|| self.matter.receipt_number.clone());
        Told { sign_ins: sign_ins.collect(), receipt_number, steps }
    }
}

impl Person {
    /// Keeps new tokens; an empty refresh token leaves the old one.
    pub fn take_tokens(&mut self, tokens: identity::Tokens) {
        self.access_token = Some(tokens.access_token);
        if !tokens.refresh_token.is_empty() {
            self.refresh_token = tokens.refresh_token;
        }
        if !tokens.account.is_empty() {
            self.account = tokens.account;
        }
        self.token_at = now_s();
        self.stepped_up = false;
    }
}

/// A fresh command id.
pub fn command_id() -> String {
    Uuid::now_v7().to_string()
}
