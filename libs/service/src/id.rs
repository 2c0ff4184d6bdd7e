//! New ids for what people make: version 7.

use uuid::Uuid;

/// A new id for something a person makes: `UUIDv7`, ordered by `now` and random below the millisecond.
pub fn new_id(now: jiff::Timestamp) -> Uuid {
    let micros = now.as_microsecond().max(0).unsigned_abs();
    let seconds = micros / 1_000_000;
    let nanos = u32::try_from(micros % 1_000_000 * 1_000).expect("below 10⁹ by the remainder");
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_id_carries_its_instant() {
        let now: jiff::Timestamp = "2026-03-02T15:04:05.678Z".parse().unwrap();
        let id = new_id(now);
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_timestamp().unwrap().to_unix(), (1_772_463_845, 678_000_000));
    }
}
