//! `docket invitation`: somebody is asked to file a form in one's package, such as a joint sponsor, and says yes or no.
use super::{Refused, Session, code_to_hand};
use crate::client::{Connection, request};
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::filing::v1 as pb;
use serde_json::json;
use std::path::Path;
use uuid::Uuid;

/// Of whoever asks, and of who is asked.
#[derive(Debug, clap::Args)]
pub struct InvitationArgs {
    #[command(subcommand)]
    command: InvitationCommand,
}

/// What is done.
#[derive(Debug, clap::Subcommand)]
enum InvitationCommand {
    /// Ask somebody to file a form together with your draft, from an account of their own. Prints the code to hand over, which also
    /// goes by mail.
    Ask {
        /// filings/<id>: your draft.
        filing: String,
        /// The form, such as I-864.
        form: String,
        /// Whom you ask.
        #[arg(long)]
        name: String,
        /// Send the code to this address by mail.
        #[arg(long, default_value = "")]
        mail: String,
    },
    /// Whom you asked, and how far they are.
    List {
        /// filings/<id>: your draft.
        filing: String,
    },
    /// Take back what nobody accepted yet: the code opens nothing any more.
    Withdraw {
        /// filings/<id>: your draft.
        filing: String,
        /// Its number in the list.
        number: u32,
    },
    /// Do without somebody who accepted, before you send: their draft ends.
    Release {
        /// filings/<id>: your draft.
        filing: String,
        /// Its number in the list.
        number: u32,
    },
    /// As who is asked: who asks, and for what.
    Show {
        /// The code that you were given.
        code: String,
    },
    /// As who is asked: begin the form. It is yours alone; fill it in and sign it as any other. `docket abandon` steps back from it.
    Accept {
        /// The code that you were given.
        code: String,
        /// filings/<id>: your filing of that form which was rejected with an earlier package; its answers and files are taken over.
        #[arg(long, value_name = "FILING", default_value = "")]
        again: String,
    },
    /// As who is asked: say no.
    Decline {
        /// The code that you were given.
        code: String,
    },
}

/// Asks, or answers.
pub async fn invitation(home: &Path, args: InvitationArgs, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let connection = connection.reading(teller.language());
    let mut invitations = connection.invitations();
    let (request_id, language) = (Uuid::now_v7().to_string(), teller.language().to_owned());
    match args.command {
        InvitationCommand::Ask { filing, form, name, mail } => {
            let message = pb::InviteToPackageRequest {
                request_id,
                name: filing,
                form,
                invitee_name: name,
                mail_to: mail,
            };
            ask(&connection, &token, message, teller).await?;
        }
        InvitationCommand::List { filing } => {
            let message = pb::ListPackageInvitationsRequest { name: filing };
            let answer = invitations.list_package_invitations(request(Some(&token), message)).await;
            list(&answer.map_err(Refused::from)?.into_inner().invitations, teller);
        }
        InvitationCommand::Withdraw { filing, number } => {
            let message = pb::WithdrawPackageInvitationRequest { request_id, name: filing, number };
            let answer = invitations.withdraw_package_invitation(request(Some(&token), message)).await;
            list(answer.map_err(Refused::from)?.into_inner().invitation.as_slice(), teller);
        }
        InvitationCommand::Release { filing, number } => {
            let message = pb::ReleaseFromPackageRequest { request_id, name: filing, number };
            let answer = invitations.release_from_package(request(Some(&token), message)).await;
            list(answer.map_err(Refused::from)?.into_inner().invitation.as_slice(), teller);
        }
        InvitationCommand::Show { code } => {
            let message = pb::ReadPackageInvitationRequest { code, language };
            let answer = invitations.read_package_invitation(request(Some(&token), message)).await;
            show(&answer.map_err(Refused::from)?.into_inner(), teller);
        }
        InvitationCommand::Accept { code, again } => {
            let message = pb::AcceptPackageInvitationRequest { request_id, code, language, again };
            let answer = invitations.accept_package_invitation(request(Some(&token), message)).await;
            let filing = answer.map_err(Refused::from)?.into_inner().filing.context("filing")?;
            began(&filing, teller);
        }
        InvitationCommand::Decline { code } => {
            let message = pb::DeclinePackageInvitationRequest { request_id, code };
            let answer = invitations.decline_package_invitation(request(Some(&token), message)).await;
            let form = answer.map_err(Refused::from)?.into_inner().form;
            if teller.is_json() {
                teller.value(&json!({ "form": form, "state": "declined" }));
            } else {
                teller.line(&teller.filled("declined; whoever asked you for {} is told", &[&form]));
            }
        }
    }
    Ok(())
}

async fn ask(
    connection: &Connection,
    token: &str,
    message: pb::InviteToPackageRequest,
    teller: &Teller,
) -> Result<()> {
    let mail = message.mail_to.clone();
    let answer = connection.invitations().invite_to_package(request(Some(token), message)).await;
    let answer = answer.map_err(Refused::from)?.into_inner();
    let invitation = answer.invitation.context("invitation")?;
    if teller.is_json() {
        teller.value(&json!({
            "number": invitation.number, "form": invitation.form, "code": answer.code,
            "valid_until_us": invitation.valid_until_us,
        }));
        return Ok(());
    }
    let way = code_to_hand(&answer.code, invitation.valid_until_us, &mail, teller);
    let next = "{} to {}, who files {} from an account of their own: docket invitation show {}";
    teller.line(&teller.filled(next, &[&way, &invitation.invitee_name, &invitation.form, &answer.code]));
    Ok(())
}

fn list(invitations: &[pb::PackageInvitation], teller: &Teller) {
    if invitations.is_empty() && !teller.is_json() {
        teller.line(teller.words("nobody is asked to file a form together with this one"));
    }
    for one in invitations {
        if teller.is_json() {
            teller.value(&json!({
                "number": one.number, "form": one.form, "name": one.invitee_name, "state": one.state,
                "valid_until_us": one.valid_until_us,
            }));
            continue;
        }
        teller.line(&format!("{}  {}  {}  {}", one.number, one.form, one.invitee_name, one.state));
    }
}

fn show(shown: &pb::ReadPackageInvitationResponse, teller: &Teller) {
    if teller.is_json() {
        teller.value(&json!({
            "form": shown.form, "title": shown.title, "summary": shown.summary, "asked_by": shown.asked_by,
            "with_form": shown.with_form, "name": shown.invitee_name, "valid_until_us": shown.valid_until_us,
        }));
        return;
    }
    teller.heading(&teller.filled("{} asks you to file form {}", &[&shown.asked_by, &shown.form]));
    teller.line(&shown.title);
    teller.line(&shown.summary);
    teller.pair(teller.words("together with"), &shown.with_form);
    teller.pair(teller.words("code good until"), &teller.when(shown.valid_until_us));
}

fn began(filing: &pb::Filing, teller: &Teller) {
    if teller.is_json() {
        teller.value(&json!({ "filing": filing.name, "form": filing.form, "state": filing.state }));
        return;
    }
    teller.line(&filing.name);
    let yours = "nobody but you reads it; when it is signed, whoever asked you sends it with theirs";
    teller.line(teller.words(yours));
    teller.line(&teller.filled("go on with: docket file {}", &[&filing.name]));
}
