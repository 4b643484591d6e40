//! The only reader of the operating system's clocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use units::Micros;

/// The line's monotonic clock; it goes on where the journal ended and never goes back.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    base: Micros,
}

impl Clock {
    /// Starts a clock that reads `base` now.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the OS clock")]
    pub fn starting_at(base: Micros) -> Self {
        Self { origin: Instant::now(), base }
    }

    /// The instant now.
    pub fn now(&self) -> Micros {
        let run = u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.base.plus(Micros(run))
    }

    /// Ends at `deadline`, at once when it has passed, and never without one.
    pub async fn sleep_until(&self, deadline: Option<Micros>) {
        match deadline {
            Some(at) => tokio::time::sleep(Duration::from_micros(at.since(self.now()).0)).await,
            None => std::future::pending().await,
        }
    }
}

/// Microseconds since 1970-01-01 UTC, as the operating system believes now.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the OS clock")]
pub fn utc_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
