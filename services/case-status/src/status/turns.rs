//! Strangers who ask by receipt number: how many answers a network gets, on whichever replica, without its address being kept.

use std::net::IpAddr;

use docket_kernel::deadline::office_date;
use docket_kernel::{Refusal, SharedClock};
use docket_service::ApiError;
use docket_vault::Vault;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;

use super::gateway::Whence;

/// So many answers a network gets at once,
const AT_ONCE: i32 = 60;
/// and one more in so long.
const EACH: SignedDuration = SignedDuration::from_secs(5);

/// The turns of strangers.
#[derive(Clone)]
pub(crate) struct Turns {
    pool: PgPool,
    vault: Vault,
    clock: SharedClock,
}

impl Turns {
    /// Those counted in the projection's database.
    pub(crate) fn new(pool: PgPool, vault: Vault, clock: SharedClock) -> Self {
        Self { pool, vault, clock }
    }

    /// Takes a turn for somebody who calls. Calls of which no address is known share their turns; whom a gateway of ours does not name
    /// it has to slow itself.
    ///
    /// # Errors
    /// `ASKED_TOO_OFTEN`, with when there is another one; the database.
    pub(crate) async fn take(&self, from: Whence) -> Result<(), ApiError> {
        let from = match from {
            Whence::Address(address) => Some(address),
            Whence::Unknown => None,
            Whence::Gateway => return Ok(()),
        };
        let now = self.clock.now();
        let today = office_date(now);
        let key = self.vault.mac("public-status", &of_day(today, from));
        let (now_us, each_us) = (now.as_microsecond(), micros(EACH));
        let taken: Option<bool> = sqlx::query_scalar(
            "INSERT INTO public_turn AS known (key, on_date, free_at_us) VALUES ($1, $2::text::date, $3::bigint + $4::bigint)
             ON CONFLICT (key) DO UPDATE SET free_at_us = greatest(known.free_at_us, $3::bigint) + $4::bigint
                 WHERE greatest(known.free_at_us, $3::bigint) + $4::bigint <= $3::bigint + $5::bigint
             RETURNING xmax = 0",
        )
        .bind(key.as_slice())
        .bind(today.to_string())
        .bind(now_us)
        .bind(each_us)
        .bind(micros(EACH * AT_ONCE))
        .fetch_optional(&self.pool)
        .await?;
        match taken {
            Some(true) => self.forget_before(today).await,
            Some(false) => Ok(()),
            None => Err(self.too_often(&key, now).await?),
        }
    }

    async fn forget_before(&self, today: Date) -> Result<(), ApiError> {
        let sql = "DELETE FROM public_turn WHERE on_date < $1::text::date";
        sqlx::query(sql).bind(today.to_string()).execute(&self.pool).await?;
        Ok(())
    }

    async fn too_often(&self, key: &[u8], now: Timestamp) -> Result<ApiError, ApiError> {
        let sql = "SELECT free_at_us FROM public_turn WHERE key = $1";
        let free_at_us: Option<i64> = sqlx::query_scalar(sql).bind(key).fetch_optional(&self.pool).await?;
        let ahead_us = free_at_us.unwrap_or_default() - now.as_microsecond();
        let wait_us = ahead_us + micros(EACH) - micros(EACH * AT_ONCE);
        let wait = std::time::Duration::from_micros(wait_us.max(1).unsigned_abs());
        let refusal = Refusal::too_much(
            "ASKED_TOO_OFTEN",
            "From your network too many receipt numbers were asked about without signing in.",
        )
        .way_out("Wait a moment and ask again, or sign in to see your own cases.")
        .retry_after(wait);
        Ok(refusal.into())
    }
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A day and a network: what is hashed is another thing tomorrow.
fn of_day(day: Date, from: Option<IpAddr>) -> Vec<u8> {
    let mut bytes = day.to_string().into_bytes();
    bytes.extend(from.map(network).unwrap_or_default());
    bytes
}

/// Of IPv4 the address; of IPv6 its first 64 bits, since whoever has one of them has them all (RFC 6177).
fn network(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets()[..8].to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_address_or_the_half_of_it_that_its_holder_cannot_change() {
        let of = |address: &str| network(address.parse().unwrap());
        assert_eq!(of("192.0.2.7"), of("::ffff:192.0.2.7"));
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
        assert_eq!(of("2001:db8:1:2::7"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::7"), of("2001:db8:1:3::7"));
    }

    #[test]
    fn what_is_hashed_of_a_network_is_another_thing_tomorrow() {
        let address = "192.0.2.7".parse().ok();
        let of = |day: &str, from| of_day(day.parse().unwrap(), from);
        assert_eq!(of("2026-11-24", address), of("2026-11-24", address));
        assert_ne!(of("2026-11-24", address), of("2026-11-25", address));
        assert_ne!(of("2026-11-24", address), of("2026-11-24", None));
    }
}
