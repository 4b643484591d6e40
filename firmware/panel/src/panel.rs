//! The panel: edges to the ring, lamps and horn from the host.

use node::{Core, Edge, Identity, Logic, Node};
use registers::NodeKind;
use registers::exchange::Verdict;
use registers::points::panel::{HORN, LAMP_GREEN, LAMP_RED, LAMP_YELLOW};

/// A panel node.
pub type PanelNode = Node<Panel>;

/// Builds a panel node as it is after boot.
pub fn node(identity: Identity) -> PanelNode {
    Node::new(identity, Panel)
}

/// The panel's own logic; it has no state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Panel;

impl Logic for Panel {
    const KIND: NodeKind = NodeKind::Panel;

    fn edge(&mut self, _core: &mut Core, _edge: Edge) {}

    fn tick(&mut self, _core: &mut Core) {}

    fn set_output(&mut self, core: &mut Core, output: u8, value: u32) -> Verdict {
        match (output, value) {
            (LAMP_RED | LAMP_YELLOW | LAMP_GREEN | HORN, 0 | 1) => {
                core.set(output, value);
                Verdict::Accepted
            }
            _ => Verdict::BadArgument,
        }
    }

    /// Red light: a line without its host does not run. A horn that nobody can end stays off.
    fn safe(&mut self, core: &mut Core) {
        core.set(LAMP_RED, 1);
        core.set(LAMP_YELLOW, 0);
        core.set(LAMP_GREEN, 0);
        core.set(HORN, 0);
    }
}
