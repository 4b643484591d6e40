//! PackML states with what each of them waits for, and the belts that run in them.

use crate::packml::State;
use units::Micros;

/// A PackML state and what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Belts stand; ends with reset.
    Stopped,
    /// Conditions are met; ends at once.
    Resetting,
    /// Ready; ends with start.
    Idle,
    /// Starting: horn and yellow light, belts stand; ends at this instant.
    Warning {
        /// When the sorter belt starts.
        until: Micros,
    },
    /// Starting: the sorter belt ramps up, the others stand; ends at this instant.
    Ramping {
        /// When the other zones start.
        until: Micros,
    },
    /// Sorting.
    Execute,
    /// Belts stand, parcels keep their identity; ends with start.
    Held,
    /// Belts ramp down; ends at this instant.
    Stopping {
        /// When they stand.
        until: Micros,
    },
    /// Belts coast down after an emergency stop; ends at this instant.
    Aborting {
        /// When they stand.
        until: Micros,
    },
    /// Waits for released contacts and clear.
    Aborted,
    /// The fault is cleared; ends at once.
    Clearing,
    /// Belts ramp down by the line's own cause; ends at this instant.
    Holding {
        /// When they stand.
        until: Micros,
    },
    /// Unholding: as [`Warning`](Self::Warning).
    UnholdWarning {
        /// When the sorter belt starts.
        until: Micros,
    },
    /// Unholding: as [`Ramping`](Self::Ramping).
    UnholdRamping {
        /// When the other zones start.
        until: Micros,
    },
    /// The sorter belt ramps down because nothing comes; ends at this instant.
    Suspending {
        /// When it stands.
        until: Micros,
    },
    /// The sorter belt sleeps, the infeed runs; ends with a parcel at the waking eye, or start.
    Suspended,
    /// Unsuspending: horn and yellow light, the sorter belt stands; ends at this instant.
    WakeWarning {
        /// When the sorter belt starts.
        until: Micros,
    },
    /// Unsuspending: the sorter belt ramps up; ends at this instant.
    WakeRamping {
        /// When parcels may come again.
        until: Micros,
    },
    /// The infeed stands, the rest runs; ends when every eye has stayed dark, or at this instant.
    Completing {
        /// When it gives up.
        by: Micros,
    },
    /// Proven empty: belts ramp down; ends at this instant.
    Emptied {
        /// When they stand.
        until: Micros,
    },
    /// Proven empty, belts stand; ends with reset.
    Completed,
}

/// Which belts a mode lets run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belts {
    /// None.
    Standing,
    /// The sorter belt alone.
    Sorter,
    /// All but the sorter belt.
    Infeed,
    /// From the gapping zone on downstream; all where parcels come back to the infeed.
    Emptying,
    /// All.
    All,
}

impl Mode {
    /// The PackML state.
    pub const fn state(self) -> State {
        match self {
            Self::Stopped => State::Stopped,
            Self::Resetting => State::Resetting,
            Self::Idle => State::Idle,
            Self::Warning { .. } | Self::Ramping { .. } => State::Starting,
            Self::Execute => State::Execute,
            Self::Held => State::Held,
            Self::Stopping { .. } => State::Stopping,
            Self::Aborting { .. } => State::Aborting,
            Self::Aborted => State::Aborted,
            Self::Clearing => State::Clearing,
            Self::Holding { .. } => State::Holding,
            Self::UnholdWarning { .. } | Self::UnholdRamping { .. } => State::Unholding,
            Self::Suspending { .. } => State::Suspending,
            Self::Suspended => State::Suspended,
            Self::WakeWarning { .. } | Self::WakeRamping { .. } => State::Unsuspending,
            Self::Completing { .. } | Self::Emptied { .. } => State::Completing,
            Self::Completed => State::Completed,
        }
    }

    /// When it ends by itself.
    pub const fn until(self) -> Option<Micros> {
        match self {
            Self::Warning { until }
            | Self::Ramping { until }
            | Self::Stopping { until }
            | Self::Aborting { until }
            | Self::Holding { until }
            | Self::UnholdWarning { until }
            | Self::UnholdRamping { until }
            | Self::Suspending { until }
            | Self::WakeWarning { until }
            | Self::WakeRamping { until }
            | Self::Completing { by: until }
            | Self::Emptied { until } => Some(until),
            Self::Stopped
            | Self::Resetting
            | Self::Idle
            | Self::Execute
            | Self::Held
            | Self::Aborted
            | Self::Clearing
            | Self::Suspended
            | Self::Completed => None,
        }
    }

    /// When the sorter belt starts behind a warning; `None` in every other mode.
    pub const fn warned_until(self) -> Option<Micros> {
        if let Self::Warning { until }
        | Self::UnholdWarning { until }
        | Self::WakeWarning { until } = self
        {
            Some(until)
        } else {
            None
        }
    }

    /// Which belts run in it.
    pub const fn belts(self) -> Belts {
        match self {
            Self::Execute => Belts::All,
            Self::Ramping { .. } | Self::UnholdRamping { .. } => Belts::Sorter,
            Self::Completing { .. } => Belts::Emptying,
            Self::Suspending { .. } | Self::Suspended | Self::WakeWarning { .. } => Belts::Infeed,
            Self::WakeRamping { .. } => Belts::All,
            Self::Stopped
            | Self::Resetting
            | Self::Idle
            | Self::Warning { .. }
            | Self::Held
            | Self::Stopping { .. }
            | Self::Aborting { .. }
            | Self::Aborted
            | Self::Clearing
            | Self::Holding { .. }
            | Self::UnholdWarning { .. }
            | Self::Emptied { .. }
            | Self::Completed => Belts::Standing,
        }
    }
}
