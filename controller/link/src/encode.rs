//! Decisions to orders, and orders to operations in the node's own counts.

use crate::map::CountMap;
use crate::queue::{Nature, Order};
use alloc::vec::Vec;
use line_model::chute::Lamp;
use line_model::decision::{ArmPlan, Decision, Light};
use line_model::ids::{NodeId, Side};
use line_model::layout::Layout;
use registers::exchange::{Arm, Operation, Side as WireSide};
use registers::points::{diverter, panel, zone};

/// What a decision asks of which nodes, in order of sending; empty when it asks nothing of a node.
pub fn orders(layout: &Layout, decision: &Decision) -> Vec<(NodeId, Order)> {
    let set = |output, value, nature| Order::Set { output, value, nature };
    match decision {
        Decision::Arm(plan) => {
            let node = layout.diverter(plan.diverter).node;
            alloc::vec![(node, Order::Arm(plan.clone()))]
        }
        Decision::CancelArm { diverter, tag } => {
            alloc::vec![(layout.diverter(*diverter).node, Order::Cancel(*tag))]
        }
        Decision::Drive { zone: id, run, speed } => {
            let node = layout.zones[usize::from(id.0)].node;
            if *run {
                alloc::vec![
                    (node, set(zone::SPEED, speed.0, Nature::Energising)),
                    (node, set(zone::RUN, 1, Nature::Energising)),
                ]
            } else {
                alloc::vec![(node, set(zone::RUN, 0, Nature::Stopping))]
            }
        }
        Decision::Release { zone: id, gap } => {
            let node = layout.zones[usize::from(id.0)].node;
            let value = u32::try_from(gap.0).unwrap_or(0);
            let nature = if value == 0 { Nature::Stopping } else { Nature::Energising };
            alloc::vec![(node, set(zone::GAP, value, nature))]
        }
        Decision::Light { light, on } => {
            let output = match light {
                Light::Red => panel::LAMP_RED,
                Light::Yellow => panel::LAMP_YELLOW,
                Light::Green => panel::LAMP_GREEN,
                Light::Horn => panel::HORN,
            };
            alloc::vec![(layout.panel, set(output, u32::from(*on), Nature::Showing))]
        }
        Decision::Lamp { chute, lamp } => {
            let Some(place) = layout.chute(*chute) else { return Vec::new() };
            let output = match place.side {
                Side::Left => diverter::LAMP_LEFT,
                Side::Right => diverter::LAMP_RIGHT,
            };
            let value = match lamp {
                Lamp::Off => diverter::LAMP_OFF,
                Lamp::Steady => diverter::LAMP_STEADY,
                Lamp::Blink => diverter::LAMP_BLINK,
            };
            let node = layout.diverter(place.diverter).node;
            alloc::vec![(node, set(output, value, Nature::Showing))]
        }
        Decision::AskRoute { .. }
        | Decision::Alarm { .. }
        | Decision::Chute { .. }
        | Decision::Parcel { .. }
        | Decision::State { .. }
        | Decision::Refused { .. } => Vec::new(),
    }
}

/// The operation of an order; `None` when the node's counts are not known.
pub(crate) fn operation(order: &Order, map: Option<&CountMap>) -> Option<Operation> {
    Some(match order {
        Order::Arm(plan) => Operation::Arm(arm(plan, map?)),
        Order::Cancel(tag) => Operation::Cancel { tag: tag.0 },
        Order::CancelAll => Operation::CancelAll,
        Order::Set { output, value, nature: _ } => {
            Operation::SetOutput { output: *output, value: *value }
        }
    })
}

/// The window is widened by the map's ±.
fn arm(plan: &ArmPlan, map: &CountMap) -> Arm {
    Arm {
        tag: plan.tag.0,
        side: match plan.side {
            Side::Left => WireSide::Left,
            Side::Right => WireSide::Right,
        },
        window_from: map.count(plan.from.minus(map.spread())),
        window_to: map.count(plan.to.plus(map.spread())),
        length_min: plan.length_min.clamp_u16(),
        delay: plan.delay.clamp_u16(),
        release: plan.release.clamp_u16(),
    }
}
