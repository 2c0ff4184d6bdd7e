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

/// A whole picture with the standard test signature of virus scanners behind its end.
pub(crate) fn infected() -> Vec<u8> {
    let mut bytes = picture(9);
    // In two halves so that no scanner objects to this source.
    bytes.extend_from_slice(br"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR");
    bytes.extend_from_slice(b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*");
    bytes
}
