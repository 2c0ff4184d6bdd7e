//! Attaching a file to a draft: how far it is, and that it waits, is told on the error side.
use super::Refused;
use super::interview::ask::say;
use super::interview::words::Words;
use super::paper::Drafts;
use crate::client::{fact, reason};
use crate::upload::{Outgoing, Uploader, Way};
use anyhow::{Context, Result};
use docket_proto::filing::v1 as pb;
use indicatif::{ProgressBar, ProgressStyle};
use tonic::Status;

/// Sends a file and attaches it to a filing.
pub async fn attach(
    drafts: &Drafts,
    words: &Words,
    filing: &str,
    file: &Outgoing,
) -> std::result::Result<pb::Evidence, Status> {
    let bar = bar(file.file_name());
    let tell = |way| match way {
        Way::Sent(sent, size) => {
            bar.set_length(size);
            bar.set_position(sent);
        }
        Way::Waits(pause) => {
            let seconds = pause.as_secs_f64().ceil();
            bar.suspend(|| say(&words.waits.replace("{}", &seconds.to_string())));
        }
    };
    let uploader =
        Uploader { client: drafts.connection.uploads(), token: async || drafts.token().await, tell };
    let attached = uploader.attach(filing, file).await;
    bar.finish_and_clear();
    match attached {
        // It is there already, sent for another kind: that one serves for this kind too.
        Err(refused) if reason(&refused) == "ATTACHED_AS_ANOTHER_KIND" => {
            let (name, kind) = (fact(&refused, "evidence"), file.kind().to_owned());
            drafts.reuse(filing, &pb::Evidence { name, kind, ..pb::Evidence::default() }).await
        }
        attached => attached,
    }
}

/// The same for a command: what is refused ends it, and names the file.
pub async fn attach_or_end(
    drafts: &Drafts,
    words: &Words,
    filing: &str,
    file: &Outgoing,
) -> Result<pb::Evidence> {
    let attached = attach(drafts, words, filing, file).await.map_err(Refused::from);
    attached.with_context(|| file.file_name().to_owned())
}

/// A bar with the percentage; there is none where nobody sits at the terminal.
fn bar(what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("  {bar:32} {percent:>3} %  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_message(what.to_owned())
}
