//! Decisions as bytes.

use super::tags;
use line_model::chute::{Bar, ChuteCause, ChuteEvent, Lamp};
use line_model::decision::{Decision, ParcelEvent, Rescan};
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
    11 Lamp { chute lamp };
    12 Chute { chute event };
} }

tags! { Lamp, "a lamp" {
    1 Off;
    2 Steady;
    3 Blink;
} }

tags! { ChuteEvent, "a chute's step" {
    1 State { from to cause };
    2 BagBound { label };
    3 BagClosed { label pieces grams };
    4 Emptied { pieces grams };
    5 PutByHand { code };
    6 Missorted { code };
} }

tags! { ChuteCause, "a cause at a chute" {
    1 Landing;
    2 Eye;
    3 Switch;
    4 Button;
    5 Person;
    6 Bag;
    7 Plan;
    8 Node;
} }

tags! { Bar, "why a chute cannot be had" {
    1 Full;
    2 Locked;
    3 Rate;
    4 Late;
    5 Off;
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
    17 PassedOver { chute bar };
    18 Believed { now };
    19 Rescanned { scanner code result };
    30 Recirculated { reason };
} }

tags! { Rescan, "what a re-scan says" {
    1 Confirmed;
    2 Found;
    3 Named;
    4 Unproven;
    5 Differs;
    6 Elsewhere;
} }

tags! { Unmet, "an unmet condition" {
    1 EstopActive(contact);
    2 NodeDown(node);
    3 NoPlan;
    4 CommitsStalled;
    5 EndFull;
    6 WrongState(state);
    7 NotOpen(parcel);
    8 NoSuchAlarm(alarm);
    9 TooUrgent(alarm);
    10 NoReason;
    11 ShelfTooLong;
    12 ShelvesFull;
    13 WrongMode(mode);
    14 EyeBlocked(eye);
    40 NoSuchChute(chute);
    41 NotLocked(chute);
    42 BagOpen(chute);
    43 OtherBag(chute);
    44 LabelBound(chute);
    45 NoCode;
    46 OnBelt(parcel);
    47 GateClosed(parcel);
    48 OtherKey(chute);
} }
