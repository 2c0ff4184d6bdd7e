//! When an appointment may be: on an open day of the office, in its hours, with enough notice (lifecycle 35–39).

use docket_kernel::Refusal;
use docket_kernel::calendar::plus_days;
use docket_kernel::deadline::{OFFICE_ZONE, office_date, zone};
use jiff::civil::{Date, Time, time};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::office::Office;
use super::{Appointment, rules};

/// How many days ahead the office sets an appointment without the person's agreement.
const NOTICE: &str = "appointment.notice";
/// The first and the last start of a day, in the office's zone.
pub const HOURS: (Time, Time) = (time(9, 0, 0, 0), time(16, 0, 0, 0));
/// How often the party may move an appointment online.
const MOVES: &str = "appointment.moves";
/// And until how many hours before it.
const MOVES_BEFORE: &str = "appointment.moves.before";

/// Whether somebody else set the day, or the person chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Set by the office, with the days of notice.
    Full,
    /// Chosen by the person: any later day.
    Agreed,
}

/// A day and a time at an office, as asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// The day; none for the first open day with enough notice.
    pub date: Option<Date>,
    /// The time; none for the first of the day.
    pub time: Option<Time>,
}

/// The civil date of an instant in the office's zone.
pub fn civil_date(at: Timestamp, zone_name: &str) -> Date {
    let zone =
        zone(zone_name).or_else(|_| zone(OFFICE_ZONE)).expect("the office's zone is in the built-in data");
    zone.to_datetime(at).date()
}

/// Makes the appointment, or says why that day or time cannot be.
///
/// # Errors
/// `OFFICE_CLOSED`, `TOO_SOON`, `OUTSIDE_HOURS`.
pub fn arrange(
    id: Uuid,
    office: &Office,
    wish: Wish,
    notice: Notice,
    now: Timestamp,
) -> Result<Appointment, Refusal> {
    let earliest = earliest(office, notice, now);
    let date = wish.date.unwrap_or_else(|| first_open(office, earliest));
    let start = wish.time.unwrap_or(HOURS.0);
    if start < HOURS.0 || start > HOURS.1 {
        return Err(Refusal::invalid(
            "time",
            "OUTSIDE_HOURS",
            "Appointments begin between 09:00 and 16:00 at the office.",
        ));
    }
    if date < earliest {
        let earliest = first_open(office, earliest);
        return Err(Refusal::state("TOO_SOON", format!("The first day that can be given is {earliest}."))
            .way_out("Choose that day or a later one.")
            .field("date")
            .fact("earliest_date", earliest.to_string()));
    }
    if !office.is_open(date) {
        let next = first_open(office, date);
        return Err(Refusal::state("OFFICE_CLOSED", format!("The office is closed on {date}."))
            .way_out(format!("Choose an open day; the next one is {next}."))
            .field("date")
            .fact("next_open_date", next.to_string()));
    }
    Ok(Appointment {
        id,
        office: office.code.clone(),
        place: office.place(),
        starts_at: instant(date, start, &office.zone)?,
        zone: office.zone.clone(),
    })
}

/// Free times, soonest first, at most 20: four a day on the first open days.
pub fn free(office: &Office, notice: Notice, now: Timestamp) -> Result<Vec<Appointment>, Refusal> {
    let mut day = first_open(office, earliest(office, notice, now));
    let mut slots = Vec::new();
    while slots.len() < 20 {
        for hour in [9, 11, 13, 15] {
            let wish = Wish { date: Some(day), time: Some(time(hour, 0, 0, 0)) };
            slots.push(arrange(Uuid::nil(), office, wish, notice, now)?);
        }
        day = first_open(office, plus_days(day, 1));
    }
    Ok(slots)
}

/// How often a person may move an appointment online, where a rule says so on the day.
pub fn moves(now: Timestamp) -> Option<i64> {
    let today = office_date(now);
    rules::holds(MOVES, today).then(|| rules::number(MOVES, today))
}

/// Until how many hours before it a person may move an appointment online.
pub fn move_hours(now: Timestamp) -> i64 {
    rules::number(MOVES_BEFORE, office_date(now))
}

/// Whether a person may still move the appointment online.
pub fn is_movable(appointment: &Appointment, now: Timestamp) -> bool {
    appointment.starts_at.duration_since(now) >= SignedDuration::from_hours(move_hours(now))
}

/// Whether `now` is before the appointment's civil day at its office.
pub fn is_before_its_day(appointment: &Appointment, now: Timestamp) -> bool {
    civil_date(now, &appointment.zone) < civil_date(appointment.starts_at, &appointment.zone)
}

/// Whether the appointment's civil day at its office is over.
pub fn is_its_day_over(appointment: &Appointment, now: Timestamp) -> bool {
    civil_date(now, &appointment.zone) > civil_date(appointment.starts_at, &appointment.zone)
}

fn earliest(office: &Office, notice: Notice, now: Timestamp) -> Date {
    let today = civil_date(now, &office.zone);
    match notice {
        Notice::Full => plus_days(today, rules::number(NOTICE, today)),
        Notice::Agreed => plus_days(today, 1),
    }
}

fn first_open(office: &Office, from: Date) -> Date {
    let mut day = from;
    while !office.is_open(day) && day < Date::MAX {
        day = plus_days(day, 1);
    }
    day
}

fn instant(date: Date, start: Time, zone_name: &str) -> Result<Timestamp, Refusal> {
    zone(zone_name)?
        .to_timestamp(date.to_datetime(start))
        .map_err(|_| Refusal::invalid("date", "DATE_BEYOND_TABLES", "Choose a day within the next years."))
}

#[cfg(test)]
mod tests {
    use super::super::office;
    use super::*;

    fn asked(date: &str, at: &str, notice: Notice) -> Result<Appointment, &'static str> {
        let now = "2026-11-23T15:00:00Z".parse().unwrap();
        let wish = Wish { date: date.parse().ok(), time: at.parse().ok() };
        arrange(Uuid::nil(), office::office("ASC-NYC").unwrap(), wish, notice, now)
            .map_err(|refusal| refusal.reason)
    }

    #[test]
    fn days_are_open_announced_and_within_hours() {
        // 3 December 2026 is a Thursday, ten days after Monday 23 November.
        assert_eq!(asked("", "", Notice::Full).unwrap().starts_at.to_string(), "2026-12-03T14:00:00Z");
        assert_eq!(asked("2026-12-02", "10:00", Notice::Full), Err("TOO_SOON"));
        assert_eq!(asked("2026-12-25", "10:00", Notice::Full), Err("OFFICE_CLOSED"));
        assert_eq!(asked("2026-12-05", "10:00", Notice::Full), Err("OFFICE_CLOSED"));
        assert_eq!(asked("2026-12-07", "16:01", Notice::Full), Err("OUTSIDE_HOURS"));
        assert_eq!(asked("2026-12-07", "08:59", Notice::Full), Err("OUTSIDE_HOURS"));
        assert_eq!(asked("2026-11-26", "10:00", Notice::Agreed), Err("OFFICE_CLOSED"));
        assert!(asked("2026-11-24", "16:00", Notice::Agreed).is_ok());
        assert_eq!(asked("2026-11-23", "16:00", Notice::Agreed), Err("TOO_SOON"));
    }

    #[test]
    fn twenty_free_times_are_offered() {
        let now = "2026-11-23T15:00:00Z".parse().unwrap();
        let slots = free(office::office("FO-NYC").unwrap(), Notice::Full, now).unwrap();
        assert_eq!(slots.len(), 20);
        assert!(slots.is_sorted_by_key(|slot| slot.starts_at));
    }
}
