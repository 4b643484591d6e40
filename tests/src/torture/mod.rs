//! A million exchanges over bad wires: real masters, sessions and nodes, and a ledger that knows
//! the truth.
//!
//! There is no plant: a driver makes edges, reads and weights with unique content at known
//! instants, and a host orders arms, cancellations and outputs at random, crashes, and comes back
//! from what was durable. [`ledger`] keeps what was driven into the nodes and what they were seen
//! to do, with code of its own, and compares it with what became durable on the host. Start reading
//! at [`run`].

mod chores;
mod driver;
mod host;
pub mod ledger;
mod nodes;
mod run;
pub mod sabotage;
mod watch;

pub use host::Counted;
pub use ledger::Figures;
pub use run::{Outcome, Plan, run};
