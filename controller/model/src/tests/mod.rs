//! Scenarios of the whole line on the demo geometry.

mod alarms;
mod chutes;
mod held;
mod jog;
mod laps;
mod outcomes;
mod packml;
mod plant;
mod property;
mod rescan;
mod tracking;
mod wall_clock;
mod watch;

use crate::decision::Decision;
use crate::harness::Bench;
use crate::ids::ZoneId;
use crate::packml::State;
use crate::signal::Input;
use units::Micros;

impl Bench {
    /// Lets the belts come to a stand.
    pub(crate) fn stand(&mut self) {
        self.pass(Micros::from_secs(3));
        self.feed(Input::Timer);
    }

    /// Lets warning and ramp pass until the line runs.
    pub(crate) fn wait_for_start(&mut self) {
        for seconds in [6, 3] {
            self.pass(Micros::from_secs(seconds));
            self.feed(Input::Timer);
        }
        assert_eq!(self.state(), State::Execute);
    }

    /// Whether a zone was told to run last.
    pub(crate) fn drives(&self, zone: u8) -> bool {
        let told = self.log.iter().rev().find_map(|decision| {
            let Decision::Drive { zone: of, run, .. } = decision else { return None };
            (*of == ZoneId(zone)).then_some(*run)
        });
        told.unwrap_or(false)
    }
}
