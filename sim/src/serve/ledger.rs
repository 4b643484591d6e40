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

#[cfg(test)]
mod tests {
    use super::*;
    use line_sim::{BedFault, Packaging, Place, ReadTruth, TruthParcel};
    use units::{Counts, Micros};

    fn parcel(index: u64, place: Place) -> TruthParcel {
        TruthParcel {
            index,
            joined: None,
            again_of: None,
            lap_of: None,
            waybill: format!("YT{index}"),
            row: None,
            size_mm: [300, 200, 100],
            apparent_mm: 303,
            mass_g: 900,
            packaging: Packaging::PolyBag,
            fed_at: Micros(1),
            inducted_at: Some(Micros(2)),
            induct_count: Some(Counts(u32::MAX)),
            gap_mm: None,
            read: ReadTruth::Codes { codes: vec!["YT9".to_owned()], late: false },
            rescans: Vec::new(),
            place,
            landed_at: Some(Micros(3)),
            fault: Some(BedFault::HalfTurned(2)),
            contacts: Vec::new(),
        }
    }

    #[test]
    fn each_parcel_is_written_once_when_it_has_ended() {
        let name = format!("sortline-sim-ledger-{}.jsonl", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut ledger = Ledger::open(Some(&path)).expect("a temporary file");
        let parcels = vec![parcel(0, Place::OnLine), parcel(1, Place::End)];
        let mut truth = Truth { parcels, ..Truth::default() };
        ledger.write(&truth).expect("written");
        truth.parcels.push(parcel(2, Place::Waiting));
        truth.parcels[0].place = Place::Chute(7);
        ledger.write(&truth).expect("written");
        ledger.write(&truth).expect("written");
        let text = std::fs::read_to_string(&path).expect("readable");
        std::fs::remove_file(&path).expect("ours");
        let end = r#"{"index":1,"waybill":"YT1","row":null,"length_mm":300,"apparent_mm":303,"mass_g":900,"packaging":"poly_bag","inducted_at_us":2,"induct_count":4294967295,"read":{"result":"codes","codes":["YT9"],"late":false},"place":{"at":"end"},"landed_at_us":3,"fault":{"kind":"half_turned","diverter":2}}"#;
        let chute = end
            .replace(r#""index":1,"waybill":"YT1""#, r#""index":0,"waybill":"YT0""#)
            .replace(r#"{"at":"end"}"#, r#"{"at":"chute","chute":7}"#);
        assert_eq!(text, format!("{end}\n{chute}\n"));
    }
}
