//! Inputs as bytes.

use super::tags;
use alloc::string::String;
use line_model::ids::ScannerId;
use line_model::signal::{ArmEnd, ChuteContact, Contact, Deed, DownReason, File, Input, Read};

tags! { Input, "an input" {
    1 Edge { eye active at spread };
    2 Landing { chute active at ms };
    3 Heard { node at };
    4 Read { at spread read; since 4 { scanner = ScannerId(0); } };
    5 Unassigned { at trigger; since 4 { scanner = ScannerId(0); } };
    6 Measured { at spread weight size_mm };
    7 ArmAnswered { tag taken };
    8 ArmEnded { tag end at ms };
    9 Contact { contact active };
    10 NodeUp { node restarted };
    11 NodeDown { node why };
    12 EventsLost { node entries };
    13 LeaseExpired { node };
    14 Adopted { node tags };
    15 Route { parcel facts };
    16 Command { command by; since 2 { reason = String::new(); } };
    17 PlanSelected { plan };
    18 Withheld { tag };
    19 CommitsStalled;
    20 CommitsResumed;
    21 Resumed { gap };
    22 Quarantined;
    23 WallClock { utc_us };
    24 Timer;
    25 MapSpread { node spread };
    26 EncoderDrift { node by };
    27 ZoneExit { zone active };
    40 Chute { chute contact active };
    41 Deed { deed by reason };
    50 WallClockStepped { utc_us by_us };
    51 FileTaken { file name hash by reason };
} }

tags! { ChuteContact, "a chute's contact" {
    1 Full;
    2 Lock;
    3 Button;
} }

tags! { Deed, "a deed" {
    1 Lock { chute };
    2 Unlock { chute };
    3 TakeOut { chute };
    4 PutBack { chute };
    5 BindBag { chute label };
    6 CloseBag { chute label };
    7 PutByHand { chute code };
    8 Missorted { chute code };
    9 Fallen { code };
} }

tags! { File, "a kind of file" {
    1 Line;
    2 Plan;
    3 Manifest;
} }

tags! { Read, "a read" {
    1 Codes(codes);
    2 NoRead;
    3 TooLong;
} }

tags! { ArmEnd, "an arm's end" {
    1 Fired { edge };
    2 Expired;
    3 Ambiguous;
    4 Locked;
    5 Short;
    6 Busy;
    7 Cancelled;
    8 LeaseExpired;
    9 Restarted;
} }

tags! { Contact, "a contact" {
    1 Estop(number);
    2 Start;
    3 Stop;
    4 Reset;
    5 EndFull;
} }

tags! { DownReason, "why a node is down" {
    1 Silent;
    2 BusDown;
    3 WrongMap { found };
    4 WrongKind { found };
    5 NotOwner;
    6 AddressClash { one other };
} }
