//! The broker's users and permissions: each service publishes its own log, reads the logs it reacts to, nothing else.
use super::certificates::TRUST_DOMAIN;
use super::place::{PARTS, Part};

/// Configuration text for nats-server: accounts and users, mapped from the SPIFFE name of the client's certificate.
pub fn configuration() -> String {
    let users: Vec<String> = PARTS.iter().map(user).collect();
    format!(
        "accounts {{\n  SYS {{ users = [ {{ user: \"spiffe://{TRUST_DOMAIN}/ns/docket/sa/operator\" }} ] }}\n  DOCKET {{\n    \
         jetstream: enabled\n    users = [\n{}\n    ]\n  }}\n}}\nsystem_account: SYS\n",
        users.join("\n")
    )
}

fn user(part: &Part) -> String {
    let mut publish = vec!["$JS.API.INFO".to_owned(), "status.changed.>".to_owned()];
    if !part.log.is_empty() {
        let log = part.log;
        publish.push(format!("docket.{log}.>"));
        publish.extend(
            // DELETE, since the stream of a log that was restored is replaced by its own relay; nobody else may.
            ["STREAM.CREATE", "STREAM.UPDATE", "STREAM.DELETE", "STREAM.INFO", "STREAM.MSG.GET"]
                .map(|api| format!("$JS.API.{api}.{log}")),
        );
        publish.push(format!("$JS.API.DIRECT.GET.{log}"));
        publish.push(format!("$JS.API.DIRECT.GET.{log}.>"));
    }
    for log in part.reads {
        let name = part.name;
        publish.push(format!("$JS.API.STREAM.INFO.{log}"));
        for api in ["CREATE", "DURABLE.CREATE", "INFO", "MSG.NEXT", "DELETE"] {
            publish.push(format!("$JS.API.CONSUMER.{api}.{log}.{name}"));
        }
        publish.push(format!("$JS.API.CONSUMER.CREATE.{log}.{name}.>"));
        publish.push(format!("$JS.ACK.{log}.{name}.>"));
    }
    let publish: Vec<String> = publish.iter().map(|subject| format!("\"{subject}\"")).collect();
    format!(
        "      {{ user: \"spiffe://{TRUST_DOMAIN}/ns/docket/sa/{}\", permissions {{ publish: [{}], subscribe: [\"_INBOX.>\", \"_INBOX_{}.>\", \"status.changed.>\"] }} }}",
        part.name,
        publish.join(", "),
        part.name
    )
}
