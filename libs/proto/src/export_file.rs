//! The file that `docket log export` writes: records, each with its length before it as protobuf writes numbers.

use std::io::{self, BufRead, ErrorKind};

use prost::Message as _;

use crate::log::v1::ExportRecord;
use crate::log::v1::export_record::Record;

/// No record is larger: an event has at most 256 KiB.
const MOST_BYTES: u64 = 1 << 20;

/// The records of a file, one after the other.
#[derive(Debug)]
pub struct Records<R>(R);

impl<R: BufRead> Records<R> {
    /// The records of what is read here.
    pub fn new(file: R) -> Self {
        Self(file)
    }

    /// Whether anything follows.
    ///
    /// # Errors
    /// What the file's system says.
    pub fn has_more(&mut self) -> io::Result<bool> {
        Ok(!self.0.fill_buf()?.is_empty())
    }

    /// The next record; none at the end of the file.
    ///
    /// # Errors
    /// A file that was cut off, or is no such file, in words; what the file's system says.
    pub fn read(&mut self) -> io::Result<Option<Record>> {
        if !self.has_more()? {
            return Ok(None);
        }
        let length = self.length()?;
        if length > MOST_BYTES {
            return Err(malformed(format!("a record of {length} bytes: this is not such a file")));
        }
        let mut bytes = vec![0; usize::try_from(length).expect("a mebibyte at most")];
        self.fill(&mut bytes, "the file ends within a record: it was cut off")?;
        let record =
            ExportRecord::decode(bytes.as_slice()).map_err(|_| malformed("this is not such a file"))?;
        record.record.map(Some).ok_or_else(|| malformed("a record of a kind this program does not know"))
    }

    fn length(&mut self) -> io::Result<u64> {
        let mut length = 0_u64;
        for shift in (0..64).step_by(7) {
            let mut byte = [0];
            self.fill(&mut byte, "the file ends within a length: it was cut off")?;
            length |= u64::from(byte[0] & 0x7f) << shift;
            if byte[0] & 0x80 == 0 {
                return Ok(length);
            }
        }
        Err(malformed("a length that is none: this is not such a file"))
    }

    fn fill(&mut self, bytes: &mut [u8], cut_off: &str) -> io::Result<()> {
        self.0.read_exact(bytes).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => io::Error::new(ErrorKind::UnexpectedEof, cut_off),
            _ => error,
        })
    }
}

fn malformed(words: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, words.into())
}
