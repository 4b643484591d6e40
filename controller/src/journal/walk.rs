//! Going over records in order, file by file, and proving every link on the way.

use std::path::{Path, PathBuf};

use line_engine::chain::Head;
use rusqlite::Connection;

use super::begin;
use super::{JournalFault, files};

/// Bytes of the head that stand beside each record.
pub(super) const LINK: usize = 8;

/// A position in the chain.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    number: u64,
    /// Behind `number`: the head of that record, or the opening of a file that begins there.
    head: Head,
    /// The head behind record `number` itself, for the joint to the next file.
    behind: Head,
    /// The file that it is in; entering another one proves the joint.
    file: Option<PathBuf>,
    heads: u64,
}

impl Walk {
    /// Stands behind record `number`, where the next link is made from `head`, before any file.
    pub(super) const fn from(number: u64, head: Head) -> Self {
        Self { number, head, behind: head, file: None, heads: 0 }
    }

    /// Stands behind record `number` in a file, where the next link is made from `head`.
    pub(super) fn within(
        connection: &Connection,
        path: &Path,
        number: u64,
        head: Head,
    ) -> Result<Self, JournalFault> {
        let beginning = begin::read(connection, path)?;
        let behind = if number == beginning.last_record { beginning.head } else { head };
        Ok(Self { number, head, behind, file: Some(path.to_owned()), heads: 0 })
    }

    /// The record that it stands behind.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// The chain's head behind that record.
    pub(super) const fn behind(&self) -> Head {
        self.behind
    }

    /// Heads that were compared.
    pub(super) const fn heads(&self) -> u64 {
        self.heads
    }

    /// Goes to the end of a file and hands every record behind the position to `each`: its number,
    /// its bytes, the chain's head behind it.
    pub(super) fn file(
        &mut self,
        connection: &Connection,
        path: &Path,
        mut each: impl FnMut(u64, &[u8], Head) -> Result<(), JournalFault>,
    ) -> Result<(), JournalFault> {
        if self.file.as_deref() != Some(path) {
            self.join(connection, path)?;
        }
        let next = self.number + 1;
        let broken = |record, source| JournalFault::Unreadable {
            path: path.to_owned(),
            record: Some(record),
            source,
        };
        let mut rows = connection
            .prepare(
                "SELECT records.number, at_us, bytes, link, head FROM records
                 LEFT JOIN heads ON heads.number = records.number
                 WHERE records.number > ?1 ORDER BY records.number",
            )
            .map_err(|source| broken(next, source))?;
        let mut rows = rows.query([self.number]).map_err(|source| broken(next, source))?;
        let mut open = false;
        loop {
            let expected = self.number + 1;
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(source) => return Err(broken(expected, source)),
            };
            open = self.step(row, path, expected, &mut each)?;
        }
        if open {
            return Err(JournalFault::Chain { path: path.to_owned(), number: self.number });
        }
        Ok(())
    }

    /// Takes one row; whether its record is without a head.
    fn step(
        &mut self,
        row: &rusqlite::Row<'_>,
        path: &Path,
        expected: u64,
        each: &mut impl FnMut(u64, &[u8], Head) -> Result<(), JournalFault>,
    ) -> Result<bool, JournalFault> {
        let broken = |source| JournalFault::Unreadable {
            path: path.to_owned(),
            record: Some(expected),
            source,
        };
        let found: u64 = row.get(0).map_err(broken)?;
        if found != expected {
            return Err(JournalFault::Gap { path: path.to_owned(), expected, found });
        }
        let altered = || JournalFault::Altered { path: path.to_owned(), number: expected };
        let at: u64 = row.get(1).map_err(broken)?;
        // A value of another type was altered too.
        let bytes = row.get_ref(2).map_err(broken)?.as_blob().map_err(|_| altered())?;
        let link = row.get_ref(3).map_err(broken)?.as_blob().map_err(|_| altered())?;
        let head = row.get_ref(4).map_err(broken)?.as_blob_or_null().map_err(|_| altered())?;
        let mut next = self.head;
        next.extend(bytes);
        if link != &next.0[..LINK] || !stands_at(bytes, expected, at) {
            return Err(altered());
        }
        if let Some(head) = head {
            if head != next.0 {
                return Err(JournalFault::Chain { path: path.to_owned(), number: expected });
            }
            self.heads += 1;
        }
        (self.number, self.head, self.behind) = (expected, next, next);
        each(expected, bytes, next)?;
        Ok(head.is_none())
    }

    /// Proves that a file begins where the position is, and goes behind its opening.
    fn join(&mut self, connection: &Connection, path: &Path) -> Result<(), JournalFault> {
        let joint = |what| JournalFault::Joint { path: path.to_owned(), what };
        let beginning = begin::read(connection, path)?;
        let before = self.file.as_deref().map(files::name);
        if before.is_some() && before != beginning.previous_file {
            let file = beginning.previous_file.unwrap_or_else(|| "nothing".to_owned());
            return Err(JournalFault::Absent { path: path.to_owned(), file });
        }
        if beginning.last_record != self.number {
            return Err(joint("the file before it ends with another record"));
        }
        if beginning.head != self.behind {
            return Err(joint("the file before it ends with another head"));
        }
        begin::check_opening(connection, &beginning, path)?;
        self.head = beginning.opening;
        self.file = Some(path.to_owned());
        Ok(())
    }
}

/// Whether a record's own bytes say the number and the instant that its row says. Every format of
/// a record begins with its version, its number and its instant.
fn stands_at(bytes: &[u8], number: u64, at: u64) -> bool {
    bytes.get(1..9) == Some(number.to_be_bytes().as_slice())
        && bytes.get(9..17) == Some(at.to_be_bytes().as_slice())
}
