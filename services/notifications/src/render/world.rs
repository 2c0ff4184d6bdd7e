//! What a template can reach: its frame, its data and the fonts; no file, no network, no clock.

use std::sync::Arc;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Dict, Duration, IntoValue as _};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt as _, World};

use super::FRAME;
use super::fonts::Fonts;

/// One notice being set.
pub(super) struct NoticeWorld {
    library: LazyHash<Library>,
    fonts: Arc<Fonts>,
    main: Source,
    frame: Source,
}

impl NoticeWorld {
    /// `data` is JSON, which templates only ever see as values: nothing in it is read as markup.
    pub(super) fn new(fonts: Arc<Fonts>, template: &str, data: String) -> Self {
        let mut inputs = Dict::new();
        inputs.insert("notice".into(), data.into_value());
        Self {
            library: LazyHash::new(Library::builder().with_inputs(inputs).build()),
            fonts,
            main: Source::new(file("notice.typ"), template.to_owned()),
            frame: Source::new(file("frame.typ"), FRAME.to_owned()),
        }
    }
}

fn file(name: &str) -> FileId {
    let path = VirtualPath::new(name).expect("a plain file name is a path");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

impl World for NoticeWorld {
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
        [&self.main, &self.frame]
            .into_iter()
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
