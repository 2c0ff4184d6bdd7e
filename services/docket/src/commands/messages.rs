//! `docket message`: conversations about a case, between the party or who acts for it and the office.
use super::inquiries::at_the_case;
use super::{Refused, Session, each_page};
use crate::client::{patiently, request};
use crate::output::Teller;
use anyhow::{Context, Result, ensure};
use docket_proto::notifications::v1 as pb;
use serde_json::json;
use std::path::Path;
use uuid::Uuid;

/// What is written, and where.
#[derive(Debug, clap::Args)]
pub struct MessageArgs {
    /// Receipt number or cases/<id>, to read the conversations or begin one; threads/<id> to write in one.
    to: String,
    /// What you write, in 1 to 2,000 characters. Without it the conversations of the case are shown.
    words: Option<String>,
    /// What a new conversation is about: question-on-status, technical, correction, accommodation, appointment,
    /// document-not-received, other.
    #[arg(long, default_value = "other")]
    topic: String,
}

/// Shows conversations, begins one or writes in one.
pub async fn message(home: &Path, args: MessageArgs, teller: &Teller) -> Result<()> {
    let request_id = Uuid::now_v7().to_string();
    if args.to.starts_with("threads/") {
        let (connection, token) = Session::resume(home).await?;
        let connection = connection.reading(teller.language());
        let nothing = "say what you write; the receipt number shows the conversation";
        let text = args.words.with_context(|| teller.words(nothing))?;
        let message = pb::SendMessageRequest { request_id, name: args.to, text };
        let sent = patiently(|| {
            let (mut inbox, message) = (connection.inbox(), request(Some(&token), message.clone()));
            async move { inbox.send_message(message).await }
        });
        tell(&sent.await.map_err(Refused::from)?.into_inner().thread.context("thread")?, teller);
        return Ok(());
    }
    let (connection, token, case) = at_the_case(home, &args.to, teller.language()).await?;
    if let Some(text) = args.words {
        ensure!(!text.trim().is_empty(), "{}", teller.words("a message needs words"));
        let message = pb::StartThreadRequest { request_id, case, topic: args.topic.replace('-', "_"), text };
        let begun = patiently(|| {
            let (mut inbox, message) = (connection.inbox(), request(Some(&token), message.clone()));
            async move { inbox.start_thread(message).await }
        });
        tell(&begun.await.map_err(Refused::from)?.into_inner().thread.context("thread")?, teller);
        return Ok(());
    }
    let mut none = true;
    each_page(async |page_token| {
        let message = pb::ListThreadsRequest { case: case.clone(), page_size: 100, page_token };
        let answer = connection.inbox().list_threads(request(Some(&token), message)).await;
        let answer = answer.map_err(Refused::from)?.into_inner();
        none &= answer.threads.is_empty();
        answer.threads.iter().for_each(|thread| tell(thread, teller));
        Ok(answer.next_page_token)
    })
    .await?;
    if none && !teller.is_json() {
        teller.line(teller.words("nothing was written about this case"));
    }
    Ok(())
}

fn tell(thread: &pb::Thread, teller: &Teller) {
    if teller.is_json() {
        let messages = thread.messages.iter().map(
            |message| json!({"from": message.from, "text": message.text, "sent_at_us": message.sent_at_us}),
        );
        teller.value(&json!({
            "name": thread.name, "case": thread.case, "topic": thread.topic, "messages": messages.collect::<Vec<_>>(),
        }));
        return;
    }
    teller.heading(&format!("{} · {}", thread.topic.replace('_', " "), thread.name));
    for message in &thread.messages {
        teller.line(&format!("{}  {}: {}", teller.when(message.sent_at_us), message.from, message.text));
    }
}
