//! What a file is, by its content alone: a whole, readable PDF, JPEG, PNG or TIFF, or what is wrong with it.
//!
//! The decoders run in a process of their own (`confined`); nothing here is called on a stranger's bytes elsewhere.

use std::io::Cursor;

use docket_kernel::Refusal;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use lopdf::{DecompressError, Dictionary, Document, LoadOptions, Object};
use serde::{Deserialize, Serialize};

use crate::leaves::{self, Leaves};
use crate::two_kinds::{is_two_kinds, jpeg_end};

/// The largest file, in bytes: 12 MiB.
pub(crate) const MAX_BYTES: usize = 12 * 1024 * 1024;
/// The most pages of a PDF or a TIFF.
pub(crate) const MAX_PAGES: usize = 500;
/// The longest side of a picture, in pixels: a sheet of 33 inches at 600 dots per inch.
const MAX_SIDE: u32 = 20_000;
/// The most that one stream of a PDF may grow to while it is read, and one picture in memory; more is a trap.
const MAX_UNPACKED: usize = 256 * 1024 * 1024;

/// The most that one stream of a PDF unpacks to: a sheet in colour at 600 dots per inch has 105 MB. Well below the memory
/// that the process has, since what could not be held would be taken for the end.
const MAX_STREAM: usize = 128 * 1024 * 1024;

/// What in a PDF does something when it is opened, or carries something else along: programs, calls of other programs,
/// files inside, players, forms that are programs, and what sends answers away. The keys are those of ISO 32000-2, 7.11.4,
/// 12.6.4 and 12.7.
const ACTIVE_KEYS: [&[u8]; 6] = [b"JS", b"JavaScript", b"EmbeddedFiles", b"EF", b"XFA", b"RichMediaContent"];
/// Actions by their type.
const ACTIVE_ACTIONS: [&[u8]; 8] = [
    b"JavaScript",
    b"Launch",
    b"SubmitForm",
    b"ImportData",
    b"GoToE",
    // Opens another file by its name, also one on somebody's server.
    b"GoToR",
    b"Rendition",
    b"RichMediaExecute",
];

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MediaType {
    Pdf,
    Jpeg,
    Png,
    Tiff,
}

impl MediaType {
    /// What a file begins like.
    ///
    /// # Errors
    /// [`Fault::Heic`], [`Fault::NotAllowed`]: it begins like nothing that is taken.
    pub(crate) fn of(bytes: &[u8]) -> Result<Self, Fault> {
        match infer::get(bytes).map(|kind| kind.mime_type()) {
            Some("application/pdf") => Ok(Self::Pdf),
            Some("image/jpeg") => Ok(Self::Jpeg),
            Some("image/png") => Ok(Self::Png),
            Some("image/tiff") => Ok(Self::Tiff),
            Some("image/heif") => Err(Fault::Heic),
            Some(_) | None => Err(Fault::NotAllowed),
        }
    }

    /// The format of a picture; none of a PDF.
    pub(crate) fn picture(self) -> Option<ImageFormat> {
        match self {
            Self::Pdf => None,
            Self::Jpeg => Some(ImageFormat::Jpeg),
            Self::Png => Some(ImageFormat::Png),
            Self::Tiff => Some(ImageFormat::Tiff),
        }
    }

    /// Its name (RFC 6838).
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Tiff => "image/tiff",
        }
    }
}

/// Why a file cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    Empty,
    TooLarge,
    NotAllowed,
    /// A picture as newer phones take them (ISO/IEC 23008-12).
    Heic,
    PdfBroken,
    PdfWithoutPage,
    PdfProtected,
    PdfActive,
    /// It is a file of another kind as well.
    TwoKinds,
    TooManyPages,
    PictureBroken,
    PictureTooLarge,
    /// Reading it took more memory or time than any document needs, or the decoder fell over it.
    Unbearable,
}

/// Reads a file to its end.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check(bytes: &[u8]) -> Result<MediaType, Fault> {
    if bytes.is_empty() {
        return Err(Fault::Empty);
    }
    if bytes.len() > MAX_BYTES {
        return Err(Fault::TooLarge);
    }
    let media_type = MediaType::of(bytes)?;
    match media_type.picture() {
        Some(ImageFormat::Tiff) => tiff(bytes)?,
        Some(format) => picture(bytes, format)?,
        None => pdf(bytes)?,
    }
    if is_two_kinds(bytes, media_type) { Err(Fault::TwoKinds) } else { Ok(media_type) }
}

fn pdf(bytes: &[u8]) -> Result<(), Fault> {
    let options = LoadOptions { max_decompressed_size: Some(MAX_UNPACKED), ..LoadOptions::default() };
    let document = match Document::load_mem_with_options(bytes, options) {
        Ok(document) => document,
        Err(_) if bytes.windows(8).any(|window| window == b"/Encrypt") => return Err(Fault::PdfProtected),
        Err(_) => return Err(Fault::PdfBroken),
    };
    // What opens without a password, as a bank's statements do that only its owner may change, was opened already.
    if document.trailer.has(b"Encrypt") {
        return Err(Fault::PdfProtected);
    }
    let pages = document.get_pages();
    match pages.len() {
        0 => return Err(Fault::PdfWithoutPage),
        count if count > MAX_PAGES => return Err(Fault::TooManyPages),
        _ => {}
    }
    if pages.values().any(|page| document.get_dictionary(*page).is_err()) {
        return Err(Fault::PdfBroken);
    }
    if document.objects.values().any(is_active) || is_active_dictionary(&document.trailer) {
        return Err(Fault::PdfActive);
    }
    if document.objects.values().any(is_bomb) { Err(Fault::Unbearable) } else { Ok(()) }
}

/// Whether an object grows beyond all measure when it is unpacked. What is packed otherwise than text, as pictures are, is
/// not unpacked here.
fn is_bomb(object: &Object) -> bool {
    let Object::Stream(stream) = object else { return false };
    matches!(
        stream.decompressed_content_with_limit(MAX_STREAM),
        Err(lopdf::Error::Decompress(
            DecompressError::MemoryLimitExceeded { .. } | DecompressError::TooManyFilters { .. }
        ))
    )
}

/// Whether there is something active in an object or in what stands directly in it.
fn is_active(object: &Object) -> bool {
    match object {
        Object::Dictionary(dictionary) => is_active_dictionary(dictionary),
        Object::Stream(stream) => is_active_dictionary(&stream.dict),
        Object::Array(objects) => objects.iter().any(is_active),
        Object::Null
        | Object::Boolean(_)
        | Object::Integer(_)
        | Object::Real(_)
        | Object::Name(_)
        | Object::String(..)
        | Object::Reference(_) => false,
    }
}

fn is_active_dictionary(dictionary: &Dictionary) -> bool {
    let named = |key: &[u8], among: &[&[u8]]| {
        dictionary.get(key).and_then(Object::as_name).is_ok_and(|name| among.contains(&name))
    };
    ACTIVE_KEYS.iter().any(|key| dictionary.has(key))
        || named(b"S", &ACTIVE_ACTIONS)
        || named(b"Type", &[b"EmbeddedFile"])
        || dictionary.iter().any(|(_, value)| is_active(value))
}

fn picture(bytes: &[u8], format: ImageFormat) -> Result<(), Fault> {
    // The decoder fills up in grey what is missing at the end of a JPEG.
    if format == ImageFormat::Jpeg && jpeg_end(bytes).is_none() {
        return Err(Fault::PictureBroken);
    }
    DynamicImage::from_decoder(opened(bytes, format)?).map(drop).map_err(picture_fault)
}

/// Each page to its end: a fax is a file of many.
fn tiff(bytes: &[u8]) -> Result<(), Fault> {
    let leaves = Leaves::of(bytes).ok_or(Fault::PictureBroken)?;
    if leaves.places.len() > MAX_PAGES {
        return Err(Fault::TooManyPages);
    }
    if !leaves.whole || leaves.places.is_empty() {
        return Err(Fault::PictureBroken);
    }
    let mut bytes = bytes.to_vec();
    for place in leaves.places {
        leaves::turn_to(&mut bytes, place).ok_or(Fault::PictureBroken)?;
        picture(&bytes, ImageFormat::Tiff)?;
    }
    Ok(())
}

/// A picture that has not too many dots, before they are unpacked.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn opened(bytes: &[u8], format: ImageFormat) -> Result<impl ImageDecoder, Fault> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_UNPACKED as u64);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(picture_fault)?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > MAX_SIDE || decoder.total_bytes() > MAX_UNPACKED as u64 {
        return Err(Fault::PictureTooLarge);
    }
    Ok(decoder)
}

#[expect(clippy::needless_pass_by_value, reason = "stands where errors are mapped")]
fn picture_fault(error: image::ImageError) -> Fault {
    if matches!(error, image::ImageError::Limits(_)) { Fault::PictureTooLarge } else { Fault::PictureBroken }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TooLarge => too_large(),
            Fault::Empty => broken("The file is empty."),
            Fault::PdfBroken => broken("The PDF cannot be read."),
            Fault::PdfWithoutPage => broken("The PDF has no page."),
            Fault::PictureBroken => broken("The picture cannot be read to its end."),
            Fault::NotAllowed => Refusal::invalid(
                "chunk",
                "TYPE_NOT_ALLOWED",
                "The content is no PDF, JPEG, PNG or TIFF, whatever the name of the file says.",
            )
            .way_out("Save or scan the document as a PDF, or take a photograph, and attach that."),
            Fault::Heic => Refusal::invalid(
                "chunk",
                "TYPE_NOT_ALLOWED",
                "This is a picture in the format HEIC, as newer phones take them; a PDF, JPEG, PNG or TIFF is taken.",
            )
            .way_out("Save or share it as a JPEG and attach that. An iPhone takes JPEG by itself after Settings, Camera, Formats, Most Compatible."),
            Fault::PdfProtected => Refusal::invalid(
                "chunk",
                "FILE_PROTECTED",
                "The PDF opens only with a password.",
            )
            .way_out("Open it with the password, print it as a PDF, and attach that."),
            Fault::PdfActive => Refusal::invalid(
                "chunk",
                "FILE_ACTIVE",
                "The PDF holds a program, another file, or a form that sends what is written in it.",
            )
            .way_out("Print it as a PDF (not Save): that keeps what you see and nothing else. Attach that."),
            Fault::TwoKinds => Refusal::invalid(
                "chunk",
                "FILE_ACTIVE",
                "The file is a picture or a PDF and another file, an archive or a web page at the same time.",
            )
            .way_out("Photograph the document anew, or print it as a PDF (not Save), and attach that."),
            Fault::TooManyPages => {
                Refusal::invalid("chunk", "TOO_MANY_PAGES", "A PDF or TIFF may have at most 500 pages.")
                    .way_out("Divide it into several files.")
            }
            Fault::PictureTooLarge => Refusal::invalid(
                "chunk",
                "PICTURE_TOO_LARGE",
                "A picture may have at most 20,000 pixels on a side and take 256 MB when it is unpacked.",
            )
            .way_out("Scan it at 300 dots per inch, or make it smaller."),
            Fault::Unbearable => Refusal::invalid(
                "chunk",
                "FILE_UNBEARABLE",
                "Reading this file takes more memory or time than a document needs.",
            )
            .way_out("Print it as a PDF or photograph it anew, and attach that."),
        }
    }
}

/// The refusal of a file over [`MAX_BYTES`].
pub(crate) fn too_large() -> Refusal {
    Refusal::invalid("chunk", "TOO_LARGE", "A file may have at most 12 MB (12,582,912 bytes).")
        .way_out("Scan it in grey at 300 dots per inch, or divide it into several files.")
}

fn broken(message: &str) -> Refusal {
    Refusal::invalid("chunk", "FILE_BROKEN", message)
        .way_out("Open the file yourself, save it anew, and attach that.")
}

#[cfg(test)]
mod tests {
    use image::RgbImage;
    use lopdf::{Object, dictionary};

    use super::*;

    fn picture_bytes(format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(RgbImage::new(40, 30)).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_picture_of_a_newer_phone_is_named() {
        for brand in ["heic", "mif1"] {
            let bytes = format!("\0\0\0\x18ftyp{brand}\0\0\0\0heicmif1");
            assert_eq!(check(bytes.as_bytes()), Err(Fault::Heic));
        }
    }

    fn pdf_bytes(pages: usize) -> Vec<u8> {
        let mut document = Document::with_version("1.7");
        let tree = document.new_object_id();
        let kids: Vec<Object> = (0..pages)
            .map(|_| {
                document.add_object(dictionary! { "Type" => "Page", "Parent" => tree, "MediaBox" => vec![0.into(), 0.into(), 612.into(), 792.into()] }).into()
            })
            .collect();
        let count = i64::try_from(pages).unwrap();
        document
            .objects
            .insert(tree, dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count }.into());
        let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
        document.trailer.set("Root", catalog);
        let mut bytes = Vec::new();
        document.save_to(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn whole_files_are_known_by_their_content() {
        assert_eq!(check(&pdf_bytes(1)), Ok(MediaType::Pdf));
        for (format, media_type) in [
            (ImageFormat::Jpeg, MediaType::Jpeg),
            (ImageFormat::Png, MediaType::Png),
            (ImageFormat::Tiff, MediaType::Tiff),
        ] {
            assert_eq!(check(&picture_bytes(format)), Ok(media_type));
        }
    }

    #[test]
    fn half_files_are_refused() {
        assert_eq!(check(b""), Err(Fault::Empty));
        assert_eq!(check(&pdf_bytes(0)), Err(Fault::PdfWithoutPage));
        assert_eq!(check(b"%PDF-1.7\nnothing follows"), Err(Fault::PdfBroken));
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Tiff] {
            let bytes = picture_bytes(format);
            assert_eq!(check(&bytes[..bytes.len() / 4]), Err(Fault::PictureBroken), "{format:?}");
        }
    }

    #[test]
    fn other_content_is_refused_whatever_its_name() {
        for bytes in [&b"MZ\x90\x00 a program"[..], b"just words", b"PK\x03\x04 an archive"] {
            assert_eq!(check(bytes), Err(Fault::NotAllowed));
        }
    }

    #[test]
    fn the_limits_are_twelve_mebibytes_and_five_hundred_pages() {
        let mut bytes = pdf_bytes(1);
        bytes.resize(MAX_BYTES + 1, b' ');
        assert_eq!(check(&bytes), Err(Fault::TooLarge));
        assert_eq!(check(&pdf_bytes(500)), Ok(MediaType::Pdf));
        assert_eq!(check(&pdf_bytes(501)), Err(Fault::TooManyPages));
    }

    #[test]
    fn a_pdf_that_opens_only_with_a_password_is_refused() {
        let mut document = Document::load_mem(&pdf_bytes(1)).unwrap();
        let handler = document.add_object(dictionary! { "Filter" => "Standard", "V" => 4, "R" => 4 });
        document.trailer.set("Encrypt", handler);
        let mut bytes = Vec::new();
        document.save_to(&mut bytes).unwrap();
        assert_eq!(check(&bytes), Err(Fault::PdfProtected));
    }
}
