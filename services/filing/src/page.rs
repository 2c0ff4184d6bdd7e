//! One page of a file as dots: of a PDF what is drawn on it, of a picture what it shows, upright, on white.
//!
//! The decoders run in a process of their own (`confined`); nothing here is called on a stranger's bytes elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hayro::hayro_interpret::font::FontQuery;
use hayro::hayro_interpret::{InterpreterSettings, TransformExt as _};
use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::Affine;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::vello_cpu::{Pixmap, RasterizerSettings, RenderContext, Resources, TargetInit};
use hayro::{RenderCache, RenderSettings};
use image::imageops::{FilterType, overlay};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, RgbImage, Rgba, RgbaImage};
use serde::{Deserialize, Serialize};

use crate::file_type::{self, MAX_PAGES, MediaType};
use crate::leaves::{self, Leaves};

/// A page, drawn.
pub(crate) struct Drawing {
    pub(crate) dots: RgbImage,
    /// Pages of the file.
    pub(crate) page_count: u32,
    /// Whether something on it could not be drawn as it is: a picture, a note or a field that cannot be read, letters that the
    /// file leaves to its reader and that are none of ours.
    pub(crate) incomplete: bool,
}

/// Why a page is not drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Undrawn {
    /// The file has only so many pages.
    Outside { page_count: u32 },
    /// It cannot be read, takes more memory or time than a page needs, or its reader fell over it.
    Unbearable,
}

/// Draws a page, counted from 1. The longest side has so many dots, of a picture at most: it is not made larger than it is.
///
/// # Errors
/// Why it is not drawn.
pub(crate) fn draw(bytes: Vec<u8>, number: u32, longest_side: u16) -> Result<Drawing, Undrawn> {
    match MediaType::of(&bytes).map_err(|_foreign| Undrawn::Unbearable)?.picture() {
        None => pdf(bytes, number, longest_side),
        Some(ImageFormat::Tiff) => tiff(bytes, number, longest_side),
        Some(format) => {
            within(number, 1)?;
            picture(&bytes, format, longest_side).map(|dots| Drawing {
                dots,
                page_count: 1,
                incomplete: false,
            })
        }
    }
}

/// The place of a page among so many.
fn within(number: u32, count: usize) -> Result<usize, Undrawn> {
    let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let page_count = u32::try_from(count).map_err(|_| Undrawn::Unbearable)?;
    place.filter(|place| *place < count).ok_or(Undrawn::Outside { page_count })
}

fn pdf(bytes: Vec<u8>, number: u32, longest_side: u16) -> Result<Drawing, Undrawn> {
    let pdf = Pdf::new(bytes).map_err(|_| Undrawn::Unbearable)?;
    let pages = pdf.pages();
    let page = &pages[within(number, pages.len())?];
    let (width, height) = page.render_dimensions();
    let scale = f32::from(longest_side) / width.max(height);
    let side = |length: f32| dots(length * scale).min(longest_side);
    let mut sheet = RenderContext::new(side(width), side(height));
    let place = Affine::scale(scale.into()) * page.initial_transform(true).to_kurbo();
    let incomplete = Arc::new(AtomicBool::new(false));
    let (cache, settings) = (RenderCache::new(), RenderSettings::default());
    hayro::render_into(page, &cache, &noting(&incomplete), &settings, &mut sheet, place);
    sheet.flush();
    let mut drawn = Pixmap::new(sheet.width(), sheet.height());
    let white = RasterizerSettings { target_init: TargetInit::Clear(WHITE), ..RasterizerSettings::default() };
    sheet.render_with(&mut drawn, &mut Resources::default(), white);
    let colours = drawn.data().iter().flat_map(|dot| [dot.r, dot.g, dot.b]).collect();
    Ok(Drawing {
        dots: RgbImage::from_raw(drawn.width().into(), drawn.height().into(), colours)
            .ok_or(Undrawn::Unbearable)?,
        page_count: u32::try_from(pages.len()).map_err(|_| Undrawn::Unbearable)?,
        incomplete: incomplete.load(Ordering::Relaxed),
    })
}

/// Width and height of each page of a PDF, in points.
pub(crate) fn sheets(bytes: Vec<u8>) -> Option<Vec<(f32, f32)>> {
    let pdf = Pdf::new(bytes).ok()?;
    Some(pdf.pages().iter().map(Page::render_dimensions).collect())
}

/// At least one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded on both sides; no number is 1"
)]
fn dots(length: f32) -> u16 {
    length.round().max(1.0).min(f32::from(u16::MAX)) as u16
}

/// How a page is read: whatever fails, and a font that is not in the file and not one of ours are noted.
fn noting(incomplete: &Arc<AtomicBool>) -> InterpreterSettings {
    let usual = InterpreterSettings::default();
    let (failed, replaced, resolve) = (incomplete.clone(), incomplete.clone(), usual.font_resolver);
    InterpreterSettings {
        warning_sink: Arc::new(move |_| failed.store(true, Ordering::Relaxed)),
        font_resolver: Arc::new(move |query| {
            if matches!(query, FontQuery::Fallback(_)) {
                replaced.store(true, Ordering::Relaxed);
            }
            resolve(query)
        }),
        ..usual
    }
}

/// Of a file that was taken before its pages were followed to the last, those that are there can be looked at.
fn tiff(mut bytes: Vec<u8>, number: u32, longest_side: u16) -> Result<Drawing, Undrawn> {
    let mut places = Leaves::of(&bytes).ok_or(Undrawn::Unbearable)?.places;
    places.truncate(MAX_PAGES);
    leaves::turn_to(&mut bytes, places[within(number, places.len())?]).ok_or(Undrawn::Unbearable)?;
    let dots = picture(&bytes, ImageFormat::Tiff, longest_side)?;
    let page_count = u32::try_from(places.len()).map_err(|_| Undrawn::Unbearable)?;
    Ok(Drawing { dots, page_count, incomplete: false })
}

fn picture(bytes: &[u8], format: ImageFormat, longest_side: u16) -> Result<RgbImage, Undrawn> {
    let mut decoder = file_type::opened(bytes, format).map_err(|_| Undrawn::Unbearable)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(|_| Undrawn::Unbearable)?;
    let mut picture = on_white(fitted(picture, longest_side.into()));
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}

/// Made smaller, where it is larger: first by means of whole dots, which takes no memory beside the two pictures, then, from
/// twice the size, evenly.
fn fitted(picture: DynamicImage, longest_side: u32) -> DynamicImage {
    let longest = |picture: &DynamicImage| picture.width().max(picture.height());
    let twice = if longest(&picture) > 2 * longest_side {
        picture.thumbnail(2 * longest_side, 2 * longest_side)
    } else {
        picture
    };
    if longest(&twice) <= longest_side {
        return twice;
    }
    twice.resize(longest_side, longest_side, FilterType::CatmullRom)
}

/// As it looks on a white sheet.
fn on_white(picture: DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return picture;
    }
    let mut sheet = RgbaImage::from_pixel(picture.width(), picture.height(), Rgba([u8::MAX; 4]));
    overlay(&mut sheet, &picture.into_rgba8(), 0, 0);
    sheet.into()
}
