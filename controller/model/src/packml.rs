//! PackML states (ISA-TR88.00.02, by name) and why they change.

use crate::signal::Command;

/// State of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Belts stand; a reset is needed.
    Stopped,
    /// Conditions are being checked.
    Resetting,
    /// Ready; waits for start.
    Idle,
    /// Pre-start warning, then belts start downstream first.
    Starting,
    /// Sorting.
    Execute,
    /// Paused by the line's own cause; waits for start.
    Held,
    /// Belts ramp down.
    Stopping,
    /// Emergency stop: outputs off, arms cancelled.
    Aborting,
    /// Waits for the contacts to be released and clear.
    Aborted,
    /// Fault is being cleared.
    Clearing,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 10] = [
        Self::Stopped,
        Self::Resetting,
        Self::Idle,
        Self::Starting,
        Self::Execute,
        Self::Held,
        Self::Stopping,
        Self::Aborting,
        Self::Aborted,
        Self::Clearing,
    ];

    /// The PackML name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "Stopped",
            Self::Resetting => "Resetting",
            Self::Idle => "Idle",
            Self::Starting => "Starting",
            Self::Execute => "Execute",
            Self::Held => "Held",
            Self::Stopping => "Stopping",
            Self::Aborting => "Aborting",
            Self::Aborted => "Aborted",
            Self::Clearing => "Clearing",
        }
    }
}

/// Why the line changed its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateReason {
    /// A person's command.
    Command(Command),
    /// An acting state finished.
    Done,
    /// An emergency-stop contact tripped.
    Estop(u8),
    /// An essential node is down.
    NodeDown(crate::ids::NodeId),
    /// A node fell to its safe state.
    LeaseExpired(crate::ids::NodeId),
    /// The controller was away for longer than the lease.
    AwayTooLong,
    /// End chute full.
    EndFull,
    /// An input was set aside after a panic.
    Quarantined,
}
