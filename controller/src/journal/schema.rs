//! The tables of one day's file. `beginning`, `records`, `heads`, `snapshots`, `marks`, `meta`,
//! `files`, `carried`, `deletions` and `seals` are the truth; the others are projections of the
//! records, written in the same transaction, for people.
//!
//! Times named `_us` are microseconds: `utc_us` since 1970, all others on the engine's clock, which
//! never goes back, not even over a restart. `wall_clock` ties the two together.

/// Format of the file, in SQLite's `user_version`; raised whenever a table changes its meaning.
///
/// 1: one file for ever, no links, snapshots without a hash. 2: a file per business day.
pub const VERSION: i64 = 2;

/// Creates every table of an empty file.
pub const CREATE: &str = r#"
-- One row. `day`: days since 1970. `last_record` and `head`: where the file before ends; 0 and
-- zeros in the first. `opening`: what the first record's link is made from; equal to `head` in the
-- first file, else blake3 of `head` and of all that the file begins with (see `begin.rs`).
CREATE TABLE beginning (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    day INTEGER NOT NULL,
    created_utc_us INTEGER NOT NULL,
    previous_file TEXT,
    last_record INTEGER NOT NULL,
    head BLOB NOT NULL,
    opening BLOB NOT NULL,
    -- Greatest `files.id` that the file began with; 0 without one.
    files_kept INTEGER NOT NULL
) STRICT;

-- Single values: token (the next start's first token); alive_us and alive_utc_us (the last instant
-- that the daemon is known to have lived, on both clocks).
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each call of the line model: input and decisions in one blob. `link`: the first
-- eight bytes of the chain's head behind the record.
CREATE TABLE records (
    number INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    link BLOB NOT NULL
) STRICT;

-- Chain head behind the last record of each commit.
CREATE TABLE heads (
    number INTEGER PRIMARY KEY,
    head BLOB NOT NULL
) STRICT;

-- State of the line behind record `number`; the one that the file begins with and the newest two
-- are kept. `head`: what the next record's link is made from. `hash`: over all of the row.
CREATE TABLE snapshots (
    number INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    head BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;

-- How far each node's events are in the records.
CREATE TABLE marks (
    node INTEGER PRIMARY KEY,
    boot_id INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    base INTEGER NOT NULL,
    encoder_known INTEGER NOT NULL
) STRICT;

-- Line file, plan and manifest as they were at a start, whenever they changed.
CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    utc_us INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    hash BLOB NOT NULL,
    bytes BLOB NOT NULL
) STRICT;

-- Parcels that came open from the file before, with the outcome that they had then.
CREATE TABLE carried (
    parcel INTEGER PRIMARY KEY,
    outcome TEXT NOT NULL
) STRICT;

-- Files that retention takes away because this file says so.
CREATE TABLE deletions (
    file TEXT PRIMARY KEY,
    first_record INTEGER NOT NULL,
    last_record INTEGER NOT NULL,
    head BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- blake3 of closed files. `known`: 1 when the file began with it, 0 when it was closed since.
CREATE TABLE seals (
    file TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL,
    hash BLOB NOT NULL,
    known INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE wall_clock (
    at_us INTEGER PRIMARY KEY,
    utc_us INTEGER NOT NULL
) STRICT;

-- One row for each parcel. `outcome`: on_line, landed_planned, landed_alternate, end_landed,
-- recirculated, unconfirmed, lost, removed. `chute`: where it is to go, or where it landed.
CREATE TABLE parcels (
    id INTEGER PRIMARY KEY,
    inducted_us INTEGER NOT NULL,
    position INTEGER NOT NULL,
    code TEXT,
    length INTEGER,
    weight_g INTEGER,
    carrier TEXT,
    route TEXT,
    chute INTEGER,
    reason TEXT,
    outcome TEXT NOT NULL,
    outcome_us INTEGER NOT NULL
) STRICT;
CREATE INDEX parcels_by_code ON parcels (code) WHERE code IS NOT NULL;
CREATE INDEX parcels_by_outcome ON parcels (outcome, id);

-- A parcel's story in order. `event`: inducted, measured, weighed, identified, seen, routed,
-- assigned, sent_to_end, armed, fired, landed_provisional, landed, end_landed, recirculated,
-- unconfirmed, lost, removed. `detail`: its values as a JSON object.
CREATE TABLE story (
    parcel INTEGER NOT NULL,
    record INTEGER NOT NULL,
    step INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    event TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (parcel, record, step)
) STRICT, WITHOUT ROWID;

-- `subject`: number of the node, parcel, chute or contact that the alarm names.
CREATE TABLE alarms (
    id INTEGER PRIMARY KEY,
    code TEXT NOT NULL,
    subject INTEGER,
    raised_us INTEGER NOT NULL,
    cleared_us INTEGER
) STRICT;
CREATE INDEX alarms_standing ON alarms (code, subject) WHERE cleared_us IS NULL;

CREATE TABLE states (
    record INTEGER NOT NULL,
    step INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (record, step)
) STRICT, WITHOUT ROWID;

-- Counts by outcome, by `end_landed.<reason>`, by `recirculated.<reason>` and by `chute.<number>` of
-- final landings, and `inducted` and `carried_in`.
CREATE TABLE tally (
    key TEXT PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"#;
