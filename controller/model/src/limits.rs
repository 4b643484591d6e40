//! Limits of everything the line keeps, each with its unit, its reason and what happens when it is full.

use units::{Micros, Millimeters};

/// Eyes of a layout; more is a fault of the configuration.
pub const EYES_MAX: usize = 64;

/// Unconfirmed and lost parcels that wait for a person by name. Full: the oldest stay, later ones are
/// counted and alarmed but cannot be resolved one by one.
pub const OPEN_MAX: usize = 256;

/// Waybills remembered for duplicates, about three days of a busy line. Full: later ones are not
/// remembered, so a second label of such a waybill is sorted like the first.
pub const LANDED_MAX: usize = 200_000;

/// Waybills whose laps are counted; a line has some hundred parcels on belt and return. Full: the one
/// that has been away for longest is forgotten, most likely taken off by hand.
pub const LAPS_MAX: usize = 1_024;

/// A waybill that has not come back for so long was taken off, and its laps are forgotten: longer than
/// parcels wait on a return over a stop, shorter than to the same shift of the next day.
pub const LAP_MEMORY: Micros = Micros::from_secs(12 * 3_600);

/// Plans that parcels on the belt may still refer to. Full: the oldest plan goes, and parcels of it
/// that are still without a chute are unroutable.
pub const PLANS_MAX: usize = 8;

/// Arms that have not ended. Full: no further arm is planned (parcels run to the end).
pub const ARMS_MAX: usize = 512;

/// Things without a parcel that were seen at an eye and keep their distance. Full: the oldest goes.
pub const STRANGERS_MAX: usize = 32;

/// Pulses of one stretch of open edges. Full: the stretch is closed at once, and whoever is not told
/// apart is uncertain.
pub const PULSES_MAX: usize = 4;

/// Parcels that may be in one stretch of open edges. Full: those furthest ahead, whose time there is
/// over, are left out and end as missing.
pub const SUSPECTS_MAX: usize = 5;

/// Alarms that stand. Full: an alarm is reported when it comes, but not kept.
pub const ALARMS_MAX: usize = 1_024;

/// Alarms raised that are remembered for the flood. Full: the oldest goes, and it is a flood anyway.
pub const RECENT_ALARMS_MAX: usize = 64;

/// More alarms than this within [`FLOOD_SPAN`] are a flood (ISA-18.2).
pub const FLOOD_ALARMS: usize = 10;

/// Span over which alarms are counted for the flood.
pub const FLOOD_SPAN: Micros = Micros::from_secs(600);

/// Longest that an alarm may be put aside at a time: one shift leader's attention, not a shift.
pub const SHELF_MINUTES_MAX: u16 = 60;

/// Alarms put aside at the same time. Full: refused, so that the list does not empty by hand.
pub const SHELVES_MAX: usize = 10;

/// Parcels in a row that pass an eye while it is blocked: it is stuck, not jammed.
pub const PASSED_STUCK: u8 = 2;

/// Parcels in a row that an eye misses: it is blind.
pub const MISSED_BLIND: u8 = 3;

/// Pulses in a row shorter than their parcels: the lens is dirty (bounces and poly bags shorten one).
pub const SHORT_DIRTY: u8 = 4;

/// Parcels in a row that pass a re-scanner without a code: it is dead or sees nothing.
pub const RESCANS_SILENT: u8 = 5;

/// Belt travel behind a trigger after which its parcel may have landed before its code was told: less
/// than two eyes are apart, more than a parcel and a reader's answer take.
pub const RESCAN_OLD: Millimeters = Millimeters(2_000);

/// Parcels in a row that do not come to an eye: they lie before it (one or two may have been taken off).
pub const LOST_JAM: u8 = 3;

/// The reference is asked for its counts at least this often along a running belt with parcels on it.
pub const PACE_STEP: Millimeters = Millimeters(300);

/// A running belt keeps at least this share of its nominal speed, in per cent.
pub const PACE_PERCENT: i64 = 90;

/// How far the counts of a running belt may fall behind its pace, as time: more than an exchange with
/// the reference is late, less than takes one parcel to the place of the next.
pub const PACE_BEHIND: Micros = Micros::from_millis(300);

/// A running belt whose counts were not heard to go on for so long stands, or its encoder does;
/// before a parcel that stands under an eye with it is taken for a jam.
pub const PACE_SILENT: Micros = Micros::from_secs(3);

/// How much longer than its whole path the belt's counts may stand while parcels are on it.
pub const STALL_SPARE: Micros = Micros::from_secs(5);

/// Questions to the manifest without an answer that pause induction: twice a second for ten seconds.
pub const ASKED_MAX: usize = 20;

/// Share of a limit from which induction slows down, in per cent.
pub const SLOW_PERCENT: usize = 90;

/// Share of a limit at which induction is free again, in per cent.
pub const RESUME_PERCENT: usize = 80;

/// Gap while induction is slowed down, in per cent of the usual one.
pub const SLOW_GAP_PERCENT: i64 = 150;

/// One word of a held jog button holds for so long: a screen says it four times in it, so that three
/// lost ones stop nobody's work.
pub const JOG_HOLD: Micros = Micros::from_millis(1_000);

/// How much longer than three times its path the line may take to prove empty.
pub const EMPTYING_SPARE: Micros = Micros::from_secs(60);

/// Inductions remembered for the rate. Full: the oldest goes (more than 30,000 parcels an hour).
pub const INDUCTIONS_MAX: usize = 512;

/// Span of running time over which the rate is taken.
pub const RATE_SPAN: Micros = Micros::from_secs(60);

/// How far a parcel may slip when the belt stops under it (line-practice: 20-60 mm).
pub const STOP_SLIP: Millimeters = Millimeters(60);

/// A hole of a handle or a strap is at most this long (line-practice: 20-60 mm); a longer gap is one
/// between two things.
pub const HOLE: Millimeters = Millimeters(70);

/// Two stamps of one edge differ by no more than this.
pub const SAME_EDGE: Millimeters = Millimeters(10);

/// Belt travel behind an arm's last possible instant after which its end must have been heard.
pub const ARM_GRACE: Millimeters = Millimeters(300);

/// Belt travel after which a stranger is forgotten.
pub const STRANGER_MEMORY: Millimeters = Millimeters(3_000);

/// A landing eye blocked for longer is a resting parcel or a full chute.
pub const LANDING_BLOCKED_MS: i32 = 1_500;

/// One parcel alone blocks its landing eye for at most this long (0.25-0.7 s in practice).
pub const LANDING_ONE_MS: i32 = 700;

/// A second pulse within this time of an explained one is its rebound.
pub const REBOUND_MS: i32 = 900;

/// How much longer than it is, in per cent, a parcel may read at the induction eye while a slower
/// belt still holds its rear half; 1.5 times the speed and a start from standstill give 50.
pub(crate) const DRAWN_PERCENT: i64 = 60;

/// A landing eye blocked for so long has something standing under it: a full chute, or a jam where
/// there is a full eye that sees nothing.
pub const LANDING_STANDS: Micros = Micros::from_secs(10);

/// Decisions for one chute that its rate limit remembers. Full: the oldest goes, so that a limit
/// above this many a span does not hold; the configuration allows half of it.
pub const RATE_MAX: usize = 512;

/// An eye has proven that it is alive when it saw something at most so much belt travel ago.
pub const EYE_ALIVE: Millimeters = Millimeters(100_000);
