//! `docket appointment`: times to which an appointment can be moved, and moving it with good cause.
use super::{Refused, inquiries};
use crate::client::{patiently, request};
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::case_status::v1 as pb;
use docket_proto::types::v1::AppointmentSlot;
use jiff::civil::DateTime;
use serde_json::json;
use std::path::Path;
use uuid::Uuid;

/// Which appointment, and where to.
#[derive(Debug, clap::Args)]
pub struct AppointmentArgs {
    /// Receipt number, or cases/<id>.
    case: String,
    /// biometrics, interview or oath.
    #[arg(value_parser = ["biometrics", "interview", "oath"])]
    kind: String,
    /// Move it to this time at the office, as the list writes it: 2026-12-01T13:00.
    #[arg(long, requires = "because")]
    to: Option<DateTime>,
    /// The good cause.
    #[arg(long, requires = "to",
        value_parser = ["illness", "travel", "family-event", "no-transport", "work-or-care", "late-notice"])]
    because: Option<String>,
}

/// Lists the times that are free, soonest first, or moves the appointment to one.
pub async fn appointment(home: &Path, args: &AppointmentArgs, teller: &Teller) -> Result<()> {
    let (connection, token, name) = inquiries::at_the_case(home, &args.case, teller.language()).await?;
    let kind = crate::story::appointment_kind(&args.kind)?;
    let Some((to, because)) = args.to.zip(args.because.as_ref()) else {
        let message = pb::ListFreeSlotsRequest { name, kind: kind.into() };
        let answer = connection.cases().list_free_slots(request(Some(&token), message)).await;
        let slots = answer.map_err(Refused::from)?.into_inner().slots;
        if slots.is_empty() && !teller.is_json() {
            teller.line(teller.words("no time is free now; look again on another day"));
        }
        for slot in &slots {
            tell(slot, teller);
        }
        return Ok(());
    };
    let message = pb::RescheduleAppointmentRequest {
        request_id: Uuid::now_v7().to_string(),
        name,
        kind: kind.into(),
        date: to.date().to_string(),
        time: to.strftime("%H:%M").to_string(),
        cause: because.replace('-', "_"),
    };
    let moved = patiently(|| {
        let (mut cases, message) = (connection.cases(), request(Some(&token), message.clone()));
        async move { cases.reschedule_appointment(message).await }
    });
    let slot = moved.await.map_err(Refused::from)?.into_inner().appointment.context("appointment")?;
    tell(&slot, teller);
    Ok(())
}

/// A time as it is given back with `--to`, and where that is.
fn tell(slot: &AppointmentSlot, teller: &Teller) {
    let at = at(slot).map(|at| at.strftime("%Y-%m-%dT%H:%M").to_string()).unwrap_or_default();
    if teller.is_json() {
        teller.value(&json!({"at": at, "zone": slot.zone, "office": slot.office, "place": slot.place}));
    } else {
        teller.pair(&at, &slot.place);
    }
}

/// When it is, on the clocks at the office.
fn at(slot: &AppointmentSlot) -> Option<DateTime> {
    let zone = jiff::tz::TimeZone::get(&slot.zone).ok()?;
    let at = jiff::Timestamp::from_microsecond(slot.starts_at_us).ok()?;
    Some(zone.to_datetime(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_that_of_the_office() {
        let slot = AppointmentSlot {
            starts_at_us: 1_796_148_000_000_000,
            zone: "America/New_York".into(),
            ..AppointmentSlot::default()
        };
        assert_eq!(at(&slot).unwrap().to_string(), "2026-12-01T13:00:00");
        assert!(at(&AppointmentSlot { zone: "Nowhere/Here".into(), ..slot }).is_none());
    }
}
