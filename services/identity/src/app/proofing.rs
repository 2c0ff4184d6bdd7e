//! Proving who is behind an account: the register of persons is asked, the person linked to one account only.

use docket_eventlog::{Context, Error, Expected, StreamAppend, StreamName, Subjects};
use docket_kernel::{Refusal, derived_id};
use docket_proto::events::{account::Event, person};
use docket_proto::identity::events::v1 as pb;
use docket_service::{ApiError, Person};
use uuid::Uuid;

use super::Identity;
use crate::domain::{self, Account, PROOFING};
use crate::register::{Match, Particulars};
use crate::store::tries;

const LEVEL: &str = "register_matched";
/// How often a lost race is decided again.
const ATTEMPTS: u32 = 5;
/// Why nobody was linked, where another account has the person.
const LINKED_ELSEWHERE: &str = "person_linked_elsewhere";

/// Why nobody was linked.
#[derive(Debug, Clone, Copy)]
enum Failure {
    /// The register has nobody with these particulars.
    NoMatch,
    /// This person is linked to another account.
    LinkedElsewhere(Uuid),
    /// The register did not answer.
    RegisterUnavailable,
}

impl Failure {
    /// The reason and the person, as `IdentityProofingFailed` says them.
    fn words(self) -> (&'static str, String) {
        match self {
            Self::NoMatch => ("no_match", String::new()),
            Self::LinkedElsewhere(person) => (LINKED_ELSEWHERE, person.to_string()),
            Self::RegisterUnavailable => ("register_unavailable", String::new()),
        }
    }
}

impl Identity {
    /// Asks the register and links the person. Three tries; an outage spends none.
    ///
    /// # Errors
    /// `NO_MATCH`, `PERSON_LINKED_ELSEWHERE`, `TOO_MANY_TRIES`, `IDENTITY_ALREADY_PROVEN`; UNAVAILABLE.
    pub(crate) async fn prove_identity(
        &self,
        context: Context,
        person: &Person,
        particulars: Particulars,
    ) -> Result<(), ApiError> {
        let account = person.account;
        if self.is_done(&context).await? {
            return self.repeat_proofing(&context, account).await;
        }
        let answer = self.try_prove(&context, account, particulars).await;
        // It may also have been repeated in the same moment: then what the other one found is the answer.
        if answer.is_err() && self.is_done(&context).await? {
            return self.repeat_proofing(&context, account).await;
        }
        answer
    }

    async fn try_prove(
        &self,
        context: &Context,
        account: Uuid,
        particulars: Particulars,
    ) -> Result<(), ApiError> {
        let state = self.accounts.load(account).await?.state;
        // Whether it may be proven at all, before the register learns anything.
        domain::link_person(&state, pb::IdentityProven::default())?;
        let key = tries_of(account);
        tries::once(
            &self.pool,
            PROOFING,
            &key,
            self.now(),
            "Compare names, date of birth and A-number with your card before you try again. You can file without a match: an officer then looks before your filing is accepted.",
        )
        .await?;
        let answer = self.ask(context, account, particulars).await;
        tries::judged(&self.pool, &key, answer).await
    }

    /// Asks the register, the try charged, and keeps what it says.
    async fn ask(&self, context: &Context, account: Uuid, particulars: Particulars) -> Result<(), ApiError> {
        match self.register.find(&particulars).await {
            Match::Person(person) => self.link(context, account, person, &particulars).await,
            Match::None => self.failed(context, account, Failure::NoMatch).await,
            Match::Unavailable => {
                let outage = derived_id("identity.proofing.unavailable", self.new_id(), 0);
                let context = Context { command_id: outage, request: Vec::new(), ..context.clone() };
                let _noted = self.failed(&context, account, Failure::RegisterUnavailable).await;
                Err(ApiError::unavailable("the register of persons"))
            }
        }
    }

    /// Both streams in one append: the account is proven and the person linked, or neither.
    async fn link(
        &self,
        context: &Context,
        account: Uuid,
        person: Uuid,
        particulars: &Particulars,
    ) -> Result<(), ApiError> {
        let proven = pb::IdentityProven {
            level: LEVEL.to_owned(),
            person_id: person.to_string(),
            family_name: particulars.family_name.clone(),
            given_name: particulars.given_name.clone(),
            birth_date: particulars.birth_date.clone(),
            a_number: particulars.a_number.clone(),
        };
        let person_stream = StreamName::of("person", person);
        let linked = person::Event::from(pb::PersonLinked { account_id: account.to_string() });
        for _ in 1..=ATTEMPTS {
            let loaded = self.accounts.load(account).await?;
            let events = domain::link_person(&loaded.state, proven.clone())?;
            let known = self.persons.state(person).await?;
            if self.held_by_another(&known.state, account).await?.is_some() {
                return self.failed(context, account, Failure::LinkedElsewhere(person)).await;
            }
            let subjects = Subjects::account(account);
            let streams = vec![
                StreamAppend::of(stream(account), Expected::Version(loaded.version), subjects, &events),
                StreamAppend::of(
                    person_stream.clone(),
                    Expected::Version(known.version),
                    Subjects::NONE,
                    std::slice::from_ref(&linked),
                ),
            ];
            match self.log.append(context.append(&self.log, streams)).await {
                Ok(_) => return Ok(()),
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(ApiError::Exhausted("the account"))
    }

    /// Writes the failure down and gives its refusal. Where the same request did so in the same moment, this one
    /// costs no try.
    async fn failed(&self, context: &Context, account: Uuid, failure: Failure) -> Result<(), ApiError> {
        let (reason, person_id) = failure.words();
        let event = Event::from(pb::IdentityProofingFailed { reason: reason.to_owned(), person_id });
        let decide = |_: &Account| Ok(vec![event.clone()]);
        let done = self.accounts.execute(context, account, Subjects::account(account), decide).await?;
        if done.repeated {
            tries::give_back(&self.pool, &tries_of(account)).await?;
        }
        Err(refusal(reason).into())
    }

    /// The first answer again. The log compares the requests.
    async fn repeat_proofing(&self, context: &Context, account: Uuid) -> Result<(), ApiError> {
        for event in &self.repeated(context, account).await? {
            if let Event::IdentityProofingFailed(failed) = event.decode::<Event>()? {
                return Err(refusal(&failed.reason).into());
            }
        }
        Ok(())
    }
}

/// The row of tries to prove who is behind an account.
pub(super) fn tries_of(account: Uuid) -> String {
    format!("proofing:{account}")
}

fn stream(account: Uuid) -> StreamName {
    StreamName::of("account", account)
}

fn refusal(reason: &str) -> Refusal {
    match reason {
        LINKED_ELSEWHERE => Refusal::state(
            "PERSON_LINKED_ELSEWHERE",
            "The person with these particulars already has another account.",
        )
        .way_out(
            "Sign in with that account: without its app, a recovery code opens it. If it is lost to you, or somebody else made it, write to the records office: two officers can release the person for this account.",
        ),
        _ => Refusal::state("NO_MATCH", "The register has nobody with exactly these particulars.").way_out(
            "Check names, date of birth and A-number as they stand on your card, and try again. You can file without a match: an officer then looks before your filing is accepted.",
        ),
    }
}
