//! The context of a command: who asks, for whom, in which conversation.

use docket_kernel::{Actor, derived_id};
use uuid::Uuid;

use crate::{Append, EventLog, Metadata, Recorded, StreamAppend, Timer};

/// What comes with a command besides its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The command's id: asked twice, done once.
    pub command_id: Uuid,
    /// The conversation.
    pub correlation_id: Uuid,
    /// The event which caused the command.
    pub causation_id: Option<Uuid>,
    /// Who acts.
    pub actor: Actor,
    /// In whose name.
    pub on_behalf_of: Option<Uuid>,
    /// 0 none, 1 password, 2 second factor, 3 step-up.
    pub auth_level: u32,
    /// W3C trace context.
    pub traceparent: String,
    /// The encoded request, without secrets; empty when the id alone says what is asked.
    pub request: Vec<u8>,
}

impl Context {
    /// The `n`th command of a policy which answers `event`: replay, redelivery and a second replica give the
    /// same command id and so do nothing new.
    pub fn reaction(policy: &str, event: &Recorded, n: u32) -> Self {
        Self {
            command_id: derived_id(policy, event.event_id, n),
            correlation_id: event.metadata.correlation_id,
            causation_id: Some(event.event_id),
            actor: Actor::machine(policy),
            on_behalf_of: None,
            auth_level: 0,
            traceparent: event.metadata.traceparent.clone(),
            request: Vec::new(),
        }
    }

    /// The command of a timer which fell due.
    pub fn timer(timer: &Timer) -> Self {
        let command_id = timer.command_id();
        Self {
            command_id,
            correlation_id: command_id,
            causation_id: None,
            actor: Actor::machine("timer"),
            on_behalf_of: None,
            auth_level: 0,
            traceparent: String::new(),
            request: Vec::new(),
        }
    }

    /// The metadata of the events which the command writes into `log`.
    pub fn metadata(&self, log: &EventLog) -> Metadata {
        Metadata {
            command_id: self.command_id,
            causation_id: self.causation_id,
            correlation_id: self.correlation_id,
            actor: self.actor.clone(),
            on_behalf_of: self.on_behalf_of,
            auth_level: self.auth_level,
            traceparent: self.traceparent.clone(),
            producer: log.core().producer.clone(),
            rules: log.core().rules.clone(),
        }
    }

    /// The append of the command to one or several streams.
    pub fn append(&self, log: &EventLog, streams: Vec<StreamAppend>) -> Append {
        Append { metadata: self.metadata(log), request: self.request.clone(), streams }
    }
}
