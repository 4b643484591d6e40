//! Saboteurs between line and engine: each tells or commands something else than the line decided.

use crate::harness::Tamper;
use line_model::alarm::Alarm;
use line_model::decision::{Decision, ParcelEvent};
use line_model::ids::{ChuteNo, Side};
use line_model::reason::Reason;
use line_model::signal::Input;
use units::Distance;

/// Every saboteur by name.
pub const ALL: &[(&str, Tamper)] = &[
    ("swapped side", swapped_side),
    ("swapped chute", swapped_chute),
    ("shifted window", shifted_window),
    ("wide window", wide_window),
    ("landed early", landed_early),
    ("counted twice", counted_twice),
    ("dropped loss", dropped_loss),
    ("invented landing", invented_landing),
    ("forgotten landing", forgotten_landing),
    ("wrong reason", wrong_reason),
];

fn swapped_side(_: &Input, decisions: &mut Vec<Decision>) {
    for decision in decisions {
        if let Decision::Arm(arm) = decision {
            arm.side = match arm.side {
                Side::Left => Side::Right,
                Side::Right => Side::Left,
            };
        }
    }
}

fn swapped_chute(_: &Input, decisions: &mut Vec<Decision>) {
    for decision in decisions {
        if let Decision::Parcel { event: ParcelEvent::Landed { chute, .. }, .. } = decision {
            *chute = ChuteNo(if chute.0 == 1 { 2 } else { 1 });
        }
    }
}

fn shifted_window(_: &Input, decisions: &mut Vec<Decision>) {
    for decision in decisions {
        if let Decision::Arm(arm) = decision {
            // One pitch later: the window of the parcel behind.
            let pitch = Distance(1_225);
            (arm.from, arm.to) = (arm.from.plus(pitch), arm.to.plus(pitch));
        }
    }
}

fn wide_window(_: &Input, decisions: &mut Vec<Decision>) {
    for decision in decisions {
        if let Decision::Arm(arm) = decision {
            arm.from = arm.from.plus(Distance(-4_000));
            arm.length_min = Distance(0);
        }
    }
}

fn landed_early(_: &Input, decisions: &mut Vec<Decision>) {
    for decision in decisions {
        if let Decision::Parcel { event, .. } = decision
            && let ParcelEvent::Assigned { chute, .. } = event
        {
            *event = ParcelEvent::Landed { chute: *chute, alternate: false };
        }
    }
}

fn counted_twice(_: &Input, decisions: &mut Vec<Decision>) {
    let ended = |decision: &&Decision| {
        let Decision::Parcel { event, .. } = decision else { return false };
        matches!(event, ParcelEvent::Landed { .. } | ParcelEvent::EndLanded { .. })
    };
    let again: Vec<Decision> = decisions.iter().filter(ended).cloned().collect();
    decisions.extend(again);
}

fn dropped_loss(_: &Input, decisions: &mut Vec<Decision>) {
    decisions.retain(|decision| match decision {
        Decision::Parcel { event, .. } => {
            !matches!(event, ParcelEvent::Lost { .. } | ParcelEvent::Unconfirmed { .. })
        }
        Decision::Alarm { alarm, .. } => !matches!(alarm, Alarm::Lost(_) | Alarm::Unconfirmed(_)),
        _ => true,
    });
}

fn invented_landing(_: &Input, decisions: &mut Vec<Decision>) {
    for decision in decisions {
        if let Decision::Parcel { event, .. } = decision
            && matches!(event, ParcelEvent::Lost { .. } | ParcelEvent::Unconfirmed { .. })
        {
            *event = ParcelEvent::Landed { chute: ChuteNo(1), alternate: false };
        }
    }
}

fn forgotten_landing(_: &Input, decisions: &mut Vec<Decision>) {
    decisions.retain(|decision| {
        let Decision::Parcel { event, .. } = decision else { return true };
        !matches!(event, ParcelEvent::Landed { .. })
    });
}

fn wrong_reason(_: &Input, decisions: &mut Vec<Decision>) {
    for decision in decisions {
        if let Decision::Parcel { event: ParcelEvent::EndLanded { reason }, .. } = decision {
            *reason = if *reason == Reason::NoRead { Reason::MultiCode } else { Reason::NoRead };
        }
    }
}
