//! A row of `log.event`, and the event it becomes.

use bytes::Bytes;
use docket_proto::log::v1 as pb;
use prost::Message;
use uuid::Uuid;

use crate::chain::parts;
use crate::heads::End;
use crate::log::Core;
use crate::record::instant;
use crate::{Error, FORMAT, Metadata, Recorded, StreamName};

/// A row of `log.event`.
pub(crate) struct Row {
    pub(crate) position: i64,
    pub(crate) stream: String,
    pub(crate) version: i64,
    pub(crate) event_id: Uuid,
    pub(crate) kind: String,
    pub(crate) recorded_at_us: i64,
    pub(crate) metadata: Bytes,
    pub(crate) payload: Bytes,
    pub(crate) sealed: Bytes,
    pub(crate) link: Bytes,
    pub(crate) format: i16,
}

impl Row {
    /// Where its stream ends with this row, as it says itself.
    pub(crate) fn end(&self) -> End {
        End::read(self.version, &self.link, self.position)
    }

    pub(crate) fn into_recorded(self, core: &Core) -> Result<Recorded, Error> {
        let format = u32::try_from(self.format).unwrap_or_default();
        if format != FORMAT {
            return Err(Error::Malformed("a format this program does not know"));
        }
        let sealed = parts(self.sealed).ok_or(Error::Malformed("the sealed parts"))?;
        if sealed.iter().any(|part| pb::SealedPart::decode(part.clone()).is_err()) {
            return Err(Error::Malformed("a sealed part"));
        }
        let position = self.position.unsigned_abs();
        Ok(Recorded {
            log: core.name.to_owned(),
            position,
            stream: StreamName::stored(self.stream),
            version: self.version.unsigned_abs(),
            event_id: self.event_id,
            kind: self.kind,
            recorded_at: instant(self.recorded_at_us)?,
            metadata: Metadata::decode(&self.metadata)?,
            metadata_bytes: self.metadata,
            payload: self.payload,
            sealed,
            link: self.link.as_ref().try_into().map_err(|_| Error::Malformed("the link"))?,
            format,
            epoch: core.epoch_of(position),
        })
    }
}
