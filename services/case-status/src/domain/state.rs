//! The dimensions of a case. Events change one or two of them; what people read is derived from them.

use std::collections::{BTreeMap, BTreeSet};

use docket_proto::types::v1 as pb;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::asked::{Expedite, ExpediteState, Inquiry};
use super::search::Search;

/// How far the case is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing happened yet: there is no case.
    #[default]
    Unknown,
    /// Sent; intake looks at it.
    Submitted,
    /// Intake took it: it has a receipt number.
    Accepted,
    /// Intake did not take it: it never had a number.
    Rejected,
    /// The office took its acceptance back: its number is burned.
    Voided,
    /// An officer began the review.
    InReview,
    /// An officer recommended a decision; another one decides.
    DecisionPending,
    /// Decided.
    Decided,
    /// Nothing more is to come.
    Closed,
}

impl Stage {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Submitted => "submitted",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Voided => "voided",
            Self::InReview => "in_review",
            Self::DecisionPending => "decision_pending",
            Self::Decided => "decided",
            Self::Closed => "closed",
        }
    }

    /// Accepted and not decided.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::Accepted | Self::InReview | Self::DecisionPending)
    }
}

/// How a waiver of the fee stands (8 CFR 106.3).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeWaiver {
    /// Not asked for.
    #[default]
    NotAsked,
    /// Asked for.
    Asked,
    /// Granted.
    Granted,
    /// Refused: the filing is rejected.
    Refused,
}

/// The way in which a reported move goes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveRoute {
    /// By machine.
    #[default]
    Usual,
    /// The person says that a case is protected (8 USC 1367): somebody looks first.
    Protected,
}

/// How it was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Approved.
    Approved,
    /// Denied on the merits.
    Denied,
    /// Denied because something asked for never came (8 CFR 103.2(b)(13)).
    DeniedAbandoned,
    /// Asylum was not granted, and the application went to the immigration court (8 CFR 208.14(c)(1)).
    Referred,
    /// Withdrawn by the party.
    Withdrawn,
    /// Closed, since the person has what it asked for in another way.
    ClosedAsMoot,
}

impl Outcome {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::DeniedAbandoned => "denied_abandoned",
            Self::Referred => "referred",
            Self::Withdrawn => "withdrawn",
            Self::ClosedAsMoot => "closed_as_moot",
        }
    }
}

/// Where and when somebody is expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// The appointment's id.
    pub id: Uuid,
    /// Code of the office.
    pub office: String,
    /// Name and address of the office.
    pub place: String,
    /// The beginning.
    pub starts_at: Timestamp,
    /// IANA zone of the office.
    pub zone: String,
}

/// Biometrics.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Biometrics {
    /// Not needed.
    #[default]
    NotNeeded,
    /// Needed, no appointment yet.
    Needed,
    /// An appointment stands.
    Scheduled,
    /// Captured.
    Taken,
    /// The person did not come.
    Missed,
    /// The appointment fell away with the case.
    Cancelled,
}

/// The interview.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interview {
    /// Not needed.
    #[default]
    NotNeeded,
    /// Needed, no appointment yet.
    ToSchedule,
    /// An appointment stands.
    Scheduled,
    /// Held.
    Completed,
    /// The person did not come.
    Missed,
    /// The appointment fell away with the case.
    Cancelled,
}

/// The oath of allegiance.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Oath {
    /// Nothing to take, or not yet.
    #[default]
    None,
    /// Approved; a ceremony is to be set.
    ToSchedule,
    /// A ceremony is set.
    Scheduled,
    /// Taken: the person is a citizen (8 CFR 337.9).
    Taken,
}

/// The appointment of one kind and how often the party moved it.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// The appointment that stands, or the last one.
    pub appointment: Option<Appointment>,
    /// How often the party moved it online.
    pub moved_by_party: u32,
}

/// Attempts at one part of the test.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// How many, at most two (8 CFR 312.5(a)) and those that were given since.
    pub count: u32,
    /// Whether one was passed.
    pub passed: bool,
    /// How many more a case has that was reopened after two.
    #[serde(default)]
    pub given: u32,
}

impl Attempts {
    /// Attempts at a part of the test (8 CFR 312.5(a)).
    const USUAL: u32 = 2;

    /// Whether the part is not passed and may be taken once more.
    pub fn one_is_left(&self) -> bool {
        !self.passed && self.count < Self::USUAL.saturating_add(self.given)
    }
}

/// A background check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Asked.
    Started,
    /// Answered: whether a record was found.
    Returned {
        /// Whether a record was found.
        record: bool,
    },
}

/// What a request asks by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// Request for evidence (8 CFR 103.2(b)(8)).
    Rfe,
    /// Continued examination, Form N-14 (8 CFR 335.7).
    N14,
    /// Notice of intent to deny (8 CFR 103.2(b)(8), (b)(16)(i)).
    Noid,
}

impl RequestKind {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rfe => "rfe",
            Self::N14 => "n14",
            Self::Noid => "noid",
        }
    }
}

/// How a request stands; it ends in exactly one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Waiting for the answer.
    Open,
    /// Every item was answered.
    RespondedComplete,
    /// Some items were answered: decide on the record (8 CFR 103.2(b)(11)).
    RespondedPartial,
    /// The deadline passed without an answer.
    Expired,
    /// It ended with the case.
    Cancelled,
}

/// The last request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The request's id; the response has the same.
    pub id: Uuid,
    /// What it is.
    pub kind: RequestKind,
    /// How it stands.
    pub state: RequestState,
    /// The deadline, planned until served.
    pub deadline: Deadline,
    /// Whether the notice was posted; then the deadline never becomes earlier.
    pub served: bool,
    /// When the one response was received.
    pub received_at: Option<Timestamp>,
    /// Whether the response was in time.
    pub timely: bool,
    /// The notice that served it; none before, and in rows from before it was kept.
    #[serde(default)]
    pub notice: Option<Uuid>,
    /// Files of the response that nobody opens yet: they were received before they could be scanned for viruses.
    #[serde(default)]
    pub being_checked: BTreeSet<Uuid>,
}

/// A deadline as its event fixed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// The rule.
    pub rule: String,
    /// Civil date of service.
    pub day0_date: String,
    /// The period.
    pub base_days: u32,
    /// Added because it was mailed.
    pub mail_days: u32,
    /// Last day before rolling.
    pub raw_last_date: String,
    /// Last day.
    pub due_date: String,
    /// Zone of the party.
    pub zone: String,
    /// The first instant which is too late.
    pub expires_at: Timestamp,
    /// Source.
    pub cite: String,
    /// The derivation in one line.
    pub derivation: String,
}

/// A fee that was not honoured and is owed again (8 CFR 106.1(c)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeOwed {
    /// Amount in cents.
    pub amount_cents: i64,
    /// Until when it may be made good.
    pub deadline: Deadline,
    /// The event of the payment that says so.
    pub return_id: Uuid,
    /// Whether it was not made good in time.
    pub overdue: bool,
    /// What is owed of each return, oldest first; none in rows from before it was kept.
    #[serde(default)]
    pub returns: Vec<Unpaid>,
}

impl FeeOwed {
    /// What is owed of each return once so many cents more are paid: what was owed first is paid first, since a payment is of what
    /// was owed when it was begun.
    pub fn left_after(&self, paid_cents: i64) -> Vec<Unpaid> {
        let mut paid_cents = paid_cents;
        let mut left = Vec::new();
        for owed in &self.returns {
            let paid = owed.amount_cents.clamp(0, paid_cents.max(0));
            paid_cents = paid_cents.saturating_sub(paid);
            if paid < owed.amount_cents {
                left.push(Unpaid { amount_cents: owed.amount_cents - paid, ..*owed });
            }
        }
        left
    }
}

/// A return that is not made good, or not all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpaid {
    /// The event of the payment that says so.
    pub id: Uuid,
    /// What is owed of it, in cents.
    pub amount_cents: i64,
}

/// An examination to which nobody came, and for which the party has days to say why (8 CFR 335.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// The appointment.
    pub appointment: Uuid,
    /// Until when the party may say why.
    pub deadline: Deadline,
    /// Whether the party said something, in time or not.
    pub explained: bool,
    /// Whether the days passed without a word.
    pub passed: bool,
}

/// The appearance of a representative for the party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appearance {
    /// The representation.
    pub representation: Uuid,
    /// Account of the representative.
    pub representative: Uuid,
    /// Whether the office took it, with the filing.
    pub active: bool,
}

/// A recommended decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    /// Who recommended.
    pub officer: Uuid,
    /// To approve; else to deny or to refer.
    pub approve: bool,
    /// To refer to the immigration court.
    #[serde(default)]
    pub refer: bool,
}

/// What ties two cases of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// A petition, and the application that needs it to be approved (INA 245(a)).
    Basis,
    /// An application for adjustment, and one that needs it to be pending (8 CFR 274a.12(c)(9), 223.2).
    Ancillary,
}

impl LinkKind {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Basis => "basis",
            Self::Ancillary => "ancillary",
        }
    }
}

/// Which of two linked cases needs the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// This case needs the other one.
    RestsOn,
    /// The other one needs this case.
    Carries,
}

impl Direction {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RestsOn => "rests_on",
            Self::Carries => "carries",
        }
    }
}

/// A link with another case of the same package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The other case.
    pub case: Uuid,
    /// Its form.
    pub form: String,
    /// What ties them.
    pub kind: LinkKind,
    /// Which needs the other.
    pub direction: Direction,
}

/// How a case ended that another one rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BasisEnd {
    /// Denied, abandoned or not.
    Denied,
    /// Withdrawn.
    Withdrawn,
    /// Rejected at intake.
    Rejected,
    /// Its acceptance was taken back.
    Voided,
}

impl BasisEnd {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Withdrawn => "withdrawn",
            Self::Rejected => "rejected",
            Self::Voided => "voided",
        }
    }
}

/// How far a card is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardState {
    /// None was ordered.
    #[default]
    None,
    /// Ordered.
    Ordered,
    /// Made.
    Produced,
    /// With the carrier.
    Mailed,
    /// Delivered.
    Delivered,
    /// Back at the office.
    Returned,
    /// Destroyed.
    Destroyed,
}

impl CardState {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Ordered => "ordered",
            Self::Produced => "produced",
            Self::Mailed => "mailed",
            Self::Delivered => "delivered",
            Self::Returned => "returned",
            Self::Destroyed => "destroyed",
        }
    }
}

/// The card or document that an approval gives.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// How far it is.
    pub state: CardState,
    /// Carrier of the last mailing.
    pub carrier: String,
    /// Its number.
    pub tracking_number: String,
    /// When it was delivered, ISO 8601.
    pub delivered_on: String,
    /// When it came back last, microseconds since the epoch.
    pub returned_at_us: i64,
    /// Until when it is kept, ISO 8601.
    pub keep_until: String,
}

/// Everything that is true of a case.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, there or not")]
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// How far it is.
    pub stage: Stage,
    /// How it was decided.
    pub outcome: Option<Outcome>,
    /// Form.
    pub form: String,
    /// Family of the form.
    pub family: String,
    /// The party's account.
    pub party: Option<Uuid>,
    /// The party's zone.
    pub zone: String,
    /// Whether the party lives abroad.
    pub abroad: bool,
    /// Age on the receipt date.
    pub age: u32,
    /// As whom the filing was signed: `self` (or empty), `self_other_name`, `parent`, `guardian`, `attorney_in_fact`, `company_officer`.
    #[serde(default)]
    pub signed_as: String,
    /// The payment of its fee; none when nothing was due.
    #[serde(default)]
    pub payment: Option<Uuid>,
    /// The waiver of the fee.
    #[serde(default)]
    pub fee_waiver: FeeWaiver,
    /// Receipt number of the decided case that this one challenges; else empty.
    #[serde(default)]
    pub about_receipt: String,
    /// `appeal`, `motion_reopen`, `motion_reconsider`, `motion_both`; else empty.
    #[serde(default)]
    pub challenge: String,
    /// The pending motions and appeals against its denial, by case, each with its kind.
    #[serde(default)]
    pub challenges: BTreeMap<Uuid, String>,
    /// The motions that reopened it, in order.
    #[serde(default)]
    pub reopened_by: Vec<Uuid>,
    /// The way in which a reported move goes.
    #[serde(default)]
    pub move_route: MoveRoute,
    /// Whether who asks for asylum said to be in no lawful status.
    #[serde(default)]
    pub without_status: bool,
    /// Who appeared for the party; none when nobody does any more.
    #[serde(default)]
    pub appearance: Option<Appearance>,
    /// The event of the account that the address comes from; none before the party moved.
    #[serde(default)]
    pub address_from: Option<Uuid>,
    /// Version of the civics test.
    pub civics_test: String,
    /// Civil date of receipt.
    pub receipt_date: String,
    /// When it was received.
    pub submitted_at_us: i64,
    /// Receipt number; empty before acceptance.
    pub receipt_number: String,
    /// Office that has the case; empty before acceptance.
    pub office: String,
    /// Whether it came from another office and nobody there has it yet.
    #[serde(default)]
    pub transferred: bool,
    /// Officer who has it.
    pub officer: Option<Uuid>,
    /// Biometrics.
    pub biometrics: Biometrics,
    /// Their appointment.
    pub biometrics_booking: Booking,
    /// Background checks by system.
    pub checks: BTreeMap<String, Check>,
    /// Interview.
    pub interview: Interview,
    /// Its appointment.
    pub interview_booking: Booking,
    /// The examination that was missed, while no other one is set.
    #[serde(default)]
    pub absence: Option<Absence>,
    /// Who held it.
    pub interviewer: Option<Uuid>,
    /// The civil day of the first examination: day 0 of the 120 days (8 CFR 335.3(a)).
    pub examined_on: String,
    /// Parts of the test.
    pub tests: BTreeMap<String, Attempts>,
    /// Whether the examination was continued; once only.
    pub continued: bool,
    /// The last request.
    pub request: Option<Request>,
    /// Those before it, oldest first; an answer to one may still come.
    #[serde(default)]
    pub earlier_requests: Vec<Request>,
    /// The recommendation that waits or was followed.
    pub recommendation: Option<Recommendation>,
    /// Who decided.
    pub decided_by: Option<Uuid>,
    /// Who checked again before the oath.
    pub reverified_by: Option<Uuid>,
    /// The oath.
    pub oath: Oath,
    /// Its appointment.
    pub oath_booking: Booking,
    /// Whether the certificate was issued.
    pub certificate: bool,
    /// Notices posted.
    pub notices: Vec<Uuid>,
    /// Cents that went back.
    pub refunded_cents: i64,
    /// The refunds that went back, each with its cents; those from before their ids were kept stand in the sum alone.
    #[serde(default)]
    pub refunds: BTreeMap<String, i64>,
    /// The fee that is owed again.
    #[serde(default)]
    pub fee_owed: Option<FeeOwed>,
    /// Cases of the same package that it needs, or that need it.
    #[serde(default)]
    pub links: Vec<Link>,
    /// Those it rests on that ended without an approval.
    #[serde(default)]
    pub lost_bases: BTreeMap<Uuid, BasisEnd>,
    /// When the address of record was given or confirmed last, microseconds since the epoch.
    #[serde(default)]
    pub address_known_at_us: i64,
    /// The card.
    #[serde(default)]
    pub card: Card,
    /// Files added unasked, in all.
    #[serde(default)]
    pub unsolicited: u32,
    /// Those of them, and files in answers to earlier requests, that came since an officer last acted on what is in the file.
    #[serde(default)]
    pub new_evidence: u32,
    /// The last request to expedite.
    #[serde(default)]
    pub expedite: Option<Expedite>,
    /// The inquiries that wait for an answer, oldest first.
    #[serde(default)]
    pub inquiries: Vec<Inquiry>,
    /// The searches for those whom a mail about a notice did not reach, oldest first.
    #[serde(default)]
    pub searches: Vec<Search>,
}

impl Case {
    /// Whether there is a case.
    pub fn exists(&self) -> bool {
        self.stage != Stage::Unknown
    }

    /// Rejected, or its acceptance was taken back: as if it had not been filed.
    pub fn is_over_unfiled(&self) -> bool {
        matches!(self.stage, Stage::Rejected | Stage::Voided)
    }

    /// Account of the representative who acts for the party. Where the acceptance was taken back nobody does: the end of the
    /// appearance is not told there any more.
    pub fn representative(&self) -> Option<Uuid> {
        let acting = self.appearance.filter(|appearance| appearance.active && !self.is_over_unfiled());
        acting.map(|appearance| appearance.representative)
    }

    /// Approved, and the oath is still to be taken or the certificate to be issued.
    pub fn oath_is_to_come(&self) -> bool {
        self.stage == Stage::Decided && self.oath != Oath::None
    }

    /// Submitted or accepted, and nothing ended it.
    pub fn is_open(&self) -> bool {
        self.stage == Stage::Submitted || self.stage.is_pending()
    }

    /// Whether it was filed for somebody else than who signed, such as a child.
    pub fn is_for_another(&self) -> bool {
        matches!(self.signed_as.as_str(), "parent" | "guardian" | "attorney_in_fact")
    }

    /// Approved, and a card is still on its way to the person or to be ordered.
    pub fn card_is_to_come(&self) -> bool {
        let there = self.card.state == CardState::Delivered;
        self.outcome == Some(Outcome::Approved) && super::card_of(&self.form).is_some() && !there
    }

    /// Whether the address of record was given or confirmed since the card came back.
    pub fn address_confirmed_since_return(&self) -> bool {
        self.address_known_at_us > self.card.returned_at_us
    }

    /// The petitions that it needs to be approved.
    pub fn bases(&self) -> impl Iterator<Item = Uuid> {
        let needed = |link: &&Link| link.kind == LinkKind::Basis && link.direction == Direction::RestsOn;
        self.links.iter().filter(needed).map(|link| link.case)
    }

    /// The request that waits for an answer.
    pub fn open_request(&self) -> Option<&Request> {
        self.request.as_ref().filter(|request| request.state == RequestState::Open)
    }

    /// A request of this case, the last one or an earlier one.
    pub fn request_with(&self, id: Uuid) -> Option<&Request> {
        self.request.iter().chain(&self.earlier_requests).find(|request| request.id == id)
    }

    /// The request to expedite that waits for an answer.
    pub fn open_expedite(&self) -> Option<&Expedite> {
        self.expedite.as_ref().filter(|expedite| expedite.state == ExpediteState::Requested)
    }

    /// Whether it comes before other cases.
    pub fn is_expedited(&self) -> bool {
        self.expedite.as_ref().is_some_and(|expedite| expedite.state == ExpediteState::Granted)
    }

    /// Whether every check that was asked for is answered, and one was asked for where fingerprints are needed.
    pub fn checks_answered(&self) -> bool {
        let needed = self.biometrics != Biometrics::NotNeeded;
        (!needed || !self.checks.is_empty()) && self.checks.values().all(|check| *check != Check::Started)
    }

    /// Whether nobody came to an appointment, and none was set since.
    pub fn has_missed(&self) -> bool {
        self.biometrics == Biometrics::Missed || self.interview == Interview::Missed
    }

    /// The next appointment of any kind.
    pub fn appointment(&self) -> Option<&Appointment> {
        let standing = [
            (self.biometrics == Biometrics::Scheduled, &self.biometrics_booking),
            (self.interview == Interview::Scheduled, &self.interview_booking),
            (self.oath == Oath::Scheduled, &self.oath_booking),
        ];
        standing
            .into_iter()
            .filter(|(stands, _)| *stands)
            .filter_map(|(_, booking)| booking.appointment.as_ref())
            .min_by_key(|appointment| appointment.starts_at)
    }

    /// Offices at which the person is expected.
    pub fn sites(&self) -> impl Iterator<Item = &str> {
        [&self.biometrics_booking, &self.interview_booking, &self.oath_booking]
            .into_iter()
            .filter_map(|booking| booking.appointment.as_ref())
            .map(|appointment| appointment.office.as_str())
    }
}

/// An instant from an event; events carry instants this program wrote.
pub(crate) fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// An id from an event; nil where it is none.
pub(crate) fn id(text: &str) -> Uuid {
    Uuid::try_parse(text).unwrap_or_default()
}

impl From<&pb::AppointmentSlot> for Appointment {
    fn from(slot: &pb::AppointmentSlot) -> Self {
        Self {
            id: id(&slot.appointment_id),
            office: slot.office.clone(),
            place: slot.place.clone(),
            starts_at: instant(slot.starts_at_us),
            zone: slot.zone.clone(),
        }
    }
}

impl From<&Appointment> for pb::AppointmentSlot {
    fn from(appointment: &Appointment) -> Self {
        Self {
            appointment_id: appointment.id.to_string(),
            office: appointment.office.clone(),
            place: appointment.place.clone(),
            starts_at_us: appointment.starts_at.as_microsecond(),
            zone: appointment.zone.clone(),
        }
    }
}

impl From<&pb::Deadline> for Deadline {
    fn from(deadline: &pb::Deadline) -> Self {
        Self {
            rule: deadline.rule.clone(),
            day0_date: deadline.day0_date.clone(),
            base_days: deadline.base_days,
            mail_days: deadline.mail_days,
            raw_last_date: deadline.raw_last_date.clone(),
            due_date: deadline.due_date.clone(),
            zone: deadline.zone.clone(),
            expires_at: instant(deadline.expires_at_us),
            cite: deadline.cite.clone(),
            derivation: deadline.derivation.clone(),
        }
    }
}

impl From<&Deadline> for pb::Deadline {
    fn from(deadline: &Deadline) -> Self {
        Self {
            rule: deadline.rule.clone(),
            day0_date: deadline.day0_date.clone(),
            base_days: deadline.base_days,
            mail_days: deadline.mail_days,
            raw_last_date: deadline.raw_last_date.clone(),
            due_date: deadline.due_date.clone(),
            zone: deadline.zone.clone(),
            expires_at_us: deadline.expires_at.as_microsecond(),
            cite: deadline.cite.clone(),
            derivation: deadline.derivation.clone(),
        }
    }
}

impl From<&docket_kernel::deadline::Deadline> for Deadline {
    fn from(deadline: &docket_kernel::deadline::Deadline) -> Self {
        Self {
            rule: deadline.rule_id.clone(),
            day0_date: deadline.day0.to_string(),
            base_days: deadline.base_days,
            mail_days: deadline.mail_days,
            raw_last_date: deadline.raw_last.to_string(),
            due_date: deadline.due.to_string(),
            zone: deadline.zone.clone(),
            expires_at: deadline.expires_at,
            cite: deadline.cite.clone(),
            derivation: deadline.derivation(),
        }
    }
}
