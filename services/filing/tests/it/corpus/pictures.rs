//! Pictures: whole ones in each colour and size, cut ones, and traps that grow when they are unpacked.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat};

use super::Sample;
use crate::papers;

const JPEG: &[&str] = &["{\"taken\":\"jpeg\"}"];
const PNG: &[&str] = &["{\"taken\":\"png\"}"];
const TIFF: &[&str] = &["{\"taken\":\"tiff\"}"];
const BROKEN: &[&str] = &["{\"refused\":\"picture_broken\"}"];
const TOO_LARGE: &[&str] = &["{\"refused\":\"picture_too_large\"}"];

const JPEG_OR_BROKEN: &[&str] = &["{\"taken\":\"jpeg\"}", "{\"refused\":\"picture_broken\"}"];
/// Whether so little is a TIFF at all is a matter of taste.
const TIFF_OR_NONE: &[&str] = &["{\"refused\":\"picture_broken\"}", "{\"refused\":\"not_allowed\"}"];

const FORMATS: [(ImageFormat, &[&str]); 3] =
    [(ImageFormat::Jpeg, JPEG), (ImageFormat::Png, PNG), (ImageFormat::Tiff, TIFF)];
const SIZES: [(u32, u32); 5] = [(1, 1), (3, 200), (41, 29), (160, 120), (425, 550)];

pub(super) fn encoded(picture: &DynamicImage, format: ImageFormat) -> Option<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).ok()?;
    Some(bytes.into_inner())
}

/// A picture with something on it.
pub(super) fn drawn(width: u32, height: u32) -> DynamicImage {
    let picture = image::RgbImage::from_fn(width, height, |x, y| {
        let part = |n: u32| n.to_le_bytes()[0];
        image::Rgb([part(x * 7), part(y * 3), part(x * y)])
    });
    DynamicImage::ImageRgb8(picture)
}

fn colours(picture: &DynamicImage) -> Vec<(&'static str, DynamicImage)> {
    vec![
        ("grey", DynamicImage::ImageLuma8(picture.to_luma8())),
        ("grey with alpha", DynamicImage::ImageLumaA8(picture.to_luma_alpha8())),
        ("colour", picture.clone()),
        ("colour with alpha", DynamicImage::ImageRgba8(picture.to_rgba8())),
        ("deep grey", DynamicImage::ImageLuma16(picture.to_luma16())),
        ("deep colour", DynamicImage::ImageRgb16(picture.to_rgb16())),
    ]
}

fn whole(samples: &mut Vec<Sample>) {
    for (width, height) in SIZES {
        for (colour, picture) in colours(&drawn(width, height)) {
            for (format, verdict) in FORMATS {
                // Not every format has every colour.
                let Some(bytes) = encoded(&picture, format) else { continue };
                samples.push(Sample::new(format!("{format:?} {width}x{height} {colour}"), bytes, verdict));
            }
        }
    }
}

fn cut(samples: &mut Vec<Sample>) {
    for (format, verdict) in FORMATS {
        let bytes = encoded(&drawn(320, 240), format).expect("a picture");
        for eighths in 1..8 {
            let part = bytes[..bytes.len() * eighths / 8].to_vec();
            samples.push(Sample::new(format!("{format:?}, {eighths}/8 of it"), part, BROKEN));
        }
        let mut longer = bytes.clone();
        longer.extend_from_slice(b"something behind the end");
        samples.push(Sample::new(format!("{format:?} with more behind its end"), longer, verdict));
        let mut hollow = bytes;
        let (from, to) = (hollow.len() / 3, hollow.len() / 2);
        hollow.drain(from..to);
        // What is lost in the middle of a JPEG shifts what follows, and nobody can tell it from a picture.
        let verdicts = if format == ImageFormat::Jpeg { JPEG_OR_BROKEN } else { BROKEN };
        samples.push(Sample::new(format!("{format:?} with a piece lost"), hollow, verdicts));
    }
}

/// A PNG whose header says another size than the picture has.
fn lying_png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = encoded(&drawn(8, 8), ImageFormat::Png).expect("a picture");
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// A JPEG whose frame header says another size than the picture has.
pub(crate) fn lying_jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = encoded(&drawn(8, 8), ImageFormat::Jpeg).expect("a picture");
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame header");
    bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    bytes
}

/// A TIFF is read to its last page, not to its first.
fn pages(samples: &mut Vec<Sample>) {
    let fax = |count: usize| papers::fax(&vec![[0x00ff; 16]; count]);
    let three = fax(3);
    let page = three.len().saturating_sub(8) / 3;
    samples.push(Sample::new("TIFF of three pages", three.clone(), TIFF));
    samples.push(Sample::new("TIFF of 500 pages", fax(500), TIFF));
    samples.push(Sample::new("TIFF of 501 pages", fax(501), &["{\"refused\":\"too_many_pages\"}"]));
    samples.push(Sample::new("TIFF that ends in its third page", three[..three.len() - 20].to_vec(), BROKEN));
    // The next page's place stands before the strip of 32 bytes at the end of each.
    let mut round = three.clone();
    let next = 8 + 2 * page - 36;
    round[next..next + 4].copy_from_slice(&8_u32.to_le_bytes());
    samples.push(Sample::new("TIFF whose second page is followed by its first", round, BROKEN));
    let mut outside = three.clone();
    outside[next..next + 4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    samples.push(Sample::new("TIFF whose third page is outside", outside, BROKEN));
    // The strip's place is the value of the sixth entry.
    let mut hollow = three;
    let strip = 8 + page + 2 + 5 * 12 + 8;
    hollow[strip..strip + 4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    samples.push(Sample::new("TIFF whose second page has nothing on it", hollow, BROKEN));
}

fn traps(samples: &mut Vec<Sample>) {
    let grey = |width, height| DynamicImage::ImageLuma8(image::GrayImage::new(width, height));
    let longest = encoded(&grey(20_000, 2), ImageFormat::Png).expect("a picture");
    samples.push(Sample::new("PNG of the longest side", longest, PNG));
    let longer = encoded(&grey(20_001, 2), ImageFormat::Png).expect("a picture");
    samples.push(Sample::new("PNG of a longer side", longer, TOO_LARGE));
    // Its lines of zeros would unpack to 361 MB.
    samples.push(Sample::new("PNG that grows to 361 MB", lying_png(19_000, 19_000), TOO_LARGE));
    for (width, height) in [(50_000, 50_000), (u32::MAX / 2, 1), (1, u32::MAX / 2)] {
        samples.push(Sample::new(
            format!("PNG that says {width}x{height}"),
            lying_png(width, height),
            TOO_LARGE,
        ));
    }
    samples.push(Sample::new("PNG of no width", lying_png(0, 8), BROKEN));
    samples.push(Sample::new("PNG that says more than it has", lying_png(8, 4000), BROKEN));
    samples.push(Sample::new("JPEG that says 65535x65535", lying_jpeg(65_535, 65_535), TOO_LARGE));
    samples.push(Sample::new("JPEG that says more than it has", lying_jpeg(8, 4000), JPEG_OR_BROKEN));
    // A directory of a TIFF that follows itself, one far outside, and one with more entries than there are bytes.
    samples.push(Sample::new("TIFF without a picture", b"II*\0\x08\0\0\0\0\0\x08\0\0\0".to_vec(), BROKEN));
    samples.push(Sample::new("TIFF that points outside", b"II*\0\xff\xff\xff\x7f".to_vec(), TIFF_OR_NONE));
    samples.push(Sample::new("TIFF with too many entries", b"II*\0\x08\0\0\0\xff\xff\0\0".to_vec(), BROKEN));
    pages(samples);
    samples.push(Sample::new("only the signature of a PNG", b"\x89PNG\r\n\x1a\n".to_vec(), BROKEN));
    samples.push(Sample::new(
        "only the beginning of a JPEG",
        b"\xff\xd8\xff\xe0\x00\x10JFIF\0".to_vec(),
        BROKEN,
    ));
}

pub(super) fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    whole(&mut samples);
    cut(&mut samples);
    traps(&mut samples);
    samples
}
