//! PackML: commands, contacts, deadlines, belts, release and lights.

use crate::alarm::Alarm;
use crate::decision::{Decision, Light};
use crate::ids::{NodeId, Tag, ZoneId};
use crate::layout::Duty;
use crate::limits;
use crate::line::Line;
use crate::memory::{Machine, Mode};
use crate::packml::{State, StateReason};
use crate::parcel::Fate;
use crate::reason::Reason;
use crate::signal::{Command, Contact};
use crate::view::Unmet;
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;
use units::{Distance, Micros};

impl Line {
    /// Takes a change of a panel contact.
    pub(crate) fn contact(&mut self, contact: Contact, active: bool, out: &mut Vec<Decision>) {
        match contact {
            Contact::Estop(number) => {
                if active {
                    self.memory.estops.insert(number);
                    self.raise(Alarm::Estop(number), out);
                    self.abort(StateReason::Estop(number), out);
                } else {
                    self.memory.estops.remove(&number);
                    self.clear(Alarm::Estop(number), out);
                }
            }
            Contact::Start if active => self.command(Command::Start, "", out),
            Contact::Stop if active => self.command(Command::Stop, "", out),
            Contact::Reset if active => {
                let command = match self.memory.machine.mode.state() {
                    State::Aborting | State::Aborted => Command::Clear,
                    State::Stopped
                    | State::Resetting
                    | State::Idle
                    | State::Starting
                    | State::Execute
                    | State::Held
                    | State::Stopping
                    | State::Clearing => Command::Reset,
                };
                self.command(command, "", out);
            }
            // Buttons act when pressed, not when released.
            Contact::Start | Contact::Stop | Contact::Reset => {}
            Contact::EndFull => {
                self.memory.end_full = active;
                if active {
                    self.raise(Alarm::EndFull, out);
                } else {
                    self.clear(Alarm::EndFull, out);
                }
            }
        }
    }

    /// Takes a person's command; what the state does not allow is refused with every reason.
    pub(crate) fn command(&mut self, command: Command, by: &str, out: &mut Vec<Decision>) {
        let reason = StateReason::Command(command);
        let mode = self.memory.machine.mode;
        match (command, mode) {
            (Command::Resolve { parcel, chute }, _) => self.resolve(parcel, chute, by, out),
            (Command::Reset, Mode::Stopped) => {
                if self.allowed(out) {
                    self.acknowledge(out);
                    self.enter(Mode::Resetting, reason, out);
                    self.enter(Mode::Idle, StateReason::Done, out);
                }
            }
            (Command::Start, Mode::Idle | Mode::Held) => {
                if self.allowed(out) {
                    self.acknowledge(out);
                    let until = self.memory.now.plus(self.layout.limits.prestart);
                    self.enter(Mode::Warning { until }, reason, out);
                }
            }
            (
                Command::Stop,
                Mode::Idle
                | Mode::Warning { .. }
                | Mode::Ramping { .. }
                | Mode::Execute
                | Mode::Held,
            ) => {
                self.stop_belts(out);
                let until = self.memory.now.plus(self.layout.limits.ramp);
                self.enter(Mode::Stopping { until }, reason, out);
            }
            // Whoever stops a line that stands has what they want.
            (Command::Stop, Mode::Stopped | Mode::Stopping { .. }) => {}
            (Command::Hold, Mode::Warning { .. } | Mode::Ramping { .. } | Mode::Execute) => {
                self.hold(reason, out);
            }
            (Command::Abort, _) => self.abort(reason, out),
            (Command::Clear, Mode::Aborted) => {
                let why: Vec<Unmet> =
                    self.memory.estops.iter().copied().map(Unmet::EstopActive).collect();
                if why.is_empty() {
                    self.enter(Mode::Clearing, reason, out);
                    self.enter(Mode::Stopped, StateReason::Done, out);
                } else {
                    out.push(Decision::Refused { why });
                }
            }
            (
                Command::Reset | Command::Start | Command::Stop | Command::Hold | Command::Clear,
                other,
            ) => out.push(Decision::Refused { why: vec![Unmet::WrongState(other.state())] }),
        }
    }

    /// Whether the line may be reset and started; refuses with every condition that is not met.
    fn allowed(&self, out: &mut Vec<Decision>) -> bool {
        let why = self.unmet();
        let allowed = why.is_empty();
        if !allowed {
            out.push(Decision::Refused { why });
        }
        allowed
    }

    /// Every condition that keeps reset and start from working.
    pub(crate) fn unmet(&self) -> Vec<Unmet> {
        let mut why: Vec<Unmet> =
            self.memory.estops.iter().copied().map(Unmet::EstopActive).collect();
        for (index, place) in self.layout.nodes.iter().enumerate() {
            let essential = place.duty == Duty::Essential;
            if let (true, false, Ok(node)) =
                (essential, self.memory.nodes[index].up, u8::try_from(index))
            {
                why.push(Unmet::NodeDown(NodeId(node)));
            }
        }
        if self.memory.plans.is_empty() {
            why.push(Unmet::NoPlan);
        }
        if self.memory.stalled {
            why.push(Unmet::CommitsStalled);
        }
        if self.memory.end_full {
            why.push(Unmet::EndFull);
        }
        why
    }

    /// Leaves acting states whose time is over.
    pub(crate) fn run_deadlines(&mut self, out: &mut Vec<Decision>) {
        let now = self.memory.now;
        let mode = self.memory.machine.mode;
        if mode.until().is_none_or(|until| until > now) {
            return;
        }
        match mode {
            Mode::Warning { .. } => {
                let until = now.plus(self.layout.limits.ramp);
                self.memory.belt.when = now;
                self.memory.belt.moving = true;
                self.enter(Mode::Ramping { until }, StateReason::Done, out);
                self.drive_zones(out);
            }
            Mode::Ramping { .. } => {
                self.enter(Mode::Execute, StateReason::Done, out);
                self.drive_zones(out);
            }
            Mode::Stopping { .. } => self.enter(Mode::Stopped, StateReason::Done, out),
            Mode::Aborting { .. } => self.enter(Mode::Aborted, StateReason::Done, out),
            Mode::Stopped
            | Mode::Resetting
            | Mode::Idle
            | Mode::Execute
            | Mode::Held
            | Mode::Aborted
            | Mode::Clearing => {}
        }
    }

    /// Goes to another state; steps within one state are not told.
    pub(crate) fn enter(&mut self, mode: Mode, reason: StateReason, out: &mut Vec<Decision>) {
        let now = self.memory.now;
        let (from, to) = (self.memory.machine.mode.state(), mode.state());
        let running = &mut self.memory.running;
        if let (State::Execute, Some(since)) = (from, running.since.take()) {
            running.before = running.before.plus(now.since(since));
        }
        if to == State::Execute {
            running.since = Some(now);
        }
        if from == to {
            self.memory.machine.mode = mode;
            return;
        }
        self.memory.machine = Machine { mode, since: now, reason };
        out.push(Decision::State { from, to, reason });
    }

    /// Pauses by the line's own cause.
    pub(crate) fn hold(&mut self, reason: StateReason, out: &mut Vec<Decision>) {
        match self.memory.machine.mode {
            Mode::Warning { .. } | Mode::Ramping { .. } | Mode::Execute => {
                self.stop_belts(out);
                self.enter(Mode::Held, reason, out);
            }
            Mode::Stopped
            | Mode::Resetting
            | Mode::Idle
            | Mode::Held
            | Mode::Stopping { .. }
            | Mode::Aborting { .. }
            | Mode::Aborted
            | Mode::Clearing => {}
        }
    }

    /// Stops everything and withdraws every arm.
    fn abort(&mut self, reason: StateReason, out: &mut Vec<Decision>) {
        match self.memory.machine.mode {
            Mode::Aborting { .. } | Mode::Aborted => return,
            Mode::Stopped
            | Mode::Resetting
            | Mode::Idle
            | Mode::Warning { .. }
            | Mode::Ramping { .. }
            | Mode::Execute
            | Mode::Held
            | Mode::Stopping { .. }
            | Mode::Clearing => {}
        }
        self.stop_belts(out);
        self.cancel_all(Reason::Cancelled, out);
        let until = self.memory.now.plus(self.layout.limits.ramp);
        self.enter(Mode::Aborting { until }, reason, out);
    }

    /// Withdraws every arm; the parcels run to the end.
    pub(crate) fn cancel_all(&mut self, reason: Reason, out: &mut Vec<Decision>) {
        let arms: Vec<Tag> = self.memory.arms.keys().copied().collect();
        for tag in arms {
            self.cancel_arm(tag, out);
            let Some(parcel) = self.memory.arms.get(&tag).map(|arm| arm.plan.parcel) else {
                continue;
            };
            self.give_up_if_armed(parcel, tag, reason, out);
        }
    }

    /// Closes the release and stops every belt; what lies on the sorter belt may slip.
    pub(crate) fn stop_belts(&mut self, out: &mut Vec<Decision>) {
        for (index, zone) in self.layout.zones.iter().enumerate() {
            let Ok(index) = u8::try_from(index) else { continue };
            if zone.gapping {
                out.push(Decision::Release { zone: ZoneId(index), gap: Distance(0) });
            }
        }
        self.memory.release_open = false;
        for (index, zone) in self.layout.zones.iter().enumerate() {
            let Ok(index) = u8::try_from(index) else { continue };
            out.push(Decision::Drive { zone: ZoneId(index), run: false, speed: zone.speed });
        }
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
        for parcel in self.memory.live.values_mut() {
            parcel.track.slack = parcel.track.slack.plus(slip);
        }
    }

    /// Whether a zone should run now.
    fn runs(&self, zone: usize) -> bool {
        match self.memory.machine.mode {
            Mode::Execute => true,
            Mode::Ramping { .. } => zone + 1 == self.layout.zones.len(),
            Mode::Stopped
            | Mode::Resetting
            | Mode::Idle
            | Mode::Warning { .. }
            | Mode::Held
            | Mode::Stopping { .. }
            | Mode::Aborting { .. }
            | Mode::Aborted
            | Mode::Clearing => false,
        }
    }

    /// Starts what should run now, downstream first: the sorter belt alone while it ramps up, then
    /// the zones before it.
    fn drive_zones(&mut self, out: &mut Vec<Decision>) {
        let ramping = self.memory.machine.mode.until().is_some();
        let last = self.layout.zones.len().saturating_sub(1);
        for (index, zone) in self.layout.zones.iter().enumerate().rev() {
            let Ok(number) = u8::try_from(index) else { continue };
            if (index == last) == ramping && self.runs(index) {
                out.push(Decision::Drive { zone: ZoneId(number), run: true, speed: zone.speed });
            }
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
                let open = self.memory.release_open;
                let gap = if open { self.layout.limits.gap_target } else { Distance(0) };
                out.push(Decision::Release { zone: id, gap });
            }
        }
        if node == self.layout.panel {
            for light in [Light::Red, Light::Yellow, Light::Green, Light::Horn] {
                out.push(Decision::Light { light, on: self.memory.lights.contains(&light) });
            }
        }
    }

    /// Whether parcels may come in now.
    fn inducting(&self) -> bool {
        self.memory.machine.mode == Mode::Execute
            && !self.memory.stalled
            && !self.memory.end_full
            && self.memory.live.len() < usize::from(self.layout.limits.in_flight_max)
    }

    /// Whether induction is paused although the line runs.
    pub(crate) fn paused(&self) -> bool {
        self.memory.machine.mode == Mode::Execute && !self.inducting()
    }

    /// Opens or closes the release when what it depends on changed.
    pub(crate) fn adjust_release(&mut self, out: &mut Vec<Decision>) {
        let open = self.inducting();
        if open == self.memory.release_open {
            return;
        }
        self.memory.release_open = open;
        let gap = if open { self.layout.limits.gap_target } else { Distance(0) };
        for (index, zone) in self.layout.zones.iter().enumerate() {
            if let (true, Ok(number)) = (zone.gapping, u8::try_from(index)) {
                out.push(Decision::Release { zone: ZoneId(number), gap });
            }
        }
    }

    /// Stops the belt before the next parcel reaches a full end chute.
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
            StateReason::NodeDown(_) | StateReason::LeaseExpired(_) | StateReason::EndFull => true,
            StateReason::Command(_)
            | StateReason::Done
            | StateReason::Estop(_)
            | StateReason::AwayTooLong
            | StateReason::Quarantined => false,
        };
        let wanted: &[Light] = match self.memory.machine.mode {
            Mode::Warning { .. } => &[Light::Yellow, Light::Horn],
            Mode::Ramping { .. } | Mode::Idle => &[Light::Yellow],
            Mode::Held if fault => &[Light::Red, Light::Yellow],
            Mode::Held => &[Light::Yellow],
            Mode::Execute => &[Light::Green],
            Mode::Aborting { .. } | Mode::Aborted | Mode::Clearing => &[Light::Red],
            Mode::Stopped | Mode::Resetting | Mode::Stopping { .. } => &[],
        };
        let wanted: BTreeSet<Light> = wanted.iter().copied().collect();
        for light in [Light::Red, Light::Yellow, Light::Green, Light::Horn] {
            let on = wanted.contains(&light);
            if on != self.memory.lights.contains(&light) {
                out.push(Decision::Light { light, on });
            }
        }
        self.memory.lights = wanted;
    }
}
