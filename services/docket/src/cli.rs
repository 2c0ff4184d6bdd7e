//! The command line: what can be asked, and the exit codes.
use crate::commands::from_file::{Goes, Otherwise};
use crate::commands::paper::Place;
use crate::failure::{self, EXIT_CODES, Ending, Said};
use crate::output::Teller;
use crate::{address, commands, story, up};
use anyhow::{Context, Result};
use clap::{CommandFactory, Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Docket: file immigration benefits, follow cases, run the system.
///
/// `docket help` ends with the exit codes.
#[derive(Debug, Parser)]
#[command(name = "docket", version, propagate_version = true, after_help = format!("{A_WHOLE_PATH}\n\n{EXIT_CODES}"))]
struct Cli {
    /// JSON for programs instead of text for people.
    #[arg(long, global = true)]
    json: bool,
    /// Language of what is asked and said: en or es; that of your account when not given. What is signed is English.
    #[arg(long, global = true, value_parser = ["en", "es"])]
    language: Option<String>,
    #[command(subcommand)]
    command: Command,
}

/// From nothing to a case, command by command.
const A_WHOLE_PATH: &str = "A whole path:
  docket account open                       an account, once; then docket account prove
  docket sign-in --email …                  who you are
  docket file N-400                         question by question, then the papers; says what is wrong or missing
  docket file filings/<id>                  goes on, and attaches what is still to come
  docket sign filings/<id>                  the fee and the text, then your name
  docket send filings/<id>                  all of its package, and what is to be paid
  docket pay payments/<id> --card …         then the receipt number comes
  docket status <receipt number> --watch    every step, as it happens
  docket respond <receipt number>           what the office asks for, until when, and your one answer";

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the whole system on this machine and keep it running.
    Up {
        /// Play this story once everything is ready; without a file, the first story.
        #[arg(long, num_args = 0..=1, default_missing_value = DEFAULT_STORY)]
        story: Option<PathBuf>,
        /// End after the story.
        #[arg(long)]
        once: bool,
        /// In an environment of its own, which begins empty and is thrown away at the end, so that its clock may be turned; a
        /// story that turns the clock asks for it by itself.
        #[arg(long)]
        apart: bool,
    },
    /// Play a story on the running system, or list the stories.
    Story {
        /// Story file, or its name in tests/stories.
        file: Option<PathBuf>,
        /// List the stories there are.
        #[arg(long)]
        list: bool,
        /// Something is stopped or killed meanwhile: what has to happen within seconds may take longer, and a watch may break.
        #[arg(long)]
        disturbed: bool,
    },
    /// Your account: open one step by step, prove who you are, or see it.
    Account(commands::AccountArgs),
    /// Sign in and keep the session for the next commands.
    SignIn(commands::SignInArgs),
    /// Put a new authenticator app in the place of one that is lost: with a recovery code, or a code of the old app.
    ReplaceApp(commands::ReplaceAppArgs),
    /// Your e-mail address: see it, change it, or take a change back.
    Email(commands::EmailArgs),
    /// Texts to your phone when there is a new notice: see whether they are on, give a number, or take it away.
    Texts(commands::TextsArgs),
    /// Give the second factor again, for what asks for a fresh one; holds for ten minutes.
    StepUp(commands::StepUpArgs),
    /// Forms that can be filed; one form with its questions.
    Forms {
        /// Form, for example N-400.
        form: Option<String>,
    },
    /// Fill in a form and attach its papers: led one by one, or with a JSON file; says what is wrong or missing.
    File {
        /// A form, such as N-400; filings/<id> to go on with a draft; a JSON file {"form": "N-400", "answers": {…}}.
        /// Without it: which form do I need?
        ///
        /// The JSON file may name papers too, by paths relative to it, and say why one cannot be provided:
        /// `"evidence": [{"kind": "passport", "path": "passport.pdf", "foreign_language": true}]`,
        /// `"explanations": {"birth_certificate": "…"}`. `"fee_waiver_answers": {…}` asks that the fee be waived (Form I-912).
        /// `"etag": 12` says from which version of a draft the answers go on, as --json and `docket export` give it.
        what: Option<String>,
        /// Put the JSON file into this draft (filings/<id>). Where it was answered or explained otherwise there, or since the
        /// version that the file names, nothing is saved and each is told.
        #[arg(long, value_name = "FILING", conflicts_with_all = ["with", "representation"])]
        draft: Option<String>,
        /// With --draft: what was answered otherwise there stays; the rest goes in.
        #[arg(long, requires = "draft", conflicts_with = "replace")]
        keep: bool,
        /// With --draft: what the file says takes the place of what was answered otherwise there.
        #[arg(long, requires = "draft")]
        replace: bool,
        /// Begin it in the package of this filing (filings/<id>), to be paid for and sent together: what is answered there about
        /// the same person is taken over.
        #[arg(long, value_name = "FILING")]
        with: Option<String>,
        /// For representatives: begin it for the client of this appearance (representations/<id>).
        #[arg(long, value_name = "ID")]
        representation: Option<String>,
    },
    /// Begin a filing that was rejected, or whose acceptance was taken back, again: its answers and files are there.
    Again {
        /// filings/<id>.
        filing: String,
        /// Begin it in the package of this filing (filings/<id>), to be paid for and sent together; of what went in together, the
        /// first is begun again by itself, and the others with that.
        #[arg(long, value_name = "FILING")]
        with: Option<String>,
    },
    /// What you have filed and begun, newest first, and how long drafts are kept.
    Filings,
    /// Save a filing with its answers and files in a new folder.
    Export {
        /// filings/<id>.
        filing: String,
        /// The folder; it must not be there yet.
        #[arg(long)]
        to: PathBuf,
    },
    /// Give a draft up: its answers and files are erased.
    Abandon {
        /// filings/<id>.
        filing: String,
        /// That it cannot be undone is understood.
        #[arg(long)]
        yes: bool,
    },
    /// Read exactly what would be signed; for representatives ask the client to look, for clients agree or give it back.
    Review(commands::ReviewArgs),
    /// Ask that the fee of a draft be waived (Form I-912), or no longer; an officer decides, and nothing is due before.
    Waiver(commands::WaiverArgs),
    /// Sign a filing: shows the fee and the text, then asks as whom, for your name and for a fresh second factor.
    Sign(commands::SignArgs),
    /// Send a signed filing with all of its package, and say what is to be paid. Asks for a fresh second factor.
    #[command(visible_alias = "submit")]
    Send(commands::SendArgs),
    /// Pay what was sent with a card; then wait for the receipt number. Asks for a fresh second factor.
    Pay(commands::PayArgs),
    /// For whom you stand, and who stands for you.
    Representations,
    /// Form G-28: enter an appearance, or, as the client, read it, consent, refuse; either side ends it.
    Representation(commands::RepresentationArgs),
    /// Ask for a representative for a draft or an open case: gives the code to hand over.
    Appoint {
        /// filings/<id>.
        filing: String,
    },
    /// Take back what was sent and is not paid: with all of its package it is a draft again. Asks for a fresh second factor.
    Recall {
        /// filings/<id>.
        filing: String,
    },
    /// The copy of what was signed, as PDF: answers in the form's order, signatures, evidence with its hashes. With --draft also what
    /// is not signed yet. Of an answer to a request, what was sent.
    Copy {
        /// filings/<id>, or responses/<id>.
        filing: String,
        /// Print what is not signed as it stands, with what is still missing.
        #[arg(long)]
        draft: bool,
        /// Where to.
        #[arg(long)]
        out: PathBuf,
    },
    /// A page of a file as a picture, for the party and for the officers of its case; with a filing alone, the files that are there.
    View(commands::ViewArgs),
    /// Who opened the files of a filing and of the answers in its case, and when; of the office, in which role.
    Accesses {
        /// filings/<id>.
        filing: String,
    },
    /// Whoever interpreted or filled in the form, or files it together with you, signs it: ask them, or, as one of them, read and sign.
    Helper(commands::HelperArgs),
    /// Somebody is asked to file a form together with yours, from an account of their own, such as a joint sponsor: ask them, or, as one
    /// of them, say yes or no.
    Invitation(commands::InvitationArgs),
    /// A case's status and timeline.
    Status {
        /// Receipt number, or cases/<id>.
        receipt: String,
        /// Stay and show every change.
        #[arg(long)]
        watch: bool,
    },
    /// What the office asked for in a case and until when; attach what is asked, and send the one answer.
    Respond(commands::RespondArgs),
    /// Add files that nobody asked for to a case that is pending; what is asked for goes into the one answer (`respond`).
    Add(commands::AddArgs),
    /// Times to which an appointment can be moved, and moving it with good cause.
    Appointment(commands::AppointmentArgs),
    /// Withdraw a case; it cannot be taken back. Asks for a fresh second factor.
    Withdraw(commands::WithdrawArgs),
    /// Your address of record; --confirm says for a case that it is right, as when a card came back.
    Address(commands::AddressArgs),
    /// Ask that a case come before others, by one of the published criteria; there is no appeal against the answer.
    Expedite(commands::AskArgs),
    /// Send an inquiry about a case, such as a notice that did not come.
    Inquire(commands::AskArgs),
    /// Ask that a name or a birth date be corrected that was written wrong in a case.
    Correct(commands::CorrectArgs),
    /// What was asked in a case, with the words of both sides; for the party and for officers.
    Inquiries {
        /// Receipt number, or cases/<id>.
        case: String,
    },
    /// Conversations about a case with the office: read them, begin one, write in one.
    Message(commands::MessageArgs),
    /// Your notices; saves one as PDF with --save.
    Inbox {
        /// Save this notice (notices/<id>) as PDF here.
        #[arg(long, requires = "to")]
        save: Option<String>,
        /// Where to.
        #[arg(long)]
        to: Option<PathBuf>,
    },
    /// For officers: the queue, a case, what to do with it.
    #[command(subcommand)]
    Officer(commands::OfficerCommand),
    /// For records officers: releasing a person from the account they are linked to, by two.
    #[command(subcommand)]
    Person(commands::PersonCommand),
    /// For operators: who holds roles of the office, and taking one away by two.
    #[command(subcommand)]
    Role(commands::RoleCommand),
    /// For operators: look into the logs, prove them, put right what stopped.
    Log(commands::LogArgs),
    /// Print completions for a shell.
    Completions {
        /// Shell.
        shell: clap_complete::Shell,
    },
}

/// The story that `make run` plays.
const DEFAULT_STORY: &str = "tests/stories/naturalization.toml";

/// What --draft says where no file is named.
const NO_FILE: &str = "--draft puts a JSON file into a draft: name the file; `docket file filings/<id>` goes on with it question by question";

/// Runs what was asked and gives the exit code.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // What stands behind `--` is no option of ours.
        Err(error) => {
            let mut words = std::env::args_os().take_while(|word| word != "--");
            return failure::misspelt(&error, words.any(|word| word == "--json"));
        }
    };
    let json = cli.json;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime");
    let done = runtime.and_then(|runtime| runtime.block_on(dispatch(cli)));
    done.map_or_else(|error| failure::told(&error, json), |()| ExitCode::SUCCESS)
}

async fn dispatch(cli: Cli) -> Result<()> {
    let home = address::home()?;
    let language =
        cli.language.or_else(|| commands::Session::language(&home)).unwrap_or_else(|| "en".to_owned());
    let teller = Teller::new(cli.json).speaking(&language);
    match cli.command {
        Command::Up { story, once, apart } => {
            let story = story.map(|file| story_file(Some(file)));
            let apart = match &story {
                Some(file) if apart || story::file::Story::read(file)?.turns_clock => file.file_stem(),
                None if apart => Some("own".as_ref()),
                _ => None,
            };
            let place = apart.map_or_else(|| home.clone(), |name| home.join("apart").join(name));
            up::run(&place, up::Wish { apart: apart.is_some(), story, once, json: cli.json }).await
        }
        Command::Story { list: true, .. } => list_stories(&teller),
        Command::Story { file, disturbed, .. } => {
            let addresses = address::Addresses::read(&home)?;
            story::play(&addresses, &story_file(file), disturbed, &teller).await.map(|_| ())
        }
        Command::Account(args) => commands::account(&home, args, &teller).await,
        Command::SignIn(args) => commands::sign_in(&home, &args, &teller).await,
        Command::ReplaceApp(args) => commands::replace_app(&home, &args, &teller).await,
        Command::Email(args) => commands::email(&home, args, &teller).await,
        Command::Texts(args) => commands::texts(&home, args, &teller).await,
        Command::StepUp(args) => commands::step_up(&home, &args, &teller).await,
        Command::Forms { form } => commands::forms(&home, form.as_deref(), &language, &teller).await,
        Command::File { what, draft, keep, replace, with, representation } => {
            let place = Place { with: with.as_deref(), representation: representation.as_deref() };
            let goes = draft
                .as_deref()
                .map_or(Goes::New(place), |draft| Goes::Into(draft, Otherwise::of(keep, replace)));
            match what.as_deref() {
                Some(what) if is_a_file(what) => {
                    commands::file(&home, Path::new(what), goes, &language, &teller).await
                }
                _ if draft.is_some() => Err(Said(Ending::Usage, NO_FILE.to_owned()).into()),
                what => commands::lead(&home, what, place, &language, &teller).await,
            }
        }
        Command::Again { filing, with } => {
            commands::again(&home, &filing, with.as_deref(), &language, &teller).await
        }
        Command::Review(args) => commands::review(&home, &args, &teller).await,
        Command::Waiver(args) => commands::waiver(&home, &args, &teller).await,
        Command::Sign(args) => commands::sign(&home, &args, &teller).await,
        Command::Send(args) => commands::send(&home, &args, &teller).await,
        Command::Pay(args) => commands::pay(&home, &args, &teller).await,
        Command::Representations => commands::representations(&home, &teller).await,
        Command::Representation(args) => commands::representation(&home, &args, &teller).await,
        Command::Filings => commands::filings(&home, &language, &teller).await,
        Command::Export { filing, to } => commands::export(&home, &filing, &to, &teller).await,
        Command::Abandon { filing, yes } => commands::abandon(&home, &filing, yes, &teller).await,
        Command::Appoint { filing } => commands::appoint(&home, &filing, &teller).await,
        Command::Recall { filing } => commands::recall(&home, &filing, &teller).await,
        Command::Copy { filing, draft, out } => commands::copy(&home, (&filing, draft), &out, &teller).await,
        Command::View(args) => commands::view(&home, &args, &teller).await,
        Command::Accesses { filing } => commands::accesses(&home, &filing, &teller).await,
        Command::Helper(args) => commands::helper(&home, args, &teller).await,
        Command::Invitation(args) => commands::invitation(&home, args, &teller).await,
        Command::Status { receipt, watch } => {
            commands::status(&home, &receipt, watch, &language, &teller).await
        }
        Command::Respond(args) => commands::respond(&home, &args, &teller).await,
        Command::Add(args) => commands::add(&home, &args, &teller).await,
        Command::Appointment(args) => commands::appointment(&home, &args, &teller).await,
        Command::Withdraw(args) => commands::withdraw(&home, &args, &teller).await,
        Command::Address(args) => commands::address(&home, args, &teller).await,
        Command::Expedite(args) => commands::expedite(&home, args, &teller).await,
        Command::Inquire(args) => commands::inquire(&home, args, &teller).await,
        Command::Correct(args) => commands::correct(&home, args, &teller).await,
        Command::Inquiries { case } => commands::inquiries(&home, &case, &teller).await,
        Command::Message(args) => commands::message(&home, args, &teller).await,
        Command::Inbox { save, to } => {
            commands::inbox(&home, save.as_deref().zip(to.as_deref()), &teller).await
        }
        Command::Officer(command) => commands::officer(&home, command, &teller).await,
        Command::Person(command) => commands::person(&home, command, &teller).await,
        Command::Role(command) => commands::role(&home, command, &teller).await,
        Command::Log(args) => commands::log(&home, args, &teller).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "docket", &mut std::io::stdout());
            Ok(())
        }
    }
}

/// Whether a file is meant, also one that is not there: forms and filings have no ending.
fn is_a_file(what: &str) -> bool {
    let path = Path::new(what);
    path.is_file() || path.extension().is_some()
}

fn story_file(file: Option<PathBuf>) -> PathBuf {
    let file = file.unwrap_or_else(|| PathBuf::from(DEFAULT_STORY));
    let named = PathBuf::from("tests/stories").join(&file).with_extension("toml");
    if !file.exists() && named.exists() { named } else { file }
}

fn list_stories(teller: &Teller) -> Result<()> {
    for (path, title, about) in story::list(Path::new("tests/stories")).context("the stories")? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        teller.pair(&name, &format!("{title}: {about}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    /// Who reads Spanish says so once, before or behind any command, or by the account.
    #[test]
    fn the_language_is_said_of_all_commands_at_once() {
        fn none_of_its_own(command: &clap::Command) {
            for command in command.get_subcommands() {
                let own = command.get_arguments().any(|argument| argument.get_long() == Some("language"));
                assert!(!own, "{} has a --language of its own", command.get_name());
                none_of_its_own(command);
            }
        }
        none_of_its_own(&Cli::command());
    }
}
