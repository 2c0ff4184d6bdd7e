//! Tokens while identity is away: whose key is known waits for nobody, and nobody keeps identity busy.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use docket_kernel::{Clock as _, ManualClock, SystemClock};
use docket_service::testing::TokenKey;
use docket_service::{KeySource, TokenError, Tokens};
use jiff::SignedDuration;
use serde_json::json;
use uuid::Uuid;

/// As long as a question to identity takes at most.
const HANGS: Duration = Duration::from_secs(2);

/// Answers once; then it hangs, and fails, as identity does that cannot be reached.
struct Once {
    jwks: String,
    asked: Arc<AtomicU32>,
}

#[async_trait]
impl KeySource for Once {
    async fn key_set(&self) -> anyhow::Result<String> {
        if self.asked.fetch_add(1, Ordering::SeqCst) == 0 {
            return Ok(self.jwks.clone());
        }
        tokio::time::sleep(HANGS).await;
        anyhow::bail!("identity is away")
    }
}

fn tokens() -> (Tokens, TokenKey, Arc<AtomicU32>) {
    let (key, asked) = (TokenKey::new(), Arc::<AtomicU32>::default());
    let source = Once { jwks: key.jwks().to_owned(), asked: Arc::clone(&asked) };
    (Tokens::new(source, Arc::new(SystemClock)), key, asked)
}

fn good(key: &TokenKey) -> String {
    let now = SystemClock.now().as_second();
    key.sign(&json!({"iss": "docket", "aud": "docket", "sub": Uuid::from_u128(1), "sid": Uuid::from_u128(2),
                     "acr": "aal2", "auth_time": now, "exp": now + 300}))
}

/// What anybody can send: a key's name that is none, and no signature.
fn unknown(number: u32) -> String {
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.AAAA", part(json!({"alg": "EdDSA", "kid": format!("none-{number}")})), part(json!({})))
}

/// Waits until a key that is not known makes identity be asked anew, as it is after five seconds.
async fn until_asked(tokens: &Tokens, asked: &AtomicU32) {
    let begun = Instant::now();
    while asked.load(Ordering::SeqCst) < 2 {
        assert!(begun.elapsed() < Duration::from_secs(30), "identity is never asked again");
        let stranger = tokens.clone();
        tokio::spawn(async move { stranger.verify(&unknown(0)).await });
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_key_is_known_waits_for_no_stranger() {
    let (tokens, key, asked) = tokens();
    tokens.verify(&good(&key)).await.unwrap();
    until_asked(&tokens, &asked).await;

    // Identity is being asked now, and hangs.
    let strangers: Vec<_> = (0..20)
        .map(|number| {
            let stranger = tokens.clone();
            tokio::spawn(async move { stranger.verify(&unknown(number)).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let begun = Instant::now();
    tokens.verify(&good(&key)).await.unwrap();
    assert!(begun.elapsed() < HANGS / 4, "it waited {:?} behind strangers", begun.elapsed());

    let begun = Instant::now();
    for stranger in strangers {
        assert_eq!(stranger.await.unwrap().unwrap_err(), TokenError::NoKeys);
    }
    // One question for all of them, not one each.
    assert!(begun.elapsed() < HANGS * 2, "the strangers took {:?}", begun.elapsed());
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    let begun = Instant::now();
    assert_eq!(tokens.verify(&unknown(99)).await.unwrap_err(), TokenError::NoKeys);
    assert!(begun.elapsed() < HANGS / 4, "after a failure it is said at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_was_given_up_counts_as_asked() {
    let (tokens, key, asked) = tokens();
    tokens.verify(&good(&key)).await.unwrap();
    until_asked(&tokens, &asked).await;
    tokio::time::sleep(HANGS + Duration::from_millis(1_500)).await;
    for number in 0..20 {
        // Hangs up at once, again and again.
        let _late = tokio::time::timeout(Duration::from_millis(20), tokens.verify(&unknown(number))).await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

/// Says which keys identity has now.
struct Now(Arc<Mutex<String>>);

#[async_trait]
impl KeySource for Now {
    async fn key_set(&self) -> anyhow::Result<String> {
        Ok(self.0.lock().unwrap().clone())
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_found_good_is_refused_once_its_time_is_over_or_its_key_is_gone() {
    let key = TokenKey::new();
    let (keys, clock) = (Arc::new(Mutex::new(key.jwks().to_owned())), ManualClock::shared(SystemClock.now()));
    let tokens = Tokens::new(Now(Arc::clone(&keys)), clock.clone());
    let token = good(&key);
    for _ in 0..2 {
        assert_eq!(tokens.verify(&token).await.unwrap().account, Uuid::from_u128(1));
    }
    let now = clock.now();
    clock.advance(SignedDuration::from_mins(6));
    assert_eq!(tokens.verify(&token).await.unwrap_err(), TokenError::NotAccepted);
    clock.set(now);
    tokens.verify(&token).await.unwrap();

    // Another key of the same name, of which is heard when somebody comes with a name that is not known.
    *keys.lock().unwrap() = TokenKey::new().jwks().to_owned();
    tokio::time::advance(Duration::from_secs(6)).await;
    tokens.verify(&unknown(0)).await.unwrap_err();
    assert_eq!(tokens.verify(&token).await.unwrap_err(), TokenError::NotAccepted);
}
