//! Decisions as bytes.

use super::tags;
use line_model::decision::{Decision, ParcelEvent};
use line_model::view::Unmet;

tags! { Decision, "a decision" {
    1 Arm(plan);
    2 CancelArm { diverter tag };
    3 Drive { zone run speed };
    4 Release { zone gap };
    5 Light { light on };
    6 AskRoute { parcel code };
    7 Alarm { alarm raised };
    8 Parcel { parcel event };
    9 State { from to reason };
    10 Refused { why };
} }

tags! { ParcelEvent, "a parcel's step" {
    1 Inducted { at };
    2 Measured { length };
    3 Weighed { weight };
    4 Identified { code };
    5 Seen { eye at };
    6 Routed { carrier route };
    7 Assigned { chute alternate reason };
    8 SentToEnd { reason };
    9 Armed { tag diverter };
    10 Fired { tag chute };
    11 LandedProvisional { chute };
    12 Landed { chute alternate };
    13 EndLanded { reason };
    14 Unconfirmed { chute };
    15 Lost { eye };
    16 Removed { by };
} }

tags! { Unmet, "an unmet condition" {
    1 EstopActive(contact);
    2 NodeDown(node);
    3 NoPlan;
    4 CommitsStalled;
    5 EndFull;
    6 WrongState(state);
    7 NotOpen(parcel);
} }
