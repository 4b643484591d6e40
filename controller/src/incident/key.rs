//! The site's key: made once, kept beside the journal, never exported.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Name of the key's file in the data directory.
pub const FILE: &str = "site.key";
/// The operating system's source of random bytes.
const RANDOM: &str = "/dev/urandom";

/// Why there is no key.
#[derive(Debug)]
pub enum KeyFault {
    /// A file cannot be read or made.
    System {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what this program makes.
    Form {
        /// Which file.
        path: PathBuf,
        /// Its length in bytes.
        length: usize,
    },
}

impl std::fmt::Display for KeyFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::System { path, source } => {
                write!(f, "use the site's key {}: {source}", path.display())
            }
            Self::Form { path, length } => {
                write!(f, "use the site's key {}: it has {length} bytes, not 32", path.display())
            }
        }
    }
}

impl std::error::Error for KeyFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::System { source, .. } => Some(source),
            Self::Form { .. } => None,
        }
    }
}

/// Reads the key of a data directory; `None` when there is none yet.
///
/// # Errors
/// When it cannot be read or is no key.
pub fn read(data: &Path) -> Result<Option<[u8; 32]>, KeyFault> {
    let path = data.join(FILE);
    match std::fs::read(&path) {
        Ok(bytes) => match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(key) => Ok(Some(key)),
            Err(_) => Err(KeyFault::Form { path, length: bytes.len() }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(KeyFault::System { path, source }),
    }
}

/// Reads the key, or makes one that only the daemon's user can read.
///
/// # Errors
/// When it can be neither read nor made.
pub fn read_or_make(data: &Path) -> Result<[u8; 32], KeyFault> {
    if let Some(key) = read(data)? {
        return Ok(key);
    }
    let path = data.join(FILE);
    make(data, &path).map_err(|source| KeyFault::System { path, source })
}

/// A key that nobody has, for what needs one only as long as it runs.
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn drawn() -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    File::open(RANDOM)?.read_exact(&mut key)?;
    Ok(key)
}

/// Writes it under another name first: a key that is half there would lock the site out.
fn make(data: &Path, path: &Path) -> io::Result<[u8; 32]> {
    let key = drawn()?;
    let making = path.with_extension("new");
    match std::fs::remove_file(&making) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = File::options().create_new(true).write(true).mode(0o600).open(&making)?;
    file.write_all(&key)?;
    file.sync_all()?;
    std::fs::rename(&making, path)?;
    File::open(data)?.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_key_is_made_once_and_for_one_user() {
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(read(dir.path()).expect("readable"), None);
        let key = read_or_make(dir.path()).expect("made");
        assert_ne!(key, [0; 32]);
        assert_eq!(read_or_make(dir.path()).expect("read"), key);
        assert_eq!(read(dir.path()).expect("read"), Some(key));
        let mode = std::fs::metadata(dir.path().join(FILE)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(dir.path().join(FILE), b"short").expect("writable");
        assert!(matches!(read_or_make(dir.path()), Err(KeyFault::Form { length: 5, .. })));
    }
}
