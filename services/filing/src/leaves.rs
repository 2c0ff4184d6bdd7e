//! The pages of a TIFF: where the directory of each begins, and how a reader is pointed to one of them.

use std::io::Cursor;

use tiff::decoder::Decoder;

use crate::file_type::MAX_PAGES;

/// The pages of a TIFF.
pub(crate) struct Leaves {
    /// Where the directory of each begins; of more than a file may have, one more than that.
    pub(crate) places: Vec<u32>,
    /// Whether the last says that it is the last: no page follows itself, points outside, or cannot be read.
    pub(crate) whole: bool,
}

impl Leaves {
    /// Follows the directories from the first (TIFF 6.0, section 2). Nothing, where there is no such file.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let mut decoder = Decoder::new(Cursor::new(bytes)).ok()?;
        let mut next = decoder.ifd_pointer();
        let mut places = Vec::new();
        while let Some(pointer) = next.filter(|_| places.len() <= MAX_PAGES) {
            let place = u32::try_from(pointer.0).ok().filter(|place| !places.contains(place));
            let (Some(place), Ok(directory)) = (place, decoder.read_directory(pointer)) else {
                return Some(Self { places, whole: false });
            };
            places.push(place);
            next = directory.next();
        }
        Some(Self { places, whole: true })
    }
}

/// Points the head of a TIFF to one of its pages: readers read the page that it points to.
pub(crate) fn turn_to(bytes: &mut [u8], place: u32) -> Option<()> {
    let place = if bytes.starts_with(b"II") { place.to_le_bytes() } else { place.to_be_bytes() };
    bytes.get_mut(4..8)?.copy_from_slice(&place);
    Some(())
}
