//! PackML: commands, contacts, conditions, and the walk from state to state.

use crate::alarm::Alarm;
use crate::decision::Decision;
use crate::ids::{NodeId, ParcelId, Tag};
use crate::layout::{Duty, LineEnd};
use crate::limits;
use crate::line::Line;
use crate::memory::{Machine, Mode, Under};
use crate::packml::{State, StateReason, UnitMode};
use crate::parcel::Fate;
use crate::reason::Reason;
use crate::signal::{Command, Contact};
use crate::view::Unmet;
use alloc::vec;
use alloc::vec::Vec;
use units::{Distance, Micros, Position};

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
            Contact::Start if active => self.command(Command::Start, "", "", out),
            Contact::Stop if active => self.command(Command::Stop, "", "", out),
            Contact::Reset if active => {
                let command = match self.memory.machine.mode.state() {
                    State::Aborting | State::Aborted => Command::Clear,
                    State::Stopped
                    | State::Resetting
                    | State::Idle
                    | State::Starting
                    | State::Execute
                    | State::Holding
                    | State::Held
                    | State::Unholding
                    | State::Suspending
                    | State::Suspended
                    | State::Unsuspending
                    | State::Completing
                    | State::Completed
                    | State::Stopping
                    | State::Clearing => Command::Reset,
                };
                self.command(command, "", "", out);
            }
            // Buttons act when pressed, not when released.
            Contact::Start | Contact::Stop | Contact::Reset => {}
            Contact::EndFull => {
                self.memory.end_full = active;
                let returns = self.layout.end.returns();
                let alarm = if returns { Alarm::ReturnFull } else { Alarm::EndFull };
                if active {
                    self.raise(alarm, out);
                } else {
                    self.clear(alarm, out);
                }
            }
        }
    }

    /// Takes a person's command; what the state does not allow is refused with every reason.
    pub(crate) fn command(
        &mut self,
        command: Command,
        by: &str,
        why: &str,
        out: &mut Vec<Decision>,
    ) {
        match command {
            Command::Reset => self.reset(out),
            Command::Start => self.start(out),
            Command::Stop => {
                self.end_jog(out);
                self.stop(out);
            }
            Command::Hold => self.hold_asked(out),
            Command::Abort => self.abort(StateReason::Command(command), out),
            Command::Clear => self.clear_fault(out),
            Command::Complete => self.complete(out),
            Command::SetMode(mode) => self.set_mode(mode, out),
            Command::Resolve { parcel, chute } => self.resolve(parcel, chute, by, out),
            Command::Acknowledge { alarm } => self.acknowledge(alarm, out),
            Command::Shelve { alarm, minutes } => self.shelve(alarm, minutes, by, why, out),
            Command::Unshelve { alarm } => self.unshelve(alarm, out),
            Command::Jog { zone } => self.jog(zone, out),
        }
    }

    fn wrong_state(&self, out: &mut Vec<Decision>) {
        let state = self.memory.machine.mode.state();
        out.push(Decision::Refused { why: vec![Unmet::WrongState(state)] });
    }

    fn reset(&mut self, out: &mut Vec<Decision>) {
        if !self.memory.machine.mode.state().may_become(State::Resetting) {
            self.wrong_state(out);
        } else if self.allowed(out) {
            self.all_seen(out);
            self.enter(Mode::Resetting, StateReason::Command(Command::Reset), out);
            self.enter(Mode::Idle, StateReason::Done, out);
        }
    }

    /// Starts after a reset or a hold, and wakes a sleeping line.
    fn start(&mut self, out: &mut Vec<Decision>) {
        let until = self.memory.now.plus(self.layout.limits.prestart);
        let ways = [
            (State::Starting, Mode::Warning { until }),
            (State::Unholding, Mode::UnholdWarning { until }),
            (State::Unsuspending, Mode::WakeWarning { until }),
        ];
        let now = self.memory.machine.mode.state();
        let Some((_, mode)) = ways.into_iter().find(|(state, _)| now.may_become(*state)) else {
            return self.wrong_state(out);
        };
        if self.allowed(out) {
            self.all_seen(out);
            self.enter(mode, StateReason::Command(Command::Start), out);
        }
    }

    /// 立即停止.
    fn stop(&mut self, out: &mut Vec<Decision>) {
        match self.memory.machine.mode.state() {
            // Whoever stops a line that stands has what they want.
            State::Stopped | State::Stopping => {}
            State::Aborting | State::Aborted | State::Clearing => self.wrong_state(out),
            State::Resetting
            | State::Idle
            | State::Starting
            | State::Execute
            | State::Holding
            | State::Held
            | State::Unholding
            | State::Suspending
            | State::Suspended
            | State::Unsuspending
            | State::Completing
            | State::Completed => self.halt(StateReason::Command(Command::Stop), out),
        }
    }

    /// Goes to Stopping.
    fn halt(&mut self, reason: StateReason, out: &mut Vec<Decision>) {
        self.stop_belts(out);
        let until = self.memory.now.plus(self.layout.limits.ramp);
        self.enter(Mode::Stopping { until }, reason, out);
    }

    fn hold_asked(&mut self, out: &mut Vec<Decision>) {
        let before = self.memory.machine.mode.state();
        if before.may_become(State::Holding) {
            self.hold(StateReason::Command(Command::Hold), out);
        } else {
            self.wrong_state(out);
        }
    }

    fn clear_fault(&mut self, out: &mut Vec<Decision>) {
        if self.memory.machine.mode != Mode::Aborted {
            return self.wrong_state(out);
        }
        let estops = self.memory.estops.iter();
        let why: Vec<Unmet> = estops.copied().map(Unmet::EstopActive).collect();
        if why.is_empty() {
            self.enter(Mode::Clearing, StateReason::Command(Command::Clear), out);
            self.enter(Mode::Stopped, StateReason::Done, out);
        } else {
            out.push(Decision::Refused { why });
        }
    }

    /// 清线停机: closes the infeed, runs empty, proves it, stops.
    fn complete(&mut self, out: &mut Vec<Decision>) {
        if self.memory.machine.mode == Mode::Execute {
            self.run_empty(StateReason::Command(Command::Complete), out);
        } else {
            self.wrong_state(out);
        }
    }

    /// Goes to Completing: what the gapping zone still holds comes, then nothing more may.
    fn run_empty(&mut self, reason: StateReason, out: &mut Vec<Decision>) {
        let now = self.memory.now;
        let path = self.layout.eye(self.layout.last_eye()).at;
        let pass = Micros(self.time_for(path).0 * 3).plus(self.coming_transit());
        let passes = match self.layout.end {
            LineEnd::Chute => 1,
            // Its last one takes whoever has gone round as often as it may to the exceptions.
            LineEnd::Return { laps_max, .. } => u64::from(laps_max) + 1,
        };
        let by = now.plus(Micros(pass.0 * passes)).plus(limits::EMPTYING_SPARE);
        self.enter(Mode::Completing { by }, reason, out);
        // Nothing that is still to come may be taken for darkness.
        let coming = self.way_to_come();
        self.memory.quiet_from = self.belt_now(now).map(|at| at.plus(coming));
    }

    /// How long the last parcel needs that may still come to the induction eye: through the gapping
    /// zone, whose infeed stands; or round the return, whose infeed runs.
    fn coming_transit(&self) -> Micros {
        let zones = &self.layout.zones;
        match self.layout.end {
            LineEnd::Chute => {
                let gapping = zones.iter().rev().find(|zone| zone.gapping);
                gapping.map_or(Micros::ZERO, |zone| zone.transit)
            }
            LineEnd::Return { transit, .. } => {
                let infeed = zones.iter().rev().skip(1);
                Micros(infeed.map(|zone| zone.transit.0).sum::<u64>()).plus(transit)
            }
        }
    }

    /// The same as way of the sorter belt.
    fn way_to_come(&self) -> Distance {
        self.layout.counts(self.layout.speed.travel(self.coming_transit()))
    }

    /// Notes that an eye saw something: the line is not quiet before the belt has gone its whole path.
    pub(crate) fn note_edge(&mut self, at: Position) {
        if let Some(quiet) = self.memory.quiet_from {
            self.memory.quiet_from = Some(if at.since(quiet).0 > 0 { at } else { quiet });
        }
    }

    /// The belt position up to which every eye must have stayed dark for the line to be empty.
    pub(crate) fn empty_at(&self) -> Option<Position> {
        let limits = &self.layout.limits;
        let path = self.layout.eye(self.layout.last_eye()).at;
        let way = path.0 + path.0 * i64::from(limits.late_permille) / 1_000;
        let mut rest = limits.length_max.plus(limits.tolerance);
        if self.layout.end.returns() {
            rest = rest.plus(self.way_to_come());
        }
        let emptying = matches!(self.memory.machine.mode, Mode::Completing { .. });
        let from = self.memory.quiet_from.filter(|_| emptying && self.memory.live.is_empty());
        from.map(|from| from.plus(Distance(way)).plus(rest))
    }

    /// Stops a line that has proven empty.
    pub(crate) fn settle_empty(&mut self, out: &mut Vec<Decision>) {
        let Some(at) = self.empty_at() else { return };
        let dark = self.memory.under.iter().all(|under| *under == Under::Clear);
        let heard = self.layout.eyes.iter().all(|eye| self.heard(eye.node, at));
        // An eye whose node is down proves nothing: a person has to look.
        let believed = self.layout.eyes.iter().all(|eye| {
            let from = self.memory.quiet_from.unwrap_or(at);
            !self.blind(eye.node, from)
        });
        if dark && heard && believed {
            self.stop_belts(out);
            let until = self.memory.now.plus(self.layout.limits.ramp);
            self.enter(Mode::Emptied { until }, StateReason::Done, out);
        }
    }

    fn set_mode(&mut self, mode: UnitMode, out: &mut Vec<Decision>) {
        if self.memory.machine.mode == Mode::Stopped {
            self.memory.unit_mode = mode;
        } else {
            self.wrong_state(out);
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
        why.extend(self.jammed().map(Unmet::EyeBlocked));
        if self.memory.unit_mode == UnitMode::Maintenance {
            why.push(Unmet::WrongMode(UnitMode::Maintenance));
        }
        why
    }

    /// Leaves acting states whose time is over.
    pub(crate) fn run_deadlines(&mut self, out: &mut Vec<Decision>) {
        self.run_alarm_deadlines(out);
        self.run_watch_deadlines(out);
        self.run_sleep_deadline(out);
        self.run_jog_deadline(out);
        let now = self.memory.now;
        let mode = self.memory.machine.mode;
        if mode.until().is_none_or(|until| until > now) {
            return;
        }
        let ramped = now.plus(self.layout.limits.ramp);
        let next = match mode {
            Mode::Warning { .. } => Mode::Ramping { until: ramped },
            Mode::UnholdWarning { .. } => Mode::UnholdRamping { until: ramped },
            Mode::WakeWarning { .. } => Mode::WakeRamping { until: ramped },
            Mode::Ramping { .. } | Mode::UnholdRamping { .. } | Mode::WakeRamping { .. } => {
                Mode::Execute
            }
            Mode::Holding { .. } => Mode::Held,
            Mode::Suspending { .. } => Mode::Suspended,
            Mode::Emptied { .. } => Mode::Completed,
            Mode::Stopping { .. } => Mode::Stopped,
            Mode::Aborting { .. } => Mode::Aborted,
            Mode::Completing { .. } => {
                self.raise(Alarm::NotEmpty, out);
                return self.halt(StateReason::NotEmpty, out);
            }
            Mode::Stopped
            | Mode::Resetting
            | Mode::Idle
            | Mode::Execute
            | Mode::Held
            | Mode::Aborted
            | Mode::Clearing
            | Mode::Suspended
            | Mode::Completed => return,
        };
        // The cause of a hold, an abort or a sleep stays the reason while it lasts.
        let kept = matches!(mode, Mode::Holding { .. } | Mode::Suspending { .. });
        let reason = if kept { self.memory.machine.reason } else { StateReason::Done };
        self.enter(next, reason, out);
    }

    /// Goes to another state; belts follow it, and steps within one state are not told.
    ///
    /// # Panics
    /// When PackML does not know the transition: a defect of the model.
    pub(crate) fn enter(&mut self, mode: Mode, reason: StateReason, out: &mut Vec<Decision>) {
        let now = self.memory.now;
        let before = self.memory.machine.mode;
        let (from, to) = (before.state(), mode.state());
        assert!(from == to || from.may_become(to), "{from:?} does not become {to:?}");
        let running = &mut self.memory.running;
        if let (State::Execute, Some(since)) = (from, running.since.take()) {
            running.before = running.before.plus(now.since(since));
        }
        if to == State::Execute {
            running.since = Some(now);
        }
        if from == to {
            self.memory.machine.mode = mode;
        } else {
            self.memory.machine = Machine { mode, since: now, reason };
            out.push(Decision::State { from, to, reason });
        }
        if to == State::Execute {
            self.begin_pace(now);
        }
        self.move_belts(before.belts(), out);
    }

    /// Pauses by the line's own cause; a line that runs empty stops instead, since it cannot go on.
    pub(crate) fn hold(&mut self, reason: StateReason, out: &mut Vec<Decision>) {
        match self.memory.machine.mode {
            Mode::Warning { .. }
            | Mode::Ramping { .. }
            | Mode::Execute
            | Mode::UnholdWarning { .. }
            | Mode::UnholdRamping { .. }
            | Mode::Suspending { .. }
            | Mode::Suspended
            | Mode::WakeWarning { .. }
            | Mode::WakeRamping { .. } => {
                self.stop_belts(out);
                let until = self.memory.now.plus(self.layout.limits.ramp);
                self.enter(Mode::Holding { until }, reason, out);
            }
            Mode::Completing { .. } | Mode::Emptied { .. } => self.halt(reason, out),
            Mode::Stopped
            | Mode::Resetting
            | Mode::Idle
            | Mode::Held
            | Mode::Holding { .. }
            | Mode::Stopping { .. }
            | Mode::Aborting { .. }
            | Mode::Aborted
            | Mode::Clearing
            | Mode::Completed => {}
        }
    }

    /// Stops everything and withdraws every arm.
    fn abort(&mut self, reason: StateReason, out: &mut Vec<Decision>) {
        let from = self.memory.machine.mode.state();
        if !from.may_become(State::Aborting) {
            return;
        }
        self.give_up_on_beds(out);
        self.stop_belts(out);
        self.cancel_all(Reason::Cancelled, out);
        let until = self.memory.now.plus(self.layout.limits.ramp);
        self.enter(Mode::Aborting { until }, reason, out);
    }

    /// Parcels that an emergency stop catches on a bed go to the end: nobody knows how it turned them.
    fn give_up_on_beds(&mut self, out: &mut Vec<Decision>) {
        let Some(now) = self.belt_now(self.memory.now) else { return };
        let slip = self.layout.counts(limits::STOP_SLIP);
        let caught: Vec<ParcelId> = self
            .memory
            .live
            .values()
            .filter(|parcel| match parcel.fate {
                Fate::Open | Fate::Assigned(_) | Fate::Armed { .. } => true,
                Fate::Fired { .. } | Fate::MayHaveFired { .. } | Fate::ToEnd { .. } => false,
            })
            .filter(|parcel| {
                let last = parcel.last();
                let head = Distance(self.layout.eye(last.eye).at.0 + now.since(last.head).0);
                let length = parcel.track.length.unwrap_or(self.layout.limits.length_max);
                self.layout.diverters.iter().any(|diverter| {
                    let from = self.layout.eye(diverter.eye).at.plus(diverter.eye_to_bed);
                    let to = from.plus(diverter.bed);
                    head.plus(slip) >= from && Distance(head.0 - length.0 - slip.0) <= to
                })
            })
            .map(|parcel| parcel.id)
            .collect();
        for id in caught {
            self.give_up(id, Reason::Cancelled, out);
        }
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
}
