//! A copy of the journal elsewhere, made while the daemon writes, and the way back.
//!
//! The copy is a data directory of its own: every reading command works on it. Its list of files
//! names each one's bytes and hash and the chain's head, so that a restore knows what it has.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use rusqlite::Connection;
use rusqlite::backup::Backup;
use serde::{Deserialize, Serialize};

use super::keeper::Seal;
use super::{JournalFault, files, verify};

/// Name of the list of files in a backup.
pub const LIST: &str = "backup.json";
/// Form of the list.
const FORM: u32 = 1;

/// The list of files of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupList {
    /// Form of this list.
    pub form: u32,
    /// When it was made.
    pub utc_us: u64,
    /// The last record.
    pub number: u64,
    /// The chain's head behind it, in hexadecimal digits.
    pub head: String,
    /// The files, oldest first.
    pub files: Vec<BackupFile>,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFile {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// blake3 of its bytes, in hexadecimal digits.
    pub blake3: String,
}

/// Copies the journal of `data` into the empty or new directory `to`.
///
/// # Errors
/// When `to` is not empty, or something cannot be read or written.
pub fn backup(data: &Path, to: &Path, utc_us: u64) -> Result<BackupList, JournalFault> {
    let list = files::list_some(data)?;
    must_be_empty(to)?;
    let directory = files::directory(to);
    std::fs::create_dir_all(&directory).map_err(JournalFault::system(&directory))?;
    // The newest first: what it knows as sealed will not change any more.
    let mut newest: Option<Connection> = None;
    for path in list.iter().rev() {
        let target = directory.join(files::name(path));
        match &newest {
            Some(newest) if is_sealed(newest, path)? => {
                std::fs::copy(path, &target).map_err(JournalFault::system(path))?;
            }
            Some(_) | None => copy_open(path, &target)?,
        }
        sync(&target)?;
        if newest.is_none() {
            newest = Some(files::open_to_read(&target)?);
        }
    }
    drop(newest);
    let head = verify::head(to, utc_us)?;
    let files = list.iter().map(|path| listed(&directory.join(files::name(path))));
    let list = BackupList {
        form: FORM,
        utc_us,
        number: head.number,
        head: head.head,
        files: files.collect::<Result<_, _>>()?,
    };
    let target = to.join(LIST);
    let text = serde_json::to_vec_pretty(&list).map_err(|error| bad(&target, &error))?;
    std::fs::write(&target, text).map_err(JournalFault::system(&target))?;
    sync(&target)?;
    files::sync_directory(&directory)?;
    files::sync_directory(to)?;
    Ok(list)
}

/// Brings a backup into the empty or new data directory `data`, after proving it whole.
///
/// # Errors
/// When the backup does not hold, `data` is not empty, or something cannot be read or written.
pub fn restore(from: &Path, data: &Path) -> Result<BackupList, JournalFault> {
    let path = from.join(LIST);
    let text = std::fs::read(&path).map_err(JournalFault::system(&path))?;
    let list: BackupList = serde_json::from_slice(&text).map_err(|error| bad(&path, &error))?;
    if list.form != FORM {
        return Err(bad(&path, &format!("its form is {}, not {FORM}", list.form)));
    }
    must_be_empty(data)?;
    let source = files::directory(from);
    let names = files::list_some(from)?.iter().map(|path| files::name(path)).collect::<Vec<_>>();
    if names != list.files.iter().map(|file| file.name.clone()).collect::<Vec<_>>() {
        return Err(bad(&path, &"it names other files than there are"));
    }
    for file in &list.files {
        let path = source.join(&file.name);
        if listed(&path)? != *file {
            return Err(bad(&path, &"its bytes are not those of the list"));
        }
    }
    verify::verify_with(from, Some((list.number, &list.head)))?;
    let part = data.join(format!("{}.part", files::DIRECTORY));
    std::fs::create_dir_all(&part).map_err(JournalFault::system(&part))?;
    for file in &list.files {
        let target = part.join(&file.name);
        std::fs::copy(source.join(&file.name), &target).map_err(JournalFault::system(&target))?;
        sync(&target)?;
        if listed(&target)? != *file {
            return Err(bad(&target, &"the copy is not what was copied"));
        }
    }
    files::sync_directory(&part)?;
    let target = files::directory(data);
    std::fs::rename(&part, &target).map_err(JournalFault::system(&target))?;
    files::sync_directory(data)?;
    Ok(list)
}

fn bad(path: &Path, why: &dyn std::fmt::Display) -> JournalFault {
    JournalFault::Backup { path: path.to_owned(), why: why.to_string() }
}

fn must_be_empty(directory: &Path) -> Result<(), JournalFault> {
    match std::fs::read_dir(directory) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(JournalFault::NotEmpty { path: directory.to_owned() }),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(JournalFault::Directory { path: directory.to_owned(), source }),
    }
}

fn is_sealed(newest: &Connection, path: &Path) -> Result<bool, JournalFault> {
    let seal = Seal::read(newest, &files::name(path));
    seal.map(|seal| seal.is_some()).map_err(JournalFault::unreadable(path))
}

/// Copies a file that may be written meanwhile, as it is at one instant.
fn copy_open(path: &Path, target: &Path) -> Result<(), JournalFault> {
    let unreadable = JournalFault::unreadable(path);
    let source = files::open_to_read(path)?;
    let mut copy = Connection::open(target).map_err(&unreadable)?;
    // All pages in one step: a writer's commit between two steps would begin it anew.
    Backup::new(&source, &mut copy).and_then(|all| all.step(-1)).map_err(&unreadable)?;
    copy.pragma_update(None, "journal_mode", "DELETE").map_err(&unreadable)?;
    copy.close().map_err(|(_, error)| unreadable(error))
}

fn sync(path: &Path) -> Result<(), JournalFault> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(JournalFault::system(path))
}

fn listed(path: &Path) -> Result<BackupFile, JournalFault> {
    let system = JournalFault::system(path);
    let bytes = std::fs::metadata(path).map_err(&system)?.len();
    let hash = Seal::of(path, &AtomicBool::new(false)).map_err(&system)?;
    let blake3 = hash.map(|seal| seal.hex()).unwrap_or_default();
    Ok(BackupFile { name: files::name(path), bytes, blake3 })
}
