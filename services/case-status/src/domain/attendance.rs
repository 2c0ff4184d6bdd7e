//! Where somebody is expected and what came of it: biometrics, the interview with its test, the oath, and the checks begun there.

use docket_proto::types::v1 as pb;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Deadline;
use super::state::{id, instant};

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
    /// Those of an earlier capture are used.
    Reused,
    /// Not needed of this person.
    Waived,
    /// The person did not come.
    Missed,
    /// The appointment fell away with the case.
    Cancelled,
}

impl Biometrics {
    /// Whether nothing more is to come of them.
    pub fn are_done(self) -> bool {
        matches!(self, Self::NotNeeded | Self::Taken | Self::Reused | Self::Waived)
    }
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
    /// Decided without one.
    Waived,
    /// The person did not come.
    Missed,
    /// The appointment fell away with the case.
    Cancelled,
}

impl Interview {
    /// Whether the case can be decided for what regards it.
    pub fn is_done(self) -> bool {
        matches!(self, Self::NotNeeded | Self::Completed | Self::Waived)
    }
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
    /// The person did not come.
    Missed,
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
