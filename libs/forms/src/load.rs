//! From files to forms: reading, putting blocks in, checking types and cycles.

pub(crate) mod assemble;
pub(crate) mod blocks;
pub(crate) mod checks;
pub(crate) mod editions;
pub(crate) mod guidelines;
mod lens;
pub(crate) mod order;
mod rows;
pub(crate) mod source;
pub(crate) mod translate;
pub(crate) mod visas;

use crate::catalogue::LoadError;
use crate::expr::Node;
use crate::expr::parse::{Fault, parse};
use serde::de::DeserializeOwned;
use toml::Spanned;

/// A file of the catalogue: its name and its text.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl File {
    /// Whether it stands in a folder of the catalogue's.
    pub(crate) fn is_under(&self, folder: &str) -> bool {
        self.name.split_once('/').is_some_and(|(under, _)| under == folder)
    }

    /// Line and column (both from 1) of a byte.
    fn position(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte.min(self.text.len())).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
        (line, column)
    }

    /// What is written in it.
    pub(crate) fn read<T: DeserializeOwned>(&self, errors: &mut Vec<LoadError>) -> Option<T> {
        match toml::from_str(&self.text) {
            Ok(read) => Some(read),
            Err(error) => {
                let byte = error.span().map_or(0, |span| span.start);
                errors.push(self.error("", byte, error.message()));
                None
            }
        }
    }

    pub(crate) fn error(&self, id: &str, byte: usize, message: impl Into<String>) -> LoadError {
        let (line, column) = self.position(byte);
        LoadError { file: self.name.clone(), id: id.to_owned(), line, column, message: message.into() }
    }
}

/// An expression with the place it came from.
#[derive(Debug, Clone)]
pub(crate) struct Placed<'a> {
    pub(crate) node: Node,
    pub(crate) file: &'a File,
    pub(crate) byte: usize,
}

impl<'a> Placed<'a> {
    /// Reads an expression; the opening quotation mark is one byte.
    pub(crate) fn read(file: &'a File, id: &str, text: &Spanned<String>) -> Result<Self, LoadError> {
        let byte = text.span().start + 1;
        match parse(text.get_ref()) {
            Ok(node) => Ok(Self { node, file, byte }),
            Err(fault) => Err(file.error(id, byte + fault.at, fault.message)),
        }
    }

    pub(crate) fn of(&self, node: Node) -> Self {
        Self { node, file: self.file, byte: self.byte }
    }

    pub(crate) fn error(&self, id: &str, fault: &Fault) -> LoadError {
        self.file.error(id, self.byte + fault.at, fault.message.clone())
    }
}
