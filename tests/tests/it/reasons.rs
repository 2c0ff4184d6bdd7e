//! The page of reasons: every reason that the sources refuse with, what it says, and which rpcs name it in the contract.
use crate::reference::{OWNERS, fits};
use crate::rust_source::{Token, tokens};
use crate::system::root;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Words in capitals that are no reasons.
const NOT_REASONS: [&str; 8] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "CARGO_PKG_VERSION",
    "DOCKET_CONFIG",
    "DOCKET_IMPORT_DATABASE",
    "MIMALLOC_ARENA_RESERVE",
    "SCREAMING_SNAKE_CASE",
];

/// What is said where it is put together elsewhere.
const WORDS: [(&str, &str); 9] = [
    ("FILE_BROKEN", "The file is empty, or cannot be read to its end."),
    ("FIELDS_INVALID", "Each wrong field stands in `BadRequest` with a reason of its own."),
    ("NOT_BUILT", "The rows beside those in use are not built."),
    ("NOTHING_KEPT", "No rows are kept beside those in use."),
    ("NOT_FIRST_PARKED", "Only the first parked event of a stream can be given up."),
    ("REASON_IS_NO_CODE", "A reason here is a code, not free text."),
    ("STALE", "Somebody changed this in the meantime. Look again."),
    ("INSPECTOR_UNAVAILABLE", "The file could not be read just now, so it was not kept."),
    ("SCANNER_UNAVAILABLE", "The file could not be scanned for viruses just now, so it was not kept."),
];

/// Where reasons of the libraries belong.
const ANY: &str = "any service";
const VALUES: &str = "values that people type";

/// A reason in one part of the system, with its code.
type Key = (String, &'static str);

/// The reasons of one part.
type Reasons = BTreeMap<Key, Said>;

/// What is said with it.
#[derive(Debug, Default)]
struct Said {
    words: BTreeSet<String>,
    ways_out: BTreeSet<String>,
}

#[test]
fn the_page_of_reasons_fits_the_sources() {
    let mut stray = BTreeSet::new();
    let parts: Vec<(&str, Reasons)> =
        parts().into_iter().map(|(part, folders)| (part, reasons(part, &folders, &mut stray))).collect();
    let all: BTreeSet<&str> =
        parts.iter().flat_map(|(_, reasons)| reasons.keys()).map(|(reason, _)| reason.as_str()).collect();
    assert!(all.len() > 180, "the sources were read: {all:?}");
    stray.retain(|word| !NOT_REASONS.contains(&word.as_str()) && !all.contains(word.as_str()));
    assert!(stray.is_empty(), "reasons or not? give them by a call that `Call::code` knows: {stray:?}");

    let named = named_in_the_contract();
    let unknown: Vec<&String> = named.keys().filter(|reason| !all.contains(reason.as_str())).collect();
    assert!(unknown.is_empty(), "the contract names reasons that no source gives: {unknown:?}");

    let mut page = String::from(
        "# Reasons\n\nMade from the services' sources and `proto/` by `tests/tests/it/reasons.rs`.\n\
         A reason stands in `google.rpc.ErrorInfo.reason`, with the domain `<service>.docket`; a reason of a field stands before its words in\n\
         `google.rpc.BadRequest.field_violations.description`, as `REASON: words`. Programs decide by reasons, never by words, which may change.\n\
         *rpcs* names the methods whose contract mentions the reason; others may give it too. `…` stands for a value.\n\
         How to read an error: [integrators.md](integrators.md).\n",
    );
    for (part, reasons) in &parts {
        let heading = "| reason | code | what it says | way out | rpcs |\n| --- | --- | --- | --- | --- |";
        let _ = writeln!(page, "\n## {part}\n\n{heading}");
        for (key, said) in reasons {
            let here = |owner: &str| homes(&parts, owner, &key.0).contains(part);
            let rpcs = named.get(&key.0).into_iter().flatten().filter(|(owner, _)| here(owner));
            let rpcs: Vec<String> = rpcs.map(|(_, rpc)| format!("`{rpc}`")).collect();
            page.push_str(&row(key, said, &rpcs.join(", ")));
        }
    }
    fits("docs/reference/reasons.md", &page);

    let guide = std::fs::read_to_string(root().join("docs/reference/integrators.md")).unwrap();
    let words = guide.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let unknown: Vec<&str> = words.filter(|word| named_in_a_guide(word) && !all.contains(word)).collect();
    assert!(unknown.is_empty(), "integrators.md names reasons that no source gives: {unknown:?}");
}

/// What a service refuses with can be read in Spanish (`libs/service/src/words.rs`), and no row outlives its text.
#[test]
fn every_refusal_is_said_in_spanish() {
    let rows = std::fs::read_to_string(root().join("libs/service/texts/es.toml")).unwrap();
    let rows: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(&rows).unwrap();
    let rows: BTreeSet<String> = rows.into_values().flat_map(BTreeMap::into_keys).collect();
    let (mut stray, mut said, mut written) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (part, folders) in parts() {
        let reasons = reasons(part, &folders, &mut stray);
        said.extend(reasons.into_values().flat_map(|said| said.words.into_iter().chain(said.ways_out)));
        for file in folders.iter().flat_map(|folder| sources(folder)) {
            let source = tokens(&std::fs::read_to_string(file).unwrap());
            written.extend(source.iter().filter_map(Token::text).map(without_values));
        }
    }
    let put_together = WORDS.map(|(_, words)| words.to_owned());
    said.retain(|text| !put_together.contains(text));
    let missing: Vec<&String> = said.difference(&rows).collect();
    assert!(missing.is_empty(), "say in libs/service/texts/es.toml: {missing:#?}");
    // What is put together stands in pieces there.
    let is_written = |piece: &str| {
        let piece = piece.trim_matches(|c: char| !c.is_alphanumeric());
        written.iter().any(|text| text.contains(piece))
    };
    let stale: Vec<&String> = rows.iter().filter(|row| !row.split('…').all(is_written)).collect();
    assert!(stale.is_empty(), "no source says this any more: {stale:#?}");
}

/// Whether a word of a guide is to be a reason: neither a gRPC code nor a value of the contract.
fn named_in_a_guide(word: &str) -> bool {
    const CODES: [&str; 6] = [
        "ALREADY_EXISTS",
        "DEADLINE_EXCEEDED",
        "FAILED_PRECONDITION",
        "INVALID_ARGUMENT",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
    ];
    let value = word.starts_with("OUTCOME_") || word.starts_with("FACE_");
    looks_like_a_reason(word) && is_reason_in_prose(word) && !value && !CODES.contains(&word)
}

/// Where the page shows that an rpc of `owner` names a reason: with the owner's own one, else with a common one.
fn homes<'a>(parts: &[(&'a str, Reasons)], owner: &str, reason: &str) -> Vec<&'a str> {
    let giving = parts.iter().filter(|(_, own)| own.keys().any(|(known, _)| known == reason));
    let giving: Vec<&str> = giving.map(|(part, _)| *part).collect();
    let first = [owner, ANY, VALUES].into_iter().find_map(|home| giving.iter().find(|part| **part == home));
    first.map_or(giving.clone(), |home| vec![*home])
}

fn row((reason, code): &Key, said: &Said, rpcs: &str) -> String {
    assert!(!said.words.is_empty(), "the words of {reason} are not found: put them into WORDS");
    let (words, ways_out) = (cell(&said.words), cell(&said.ways_out));
    format!("| `{reason}` | `{code}` | {words} | {ways_out} | {rpcs} |\n")
}

/// The parts of the page and the folders whose sources belong to them.
fn parts() -> Vec<(&'static str, Vec<PathBuf>)> {
    let folder = |name: String| root().join(name);
    let mut parts =
        vec![(ANY, vec![folder("libs/service/src".into()), folder("libs/kernel/src/refusal.rs".into())])];
    parts.extend(
        OWNERS.iter().map(|(service, _)| (*service, vec![folder(format!("services/{service}/src"))])),
    );
    let libraries = ["kernel", "forms", "vault", "eventlog", "messaging"];
    parts.push((VALUES, libraries.iter().map(|name| folder(format!("libs/{name}/src"))).collect()));
    parts
}

/// Every reason of some sources. What looks like one and is given in no way that is known here goes to `stray`.
fn reasons(part: &str, folders: &[PathBuf], stray: &mut BTreeSet<String>) -> Reasons {
    let mut found = Reasons::new();
    for file in folders.iter().flat_map(|folder| sources(folder)) {
        if part == VALUES && file.ends_with("refusal.rs") {
            continue;
        }
        read(&std::fs::read_to_string(&file).unwrap(), &mut found, stray);
    }
    found
}

/// The reasons of one source.
fn read(source: &str, found: &mut Reasons, stray: &mut BTreeSet<String>) {
    let tokens = tokens(source);
    for (at, token) in tokens.iter().enumerate() {
        let Some(reason) = token.text().filter(|text| looks_like_a_reason(text)) else { continue };
        match Call::around(&tokens, at).and_then(|call| Some((call.code(&tokens)?, call))) {
            Some((code, call)) => {
                let said = found.entry((reason.to_owned(), code)).or_default();
                said.words.extend(call.words(&tokens, at));
                said.ways_out.extend(call.way_out(&tokens));
            }
            None if reason.contains('_') => drop(stray.insert(reason.to_owned())),
            None => {}
        }
    }
}

fn looks_like_a_reason(text: &str) -> bool {
    let capitals = |word: &str| word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.len() > 3
        && text.split('_').all(|word| !word.is_empty() && capitals(word))
}

/// A call: where its name stands, and its parentheses.
struct Call<'a> {
    name: &'a str,
    open: usize,
    close: usize,
}

impl<'a> Call<'a> {
    /// The innermost call among whose arguments a token stands.
    fn around(tokens: &'a [Token], at: usize) -> Option<Self> {
        let mut depth = 0;
        let open = (0..at).rev().find(|place| {
            depth += tokens[*place].nesting();
            depth == 1
        })?;
        if tokens[open] != Token::Mark('(') {
            return None;
        }
        let name = tokens[open.checked_sub(1)?].word()?;
        Some(Self { name, open, close: closing(tokens, open) })
    }

    /// The gRPC code that such a call leads to (`libs/service/src/status.rs`).
    fn code(&self, tokens: &[Token]) -> Option<&'static str> {
        Some(match self.name {
            // `require`: services/case-status/src/status/rebuild.rs
            "state" | "require" => "FAILED_PRECONDITION",
            "exists" => "ALREADY_EXISTS",
            "meanwhile" => "ABORTED",
            "too_much" => "RESOURCE_EXHAUSTED",
            "not_yours" => "PERMISSION_DENIED",
            // `reasoned`: services/case-status/src/domain/decide/decision.rs
            "invalid" | "fault" | "bad" | "reasoned" => "INVALID_ARGUMENT",
            "new" if self.open > 3 && tokens[self.open - 4].is("FieldFault") => "INVALID_ARGUMENT",
            "new" | "with_reason" => code_named(&tokens[self.open..self.close])?,
            "set_error_info" => code_named(&tokens[self.close..])?,
            _ => return None,
        })
    }

    /// What is said with the reason at `at`: the next argument, or the one before where the reason comes last.
    fn words(&self, tokens: &[Token], at: usize) -> Option<String> {
        let reason = tokens[at].text()?;
        if let Some((_, words)) = WORDS.iter().find(|(known, _)| *known == reason) {
            return Some((*words).to_owned());
        }
        if self.name == "with_reason" {
            let before = (self.open..at - 1).rev().find(|place| tokens[*place] == Token::Mark(','))?;
            return said(tokens, before + 1, at);
        }
        said(tokens, at + 1, self.close)
    }

    /// The way out that is chained to the call.
    fn way_out(&self, tokens: &[Token]) -> Option<String> {
        let mut at = self.close + 1;
        while let [Token::Mark('.'), Token::Word(name), Token::Mark('('), ..] = tokens.get(at..)? {
            let close = closing(tokens, at + 2);
            if name == "way_out" {
                return said(tokens, at + 3, close);
            }
            at = close + 1;
        }
        None
    }
}

/// The parenthesis that closes the one at `open`.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    let close = (open..tokens.len()).find(|place| {
        depth += tokens[*place].nesting();
        depth == 0
    });
    close.unwrap_or(tokens.len())
}

/// The first text among some tokens; when there is only a name, the text that it was given by `let`.
fn said(tokens: &[Token], from: usize, to: usize) -> Option<String> {
    if let Some(text) = tokens[from..to].iter().find_map(Token::text) {
        return Some(without_values(text));
    }
    let name = tokens[from..to].iter().find_map(Token::word)?;
    let given = (1..from).rev().find(|place| tokens[*place].is(name) && tokens[place - 1].is("let"))?;
    let text =
        tokens[given..from].iter().take_while(|token| **token != Token::Mark(';')).find_map(Token::text);
    text.map(without_values)
}

/// A text without the names of the values that are put into it.
fn without_values(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        plain.push_str(before);
        plain.push('…');
        rest = after.split_once('}').map_or("", |(_, behind)| behind);
    }
    plain.push_str(rest);
    plain
}

/// The first gRPC code or kind of refusal named among some tokens.
fn code_named(tokens: &[Token]) -> Option<&'static str> {
    let named = tokens.windows(4).find_map(|window| match window {
        [Token::Word(kind), Token::Mark(':'), Token::Mark(':'), Token::Word(name)]
            if kind == "Code" || kind == "RefusalCode" =>
        {
            Some(name.as_str())
        }
        _ => None,
    })?;
    Some(match named {
        "Invalid" => "INVALID_ARGUMENT",
        "NotFound" => "NOT_FOUND",
        "Stale" | "Aborted" => "ABORTED",
        "AlreadyExists" => "ALREADY_EXISTS",
        "PermissionDenied" => "PERMISSION_DENIED",
        "FailedPrecondition" => "FAILED_PRECONDITION",
        "Unavailable" => "UNAVAILABLE",
        "Internal" => "INTERNAL",
        _ => return None,
    })
}

/// The Rust sources in a folder, in order; a file is itself. Tests and examples are none.
fn sources(path: &Path) -> Vec<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if path.is_file() {
        let is_code =
            path.extension().is_some_and(|end| end == "rs") && !name.contains("test") && name != "samples.rs";
        return is_code.then(|| path.to_owned()).into_iter().collect();
    }
    if name.contains("test") {
        return Vec::new();
    }
    let mut inside: Vec<PathBuf> =
        std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    inside.sort();
    inside.iter().flat_map(|path| sources(path)).collect()
}

/// Reason → the services and rpcs whose comment in the contract names it.
fn named_in_the_contract() -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut named: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for file in protos(&root().join("proto/docket")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let package = text.lines().find_map(|line| line.strip_prefix("package docket.")).unwrap_or_default();
        let owner = package.split('.').next().unwrap_or_default().replace('_', "-");
        let mut comment = String::new();
        for line in text.lines().map(str::trim) {
            if let Some(words) = line.strip_prefix("//") {
                comment.push_str(words);
            } else {
                if let Some(rpc) = line.strip_prefix("rpc ").and_then(|rest| rest.split('(').next()) {
                    let words = comment.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                    for reason in words.filter(|word| looks_like_a_reason(word) && is_reason_in_prose(word)) {
                        named.entry(reason.to_owned()).or_default().insert((owner.clone(), rpc.to_owned()));
                    }
                }
                comment.clear();
            }
        }
    }
    named
}

/// In prose, capitals alone may be an abbreviation.
fn is_reason_in_prose(word: &str) -> bool {
    word.contains('_') || ["DIFFERENCES", "ERASED", "INCOMPLETE", "INTERNAL", "STALE"].contains(&word)
}

fn protos(folder: &Path) -> Vec<PathBuf> {
    let inside = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        inside.flat_map(|path| if path.is_dir() { protos(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

/// Texts as one cell of a table.
fn cell(texts: &BTreeSet<String>) -> String {
    texts.iter().map(|text| text.replace('|', "\\|")).collect::<Vec<_>>().join(" *or* ")
}

#[test]
fn a_reason_is_found_with_its_code_its_words_and_its_way_out() {
    let source = r#"
        fn decide() -> Decision {
            let words = format!("It is {state}.");
            if !open { return Err(Refusal::state("NOT_OPEN", words).fact("x", "y").way_out("Wait (a day).").into()); }
            Err(wrong("ODD_ONE"))
        }"#;
    let (mut found, mut stray) = (Reasons::new(), BTreeSet::new());
    read(source, &mut found, &mut stray);
    let key = ("NOT_OPEN".to_owned(), "FAILED_PRECONDITION");
    assert_eq!(
        row(&key, &found[&key], "`Open`"),
        "| `NOT_OPEN` | `FAILED_PRECONDITION` | It is …. | Wait (a day). | `Open` |\n"
    );
    assert_eq!((found.len(), stray), (1, BTreeSet::from(["ODD_ONE".to_owned()])));
}
