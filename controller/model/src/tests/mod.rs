//! Scenarios of the whole line on the demo geometry.

mod alarms;
mod chutes;
mod outcomes;
mod packml;
mod plant;
mod property;
mod tracking;
mod watch;
