//! The diverter: arrival edges meet arms, and the bed fires or refuses.

use crate::bed::Bed;
use crate::lamp::Lamp;
use heapless::Vec;
use node::armed::{ArmedQueue, Due, Endings};
use node::{Core, Edge, Identity, Logic, Node};
use registers::NodeKind;
use registers::event::{ArmOutcome, Event};
use registers::exchange::{Arm, Side, Verdict};
use registers::points::diverter::{
    EYE_ARRIVAL, FULL_LEFT, FULL_MS, FULL_RIGHT, HOME, LAMP_LEFT, LAMP_RIGHT, LOCK_LEFT,
    LOCK_RIGHT, TURN_LEFT, TURN_RIGHT,
};
use registers::status::ARMS_MAX;
use units::{Counts, Micros};

/// A diverter node.
pub type DiverterNode = Node<Diverter>;

/// Builds a diverter node as it is after boot: nothing armed, the bed commanded home.
///
/// It refuses to fire until its home contact was reported active.
pub fn node(identity: Identity) -> DiverterNode {
    Node::new(identity, Diverter::default())
}

/// The diverter's own logic.
#[derive(Clone, Debug, Default)]
pub struct Diverter {
    arms: ArmedQueue,
    bed: Bed,
    left: Chute,
    right: Chute,
}

/// What the node knows of the chute on one side.
#[derive(Clone, Copy, Debug, Default)]
struct Chute {
    /// Its full eye is blocked since then.
    blocked: Option<Micros>,
    lamp: Lamp,
}

impl Chute {
    fn is_full(&self, now: Micros) -> bool {
        self.blocked.is_some_and(|since| now.since(since) >= Micros::from_millis(FULL_MS))
    }
}

fn tell(core: &mut Core, endings: &Endings) {
    let at = core.at().at();
    // By reference: the owning iterator of this vector has a panic that the linker cannot drop.
    for end in endings {
        let (tag, outcome, edge, length) = (end.tag, end.outcome, end.edge, end.length);
        core.emit(&Event::ArmEnded { tag, outcome, edge, length, at });
    }
}

impl Diverter {
    /// Fires or refuses what is due.
    fn fire(&mut self, core: &mut Core) {
        let now = core.at().count;
        self.bed.tick(now, core.at().now);
        while let Some(due) = self.arms.due(now) {
            let outcome = self.judge(core, &due);
            if outcome == ArmOutcome::Fired {
                let release_at = now.plus(i32::from(due.arm.release));
                self.bed = Bed::Turned { side: due.arm.side, release_at };
            }
            let (tag, edge, length) = (due.arm.tag, due.edge, due.length);
            let at = core.at().at();
            core.emit(&Event::ArmEnded { tag, outcome, edge, length, at });
        }
    }

    fn arrival(&mut self, core: &mut Core, edge: Edge) {
        let count = edge.at.count;
        // Every input is preceded by a tick: what was due before this edge has fired already.
        let endings = if edge.active { self.arms.head(count) } else { self.arms.tail(count) };
        tell(core, &endings);
    }

    fn judge(&self, core: &Core, due: &Due) -> ArmOutcome {
        let (lock, chute) = match due.arm.side {
            Side::Left => (LOCK_LEFT, &self.left),
            Side::Right => (LOCK_RIGHT, &self.right),
        };
        if due.late {
            ArmOutcome::Expired
        } else if core.input(lock) || chute.is_full(core.at().now) {
            ArmOutcome::RefusedLocked
        } else if !self.bed.is_free(core.input(HOME), core.at().now) {
            ArmOutcome::RefusedBusy
        } else {
            ArmOutcome::Fired
        }
    }

    fn drive(&self, core: &mut Core) {
        core.set(TURN_LEFT, u32::from(self.bed.turns(Side::Left)));
        core.set(TURN_RIGHT, u32::from(self.bed.turns(Side::Right)));
        let now = core.at().now;
        core.set(LAMP_LEFT, u32::from(self.left.lamp.is_lit(now)));
        core.set(LAMP_RIGHT, u32::from(self.right.lamp.is_lit(now)));
    }
}

impl Logic for Diverter {
    const KIND: NodeKind = NodeKind::Diverter;

    fn edge(&mut self, core: &mut Core, edge: Edge) {
        match edge.input {
            FULL_LEFT => self.left.blocked = edge.active.then_some(edge.at.now),
            FULL_RIGHT => self.right.blocked = edge.active.then_some(edge.at.now),
            EYE_ARRIVAL => self.arrival(core, edge),
            // The rest is the host's.
            _ => {}
        }
    }

    fn tick(&mut self, core: &mut Core) {
        let now = core.at().count;
        self.fire(core);
        let opening = core.opening(EYE_ARRIVAL).map(|at| at.count);
        let endings = self.arms.expire(now, opening);
        tell(core, &endings);
        self.drive(core);
    }

    fn arm(&mut self, core: &mut Core, arm: Arm) -> Verdict {
        self.arms.accept(arm, core.at().count)
    }

    fn cancel(&mut self, core: &mut Core, tag: u32) -> Verdict {
        let endings = self.arms.cancel(tag);
        tell(core, &endings);
        Verdict::Accepted
    }

    fn cancel_all(&mut self, core: &mut Core) -> Verdict {
        let endings = self.arms.cancel_all(ArmOutcome::Cancelled);
        tell(core, &endings);
        Verdict::Accepted
    }

    fn set_output(&mut self, core: &mut Core, output: u8, value: u32) -> Verdict {
        let chute = match output {
            LAMP_LEFT => &mut self.left,
            LAMP_RIGHT => &mut self.right,
            // The turn outputs follow from arms only.
            _ => return Verdict::BadArgument,
        };
        let Some(lamp) = Lamp::from_value(value) else { return Verdict::BadArgument };
        chute.lamp = lamp;
        self.drive(core);
        Verdict::Accepted
    }

    /// Cancels every arm and puts the lamps out; a bed in mid-release comes home at its count.
    fn safe(&mut self, core: &mut Core) {
        let endings = self.arms.cancel_all(ArmOutcome::LeaseExpired);
        tell(core, &endings);
        self.left.lamp = Lamp::Off;
        self.right.lamp = Lamp::Off;
        self.drive(core);
    }

    fn armed(&self) -> Vec<u32, ARMS_MAX> {
        self.arms.tags()
    }

    fn next_deadline(&self, core: &Core) -> Option<Micros> {
        let now = core.at().now;
        [self.left.lamp, self.right.lamp].into_iter().filter_map(|lamp| lamp.next_change(now)).min()
    }

    fn next_count(&self, core: &Core) -> Option<Counts> {
        let now = core.at().count;
        let release = self.bed.release_at().filter(|count| !now.reached(*count));
        [self.arms.next_count(now), release].into_iter().flatten().min_by_key(|at| at.since(now))
    }
}
