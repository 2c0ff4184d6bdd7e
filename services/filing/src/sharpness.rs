//! Whether a page, as it is drawn, is blurred, or has content that runs off an edge.
//!
//! Sharpness is the variance of the Laplacian (how much each dot differs from those around it), against the variance of the shades
//! themselves: so it hangs neither on how much is written nor on how dark the ink is. It is taken of small squares, of those only
//! that say something, and what a grain of the paper or of the camera makes is left out.

use image::GrayImage;

/// Dots of the side of a square.
const SQUARE: u32 = 32;
/// A square whose lightest and darkest dot differ by fewer of 256 shades says nothing.
const SAYS: u8 = 48;
/// A page on which fewer squares say something is not judged.
const FEW_SQUARES: usize = 6;
/// What differs from its neighbours by less than this part of its square's contrast is grain, or an edge that is spread over many
/// dots.
const GRAIN: u8 = 8;
/// A page is blurred when nine in ten of its squares are below this, in thousandths: letters in focus have some hundreds, large shapes
/// some tens, and either a few when they are spread over three dots.
const SHARP: u64 = 8;

/// Paper is lighter than this, and so is most of the page, within so many shades.
const PAPER: (u8, u8) = (128, 24);
/// Ink is darker than the paper by so many shades.
const INK: u8 = 60;
/// So many dots from the edge it is looked for.
const DEPTH: u32 = 2;
/// A run of ink along the edge is of a letter when it has two dots at least, and this part of the edge at most: what is longer is the
/// border of a scan or of a table.
const LETTER: u32 = 40;
/// So many such runs along one edge are cut letters, and not holes or specks.
const CUT_LETTERS: usize = 5;

/// Whether hardly anything on the page is sharp.
pub(crate) fn is_blurred(page: &GrayImage) -> bool {
    sharpness(page).is_some_and(|sharpness| sharpness < SHARP)
}

/// The sharpness of the sharpest tenth of the page, in thousandths; nothing where too little says something.
fn sharpness(page: &GrayImage) -> Option<u64> {
    let rows = (1..page.height().saturating_sub(SQUARE)).step_by(SQUARE as usize);
    let columns = || (1..page.width().saturating_sub(SQUARE)).step_by(SQUARE as usize);
    let squares = rows.flat_map(|y| columns().map(move |x| (x, y)));
    let mut all: Vec<u64> = squares.filter_map(|at| of_square(page, at)).collect();
    all.sort_unstable();
    all.get(all.len() * 9 / 10).copied().filter(|_| all.len() >= FEW_SQUARES)
}

/// The same of a square; nothing where it says nothing. All around it are dots.
fn of_square(page: &GrayImage, (left, top): (u32, u32)) -> Option<u64> {
    let shade = |x: u32, y: u32| page.get_pixel(x, y).0[0];
    let dots = || (top..top + SQUARE).flat_map(|y| (left..left + SQUARE).map(move |x| (x, y)));
    let (mut least, mut most) = (u8::MAX, u8::MIN);
    let (mut sum, mut squares) = (0_u64, 0_u64);
    for (x, y) in dots() {
        let here = shade(x, y);
        (least, most) = (least.min(here), most.max(here));
        (sum, squares) = (sum + u64::from(here), squares + u64::from(here) * u64::from(here));
    }
    let contrast = most - least;
    if contrast < SAYS {
        return None;
    }
    let edges = dots().map(|(x, y)| {
        let around = [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)];
        let around: u16 = around.into_iter().map(|(x, y)| u16::from(shade(x, y))).sum();
        u64::from((4 * u16::from(shade(x, y))).abs_diff(around))
    });
    let grain = u64::from(contrast / GRAIN);
    let edges: u64 = edges.filter(|edge| *edge > grain).map(|edge| edge * edge).sum();
    let variance = squares - sum * sum / u64::from(SQUARE * SQUARE);
    Some(edges * 1_000 / variance.max(1))
}

/// Whether letters run off an edge of the page, which is mostly paper.
pub(crate) fn is_cut(page: &GrayImage) -> bool {
    let (width, height) = page.dimensions();
    let Some(paper) = paper(page).filter(|_| width.min(height) > 4 * LETTER) else { return false };
    let along = |x: u32, y: u32| page.get_pixel(x, y).0[0];
    let rows = [DEPTH, height - 1 - DEPTH].map(|y| letters((0..width).map(|x| along(x, y)), paper, width));
    let columns =
        [DEPTH, width - 1 - DEPTH].map(|x| letters((0..height).map(|y| along(x, y)), paper, height));
    rows.into_iter().chain(columns).any(|letters| letters >= CUT_LETTERS)
}

/// The shade of the paper; nothing where the page is no sheet of paper with something on it.
fn paper(page: &GrayImage) -> Option<u8> {
    let mut shades: Vec<u8> = page.pixels().map(|dot| dot.0[0]).collect();
    let middle = shades.len() / 2;
    let paper = *shades.select_nth_unstable(middle).1;
    let (least, near) = PAPER;
    let of_paper = shades.iter().filter(|shade| shade.abs_diff(paper) <= near).count();
    (paper >= least && of_paper * 10 >= shades.len() * 6).then_some(paper)
}

/// How many runs of ink along an edge are as long as a letter.
fn letters(edge: impl Iterator<Item = u8>, paper: u8, length: u32) -> usize {
    let (mut letters, mut run) = (0, 0);
    for shade in edge.chain([paper]) {
        if paper.saturating_sub(shade) >= INK {
            run += 1;
        } else {
            letters += usize::from((2..=length / LETTER).contains(&run));
            run = 0;
        }
    }
    letters
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma, imageops};

    use super::*;

    const SIDES: (u32, u32) = (1_236, 1_600);

    /// Numbers that look like chance.
    fn mixed(a: u32, b: u32) -> u32 {
        let mixed = (a.wrapping_mul(0x9e37_79b1) ^ b.wrapping_mul(0x85eb_ca6b)).wrapping_mul(0xc2b2_ae35);
        mixed ^ (mixed >> 15)
    }

    /// A sheet full of lines of letters, of which each is some of five by seven strokes, from a margin on.
    fn text((ink, paper): (u8, u8), stroke: u32, margin: (u32, u32)) -> GrayImage {
        let (cell, line) = (6 * stroke, 16 * stroke);
        GrayImage::from_fn(SIDES.0, SIDES.1, |x, y| {
            let Some((x, y)) = x.checked_sub(margin.0).zip(y.checked_sub(margin.1)) else {
                return Luma([paper]);
            };
            let inside = x + 2 * margin.0 < SIDES.0 && y + 2 * margin.1 < SIDES.1;
            let (column, row) = (x % cell / stroke, y % line / stroke);
            let letter = mixed(x / cell, y / line);
            let inked = column < 5 && row < 7 && (letter >> ((column + 5 * row) % 29)) & 1 == 1;
            Luma([if inside && inked && !letter.is_multiple_of(6) { ink } else { paper }])
        })
    }

    /// Something like a photograph: light that changes, shapes with edges, a grain.
    fn photograph() -> GrayImage {
        GrayImage::from_fn(1_600, 1_200, |x, y| {
            let ball = |cx: u32, cy: u32, r: u32| x.abs_diff(cx).pow(2) + y.abs_diff(cy).pow(2) < r * r;
            let light = (x / 16 + y / 20) % 160;
            let shape = u32::from(ball(500, 500, 300)) * 70 + u32::from(ball(1_100, 700, 180)) * 50;
            let hair = u32::from((400..900).contains(&y) && mixed(x / 3, y / 40).is_multiple_of(5)) * 40;
            Luma([(light + shape + mixed(x, y) % 9 - hair.min(light)).to_le_bytes()[0]])
        })
    }

    fn blurred(page: &GrayImage, dots: f32) -> GrayImage {
        if dots < 2.0 { imageops::blur(page, dots) } else { imageops::fast_blur(page, dots) }
    }

    #[test]
    fn what_is_in_focus_is_told_from_what_is_not() {
        let small = text((30, 245), 2, (120, 120));
        let large = text((30, 245), 5, (120, 120));
        let faint = text((130, 215), 2, (120, 120));
        for (name, page) in
            [("small", &small), ("large", &large), ("faint", &faint), ("photograph", &photograph())]
        {
            let sharp = sharpness(page).expect("it says something");
            // Through a lens that spreads each dot a little, as all do.
            let lens = sharpness(&blurred(page, 0.6)).unwrap();
            let out_of_focus = sharpness(&blurred(page, 4.0));
            println!("{name}: {sharp}, through a lens {lens}, out of focus {out_of_focus:?}");
            assert!(!is_blurred(page) && lens >= 2 * SHARP, "{name}: {sharp}, {lens}");
            assert!(out_of_focus.is_none_or(|sharpness| 2 * sharpness <= SHARP), "{name}: {out_of_focus:?}");
        }
        assert!(is_blurred(&blurred(&small, 3.0)) && is_blurred(&blurred(&large, 4.0)));
    }

    #[test]
    fn where_nothing_is_written_nothing_is_blurred() {
        let empty = GrayImage::from_pixel(SIDES.0, SIDES.1, Luma([250]));
        let grain =
            GrayImage::from_fn(SIDES.0, SIDES.1, |x, y| Luma([240 + mixed(x, y).to_le_bytes()[0] % 12]));
        let tiny = GrayImage::from_pixel(3, 200, Luma([0]));
        for page in [&empty, &grain, &tiny] {
            assert_eq!(sharpness(page), None);
            assert!(!is_blurred(page) && !is_cut(page));
        }
    }

    #[test]
    fn lines_that_run_off_an_edge_are_noticed() {
        let whole = text((30, 245), 2, (120, 120));
        assert!(!is_cut(&whole), "it has a margin all around");
        let (width, height) = SIDES;
        // From the middle of the letters on, on each side.
        for (left, top, right, bottom) in
            [(300, 0, width, height), (0, 300, width, height), (0, 0, 700, height), (0, 0, width, 710)]
        {
            // Where the cut goes between two lines nothing is seen of it: one of several does not.
            let cut = |by: u32| {
                let (left, top) = (left + by * u32::from(left > 0), top + by * u32::from(top > 0));
                let (right, bottom) =
                    (right - by * u32::from(right < width), bottom - by * u32::from(bottom < height));
                imageops::crop_imm(&whole, left, top, right - left, bottom - top).to_image()
            };
            assert!([0, 5, 11].into_iter().any(|by| is_cut(&cut(by))), "{left} {top} {right} {bottom}");
        }
    }

    #[test]
    fn a_border_holes_and_a_photograph_are_no_cut_lines() {
        let whole = text((30, 245), 2, (120, 120));
        let mut border = whole.clone();
        let mut holes = whole.clone();
        for y in 0..SIDES.1 {
            for x in 0..6 {
                border.put_pixel(x, y, Luma([20]));
                if y % 400 > 370 {
                    holes.put_pixel(x, y, Luma([20]));
                }
            }
        }
        for page in [&border, &holes, &photograph()] {
            assert!(!is_cut(page));
        }
    }
}
