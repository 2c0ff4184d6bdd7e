//! What the terminal shows: steps as they happen, for people or one JSON line each.
use crate::texts;
use anyhow::Result;
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Tells what happens.
#[derive(Clone, Debug)]
pub struct Teller {
    json: bool,
    colour: bool,
    language: String,
}

impl Teller {
    /// For people, in English, or as JSON lines.
    pub fn new(json: bool) -> Self {
        let colour = !json && std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { json, colour, language: "en".to_owned() }
    }

    /// The same, to somebody who reads a language.
    #[must_use]
    pub fn speaking(self, language: &str) -> Self {
        Self { language: language.to_owned(), ..self }
    }

    /// The language in which is told: `en` or `es`.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// English words of a command in the language in which is told.
    pub fn words(&self, english: &'static str) -> &'static str {
        texts::said(&self.language, english)
    }

    /// The same, with what goes where each `{}` stands.
    pub fn filled(&self, english: &'static str, parts: &[&dyn std::fmt::Display]) -> String {
        texts::filled(&self.language, english, parts)
    }

    /// An instant as people read it, in New York.
    pub fn when(&self, at_us: i64) -> String {
        let zone = jiff::tz::TimeZone::get("America/New_York").unwrap_or(jiff::tz::TimeZone::UTC);
        // Names of days and months are English here; the other form needs none.
        let form = if self.language == "en" { "%a, %b %-d, %Y %H:%M %Z" } else { "%Y-%m-%d %H:%M %Z" };
        let at = jiff::Timestamp::from_microsecond(at_us);
        at.map(|at| at.to_zoned_datetime(zone).strftime(form).to_string()).unwrap_or_default()
    }

    /// Whether JSON was asked for.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A heading.
    pub fn heading(&self, text: &str) {
        if !self.json {
            Self::print(&format!("\n{}", self.bold(text)));
        }
    }

    /// A line of its own.
    pub fn line(&self, text: &str) {
        if self.json {
            self.value(&json!({"line": text}));
        } else {
            Self::print(&format!("  {text}"));
        }
    }

    /// A name and its value.
    pub fn pair(&self, name: &str, value: &str) {
        if self.json {
            self.value(&json!({"name": name, "value": value}));
        } else {
            Self::print(&format!("  {name:<22} {value}"));
        }
    }

    /// A table for people; nothing when it has no rows.
    pub fn table(&self, heads: &[&str], rows: Vec<Vec<String>>) {
        if rows.is_empty() {
            return;
        }
        let mut table = comfy_table::Table::new();
        table
            .load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY)
            .set_header(heads.to_vec())
            .add_rows(rows);
        Self::print(&table.to_string());
    }

    /// One JSON value on a line.
    pub fn value(&self, value: &Value) {
        Self::print(&value.to_string());
    }

    /// Runs a step of the set-up and says how long it took.
    pub async fn step<T>(&self, name: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let begun = Instant::now();
        let outcome = work.await;
        let took = seconds(begun.elapsed());
        match (&outcome, self.json) {
            (outcome, true) => self.value(
                &json!({"setup": name, "ok": outcome.is_ok(), "seconds": begun.elapsed().as_secs_f64()}),
            ),
            (Ok(_), false) => Self::print(&format!("  {} {name:<62} {}", self.green("✓"), self.dim(&took))),
            (Err(error), false) => Self::print(&format!("  {} {name}: {error:#}", self.red("✗"))),
        }
        outcome
    }

    /// One step of a story: who did what, what was answered, how long it took.
    pub fn told(&self, number: usize, who: &str, what: &str, answer: &str, took: Duration) {
        if self.json {
            self.value(&json!({"step": number, "who": who, "what": what, "answer": answer, "seconds": took.as_secs_f64()}));
            return;
        }
        Self::print(&format!("{number:>3}  {} {what}  {}", self.bold(who), self.dim(&seconds(took))));
        for line in answer.lines() {
            Self::print(&format!("       {line}"));
        }
    }

    /// Says what must not be lost: lines for people, or one JSON value.
    ///
    /// # Errors
    /// Where it did not go out.
    pub fn deliver(&self, lines: &[&str], value: &Value) -> std::io::Result<()> {
        let text = if self.json { value.to_string() } else { format!("  {}", lines.join("\n  ")) };
        Self::write(&text)
    }

    fn print(text: &str) {
        // A closed pipe is the reader's choice, not our fault.
        let _ = Self::write(text);
    }

    fn write(text: &str) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
    fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }
    fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }
    fn green(&self, text: &str) -> String {
        self.paint("32", text)
    }
    fn red(&self, text: &str) -> String {
        self.paint("31", text)
    }
}

/// A bar with rate and remaining time, on the terminal's error side; unseen by programs.
pub fn bar(what: &str, teller: &Teller) -> indicatif::ProgressBar {
    if teller.is_json() {
        return indicatif::ProgressBar::hidden();
    }
    let look = "  {bar:32} {human_pos} of {human_len} {msg}, {per_sec}, {eta} left";
    let style = indicatif::ProgressStyle::with_template(look)
        .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar());
    indicatif::ProgressBar::new(0).with_style(style).with_message(what.to_owned())
}

fn seconds(took: Duration) -> String {
    if took < Duration::from_secs(1) {
        format!("{} ms", took.as_millis())
    } else {
        format!("{:.1} s", took.as_secs_f64())
    }
}
