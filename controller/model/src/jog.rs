//! Jog: in maintenance one zone runs while somebody holds its button, and not a moment longer.
//!
//! Hold-to-run: each word of the button holds for [`limits::JOG_HOLD`]; without another one the
//! belt stops by itself. It starts behind the pre-start warning, like every belt.

use crate::decision::Decision;
use crate::ids::{NodeId, ZoneId};
use crate::limits;
use crate::line::Line;
use crate::memory::Mode;
use crate::packml::UnitMode;
use crate::reason::Reason;
use crate::view::Unmet;
use alloc::vec::Vec;
use units::Micros;

/// A zone whose button is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jog {
    /// Which zone.
    pub zone: ZoneId,
    /// The last word of its button holds until then.
    pub held_until: Micros,
    /// When the warning is over.
    pub starts: Micros,
    /// Its belt was told to run.
    pub running: bool,
}

impl Line {
    /// The button of a zone is held, or `None`: let go.
    pub(crate) fn jog(&mut self, zone: Option<ZoneId>, out: &mut Vec<Decision>) {
        let Some(zone) = zone else { return self.end_jog(out) };
        let why = self.jog_unmet(zone);
        if !why.is_empty() {
            self.end_jog(out);
            out.push(Decision::Refused { why });
            return;
        }
        let now = self.memory.now;
        let held_until = now.plus(limits::JOG_HOLD);
        match &mut self.memory.jog {
            Some(jog) if jog.zone == zone => jog.held_until = held_until,
            Some(_) | None => {
                self.end_jog(out);
                // Hands are on the line, and what lies on the belt will move with nobody counting.
                self.doubt_all(Reason::Uncertain, out);
                self.cancel_all(Reason::Uncertain, out);
                let starts = now.plus(self.layout.limits.prestart);
                self.memory.jog = Some(Jog { zone, held_until, starts, running: false });
            }
        }
    }

    /// Stops what jogs.
    pub(crate) fn end_jog(&mut self, out: &mut Vec<Decision>) {
        let Some(jog) = self.memory.jog.take() else { return };
        if jog.running {
            self.drive(jog.zone, false, out);
        }
    }

    /// Stops what jogs as soon as a condition for it is gone, whatever took it away.
    pub(crate) fn guard_jog(&mut self, out: &mut Vec<Decision>) {
        if self.memory.jog.is_some_and(|jog| !self.jog_unmet(jog.zone).is_empty()) {
            self.end_jog(out);
        }
    }

    /// When a jog starts its belt or ends by itself.
    pub(crate) fn jog_deadline(&self) -> Option<Micros> {
        self.memory
            .jog
            .map(|jog| if jog.running { jog.held_until } else { jog.held_until.min(jog.starts) })
    }

    /// Starts or ends a jog whose time has come.
    pub(crate) fn run_jog_deadline(&mut self, out: &mut Vec<Decision>) {
        let Some(jog) = self.memory.jog else { return };
        let now = self.memory.now;
        if jog.held_until <= now {
            self.end_jog(out);
        } else if !jog.running && jog.starts <= now {
            self.memory.jog = Some(Jog { running: true, ..jog });
            self.drive(jog.zone, true, out);
        }
    }

    fn drive(&mut self, zone: ZoneId, run: bool, out: &mut Vec<Decision>) {
        let sorter = self.layout.zones.len().saturating_sub(1);
        let index = usize::from(zone.0);
        let Some(place) = self.layout.zones.get(index) else { return };
        out.push(Decision::Drive { zone, run, speed: place.speed });
        if index == sorter {
            self.turn_sorter(run);
        }
    }

    /// Every condition for a jog that is not met.
    fn jog_unmet(&self, zone: ZoneId) -> Vec<Unmet> {
        let memory = &self.memory;
        let mut why: Vec<Unmet> = memory.estops.iter().copied().map(Unmet::EstopActive).collect();
        if memory.unit_mode != UnitMode::Maintenance {
            why.push(Unmet::WrongMode(memory.unit_mode));
        }
        let place = self.layout.zones.get(usize::from(zone.0));
        if memory.machine.mode != Mode::Stopped || place.is_none() {
            why.push(Unmet::WrongState(memory.machine.mode.state()));
        }
        // Without the panel nobody would hear of an emergency stop.
        let nodes: [Option<NodeId>; 2] = [place.map(|place| place.node), Some(self.layout.panel)];
        let down = |node: &NodeId| !memory.nodes[usize::from(node.0)].up;
        why.extend(nodes.into_iter().flatten().filter(down).map(Unmet::NodeDown));
        if memory.stalled {
            why.push(Unmet::CommitsStalled);
        }
        why
    }
}
