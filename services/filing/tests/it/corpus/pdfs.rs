//! PDFs: whole ones of several versions, cut ones, protected ones, those that do something, and traps for readers.

use std::collections::BTreeMap;
use std::sync::Arc;

use lopdf::encryption::crypt_filters::{Aes128CryptFilter, Aes256CryptFilter, CryptFilter};
use lopdf::{
    Dictionary, Document, EncryptionState, EncryptionVersion, Object, ObjectId, Permissions, SaveOptions,
    Stream, StringFormat, dictionary,
};

use super::Sample;
use crate::papers::saved;

const PDF: &[&str] = &["{\"taken\":\"pdf\"}"];
const ACTIVE: &[&str] = &["{\"refused\":\"pdf_active\"}"];
const PROTECTED: &[&str] = &["{\"refused\":\"pdf_protected\"}"];
const BROKEN: &[&str] = &["{\"refused\":\"pdf_broken\"}"];
const WITHOUT_PAGE: &[&str] = &["{\"refused\":\"pdf_without_page\"}"];
const TOO_MANY: &[&str] = &["{\"refused\":\"too_many_pages\"}"];
/// Refused one way or the other: whether a reader sees a broken file or none with pages is a matter of its patience.
const REFUSED: &[&str] = &["{\"refused\":\"pdf_broken\"}", "{\"refused\":\"pdf_without_page\"}", "died"];

/// A document with so many pages that each say something; gives its catalog.
pub(super) fn document(version: &str, pages: usize) -> (Document, ObjectId) {
    let mut document = Document::with_version(version);
    let tree = document.new_object_id();
    let font =
        document.add_object(dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Courier" });
    let kids: Vec<Object> = (1..=pages)
        .map(|number| {
            let text = format!("BT /F1 12 Tf 72 720 Td (page {number}) Tj ET");
            let content = document.add_object(Stream::new(Dictionary::new(), text.into_bytes()));
            let page = dictionary! {
                "Type" => "Page", "Parent" => tree, "Contents" => content,
                "MediaBox" => vec![0.into(), 0.into(), 612.into(), 792.into()],
                "Resources" => dictionary! { "Font" => dictionary! { "F1" => font } },
            };
            document.add_object(page).into()
        })
        .collect();
    let count = i64::try_from(pages).expect("few");
    document.objects.insert(tree, dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count }.into());
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    document.trailer.set("Root", catalog);
    (document, catalog)
}

/// With its objects packed into streams, as most programs write today (ISO 32000-2, 7.5.7).
fn packed(mut document: Document) -> Vec<u8> {
    let options = SaveOptions::builder().use_object_streams(true).use_xref_streams(true).build();
    let mut bytes = Vec::new();
    document.save_with_options(&mut bytes, options).expect("a document");
    bytes
}

/// A page of one document with something added to its catalog.
fn with(key: &str, value: impl Into<Object>) -> Document {
    let (mut document, catalog) = document("1.7", 1);
    let value = value.into();
    document.get_dictionary_mut(catalog).expect("the catalog").set(key, value);
    document
}

fn text(words: &str) -> Object {
    Object::String(words.as_bytes().to_vec(), StringFormat::Literal)
}

fn whole(samples: &mut Vec<Sample>) {
    for version in ["1.2", "1.4", "1.5", "1.7", "2.0"] {
        for pages in [1, 2, 40] {
            let name = format!("PDF {version} of {pages} pages");
            samples.push(Sample::new(&name, saved(document(version, pages).0), PDF));
            samples.push(Sample::new(format!("{name}, packed"), packed(document(version, pages).0), PDF));
        }
    }
    samples.push(Sample::new("PDF of 500 pages", saved(document("1.7", 500).0), PDF));
    samples.push(Sample::new("PDF of 501 pages", saved(document("1.7", 501).0), TOO_MANY));
    samples.push(Sample::new("PDF of 501 pages, packed", packed(document("1.7", 501).0), TOO_MANY));
    let link = dictionary! { "S" => "URI", "URI" => text("https://www.example.test/") };
    samples.push(Sample::new("PDF with a link", saved(with("Demo", link)), PDF));
    let fields = dictionary! { "Fields" => Vec::<Object>::new() };
    samples.push(Sample::new("PDF with a form without a program", saved(with("AcroForm", fields)), PDF));
    samples.push(Sample::new("PDF that opens on a page", saved(with("PageMode", "UseOutlines")), PDF));
    let words = with("Lang", text("JavaScript and Launch are words here"));
    samples.push(Sample::new("PDF that speaks of programs", saved(words), PDF));
}

fn active(samples: &mut Vec<Sample>) {
    let action = |kind: &str| dictionary! { "S" => kind };
    let mut deeds: Vec<(String, Object)> = [
        "JavaScript",
        "Launch",
        "SubmitForm",
        "ImportData",
        "GoToE",
        "GoToR",
        "Rendition",
        "RichMediaExecute",
    ]
    .into_iter()
    .map(|kind| (format!("an action {kind}"), action(kind).into()))
    .collect();
    deeds.push(("a program".to_owned(), dictionary! { "JS" => text("app.alert(1)") }.into()));
    deeds.push(("files inside".to_owned(), dictionary! { "EmbeddedFiles" => dictionary! {} }.into()));
    deeds.push(("a file beside".to_owned(), dictionary! { "EF" => dictionary! {} }.into()));
    deeds.push(("a form that is a program".to_owned(), dictionary! { "XFA" => text("<xdp/>") }.into()));
    for (name, deed) in deeds {
        samples.push(Sample::new(
            format!("PDF with {name}"),
            saved(with("OpenAction", deed.clone())),
            ACTIVE,
        ));
        samples.push(Sample::new(
            format!("PDF with {name}, packed"),
            packed(with("AA", deed.clone())),
            ACTIVE,
        ));
        let hidden = Object::Array(vec![Object::Array(vec![dictionary! { "Next" => deed }.into()])]);
        samples.push(Sample::new(format!("PDF with {name}, hidden"), saved(with("Names", hidden)), ACTIVE));
    }
    let mut carrying = with("Lang", text("en"));
    carrying.add_object(Stream::new(dictionary! { "Type" => "EmbeddedFile" }, b"MZ".to_vec()));
    samples.push(Sample::new("PDF with a file that nothing names", saved(carrying), ACTIVE));
    // Letters of a name may be written by their numbers (ISO 32000-2, 7.3.5).
    for (name, deed) in [
        ("a program, its action in numbers", "/OpenAction << /S /J#61vaScript >>"),
        ("a program, its key in numbers", "/OpenAction << /S /Named /#4a#53 (app.alert\\(1\\)) >>"),
        ("a call of a program, in numbers", "/OpenAction << /S /L#61unch /F (cmd.exe) >>"),
        (
            "a file on somebody's server",
            "/OpenAction << /S /GoToR /F (\\\\\\\\files.example.test\\\\a) /D [0 /Fit] >>",
        ),
        ("a file beside a page", "/Demo << /Type /Filespec /#45F << /F 3 0 R >> >>"),
    ] {
        let catalog = format!("<< /Type /Catalog /Pages 2 0 R {deed} >>");
        let pages = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned();
        let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>".to_owned();
        samples.push(Sample::new(format!("PDF with {name}"), by_hand(&[catalog, pages, page]), ACTIVE));
    }
}

fn protected(samples: &mut Vec<Sample>) {
    for (version, revision) in [(1, 2), (2, 3), (4, 4), (5, 6)] {
        let (mut document, _) = document("1.7", 1);
        let handler = dictionary! {
            "Filter" => "Standard", "V" => version, "R" => revision, "P" => -44, "Length" => 128,
            "O" => Object::String(vec![7; 32], StringFormat::Hexadecimal),
            "U" => Object::String(vec![9; 32], StringFormat::Hexadecimal),
        };
        let handler = document.add_object(handler);
        document.trailer.set("Encrypt", handler);
        samples.push(Sample::new(
            format!("PDF protected by {version}.{revision}"),
            saved(document),
            PROTECTED,
        ));
    }
}

/// Ways in which writers lock a document (ISO 32000-2, 7.6.4.1).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lock {
    Rc4,
    Aes128,
    Aes256,
}

/// A document that its owner alone may change; who opens it gives the word `opens`, which may be none.
pub(crate) fn locked(mut document: Document, lock: Lock, opens: &str) -> Vec<u8> {
    let id = Object::string_literal(b"0123456789abcdef".to_vec());
    document.trailer.set("ID", vec![id.clone(), id]);
    let filters = |filter: Arc<dyn CryptFilter>| BTreeMap::from([(b"StdCF".to_vec(), filter)]);
    let (owner_password, user_password, permissions) = ("the owner's", opens, Permissions::PRINTABLE);
    let (stream_filter, string_filter, encrypt_metadata) = (b"StdCF".to_vec(), b"StdCF".to_vec(), true);
    let state = EncryptionState::try_from(match lock {
        Lock::Rc4 => EncryptionVersion::V2 {
            document: &document,
            owner_password,
            user_password,
            key_length: 128,
            permissions,
        },
        Lock::Aes128 => EncryptionVersion::V4 {
            document: &document,
            encrypt_metadata,
            crypt_filters: filters(Arc::new(Aes128CryptFilter)),
            stream_filter,
            string_filter,
            owner_password,
            user_password,
            permissions,
        },
        Lock::Aes256 => EncryptionVersion::V5 {
            encrypt_metadata,
            crypt_filters: filters(Arc::new(Aes256CryptFilter)),
            file_encryption_key: &[7; 32],
            stream_filter,
            string_filter,
            owner_password,
            user_password,
            permissions,
        },
    })
    .expect("a way to lock it");
    document.encrypt(&state).expect("a document that can be locked");
    saved(document)
}

fn locked_by_owners(samples: &mut Vec<Sample>) {
    let deed = dictionary! { "S" => "JavaScript", "JS" => text("app.alert(1)") };
    for lock in [Lock::Rc4, Lock::Aes128, Lock::Aes256] {
        let with_it = |what: &str| format!("PDF locked by {lock:?}, {what}");
        samples.push(Sample::new(with_it("opens"), locked(document("1.7", 3).0, lock, ""), PDF));
        samples.push(Sample::new(with_it("asks"), locked(document("1.7", 3).0, lock, "secret"), PROTECTED));
        let active = with("OpenAction", deed.clone());
        samples.push(Sample::new(with_it("with a program"), locked(active, lock, ""), ACTIVE));
    }
}

fn cut(samples: &mut Vec<Sample>) {
    let bytes = packed(document("1.7", 20).0);
    for eighths in 1..8 {
        let part = bytes[..bytes.len() * eighths / 8].to_vec();
        samples.push(Sample::new(format!("PDF, packed, {eighths}/8 of it"), part, REFUSED));
    }
    samples.push(Sample::new("PDF without a page", saved(document("1.7", 0).0), WITHOUT_PAGE));
    samples.push(Sample::new("only the beginning of a PDF", b"%PDF-1.7\n".to_vec(), BROKEN));
    samples.push(Sample::new("a PDF of words", b"%PDF-1.7\nnot one object".to_vec(), BROKEN));
}

/// A file written by hand, with a table of its objects.
pub(super) fn by_hand(objects: &[String]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(bytes.len());
        bytes.extend_from_slice(format!("{} 0 obj\n{object}\nendobj\n", number + 1).as_bytes());
    }
    let table = bytes.len();
    bytes.extend_from_slice(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).as_bytes());
    for place in places {
        bytes.extend_from_slice(format!("{place:010} 00000 n \n").as_bytes());
    }
    let trailer =
        format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1);
    bytes.extend_from_slice(trailer.as_bytes());
    bytes
}

fn traps(samples: &mut Vec<Sample>) {
    let catalog = "<< /Type /Catalog /Pages 2 0 R >>".to_owned();
    let pages = |kids: &str| format!("<< /Type /Pages /Kids [{kids}] /Count 1 >>");
    let itself = by_hand(&[catalog.clone(), pages("2 0 R")]);
    samples.push(Sample::new("PDF whose tree of pages is its own branch", itself, REFUSED));
    let nowhere = by_hand(&[catalog.clone(), pages("9 0 R")]);
    samples.push(Sample::new("PDF whose page is not there", nowhere, REFUSED));
    let circle = by_hand(&[catalog.clone(), "2 0 R".to_owned()]);
    samples.push(Sample::new("PDF whose pages refer to themselves", circle, REFUSED));
    for depth in [2_000, 1_000_000] {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let bytes = by_hand(&[catalog.clone(), pages("3 0 R"), nested]);
        samples.push(Sample::new(format!("PDF with {depth} arrays in each other"), bytes, REFUSED));
    }
    let mut before = saved(document("1.7", 1).0);
    before
        .extend_from_slice(b"\ntrailer\n<< /Size 9 /Root 1 0 R /Prev 0 >>\nstartxref\n99999999999\n%%EOF\n");
    samples.push(Sample::new("PDF whose table is far outside", before, REFUSED));
    samples.push(Sample::new("PDF that unpacks to a gigabyte", bomb(), &["{\"refused\":\"unbearable\"}"]));
}

/// A stream that unpacks to a gigabyte of blanks.
fn bomb() -> Vec<u8> {
    let (mut document, _) = document("1.7", 1);
    document.add_object(Stream::new(dictionary! { "Filter" => "FlateDecode" }, blanks(1 << 30)));
    saved(document)
}

/// So many blanks, packed (RFC 1951, 3.2.6): one, and then ever again "258 times what stands one before".
fn blanks(count: usize) -> Vec<u8> {
    let mut bits: Vec<bool> = Vec::new();
    let mut push = |code: u32, length: u32| bits.extend((0..length).rev().map(|bit| code >> bit & 1 == 1));
    // The last block, with the codes that are fixed: least bit first.
    push(0b110, 3);
    push(0x30 + u32::from(b' '), 8);
    for _ in 0..count / 258 {
        push(0b1100_0101, 8);
        push(0, 5);
    }
    push(0, 7);
    let packed = bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |sum, bit| sum << 1 | u8::from(*bit)));
    let mut bytes: Vec<u8> = [0x78, 0x9c].into_iter().chain(packed).collect();
    bytes.extend_from_slice(&[0; 4]);
    bytes
}

pub(super) fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    whole(&mut samples);
    active(&mut samples);
    protected(&mut samples);
    locked_by_owners(&mut samples);
    cut(&mut samples);
    traps(&mut samples);
    samples
}
