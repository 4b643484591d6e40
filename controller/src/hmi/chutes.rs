//! Chutes in words: what each one is doing, what its lamp says, which bag hangs there.

use super::i18n::{Lang, Msg};
use super::mask;
use super::words::Tone;
use line_model::chute::{ChuteState, Content, FaultedBy, FullBy, Lamp, LockedBy};

/// Name of a state in JSON.
pub(super) const fn state_name(state: ChuteState) -> &'static str {
    match state {
        ChuteState::Idle => "idle",
        ChuteState::Filling => "filling",
        ChuteState::Full { .. } => "full",
        ChuteState::Locked { .. } => "locked",
        ChuteState::Buffered { .. } => "buffered",
        ChuteState::Faulted { .. } => "faulted",
    }
}

/// A state in words.
pub(super) fn state(lang: Lang, state: ChuteState) -> String {
    let message = match state {
        ChuteState::Idle => Msg::ChuteIdle,
        ChuteState::Filling => Msg::ChuteFilling,
        ChuteState::Full { by } => match by {
            FullBy::Eye => Msg::ChuteFullEye,
            FullBy::Count => Msg::ChuteFullCount,
            FullBy::Weight => Msg::ChuteFullWeight,
            FullBy::Buffer => Msg::ChuteFullBuffer,
        },
        ChuteState::Locked { by } => match by {
            LockedBy::Button => Msg::ChuteLocked,
            LockedBy::Switch => Msg::ChuteLockedSwitch,
            LockedBy::Person => Msg::ChuteLockedPerson,
            LockedBy::NoBag => Msg::ChuteNoBag,
        },
        ChuteState::Buffered { landed } => {
            return lang.fill(Msg::ChuteBuffered, &[&landed.to_string()]);
        }
        ChuteState::Faulted { by } => match by {
            FaultedBy::Diverter => Msg::ChuteFaultDiverter,
            FaultedBy::Person => Msg::ChuteFaultPerson,
            FaultedBy::Jam => Msg::ChuteFaultJam,
        },
    };
    message.text(lang).to_owned()
}

/// How much a state asks for attention.
pub(super) const fn tone(state: ChuteState) -> Tone {
    match state {
        ChuteState::Idle | ChuteState::Filling => Tone::Normal,
        ChuteState::Full { .. } | ChuteState::Locked { .. } | ChuteState::Buffered { .. } => {
            Tone::Attention
        }
        ChuteState::Faulted { .. } => Tone::Alarm,
    }
}

/// Name of a lamp in JSON.
pub(super) const fn lamp_name(lamp: Lamp) -> &'static str {
    match lamp {
        Lamp::Off => "off",
        Lamp::Steady => "steady",
        Lamp::Blink => "blink",
    }
}

/// What a lamp says to whoever stands before it; empty when it is off.
pub(super) const fn lamp(lang: Lang, lamp: Lamp) -> &'static str {
    match lamp {
        Lamp::Off => "",
        Lamp::Steady => Msg::LampSteady.text(lang),
        Lamp::Blink => Msg::LampBlink.text(lang),
    }
}

/// The bag in words; empty without one.
pub(super) fn bag(lang: Lang, content: &Content) -> String {
    let message = if content.closed { Msg::BagClosed } else { Msg::BagLabel };
    let label = content.label.as_ref();
    label.map(|label| lang.fill(message, &[&mask::waybill(label)])).unwrap_or_default()
}
