//! Where the buses can be reached: links to the pseudo-terminals and `endpoints.json`.

use super::ServeError;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The endpoints of a run; dropping them removes what was made.
#[derive(Debug)]
pub(super) struct Endpoints {
    dir: PathBuf,
    /// Bus name to path or address.
    buses: BTreeMap<String, String>,
    made: Vec<PathBuf>,
}

impl Endpoints {
    /// Makes the directory.
    pub(super) fn prepare(dir: &Path) -> Result<Self, ServeError> {
        let fault = |source| ServeError::Directory { path: dir.to_owned(), source };
        std::fs::create_dir_all(dir).map_err(fault)?;
        let dir = dir.canonicalize().map_err(fault)?;
        Ok(Self { dir, buses: BTreeMap::new(), made: Vec::new() })
    }

    /// Links a serial bus's terminal as `<bus>.tty`; a link left by an earlier run is replaced.
    pub(super) fn serial(&mut self, bus: &str, terminal: &Path) -> Result<PathBuf, ServeError> {
        let link = self.dir.join(format!("{bus}.tty"));
        match std::fs::symlink_metadata(&link) {
            Ok(found) if found.is_symlink() => std::fs::remove_file(&link)
                .map_err(|source| ServeError::Write { path: link.clone(), source })?,
            Ok(_) => return Err(ServeError::Occupied { path: link }),
            Err(_) => {}
        }
        symlink(terminal, &link)
            .map_err(|source| ServeError::Write { path: link.clone(), source })?;
        self.buses.insert(bus.to_owned(), link.display().to_string());
        self.made.push(link.clone());
        Ok(link)
    }

    /// Enters a TCP bus.
    pub(super) fn network(&mut self, bus: &str, address: SocketAddr) {
        self.buses.insert(bus.to_owned(), address.to_string());
    }

    /// Writes `endpoints.json` as a whole and prints it: the line is ready.
    pub(super) fn publish(&mut self) -> Result<(), ServeError> {
        let path = self.dir.join("endpoints.json");
        let text = serde_json::to_string(&self.buses).map_err(io::Error::from);
        let written = text.and_then(|text| {
            let draft = self.dir.join("endpoints.json.new");
            std::fs::write(&draft, format!("{text}\n"))?;
            std::fs::rename(&draft, &path)?;
            writeln!(io::stdout(), "{text}")
        });
        self.made.push(path.clone());
        written.map_err(|source| ServeError::Write { path, source })
    }
}

impl Drop for Endpoints {
    fn drop(&mut self) {
        for path in &self.made {
            // A link is gone while its port is unplugged.
            if std::fs::symlink_metadata(path).is_ok()
                && let Err(error) = std::fs::remove_file(path)
            {
                eprintln!("sortline-sim: {} stays behind: {error}", path.display());
            }
        }
    }
}
