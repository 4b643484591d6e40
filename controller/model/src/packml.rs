//! PackML modes and states (ISA-TR88.00.02, by name), which state may follow which, and why they
//! change.

use crate::ids::{EyeId, NodeId};
use crate::signal::Command;

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        /// State of the line.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum State {
            $($(#[$doc])* $name,)*
        }

        impl State {
            /// Every state.
            pub const ALL: [Self; 17] = [$(Self::$name,)*];

            /// The PackML name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

states! {
    /// Belts stand; a reset is needed.
    Stopped;
    /// Conditions are being checked.
    Resetting;
    /// Ready; waits for start.
    Idle;
    /// Pre-start warning, then belts start downstream first.
    Starting;
    /// Sorting.
    Execute;
    /// Paused by the line's own cause; waits for start.
    Held;
    /// Belts ramp down.
    Stopping;
    /// Emergency stop: outputs off, arms cancelled.
    Aborting;
    /// Waits for the contacts to be released and clear.
    Aborted;
    /// Fault is being cleared.
    Clearing;
    /// 清线: the infeed is closed, the line runs empty and proves it.
    Completing;
    /// Proven empty, belts stand; a reset is needed.
    Completed;
    /// Belts ramp down by the line's own cause.
    Holding;
    /// Pre-start warning after a hold, then belts start downstream first.
    Unholding;
    /// The sorter belt ramps down because nothing comes.
    Suspending;
    /// Waits for upstream or downstream; goes on by itself.
    Suspended;
    /// Pre-start warning on waking, then the sorter belt starts.
    Unsuspending;
}

impl State {
    /// Whether `to` may follow: the closed table of transitions.
    ///
    /// Stop leads to Stopping from everywhere but the stopped and aborted side, Abort to Aborting
    /// from everywhere else; Held is reached only through Holding and left only through Unholding.
    pub const fn may_become(self, to: Self) -> bool {
        match to {
            Self::Resetting => matches!(self, Self::Stopped | Self::Completed),
            Self::Idle => matches!(self, Self::Resetting),
            Self::Starting => matches!(self, Self::Idle),
            Self::Execute => matches!(self, Self::Starting | Self::Unholding | Self::Unsuspending),
            Self::Holding => matches!(
                self,
                Self::Starting
                    | Self::Execute
                    | Self::Unholding
                    | Self::Suspending
                    | Self::Suspended
                    | Self::Unsuspending
            ),
            Self::Held => matches!(self, Self::Holding),
            Self::Unholding => matches!(self, Self::Held),
            Self::Suspending | Self::Completing => matches!(self, Self::Execute),
            Self::Suspended => matches!(self, Self::Suspending),
            Self::Unsuspending => matches!(self, Self::Suspending | Self::Suspended),
            Self::Completed => matches!(self, Self::Completing),
            Self::Stopping => !matches!(
                self,
                Self::Stopping | Self::Stopped | Self::Aborting | Self::Aborted | Self::Clearing
            ),
            Self::Stopped => matches!(self, Self::Stopping | Self::Clearing),
            Self::Aborting => !matches!(self, Self::Aborting | Self::Aborted),
            Self::Aborted => matches!(self, Self::Aborting),
            Self::Clearing => matches!(self, Self::Aborted),
        }
    }
}

/// What the line is used for now; changes only while it is stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnitMode {
    /// Sorting.
    #[default]
    Production,
    /// Belts move only while somebody holds jog.
    Maintenance,
    /// It runs with a closed infeed; test parcels are put on the sorter belt by hand.
    Manual,
}

impl UnitMode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Production, Self::Maintenance, Self::Manual];

    /// The PackML name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Production => "Production",
            Self::Maintenance => "Maintenance",
            Self::Manual => "Manual",
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
    NodeDown(NodeId),
    /// A node fell to its safe state.
    LeaseExpired(NodeId),
    /// The controller was away for longer than the lease.
    AwayTooLong,
    /// End chute, or return, full.
    EndFull,
    /// An input was set aside after a panic.
    Quarantined,
    /// The line did not prove empty in time.
    NotEmpty,
    /// An eye stayed blocked while the belt ran.
    Jam(EyeId),
    /// Parcels in a row did not come to an eye.
    ArrivalJam(EyeId),
    /// The belt was told to run and its counts stand.
    EncoderStall(NodeId),
    /// Nothing came for long.
    Asleep,
    /// A parcel waits for the sleeping line.
    Woken,
}
