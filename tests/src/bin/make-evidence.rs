//! Makes the evidence files of the stories: small true JPEGs and PDFs, plainly specimens.
use anyhow::{Context, Result};
use image::{ImageFormat, Rgb, RgbImage};
use lopdf::content::{Content, Operation};
use lopdf::{Document, Object, Stream, dictionary};
use std::path::Path;

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).context("usage: make-evidence FOLDER")?;
    let folder = Path::new(&folder);
    card(&folder.join("green-card-front.jpg"), [40, 110, 80])?;
    card(&folder.join("green-card-back.jpg"), [60, 80, 120])?;
    pdf(&folder.join("tax-transcript.pdf"), "SPECIMEN: tax transcript of an invented person")?;
    std::fs::write(folder.join("not-a-picture.jpg"), "#!/bin/sh\necho this is no picture\n")?;
    Ok(())
}

/// A card-shaped picture with stripes.
fn card(path: &Path, [r, g, b]: [u8; 3]) -> Result<()> {
    let picture = RgbImage::from_fn(428, 270, |x, y| {
        let stripe = if (x / 24 + y / 24) % 2 == 0 { 0 } else { 24 };
        Rgb([r + stripe, g + stripe, b + stripe])
    });
    picture.save_with_format(path, ImageFormat::Jpeg)?;
    Ok(())
}

/// One page with one line.
fn pdf(path: &Path, line: &str) -> Result<()> {
    let mut document = Document::with_version("1.7");
    let pages = document.new_object_id();
    let font = document
        .add_object(dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica" });
    let resources = document.add_object(dictionary! { "Font" => dictionary! { "F1" => font } });
    let operations = vec![
        Operation::new("BT", vec![]),
        Operation::new("Tf", vec!["F1".into(), 14.into()]),
        Operation::new("Td", vec![72.into(), 700.into()]),
        Operation::new("Tj", vec![Object::string_literal(line)]),
        Operation::new("ET", vec![]),
    ];
    let content = document.add_object(Stream::new(dictionary! {}, Content { operations }.encode()?));
    let page = document.add_object(dictionary! {
        "Type" => "Page", "Parent" => pages, "Contents" => content, "Resources" => resources,
        "MediaBox" => vec![0.into(), 0.into(), 612.into(), 792.into()],
    });
    let tree = dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 };
    document.objects.insert(pages, Object::Dictionary(tree));
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => pages });
    document.trailer.set("Root", catalog);
    document.save(path)?;
    Ok(())
}
