//! The folder from which a service reads the catalogue when it starts: a new form is a new file there.

use std::path::PathBuf;

use serde::Deserialize;

use crate::{Catalogue, LoadError};

/// Where the catalogue is, as a service is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueFolder {
    /// Folder with the forms' data files.
    pub dir: PathBuf,
}

/// A catalogue with faults: nothing of it is used.
#[derive(Debug, thiserror::Error)]
#[error("the catalogue in {}:\n{}", .dir.display(), lines(.faults))]
pub struct Unreadable {
    dir: PathBuf,
    faults: Vec<LoadError>,
}

fn lines(faults: &[LoadError]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl CatalogueFolder {
    /// Reads it.
    ///
    /// # Errors
    /// Everything that is wrong in any of its files, a line each.
    pub fn open(&self) -> Result<Catalogue, Unreadable> {
        Catalogue::load(&self.dir).map_err(|faults| Unreadable { dir: self.dir.clone(), faults })
    }
}
