//! The manifest as the plant needs it: which waybills are on the parcels.

use serde::Deserialize;
use std::io::Read;

/// One parcel that the plant may put onto the line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Item {
    /// What its label says; other columns of the manifest are no business of the plant.
    pub waybill: String,
}

/// Why a manifest cannot be read.
#[derive(Debug)]
pub enum ManifestError {
    /// A row does not fit; the source names its line.
    Row(csv::Error),
    /// It has no rows.
    Empty,
}

impl core::fmt::Display for ManifestError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Row(error) => write!(f, "read the manifest: {error}"),
            Self::Empty => write!(f, "read the manifest: it has no rows"),
        }
    }
}

impl std::error::Error for ManifestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Row(error) => Some(error),
            Self::Empty => None,
        }
    }
}

/// Reads a manifest CSV by its `waybill` column.
///
/// # Errors
/// The first row that does not fit, or that there is none.
pub fn read_manifest(csv: impl Read) -> Result<Vec<Item>, ManifestError> {
    let rows = csv::Reader::from_reader(csv)
        .deserialize()
        .collect::<Result<Vec<Item>, _>>()
        .map_err(ManifestError::Row)?;
    if rows.is_empty() { Err(ManifestError::Empty) } else { Ok(rows) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waybill_column_is_found_wherever_it_stands() {
        let items = read_manifest("carrier,waybill,x\nyto,YT1,1\nsto,77,2\n".as_bytes());
        let codes: Vec<String> =
            items.expect("rows").into_iter().map(|item| item.waybill).collect();
        assert_eq!(codes, ["YT1", "77"]);
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        let fault = read_manifest("carrier\nyto\n".as_bytes()).expect_err("no column").to_string();
        assert!(fault.contains("waybill"), "{fault}");
        assert!(matches!(read_manifest("waybill\n".as_bytes()), Err(ManifestError::Empty)));
    }
}
