//! Calls at a given rate, whatever the answers take: each has the instant at which it is due, and its time counts from there.
//!
//! As `pgbench --rate` does it: so many clients, each with one call at a time, the gaps of a Poisson process. The
//! clock is a thread of its own because the runtime's timers are whole milliseconds.

use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use uuid::Uuid;

use crate::append::UnderWay;

/// One call.
pub(crate) struct Answered<T> {
    /// Milliseconds from the instant it was due to the answer.
    pub(crate) took_ms: f64,
    pub(crate) answer: T,
}

/// Calls for some time at `rate` a second, with the caller's number, a case and its version.
pub(crate) async fn paced<T: Send + 'static, Fut: Future<Output = T> + Send + 'static>(
    cases: &mut UnderWay,
    rate: f64,
    time: Duration,
    call: impl Fn(usize, Uuid, u64) -> Fut + Clone + Send + 'static,
) -> Vec<Answered<T>> {
    let (starts, mut dues): (Vec<_>, Vec<_>) = (0..cases.callers()).map(|_| unbounded_channel()).unzip();
    thread::spawn(move || clock(&starts, rate, time));
    let answered = cases
        .each(|n, mut caller| {
            let (mut due, call) = (dues.pop().expect("one each"), call.clone());
            async move {
                let mut answered = Vec::new();
                while let Some(due) = due.recv().await {
                    let (case, version) = caller.next();
                    let answer = call(n, case, version).await;
                    answered.push(Answered { took_ms: ms(Instant::now(), due), answer });
                }
                (caller, answered)
            }
        })
        .await;
    answered.into_iter().flatten().collect()
}

/// Tells callers chosen by chance when a call is due, at that instant.
fn clock(callers: &[UnboundedSender<Instant>], rate: f64, time: Duration) {
    let mut due = Instant::now();
    let end = due + time;
    loop {
        due += Duration::from_secs_f64(-(1.0 - rand::random::<f64>()).ln() / rate);
        if due >= end {
            return;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let chosen = rand::random_range(0..callers.len());
        if callers[chosen].send(due).is_err() {
            return;
        }
    }
}

/// Milliseconds from `start` to `end`; negative when it ended before.
pub(crate) fn ms(end: Instant, start: Instant) -> f64 {
    let after = end.saturating_duration_since(start).as_secs_f64();
    (after - start.saturating_duration_since(end).as_secs_f64()) * 1_000.0
}
