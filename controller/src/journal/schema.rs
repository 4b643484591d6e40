//! The journal's tables. `records`, `heads`, `snapshots`, `marks`, `meta` and `files` are the truth;
//! the others are projections of the records, written in the same transaction, for people.
//!
//! Times named `_us` are microseconds: `utc_us` since 1970, all others on the engine's clock, which
//! never goes back, not even over a restart. `wall_clock` ties the two together.

/// Format of the file, in SQLite's `user_version`; raised whenever a table changes its meaning.
pub const VERSION: i64 = 1;

/// Creates every table of an empty file.
pub const CREATE: &str = r#"
-- Single values: token (the next start's first token); alive_us and alive_utc_us (the last instant
-- that the daemon is known to have lived, on both clocks).
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each call of the line model: input and decisions in one blob.
CREATE TABLE records (
    number INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;

-- Chain head behind the last record of each commit.
CREATE TABLE heads (
    number INTEGER PRIMARY KEY,
    head BLOB NOT NULL
) STRICT;

-- State of the line behind record `number`; the newest two are kept.
CREATE TABLE snapshots (
    number INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    bytes BLOB NOT NULL
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

CREATE TABLE wall_clock (
    at_us INTEGER PRIMARY KEY,
    utc_us INTEGER NOT NULL
) STRICT;

-- One row for each parcel. `outcome`: on_line, landed_planned, landed_alternate, end_landed,
-- unconfirmed, lost, removed. `chute`: where it is to go, or where it landed.
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
-- assigned, sent_to_end, armed, fired, landed_provisional, landed, end_landed, unconfirmed, lost,
-- removed. `detail`: its values as a JSON object.
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

-- Counts by outcome, by `end_landed.<reason>` and by `chute.<number>` of final landings, and
-- `inducted`.
CREATE TABLE tally (
    key TEXT PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"#;
