//! A byte scan of files for texts, in every form in which a text may have been written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// What is looked for, compiled.
pub(crate) struct Scanner {
    automaton: AhoCorasick,
    /// The index of the text behind each pattern.
    texts: Vec<usize>,
}

impl Scanner {
    /// Looks for each text as it is, as UTF-16, in hexadecimal and in base64, wherever in a longer text it stood.
    pub(crate) fn of(texts: &[String]) -> Self {
        let all = texts.iter().enumerate();
        let forms: Vec<_> = all
            .flat_map(|(index, text)| forms(text.as_bytes()).into_iter().map(move |form| (form, index)))
            .collect();
        let automaton = AhoCorasick::new(forms.iter().map(|(form, _)| form)).unwrap();
        Self { automaton, texts: forms.into_iter().map(|(_, index)| index).collect() }
    }

    /// Looks for bytes as they are.
    pub(crate) fn of_bytes(all: &[Vec<u8>]) -> Self {
        Self { automaton: AhoCorasick::new(all).unwrap(), texts: (0..all.len()).collect() }
    }

    pub(crate) fn found_in(&self, bytes: &[u8]) -> BTreeSet<usize> {
        let found = self.automaton.find_overlapping_iter(bytes);
        found.map(|found| self.texts[found.pattern().as_usize()]).collect()
    }

    /// The files under `place` that hold any of it, each with the texts' indexes; and how many bytes were read.
    pub(crate) fn scan(&self, place: &Path) -> (BTreeMap<PathBuf, BTreeSet<usize>>, u64) {
        let (mut hits, mut read) = (BTreeMap::new(), 0);
        for file in files(place) {
            // A running server takes files away while we look.
            let Ok(bytes) = std::fs::read(&file) else { continue };
            read += bytes.len() as u64;
            let found = self.found_in(&bytes);
            if !found.is_empty() {
                hits.insert(file, found);
            }
        }
        (hits, read)
    }
}

fn forms(text: &[u8]) -> BTreeSet<Vec<u8>> {
    let hex = hex::encode(text);
    let mut forms = BTreeSet::from([
        text.to_vec(),
        text.iter().flat_map(|&byte| [byte, 0]).collect(),
        text.iter().flat_map(|&byte| [0, byte]).collect(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
    ]);
    // Base64 depends on what stands before: three ways, without the characters that hold bits of the neighbours.
    for before in 0..3 {
        let shifted = [&[0; 2][..before], text].concat();
        let (skip, whole) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
        for encoded in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
            forms.insert(encoded.as_bytes()[skip..whole].to_vec());
        }
    }
    forms
}

fn files(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let Ok(entries) = std::fs::read_dir(place) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| !entry.file_type().is_ok_and(|kind| kind.is_symlink()))
        .flat_map(|entry| files(&entry.path()))
        .collect()
}

#[test]
fn the_scan_finds_a_text_in_every_form_and_place() {
    let scanner = Scanner::of(&["kq3v9zt1x8ab@w2y7".to_owned(), "another-text.of~ours".to_owned()]);
    for (index, text) in ["kq3v9zt1x8ab@w2y7", "another-text.of~ours"].into_iter().enumerate() {
        for around in ["", "x", "yz", "abc"] {
            let whole = format!("{around}{text}{around}");
            let utf16: Vec<u8> = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let utf16_be: Vec<u8> = whole.encode_utf16().flat_map(u16::to_be_bytes).collect();
            for form in [
                whole.clone().into_bytes(),
                utf16,
                utf16_be,
                hex::encode(&whole).into_bytes(),
                hex::encode_upper(&whole).into_bytes(),
                STANDARD_NO_PAD.encode(&whole).into_bytes(),
                base64::engine::general_purpose::STANDARD.encode(&whole).into_bytes(),
                URL_SAFE_NO_PAD.encode(&whole).into_bytes(),
            ] {
                assert_eq!(
                    scanner.found_in(&form),
                    BTreeSet::from([index]),
                    "{}",
                    String::from_utf8_lossy(&form)
                );
                let halved = &form[..form.len() / 2];
                assert!(scanner.found_in(halved).is_empty());
            }
        }
    }
}
