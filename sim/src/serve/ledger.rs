//! The truth file: one JSON line for each parcel that has ended.

use super::ServeError;
use line_sim::{Truth, TruthLine};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Appends parcels to the truth file as they end.
#[derive(Debug)]
pub(super) struct Ledger {
    file: Option<(File, PathBuf)>,
    /// Parcels seen that have not ended.
    open: Vec<usize>,
    seen: usize,
}

impl Ledger {
    /// Opens the file for appending; without a path nothing is written.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, ServeError> {
        let file = match path {
            Some(path) => {
                let file = OpenOptions::new().create(true).append(true).open(path);
                let fault = |source| ServeError::Write { path: path.to_owned(), source };
                Some((file.map_err(fault)?, path.to_owned()))
            }
            None => None,
        };
        Ok(Self { file, open: Vec::new(), seen: 0 })
    }

    /// Writes what has ended since the last call, in order of the parcels.
    pub(super) fn write(&mut self, truth: &Truth) -> Result<(), ServeError> {
        let Some((file, path)) = &mut self.file else { return Ok(()) };
        self.open.extend(self.seen..truth.parcels.len());
        self.seen = truth.parcels.len();
        let mut lines = Vec::new();
        self.open.retain(|index| {
            let Some(parcel) = truth.parcels.get(*index) else { return true };
            if parcel.is_final() {
                lines.push(TruthLine::of(parcel));
            }
            !parcel.is_final()
        });
        let append = |file: &mut File| {
            for line in &lines {
                // One write for each line: a reader never sees half of one.
                let mut text = serde_json::to_vec(line).map_err(io::Error::from)?;
                text.push(b'\n');
                file.write_all(&text)?;
            }
            file.flush()
        };
        append(file).map_err(|source| ServeError::Write { path: path.clone(), source })
    }
}
