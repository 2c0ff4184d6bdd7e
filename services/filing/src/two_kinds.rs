//! Whether a picture or a PDF is something else besides: a file that other programs open as an archive, a page or a program.
//!
//! What cameras write behind the end of a picture, a second picture or a film, is let be: nobody sees it here.

use memchr::memmem;

use crate::file_type::MediaType;

/// What begins another file wherever it stands: a PDF, and archives that are looked for behind anything.
const BEGINNINGS: [&[u8]; 3] = [b"%PDF-", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c"];
/// What makes a page of it, in small letters.
const MARKUP: [&[u8]; 7] =
    [b"<script>", b"<script ", b"<!doctype ", b"<html>", b"<html ", b"<iframe ", b"www.w3.org/2000/svg"];
/// Within so many bytes readers look for the beginning of a PDF (ISO 32000-2, annex I).
const HEADER_WITHIN: usize = 1024;

/// The end of a central directory of an archive, without its remark, and the longest remark (APPNOTE.TXT 4.3.16).
const ARCHIVE_END: usize = 22;
const LONGEST_REMARK: usize = u16::MAX as usize;

/// Whether a file that begins as `media_type` is of another kind too.
pub(crate) fn is_two_kinds(bytes: &[u8], media_type: MediaType) -> bool {
    if is_archive(bytes) {
        return true;
    }
    match media_type {
        MediaType::Pdf => {
            let first = memmem::find(bytes, b" obj").unwrap_or(bytes.len());
            let last = memmem::rfind(bytes, b"%%EOF").map_or(bytes.len(), |at| at + 5);
            !is_blank(&bytes[..memmem::find(bytes, b"%PDF-").unwrap_or(0)])
                || is_page(&bytes[..first])
                || is_another(&bytes[last..])
        }
        MediaType::Jpeg => is_pdf(bytes) || jpeg_end(bytes).is_some_and(|end| is_another(&bytes[end..])),
        MediaType::Png => is_pdf(bytes) || png_end(bytes).is_some_and(|end| is_another(&bytes[end..])),
        // Its parts lie in any order: there is no end.
        MediaType::Tiff => is_another(bytes),
    }
}

/// Whether readers of PDFs take it for one.
fn is_pdf(bytes: &[u8]) -> bool {
    memmem::find(&bytes[..bytes.len().min(HEADER_WITHIN)], b"%PDF-").is_some()
}

/// Whether nothing stands there: blanks, perhaps behind a mark of Unicode. Before a PDF it may be a program of words.
fn is_blank(before: &[u8]) -> bool {
    let before = before.strip_prefix(b"\xef\xbb\xbf").unwrap_or(before);
    before.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0)
}

/// Whether there is another file in what lies outside of the picture or the document.
fn is_another(outside: &[u8]) -> bool {
    BEGINNINGS.iter().any(|beginning| memmem::find(outside, beginning).is_some())
        || is_program(outside)
        || is_page(outside)
}

fn is_page(outside: &[u8]) -> bool {
    let small = outside.to_ascii_lowercase();
    MARKUP.iter().any(|markup| memmem::find(&small, markup).is_some())
}

/// Whether a program begins here: one of Linux, or one of Windows with its second header.
fn is_program(outside: &[u8]) -> bool {
    let windows = || {
        let place = outside.starts_with(b"MZ").then(|| number(outside, 0x3c)).flatten()?;
        outside.get(place..)?.starts_with(b"PE\0\0").then_some(())
    };
    outside.starts_with(b"\x7fELF") || windows().is_some()
}

/// Whether programs that read archives find one: they look for its end from behind, and go by what stands there.
fn is_archive(bytes: &[u8]) -> bool {
    let from = bytes.len().saturating_sub(ARCHIVE_END + LONGEST_REMARK);
    memmem::find_iter(&bytes[from..], b"PK\x05\x06").any(|at| is_archive_end(bytes, from + at))
}

/// Whether an archive with something in it ends at `at`; sizes of all ones stand in the larger record before it (4.3.14).
fn is_archive_end(bytes: &[u8], at: usize) -> bool {
    let Some(size) = number(bytes, at + 12) else { return false };
    if size == u32::MAX as usize {
        return at >= 20 && bytes[at - 20..].starts_with(b"PK\x06\x07");
    }
    size > 0 && at.checked_sub(size).is_some_and(|first| bytes[first..].starts_with(b"PK\x01\x02"))
}

/// The number at a place, its least byte first.
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at + 4)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*four)).ok()
}

/// Where a JPEG ends: segment by segment by their lengths, and through the coded data to the next marker (ITU-T T.81, B.1.1).
pub(crate) fn jpeg_end(bytes: &[u8]) -> Option<usize> {
    const END: u8 = 0xd9;
    let mut at = 2;
    loop {
        let (first, marker) = (*bytes.get(at)?, *bytes.get(at + 1)?);
        at += match (first, marker) {
            (0xff, END) => return Some(at + 2),
            // Markers that stand alone.
            (0xff, 0x01 | 0xd0..=0xd8) => 2,
            (0xff, 0x02..=0xfe) => {
                let length = u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]);
                2 + usize::from(length).max(2)
            }
            // Bytes that fill, and coded data, in which 0xff is written with a zero behind it.
            _ => 1,
        };
    }
}

/// Where a PNG ends: behind its last chunk (ISO/IEC 15948, 5.3).
fn png_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 8;
    loop {
        let length = u32::from_be_bytes(*bytes.get(at..at + 4)?.first_chunk()?);
        let end = at.checked_add(12)?.checked_add(usize::try_from(length).ok()?)?;
        if bytes.get(at + 4..at + 8)? == b"IEND" {
            return Some(end.min(bytes.len()));
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive with one entry that is empty.
    fn archive(name: &[u8]) -> Vec<u8> {
        let mut bytes = [b"PK\x03\x04".as_slice(), &[0; 22], &[1, 0, 0, 0], name].concat();
        let place = u32::try_from(bytes.len()).unwrap();
        let entry = [b"PK\x01\x02".as_slice(), &[0; 24], &[1, 0], &[0; 16], name].concat();
        bytes.extend_from_slice(&entry);
        bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        bytes.extend_from_slice(&u32::try_from(entry.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(&place.to_le_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes
    }

    #[test]
    fn an_archive_is_found_by_its_end_and_not_by_four_letters() {
        let mut bytes = vec![7; 100_000];
        bytes.extend_from_slice(&archive(b"a"));
        assert!(is_archive(&bytes));
        bytes.resize(bytes.len() + LONGEST_REMARK, b' ');
        assert!(is_archive(&bytes), "with the longest remark");
        bytes.push(b' ');
        assert!(!is_archive(&bytes), "where nobody looks for it");
        assert!(!is_archive(b"the letters PK\x05\x06 alone, and what follows them in a text"));
        assert!(!is_archive(b"PK\x05\x06"));
        assert!(!is_archive(&[b"PK\x05\x06".as_slice(), &[0; 18]].concat()), "an empty one hides nothing");
        let large = [b"PK\x06\x07".as_slice(), &[0; 16], b"PK\x05\x06", &[0xff; 18]].concat();
        assert!(is_archive(&large));
    }

    #[test]
    fn a_program_is_known_by_both_its_headers() {
        let mut windows = [b"MZ".as_slice(), &[0; 0x3a], &[0x40, 0, 0, 0]].concat();
        assert!(!is_program(&windows));
        windows.extend_from_slice(b"PE\0\0");
        assert!(is_program(&windows) && is_program(b"\x7fELF\x02"));
        assert!(!is_program(b"MZ") && !is_program(b""));
    }

    #[test]
    fn the_ends_of_pictures_are_found_and_nothing_is_read_beyond() {
        assert_eq!(jpeg_end(b"\xff\xd8\xff\xfe\x00\x04\xff\xd9\xff\xd9behind"), Some(10));
        assert_eq!(jpeg_end(b"\xff\xd8\xff\xfe\x00"), None);
        let end = b"\x89PNG\r\n\x1a\n\0\0\0\x01tEXtx\0\0\0\0\0\0\0\0IEND\xaeB`\x82behind";
        assert_eq!(png_end(end), Some(end.len() - 6));
        assert_eq!(png_end(b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIDAT"), None);
        assert_eq!(png_end(b""), None);
    }
}
