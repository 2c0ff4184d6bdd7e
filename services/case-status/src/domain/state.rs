//! The dimensions of a case. Events change one or two of them; what people read is derived from them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::asked::{Expedite, ExpediteState, Inquiry};
use super::correction::Correction;
use super::hold::Hold;
use super::review::{OwnMotion, Revocation};
use super::search::Search;
use super::thread::WaitingThread;
use super::{
    Absence, Appointment, Attempts, BasisEnd, Biometrics, Booking, Card, CardState, Check, Deadline,
    Direction, FeeOwed, FeeWaiver, GoesTo, Interview, KeptFee, Link, LinkKind, Oath, Request, RequestState,
    Wishes,
};

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

/// The way in which what was handed in goes through intake.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveRoute {
    /// By machine.
    #[default]
    Usual,
    /// The answers say that a case of the person is protected (8 USC 1367): somebody looks first, and strangers are told nothing.
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
    /// Approved, and the approval was revoked (8 CFR 205.2).
    Revoked,
    /// Approved, and the approval ended by the law itself (8 CFR 205.1); there is no appeal.
    RevokedByLaw,
    /// Approved, and the status that it gave was terminated (8 CFR 236.23(d), 244.14).
    Terminated,
    /// Closed without a decision (8 CFR 335.6), or because the applicant died.
    AdministrativelyClosed,
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
            Self::Revoked => "revoked",
            Self::RevokedByLaw => "revoked_by_law",
            Self::Terminated => "terminated",
            Self::AdministrativelyClosed => "administratively_closed",
            Self::Withdrawn => "withdrawn",
            Self::ClosedAsMoot => "closed_as_moot",
        }
    }
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
    /// Where originals and documents go; none where nothing is known of it: to the client.
    #[serde(default)]
    pub wishes: Option<Wishes>,
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
    /// What of that fee does not go back where the filing is rejected.
    #[serde(default)]
    pub kept_fee: Option<KeptFee>,
    /// The waiver of the fee.
    #[serde(default)]
    pub fee_waiver: FeeWaiver,
    /// Receipt number of the decided case that this one challenges; else empty.
    #[serde(default)]
    pub about_receipt: String,
    /// `appeal`, `motion_reopen`, `motion_reconsider`, `motion_both`; else empty.
    #[serde(default)]
    pub challenge: String,
    /// Receipt number of the case that it rests on, as the answers say; else empty.
    #[serde(default)]
    pub rests_on_receipt: String,
    /// Whether it rests on a case that was known without its number: one of the package, or a pending one of the same person.
    #[serde(default)]
    pub rests_on_unnamed: bool,
    /// Whether an officer saw that the petition it rests on, which is no case here, is approved.
    #[serde(default)]
    pub basis_verified: bool,
    /// Whether it is made as the spouse or child of a principal applicant, through whom alone it is granted (INA 203(d)).
    #[serde(default)]
    pub derivative: bool,
    /// Whether an officer saw that the principal applicant, who has no case here, is approved.
    #[serde(default)]
    pub principal_verified: bool,
    /// The pending motions and appeals against its denial, by case, each with its kind.
    #[serde(default)]
    pub challenges: BTreeMap<Uuid, String>,
    /// Those that were granted, and because of which nobody reopened it yet.
    #[serde(default)]
    pub granted: BTreeSet<Uuid>,
    /// The motions that reopened it, in order.
    #[serde(default)]
    pub reopened_by: Vec<Uuid>,
    /// The way in which it goes through intake.
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
    /// Until when the law has the office decide or hear it, while it has not; none in cases from before it was kept.
    #[serde(default)]
    pub office_deadline: Option<Deadline>,
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
    /// Civil date from which the approval holds, ISO 8601; empty before, and of approvals from before it was kept.
    #[serde(default)]
    pub approved_on: String,
    /// What keeps it from being decided, in order.
    #[serde(default)]
    pub holds: Vec<Hold>,
    /// Who decided.
    pub decided_by: Option<Uuid>,
    /// The last revocation of the approval that was intended.
    #[serde(default)]
    pub revocation: Option<Revocation>,
    /// Until when it is reopened when the party asks, ISO 8601; empty when it is not.
    #[serde(default)]
    pub reopen_until: String,
    /// For what the office reopened it on its own motion, until it is decided again.
    #[serde(default)]
    pub own_motion: Option<OwnMotion>,
    /// Who checked again before the oath.
    pub reverified_by: Option<Uuid>,
    /// The oath.
    pub oath: Oath,
    /// Its appointment.
    pub oath_booking: Booking,
    /// How many ceremonies were missed without an excuse since the approval.
    #[serde(default)]
    pub oaths_missed: u32,
    /// Until when the person may say why the last one was missed, ISO 8601; empty when none was.
    #[serde(default)]
    pub oath_explained_by: String,
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
    /// The last request to correct a name or a birth date.
    #[serde(default)]
    pub correction: Option<Correction>,
    /// The searches for those whom a mail about a notice did not reach, oldest first.
    #[serde(default)]
    pub searches: Vec<Search>,
    /// The conversations in which somebody waits for an answer, the longest first.
    #[serde(default)]
    pub waiting_threads: Vec<WaitingThread>,
    /// Of which requests and appointments the party was reminded, and how many days were left at the last time.
    #[serde(default)]
    pub reminded: BTreeMap<Uuid, u32>,
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

    /// Whether it is protected (8 USC 1367).
    pub fn is_protected(&self) -> bool {
        self.move_route == MoveRoute::Protected
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

    /// Where its card goes as things stand: to the representative where the client consented to that on Form G-28 and they act (8 CFR
    /// 103.2(b)(19)(iii)), else to the client. What is protected goes to the person's own address whatever was said, and what came back
    /// from the representative does not go there again.
    pub fn card_goes_to(&self) -> GoesTo {
        let acts = self.representative().is_some();
        let wishes = self.appearance.and_then(|appearance| appearance.wishes).unwrap_or_default();
        let came_back =
            self.card.state == CardState::Returned && self.card.mailed_to == GoesTo::Representative;
        if acts && wishes.documents_to_representative && !came_back && self.move_route != MoveRoute::Protected
        {
            GoesTo::Representative
        } else {
            GoesTo::Client
        }
    }

    /// Whether the address of record was given or confirmed since the card came back.
    pub fn address_confirmed_since_return(&self) -> bool {
        self.address_known_at_us > self.card.returned_at_us
    }

    /// The petitions and the principals' applications that it needs to be approved.
    pub fn rests_on(&self) -> impl Iterator<Item = Uuid> {
        self.bases().chain(self.principals())
    }

    /// The petitions that it needs to be approved.
    pub fn bases(&self) -> impl Iterator<Item = Uuid> {
        self.links.iter().filter(|link| link.is_basis()).map(|link| link.case)
    }

    /// The applications of the principals through whom it is made.
    pub fn principals(&self) -> impl Iterator<Item = Uuid> {
        let needed = |link: &&Link| link.kind == LinkKind::Principal && link.direction == Direction::RestsOn;
        self.links.iter().filter(needed).map(|link| link.case)
    }

    /// The applications that need it to be approved.
    pub fn carried(&self) -> impl Iterator<Item = Uuid> {
        let needing = |link: &&Link| link.kind == LinkKind::Basis && link.direction == Direction::Carries;
        self.links.iter().filter(needing).map(|link| link.case)
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
        let needed = !matches!(self.biometrics, Biometrics::NotNeeded | Biometrics::Waived);
        (!needed || !self.checks.is_empty()) && self.checks.values().all(|check| *check != Check::Started)
    }

    /// Whether nobody came to an appointment, and none was set since.
    pub fn has_missed(&self) -> bool {
        self.biometrics == Biometrics::Missed || self.interview == Interview::Missed
    }

    /// The next appointment of any kind.
    pub fn appointment(&self) -> Option<&Appointment> {
        self.next_appointment().map(|(_, appointment)| appointment)
    }

    /// The next appointment, and what it is for: `biometrics`, `interview` or `oath`.
    pub fn next_appointment(&self) -> Option<(&'static str, &Appointment)> {
        let standing = [
            (self.biometrics == Biometrics::Scheduled, "biometrics", &self.biometrics_booking),
            (self.interview == Interview::Scheduled, "interview", &self.interview_booking),
            (self.oath == Oath::Scheduled, "oath", &self.oath_booking),
        ];
        standing
            .into_iter()
            .filter(|(stands, ..)| *stands)
            .filter_map(|(_, kind, booking)| Some((kind, booking.appointment.as_ref()?)))
            .min_by_key(|(_, appointment)| appointment.starts_at)
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
