//! The line as one machine: one function per input.

use crate::alarm::Alarm;
use crate::chute::ChuteCause;
use crate::decision::{Decision, ParcelEvent};
use crate::ids::{NodeId, ParcelId};
use crate::invariants;
use crate::layout::Layout;
use crate::limits;
use crate::memory::{EyeMemory, Memory, WallTime};
use crate::parcel::Parcel;
use crate::rescan::{RescanMemory, Trigger};
use crate::signal::Input;
use alloc::vec::Vec;
use units::{Distance, Micros, Position};

/// One sorting line: geometry and memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub(crate) layout: Layout,
    pub(crate) memory: Memory,
}

/// Adds a step to a parcel's story.
pub(crate) fn tell(out: &mut Vec<Decision>, parcel: ParcelId, event: ParcelEvent) {
    out.push(Decision::Parcel { parcel, event });
}

impl Line {
    /// Builds a stopped line.
    ///
    /// # Panics
    /// When the layout has no eyes, too many, chutes out of order, or names a node that it lacks.
    pub fn new(layout: Layout) -> Self {
        let memory = Memory::new(&layout);
        Self::resume(layout, memory)
    }

    /// Builds a line that goes on from `memory`.
    ///
    /// # Panics
    /// When the layout has no eyes, too many, chutes out of order, or names a node that it lacks, or
    /// when `memory` is of another layout.
    pub fn resume(layout: Layout, mut memory: Memory) -> Self {
        let eyes = layout.eyes.len();
        // A memory of an older form knows nothing of how well eyes see.
        memory.eyes.resize(eyes, EyeMemory::default());
        memory.rescanners.resize(layout.rescanners.len(), RescanMemory::default());
        assert!(
            (2..=limits::EYES_MAX).contains(&eyes),
            "a layout has 2 to {} eyes",
            limits::EYES_MAX
        );
        let known = |node: NodeId| usize::from(node.0) < layout.nodes.len();
        assert!(layout.eyes.iter().all(|eye| known(eye.node)), "eyes name nodes");
        assert!(layout.zones.iter().all(|zone| known(zone.node)), "zones name nodes");
        assert!(layout.rescanners.iter().all(|place| known(place.node)), "re-scanners name nodes");
        let placed = |eye: crate::ids::EyeId| (1..eyes).contains(&usize::from(eye.0));
        let mut diverters = layout.diverters.iter();
        assert!(diverters.all(|d| known(d.node) && placed(d.eye)), "diverters name nodes and eyes");
        let count = layout.diverters.len();
        let served = |chute: &crate::layout::ChutePlace| usize::from(chute.diverter.0) < count;
        assert!(layout.chutes.iter().all(served), "chutes name diverters");
        let ascend = layout.chutes.is_sorted_by(|one, next| one.number < next.number);
        assert!(ascend, "chutes ascend by number");
        assert!(!layout.zones.is_empty(), "a layout has zones");
        assert!(memory.nodes.len() == layout.nodes.len(), "memory of another layout: nodes");
        assert!(memory.under.len() == eyes, "memory of another layout: eyes");
        let mut line = Self { layout, memory };
        line.memory.spoke.resize(eyes, None);
        line.memory.live.brief_all(&line.layout);
        line.furnish_chutes();
        line
    }

    /// Its geometry.
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// All that it remembers.
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Changes a parcel on the belt; `None` when it is not there.
    pub(crate) fn change<R>(
        &mut self,
        id: ParcelId,
        change: impl FnOnce(&mut Parcel) -> R,
    ) -> Option<R> {
        self.memory.live.change(&self.layout, id, change)
    }

    /// Takes one input and appends what is decided to `out`.
    ///
    /// Total and bounded: an input that fits nothing is counted or ignored; the work grows with the
    /// parcels on the belt, of which there are at most `in_flight_max`.
    pub fn handle(&mut self, now: Micros, input: Input, out: &mut Vec<Decision>) {
        let chutes = self.chute_deadline().is_some_and(|at| at <= now);
        self.memory.now = self.memory.now.max(now);
        if matches!(input, Input::Resumed { .. }) {
            self.nobody_listened();
        }
        self.run_deadlines(out);
        if chutes {
            self.turn_chutes(ChuteCause::Eye, out);
        }
        self.dispatch(input, out);
        self.settle(out);
        if cfg!(debug_assertions) {
            invariants::check(self);
        }
    }

    fn dispatch(&mut self, input: Input, out: &mut Vec<Decision>) {
        match input {
            Input::Edge { eye, active, at, spread } => self.edge(eye, active, at, spread, out),
            Input::Landing { chute, active, at, ms } => self.landing(chute, active, at, ms, out),
            Input::Heard { node, at } => {
                self.note_heard(node, at);
                self.watch_pace(node, at, out);
                self.recheck_gaps(out);
            }
            Input::Read { scanner, at: head, spread, read } => {
                self.read(Trigger { scanner, head, spread }, read, out);
            }
            Input::Unassigned { scanner, at, trigger } => {
                self.unassigned(scanner, at, trigger, out);
            }
            Input::Measured { at, spread, weight, size_mm } => {
                self.weighed(at, spread, weight, size_mm, out);
            }
            Input::ArmAnswered { tag, taken } => self.arm_answered(tag, taken, out),
            Input::ArmEnded { tag, end, at, ms: _ } => self.arm_ended(tag, end, at, out),
            Input::Contact { contact, active } => self.contact(contact, active, out),
            Input::NodeUp { node, restarted } => self.node_up(node, restarted, out),
            Input::NodeDown { node, why: _ } => self.node_down(node, out),
            Input::EventsLost { node, entries } => self.events_lost(node, entries, out),
            Input::LeaseExpired { node } => self.lease_expired(node, out),
            Input::MapSpread { node, spread } => self.map_spread(node, spread),
            Input::EncoderDrift { node, by } => self.encoder_drift(node, by, out),
            Input::Adopted { node, tags } => self.adopted(node, &tags, out),
            Input::Route { parcel, facts } => self.route(parcel, facts, out),
            Input::Command { command, by, reason } => self.command(command, &by, &reason, out),
            Input::PlanSelected { plan } => {
                self.select_plan(plan);
                self.turn_chutes(ChuteCause::Plan, out);
            }
            Input::Withheld { tag } => self.withheld(tag, out),
            Input::CommitsStalled => self.stalled(out),
            Input::CommitsResumed => self.commits_resumed(out),
            Input::Resumed { gap } => self.resumed(gap, out),
            Input::Quarantined => self.quarantined(out),
            Input::ZoneExit { zone: _, active } => self.zone_exit(active, out),
            Input::Chute { chute, contact, active } => {
                self.chute_contact(chute, contact, active, out);
            }
            Input::Deed { deed, by, reason: _ } => self.deed(deed, &by, out),
            Input::WallClock { utc_us } => {
                self.memory.wall = Some(WallTime { at: self.memory.now, utc_us });
            }
            Input::WallClockStepped { utc_us, by_us: _ } => {
                self.memory.wall = Some(WallTime { at: self.memory.now, utc_us });
                self.raise(Alarm::WallClockStepped, out);
            }
            // Files are for people; a timer has done its work in `run_deadlines`.
            Input::FileTaken { .. } | Input::Timer => {}
        }
    }

    /// Draws what follows from the new state, whatever the input was.
    fn settle(&mut self, out: &mut Vec<Decision>) {
        self.purge_arms(out);
        self.settle_torn(out);
        self.settle_stretches(out);
        self.settle_dark(out);
        self.leave_closed_chutes(out);
        self.plan_arms(out);
        self.settle_empty(out);
        self.adjust_pressure();
        self.guard_end(out);
        self.guard_jog(out);
        self.adjust_release(out);
        self.adjust_lights(out);
        self.adjust_lamps(out);
    }

    /// When it wants [`Input::Timer`] at the latest.
    pub fn next_deadline(&self) -> Option<Micros> {
        let deadlines = [
            self.memory.machine.mode.until(),
            self.alarm_deadline(),
            self.watch_deadline(),
            self.sleep_deadline(),
            self.jog_deadline(),
            self.chute_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// The position of each node at which [`Input::Heard`] is wanted; `None` when nothing waits.
    ///
    /// Changes only by [`Line::handle`]; one look at every parcel on the belt.
    pub fn next_positions(&self, next: &mut Vec<Option<Position>>) {
        next.clear();
        next.resize(self.memory.nodes.len(), None);
        self.each_wait(|who, at| {
            let listener = usize::from(self.listener(who).0);
            let sooner = next[listener].is_none_or(|next| at.since(next).0 < 0);
            let heard = self.memory.nodes[listener].heard;
            if sooner && heard.is_none_or(|heard| at.since(heard).0 > 0) {
                next[listener] = Some(at);
            }
        });
    }

    /// The position of this node at which [`Input::Heard`] is wanted; `None` when nothing waits.
    pub fn next_position(&self, node: NodeId) -> Option<Position> {
        let mut next = Vec::new();
        self.next_positions(&mut next);
        next.get(usize::from(node.0)).copied().flatten()
    }

    /// Notes how far a node was heard.
    fn note_heard(&mut self, node: NodeId, at: Position) {
        let Some(memory) = self.memory.nodes.get_mut(usize::from(node.0)) else { return };
        if memory.heard.is_none_or(|heard| at.since(heard).0 > 0) {
            memory.heard = Some(at);
        }
        self.told(at);
    }

    /// Where the node that counts the sorter belt was heard last; before its first word, where the
    /// belt is taken to be.
    pub(crate) fn belt_heard(&self) -> Option<Position> {
        let reference = usize::from(self.reference().0);
        self.memory.nodes[reference].heard.or(self.memory.belt.at)
    }

    /// Notes that the belt has come to `at`.
    pub(crate) fn told(&mut self, at: Position) {
        let belt = &mut self.memory.belt;
        if belt.at.is_none_or(|known| at.since(known).0 > 0) {
            self.memory.moved = self.memory.now;
        }
        if belt.at.is_none_or(|known| at.since(known).0 >= 0) {
            belt.at = Some(at);
            belt.when = self.memory.now;
        }
    }

    /// Where the belt is about now: the latest word, carried on at nominal speed while it runs.
    pub(crate) fn belt_now(&self, now: Micros) -> Option<Position> {
        let belt = &self.memory.belt;
        let run = if belt.moving { now.since(belt.when) } else { Micros::ZERO };
        let travel = self.layout.counts(self.layout.speed.travel(run));
        belt.at.map(|at| at.plus(travel))
    }

    /// How long the belt takes for `distance` at nominal speed.
    pub(crate) fn time_for(&self, distance: Distance) -> Micros {
        let mm = distance.0.max(0).saturating_mul(1_000)
            / i64::from(self.layout.counts_per_metre.max(1));
        let mm = units::Millimeters(i32::try_from(mm).unwrap_or(i32::MAX));
        self.layout.speed.time_for(mm)
    }
}
