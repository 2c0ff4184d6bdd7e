//! Signing in, and the session kept for the next commands.
use super::Refused;
use crate::address::Addresses;
use crate::client::{Connection, request};
use crate::clock::now_s;
use crate::failure::{Ending, Said};
use crate::output::Teller;
use crate::story::people::code_at;
use anyhow::{Context, Result};
use docket_proto::identity::v1 as pb;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use serde::{Deserialize, Serialize};
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Once;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tonic::Status;

/// Seconds after which the access token is renewed.
const RENEW_AFTER_S: i64 = 240;

/// The exit code of a program that Ctrl-C ended, as shells have it.
const INTERRUPTED: i32 = 130;

/// Who signs in.
#[derive(Debug, clap::Args)]
pub struct SignInArgs {
    /// E-mail address.
    #[arg(long)]
    email: String,
    /// Password; asked for when not given.
    #[arg(long, env = "DOCKET_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Six digits from the authenticator.
    #[arg(long)]
    code: Option<String>,
    /// The authenticator's secret instead, for development.
    #[arg(long, conflicts_with = "code")]
    totp_secret: Option<String>,
}

/// A second factor given again.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct StepUpArgs {
    /// Six digits from the authenticator; asked for when not given.
    #[arg(long)]
    code: Option<String>,
    /// The authenticator's secret instead, for development.
    #[arg(long, conflicts_with = "code")]
    totp_secret: Option<String>,
}

/// A session on disk, readable by its owner only.
#[derive(Debug, Serialize, Deserialize)]
pub struct Session {
    email: String,
    access_token: String,
    refresh_token: String,
    token_at: i64,
    /// Which the account says its owner reads: `en` or `es`; empty in a session from before it was kept.
    #[serde(default)]
    language: String,
}

/// Signs in and keeps the session.
pub async fn sign_in(home: &Path, args: &SignInArgs, teller: &Teller) -> Result<()> {
    let addresses = Addresses::read(home)?;
    let password = match &args.password {
        Some(password) => password.clone(),
        None => ask_unseen(teller.words("password: "))?,
    };
    let connection = Connection::new(&addresses)?.reading(teller.language());
    let tokens = match (&args.code, &args.totp_secret) {
        (None, Some(secret)) => with_secret(&connection, &args.email, &password, secret, teller).await?,
        (Some(code), _) => with_code(&connection, &args.email, &password, code).await?,
        (None, None) => {
            let code = ask(teller.words("code from the authenticator: "))?;
            with_code(&connection, &args.email, &password, &code).await?
        }
    };
    let language = own_language(&connection, &tokens.access_token).await;
    let teller = teller.clone().speaking(&language);
    Session::begin(home, &args.email, tokens, language)?;
    teller.line(&teller.filled("signed in as {}", &[&args.email]));
    Ok(())
}

/// Gives the second factor again; the session's token is one for guarded acts then.
pub async fn step_up(home: &Path, args: &StepUpArgs, teller: &Teller) -> Result<()> {
    second_factor(home, args, || ask(teller.words("code from the authenticator: "))).await?;
    teller.line(teller.words("the second factor holds for ten minutes"));
    Ok(())
}

/// Gives the second factor again, as the arguments say it, or as `code` asks for it.
pub async fn second_factor(
    home: &Path,
    args: &StepUpArgs,
    code: impl FnOnce() -> Result<String>,
) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let give = async |code: String| {
        let message = pb::StepUpRequest { request_id: uuid::Uuid::now_v7().to_string(), code };
        let answer = connection.sessions().step_up(request(Some(&token), message)).await?;
        Ok::<_, tonic::Status>(answer.into_inner().tokens)
    };
    let tokens = match (&args.code, &args.totp_secret) {
        // The code of this half minute was perhaps used to sign in; the next one is taken as well (RFC 6238 §5.2).
        (None, Some(secret)) => match give(code_at(secret, now_s())?).await {
            Err(_used) => give(code_at(secret, now_s() + 30)?).await,
            given => given,
        },
        (Some(code), _) => give(code.clone()).await,
        (None, None) => give(code()?).await,
    };
    let tokens = tokens.map_err(Refused::from)?.context("tokens")?;
    let mut session = Session::read(home)?;
    session.access_token = tokens.access_token;
    session.token_at = now_s();
    session.keep(home)
}

/// The language of an account; empty where the service does not say it now.
async fn own_language(connection: &Connection, token: &str) -> String {
    let asked = request(Some(token), pb::GetAccountRequest {});
    let answer = connection.accounts().get_account(asked).await;
    answer.ok().and_then(|answer| answer.into_inner().account).unwrap_or_default().language
}

pub(super) async fn with_code(
    connection: &Connection,
    email: &str,
    password: &str,
    code: &str,
) -> Result<pb::Tokens, Refused> {
    let message = pb::SignInRequest {
        request_id: uuid::Uuid::now_v7().to_string(),
        email: email.to_owned(),
        password: password.to_owned(),
        code: code.to_owned(),
    };
    let answer = connection.sessions().sign_in(request(None, message)).await.map_err(Refused::from)?;
    answer.into_inner().tokens.ok_or_else(|| Status::internal("an answer without its tokens").into())
}

/// Signs in as an authenticator would; a code that was used already is followed by the next one.
async fn with_secret(
    connection: &Connection,
    email: &str,
    password: &str,
    secret: &str,
    teller: &Teller,
) -> Result<pb::Tokens> {
    for _ in 0..2 {
        match with_code(connection, email, password, &code_at(secret, now_s())?).await {
            Ok(tokens) => return Ok(tokens),
            Err(_used) => {
                let wait_s = 30 - now_s() % 30;
                let said = "refused; perhaps this code was used already: waiting {} s for the next one";
                teller.line(&teller.filled(said, &[&wait_s]));
                tokio::time::sleep(Duration::from_secs(u64::try_from(wait_s)?)).await;
            }
        }
    }
    Ok(with_code(connection, email, password, &code_at(secret, now_s())?).await?)
}

impl Session {
    /// Keeps a session that begins.
    pub(super) fn begin(home: &Path, email: &str, tokens: pb::Tokens, language: String) -> Result<()> {
        let session = Self {
            email: email.to_owned(),
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            token_at: now_s(),
            language,
        };
        session.keep(home)
    }

    /// The language of whoever is signed in here, where it is known.
    pub fn language(home: &Path) -> Option<String> {
        Self::read(home).ok().map(|session| session.language).filter(|language| !language.is_empty())
    }

    /// Connection and token of the session kept here, renewed when it is old.
    pub async fn resume(home: &Path) -> Result<(Connection, String)> {
        let connection = Connection::new(&Addresses::read(home)?)?;
        let token = Self::token(home, &connection).await?;
        Ok(match Self::language(home) {
            Some(language) => (connection.reading(&language), token),
            None => (connection, token),
        })
    }

    /// Token of the session kept here, renewed when it is old; what lasts longer than a token asks before each call.
    pub async fn token(home: &Path, connection: &Connection) -> Result<String> {
        let mut session = Self::read(home)?;
        if now_s() - session.token_at > RENEW_AFTER_S {
            let message = pb::RefreshTokenRequest { refresh_token: session.refresh_token.clone() };
            let answer =
                connection.sessions().refresh_token(request(None, message)).await.map_err(Refused::from)?;
            let tokens = answer.into_inner().tokens.context("tokens")?;
            session.access_token = tokens.access_token;
            session.refresh_token = tokens.refresh_token;
            session.token_at = now_s();
            session.keep(home)?;
        }
        Ok(session.access_token)
    }

    /// Whether somebody signed in here, whatever became of the session.
    pub fn is_kept(home: &Path) -> bool {
        home.join("session.json").exists()
    }

    fn read(home: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(home.join("session.json"))
            .context(not_signed_in("nobody is signed in: `docket sign-in` first"))?;
        serde_json::from_str(&text)
            .context(not_signed_in("the session kept here is not readable: sign in again"))
    }

    fn keep(&self, home: &Path) -> Result<()> {
        crate::up::place::write_private(&home.join("session.json"), &serde_json::to_string(self)?)
    }
}

fn not_signed_in(words: &str) -> Said {
    Said(Ending::NotAllowed, words.to_owned())
}

/// Asks for a secret: what is typed on a terminal is not seen there.
pub(super) fn ask_unseen(prompt: &str) -> Result<String> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return ask(prompt);
    }
    let seen = tcgetattr(&stdin)?;
    seen_again_when_left(&seen);
    let mut unseen = seen.clone();
    unseen.local_modes.remove(LocalModes::ECHO);
    unseen.local_modes.insert(LocalModes::ECHONL);
    tcsetattr(&stdin, OptionalActions::Flush, &unseen)?;
    let typed = ask(prompt);
    tcsetattr(&stdin, OptionalActions::Now, &seen)?;
    typed
}

/// Whoever leaves while a secret is asked for sees again what they type: the terminal is put back before the program ends.
fn seen_again_when_left(seen: &Termios) {
    static WATCHED: Once = Once::new();
    let seen = seen.clone();
    WATCHED.call_once(|| {
        let Ok(mut interrupts) = signal(SignalKind::interrupt()) else { return };
        tokio::spawn(async move {
            interrupts.recv().await;
            // Where there is no terminal any more, nobody is left who types.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &seen);
            eprintln!();
            std::process::exit(INTERRUPTED);
        });
    });
}

/// Asks on the terminal.
pub(super) fn ask(prompt: &str) -> Result<String> {
    eprint!("{prompt}");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
