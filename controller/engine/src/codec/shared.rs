//! Ids, quantities and small types that inputs, decisions and snapshots share.

use super::{Fault, Source, Wire, fields, put_count, tags, wrapped};
use alloc::string::String;
use alloc::vec::Vec;
use line_model::alarm::Alarm;
use line_model::decision::{ArmPlan, Light};
use line_model::ids::{ChuteNo, DiverterId, EyeId, NodeId, ParcelId, ScannerId, Side, Tag, ZoneId};
use line_model::packml::{State, StateReason, UnitMode};
use line_model::plan::{Allocation, CutOff, Facts, Hold, Plan, Rule, Screening};
use line_model::reason::Reason;
use line_model::signal::Command;
use line_model::waybills::Waybills;
use units::{Distance, EncoderId, Grams, Micros, Millis, MmPerSecond, Position};

wrapped! { ParcelId Tag NodeId ZoneId EyeId DiverterId ScannerId ChuteNo }
wrapped! { Distance EncoderId Grams Micros Millis MmPerSecond }

fields! {
    Position { encoder at }
    Plan { name version rules; since 2 { bagged = Vec::new(); } }
    Rule {
        carrier prefix chutes allocation;
        since 2 { overflow = Vec::new(); cut_off = None; }
    }
    CutOff { from until chutes }
    Facts {
        waybill carrier route class inspected screened;
        since 3 { real_name = true; hold = None; }
    }
    ArmPlan { tag diverter side parcel from to length_min delay release send_by }
}

tags! { Side, "a side" {
    1 Left;
    2 Right;
} }

tags! { Allocation, "an allocation" {
    1 Nearest;
    2 RoundRobin;
    3 Fill;
    4 Balance;
} }

tags! { Screening, "a screening state" {
    1 Passed;
    2 AtHub;
    3 Rejected;
    4 Unknown;
} }

tags! { Hold, "a hold" {
    1 Cancelled;
    2 Intercepted;
    3 Debt;
    4 Customs;
    5 Prohibited;
} }

tags! { Light, "a light" {
    1 Red;
    2 Yellow;
    3 Green;
    4 Horn;
} }

tags! { Command, "a command" {
    1 Reset;
    2 Start;
    3 Stop;
    4 Hold;
    5 Abort;
    6 Clear;
    7 Resolve { parcel chute };
    8 Complete;
    9 SetMode(mode);
    10 Acknowledge { alarm };
    11 Shelve { alarm minutes };
    12 Unshelve { alarm };
    13 Jog { zone };
} }

tags! { UnitMode, "a unit mode" {
    1 Production;
    2 Maintenance;
    3 Manual;
} }

tags! { State, "a state" {
    1 Stopped;
    2 Resetting;
    3 Idle;
    4 Starting;
    5 Execute;
    6 Held;
    7 Stopping;
    8 Aborting;
    9 Aborted;
    10 Clearing;
    11 Completing;
    12 Completed;
    13 Holding;
    14 Unholding;
    15 Suspending;
    16 Suspended;
    17 Unsuspending;
} }

tags! { StateReason, "a state's reason" {
    1 Command(command);
    2 Done;
    3 Estop(contact);
    4 NodeDown(node);
    5 LeaseExpired(node);
    6 AwayTooLong;
    7 EndFull;
    8 Quarantined;
    9 NotEmpty;
    10 Jam(eye);
    11 ArrivalJam(eye);
    12 EncoderStall(node);
    13 Asleep;
    14 Woken;
} }

tags! { Alarm, "an alarm" {
    1 Estop(contact);
    2 NodeDown(node);
    3 LeaseExpired(node);
    4 EventsLost(node);
    5 Unconfirmed(parcel);
    6 Lost(parcel);
    7 Ghost(node);
    8 UnexpectedLanding(chute);
    9 CommitsStalled;
    10 EndFull;
    11 QuarantineAtEnd(parcel);
    12 InputQuarantined;
    13 EncoderDrift(node);
    14 NotEmpty;
    15 Flood;
    16 Jam(eye);
    17 QueueJam(eye);
    18 ArrivalJam(eye);
    19 EyeStuck(eye);
    20 EyeBlind(eye);
    21 EyeDirty(eye);
    22 EncoderStall(node);
    23 ChuteFaulted(chute);
    24 ChuteWaits(chute);
    25 RescanDiffers(node);
    26 RescannerSilent(node);
    30 ReturnFull;
    31 RoundInVain;
    60 WallClockStepped;
} }

/// As a set of texts: ascending.
impl Wire for Waybills {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(self.len(), out);
        for waybill in self.iter() {
            put_count(waybill.len(), out);
            out.extend_from_slice(waybill.as_bytes());
        }
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Fault> {
        let (count, mut set) = (from.count()?, Self::default());
        for _ in 0..count {
            let waybill = String::get(from)?;
            if set.last().is_some_and(|last| *last >= *waybill) {
                return Err(Fault::Order { at: from.at() });
            }
            set.insert(&waybill);
        }
        Ok(set)
    }
}

/// By the number that the table of reasons gives and never reuses.
impl Wire for Reason {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.number());
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Fault> {
        let (tag, at) = from.tag()?;
        let found = Self::ALL.iter().find(|reason| reason.number() == tag).copied();
        found.ok_or(Fault::Tag { what: "a reason", tag, at })
    }
}
