//! Every limit of the screens, with unit and reason.

use std::time::Duration;

/// Open connections; the next one waits in the listener's queue until one closes.
pub(super) const CONNECTIONS: usize = 256;
/// Live streams; the next one is answered 503 and the page asks again.
pub(super) const STREAMS: usize = 64;
/// Least time between two samples on a stream: 10 Hz, more than a person can read.
pub(super) const SAMPLE_PERIOD: Duration = Duration::from_millis(100);
/// The daemon publishes at least this often; two missed updates grey the values.
pub(super) const PUBLISH_PERIOD: Duration = Duration::from_millis(500);
/// A stream says that it lives this often while nothing new comes from the daemon.
pub(super) const BEAT_PERIOD: Duration = Duration::from_millis(1_000);
/// Request head must be complete within this time.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// An answer must begin within this time, else 503.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// The line's answer to a command; longer means that the controller is stuck: 503.
pub(super) const COMMAND_TIMEOUT: Duration = Duration::from_secs(3);
/// A client that takes no bytes for this long is dropped.
pub(super) const STALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Body of a command in bytes: the longest reason, escaped, and the rest.
pub(super) const BODY_BYTES: usize = 2_048;
/// Body of a deed in bytes: a code and a reason in Chinese characters of three bytes each.
pub(super) const DEED_BYTES: usize = 1_024;
/// Characters of a code that a person scanned or typed.
pub(super) const DEED_CODE_CHARS: usize = 64;
/// Request head in bytes.
pub(super) const HEAD_BYTES: usize = 16 * 1024;
/// Parcels in one list.
pub(super) const LIST_ROWS: u32 = 200;
/// Steps shown of one parcel; a story has about twenty.
pub(super) const STORY_STEPS: u32 = 500;
/// Daily files that one question looks into, the newest first: a month.
pub(super) const FILES: usize = 31;
/// Reads of the journal at the same time; the next one waits and may run into the answer limit.
pub(super) const READERS: usize = 4;
/// A reader waits this long for a lock of the writer.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_millis(500);
/// Longest search text in characters; the longest code has 48 bytes.
pub(super) const SEARCH_CHARS: usize = 64;
/// Fewest digits of a tail search: fewer would match half the shift.
pub(super) const TAIL_DIGITS: usize = 3;
/// Tools attached to the frames at the same time; the next one is answered 503.
pub(super) const TAPS: usize = 4;
/// Frames leave in batches this often; an empty batch says that the stream lives.
pub(super) const FRAMES_PERIOD: Duration = Duration::from_millis(50);
/// Frames in one batch; more wait in the tap's own queue.
pub(super) const FRAMES_MAX: usize = 1_000;

/// Characters of a person's reason; a longer one is refused, or left out where it stops the line.
pub(super) const REASON_CHARS: usize = crate::audit::REASON_MAX;
