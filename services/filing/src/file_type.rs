//! What a file is, by its content alone: a whole, readable PDF, JPEG, PNG or TIFF, or a refusal that says why not.

use std::io::Cursor;

use docket_kernel::Refusal;
use image::{ImageFormat, ImageReader, Limits};
use lopdf::{Document, LoadOptions};

/// The largest file, in bytes: 12 MiB.
pub(crate) const MAX_BYTES: usize = 12 * 1024 * 1024;

/// The most that one stream of a PDF may grow to while it is read, and one picture in memory; more is a trap.
const MAX_UNPACKED: usize = 256 * 1024 * 1024;

/// The media type of a file that can be taken.
///
/// # Errors
/// `TYPE_NOT_ALLOWED`, `TOO_LARGE`, `FILE_BROKEN`, `FILE_PROTECTED`, each with the way out.
pub(crate) fn check(bytes: &[u8]) -> Result<&'static str, Refusal> {
    if bytes.is_empty() {
        return Err(broken("The file is empty."));
    }
    if bytes.len() > MAX_BYTES {
        return Err(too_large());
    }
    match infer::get(bytes).map(|found| found.mime_type()) {
        Some("application/pdf") => pdf(bytes).map(|()| "application/pdf"),
        Some("image/jpeg") => picture(bytes, ImageFormat::Jpeg).map(|()| "image/jpeg"),
        Some("image/png") => picture(bytes, ImageFormat::Png).map(|()| "image/png"),
        Some("image/tiff") => picture(bytes, ImageFormat::Tiff).map(|()| "image/tiff"),
        _ => Err(Refusal::invalid(
            "chunk",
            "TYPE_NOT_ALLOWED",
            "The content is no PDF, JPEG, PNG or TIFF, whatever the name of the file says.",
        )
        .way_out("Save or scan the document as a PDF, or take a photograph, and attach that.")),
    }
}

/// The refusal of a file over [`MAX_BYTES`].
pub(crate) fn too_large() -> Refusal {
    Refusal::invalid("chunk", "TOO_LARGE", "A file may have at most 12 MB (12,582,912 bytes).")
        .way_out("Scan it in grey at 300 dots per inch, or divide it into several files.")
}

fn pdf(bytes: &[u8]) -> Result<(), Refusal> {
    let options = LoadOptions { max_decompressed_size: Some(MAX_UNPACKED), ..LoadOptions::default() };
    match Document::load_mem_with_options(bytes, options) {
        Ok(document) if document.trailer.has(b"Encrypt") || document.was_encrypted() => Err(protected()),
        Ok(document) if document.get_pages().is_empty() => Err(broken("The PDF has no page.")),
        Ok(_) => Ok(()),
        Err(_) if bytes.windows(8).any(|window| window == b"/Encrypt") => Err(protected()),
        Err(_) => Err(broken("The PDF cannot be read.")),
    }
}

fn picture(bytes: &[u8], format: ImageFormat) -> Result<(), Refusal> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_UNPACKED as u64);
    reader.limits(limits);
    reader.decode().map(drop).map_err(|_| broken("The picture cannot be read to its end."))
}

fn broken(message: &str) -> Refusal {
    Refusal::invalid("chunk", "FILE_BROKEN", message)
        .way_out("Open the file yourself, save it anew, and attach that.")
}

fn protected() -> Refusal {
    Refusal::invalid("chunk", "FILE_PROTECTED", "The PDF is protected with a password or against reading.")
        .way_out("Save or print it as a PDF without protection, and attach that.")
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, RgbImage};
    use lopdf::{Object, dictionary};

    use super::*;

    fn picture_bytes(format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(RgbImage::new(40, 30)).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
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

    fn refused(bytes: &[u8], reason: &str) {
        let refusal = check(bytes).unwrap_err();
        assert_eq!(refusal.reason, reason, "{refusal}");
        assert!(!refusal.way_out.is_empty());
    }

    #[test]
    fn whole_files_are_known_by_their_content() {
        assert_eq!(check(&pdf_bytes(1)).unwrap(), "application/pdf");
        for (format, media_type) in [
            (ImageFormat::Jpeg, "image/jpeg"),
            (ImageFormat::Png, "image/png"),
            (ImageFormat::Tiff, "image/tiff"),
        ] {
            assert_eq!(check(&picture_bytes(format)).unwrap(), media_type);
        }
    }

    #[test]
    fn half_files_are_refused() {
        refused(b"", "FILE_BROKEN");
        refused(&pdf_bytes(0), "FILE_BROKEN");
        refused(b"%PDF-1.7\nnothing follows", "FILE_BROKEN");
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Tiff] {
            let bytes = picture_bytes(format);
            refused(&bytes[..bytes.len() / 4], "FILE_BROKEN");
        }
    }

    #[test]
    fn other_content_is_refused_whatever_its_name() {
        refused(b"MZ\x90\x00 a program", "TYPE_NOT_ALLOWED");
        refused(b"just words", "TYPE_NOT_ALLOWED");
        refused(b"PK\x03\x04 an archive", "TYPE_NOT_ALLOWED");
    }

    #[test]
    fn the_limit_is_twelve_mebibytes() {
        let mut bytes = pdf_bytes(1);
        bytes.resize(MAX_BYTES + 1, b' ');
        refused(&bytes, "TOO_LARGE");
    }

    #[test]
    fn a_protected_pdf_is_refused() {
        let mut document = Document::load_mem(&pdf_bytes(1)).unwrap();
        let handler = document.add_object(dictionary! { "Filter" => "Standard", "V" => 4, "R" => 4 });
        document.trailer.set("Encrypt", handler);
        let mut bytes = Vec::new();
        document.save_to(&mut bytes).unwrap();
        refused(&bytes, "FILE_PROTECTED");
    }
}
