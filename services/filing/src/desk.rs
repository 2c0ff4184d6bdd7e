//! What all handlers and policies share: the log's aggregates, the catalogue, and the one way to look at a filing.

use std::sync::Arc;

use docket_eventlog::{Aggregate, Context, EventLog, Executed, Loaded, Recorded, Store, Subjects, Timer};
use docket_forms::{Catalogue, Form};
use docket_kernel::{ManualClock, Refusal, identifier, resource};
use docket_proto::identity::v1::GetContactResponse;
use docket_service::{ApiError, Base, Caller, Resource};
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::PgExecutor;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::aggregates::{Filings, Packages, Practitioners, Representations, Responses};
use crate::content::Content;
use crate::copy::Copies;
use crate::domain::filing::{Filing, Phase, Standing};
use crate::domain::package::Added;
use crate::domain::response::Response;
use crate::dossiers::{Closed, Dossier, Dossiers};
use crate::edition;
use crate::facts::{OFFICE_ZONE, civil_date};
use crate::inspector::Inspector;
use crate::scanner::Scanner;
use crate::store::{filings, officers, offices, representations, requests, responses};

/// No request stays open longer: 84 days, 14 for mail from abroad, and the days on which offices are closed
/// (8 CFR 103.2(b)(8)(iv)), with room to spare. In microseconds.
const LONGEST_REQUEST_US: i64 = 130 * 86_400 * 1_000_000;

/// The parts of the service. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) base: Base,
    pub(crate) log: EventLog,
    pub(crate) filings: Store<Filings>,
    pub(crate) dossiers: Dossiers,
    pub(crate) responses: Store<Responses>,
    pub(crate) packages: Store<Packages>,
    pub(crate) practitioners: Store<Practitioners>,
    pub(crate) representations: Store<Representations>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) inspector: Inspector,
    pub(crate) scanner: Scanner,
    pub(crate) copies: Copies,
    /// Woken when an address of record may be owed to identity.
    pub(crate) addresses: Arc<Notify>,
}

/// A response that the caller may see, with its content opened.
pub(crate) struct ResponseDossier {
    pub(crate) id: Uuid,
    pub(crate) response: Response,
    pub(crate) content: Content,
}

/// How somebody stands to what was filed, and the case by which they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stands {
    /// As the policy calls it.
    pub(crate) relation: &'static str,
    /// The filing's own; of what went in with another form and opens none, a case of that form.
    pub(crate) case: Uuid,
}

/// What went into a package together.
#[derive(Default)]
pub(crate) struct Together {
    /// The filings of a form.
    pub(crate) mains: Vec<Added>,
    /// What goes with that form and opens no case of its own.
    pub(crate) enclosed: Vec<Added>,
}

impl Desk {
    pub(crate) fn new(
        base: Base,
        catalogue: Catalogue,
        (inspector, scanner): (Inspector, Scanner),
        copies: Copies,
    ) -> Self {
        let log = base.log.clone();
        Self {
            filings: Store::new(log.clone()),
            dossiers: Dossiers::new(log.clone(), base.vault.clone()),
            responses: Store::new(log.clone()),
            packages: Store::new(log.clone()),
            practitioners: Store::new(log.clone()),
            representations: Store::new(log.clone()),
            catalogue: Arc::new(catalogue),
            log,
            inspector,
            scanner,
            copies,
            addresses: Arc::default(),
            base,
        }
    }

    /// Now, microseconds since the epoch.
    pub(crate) fn now_us(&self) -> i64 {
        self.base.clock.now().as_microsecond()
    }

    /// The same desk at an instant: what it finds is as of then.
    pub(crate) fn at(&self, instant: Timestamp) -> Self {
        let mut desk = self.clone();
        desk.base.clock = ManualClock::shared(instant);
        desk
    }

    /// Today by the office's calendar.
    pub(crate) fn today(&self) -> Date {
        civil_date(self.base.clock.now(), OFFICE_ZONE)
    }

    /// A form by its number, however it is written, in the edition that is taken today.
    ///
    /// # Errors
    /// `FORM_UNKNOWN`.
    pub(crate) fn form(&self, number: &str) -> Result<&Form, Refusal> {
        let today = self.today();
        // Filings have it as it is; people write it as they like.
        if let Some(form) = self.catalogue.form_on(number, today) {
            return Ok(form);
        }
        let known = self.catalogue.forms().map(|form| form.id.as_str());
        let number = identifier::form_number(number, known)?;
        self.catalogue.form_on(&number, today).ok_or_else(Refusal::not_found)
    }

    /// The form in which a filing went in that was received at an instant (microseconds since the epoch), whichever edition is taken
    /// today: in its own edition, or, where it is not known here what that one says, in the one that was taken on that day.
    ///
    /// # Errors
    /// Not found, where no form has its number; unavailable, when it is in an edition that this node does not know yet.
    pub(crate) fn form_as_sent(&self, filing: &Filing, received_at_us: i64) -> Result<&Form, ApiError> {
        let present = self.catalogue.form(&filing.form).ok_or_else(ApiError::not_found)?;
        let edition: Option<Date> = filing.edition.parse().ok();
        if edition.is_some_and(|edition| edition > present.edition) {
            return Err(ApiError::unavailable("the edition of this filing"));
        }
        let received_at = Timestamp::from_microsecond(received_at_us).unwrap_or(Timestamp::UNIX_EPOCH);
        let taken = || self.catalogue.form_on(&filing.form, civil_date(received_at, OFFICE_ZONE));
        let own = edition.and_then(|edition| self.catalogue.in_edition(&filing.form, edition));
        own.or_else(taken).ok_or_else(ApiError::not_found)
    }

    /// Loads a filing for an act of the caller and opens its content.
    ///
    /// # Errors
    /// As [`Desk::closed`]; unavailable, when it is in an edition that cannot be had here.
    pub(crate) async fn filing(&self, caller: &Caller, action: &str, id: Uuid) -> Result<Dossier, ApiError> {
        let closed = self.closed(caller, action, id).await?;
        edition::present(self, self.dossiers.open(closed).await?).await
    }

    /// A draft as it was opened last, for a command of the caller that is carried out only where nothing came since. None where it is
    /// not kept, the caller may not, or its form has to be looked at first: then load it.
    ///
    /// # Errors
    /// A database or vault that does not answer.
    pub(crate) async fn kept(
        &self,
        caller: &Caller,
        action: &str,
        id: Uuid,
    ) -> Result<Option<Dossier>, ApiError> {
        let Some(dossier) = self.dossiers.kept(id).await? else { return Ok(None) };
        let filing = &dossier.filing;
        if !dossier.outline().is_open()
            || filing.is_agreed()
            || self.form(&filing.form)?.edition.to_string() != filing.edition
        {
            return Ok(None);
        }
        let relations = self.relations(caller, filing.account, id).await?;
        let may = self.require(caller, action, "Filing", id, relations).is_ok();
        Ok(may.then_some(dossier))
    }

    /// Loads a filing for an act of the caller that needs nothing of its content.
    ///
    /// # Errors
    /// Not found, also when it is not the caller's; what the policy says; a log or vault that does not answer.
    pub(crate) async fn closed(&self, caller: &Caller, action: &str, id: Uuid) -> Result<Closed, ApiError> {
        Ok(self.closed_by(caller, action, id).await?.0)
    }

    /// [`Desk::closed`], with how the caller stands to it.
    ///
    /// # Errors
    /// As [`Desk::closed`].
    pub(crate) async fn closed_by(
        &self,
        caller: &Caller,
        action: &str,
        id: Uuid,
    ) -> Result<(Closed, Stands), ApiError> {
        let closed = self.dossiers.find(id).await?;
        let stands = if closed.filing.phase == Phase::Absent {
            Vec::new()
        } else {
            let relations = self.relations(caller, closed.filing.account, id).await?;
            if relations.is_empty() {
                self.relations_by_main(caller, &closed.filing).await?
            } else {
                relations.into_iter().map(|relation| Stands { relation, case: id }).collect()
            }
        };
        let stands = self.stands(caller, (action, "Filing"), id, &stands)?;
        Ok((closed, stands))
    }

    /// Asks the policy, and says which relation it lets the caller do it by.
    fn stands(
        &self,
        caller: &Caller,
        (action, kind): (&str, &'static str),
        id: Uuid,
        stands: &[Stands],
    ) -> Result<Stands, ApiError> {
        if let [only] = stands {
            self.require(caller, action, kind, id, vec![only.relation])?;
            return Ok(*only);
        }
        let all = stands.iter().map(|stands| stands.relation).collect();
        self.require(caller, action, kind, id, all)?;
        let enough = |stands: &&Stands| self.require(caller, action, kind, id, vec![stands.relation]).is_ok();
        stands.iter().find(enough).or(stands.first()).copied().ok_or_else(ApiError::not_found)
    }

    /// The appearance that stands for a filing now, with the account of its representative. Where none was ever entered the
    /// database is not asked.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn represented(&self, dossier: &Dossier) -> Result<Option<(Uuid, Uuid)>, ApiError> {
        match dossier.filing.representation {
            Some(_) => Ok(representations::standing(&self.base.pool, dossier.id).await?),
            None => Ok(None),
        }
    }

    /// Loads a response for an act of the caller and opens its content.
    ///
    /// # Errors
    /// As [`Desk::filing`].
    pub(crate) async fn response(
        &self,
        caller: &Caller,
        action: &str,
        id: Uuid,
    ) -> Result<ResponseDossier, ApiError> {
        Ok(self.response_by(caller, action, id).await?.0)
    }

    /// [`Desk::response`], with how the caller stands to it.
    ///
    /// # Errors
    /// As [`Desk::filing`].
    pub(crate) async fn response_by(
        &self,
        caller: &Caller,
        action: &str,
        id: Uuid,
    ) -> Result<(ResponseDossier, Stands), ApiError> {
        let loaded: Loaded<Responses> = self.responses.load(id).await?;
        let response = loaded.state;
        let relations = if response.exists() {
            self.relations(caller, response.account, response.case).await?
        } else {
            Vec::new()
        };
        let case = response.case;
        let stands: Vec<Stands> = relations.into_iter().map(|relation| Stands { relation, case }).collect();
        let stands = self.stands(caller, (action, "Response"), id, &stands)?;
        let content = Content::of_response(&self.log, &loaded.events).await?;
        Ok((ResponseDossier { id, response, content }, stands))
    }

    /// Where the case of an accepted filing stands.
    ///
    /// # Errors
    /// The database or the log.
    pub(crate) async fn standing(&self, case: Uuid, account: Uuid) -> Result<Standing, ApiError> {
        let pool = &self.base.pool;
        // A decided case too may have a request open: of an approval that is to be revoked.
        if requests::waits(pool, case).await? {
            return Ok(Standing::RequestWaits);
        }
        let now_us = self.now_us();
        for id in responses::opened_since(pool, (case, account), now_us - LONGEST_REQUEST_US).await? {
            let response = self.responses.load(id).await?.state;
            if response.case == case && response.is_awaited(now_us) {
                return Ok(Standing::RequestOpen(id));
            }
        }
        Ok(if filings::is_pending(pool, case).await? { Standing::Pending } else { Standing::Decided })
    }

    /// How the caller stands to what `account` filed in `case`. Whoever is on the side of the party is nothing else in it,
    /// whatever roles they hold.
    async fn relations(
        &self,
        caller: &Caller,
        account: Uuid,
        case: Uuid,
    ) -> Result<Vec<&'static str>, ApiError> {
        let person = caller.person()?.account;
        if person == account {
            return Ok(vec!["applicant"]);
        }
        if representations::represents(&self.base.pool, person, case).await? {
            return Ok(vec!["representative"]);
        }
        if caller.roles.is_empty() {
            return Ok(Vec::new());
        }
        self.office_relations(caller, person, case).await
    }

    /// How somebody of the office stands to what went in with another form and opens no case: as to the cases of that form in its
    /// package. Whoever is on the side of a party there is nothing to it.
    async fn relations_by_main(&self, caller: &Caller, filing: &Filing) -> Result<Vec<Stands>, ApiError> {
        let main = self.catalogue.form(&filing.form).and_then(|form| form.goes_with.as_deref());
        let (Some(main), Phase::Submitted | Phase::Accepted) = (main, filing.phase) else {
            return Ok(Vec::new());
        };
        if caller.roles.is_empty() {
            return Ok(Vec::new());
        }
        let (pool, person) = (&self.base.pool, caller.person()?.account);
        let mut relations = Vec::new();
        for Added { filing: case, account, .. } in self.together(pool, filing.package, main).await?.mains {
            if account == person || representations::represents(pool, person, case).await? {
                return Ok(Vec::new());
            }
            let here = self.office_relations(caller, person, case).await?;
            relations.extend(here.into_iter().map(|relation| Stands { relation, case }));
        }
        Ok(relations)
    }

    /// What went in with a filing and opens no case of its own.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn enclosed(&self, filing: &Filing) -> Result<Vec<Added>, ApiError> {
        if !matches!(filing.phase, Phase::Submitted | Phase::Accepted) {
            return Ok(Vec::new());
        }
        Ok(self.together(&self.base.pool, filing.package, &filing.form).await?.enclosed)
    }

    /// The filings of a form in a package, and what goes with them there, as far as they have not ended as drafts. Where nothing goes
    /// with that form the database is not asked.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn together(
        &self,
        db: impl PgExecutor<'_>,
        package: Uuid,
        main: &str,
    ) -> sqlx::Result<Together> {
        let goes_with = |form: &Form| form.goes_with.as_deref() == Some(main);
        if !self.catalogue.forms().any(goes_with) {
            return Ok(Together::default());
        }
        let (mains, others) =
            filings::standing_in(db, package).await?.into_iter().partition(|added| added.form == main);
        let others: Vec<Added> = others;
        let enclosed = |added: &Added| self.catalogue.form(&added.form).is_some_and(goes_with);
        Ok(Together { mains, enclosed: others.into_iter().filter(enclosed).collect() })
    }

    /// How somebody of the office stands to a case: who has it; intake, while it is neither accepted nor rejected; a supervisor or a
    /// records officer of the office that it is with.
    async fn office_relations(
        &self,
        caller: &Caller,
        person: Uuid,
        case: Uuid,
    ) -> Result<Vec<&'static str>, ApiError> {
        let mut relations = Vec::new();
        if officers::of_case(&self.base.pool, case).await? == Some(person) {
            relations.push("assigned_officer");
        }
        let placed = ["intake_officer", "supervisor", "records_officer"];
        let placed = placed.iter().any(|role| caller.has_role(role, None));
        if placed && let Some(place) = offices::of_case(&self.base.pool, case).await? {
            if place.at_intake && caller.has_role("intake_officer", Some(&place.office)) {
                relations.push("intake");
            }
            if caller.has_role("supervisor", Some(&place.office)) {
                relations.push("supervisor");
            }
            if caller.has_role("records_officer", Some(&place.office)) {
                relations.push("records");
            }
        }
        Ok(relations)
    }

    /// Lets the caller do what everybody may.
    ///
    /// # Errors
    /// What the policy says.
    pub(crate) fn collection(&self, caller: &Caller, action: &str) -> Result<(), ApiError> {
        self.require(caller, action, "Collection", Uuid::nil(), Vec::new())
    }

    /// Carries a command out and sets a timer with it, unless it was done before or changes nothing.
    ///
    /// # Errors
    /// What is refused; a log that does not answer.
    pub(crate) async fn execute_with<A: Aggregate>(
        &self,
        store: &Store<A>,
        context: &Context,
        (id, subjects, timer): (Uuid, Subjects, &Timer),
        decide: impl Fn(&A::State) -> Result<Vec<A::Event>, Refusal>,
    ) -> Result<Executed<A>, ApiError> {
        let mut tx = docket_database::begin(&self.base.pool).await?;
        let done = store.execute_in(&mut tx, context, id, subjects, decide).await?;
        if !done.repeated && !done.events.is_empty() {
            self.log.timers().schedule_in(&mut tx, timer).await?;
        }
        tx.commit().await?;
        self.committed(&done.events);
        Ok(done)
    }

    /// Whether this very command was done before.
    ///
    /// # Errors
    /// A log that does not answer.
    pub(crate) async fn done_before(&self, context: &Context) -> Result<bool, ApiError> {
        Ok(self.log.was_done(context).await?)
    }

    /// Tells who waits for the log that something new is in it.
    pub(crate) fn committed(&self, events: &[Recorded]) {
        if let Some(event) = events.last() {
            self.log.committed(event.position);
        }
    }

    /// Asks the policy.
    ///
    /// # Errors
    /// What it says; not found without a relation.
    pub(crate) fn require(
        &self,
        caller: &Caller,
        action: &str,
        kind: &'static str,
        id: Uuid,
        relations: Vec<&'static str>,
    ) -> Result<(), ApiError> {
        self.base.access.require(
            caller,
            action,
            &Resource { kind, id, relations, office: None, class: "normal" },
        )
    }
}

/// The full legal name of a contact, as proven; empty where none is.
pub(crate) fn full_name(contact: &GetContactResponse) -> String {
    format!("{} {}", contact.given_name, contact.family_name).trim().to_owned()
}

/// The context of a command about what `account` filed: who acts for somebody else is named with them.
pub(crate) fn acting_for(context: Context, caller: &Caller, account: Uuid) -> Context {
    let for_another = caller.account().is_some_and(|own| own != account);
    Context { on_behalf_of: Some(account).filter(|_| for_another), ..context }
}

/// The id in a resource name given as a field.
///
/// # Errors
/// `NAME_MALFORMED` on that field.
pub(crate) fn id_in(field: &str, collection: &str, name: &str) -> Result<Uuid, Refusal> {
    resource::parse_field(field, collection, name).map_err(Refusal::from)
}

/// The ids in `<collection>/<uuid>/evidence/<uuid>`.
///
/// # Errors
/// `NAME_MALFORMED` on the field `name`.
pub(crate) fn evidence_in(collection: &str, name: &str) -> Result<(Uuid, Uuid), Refusal> {
    let malformed = || {
        Refusal::invalid(
            "name",
            "NAME_MALFORMED",
            format!("Write the name as {collection}/<id>/evidence/<id>."),
        )
    };
    let (parent, evidence) = name.split_once("/evidence/").ok_or_else(malformed)?;
    let evidence =
        Uuid::try_parse(evidence).ok().filter(|id| id.to_string() == evidence).ok_or_else(malformed)?;
    Ok((id_in("name", collection, parent)?, evidence))
}
