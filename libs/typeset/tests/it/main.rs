//! Papers are set the same each time, with every letter that is said to be covered, and reach nothing outside.

use docket_typeset::{Paper, Template, Typesetter, latin};
use proptest::prelude::*;

const LINE: Template<'_> = Template {
    name: "line",
    main: "#set document(title: \"Line\")\n#import \"look.typ\": look\n#look(json(bytes(sys.inputs.paper)))",
    imports: &[("look.typ", "#let look(text) = [= Heading\n #text]")],
    input: "paper",
};

fn paper(text: &str) -> Paper<'_> {
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    Paper {
        data: format!("\"{quoted}\""),
        id: "paper-1",
        at: "2026-03-02T15:00:00Z".parse().expect("an instant"),
    }
}

fn text(pdf: &[u8]) -> String {
    let document = lopdf::Document::load_mem(pdf).expect("a PDF");
    let pages: Vec<u32> = document.get_pages().keys().copied().collect();
    document.extract_text(&pages).expect("its text")
}

#[test]
fn the_same_paper_has_the_same_bytes_and_is_tagged() {
    let first = Typesetter::new(None).unwrap().set(LINE, paper("A plain line.")).unwrap();
    assert_eq!(first, Typesetter::new(None).unwrap().set(LINE, paper("A plain line.")).unwrap());
    assert!(text(&first).contains("A plain line."));
    assert!(lopdf::Document::load_mem(&first).unwrap().catalog().unwrap().has(b"StructTreeRoot"));
    assert_ne!(first, Typesetter::new(None).unwrap().set(LINE, paper("Another line.")).unwrap());
}

#[test]
fn data_is_never_read_as_markup() {
    let said = r#"*not bold* #panic("no") $x$ = no heading"#;
    let pdf = Typesetter::new(None).unwrap().set(LINE, paper(said)).unwrap();
    assert!(text(&pdf).contains("*not bold* #panic("), "{}", text(&pdf));
}

#[test]
fn a_template_reaches_no_file_and_faults_name_no_data() {
    let curious = Template { main: "#set document(title: \"x\")\n#read(\"/etc/hostname\")", ..LINE };
    let fault = Typesetter::new(None).unwrap().set(curious, paper("Ana Lima")).unwrap_err().to_string();
    assert!(fault.starts_with("the template line cannot be set:") && !fault.contains("Ana"), "{fault}");
}

#[test]
fn what_no_font_has_is_said_and_not_set_as_nothing() {
    let typesetter = Typesetter::new(None).unwrap();
    for uncovered in ["王小明", "김민준", "ชัยวัฒน์", "রহিম", "\u{e000}", "🙂"]
    {
        assert!(!typesetter.covers(uncovered), "{uncovered}");
        let fault = typesetter.set(LINE, paper(uncovered)).expect_err("it would vanish").to_string();
        assert!(!fault.contains(uncovered), "{fault}");
    }
}

#[test]
fn what_no_font_has_stands_as_its_number_among_what_stands_as_it_is() {
    let typesetter = Typesetter::new(None).unwrap();
    assert_eq!(typesetter.legible("王 (Wang), Ånn"), "[U+738B] (Wang), Ånn");
    assert_eq!(typesetter.legible("e\u{301}\nراهول"), "e\u{301}\nراهول");
    assert_eq!(latin("Zoë Šimić\n"), "Zoë [U+0160]imi[U+0107]\n");
}

/// As it is printed where the template says so, or without a word.
const WORDS: Template<'_> = Template {
    name: "words",
    main: "#set document(title: \"Words\")\n#let p = json(bytes(sys.inputs.paper))\n= Heading\n#p.words#if p.numbered [ (numbered)]",
    ..LINE
};

fn legibly(words: &str) -> String {
    let data = serde_json::json!({ "words": words, "items": [words] });
    let typesetter = Typesetter::new(None).expect("the embedded fonts");
    let pdf = typesetter.set_legibly(WORDS, &data, ("paper-1", paper("").at)).expect("a paper");
    text(&pdf).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn whatever_is_written_is_set_and_the_paper_says_whether_characters_stand_as_numbers() {
    assert_eq!(legibly("Zoë Šimić"), "Heading Zoë Šimić");
    assert_eq!(legibly("王 🙂"), "Heading [U+738B] [U+1F642] (numbered)");
    // As a word processor leaves it.
    assert_eq!(legibly("\u{f0b7}\tTwo letters\u{b}\r\n\u{f0a7} a lease"), "Heading • Two letters • a lease");
    for hidden in [
        "\0", "\u{1}", "\u{c}", "\u{7f}", "\u{85}", "\u{ad}", "\u{200b}", "\u{200e}", "\u{202e}", "\u{2028}",
        "\u{feff}", "\u{fffd}",
    ] {
        let said = legibly(&format!("before {hidden} after"));
        assert!(said.contains("before") && said.contains("after"), "{hidden:?}: {said}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is said to be covered can be set: letters of all scripts, with marks on them as people type them.
    #[test]
    fn what_is_covered_is_set(words in "([\\p{L}\\p{M}\\p{N}\\p{P}\\p{Sm}\\p{Zs}]|[a-zà-ž\u{300}-\u{36f}]){1,24}") {
        let typesetter = Typesetter::new(None).expect("the embedded fonts");
        let covered: String = words.split_inclusive(' ').filter(|word| typesetter.covers(word)).collect();
        prop_assert!(typesetter.set(LINE, paper(&covered)).is_ok(), "{covered:?}");
    }

    /// Whatever somebody writes is set, whether it is covered or not.
    #[test]
    fn anything_is_set_legibly(words in "(\\PC|[\\x00-\\x1f]|[\u{80}-\u{9f}\u{e000}-\u{f8ff}]){1,24}") {
        let typesetter = Typesetter::new(None).expect("the embedded fonts");
        let data = serde_json::json!({ "words": words });
        prop_assert!(typesetter.set_legibly(WORDS, &data, ("paper-1", paper("").at)).is_ok(), "{words:?}");
    }
}
