//! A whole family in every script, an answer of 5,000 characters and 99 children: every letter is in the copy, readable by
//! machines, tagged, fit for an archive, and where the index says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use docket_testkit::chance::short_or_long;
use lopdf::{Dictionary, Document, Object};
use serde_json::json;

use super::tests::{copy, row};
use super::*;

/// How a script is printed with the embedded fonts alone, and how its text comes out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// Letter by letter, as it was typed.
    AsTyped,
    /// From the right: the letters come out as they stand on the line, from the left.
    FromTheRight,
    /// As it was typed, but a letter whose mark is raised comes out with its mark and then once more: the typesetter parts
    /// the two, and each says which letter both are.
    Repeated,
    /// No embedded font has it: each character as its number.
    ByNumber,
}

use self::Reads::{AsTyped, ByNumber, FromTheRight, Repeated};

/// Scripts, and syllables of which names are made.
const SCRIPTS: [(&str, Reads, [&str; 6]); 36] = [
    ("Latin", AsTyped, ["Zo\u{eb}", "\u{141}u", "\u{f1}a", "\u{1ed}3", "\u{11f}\u{131}", "\u{df}o"]),
    ("Greek", AsTyped, ["Γι", "ώρ", "γο", "ς", "Ελ", "ένη"]),
    ("Cyrillic", AsTyped, ["Ол", "ена", "Шев", "чен", "ко", "їж"]),
    ("Armenian", AsTyped, ["Ար", "ամ", "Հա", "կոբ", "յան", "Նա"]),
    ("Georgian", AsTyped, ["გი", "ორ", "და", "ნი", "ნო", "ძე"]),
    ("Hebrew", FromTheRight, ["שר", "ה", "לו", "י", "מש", "כה"]),
    ("Arabic", FromTheRight, ["مح", "مد", "عل", "ي", "فا", "طم"]),
    ("Devanagari", AsTyped, ["रा", "हु", "ल", "शर्", "मा", "नी"]),
    ("Bengali", ByNumber, ["র", "হি", "ম", "বা", "নু", "আ"]),
    ("Gurmukhi", ByNumber, ["ਗੁ", "ਰ", "ਪ੍ਰੀ", "ਤ", "ਸਿੰ", "ਘ"]),
    ("Gujarati", ByNumber, ["પ", "ટે", "લ", "ની", "તા", "ર"]),
    ("Oriya", ByNumber, ["ସୁ", "ମି", "ତ୍ର", "ଦା", "ସ", "ର"]),
    ("Tamil", ByNumber, ["மு", "ரு", "க", "ன்", "லட்", "சு"]),
    ("Telugu", ByNumber, ["రా", "వు", "ల", "క్ష్", "మి", "సీ"]),
    ("Kannada", ByNumber, ["ಗೌ", "ಡ", "ರಾ", "ಜ", "ಮ", "ಣಿ"]),
    ("Malayalam", ByNumber, ["നാ", "യ", "ർ", "ലീ", "ല", "മ"]),
    ("Sinhala", ByNumber, ["සි", "ල්", "වා", "ප", "ෙ", "රේ"]),
    ("Thai", ByNumber, ["ชัย", "วัฒ", "น์", "สม", "ศรี", "ดา"]),
    ("Lao", Repeated, ["ບຸນ", "ມີ", "ຄຳ", "ສີ", "ດາ", "ລາ"]),
    ("Tibetan", ByNumber, ["བསྟན", "འཛིན", "རྒྱ", "མཚོ", "པ", "ས"]),
    ("Myanmar", ByNumber, ["အောင်", "မင်း", "စု", "ကြည်", "သန်း", "ရွှေ"]),
    ("Khmer", ByNumber, ["សុ", "ខា", "ហ៊ុន", "សែន", "រី", "ម"]),
    ("Ethiopic", ByNumber, ["አበ", "በ", "ሃይ", "ሉ", "ገብ", "ረ"]),
    ("Cherokee", AsTyped, ["ᏎᏉ", "Ᏹ", "ᎠᏂ", "ᏣᎳ", "Ꭹ", "Ꮣ"]),
    ("Han", ByNumber, ["王", "小", "明", "李", "秀", "英"]),
    ("Hiragana", ByNumber, ["さ", "く", "ら", "は", "な", "こ"]),
    ("Katakana", ByNumber, ["サ", "ク", "ラ", "ハ", "ナ", "コ"]),
    ("Hangul", ByNumber, ["김", "민", "준", "이", "서", "연"]),
    ("Bopomofo", ByNumber, ["ㄨ", "ㄤ", "ㄒ", "ㄧ", "ㄠ", "ㄇ"]),
    ("Syriac", ByNumber, ["ܡܪ", "ܝܡ", "ܐܦ", "ܪܝ", "ܫܡ", "ܥܘ"]),
    ("Thaana", ByNumber, ["އަ", "ހު", "މަ", "ދު", "ނާ", "ސި"]),
    ("Nko", ByNumber, ["ߞߊ", "ߙߌ", "ߡߎ", "ߛߊ", "ߓߊ", "ߟߊ"]),
    ("Mongolian", ByNumber, ["ᠮᠣᠩ", "ᠭᠣᠯ", "ᠪᠠ", "ᠲᠤ", "ᠰᠠ", "ᠷᠠ"]),
    ("Tifinagh", ByNumber, ["ⴰⵎ", "ⴰⵣ", "ⵉⵖ", "ⵔⵉ", "ⵙ", "ⵜ"]),
    ("Canadian Aboriginal", ByNumber, ["ᐃᓄ", "ᒃᑎ", "ᑐᑦ", "ᓴ", "ᓇ", "ᒥ"]),
    ("Cham", ByNumber, ["ꨌ", "ꩌ", "ꨚ", "ꨯ", "ꨅ", "ꨠ"]),
];

/// So many names, each once, in turn from every script.
fn names(count: usize) -> Vec<(Reads, String)> {
    let mut names = Vec::with_capacity(count);
    for n in 0..count {
        let (_, printed, syllables) = SCRIPTS[n % SCRIPTS.len()];
        let mut digits = n / SCRIPTS.len();
        let mut name = String::new();
        for place in 0..4 {
            name.push_str(syllables[(digits + place) % 6]);
            digits /= 6;
            if place == 1 {
                name.push(' ');
            }
        }
        names.push((printed, name));
    }
    let unlike: BTreeSet<_> = names.iter().map(|(_, name)| name).collect();
    assert_eq!(unlike.len(), count, "each name stands once");
    names
}

/// Words and line ends of the answer that is too long for a row.
fn long_answer() -> String {
    let mut answer = String::new();
    for n in 1.. {
        let _ = writeln!(answer, "{n}. Зимой {} года архив сгорел; I asked again.", 1900 + n);
        if answer.chars().count() >= 5_000 {
            break;
        }
    }
    answer.chars().take(5_000).collect::<String>().trim_end().to_owned()
}

fn list(label: &str, items: Vec<Vec<Row>>) -> Row {
    Row { label: label.into(), kind: Type::Repeating, value: None, said: Vec::new(), items: Some(items) }
}

fn child(n: usize) -> Vec<Row> {
    vec![
        row("Given name", Type::NamePart, json!(format!("Child{n}"))),
        row(
            "Date of birth",
            Type::Date,
            json!(format!("{}-{:02}-{:02}", 1990 + n % 30, 1 + n % 12, 1 + n % 28)),
        ),
        row("Country of birth", Type::Country, json!(["PE", "TH", "UA"][n % 3])),
        row("Applying with you", Type::YesNo, json!(n.is_multiple_of(2))),
    ]
}

fn whole(names: &[(Reads, String)]) -> Copy {
    let name = |(_, name): &(Reads, String)| vec![row("Name", Type::NamePart, json!(name))];
    let section = |title: &str, rows| Section { title: title.into(), rows };
    let sections = vec![
        section("Names", vec![list("Everybody", names.iter().map(name).collect())]),
        section("Children", vec![list("Each child", (1..=99).map(child).collect())]),
        section(
            "More",
            vec![
                row("What happened", Type::LongText, json!(long_answer())),
                row("What else", Type::LongText, json!("Once more. ".repeat(60).trim_end())),
            ],
        ),
    ];
    let small = copy("Lima", "Short.");
    let sheet = Sheet { sections, evidence: Vec::new(), lacking: Vec::new(), ..small.sheet };
    Copy { sheet, signatures: Vec::new(), salts: Vec::new(), ..small }
}

/// What a marked part of a page is for whoever reads it without seeing it.
enum Mark {
    /// Ornament, leaders, what is repeated on every page: passed over.
    Artifact,
    /// Its text stands beside it, in place of its shapes.
    Says(String),
    /// A part of the paper.
    Part,
}

impl Mark {
    fn of(operands: &[Object]) -> Self {
        let actual =
            operands.get(1).and_then(|properties| properties.as_dict().ok()?.get(b"ActualText").ok());
        match (operands.first().and_then(|tag| tag.as_name().ok()), actual) {
            (Some(b"Artifact"), _) => Self::Artifact,
            (_, Some(text)) => Self::Says(lopdf::decode_text_string(text).unwrap()),
            (_, None) => Self::Part,
        }
    }
}

/// Words on one line of a page, and where they stand in points from the top left corner.
struct Line {
    left: f32,
    down: f32,
    size: f32,
    text: String,
}

/// The lines of a page as PDF/UA has readers take them: what is marked as the text in place of shapes, else the letters of the
/// shapes.
fn lines(document: &Document, page: lopdf::ObjectId) -> Vec<Line> {
    let fonts = document.get_page_fonts(page).unwrap();
    let encodings: BTreeMap<_, _> =
        fonts.iter().map(|(name, font)| (name, font.get_font_encoding(document).unwrap())).collect();
    let start = Line { left: 0.0, down: 0.0, size: 0.0, text: String::new() };
    let (mut lines, mut marks, mut encoding) = (vec![start], Vec::new(), None);
    for operation in document.get_and_decode_page_content(page).unwrap().operations {
        let operands = &operation.operands;
        let number = |place: usize| operands[place].as_float().unwrap();
        let line = lines.last_mut().unwrap();
        match operation.operator.as_str() {
            "BDC" | "BMC" => {
                let mark = Mark::of(operands);
                if let Mark::Says(words) = &mark {
                    line.text.push_str(words);
                }
                marks.push(mark);
            }
            "EMC" => drop(marks.pop()),
            "cm" if (number(5) - line.down).abs() > 0.1 => {
                lines.push(Line { left: number(4), down: number(5), size: 0.0, text: String::new() });
            }
            "Tf" => {
                encoding = encodings.get(&operands[0].as_name().unwrap().to_vec());
                line.size = line.size.max(number(1));
            }
            "Tj" | "TJ" if marks.iter().all(|mark| matches!(mark, Mark::Part)) => {
                shapes(&mut line.text, encoding.unwrap(), operands);
            }
            _ => {}
        }
    }
    lines
}

fn shapes(text: &mut String, encoding: &lopdf::Encoding<'_>, operands: &[Object]) {
    for operand in operands {
        if let Object::String(bytes, _) = operand {
            text.push_str(&Document::decode_text(encoding, bytes).unwrap());
        } else if let Object::Array(parts) = operand {
            shapes(text, encoding, parts);
        }
    }
}

/// The text of each page, words parted by single blanks.
fn pages(document: &Document) -> Vec<String> {
    let page = |page: &lopdf::ObjectId| {
        let lines: Vec<_> = lines(document, *page).into_iter().map(|line| line.text).collect();
        let text = lines.join("\n").replace(['\u{200b}', '\u{2060}'], "");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    document.get_pages().values().map(page).collect()
}

/// A line that stands from the right, read from there.
fn from_the_left(said: &str) -> String {
    said.chars().rev().collect()
}

/// Whether every letter is there, in this order, whatever stands between.
fn is_among(name: &str, said: &str) -> bool {
    let mut letters = said.chars();
    name.chars().all(|letter| letters.any(|one| one == letter))
}

fn by_number(name: &str) -> String {
    let number = |letter: char| {
        if letter == ' ' { " ".to_owned() } else { format!("[U+{:04X}]", u32::from(letter)) }
    };
    name.chars().map(number).collect()
}

#[test]
fn five_hundred_names_in_every_script_ninety_nine_children_and_a_long_answer_are_whole() {
    let names = names(short_or_long(2 * SCRIPTS.len(), 500));
    assert!(SCRIPTS.len() >= 30);
    let pdf = set(&Typesetter::new(None).unwrap(), &whole(&names)).unwrap();
    if let Ok(folder) = std::env::var("DOCKET_COPIES_TO") {
        std::fs::write(format!("{folder}/copy-whole.pdf"), &pdf).unwrap();
    }
    let document = Document::load_mem(&pdf).unwrap();
    let pages = pages(&document);
    // The number of an item may stand a little higher than its words.
    let text = pages.join(" ").replace(". Name:", ".Name:").replace(". Given name:", ".Given name:");

    // Each name, between its number and the next.
    let mut rest = text.split_once("Everybody").expect("the list of names").1;
    for (n, (printed, name)) in names.iter().enumerate() {
        let (_, from) =
            rest.split_once(&format!("{}.Name:", n + 1)).unwrap_or_else(|| panic!("{}: {rest:.300}", n + 1));
        let ends = [format!("{}.Name:", n + 2), "Children".to_owned()];
        let end = ends.iter().filter_map(|end| from.find(end)).min().unwrap();
        let said = from[..end].trim();
        match printed {
            AsTyped => assert_eq!(said, name, "{n}"),
            FromTheRight => assert_eq!(from_the_left(said), *name, "{n}"),
            Repeated => assert!(is_among(name, said), "{n}: {said} for {name}"),
            // A number may be broken over lines.
            ByNumber => assert_eq!(said.replace(' ', ""), by_number(name).replace(' ', ""), "{n}: {name}"),
        }
        rest = from;
    }
    for n in 1..=99 {
        let parts = child(n);
        let parts = parts.iter().map(|part| format!("{}: {}", part.label, spoken::row(part)));
        let said = format!("{n}.{}", parts.collect::<Vec<_>>().join(" "));
        assert!(text.contains(&said), "{said}");
    }
    let long = long_answer();
    assert!(long.chars().count() > 4_990);
    let words: Vec<_> = long.split_whitespace().collect();
    let words = words.join(" ");
    assert!(text.contains(&words), "the long answer is whole");

    index_leads_to_the_addenda(&document, &pages);
    fit_for_an_archive(&document);
    tagged(&document, names.len());
}

/// The contents name the page of each addendum, and there it stands; the row of the answer leads there.
fn index_leads_to_the_addenda(document: &Document, pages: &[String]) {
    for (number, label) in [(1, "What happened"), (2, "What else")] {
        let head = format!("Addendum {number} More · {label}");
        let place =
            pages.iter().position(|page| page.contains(&head)).unwrap_or_else(|| panic!("{head}")) + 1;
        let entry = pages.iter().find_map(|page| page.split_once("Contents")).expect("contents").1;
        let after = entry.split_once(&format!("Addendum {number}")).expect("its entry").1;
        let said: String =
            after.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        assert_eq!(said, place.to_string(), "page of addendum {number} in {entry:.400}");
        let row = format!("{label}SeeAddendum{number}.").replace(' ', "");
        assert!(pages.iter().any(|page| page.replace(' ', "").contains(&row)), "{label}");
    }
    let links = document
        .get_pages()
        .values()
        .filter_map(|page| document.get_page_annotations(*page).ok())
        .flatten()
        .count();
    assert!(links >= 4, "{links} links");
}

/// PDF/A-2a and PDF/UA-1, as the metadata say it and as readers find it.
fn fit_for_an_archive(document: &Document) {
    let catalogue = document.catalog().unwrap();
    let metadata = catalogue.get(b"Metadata").and_then(Object::as_reference).unwrap();
    let stream = document.get_object(metadata).and_then(Object::as_stream).unwrap();
    let xmp = String::from_utf8(stream.get_plain_content().unwrap()).unwrap();
    for mark in [
        "<pdfaid:part>2</pdfaid:part>",
        "<pdfaid:conformance>A</pdfaid:conformance>",
        "<pdfuaid:part>1</pdfuaid:part>",
    ] {
        assert!(xmp.contains(mark), "{mark} in {xmp}");
    }
    let part = |name: &[u8]| document.dereference(catalogue.get(name).unwrap()).unwrap().1.clone();
    assert!(part(b"MarkInfo").as_dict().unwrap().get(b"Marked").and_then(Object::as_bool).unwrap());
    assert!(part(b"Lang").as_str().unwrap().starts_with(b"en"));
    assert!(!part(b"OutputIntents").as_array().unwrap().is_empty());
    // An archive reads without what lies elsewhere: every font is in the file, and says which letters its shapes are.
    let mut fonts = 0;
    for object in document.objects.values().filter_map(|object| object.as_dict().ok()) {
        match object.get(b"Type").and_then(Object::as_name) {
            Ok(b"FontDescriptor") => {
                fonts += 1;
                let embedded = [&b"FontFile2"[..], b"FontFile3"].iter().any(|file| object.has(file));
                assert!(embedded, "{object:?}");
            }
            Ok(b"Font") if object.has(b"DescendantFonts") => assert!(object.has(b"ToUnicode"), "{object:?}"),
            Ok(_) | Err(_) => {}
        }
    }
    assert!(fonts >= 3, "{fonts} fonts");
}

/// Headings, tables and their cells are marked for readers that cannot see the page.
fn tagged(document: &Document, items: usize) {
    let catalogue = document.catalog().unwrap();
    assert!(catalogue.has(b"StructTreeRoot"));
    let element = |object: &Dictionary| Some(object.get(b"S").and_then(Object::as_name).ok()?.to_vec());
    let marked = document.objects.values().filter_map(|object| object.as_dict().ok());
    let mut kinds = BTreeMap::<String, usize>::new();
    for kind in marked.filter(|object| object.has(b"P") && object.has(b"S")).filter_map(element) {
        *kinds.entry(String::from_utf8_lossy(&kind).into_owned()).or_default() += 1;
    }
    let count = |kind: &str| kinds.get(kind).copied().unwrap_or_default();
    for kind in ["Document", "H1", "H2", "Table", "TR", "TH", "TD", "Link", "TOC"] {
        assert!(count(kind) > 0, "{kind} is marked: {kinds:?}");
    }
    assert!(count("TD") >= 8, "{kinds:?}");
    assert!(count("P") + count("Div") + count("Span") >= items, "{kinds:?}");
}

/// Where every line of a small copy stands, line by line: a change of the template, a font or the typesetter shows here first.
#[test]
fn the_layout_of_a_copy_is_as_it_was_looked_at() {
    let pdf = set(&Typesetter::new(None).unwrap(), &copy("Лима राहुल 王", "Short.")).unwrap();
    let document = Document::load_mem(&pdf).unwrap();
    let mut layout = String::new();
    for (number, page) in document.get_pages() {
        for Line { left, down, size, text } in lines(&document, page) {
            let text = text.replace(['\u{200b}', '\u{2060}'], "");
            if !text.trim().is_empty() {
                let _ = writeln!(layout, "{number} {left:.0} {down:.0} {size}: {}", text.trim());
            }
        }
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/layout/copy.txt");
    if std::env::var_os("DOCKET_UPDATE_GOLDENS").is_some() {
        std::fs::create_dir_all(golden.parent().unwrap()).unwrap();
        std::fs::write(&golden, &layout).unwrap();
    }
    assert_eq!(
        layout,
        std::fs::read_to_string(&golden).unwrap_or_default(),
        "look at it, then DOCKET_UPDATE_GOLDENS=1"
    );
}

/// The table above is honest: what it says of the embedded fonts is so.
#[test]
fn the_embedded_fonts_have_the_scripts_that_are_said() {
    let typesetter = Typesetter::new(None).unwrap();
    let mut wrong = Vec::new();
    for (script, printed, syllables) in SCRIPTS {
        let covered = syllables.iter().filter(|syllable| typesetter.covers(syllable)).count();
        let expected = if printed == ByNumber { 0 } else { syllables.len() };
        if covered != expected {
            wrong.push(format!("{script}: {covered} of {} are covered", syllables.len()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
