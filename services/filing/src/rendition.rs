//! The picture of a page, packed for those who look at it. It is made of dots alone: nothing else of the file is in it.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ImageResult, RgbImage};

use crate::page::Drawing;

/// How alike a JPEG is, of 100.
const QUALITY: u8 = 85;

/// A picture of a page.
pub(crate) struct Rendition {
    pub(crate) bytes: Vec<u8>,
    pub(crate) media_type: &'static str,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) page_count: u32,
    pub(crate) incomplete: bool,
}

impl Rendition {
    /// Packs a page: as PNG, which keeps letters sharp; what then takes more than a byte a dot is a photograph, or the scan of a
    /// paper in colour, and goes as JPEG.
    ///
    /// # Errors
    /// It cannot be packed.
    pub(crate) fn of(drawing: Drawing) -> ImageResult<Self> {
        let Drawing { dots, page_count, incomplete } = drawing;
        let (width, height) = dots.dimensions();
        let png = png(&dots)?;
        let (bytes, media_type) = if png.len() > dots.as_raw().len() / 3 {
            (jpeg(&dots)?, "image/jpeg")
        } else {
            (png, "image/png")
        };
        Ok(Self { bytes, media_type, width, height, page_count, incomplete })
    }
}

fn png(dots: &RgbImage) -> ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    dots.write_with_encoder(PngEncoder::new_with_quality(
        &mut bytes,
        CompressionType::Fast,
        FilterType::Adaptive,
    ))?;
    Ok(bytes)
}

fn jpeg(dots: &RgbImage) -> ImageResult<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    dots.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY))?;
    Ok(bytes.into_inner())
}
