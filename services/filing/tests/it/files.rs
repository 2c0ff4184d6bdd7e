//! Files to upload.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage};

/// A picture of random dots, so large that it takes several frames; `seed` makes it another one.
pub(crate) fn picture(seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    let dots = RgbImage::from_fn(420, 420, |_, _| {
        let mut dot = [0_u8; 3];
        for part in &mut dot {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            *part = state.to_le_bytes()[0];
        }
        image::Rgb(dot)
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(dots).write_to(&mut bytes, ImageFormat::Png).expect("a picture can be written");
    bytes.into_inner()
}

/// A sheet of so many dots an inch with a line of letters, as thin strokes, in one shade on another.
pub(crate) fn sheet(dots_per_inch: u32, (ink, paper): (u8, u8)) -> Vec<u8> {
    let (width, height) = (dots_per_inch * 17 / 2, dots_per_inch * 11);
    let (top, stroke) = (height / 3, dots_per_inch / 50);
    let dots = RgbImage::from_fn(width, height, |x, y| {
        let line = (top..top + dots_per_inch / 8).contains(&y) && (width / 5..width * 4 / 5).contains(&x);
        image::Rgb([if line && x % (6 * stroke) < stroke { ink } else { paper }; 3])
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(dots).write_to(&mut bytes, ImageFormat::Png).expect("a picture can be written");
    bytes.into_inner()
}

/// A whole picture of so many bytes, most of them behind its end; as many bytes of nothing when no picture is so small.
pub(crate) fn sized(size: usize, seed: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(RgbImage::new(3, 3)).write_to(&mut bytes, ImageFormat::Png).expect("a picture");
    let mut bytes = bytes.into_inner();
    if size < bytes.len() {
        return vec![0; size];
    }
    let mut state = seed.max(1);
    bytes.resize_with(size, || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    });
    bytes
}

/// A whole picture with the standard test signature of virus scanners behind its end.
pub(crate) fn infected() -> Vec<u8> {
    let mut bytes = picture(9);
    // In two halves so that no scanner objects to this source.
    bytes.extend_from_slice(br"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR");
    bytes.extend_from_slice(b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*");
    bytes
}
