//! The example line, for tests.

use line_engine::{Engine, Start};
use line_model::plan::Plan;

use crate::config::{self, Line};

/// The demo line.
pub(crate) fn line() -> Line {
    config::check("factory-line.toml", include_str!("../examples/factory-line.toml"))
        .expect("the example is right")
}

/// Its plan.
pub(crate) fn plan() -> Plan {
    let layout = line().engine.layout;
    config::plan::load("plan.toml", include_str!("../examples/plan.toml"), &layout)
        .expect("the example is right")
}

/// An engine that has never run.
pub(crate) fn engine() -> Engine {
    Engine::new(line().engine, 7, Start::Fresh)
}
