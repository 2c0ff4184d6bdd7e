//! Rows whose time is over are removed, so that strangers cannot fill the tables by trying.

use std::time::Duration;

use docket_database::{WORK, within};
use docket_kernel::SharedClock;
use docket_service::{Rounds, Stop};
use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;

/// How often.
const LOOK: Duration = Duration::from_mins(10);
/// Tries which are forgotten anyway; those of proofing are kept.
const TRIES: SignedDuration = SignedDuration::from_hours(25);
/// Settled mail, without content, and ended sessions are kept for so long for questions.
const SETTLED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Tidies up from time to time until the stop. Nobody waits for it, not at the start either.
///
/// # Errors
/// None: what fails is tried again.
pub(crate) async fn run(pool: PgPool, clock: SharedClock, stop: Stop) -> anyhow::Result<()> {
    let failing = "rows whose time is over could not be removed";
    let mut rounds = Rounds::every(LOOK, failing).bounded_inside();
    while rounds.go_on(&stop).await {
        rounds.turn(tidy(&pool, clock.now())).await;
    }
    Ok(())
}

/// Removes what is over at `now`.
async fn tidy(pool: &PgPool, now: Timestamp) -> anyhow::Result<()> {
    let before = |age: SignedDuration| (now - age).as_microsecond();
    for (statement, instant_us) in [
        ("DELETE FROM tries WHERE last_at_us < $1 AND key NOT LIKE 'proofing:%'", before(TRIES)),
        ("DELETE FROM registration WHERE expires_at_us < $1", now.as_microsecond()),
        ("DELETE FROM totp_replacement WHERE expires_at_us < $1", now.as_microsecond()),
        ("DELETE FROM email_change WHERE expires_at_us < $1", now.as_microsecond()),
        ("DELETE FROM mail WHERE settled_at_us < $1", before(SETTLED)),
        (
            "DELETE FROM refresh_token WHERE session_id IN (SELECT id FROM session WHERE ends_at_us < $1)",
            before(SETTLED),
        ),
        ("DELETE FROM session WHERE ends_at_us < $1", before(SETTLED)),
        ("DELETE FROM revocation WHERE expires_at_us < $1", before(SETTLED)),
        ("DELETE FROM release WHERE expires_at_us < $1", before(SETTLED)),
    ] {
        within(WORK, sqlx::query(statement).bind(instant_us).execute(pool)).await?;
    }
    Ok(())
}
