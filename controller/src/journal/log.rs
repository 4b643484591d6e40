//! The write-ahead log's size: moved into the file off the hot path, bounded whatever readers do.
//!
//! The keeper copies the bulk while the writer goes on; the writer itself copies the small rest and
//! starts the log anew, and never waits for a reader in doing so. A reader that stays pins the log;
//! when it reaches its limit nothing more is committed until the reader is gone, and the engine
//! treats that like any disk that does not write.

use std::time::Duration;

use rusqlite::Connection;

use super::files;
use super::keeper::Keeper;
use super::store::Store;

/// Bytes of one frame: a page and its header.
const FRAME: u64 = 4_096 + 24;
/// Frames that the writer copies itself: a few milliseconds.
const REST_MAX: u64 = 256;
/// How far over its soft limit the log may grow while the keeper copies; then the writer copies.
const BEHIND_MAX: u64 = 4;

/// The log's length and how much of it stands in the file, in frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Length {
    log: u64,
    moved: u64,
    busy: bool,
}

fn checkpoint(connection: &Connection, how: &str) -> rusqlite::Result<Length> {
    // Numbers are -1 when there is no log.
    let count = |value: i64| u64::try_from(value).unwrap_or_default();
    connection.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |row| {
        Ok(Length {
            busy: row.get::<_, i64>(0)? != 0,
            log: count(row.get(1)?),
            moved: count(row.get(2)?),
        })
    })
}

/// Refuses while the log is at its limit and cannot be started anew.
pub(super) fn before_commit(store: &Store) -> Result<(), String> {
    let connection = &store.connection;
    let length = checkpoint(connection, "NOOP").map_err(|error| error.to_string())?;
    if length.log.saturating_mul(FRAME) < store.policy.log_bytes_max {
        return Ok(());
    }
    match start_anew(connection) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!(
            "the log has reached its limit of {} bytes: a reader holds it",
            store.policy.log_bytes_max
        )),
        Err(error) => Err(error.to_string()),
    }
}

/// Has the log moved when it is long.
pub(super) fn after_commit(store: &Store, keeper: &Keeper) {
    let soft = store.policy.log_bytes_soft;
    // A log that cannot be moved now is tried again behind the next commit.
    let Ok(length) = checkpoint(&store.connection, "NOOP") else { return };
    let bytes = length.log.saturating_mul(FRAME);
    if bytes < soft {
        return;
    }
    if length.log - length.moved.min(length.log) > REST_MAX
        && bytes < soft.saturating_mul(BEHIND_MAX)
    {
        keeper.pass(&store.path);
    } else if let Err(error) = start_anew(&store.connection) {
        tracing::warn!(%error, "failed to move the journal's log");
    }
}

/// Moves the rest of the log and starts it anew; `false` when a reader pins it. Does not wait.
fn start_anew(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(Duration::ZERO)?;
    let moved = checkpoint(connection, "RESTART");
    connection.busy_timeout(files::BUSY)?;
    moved.map(|length| !length.busy)
}

/// Copies what can be copied without disturbing anyone.
pub(super) fn pass(connection: &Connection) -> rusqlite::Result<()> {
    checkpoint(connection, "PASSIVE").map(|_| ())
}
