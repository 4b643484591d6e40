//! Alarms of the line: what calls for a person.

use crate::ids::{ChuteNo, NodeId, ParcelId};

/// One alarm condition; equal values are the same alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alarm {
    /// An emergency-stop contact is tripped.
    Estop(u8),
    /// A node does not answer or is wrong.
    NodeDown(NodeId),
    /// A node fell to its safe state.
    LeaseExpired(NodeId),
    /// Events of a node are lost.
    EventsLost(NodeId),
    /// A node's encoder and the belt's have lost pulses against each other.
    EncoderDrift(NodeId),
    /// A parcel was fired and not confirmed.
    Unconfirmed(ParcelId),
    /// Tracking lost a parcel.
    Lost(ParcelId),
    /// An eye saw something that nothing explains.
    Ghost(NodeId),
    /// A landing eye saw something that no firing explains.
    UnexpectedLanding(ChuteNo),
    /// The journal does not keep up; induction is paused.
    CommitsStalled,
    /// End chute full.
    EndFull,
    /// A quarantined parcel had to go to the end.
    QuarantineAtEnd(ParcelId),
    /// An input made the model panic twice and was set aside.
    InputQuarantined,
}

impl Alarm {
    /// Code in reports.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Estop(_) => "estop",
            Self::NodeDown(_) => "node_down",
            Self::LeaseExpired(_) => "lease_expired",
            Self::EventsLost(_) => "events_lost",
            Self::EncoderDrift(_) => "encoder_drift",
            Self::Unconfirmed(_) => "unconfirmed",
            Self::Lost(_) => "lost",
            Self::Ghost(_) => "ghost",
            Self::UnexpectedLanding(_) => "unexpected_landing",
            Self::CommitsStalled => "commits_stalled",
            Self::EndFull => "end_full",
            Self::QuarantineAtEnd(_) => "quarantine_at_end",
            Self::InputQuarantined => "input_quarantined",
        }
    }
}
