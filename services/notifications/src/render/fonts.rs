//! The fonts: those embedded in the program, and what an operator adds for other scripts.
//!
//! Embedded are Libertinus Serif, New Computer Modern and `DejaVu` Sans Mono. Together they print names in the Latin,
//! Greek, Cyrillic, Hebrew, Arabic, Armenian, Georgian and Devanagari scripts, but not in Chinese, Japanese, Korean,
//! Bengali, Tamil, Thai, Ethiopic and others.

use std::path::Path;

use typst::foundations::Bytes;
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;

/// Fonts with their index.
pub(super) struct Fonts {
    pub(super) book: LazyHash<FontBook>,
    pub(super) fonts: Vec<Font>,
}

impl Fonts {
    pub(super) fn load(folder: Option<&Path>) -> std::io::Result<Self> {
        let mut fonts: Vec<Font> =
            typst_assets::fonts().flat_map(|font| Font::iter(Bytes::new(font))).collect();
        if let Some(folder) = folder {
            let mut files = Vec::new();
            for entry in std::fs::read_dir(folder)? {
                files.push(entry?.path());
            }
            // In order of names, so that every replica chooses the same font.
            files.sort();
            let known =
                |extension: &std::ffi::OsStr| ["ttf", "otf", "ttc"].iter().any(|known| extension == *known);
            for file in files.iter().filter(|file| file.extension().is_some_and(known)) {
                fonts.extend(Font::iter(Bytes::new(std::fs::read(file)?)));
            }
        }
        Ok(Self { book: LazyHash::new(FontBook::from_fonts(&fonts)), fonts })
    }

    /// Whether each character stands in some font.
    pub(super) fn cover(&self, text: &str) -> bool {
        text.chars()
            .filter(|letter| !letter.is_whitespace())
            .all(|letter| self.fonts.iter().any(|font| font.info().coverage.contains(u32::from(letter))))
    }
}
