//! Chunks of a file on its way: how they are cut, and their checksum.

use crc::{CRC_32_ISCSI, Crc, Table};

use crate::filing::v1::UploadChunk;

/// CRC-32C (RFC 3720, appendix B.4).
static CRC_32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

impl UploadChunk {
    /// The most bytes of one: 256 KiB.
    pub const MOST_BYTES: usize = 256 * 1024;

    /// The chunks of some bytes, in their order.
    pub fn cut(bytes: &[u8]) -> impl Iterator<Item = Self> {
        bytes
            .chunks(Self::MOST_BYTES)
            .map(|bytes| Self { bytes: bytes.to_vec(), crc32c: CRC_32C.checksum(bytes) })
    }

    /// Whether its bytes are those its checksum was taken of.
    pub fn is_intact(&self) -> bool {
        CRC_32C.checksum(&self.bytes) == self.crc32c
    }
}
