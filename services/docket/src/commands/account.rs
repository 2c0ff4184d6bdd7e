//! `docket account`: shows the account; opens one step by step, and proves to the register of persons who its owner is. All of it is
//! asked on the terminal, so that nothing of it stands in a shell's history.
use super::interview::ask::{Ask, say};
use super::interview::words::Words;
use super::session::{ask_unseen, with_code};
use super::{Refused, Session};
use crate::address::Addresses;
use crate::client::{Connection, patiently, plainly, reason, request};
use crate::clock::now_s;
use crate::output::Teller;
use anyhow::{Context, Result, bail, ensure};
use docket_proto::identity::v1 as pb;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::{Path, PathBuf};
use tonic::Status;
use uuid::Uuid;

/// How long a registration can be gone on with, seconds, as the service keeps it.
const KEPT_S: i64 = 24 * 3_600;

/// What is done with the account; shown without it.
#[derive(Debug, clap::Args)]
pub struct AccountArgs {
    #[command(subcommand)]
    command: Option<AccountCommand>,
}

/// What can be done with it.
#[derive(Debug, clap::Subcommand)]
enum AccountCommand {
    /// Open an account: your address and a password, the code from the mail, an authenticator app; then you are signed in here.
    ///
    /// The recovery codes are shown once. The password is asked for, and not seen as you type it; a program gives it as
    /// `DOCKET_PASSWORD`. What was begun and left is gone on with within 24 hours.
    Open(OpenArgs),
    /// Prove who you are: name, date of birth and A-number are asked for, and matched with the register of persons. You can file
    /// without it: an officer then looks before your filing is accepted.
    Prove,
}

/// Who opens one.
#[derive(Debug, clap::Args)]
struct OpenArgs {
    /// E-mail address; asked for when not given.
    #[arg(long)]
    email: Option<String>,
    /// Your time zone, such as America/Chicago; that of this machine when not given.
    #[arg(long)]
    zone: Option<String>,
}

/// Shows the account, opens one, or proves whose it is.
pub async fn account(home: &Path, args: AccountArgs, teller: &Teller) -> Result<()> {
    match args.command {
        Some(AccountCommand::Open(args)) => open(home, args, teller).await,
        Some(AccountCommand::Prove) => prove(home, teller).await,
        None => shown(home, teller).await,
    }
}

/// A registration that was begun, kept so that it can be gone on with; readable by its owner only.
#[derive(Debug, Serialize, Deserialize)]
struct Begun {
    email: String,
    registration_token: String,
    at_s: i64,
    is_proven: bool,
    /// The command that makes the app's secret: repeated, it gives the same one.
    app_request: Uuid,
    /// The command that confirmed the app and the code in it, where its answer may have been lost: repeated, it gives the codes.
    confirming: Option<(Uuid, String)>,
}

impl Begun {
    fn file(home: &Path) -> PathBuf {
        home.join("registration.json")
    }

    /// What was begun here less than a day ago, for that address where one is named.
    fn read(home: &Path, email: Option<&str>, now_s: i64) -> Option<Self> {
        let begun: Self = serde_json::from_str(&std::fs::read_to_string(Self::file(home)).ok()?).ok()?;
        let is_meant = email.is_none_or(|email| email == begun.email);
        (is_meant && now_s - begun.at_s < KEPT_S).then_some(begun)
    }

    fn keep(&self, home: &Path) -> Result<()> {
        crate::up::place::write_private(&Self::file(home), &serde_json::to_string(self)?)
    }

    fn forget(home: &Path) {
        // One that is not there is forgotten too.
        let _ = std::fs::remove_file(Self::file(home));
    }
}

/// Somebody who opens an account.
struct Opening<'a> {
    home: &'a Path,
    connection: Connection,
    language: &'a str,
    words: &'static Words,
    ask: Ask,
    teller: &'a Teller,
}

async fn open(home: &Path, args: OpenArgs, teller: &Teller) -> Result<()> {
    let language = teller.language();
    let words = Words::of(language);
    let connection = Connection::new(&Addresses::read(home)?)?.reading(language);
    let mut opening = Opening { home, connection, language, words, ask: Ask::of_terminal(words), teller };
    let (mut begun, password) = if let Some(begun) = Begun::read(home, args.email.as_deref(), now_s()) {
        say(&words.opening.goes_on.replace("{}", &begun.email));
        (begun, None)
    } else {
        let (begun, password) = opening.register(args).await?;
        (begun, Some(password))
    };
    if !begun.is_proven {
        opening.prove_address(&mut begun).await?;
    }
    opening.set_up_app(&mut begun).await?;
    opening.sign_in(&begun.email, password).await
}

impl Opening<'_> {
    /// A line that is needed to go on.
    fn asked(&mut self, prompt: &str) -> Result<String> {
        match self.ask.line(prompt)? {
            Some(line) if !line.is_empty() => Ok(line),
            Some(_) | None => bail!("{}", self.words.opening.left),
        }
    }

    /// The password, typed twice where a person sits there: what is not seen is easily mistyped.
    fn new_password(&self) -> Result<String> {
        if let Some(given) = given_password() {
            return Ok(given);
        }
        let words = &self.words.opening;
        let password = ask_unseen(&format!("  {}> ", words.password))?;
        ensure!(!password.is_empty(), words.left);
        ensure!(ask_unseen(&format!("  {}> ", words.password_again))? == password, words.passwords_differ);
        Ok(password)
    }

    /// Asks for the account: a code goes to the address.
    async fn register(&mut self, args: OpenArgs) -> Result<(Begun, String)> {
        let words = &self.words.opening;
        let email = match args.email {
            Some(email) => email,
            None => self.asked(words.email)?,
        };
        let password = self.new_password()?;
        let message = pb::RegisterRequest {
            request_id: Uuid::now_v7().to_string(),
            email: email.clone(),
            password: password.clone(),
            language: self.language.to_owned(),
            zone: args.zone.unwrap_or_else(own_zone),
        };
        let answer = patiently(|| {
            let (mut accounts, message) = (self.connection.accounts(), request(None, message.clone()));
            async move { accounts.register(message).await }
        });
        let registration_token = answer.await.map_err(Refused::from)?.into_inner().registration_token;
        let begun = Begun {
            email,
            registration_token,
            at_s: now_s(),
            is_proven: false,
            app_request: Uuid::now_v7(),
            confirming: None,
        };
        begun.keep(self.home)?;
        if self.teller.is_json() {
            self.teller.value(&json!({"code_sent_to": begun.email}));
        } else {
            self.teller.line(&words.code_sent.replace("{}", &begun.email));
        }
        Ok((begun, password))
    }

    /// Takes the code from the mail until it is the right one.
    async fn prove_address(&mut self, begun: &mut Begun) -> Result<()> {
        loop {
            let message = pb::ConfirmEmailRequest {
                request_id: Uuid::now_v7().to_string(),
                registration_token: begun.registration_token.clone(),
                code: self.asked(self.words.opening.mailed_code)?,
            };
            let answer = patiently(|| {
                let (mut accounts, message) = (self.connection.accounts(), request(None, message.clone()));
                async move { accounts.confirm_email(message).await }
            });
            if self.is_right(answer.await)?.is_some() {
                begun.is_proven = true;
                return begun.keep(self.home);
            }
        }
    }

    /// Shows the app's secret and takes its first code; the recovery codes are shown once.
    async fn set_up_app(&mut self, begun: &mut Begun) -> Result<()> {
        let words = &self.words.opening;
        if begun.confirming.is_none() {
            let message = pb::BeginTotpRequest {
                request_id: begun.app_request.to_string(),
                registration_token: begun.registration_token.clone(),
            };
            let answer = patiently(|| {
                let (mut accounts, message) = (self.connection.accounts(), request(None, message.clone()));
                async move { accounts.begin_totp(message).await }
            });
            let Some(app) = self.is_right(answer.await)? else { bail!("{}", words.left) };
            if self.teller.is_json() {
                self.teller.value(&json!({"secret": app.secret, "otpauth_uri": app.otpauth_uri}));
            } else {
                self.teller.line(&words.type_into_app.replace("{}", &app.secret));
                self.teller.line(&words.or_qr_code.replace("{}", &app.otpauth_uri));
            }
        }
        let confirmed = loop {
            let (request_id, code) = match begun.confirming.take() {
                Some(asked_before) => asked_before,
                None => (Uuid::now_v7(), self.asked(words.app_code)?),
            };
            begun.confirming = Some((request_id, code.clone()));
            begun.keep(self.home)?;
            let message = pb::ConfirmTotpRequest {
                request_id: request_id.to_string(),
                registration_token: begun.registration_token.clone(),
                code,
            };
            let answer = patiently(|| {
                let (mut accounts, message) = (self.connection.accounts(), request(None, message.clone()));
                async move { accounts.confirm_totp(message).await }
            });
            if let Some(confirmed) = self.is_right(answer.await)? {
                break confirmed;
            }
            begun.confirming = None;
            begun.keep(self.home)?;
        };
        self.hand_over(&confirmed)
    }

    /// Shows the recovery codes. They are given again as long as the registration is kept, so it is until they were shown.
    fn hand_over(&self, confirmed: &pb::ConfirmTotpResponse) -> Result<()> {
        let words = &self.words.opening;
        let codes: Vec<String> = confirmed.recovery_codes.iter().map(|code| format!("  {code}")).collect();
        let lines: Vec<&str> =
            std::iter::once(words.keep_codes).chain(codes.iter().map(String::as_str)).collect();
        let value = json!({"account": confirmed.account, "recovery_codes": confirmed.recovery_codes});
        self.teller.deliver(&lines, &value).context(words.codes_not_shown)?;
        Begun::forget(self.home);
        Ok(())
    }

    /// What was answered to a code; nothing where it was a wrong one, which is told. A registration that is over is forgotten.
    fn is_right<T>(&self, answer: Result<tonic::Response<T>, Status>) -> Result<Option<T>> {
        match answer {
            Ok(answer) => Ok(Some(answer.into_inner())),
            Err(status) if reason(&status) == "CODE_WRONG" => {
                say(&format!("✗ {}", plainly(&status)));
                Ok(None)
            }
            Err(status) => {
                if OVER.contains(&reason(&status).as_str()) {
                    Begun::forget(self.home);
                }
                Err(Refused::from(status).into())
            }
        }
    }

    /// Signs in with the app's next code: the first one is used. A password that is asked for here is asked for with each code, since
    /// what is not seen is easily mistyped.
    async fn sign_in(&mut self, email: &str, password: Option<String>) -> Result<()> {
        let words = &self.words.opening;
        let known = password.or_else(given_password);
        let tokens = loop {
            let password = match &known {
                Some(password) => password.clone(),
                None => ask_unseen(&format!("  {}> ", words.own_password))?,
            };
            let code = match self.ask.line(words.next_code)? {
                Some(code) if !code.is_empty() => code,
                Some(_) | None => bail!("{}", words.sign_in_later.replace("{}", email)),
            };
            match with_code(&self.connection, email, &password, &code).await {
                Err(refused) if reason(refused.answer()) == "SIGN_IN_REFUSED" => {
                    say(&format!("✗ {}", plainly(refused.answer())));
                }
                tokens => break tokens?,
            }
        };
        Session::begin(self.home, email, tokens, self.language.to_owned())?;
        self.teller.line(&words.signed_in.replace("{}", email));
        if !self.teller.is_json() {
            say(&words.prove_next.replace("{}", "docket account prove"));
        }
        Ok(())
    }
}

/// Why a registration cannot be gone on with.
const OVER: [&str; 4] = ["CODE_EXPIRED", "TOO_MANY_TRIES", "REGISTRATION_EXPIRED", "ALREADY_ACTIVE"];

/// The password as a program gives it.
fn given_password() -> Option<String> {
    std::env::var("DOCKET_PASSWORD").ok().filter(|password| !password.is_empty())
}

/// The zone of this machine, where it has a name; else the office's.
fn own_zone() -> String {
    let own = jiff::tz::TimeZone::system();
    own.iana_name().filter(|name| name.contains('/')).unwrap_or("America/New_York").to_owned()
}

/// Asks for what is matched with the register, and says what came of it.
async fn prove(home: &Path, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let (connection, words) = (connection.reading(teller.language()), Words::of(teller.language()));
    let (mut ask, said) = (Ask::of_terminal(words), &words.proving);
    say(said.how);
    let mut line = |prompt: &str| ask.line(prompt)?.with_context(|| said.left.to_owned());
    let message = pb::ProveIdentityRequest {
        request_id: Uuid::now_v7().to_string(),
        family_name: line(said.family_name)?,
        given_name: line(said.given_name)?,
        birth_date: line(said.birth_date)?,
        a_number: line(said.a_number)?,
    };
    let answer = patiently(|| {
        let (mut accounts, message) = (connection.accounts(), request(Some(&token), message.clone()));
        async move { accounts.prove_identity(message).await }
    });
    let account = answer.await.map_err(Refused::from)?.into_inner().account.context("account")?;
    if teller.is_json() {
        teller.value(&told(&account));
    } else {
        let name = format!("{} {}", account.given_name, account.family_name);
        teller.line(&said.proven.replace("{}", name.trim()));
    }
    Ok(())
}

async fn shown(home: &Path, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let asked = request(Some(&token), pb::GetAccountRequest {});
    let answer = connection.accounts().get_account(asked).await.map_err(Refused::from)?;
    let account = answer.into_inner().account.context("account")?;
    if teller.is_json() {
        teller.value(&told(&account));
        return Ok(());
    }
    let words = &Words::of(teller.language()).proving;
    teller.heading(&account.email);
    let name = format!("{} {}", account.given_name, account.family_name);
    match name.trim() {
        "" => teller.line(&words.not_proven.replace("{}", "docket account prove")),
        name => teller.line(&words.proven.replace("{}", name)),
    }
    Ok(())
}

fn told(account: &pb::Account) -> serde_json::Value {
    json!({
        "account": account.name, "email": account.email, "state": account.state,
        "identity_level": account.identity_level, "given_name": account.given_name,
        "family_name": account.family_name, "language": account.language, "zone": account.zone,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(home: &Path) -> Begun {
        let begun = Begun {
            email: "ana@example.test".into(),
            registration_token: "a token".into(),
            at_s: 1_000,
            is_proven: true,
            app_request: Uuid::nil(),
            confirming: None,
        };
        begun.keep(home).unwrap();
        begun
    }

    #[test]
    fn what_was_begun_is_gone_on_with_for_a_day_by_the_same_address_and_forgotten_once_it_is_over() {
        use std::os::unix::fs::PermissionsExt as _;

        let home = std::env::temp_dir().join(format!("docket-account-{}", Uuid::now_v7()));
        std::fs::create_dir(&home).unwrap();
        assert!(Begun::read(&home, None, 1_001).is_none(), "nothing was begun");
        let kept = begun(&home);
        let mode = std::fs::metadata(Begun::file(&home)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "nobody else reads it");
        for email in [None, Some("ana@example.test")] {
            let read = Begun::read(&home, email, 1_001).unwrap();
            assert_eq!((read.registration_token, read.is_proven), (kept.registration_token.clone(), true));
        }
        assert!(Begun::read(&home, Some("eve@example.test"), 1_001).is_none(), "somebody else begins anew");
        assert!(Begun::read(&home, None, 1_000 + KEPT_S).is_none(), "the service does not know it any more");
        Begun::forget(&home);
        assert!(Begun::read(&home, None, 1_001).is_none());
        std::fs::remove_dir_all(&home).unwrap();
    }
}
