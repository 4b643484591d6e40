//! The wall clock that paces the world; the only place that reads it.

use std::time::Instant;
use units::Micros;

/// Time since the start, less what was skipped.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    skipped: Micros,
}

impl Clock {
    /// Starts the clock at 0.
    #[expect(clippy::disallowed_methods, reason = "the program's only clock")]
    pub(super) fn start() -> Self {
        Self { start: Instant::now(), skipped: Micros::ZERO }
    }

    /// The instant in the world that belongs to the present one.
    pub(super) fn now(&self) -> Micros {
        let elapsed = self.start.elapsed().as_micros();
        Micros(u64::try_from(elapsed).unwrap_or(u64::MAX)).minus(self.skipped)
    }

    /// Lets the world lose this span: it was too far behind, or the machine slept.
    pub(super) fn skip(&mut self, span: Micros) {
        self.skipped = self.skipped.plus(span);
    }
}
