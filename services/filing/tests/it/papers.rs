//! Papers to look at: a PDF with things on its pages, photographs as cameras and offices make them, and what is hard to draw.

use std::fmt::Write as _;
use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{ImageEncoder as _, Rgb, RgbImage, RgbaImage};
use lopdf::{Dictionary, Document, Object, Stream, dictionary};

/// What a camera wrote into the photograph, and nobody else is to see.
pub(crate) const SECRET: &str = "GPS 41.88 N 87.63 W";

/// A PDF of pages, each with its own dictionary and what is drawn on it; `F1` is Helvetica there, `X0` what is given.
pub(crate) fn pdf(pages: Vec<(Dictionary, String)>, drawn: Option<Stream>) -> Vec<u8> {
    saved(document(pages, drawn))
}

pub(crate) fn saved(mut document: Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

fn document(pages: Vec<(Dictionary, String)>, drawn: Option<Stream>) -> Document {
    let mut document = Document::with_version("1.7");
    let tree = document.new_object_id();
    let font = document
        .add_object(dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica" });
    let drawn = document.add_object(drawn.unwrap_or_else(|| Stream::new(Dictionary::new(), Vec::new())));
    let resources = dictionary! {
        "Font" => dictionary! { "F1" => font }, "XObject" => dictionary! { "X0" => drawn },
    };
    let kids: Vec<Object> = pages
        .into_iter()
        .map(|(mut page, content)| {
            page.set("Type", "Page");
            page.set("Parent", tree);
            page.set("Resources", resources.clone());
            page.set("Contents", document.add_object(Stream::new(Dictionary::new(), content.into_bytes())));
            document.add_object(page).into()
        })
        .collect();
    let count = i64::try_from(kids.len()).unwrap();
    document.objects.insert(tree, dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count }.into());
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    document.trailer.set("Root", catalog);
    document
}

/// The first page.
fn first(document: &mut Document) -> &mut Dictionary {
    let page = document.get_pages()[&1];
    document.get_dictionary_mut(page).unwrap()
}

/// A sheet of that size, in 1/72 of an inch.
pub(crate) fn sheet(width: i64, height: i64) -> Dictionary {
    dictionary! { "MediaBox" => vec![0.into(), 0.into(), width.into(), height.into()] }
}

/// Two pages: a letter with a red field above at the left and a word below at the right; and one that lies on its side, turned up
/// by the viewer, whose blue field is above at the left when it stands.
pub(crate) fn two_pages() -> Vec<u8> {
    let mut lying = sheet(792, 612);
    lying.set("Rotate", 90);
    let upright = "1 0 0 rg 0 396 306 396 re f 0 g BT /F1 72 Tf 330 100 Td (HELLO) Tj ET";
    pdf(vec![(sheet(612, 792), upright.into()), (lying, "0 0 1 rg 0 0 396 306 re f".into())], None)
}

/// Left half red, right half blue, as a camera that was held upright stores it: a viewer turns it clockwise.
pub(crate) fn turned_photograph() -> Vec<u8> {
    let stored =
        RgbImage::from_fn(800, 400, |x, _| if x < 400 { Rgb([220, 20, 20]) } else { Rgb([20, 20, 220]) });
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_exif_metadata(exif(6)).unwrap();
    stored.write_with_encoder(encoder).unwrap();
    assert!(holds(&bytes, SECRET));
    bytes
}

/// Whether words stand somewhere in it.
pub(crate) fn holds(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

/// How it is turned, and the secret as its description (Exif 2.32, 4.6.4).
fn exif(orientation: u16) -> Vec<u8> {
    let length = u32::try_from(SECRET.len()).unwrap();
    let mut bytes = b"II*\0\x08\0\0\0\x02\0".to_vec();
    for (tag, kind, count, value) in [(0x010e_u16, 2_u16, length, 38_u32), (0x0112, 3, 1, orientation.into())]
    {
        bytes.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        bytes.extend([count.to_le_bytes(), value.to_le_bytes()].concat());
    }
    bytes.extend([0; 4]);
    assert_eq!(bytes.len(), 38);
    bytes.extend(SECRET.as_bytes());
    bytes
}

/// Eight by eight dots of one colour in inks, as printers send it: cyan, magenta, yellow and black, each of 255, turned over
/// (Adobe Technical Note 5116, APP14).
pub(crate) fn inks(inks: [u8; 4]) -> Vec<u8> {
    let mut bytes = b"\xff\xd8\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0".to_vec();
    // All steps of the coefficients are 8: so the first one is the colour itself, less 128.
    bytes.extend(b"\xff\xdb\0\x43\0");
    bytes.extend([8; 64]);
    bytes.extend(b"\xff\xc0\0\x14\x08\0\x08\0\x08\x04\x01\x11\0\x02\x11\0\x03\x11\0\x04\x11\0");
    // Nine lengths of a first coefficient in four bits each, and one bit that says that no other follows.
    bytes.extend(b"\xff\xc4\0\x1c\0\0\0\0\x09\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08");
    bytes.extend(b"\xff\xc4\0\x14\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    bytes.extend(b"\xff\xda\0\x0e\x04\x01\0\x02\0\x03\0\x04\0\0\x3f\0");
    let mut bits = String::new();
    for ink in inks {
        let first = i16::from(255 - ink) - 128;
        let length = (i16::BITS - first.unsigned_abs().leading_zeros()) as usize;
        let code = if first < 0 { first + (1 << length) - 1 } else { first };
        write!(bits, "{length:04b}").unwrap();
        if length > 0 {
            write!(bits, "{code:0length$b}").unwrap();
        }
        bits += "0";
    }
    while !bits.len().is_multiple_of(8) {
        bits += "1";
    }
    for byte in bits.as_bytes().chunks(8) {
        let byte = u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap();
        bytes.push(byte);
        if byte == 0xff {
            bytes.push(0);
        }
    }
    bytes.extend(b"\xff\xd9");
    bytes
}

/// A fax: a TIFF of pages of 16 by 16 dots of one bit, each given by its rows; 1 is white.
pub(crate) fn fax(pages: &[[u16; 16]]) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    for (number, rows) in pages.iter().enumerate() {
        let here = u32::try_from(bytes.len()).unwrap();
        let strip = here + 2 + 9 * 12 + 4;
        bytes.extend(9_u16.to_le_bytes());
        for (tag, value) in [
            (256_u16, 16_u32),
            (257, 16),
            (258, 1),
            (259, 1),
            (262, 1),
            (273, strip),
            (277, 1),
            (278, 16),
            (279, 32),
        ] {
            bytes.extend([tag.to_le_bytes(), 4_u16.to_le_bytes()].concat());
            bytes.extend([1_u32.to_le_bytes(), value.to_le_bytes()].concat());
        }
        let next = if number + 1 < pages.len() { strip + 32 } else { 0 };
        bytes.extend(next.to_le_bytes());
        bytes.extend(rows.iter().flat_map(|row| row.to_be_bytes()));
    }
    bytes
}

/// A PNG of one bit a dot: 16 by 16, the upper half black.
pub(crate) fn one_bit_png() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 16, 16);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let rows = [[0; 16], [0xff; 16]].concat();
    encoder.write_header().unwrap().write_image_data(&rows).unwrap();
    bytes
}

/// A stamp: red in the middle, nothing around it.
pub(crate) fn stamp() -> Vec<u8> {
    let stamp = RgbaImage::from_fn(90, 90, |x, y| {
        let inside = (30..60).contains(&x) && (30..60).contains(&y);
        image::Rgba(if inside { [200, 0, 0, 255] } else { [0, 0, 0, 0] })
    });
    let mut bytes = Cursor::new(Vec::new());
    stamp.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A page that draws ten things, each of which draws ten, and so on: whoever draws it all is never done.
pub(crate) fn endless() -> Vec<u8> {
    let mut document = document(vec![(sheet(612, 792), "/X0 Do".into())], None);
    let mut inner = document.add_object(form("0 0 1 1 re f".into(), Dictionary::new()));
    for _ in 0..12 {
        let resources = dictionary! { "XObject" => dictionary! { "X0" => inner } };
        inner = document.add_object(form("/X0 Do ".repeat(10), resources));
    }
    first(&mut document).set("Resources", dictionary! { "XObject" => dictionary! { "X0" => inner } });
    saved(document)
}

/// A form that was filled in: above at the left a box that is ticked all over, above at the right one that is not.
pub(crate) fn ticked() -> Vec<u8> {
    let mut document = document(vec![(sheet(612, 792), String::new())], None);
    let yes = document.add_object(form("0 g 0 0 612 792 re f".into(), Dictionary::new()));
    let off = document.add_object(form(String::new(), Dictionary::new()));
    let at = |left: i64, state: &str| {
        Object::from(dictionary! {
            "Type" => "Annot", "Subtype" => "Widget", "AS" => state,
            "Rect" => vec![left.into(), 592.into(), (left + 200).into(), 792.into()],
            "AP" => dictionary! { "N" => dictionary! { "Yes" => yes, "Off" => off } },
        })
    };
    let boxes = vec![at(0, "Yes"), at(412, "Off")];
    first(&mut document).set("Annots", boxes);
    saved(document)
}

/// A word in Chinese, whose font the file leaves to the reader.
pub(crate) fn without_its_font() -> Vec<u8> {
    let mut document =
        document(vec![(sheet(612, 792), "BT /F1 72 Tf 72 600 Td <4E2D6587> Tj ET".into())], None);
    let letters = dictionary! {
        "Type" => "Font", "Subtype" => "CIDFontType0", "BaseFont" => "STSong-Light",
        "CIDSystemInfo" => dictionary! {
            "Registry" => Object::string_literal("Adobe"), "Ordering" => Object::string_literal("GB1"), "Supplement" => 4,
        },
    };
    let letters = document.add_object(letters);
    let font = dictionary! {
        "Type" => "Font", "Subtype" => "Type0", "BaseFont" => "STSong-Light",
        "Encoding" => "UniGB-UCS2-H", "DescendantFonts" => vec![letters.into()],
    };
    first(&mut document).set("Resources", dictionary! { "Font" => dictionary! { "F1" => font } });
    saved(document)
}

fn form(content: String, resources: Dictionary) -> Stream {
    let dictionary = dictionary! {
        "Type" => "XObject", "Subtype" => "Form", "Resources" => resources,
        "BBox" => vec![0.into(), 0.into(), 612.into(), 792.into()],
    };
    Stream::new(dictionary, content.into_bytes())
}

/// A picture in a PDF, as it stands: its width, height and colours are what is said of it.
pub(crate) fn picture_in_pdf(jpeg: Vec<u8>, width: i64, height: i64, colours: &str) -> Vec<u8> {
    let mut picture = dictionary! {
        "Type" => "XObject", "Subtype" => "Image", "Width" => width, "Height" => height,
        "BitsPerComponent" => 8, "ColorSpace" => colours, "Filter" => "DCTDecode",
    };
    if colours == "DeviceCMYK" {
        // Turned over, as their JPEG is.
        picture.set("Decode", [1, 0].repeat(4).into_iter().map(Object::from).collect::<Vec<_>>());
    }
    pdf(vec![(sheet(600, 600), "600 0 0 600 0 0 cm /X0 Do".into())], Some(Stream::new(picture, jpeg)))
}
