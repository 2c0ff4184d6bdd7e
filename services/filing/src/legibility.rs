//! What on the pages of a file may be hard to read: a page that is blank, dark or blurred, has lines that run off an edge
//! (`sharpness`), too few dots for the size at which it would be printed, or cannot be drawn. Nothing is refused for it: whoever sends the file is told at once, and decides.
//!
//! `docket-filing look-over` takes the file on its standard input and writes what it noticed to its standard output, as it goes: a
//! line of JSON for each step. The pages are drawn in that process (`confined`), as they are shown. The first line comes when the
//! first page is drawn: of a process that dies before it is known that this page can be shown to nobody.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use docket_proto::types::v1::HardToRead;
use image::{ImageDecoder as _, ImageFormat, RgbImage, imageops};
use lopdf::Document;
use serde::{Deserialize, Serialize};
use tiff::decoder::Decoder;
use tiff::tags::Tag;

use crate::file_type::{self, MediaType};
use crate::leaves::{self, Leaves};
use crate::{confined, page, sharpness};

/// The word after the program's name.
pub(crate) const ARGUMENT: &str = "look-over";
/// Seconds of processor time: somebody waits.
pub(crate) const SECONDS: u64 = 15;
/// After so long no further page is begun: what was noticed so far is told.
const ENOUGH: Duration = Duration::from_secs(8);
/// The pages that are looked at, from the first: who scans a stack badly scans its first sheets so.
const PAGES: u32 = 10;
/// Dots of the longest side of a page that is looked at: a sheet at 145 dots an inch.
const SIDE: u16 = 1_600;
/// The same as it is held against blank and dark: small, so that what is thin counts little.
const SMALL: u32 = 400;
/// Fewer dots an inch than these are few: letters of ten points begin to run together (an office's scanner makes 300).
const FEW_DOTS: u32 = 200;
/// Inches of the longest side of a sheet, at which a picture is printed that does not say how large it is.
const SHEET: u32 = 11;
/// Points of an inch.
const POINTS: f32 = 72.0;
/// A dot that differs from most by less than so many of 256 shades says nothing: paper has a grain.
const GRAIN: u8 = 24;
/// A page of which fewer than one in so many dots says something is blank: a line of small letters has four times as many.
const DOTS_OF_A_WORD: usize = 5_000;
/// Where half of a page is darker than the one shade, and hardly any of it lighter than the other, it is dark.
const DARK: (u8, u8) = (40, 96);

/// So much can be wrong with one page at once: it is blurred, cut and coarse.
const MOST_OF_A_PAGE: usize = 3;

/// What was noticed on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Noticed {
    page: u32,
    fault: Fault,
    dots_per_inch: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fault {
    Blank,
    Dark,
    Coarse,
    Blurred,
    Cut,
    /// It cannot be drawn: whoever looks at pages sees nothing of it.
    Undrawn,
}

impl From<Noticed> for HardToRead {
    fn from(noticed: Noticed) -> Self {
        let fault = match noticed.fault {
            Fault::Blank => "blank",
            Fault::Dark => "dark",
            Fault::Coarse => "coarse",
            Fault::Blurred => "blurred",
            Fault::Cut => "cut",
            Fault::Undrawn => "undrawn",
        };
        Self { page: noticed.page, fault: fault.to_owned(), dots_per_inch: noticed.dots_per_inch }
    }
}

/// What a process said that may have been taken over: no more than so many pages can have. One that died of the file before it had
/// said anything died of its first page.
pub(crate) fn heard(said: &[u8], died: bool) -> Vec<Noticed> {
    if died && !said.contains(&b'\n') {
        return vec![Noticed { page: 1, fault: Fault::Undrawn, dots_per_inch: 0 }];
    }
    let lines = said.split(|byte| *byte == b'\n');
    let noticed = lines.flat_map(|line| serde_json::from_slice::<Vec<Noticed>>(line).unwrap_or_default());
    let possible = |one: &Noticed| (1..=PAGES).contains(&one.page);
    noticed.filter(possible).take(MOST_OF_A_PAGE * PAGES as usize).collect()
}

/// Looks over the file on standard input.
pub(crate) fn look_over_file() -> ExitCode {
    if let Err(code) = confined::enter(SECONDS) {
        return code;
    }
    let mut out = io::stdout().lock();
    let said = confined::given().and_then(|bytes| {
        look_over(&bytes, |noticed| {
            serde_json::to_writer(&mut out, noticed)?;
            out.write_all(b"\n")?;
            out.flush()
        })
    });
    if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What may be hard to read in a file that was taken, page by page; first of all whether its first page can be drawn.
///
/// # Errors
/// It cannot be said.
fn look_over(bytes: &[u8], mut say: impl FnMut(&[Noticed]) -> io::Result<()>) -> io::Result<()> {
    let (begun, mut in_each) = (Instant::now(), Vec::new());
    for page in 1..=PAGES {
        if page > 1 && begun.elapsed() > ENOUGH {
            break;
        }
        let Ok(drawing) = page::draw(bytes.to_vec(), page, SIDE) else {
            return say(&[Noticed { page, fault: Fault::Undrawn, dots_per_inch: 0 }]);
        };
        if page == 1 {
            say(&[])?;
            in_each = dots_per_inch(bytes);
        }
        let fault = |fault| Noticed { page, fault, dots_per_inch: 0 };
        let mut noticed: Vec<Noticed> = faults_of(&drawing.dots).into_iter().map(fault).collect();
        let few = in_each.get(page as usize - 1).copied().flatten().filter(|dots| *dots < FEW_DOTS);
        noticed.extend(few.map(|dots_per_inch| Noticed { page, fault: Fault::Coarse, dots_per_inch }));
        say(&noticed)?;
        if page >= drawing.page_count {
            break;
        }
    }
    Ok(())
}

/// What is wrong with a page as it looks; of one that is blank or dark nothing more is said.
fn faults_of(dots: &RgbImage) -> Vec<Fault> {
    let (width, height) = dots.dimensions();
    let longest = width.max(height);
    let small = |side: u32| (side * SMALL / longest.max(1)).max(1);
    let looks = if longest > SMALL {
        looks(&imageops::thumbnail(dots, small(width), small(height)))
    } else {
        looks(dots)
    };
    if let Some(fault) = looks {
        return vec![fault];
    }
    let page = imageops::grayscale(dots);
    let blurred = sharpness::is_blurred(&page).then_some(Fault::Blurred);
    let cut = sharpness::is_cut(&page).then_some(Fault::Cut);
    blurred.into_iter().chain(cut).collect()
}

/// Whether a page is blank or dark.
fn looks(dots: &RgbImage) -> Option<Fault> {
    let mut shades = [0_usize; 256];
    for dot in dots.pixels() {
        let [red, green, blue] = dot.0.map(u32::from);
        // As bright as it seems (ITU-R BT.601).
        shades[((299 * red + 587 * green + 114 * blue) / 1_000) as usize & 0xff] += 1;
    }
    let all = dots.pixels().len();
    let half = darker_than(&shades, all / 2);
    let (dark, light) = DARK;
    if half < dark && darker_than(&shades, all - all / 20) < light {
        return Some(Fault::Dark);
    }
    let says: usize = (0..=u8::MAX)
        .zip(shades)
        .filter(|(shade, _)| shade.abs_diff(half) > GRAIN)
        .map(|(_, dots)| dots)
        .sum();
    (says < all.div_ceil(DOTS_OF_A_WORD)).then_some(Fault::Blank)
}

/// The shade up to which so many dots go.
fn darker_than(shades: &[usize; 256], count: usize) -> u8 {
    let mut sum = 0;
    let shade = (0..=u8::MAX).zip(shades).find(|(_, dots)| {
        sum += **dots;
        sum >= count.max(1)
    });
    shade.map_or(u8::MAX, |(shade, _)| shade)
}

/// Dots an inch of the first pages at the size at which each would be printed; nothing of a page that is not one picture.
fn dots_per_inch(bytes: &[u8]) -> Vec<Option<u32>> {
    match MediaType::of(bytes).ok().map(MediaType::picture) {
        None => Vec::new(),
        Some(None) => of_sheets(bytes),
        Some(Some(ImageFormat::Tiff)) => of_leaves(bytes),
        Some(Some(format)) => vec![of_picture(bytes, format, stated(bytes))],
    }
}

/// What a picture says of its size counts where it speaks for it: many say 72 and know nothing.
fn of_picture(bytes: &[u8], format: ImageFormat, stated: Option<u32>) -> Option<u32> {
    let (width, height) = file_type::opened(bytes, format).ok()?.dimensions();
    Some((width.max(height) / SHEET).max(stated.unwrap_or_default()))
}

/// Pages of a PDF that are one picture and no text, as scanners and cameras make them.
fn of_sheets(bytes: &[u8]) -> Vec<Option<u32>> {
    let (Ok(document), Some(sheets)) = (Document::load_mem(bytes), page::sheets(bytes.to_vec())) else {
        return Vec::new();
    };
    let pages = document.get_pages();
    let scanned = |(id, (width, height)): (&lopdf::ObjectId, (f32, f32))| {
        let images = document.get_page_images(*id).ok()?;
        let [image] = images.as_slice() else { return None };
        let is_text = document.get_page_fonts(*id).is_ok_and(|fonts| !fonts.is_empty());
        let dots = u16::try_from(image.width.max(image.height)).ok().filter(|_| !is_text)?;
        whole(f32::from(dots) / (width.max(height) / POINTS))
    };
    pages.values().zip(sheets).take(PAGES as usize).map(scanned).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded on both sides")]
fn whole(number: f32) -> Option<u32> {
    (number.is_finite() && number >= 0.0).then(|| number.min(f32::from(u16::MAX)) as u32)
}

fn of_leaves(bytes: &[u8]) -> Vec<Option<u32>> {
    let places = Leaves::of(bytes).map(|leaves| leaves.places).unwrap_or_default();
    let mut bytes = bytes.to_vec();
    let of_leaf = |place: u32| {
        leaves::turn_to(&mut bytes, place)?;
        let mut decoder = Decoder::new(std::io::Cursor::new(&bytes)).ok()?;
        let metric = decoder.find_tag_unsigned::<u16>(Tag::ResolutionUnit).ok().flatten() == Some(3);
        let stated = decoder.get_tag_f32(Tag::XResolution).ok();
        let stated = stated.and_then(|dots| whole(if metric { dots * 2.54 } else { dots }));
        of_picture(&bytes, ImageFormat::Tiff, stated)
    };
    places.into_iter().take(PAGES as usize).map(of_leaf).collect()
}

/// What a JPEG (JFIF 1.02) or a PNG (ISO/IEC 15948, 11.3.4.3) says of its dots an inch.
fn stated(bytes: &[u8]) -> Option<u32> {
    if bytes.get(6..11) == Some(b"JFIF\0") {
        let dots = u32::from(u16::from_be_bytes([*bytes.get(14)?, *bytes.get(15)?]));
        return match bytes.get(13)? {
            1 => Some(dots),
            2 => Some(dots * 254 / 100),
            _ => None,
        };
    }
    let head = &bytes[..bytes.len().min(4_096)];
    let at = memchr::memmem::find(head, b"pHYs").filter(|_| bytes.starts_with(b"\x89PNG"))?;
    let of_a_metre = u32::from_be_bytes(bytes.get(at + 4..at + 8)?.try_into().ok()?);
    (bytes.get(at + 12) == Some(&1)).then(|| u32::try_from(u64::from(of_a_metre) * 254 / 10_000).ok())?
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn png(width: u32, height: u32, dot: impl Fn(u32, u32) -> u8) -> Vec<u8> {
        let dots = RgbImage::from_fn(width, height, |x, y| Rgb([dot(x, y); 3]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        dots.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    /// A sheet of so many dots an inch with a line of letters, as thin strokes, in one shade on another.
    fn sheet(dots_per_inch: u32, (ink, paper): (u8, u8)) -> Vec<u8> {
        let (width, height) = (dots_per_inch * 17 / 2, dots_per_inch * 11);
        let (top, stroke) = (height / 3, dots_per_inch / 50);
        png(width, height, |x, y| {
            let line = (top..top + dots_per_inch / 8).contains(&y) && (width / 5..width * 4 / 5).contains(&x);
            if line && x % (6 * stroke) < stroke { ink } else { paper }
        })
    }

    fn faults(bytes: &[u8]) -> Vec<(u32, Fault, u32)> {
        let mut noticed = Vec::new();
        look_over(bytes, |more| {
            noticed.extend(more.iter().map(|one| (one.page, one.fault, one.dots_per_inch)));
            Ok(())
        })
        .unwrap();
        noticed
    }

    #[test]
    fn a_sheet_that_can_be_read_is_let_be_and_one_line_of_letters_is_enough() {
        for shades in [(20, 250), (90, 200), (230, 60)] {
            assert_eq!(faults(&sheet(300, shades)), [], "{shades:?}");
        }
    }

    #[test]
    fn a_blank_a_dark_and_a_coarse_page_are_noticed() {
        assert_eq!(faults(&sheet(300, (245, 250))), [(1, Fault::Blank, 0)]);
        assert_eq!(faults(&sheet(300, (70, 20))), [(1, Fault::Dark, 0)]);
        assert_eq!(faults(&sheet(150, (20, 250))), [(1, Fault::Coarse, 150)]);
        assert_eq!(faults(&sheet(200, (20, 250))), []);
        assert_eq!(faults(&sheet(150, (20, 20))), [(1, Fault::Dark, 0), (1, Fault::Coarse, 150)]);
    }

    #[test]
    fn a_page_out_of_focus_and_one_that_is_cut_are_noticed() {
        let sheet = image::load_from_memory(&sheet(300, (20, 250))).unwrap().to_rgb8();
        let written = |dots: &RgbImage| {
            let mut bytes = std::io::Cursor::new(Vec::new());
            dots.write_to(&mut bytes, ImageFormat::Png).unwrap();
            bytes.into_inner()
        };
        // Six dots of 300 an inch, half a millimetre, are three of those that are looked at.
        assert_eq!(faults(&written(&imageops::blur(&sheet, 0.8))), []);
        assert_eq!(faults(&written(&imageops::fast_blur(&sheet, 6.0))), [(1, Fault::Blurred, 0)]);
        let cut = imageops::crop_imm(&sheet, 0, 1_120, 2_550, 2_180).to_image();
        assert_eq!(faults(&written(&cut)), [(1, Fault::Cut, 0)]);
    }

    #[test]
    fn what_a_small_picture_says_of_its_size_counts_where_it_speaks_for_it() {
        // A card of 3.4 inches.
        let card = png(1_020, 640, |x, y| if (x / 9 + y / 9) % 2 == 0 { 30 } else { 240 });
        assert_eq!(faults(&card), [(1, Fault::Coarse, 92)]);
        for (of_a_metre, fault) in [(11_811_u32, None), (2_835, Some((1, Fault::Coarse, 92)))] {
            let mut says = card.clone();
            let mut chunk =
                [b"pHYs".as_slice(), &of_a_metre.to_be_bytes(), &of_a_metre.to_be_bytes(), &[1]].concat();
            let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&chunk);
            chunk.splice(..0, 9_u32.to_be_bytes());
            chunk.extend(sum.to_be_bytes());
            // Behind the head.
            says.splice(33..33, chunk);
            assert_eq!(faults(&says), Vec::from_iter(fault), "{of_a_metre}");
        }
    }

    #[test]
    fn what_a_process_says_is_bounded_whoever_speaks() {
        let one = |page| Noticed { page, fault: Fault::Dark, dots_per_inch: 0 };
        let many: Vec<_> = (0..1_000).map(one).collect();
        let said = |noticed: &[Noticed]| serde_json::to_vec(noticed).unwrap();
        assert_eq!(heard(&said(&many), false), (1..=PAGES).map(one).collect::<Vec<_>>());
        assert_eq!(heard(&said(&vec![one(1); 1_000]), false).len(), 30);
        let line = [said(&[one(1)]), b"\n".to_vec()].concat();
        assert_eq!(heard(&line.repeat(1_000), false).len(), 30);
        assert_eq!(heard(b"no JSON", false), []);
    }

    #[test]
    fn a_process_that_died_says_as_much_as_it_had_said() {
        let page = |page, fault| Noticed { page, fault, dots_per_inch: 0 };
        assert_eq!(heard(b"", true), [page(1, Fault::Undrawn)]);
        assert_eq!(heard(b"[{\"page\":1", true), [page(1, Fault::Undrawn)], "half a line is none");
        assert_eq!(heard(b"[]\n", true), [], "the first page was drawn; of the others nothing is known");
        let dark = serde_json::to_vec(&[page(1, Fault::Dark)]).unwrap();
        assert_eq!(heard(&[b"[]\n", dark.as_slice(), b"\n[{"].concat(), true), [page(1, Fault::Dark)]);
        assert_eq!(heard(b"", false), []);
    }

    #[test]
    fn a_page_that_cannot_be_drawn_is_noticed_before_anything_else() {
        assert_eq!(faults(b"%PDF-1.7\nno document at all"), [(1, Fault::Undrawn, 0)]);
        assert_eq!(faults(b"\x89PNG\r\n\x1a\n no picture"), [(1, Fault::Undrawn, 0)]);
    }
}
