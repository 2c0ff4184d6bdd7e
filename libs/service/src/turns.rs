//! What nobody need sign in for: how often a network gets it, on whichever replica, without its address being kept.

use std::net::IpAddr;
use std::time::Duration;

use docket_kernel::deadline::office_date;
use docket_kernel::{Clock as _, SharedClock};
use docket_vault::Vault;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use sqlx::{AssertSqlSafe, PgPool};

use crate::gateway::Whence;
use crate::{ApiError, Base};

/// How often a network gets something.
#[derive(Debug, Clone, Copy)]
pub struct TurnRule {
    /// What it is, in the keyed hash.
    pub purpose: &'static str,
    /// The table that counts it, with the columns `key`, `on_date` and `free_at_us`.
    pub table: &'static str,
    /// So often at once,
    pub at_once: i32,
    /// and once more in so long.
    pub each: SignedDuration,
}

/// The turns of strangers. Cheap to clone.
#[derive(Clone)]
pub struct Turns {
    rule: TurnRule,
    pool: PgPool,
    vault: Vault,
    clock: SharedClock,
}

impl Turns {
    /// Those counted in the database of a base.
    pub fn new(base: &Base, rule: TurnRule) -> Self {
        Self { rule, pool: base.pool.clone(), vault: base.vault.clone(), clock: base.clock.clone() }
    }

    /// Takes a turn for somebody who calls: how long to wait when there is none. Calls of which no address is known share their turns;
    /// whom a gateway of ours does not name it has to slow itself.
    ///
    /// # Errors
    /// The database.
    pub async fn take(&self, from: Whence) -> Result<Option<Duration>, ApiError> {
        let from = match from {
            Whence::Address(address) => Some(address),
            Whence::Unknown => None,
            Whence::Gateway => return Ok(None),
        };
        let TurnRule { purpose, table, at_once, each } = self.rule;
        let now = self.clock.now();
        let today = office_date(now);
        let key = self.vault.mac(purpose, &of_day(today, from));
        let sql = format!(
            "INSERT INTO {table} AS known (key, on_date, free_at_us) VALUES ($1, $2::text::date, $3::bigint + $4::bigint)
             ON CONFLICT (key) DO UPDATE SET free_at_us = greatest(known.free_at_us, $3::bigint) + $4::bigint
                 WHERE greatest(known.free_at_us, $3::bigint) + $4::bigint <= $3::bigint + $5::bigint
             RETURNING xmax = 0"
        );
        let taken: Option<bool> = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(key.as_slice())
            .bind(today.to_string())
            .bind(now.as_microsecond())
            .bind(micros(each))
            .bind(micros(each * at_once))
            .fetch_optional(&self.pool)
            .await?;
        match taken {
            Some(first) => {
                if first {
                    self.forget_before(today).await?;
                }
                Ok(None)
            }
            None => self.wait(&key, now).await.map(Some),
        }
    }

    async fn forget_before(&self, today: Date) -> Result<(), ApiError> {
        let sql = format!("DELETE FROM {} WHERE on_date < $1::text::date", self.rule.table);
        sqlx::query(AssertSqlSafe(sql)).bind(today.to_string()).execute(&self.pool).await?;
        Ok(())
    }

    async fn wait(&self, key: &[u8], now: Timestamp) -> Result<Duration, ApiError> {
        let sql = format!("SELECT free_at_us FROM {} WHERE key = $1", self.rule.table);
        let free_at_us: Option<i64> =
            sqlx::query_scalar(AssertSqlSafe(sql)).bind(key).fetch_optional(&self.pool).await?;
        let ahead_us = free_at_us.unwrap_or_default() - now.as_microsecond();
        let wait_us = ahead_us + micros(self.rule.each) - micros(self.rule.each * self.rule.at_once);
        Ok(Duration::from_micros(wait_us.max(1).unsigned_abs()))
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
