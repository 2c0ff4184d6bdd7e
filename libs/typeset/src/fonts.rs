//! The fonts: those embedded in the program, and what an operator adds for other scripts.
//!
//! Embedded are Libertinus Serif, New Computer Modern and `DejaVu` Sans Mono. Together they print names in the Latin,
//! Greek, Cyrillic, Hebrew, Arabic, Armenian, Georgian and Devanagari scripts, but not in Chinese, Japanese, Korean,
//! Bengali, Tamil, Thai, Ethiopic and others.

use std::path::Path;

use typst::foundations::Bytes;
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use unicode_segmentation::UnicodeSegmentation as _;

/// Fonts with their index.
pub(crate) struct Fonts {
    pub(crate) book: LazyHash<FontBook>,
    pub(crate) fonts: Vec<Font>,
}

impl Fonts {
    pub(crate) fn load(folder: Option<&Path>) -> std::io::Result<Self> {
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

    /// Whether each character with the marks on it stands in some font: a letter and its accent come from one and the same.
    /// Characters for private use stand for nothing that an archive could read again.
    pub(crate) fn cover(&self, text: &str) -> bool {
        let stands = |letters: &str| {
            self.fonts
                .iter()
                .any(|font| letters.chars().all(|letter| font.info().coverage.contains(u32::from(letter))))
        };
        let private = |letter: char| matches!(u32::from(letter), 0xE000..=0xF8FF | 0xF_0000..=0xF_FFFD | 0x10_0000..=0x10_FFFD);
        !text.chars().any(private)
            && text.graphemes(true).filter(|letters| !letters.trim().is_empty()).all(stands)
    }
}
