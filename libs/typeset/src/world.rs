//! What a template can reach: what it imports, its data and the fonts; no file, no network, no clock.

use std::sync::Arc;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Dict, Duration, IntoValue as _};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt as _, World};

use crate::Template;
use crate::fonts::Fonts;

/// One paper being set.
pub(crate) struct PaperWorld {
    library: LazyHash<Library>,
    fonts: Arc<Fonts>,
    main: Source,
    imports: Vec<Source>,
}

impl PaperWorld {
    /// `data` is JSON, which templates only ever see as values: nothing in it is read as markup.
    pub(crate) fn new(fonts: Arc<Fonts>, template: Template<'_>, data: String) -> Self {
        let mut inputs = Dict::new();
        inputs.insert(template.input.into(), data.into_value());
        let imports = template.imports.iter();
        Self {
            library: LazyHash::new(Library::builder().with_inputs(inputs).build()),
            fonts,
            main: Source::new(file("main.typ"), template.main.to_owned()),
            imports: imports.map(|(name, text)| Source::new(file(name), (*text).to_owned())).collect(),
        }
    }
}

fn file(name: &str) -> FileId {
    let path = VirtualPath::new(name).expect("a plain file name is a path");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

impl World for PaperWorld {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.fonts.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        std::iter::once(&self.main)
            .chain(&self.imports)
            .find(|source| source.id() == id)
            .cloned()
            .ok_or(FileError::AccessDenied)
    }

    fn file(&self, _id: FileId) -> FileResult<Bytes> {
        Err(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.fonts.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}
