//! Inputs, outputs and settings of each node kind: the one source of their ids.

use crate::NodeKind;
use crate::descriptor::{Point, Setting};

macro_rules! points {
    ($(#[$doc:meta])* $table:ident { $($id:literal $name:ident $text:literal $unit:literal $meaning:literal;)* }) => {
        $(#[doc = $meaning] pub const $name: u8 = $id;)*
        $(#[$doc])*
        pub const $table: &[Point] =
            &[$(Point { id: $id, name: $text, unit: $unit, meaning: $meaning },)*];
    };
}

/// Points of a conveyor zone.
pub mod zone {
    use super::Point;
    points! {
        /// Inputs.
        INPUTS {
            0 EYE_EXIT "eye_exit" "" "Photo-eye at the zone's downstream end (accumulating and gapping zones).";
            1 EYE_A "eye_a" "" "Photo-eye A on the belt (the sorter belt's induction eye).";
            2 EYE_B "eye_b" "" "Photo-eye B on the belt (the sorter belt's tunnel exit eye).";
            3 DOWNSTREAM_READY "downstream_ready" "" "Ready contact of the next zone; wired, not polled.";
            4 DRIVE_READY "drive_ready" "" "Drive has power and no fault.";
        }
    }
    points! {
        /// Outputs.
        OUTPUTS {
            0 RUN "run" "0/1" "Drive enabled by the host; 0 stops with the normal ramp.";
            1 SPEED "speed" "mm/s" "Belt speed preset.";
            2 GAP "gap" "counts" "Gapping zone: take-away counts from tail to next head; 0 = release closed.";
            3 READY "ready" "0/1" "Ready contact to the previous zone; driven by the node, not by the host.";
            4 DRIVE "drive" "mm/s" "Speed commanded to the drive now; driven by the node, not by the host.";
        }
    }
}

/// Points of a wheel diverter.
pub mod diverter {
    use super::Point;
    points! {
        /// Inputs.
        INPUTS {
            0 EYE_ARRIVAL "eye_arrival" "" "Arrival photo-eye ahead of the bed.";
            1 EYE_LEFT "eye_left" "" "Landing photo-eye of the left chute.";
            2 EYE_RIGHT "eye_right" "" "Landing photo-eye of the right chute.";
            3 HOME "home" "" "Wheels stand straight.";
            4 LOCK_LEFT "lock_left" "" "Left chute locked or full.";
            5 LOCK_RIGHT "lock_right" "" "Right chute locked or full.";
            6 FULL_LEFT "full_left" "" "Full photo-eye of the left chute; blocked for 2500 ms it is full, and no arm to it fires.";
            7 FULL_RIGHT "full_right" "" "Full photo-eye of the right chute; blocked for 2500 ms it is full, and no arm to it fires.";
            8 BUTTON_LEFT "button_left" "" "Lock button of the left chute; only reported.";
            9 BUTTON_RIGHT "button_right" "" "Lock button of the right chute; only reported.";
        }
    }
    points! {
        /// Outputs.
        OUTPUTS {
            0 TURN_LEFT "turn_left" "0/1" "Turns the wheels left; driven by arms only.";
            1 TURN_RIGHT "turn_right" "0/1" "Turns the wheels right; driven by arms only.";
            2 LAMP_LEFT "lamp_left" "0/1/2" "Lamp at the left chute: 0 off, 1 steady, 2 blinks, 500 ms on and 500 ms off, from the node's own clock.";
            3 LAMP_RIGHT "lamp_right" "0/1/2" "Lamp at the right chute: 0 off, 1 steady, 2 blinks, 500 ms on and 500 ms off, from the node's own clock.";
        }
    }

    /// A full eye that was blocked for so long means a full chute (a passing parcel blocks it for
    /// well under a second).
    pub const FULL_MS: u64 = 2_500;
    /// Half a period of a lamp that blinks.
    pub const BLINK_MS: u64 = 500;
    /// Value of a lamp that is off.
    pub const LAMP_OFF: u32 = 0;
    /// Value of a lamp that is on.
    pub const LAMP_STEADY: u32 = 1;
    /// Value of a lamp that blinks.
    pub const LAMP_BLINK: u32 = 2;
}

/// Points of a barcode scanner node.
pub mod scanner {
    use super::Point;
    points! {
        /// Inputs.
        INPUTS {
            0 TRIGGER "trigger" "" "Photo-eye at the scan line.";
        }
    }
    points! {
        /// Outputs.
        OUTPUTS {
            0 READER_ENABLE "reader_enable" "0/1" "Reader illumination.";
        }
    }
}

/// Points of a weighing and measuring node.
pub mod dws {
    use super::Point;
    points! {
        /// Inputs.
        INPUTS {
            0 TRIGGER "trigger" "" "Photo-eye at the start of the scale belt.";
        }
    }
    points! {
        /// Outputs.
        OUTPUTS {
            0 ZERO "zero" "0/1" "Zeroes the empty scale.";
        }
    }
}

/// Points of an operator panel.
pub mod panel {
    use super::Point;
    points! {
        /// Inputs.
        INPUTS {
            0 ESTOP_1 "estop_1" "" "Emergency-stop contact 1 has tripped.";
            1 ESTOP_2 "estop_2" "" "Emergency-stop contact 2 or pull-cord has tripped.";
            2 START "start" "" "Start button.";
            3 STOP "stop" "" "Stop button.";
            4 RESET "reset" "" "Reset button.";
            5 EYE_END "eye_end" "" "Photo-eye ahead of the end chute.";
            6 END_FULL "end_full" "" "End chute full.";
        }
    }
    points! {
        /// Outputs.
        OUTPUTS {
            0 LAMP_RED "lamp_red" "0/1" "Stack light red.";
            1 LAMP_YELLOW "lamp_yellow" "0/1" "Stack light yellow.";
            2 LAMP_GREEN "lamp_green" "0/1" "Stack light green.";
            3 HORN "horn" "0/1" "Horn of the pre-start warning.";
        }
    }
}

/// Index of the lease setting in every kind's table.
pub const SETTING_LEASE: usize = 0;
/// Index of the debounce setting in every kind's table.
pub const SETTING_DEBOUNCE: usize = 1;
/// Index of the first setting of the kind's own.
pub const SETTING_OWN: usize = 2;
/// Index of a gapping zone's lead for a parcel that passes without stopping.
pub const SETTING_PASS_LEAD: usize = 3;
/// Index of a gapping zone's lead for a start from standstill.
pub const SETTING_START_LEAD: usize = 4;

/// Zone mode: the belt runs whenever the host says run.
pub const MODE_TRANSPORT: u16 = 0;
/// Zone mode: the belt stops with a parcel at its exit eye until the next zone is ready.
pub const MODE_ACCUMULATE: u16 = 1;
/// Zone mode: one parcel is released per distance of the take-away belt.
pub const MODE_GAPPING: u16 = 2;

const LEASE: Setting = Setting {
    name: "lease_ms",
    unit: "ms",
    min: 500,
    max: 30_000,
    reset: 3_000,
    meaning: "Host silence after which the node cancels every arm, stops what it drives and frees its owner.",
};
const DEBOUNCE: Setting = Setting {
    name: "debounce_ms",
    unit: "ms",
    min: 1,
    max: 200,
    reset: 25,
    meaning: "A new input level counts once it has been stable this long; its count is the first transition's.",
};
const ZONE_SETTINGS: &[Setting] = &[
    LEASE,
    DEBOUNCE,
    Setting {
        name: "mode",
        unit: "",
        min: 0,
        max: 2,
        reset: 0,
        meaning: "0 transport, 1 accumulate, 2 gapping.",
    },
    Setting {
        name: "pass_lead",
        unit: "counts",
        min: 0,
        max: 2_000,
        reset: 0,
        meaning: "Gapping zone: take-away counts that still pass between a head at the exit eye and its arrival on the take-away belt when the zone keeps running.",
    },
    Setting {
        name: "start_lead",
        unit: "counts",
        min: 0,
        max: 2_000,
        reset: 0,
        meaning: "Gapping zone: take-away counts that still pass between a start from standstill and the head's arrival on the take-away belt.",
    },
];
const DIVERTER_SETTINGS: &[Setting] = &[LEASE, DEBOUNCE];
const SCANNER_SETTINGS: &[Setting] = &[
    LEASE,
    DEBOUNCE,
    Setting {
        name: "read_wait_ms",
        unit: "ms",
        min: 20,
        max: 2_000,
        reset: 300,
        meaning: "After the tail, how long a read for this trigger is waited for.",
    },
];
const DWS_SETTINGS: &[Setting] = &[
    LEASE,
    DEBOUNCE,
    Setting {
        name: "result_wait_ms",
        unit: "ms",
        min: 20,
        max: 5_000,
        reset: 1_500,
        meaning: "After the head, how long the scale's result for this trigger is waited for.",
    },
];
const PANEL_SETTINGS: &[Setting] = &[LEASE, DEBOUNCE];

/// Most settings of any kind.
pub const SETTINGS_MAX: usize = 5;

impl NodeKind {
    /// The kind's inputs.
    pub const fn inputs(self) -> &'static [Point] {
        match self {
            Self::Zone => zone::INPUTS,
            Self::Diverter => diverter::INPUTS,
            Self::Scanner => scanner::INPUTS,
            Self::Dws => dws::INPUTS,
            Self::Panel => panel::INPUTS,
        }
    }

    /// The kind's outputs.
    pub const fn outputs(self) -> &'static [Point] {
        match self {
            Self::Zone => zone::OUTPUTS,
            Self::Diverter => diverter::OUTPUTS,
            Self::Scanner => scanner::OUTPUTS,
            Self::Dws => dws::OUTPUTS,
            Self::Panel => panel::OUTPUTS,
        }
    }

    /// The kind's settings, in order of their registers.
    pub const fn settings(self) -> &'static [Setting] {
        match self {
            Self::Zone => ZONE_SETTINGS,
            Self::Diverter => DIVERTER_SETTINGS,
            Self::Scanner => SCANNER_SETTINGS,
            Self::Dws => DWS_SETTINGS,
            Self::Panel => PANEL_SETTINGS,
        }
    }
}
