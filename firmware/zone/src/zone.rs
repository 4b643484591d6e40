//! The zone: what the host set, the mode, and the drive that follows from both.

use crate::gapping::{Gapping, Rule};
use crate::limits::{GAP_MAX, SPEED_MAX};
use node::{Core, Edge, Identity, Logic, Node};
use registers::NodeKind;
use registers::exchange::Verdict;
use registers::points::zone::{DOWNSTREAM_READY, DRIVE, EYE_EXIT, GAP, READY, RUN, SPEED};
use registers::points::{
    MODE_ACCUMULATE, MODE_GAPPING, SETTING_OWN, SETTING_PASS_LEAD, SETTING_START_LEAD,
};
use units::Counts;

/// A zone node.
pub type ZoneNode = Node<Zone>;

/// Builds a zone node as it is after boot: transport mode, stopped.
pub fn node(identity: Identity) -> ZoneNode {
    Node::new(identity, Zone::default())
}

/// The zone's own logic.
#[derive(Clone, Copy, Debug, Default)]
pub struct Zone {
    gapping: Gapping,
}

fn rule(core: &Core) -> Rule {
    Rule {
        gap: core.output(GAP),
        pass_lead: core.setting(SETTING_PASS_LEAD),
        start_lead: core.setting(SETTING_START_LEAD),
    }
}

impl Zone {
    /// Whether the mode lets the belt run now.
    fn may_run(&self, core: &Core) -> bool {
        match core.setting(SETTING_OWN) {
            MODE_ACCUMULATE => !core.input(EYE_EXIT) || core.input(DOWNSTREAM_READY),
            MODE_GAPPING => !self.gapping.holds(),
            _ => true,
        }
    }
}

impl Logic for Zone {
    const KIND: NodeKind = NodeKind::Zone;

    fn edge(&mut self, core: &mut Core, edge: Edge) {
        // Followed in every mode, so that a change of the mode finds the true state.
        if edge.input == EYE_EXIT {
            self.gapping.edge(edge.active, edge.at.second, core.at().second, rule(core));
        }
    }

    fn tick(&mut self, core: &mut Core) {
        self.gapping.tick(core.at().second, rule(core));
        let runs = core.output(RUN) == 1 && self.may_run(core);
        let drive = if runs { core.output(SPEED) } else { 0 };
        core.set(DRIVE, drive);
        core.set(READY, u32::from(drive != 0));
    }

    fn set_output(&mut self, core: &mut Core, output: u8, value: u32) -> Verdict {
        let limit = match output {
            RUN => 1,
            SPEED => SPEED_MAX,
            GAP => GAP_MAX,
            // READY and DRIVE follow from the others.
            _ => return Verdict::BadArgument,
        };
        if value > limit {
            return Verdict::BadArgument;
        }
        core.set(output, value);
        Verdict::Accepted
    }

    fn safe(&mut self, core: &mut Core) {
        core.set(RUN, 0);
        core.set(GAP, 0);
        core.set(DRIVE, 0);
        core.set(READY, 0);
    }

    fn next_second(&self, core: &Core) -> Option<Counts> {
        self.gapping.next_second(rule(core))
    }
}
