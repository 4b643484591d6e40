//! The diverter: arrival edges meet arms, and the bed fires or refuses.

use crate::bed::Bed;
use heapless::Vec;
use node::armed::{ArmedQueue, Due, Endings};
use node::{Core, Edge, Identity, Logic, Node};
use registers::NodeKind;
use registers::event::{ArmOutcome, Event};
use registers::exchange::{Arm, Side, Verdict};
use registers::points::diverter::{
    EYE_ARRIVAL, HOME, LAMP_LEFT, LAMP_RIGHT, LOCK_LEFT, LOCK_RIGHT, TURN_LEFT, TURN_RIGHT,
};
use registers::status::ARMS_MAX;
use units::Counts;

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

    fn judge(&self, core: &Core, due: &Due) -> ArmOutcome {
        let lock = match due.arm.side {
            Side::Left => LOCK_LEFT,
            Side::Right => LOCK_RIGHT,
        };
        if due.late {
            ArmOutcome::Expired
        } else if core.input(lock) {
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
    }
}

impl Logic for Diverter {
    const KIND: NodeKind = NodeKind::Diverter;

    fn edge(&mut self, core: &mut Core, edge: Edge) {
        if edge.input != EYE_ARRIVAL {
            return;
        }
        let count = edge.at.count;
        // Every input is preceded by a tick: what was due before this edge has fired already.
        let endings = if edge.active { self.arms.head(count) } else { self.arms.tail(count) };
        tell(core, &endings);
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
        match (output, value) {
            (LAMP_LEFT | LAMP_RIGHT, 0 | 1) => {
                core.set(output, value);
                Verdict::Accepted
            }
            // The turn outputs follow from arms only.
            _ => Verdict::BadArgument,
        }
    }

    /// Cancels every arm and puts the lamps out; a bed in mid-release comes home at its count.
    fn safe(&mut self, core: &mut Core) {
        let endings = self.arms.cancel_all(ArmOutcome::LeaseExpired);
        tell(core, &endings);
        core.set(LAMP_LEFT, 0);
        core.set(LAMP_RIGHT, 0);
    }

    fn armed(&self) -> Vec<u32, ARMS_MAX> {
        self.arms.tags()
    }

    fn next_count(&self, core: &Core) -> Option<Counts> {
        let now = core.at().count;
        let release = self.bed.release_at().filter(|count| !now.reached(*count));
        [self.arms.next_count(now), release].into_iter().flatten().min_by_key(|at| at.since(now))
    }
}
