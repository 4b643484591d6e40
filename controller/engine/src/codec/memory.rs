//! The line's memory as bytes.

use super::{Fault, Source, Wire, fields, tags};
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use line_model::chute::{
    ChangeBy, ChuteCounts, ChuteMemory, ChuteState, Content, FaultedBy, FullBy, LockedBy,
};
use line_model::jog::Jog;
use line_model::live::Live;
use line_model::memory::{
    Annunciator, Arm, Attention, Belt, Counters, Entry, EyeMemory, LandingEye, Laps, Machine,
    Memory, Mode, NodeMemory, Pace, PlanInForce, Pressure, Pulse, Running, Shelf, Stranger,
    Stretch, Under, WallTime,
};
use line_model::packml::UnitMode;
use line_model::parcel::{
    Choice, Confidence, Fate, Identity, OpenKind, OpenParcel, Parcel, Sighting, Track,
};
use line_model::rescan::{RescanMemory, Trigger};
use line_model::view::Tally;
use units::{Distance, Micros};

/// As the map of its parcels.
impl Wire for Live {
    fn put(&self, out: &mut Vec<u8>) {
        Wire::put(&**self, out);
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Fault> {
        <BTreeMap<_, _> as Wire>::get(from).map(Self::from)
    }
}

fields! {
    Memory {
        now machine nodes estops end_full stalled release_open lights belt plans next_parcel
        next_tag live open arms under landings strangers landed tally chutes alarms counters running;
        since 2 {
            at_chutes = BTreeMap::new();
            spoke = vec![None; Vec::len(&under)];
            wall = None;
            stretches = Vec::new();
            annunciator = Annunciator::of(&alarms, now);
            unit_mode = UnitMode::Production;
            release_gap = Distance(0);
            quiet_from = None;
            eyes = Vec::new();
            moved = now;
            active_at = now;
            pressure = Pressure::None;
        };
        since 3 { pace = None; jog = None; };
        since 4 { rescanners = Vec::new(); laps = BTreeMap::new(); }
    }
    Laps { passes last }
    Pace { at when heard }
    Annunciator { entries rising falling first_out recent }
    Entry { since attention shelf }
    Shelf { until by reason }
    Jog { zone held_until starts running }
    Machine { mode since reason }
    NodeMemory { up heard blind spread }
    Belt { at when moving }
    PlanInForce { from plan turns }
    Arm { plan taken cancelled }
    LandingEye { head explained blocked rested }
    Stranger { eye head tail }
    Stretch { eye pulses }
    Pulse { head tail spread }
    Counters {
        ghosts unexpected_landings unowned_reads late_reads events_lost arms unknown_arms
        found_again quarantined;
        since 2 { fallen = 0; missed_edges = 0; }
    }
    WallTime { at utc_us }
    ChuteMemory {
        state since cause lamp full_eye landing_eye switch change buffered out_of_use content before
        recent counts
    }
    Content { label closed pieces grams from }
    ChuteCounts { barred_full barred_locked barred_rate hands by_hand missorted }
    EyeMemory { blocked missed passed short lost lost_from }
    Running { before since inductions }
    Tally {
        inducted landed_planned landed_alternate end_landed removed lost unconfirmed on_line;
        since 3 { landed_for = BTreeMap::new(); };
        since 4 { recirculated = BTreeMap::new(); }
    }
    Parcel {
        id track identity weight fate confidence;
        since 3 { size_mm = [0; 3]; };
        since 4 { rescan = None; mixed = false; }
    }
    Trigger { scanner head spread }
    RescanMemory { confirmed restored differs unread silent }
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
    12 Holding { until };
    13 UnholdWarning { until };
    14 UnholdRamping { until };
    15 Suspending { until };
    16 Suspended;
    17 WakeWarning { until };
    18 WakeRamping { until };
    19 Completing { by };
    20 Emptied { until };
    21 Completed;
} }

tags! { Pressure, "a back-pressure" {
    1 None;
    2 SlowDown;
    3 Pause;
} }

tags! { Attention, "an alarm's state" {
    1 Unacknowledged;
    2 Returned;
    3 Acknowledged;
} }

tags! { Under, "what is under an eye" {
    1 Clear;
    2 Parcel(parcel);
    3 Stranger;
    4 Open;
    5 Torn(parcel);
} }

// 0 and 1 were a truth value in version 1.
tags! { Confidence, "a confidence" {
    0 Uncertain;
    1 Certain;
    2 Open { eye };
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
    4 Fired { choice at pulse shared; since 2 { among_hands = false; } };
    5 MayHaveFired { choice reason };
    6 ToEnd { reason; since 3 { fired = None; } };
} }

tags! { OpenKind, "why a parcel is open" {
    1 Unconfirmed { chute };
    2 Lost { eye };
} }

tags! { ChuteState, "a chute's state" {
    1 Idle;
    2 Filling;
    3 Full { by };
    4 Locked { by };
    5 Buffered { landed };
    6 Faulted { by };
} }

tags! { FullBy, "what says full" {
    1 Eye;
    2 Count;
    3 Weight;
    4 Buffer;
} }

tags! { LockedBy, "what locked" {
    1 Button;
    2 Switch;
    3 Person;
    4 NoBag;
} }

tags! { FaultedBy, "what is wrong at a chute" {
    1 Diverter;
    2 Person;
    3 Jam;
} }

tags! { ChangeBy, "who began a change" {
    1 Button;
    2 Person;
} }

impl Wire for (Micros, Distance) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Fault> {
        Ok((Wire::get(from)?, Wire::get(from)?))
    }
}
