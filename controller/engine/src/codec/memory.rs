//! The line's memory as bytes.

use super::{fields, tags};
use line_model::memory::{
    Arm, Belt, Counters, LandingEye, Machine, Memory, Mode, NodeMemory, PlanInForce, Running,
    Stranger, Under,
};
use line_model::parcel::{Choice, Fate, Identity, OpenKind, OpenParcel, Parcel, Sighting, Track};
use line_model::view::Tally;

fields! {
    Memory {
        now machine nodes estops end_full stalled release_open lights belt plans next_parcel
        next_tag live open arms under landings strangers landed tally chutes alarms counters running
    }
    Machine { mode since reason }
    NodeMemory { up heard blind spread }
    Belt { at when moving }
    PlanInForce { from plan turns }
    Arm { plan taken cancelled }
    LandingEye { head explained blocked rested }
    Stranger { eye head tail }
    Counters {
        ghosts unexpected_landings unowned_reads late_reads events_lost arms unknown_arms
        found_again quarantined
    }
    Running { before since inductions }
    Tally {
        inducted landed_planned landed_alternate end_landed removed lost unconfirmed on_line
    }
    Parcel { id track identity weight fate certain }
    Track { seen next slack length }
    Sighting { eye head tail spread }
    Choice { chute allowed alternate reason }
    OpenParcel { parcel kind }
}

tags! { Mode, "a mode" {
    1 Stopped;
    2 Resetting;
    3 Idle;
    4 Warning { until };
    5 Ramping { until };
    6 Execute;
    7 Held;
    8 Stopping { until };
    9 Aborting { until };
    10 Aborted;
    11 Clearing;
} }

tags! { Under, "what is under an eye" {
    1 Clear;
    2 Parcel(parcel);
    3 Stranger;
} }

tags! { Identity, "an identity" {
    1 Unread;
    2 Unreadable;
    3 Asked { code };
    4 Unknown { code };
    5 Known { code facts };
} }

tags! { Fate, "a fate" {
    1 Open;
    2 Assigned(choice);
    3 Armed { choice tag };
    4 Fired { choice at pulse shared };
    5 MayHaveFired { choice reason };
    6 ToEnd { reason };
} }

tags! { OpenKind, "why a parcel is open" {
    1 Unconfirmed { chute };
    2 Lost { eye };
} }
