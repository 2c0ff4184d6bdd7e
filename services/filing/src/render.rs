//! The process in which a page of a stranger's file is drawn: dots come out of it, and nothing else.
//!
//! `docket-filing render-page PAGE LONGEST_SIDE` takes the file on its standard input. It writes a line of JSON, which says what
//! follows, and then the dots, three bytes each (red, green, blue), row by row. They are packed into a picture elsewhere: so
//! whatever becomes of this process, what it gives can be looked at without harm.

use std::io::Write as _;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::confined;
use crate::page::{self, Drawing, Undrawn};

/// The word after the program's name.
pub(crate) const ARGUMENT: &str = "render-page";
/// Seconds of processor time: somebody waits.
pub(crate) const SECONDS: u64 = 15;
/// The most dots of a side.
pub(crate) const LONGEST_SIDE: u16 = 2_400;

/// What follows the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Drawn {
    /// So many dots.
    Dots { width: u32, height: u32, page_count: u32, incomplete: bool },
    /// None.
    Undrawn(Undrawn),
}

/// Draws a page of the file on standard input.
pub(crate) fn render_page(mut words: impl Iterator<Item = String>) -> ExitCode {
    let page = words.next().and_then(|word| word.parse().ok());
    let side =
        words.next().and_then(|word| word.parse().ok()).filter(|side| (1..=LONGEST_SIDE).contains(side));
    let (Some(page), Some(side)) = (page, side) else { return ExitCode::FAILURE };
    if let Err(code) = confined::enter(SECONDS) {
        return code;
    }
    let said = confined::given().and_then(|bytes| say(&page::draw(bytes, page, side)));
    if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(drawn: &Result<Drawing, Undrawn>) -> std::io::Result<()> {
    let (line, dots) = match drawn {
        Ok(Drawing { dots, page_count, incomplete }) => {
            let (width, height) = dots.dimensions();
            (
                Drawn::Dots { width, height, page_count: *page_count, incomplete: *incomplete },
                &dots.as_raw()[..],
            )
        }
        Err(undrawn) => (Drawn::Undrawn(*undrawn), &[][..]),
    };
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &line)?;
    out.write_all(b"\n")?;
    out.write_all(dots)
}
