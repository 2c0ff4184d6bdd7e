//! What is neither a PDF nor a picture that is taken, however it begins, and files without or with too much of anything.

use super::Sample;

const NOT_ALLOWED: &[&str] = &["{\"refused\":\"not_allowed\"}", "{\"refused\":\"heic\"}"];

/// The beginnings by which such files are known, and what follows is of no matter.
const BEGINNINGS: &[(&str, &[u8])] = &[
    ("a Windows program", b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00"),
    ("a Linux program", b"\x7fELF\x02\x01\x01\x00"),
    ("a macOS program", b"\xcf\xfa\xed\xfe\x07\x00\x00\x01"),
    ("a Java class", b"\xca\xfe\xba\xbe\x00\x00\x00\x34"),
    ("a script", b"#!/bin/sh\nrm -rf /\n"),
    ("an archive, zip", b"PK\x03\x04\x14\x00\x00\x00\x08\x00"),
    ("an archive, empty zip", b"PK\x05\x06\x00\x00\x00\x00"),
    ("an archive, 7z", b"7z\xbc\xaf\x27\x1c\x00\x04"),
    ("an archive, rar", b"Rar!\x1a\x07\x01\x00"),
    ("an archive, gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00"),
    ("an archive, xz", b"\xfd7zXZ\x00\x00\x04"),
    ("an archive, zstd", b"\x28\xb5\x2f\xfd\x04\x00"),
    ("an old Word file", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    ("rich text", b"{\\rtf1\\ansi hello}"),
    ("PostScript", b"%!PS-Adobe-3.0\n%%Pages: 1\n"),
    ("a web page", b"<!DOCTYPE html><html><script>alert(1)</script></html>"),
    ("a drawing, SVG", b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
    (
        "XML with an entity",
        b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>",
    ),
    ("a picture, GIF", b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff;"),
    ("a picture, BMP", b"BM\x3a\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00"),
    ("a picture, WebP", b"RIFF\x24\x00\x00\x00WEBPVP8 "),
    ("a picture, HEIC", b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1"),
    ("a picture, AVIF", b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1"),
    ("a picture, Photoshop", b"8BPS\x00\x01\x00\x00"),
    ("an icon", b"\x00\x00\x01\x00\x01\x00\x10\x10\x00\x00"),
    ("a film, MP4", b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2"),
    ("a film, Matroska", b"\x1a\x45\xdf\xa3\x01\x00\x00\x00"),
    ("sound, MP3", b"ID3\x04\x00\x00\x00\x00\x00\x00"),
    ("sound, WAV", b"RIFF\x24\x00\x00\x00WAVEfmt "),
    ("a font", b"\x00\x01\x00\x00\x00\x0c\x00\x80\x00\x03"),
    ("a database", b"SQLite format 3\x00"),
    ("mail", b"From: somebody@example.test\r\nSubject: papers\r\n\r\nHello"),
    ("words", b"To whom it may concern: this is my letter."),
    ("words in UTF-16", b"\xff\xfeT\x00o\x00"),
    ("a table", b"name,date\nAna,2020-01-01\n"),
    ("JSON", b"{\"a\": [1, 2, 3]}"),
    ("a shortcut", b"L\x00\x00\x00\x01\x14\x02\x00"),
    ("a disk image", b"conectix\x00\x00\x00\x02"),
    ("WebAssembly", b"\x00asm\x01\x00\x00\x00"),
    ("zeros", b"\x00\x00\x00\x00\x00\x00\x00\x00"),
    ("one byte", b"%"),
];

pub(super) fn samples() -> Vec<Sample> {
    let mut samples = vec![
        Sample::new("nothing", Vec::new(), &["{\"refused\":\"empty\"}"]),
        Sample::new("a byte too many", vec![b'a'; 12 * 1024 * 1024 + 1], &["{\"refused\":\"too_large\"}"]),
        Sample::new("as many bytes as may be", vec![b'a'; 12 * 1024 * 1024], NOT_ALLOWED),
    ];
    let late = b"\n\n\n\n%PDF-1.7\n1 0 obj\n<<>>\nendobj\n".to_vec();
    samples.push(Sample::new("a PDF that begins late", late, &["{\"refused\":\"pdf_broken\"}"]));
    for (name, beginning) in BEGINNINGS {
        samples.push(Sample::new(*name, beginning.to_vec(), NOT_ALLOWED));
        let long = beginning.iter().copied().chain((0..4000_u32).map(|n| n.to_le_bytes()[0])).collect();
        samples.push(Sample::new(format!("{name}, long"), long, NOT_ALLOWED));
    }
    samples
}
