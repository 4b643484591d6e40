//! Belts, release and lights: what follows from the state.

use crate::decision::{Decision, Light};
use crate::ids::{NodeId, ZoneId};
use crate::limits;
use crate::line::Line;
use crate::memory::{Belts, Mode, Pressure};
use crate::packml::{State, StateReason, UnitMode};
use crate::parcel::Fate;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use units::{Distance, Micros};

/// Every light of the panel.
const LIGHTS: [Light; 4] = [Light::Red, Light::Yellow, Light::Green, Light::Horn];

impl Line {
    /// Closes the release and stops every belt, whatever the state thinks of them.
    pub(crate) fn stop_belts(&mut self, out: &mut Vec<Decision>) {
        for (index, zone) in self.layout.zones.iter().enumerate() {
            let Ok(index) = u8::try_from(index) else { continue };
            if zone.gapping {
                out.push(Decision::Release { zone: ZoneId(index), gap: Distance(0) });
            }
        }
        self.memory.release_open = false;
        self.memory.release_gap = Distance(0);
        for (index, zone) in self.layout.zones.iter().enumerate() {
            let Ok(index) = u8::try_from(index) else { continue };
            out.push(Decision::Drive { zone: ZoneId(index), run: false, speed: zone.speed });
        }
        self.coast();
    }

    /// The sorter belt was told to stop; what lies on it may slip.
    fn coast(&mut self) {
        if !self.memory.belt.moving {
            return;
        }
        // It coasts for about half the way that a ramp at full speed would cover.
        let coast = self.layout.speed.travel(Micros(self.layout.limits.ramp.0 / 2));
        let stand = self.belt_now(self.memory.now).map(|at| at.plus(self.layout.counts(coast)));
        self.memory.belt.at = stand;
        self.memory.belt.when = self.memory.now;
        self.memory.belt.moving = false;
        let slip = self.layout.counts(limits::STOP_SLIP);
        self.memory.live.change_all(&self.layout, |parcel| {
            parcel.track.slack = parcel.track.slack.plus(slip);
        });
    }

    /// The sorter belt was told to run or to stop.
    pub(crate) fn turn_sorter(&mut self, run: bool) {
        if run {
            // It was followed until it stood; how far it might have coasted is of no worth any more.
            self.memory.belt.at = self.belt_heard();
            self.memory.belt.when = self.memory.now;
            self.memory.belt.moving = true;
        } else {
            self.coast();
        }
    }

    /// Whether a zone runs while these belts do.
    fn among(&self, belts: Belts, zone: usize) -> bool {
        let sorter = self.layout.zones.len().saturating_sub(1);
        let gapping = self.layout.zones.iter().rposition(|zone| zone.gapping);
        match belts {
            Belts::Standing => false,
            Belts::Sorter => zone == sorter,
            Belts::Infeed => zone != sorter,
            // The infeed is part of the way round.
            Belts::Emptying => self.layout.end.returns() || zone >= gapping.unwrap_or(sorter),
            Belts::All => true,
        }
    }

    /// Whether a zone should run now.
    fn runs(&self, zone: usize) -> bool {
        self.among(self.memory.machine.mode.belts(), zone)
    }

    /// Starts and stops what differs from the belts that ran before, downstream first.
    pub(crate) fn move_belts(&mut self, before: Belts, out: &mut Vec<Decision>) {
        let sorter = self.layout.zones.len().saturating_sub(1);
        for index in (0..=sorter).rev() {
            let (ran, run) = (self.among(before, index), self.runs(index));
            let Ok(number) = u8::try_from(index) else { continue };
            // Whoever stops everything has said so already.
            let said = !run && self.memory.machine.mode.belts() == Belts::Standing;
            if ran == run || said {
                continue;
            }
            if index == sorter {
                self.turn_sorter(run);
            }
            let speed = self.layout.zones[index].speed;
            out.push(Decision::Drive { zone: ZoneId(number), run, speed });
        }
    }

    /// Gives a node that came back the outputs that it should have.
    pub(crate) fn reissue(&mut self, node: NodeId, out: &mut Vec<Decision>) {
        for (index, zone) in self.layout.zones.iter().enumerate() {
            let Ok(number) = u8::try_from(index) else { continue };
            if zone.node != node {
                continue;
            }
            let (id, run) = (ZoneId(number), self.runs(index));
            out.push(Decision::Drive { zone: id, run, speed: zone.speed });
            if zone.gapping {
                out.push(Decision::Release { zone: id, gap: self.memory.release_gap });
            }
        }
        if node == self.layout.panel {
            for light in LIGHTS {
                out.push(Decision::Light { light, on: self.memory.lights.contains(&light) });
            }
        }
    }

    /// Whether parcels may come in now.
    fn inducting(&self) -> bool {
        let mode = self.memory.machine.mode;
        let sorting = mode == Mode::Execute && self.memory.unit_mode == UnitMode::Production;
        // Running empty, what the gapping zone holds already is let through.
        let emptying = matches!(mode, Mode::Completing { .. });
        (sorting || emptying)
            && !self.memory.stalled
            // A full return has no other way out than the infeed.
            && (!self.memory.end_full || self.layout.end.returns())
            && self.memory.pressure != Pressure::Pause
            && self.memory.live.len() < usize::from(self.layout.limits.in_flight_max)
    }

    /// Whether induction is paused although the line runs.
    pub(crate) fn paused(&self) -> bool {
        self.memory.machine.mode == Mode::Execute && !self.inducting()
    }

    /// Holds induction back while parcels or questions to the manifest pile up.
    ///
    /// A pause ends at [`limits::RESUME_PERCENT`] of both limits, not at the limit itself, so that the
    /// belt does not stutter.
    pub(crate) fn adjust_pressure(&mut self) {
        let asked = self.memory.live.briefs().filter(|brief| brief.asked).count();
        let in_flight = usize::from(self.layout.limits.in_flight_max);
        let loads = [(self.memory.live.len(), in_flight), (asked, limits::ASKED_MAX)];
        let reaches = |percent: usize| {
            loads.iter().any(|(load, most)| load.saturating_mul(100) >= most * percent)
        };
        let above = |percent: usize| {
            loads.iter().any(|(load, most)| load.saturating_mul(100) > most * percent)
        };
        self.memory.pressure = if reaches(100) {
            Pressure::Pause
        } else if !above(limits::RESUME_PERCENT) {
            Pressure::None
        } else if reaches(limits::SLOW_PERCENT) {
            self.memory.pressure.max(Pressure::SlowDown)
        } else {
            self.memory.pressure
        };
    }

    /// When the sorter belt goes to sleep; `None` while it has work.
    pub(crate) fn sleep_deadline(&self) -> Option<Micros> {
        let sleep = self.layout.limits.sleep?;
        let empty = self.memory.live.is_empty() && self.memory.arms.is_empty();
        let idle = empty && self.inducting() && self.memory.machine.mode == Mode::Execute;
        let since = self.memory.active_at.max(self.memory.machine.since);
        idle.then(|| since.plus(sleep))
    }

    /// Lets the sorter belt sleep.
    pub(crate) fn run_sleep_deadline(&mut self, out: &mut Vec<Decision>) {
        let now = self.memory.now;
        if self.sleep_deadline().is_some_and(|at| at <= now) {
            let until = now.plus(self.layout.limits.ramp);
            self.enter(Mode::Suspending { until }, StateReason::Asleep, out);
        }
    }

    /// Takes word that a parcel came to the exit eye of the gapping zone.
    pub(crate) fn zone_exit(&mut self, active: bool, out: &mut Vec<Decision>) {
        if active {
            self.wake(out);
        }
    }

    /// Something comes: a sleeping belt wakes, after its warning.
    pub(crate) fn wake(&mut self, out: &mut Vec<Decision>) {
        self.memory.active_at = self.memory.now;
        if self.memory.machine.mode.state().may_become(State::Unsuspending) {
            let until = self.memory.now.plus(self.layout.limits.prestart);
            self.enter(Mode::WakeWarning { until }, StateReason::Woken, out);
        }
    }

    /// Opens or closes the release when what it depends on changed.
    pub(crate) fn adjust_release(&mut self, out: &mut Vec<Decision>) {
        let open = self.inducting();
        let target = self.layout.limits.gap_target;
        let gap = match (open, self.memory.pressure) {
            (false, _) => Distance(0),
            (true, Pressure::SlowDown) => Distance(target.0 * limits::SLOW_GAP_PERCENT / 100),
            (true, Pressure::None | Pressure::Pause) => target,
        };
        if (open, gap) == (self.memory.release_open, self.memory.release_gap) {
            return;
        }
        self.memory.release_open = open;
        self.memory.release_gap = gap;
        for (index, zone) in self.layout.zones.iter().enumerate() {
            if let (true, Ok(number)) = (zone.gapping, u8::try_from(index)) {
                out.push(Decision::Release { zone: ZoneId(number), gap });
            }
        }
    }

    /// Stops the belt before the next parcel reaches a full end chute or return.
    pub(crate) fn guard_end(&mut self, out: &mut Vec<Decision>) {
        if !self.memory.end_full {
            return;
        }
        let last = self.layout.diverters.last().map(|diverter| diverter.eye);
        let coming = self.memory.live.values().any(|parcel| {
            let leaves = match parcel.fate {
                Fate::Armed { .. } | Fate::Fired { .. } => true,
                Fate::Open | Fate::Assigned(_) | Fate::MayHaveFired { .. } | Fate::ToEnd { .. } => {
                    false
                }
            };
            !leaves && last.is_none_or(|last| parcel.last().eye >= last)
        });
        if coming {
            self.hold(StateReason::EndFull, out);
        }
    }

    /// Switches lights whose state changed.
    pub(crate) fn adjust_lights(&mut self, out: &mut Vec<Decision>) {
        let fault = match self.memory.machine.reason {
            StateReason::NodeDown(_)
            | StateReason::LeaseExpired(_)
            | StateReason::EndFull
            | StateReason::NotEmpty
            | StateReason::Jam(_)
            | StateReason::ArrivalJam(_)
            | StateReason::EncoderStall(_) => true,
            StateReason::Command(_)
            | StateReason::Done
            | StateReason::Estop(_)
            | StateReason::AwayTooLong
            | StateReason::Quarantined
            | StateReason::Asleep
            | StateReason::Woken => false,
        };
        let wanted: &[Light] = match self.memory.machine.mode {
            Mode::Stopped if self.memory.jog.is_some_and(|jog| !jog.running) => {
                &[Light::Yellow, Light::Horn]
            }
            Mode::Stopped if self.memory.jog.is_some() => &[Light::Yellow],
            Mode::Warning { .. } | Mode::UnholdWarning { .. } | Mode::WakeWarning { .. } => {
                &[Light::Yellow, Light::Horn]
            }
            Mode::Ramping { .. }
            | Mode::UnholdRamping { .. }
            | Mode::WakeRamping { .. }
            | Mode::Idle
            | Mode::Suspending { .. }
            | Mode::Suspended => &[Light::Yellow],
            Mode::Held | Mode::Holding { .. } if fault => &[Light::Red, Light::Yellow],
            Mode::Held | Mode::Holding { .. } => &[Light::Yellow],
            Mode::Completing { .. } | Mode::Emptied { .. } => &[Light::Yellow, Light::Green],
            Mode::Execute => &[Light::Green],
            Mode::Aborting { .. } | Mode::Aborted | Mode::Clearing => &[Light::Red],
            Mode::Stopped | Mode::Stopping { .. } if fault => &[Light::Red],
            Mode::Stopped | Mode::Resetting | Mode::Stopping { .. } | Mode::Completed => &[],
        };
        let wanted: BTreeSet<Light> = wanted.iter().copied().collect();
        for light in LIGHTS {
            let on = wanted.contains(&light);
            if on != self.memory.lights.contains(&light) {
                out.push(Decision::Light { light, on });
            }
        }
        self.memory.lights = wanted;
    }
}
