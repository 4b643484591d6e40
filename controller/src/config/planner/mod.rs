//! The poll plan: what each bus has to carry, and whether it can.
//!
//! Computed from the register maps (block lengths), the line file (baud, nodes, distances) and
//! nothing else: no clock, no port. [`Plan::of`] is total; [`refuse`](refuse::refuse) enters what
//! cannot work as faults of the file, `show` prints the plan. Start reading at [`Plan`].

mod plan;
pub(crate) mod refuse;
mod show;
#[cfg(test)]
mod tests;
pub(crate) mod wire;

pub use plan::{Block, BusPlan, NodePlan, Path, Plan, Ring};
