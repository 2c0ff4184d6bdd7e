//! What a party is reminded of: the day until which it may answer an open request, and an appointment that stands.

use docket_kernel::deadline::Reminders;
use jiff::civil::Date;
use uuid::Uuid;

use super::appointment::civil_date;
use super::{Appointment, Biometrics, Case, Deadline, Interview, Oath};

/// So many days before an appointment, at nine in the morning at its office.
pub const APPOINTMENT_DAYS: [u32; 2] = [7, 2];

impl Case {
    /// The reminders of a request's day, while it is open and may be answered; none of one that was not served or has ended.
    pub fn reminders_of_request(&self, id: Uuid) -> Option<Reminders> {
        let waits = self.open_request().filter(|request| request.id == id && request.served);
        before_due(&waits.filter(|_| self.may_be_answered())?.deadline)
    }

    /// The reminders of an appointment and what it is for, while it stands; none of one that was moved, held or has fallen away.
    pub fn reminders_of_appointment(&self, id: Uuid) -> Option<(&'static str, Reminders)> {
        let standing = [
            ("biometrics", self.biometrics == Biometrics::Scheduled, &self.biometrics_booking),
            ("interview", self.interview == Interview::Scheduled, &self.interview_booking),
            ("oath", self.oath == Oath::Scheduled, &self.oath_booking),
        ];
        standing.into_iter().find_map(|(kind, stands, booking)| {
            let appointment = booking.appointment.as_ref().filter(|set| stands && set.id == id)?;
            Some((kind, before_appointment(appointment)))
        })
    }

    /// Whether nobody was told yet, of a request or an appointment, that so few days are left.
    pub fn is_news(&self, id: Uuid, days_left: u32) -> bool {
        self.reminded.get(&id).is_none_or(|told| days_left < *told)
    }
}

/// The reminders of a deadline; none where a day of it cannot be read.
pub fn before_due(deadline: &Deadline) -> Option<Reminders> {
    let day = |text: &str| text.parse::<Date>().ok();
    let (day0, due) = (day(&deadline.day0_date)?, day(&deadline.due_date)?);
    Some(Reminders::before_due(day0, due, deadline.base_days, &deadline.zone))
}

/// The reminders of an appointment.
pub fn before_appointment(appointment: &Appointment) -> Reminders {
    let day = civil_date(appointment.starts_at, &appointment.zone);
    Reminders::before(day, &APPOINTMENT_DAYS, &appointment.zone)
}
