//! The circumstances of an event, and their stored form.

use docket_kernel::Actor;
use docket_proto::log::v1 as pb;
use prost::Message;
use uuid::Uuid;

use crate::Error;

/// Who asked, why, and by what program. No address, device or free text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The command; with the actor it names the request for ever.
    pub command_id: Uuid,
    /// The event which caused the command.
    pub causation_id: Option<Uuid>,
    /// The whole conversation.
    pub correlation_id: Uuid,
    /// Who acted.
    pub actor: Actor,
    /// In whose name.
    pub on_behalf_of: Option<Uuid>,
    /// 0 none, 1 password, 2 second factor, 3 step-up.
    pub auth_level: u32,
    /// W3C trace context.
    pub traceparent: String,
    /// Program and version.
    pub producer: String,
    /// Version of the catalogue or rule set in force; empty where none applies.
    pub rules: String,
}

impl Metadata {
    /// The stored bytes.
    pub fn encode(&self) -> Vec<u8> {
        let optional = |id: Option<Uuid>| id.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
        pb::Metadata {
            command_id: self.command_id.as_bytes().to_vec().into(),
            causation_id: optional(self.causation_id).into(),
            correlation_id: self.correlation_id.as_bytes().to_vec().into(),
            actor: self.actor.to_string(),
            on_behalf_of: optional(self.on_behalf_of).into(),
            auth_level: self.auth_level,
            traceparent: self.traceparent.clone(),
            producer: self.producer.clone(),
            rules: self.rules.clone(),
        }
        .encode_to_vec()
    }

    /// Reads the stored bytes.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let stored = pb::Metadata::decode(bytes).map_err(|_| Error::Malformed("metadata"))?;
        let id =
            |bytes: &[u8]| Uuid::from_slice(bytes).map_err(|_| Error::Malformed("an id in the metadata"));
        let optional = |bytes: &[u8]| if bytes.is_empty() { Ok(None) } else { id(bytes).map(Some) };
        Ok(Self {
            command_id: id(&stored.command_id)?,
            causation_id: optional(&stored.causation_id)?,
            correlation_id: id(&stored.correlation_id)?,
            actor: stored.actor.parse().map_err(|_| Error::Malformed("the actor in the metadata"))?,
            on_behalf_of: optional(&stored.on_behalf_of)?,
            auth_level: stored.auth_level,
            traceparent: stored.traceparent,
            producer: stored.producer,
            rules: stored.rules,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn metadata_read_as_they_were_written() {
        let whole = Metadata { causation_id: Some(Uuid::from_u128(9)), ..samples::metadata(1) };
        let bare = Metadata { on_behalf_of: None, rules: String::new(), ..samples::metadata(1) };
        for metadata in [whole, bare] {
            assert_eq!(Metadata::decode(&metadata.encode()).unwrap(), metadata);
        }
        assert!(Metadata::decode(b"\xff").is_err());
        assert!(Metadata::decode(b"").is_err(), "without a command there are none");
    }
}
