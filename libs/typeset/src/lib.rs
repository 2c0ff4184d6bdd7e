//! Papers as PDF: a template and its data, set by Typst with embedded fonts, tagged (PDF/UA-1) and kept for ever (PDF/A-2a).
//!
//! The same template, data and instant give the same bytes.

mod fonts;
mod world;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use typst::diag::SourceDiagnostic;
use typst::foundations::{Datetime, Smart};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};
use unicode_segmentation::UnicodeSegmentation as _;

use fonts::Fonts;
use world::PaperWorld;

/// What is set: the words are the template's, what changes from paper to paper is the data.
#[derive(Debug, Clone, Copy)]
pub struct Template<'a> {
    /// What faults call it.
    pub name: &'a str,
    /// Typst markup of the paper.
    pub main: &'a str,
    /// Markup that the paper imports: file name and text.
    pub imports: &'a [(&'a str, &'a str)],
    /// Name under which the markup finds the data, as `json(bytes(sys.inputs.<name>))`.
    pub input: &'a str,
}

/// One paper.
#[derive(Debug, Clone)]
pub struct Paper<'a> {
    /// The data as JSON. Markup sees it as values: nothing in it is read as markup.
    pub data: String,
    /// What identifies the document for ever; the same text gives the same identifier in the PDF.
    pub id: &'a str,
    /// The instant that the document names as its making.
    pub at: Timestamp,
}

/// Why a paper cannot be set. Names no personal data: templates are quoted, never what they were given.
#[derive(Debug, thiserror::Error)]
#[error("the template {template} cannot be set: {faults}")]
pub struct TypesetError {
    template: String,
    faults: String,
}

/// Sets papers. Cheap to clone.
#[derive(Clone)]
pub struct Typesetter(Arc<Fonts>);

impl Typesetter {
    /// With the embedded fonts, and those in `font_dir` (TTF, OTF, TTC) for scripts which they lack.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub fn new(font_dir: Option<&Path>) -> std::io::Result<Self> {
        Ok(Self(Arc::new(Fonts::load(font_dir)?)))
    }

    /// Whether every character of the text, with the marks on it, stands in some font. What is not covered must not be set:
    /// it would be missing on the page.
    pub fn covers(&self, text: &str) -> bool {
        self.0.cover(text)
    }

    /// The text as it can be set: a character that no font has stands as its Unicode number, such as `[U+738B]`, so that
    /// nothing is missing on the page.
    pub fn legible(&self, text: &str) -> String {
        numbered(text, |letters| self.covers(letters))
    }

    /// Sets a paper of this data, an object, each character that no font has as its number; `numbered` in the data says whether there
    /// is one. What a font has and yet cannot be set for an archive, as may happen where scripts are mixed, is set as numbers too.
    /// Takes as long as [`Self::set`], or twice that.
    ///
    /// # Errors
    /// [`TypesetError`]: a fault of the template.
    pub fn set_legibly(
        &self,
        template: Template<'_>,
        data: &Value,
        (id, at): (&str, Timestamp),
    ) -> Result<Vec<u8>, TypesetError> {
        let set = |legible: &dyn Fn(&str) -> String| {
            let mut data = data.clone();
            let replaced = spell(&mut data, legible);
            data["numbered"] = Value::Bool(replaced);
            self.set(template, Paper { data: data.to_string(), id, at })
        };
        set(&|text| self.legible(text)).or_else(|error| {
            tracing::warn!(%error, "a paper is set in Latin letters and numbers only");
            set(&latin)
        })
    }

    /// Sets a paper. Takes a tenth of a second of one core for a page or two: call it where blocking is allowed.
    ///
    /// # Errors
    /// [`TypesetError`]: a fault of the template, or text that no font covers.
    pub fn set(&self, template: Template<'_>, paper: Paper<'_>) -> Result<Vec<u8>, TypesetError> {
        let failed = |faults: String| TypesetError { template: template.name.to_owned(), faults };
        let world = PaperWorld::new(Arc::clone(&self.0), template, paper.data);
        let set = typst::compile::<PagedDocument>(&world).output;
        let pdf = set.map_err(|errors| failed(said(&errors, |message| message))).and_then(|document| {
            let pdf = typst_pdf::pdf(&document, &options(paper.id, paper.at));
            pdf.map_err(|errors| failed(said(&errors, unquoted)))
        });
        // Typst remembers what it has set; nobody's name stays behind.
        typst::comemo::evict(0);
        pdf
    }
}

/// The text with everything beyond Latin-1 and the bullet as Unicode numbers: this much every font has.
pub fn latin(text: &str) -> String {
    numbered(text, |letters| {
        letters.chars().all(|letter| {
            ['\n', '\u{2022}'].contains(&letter)
                || (' '..='\u{7e}').contains(&letter)
                || ('\u{a1}'..='\u{ff}').contains(&letter)
        })
    })
}

/// Makes every text legible; says whether a character of one stands as its number now.
fn spell(data: &mut Value, legible: &dyn Fn(&str) -> String) -> bool {
    match data {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => {
            let plain = plain(text);
            let spelled = legible(&plain);
            let changed = spelled != plain;
            *text = spelled;
            changed
        }
        Value::Array(values) => values.iter_mut().fold(false, |any, value| spell(value, legible) | any),
        Value::Object(parts) => parts.values_mut().fold(false, |any, value| spell(value, legible) | any),
    }
}

/// The text with what a word processor leaves behind when it is copied as what it looks like there: the bullets of its symbol fonts, which
/// are characters for private use, and its breaks of a line.
fn plain(text: &str) -> String {
    let breaks = ['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let text = text.replace("\r\n", "\n").replace(breaks, "\n");
    text.replace('\t', " ").replace(['\u{f0b7}', '\u{f0a7}'], "\u{2022}")
}

fn numbered(text: &str, stands: impl Fn(&str) -> bool) -> String {
    let mut legible = String::with_capacity(text.len());
    for letters in text.graphemes(true) {
        if stands(letters) {
            legible.push_str(letters);
        } else {
            legible.extend(letters.chars().map(|letter| format!("[U+{:04X}]", u32::from(letter))));
        }
    }
    legible
}

fn said(errors: &[SourceDiagnostic], part: impl Fn(&str) -> &str) -> String {
    errors.iter().map(|error| part(&error.message)).collect::<Vec<_>>().join("; ")
}

/// A fault of the export without the text that it quotes, which is somebody's.
fn unquoted(message: &str) -> &str {
    message.split('`').next().unwrap_or_default().trim_end()
}

fn options(id: &str, at: Timestamp) -> PdfOptions {
    let at = at.to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let part = |part: i8| u8::try_from(part).unwrap_or_default();
    let written = Datetime::from_ymd_hms(
        i32::from(at.year()),
        part(at.month()),
        part(at.day()),
        part(at.hour()),
        part(at.minute()),
        part(at.second()),
    );
    PdfOptions {
        ident: Smart::Custom(id.to_owned()),
        creator: Smart::Custom(Some("Docket".to_owned())),
        timestamp: written.map(typst_pdf::Timestamp::new_utc),
        standards: PdfStandards::new(&[PdfStandard::A_2a, PdfStandard::Ua_1])
            .expect("both are kinds of PDF 1.7 and agree"),
        ..PdfOptions::default()
    }
}
