//! What a site decides about journal, frames and clocks: the file's keys where it has them, else the
//! defaults of those who use them.

use super::fault::{Sink, draft};
use crate::wall::WallPolicy;
use crate::{flight, journal};
use line_file::LineFile;
use units::Micros;

/// A site's choices, each for the part of the daemon that keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// The journal.
    pub journal: journal::Policy,
    /// The flight recorder.
    pub flight: flight::Policy,
    /// The wall clock.
    pub wall: WallPolicy,
}

/// Checks what the keys must be to each other and takes the choices.
pub(crate) fn policies(file: &LineFile, sink: &mut Sink<'_>) -> Policies {
    let policies = Policies {
        journal: journal(file),
        flight: flight(file),
        wall: file.clock.step_ms.map_or_else(WallPolicy::default, |ms| WallPolicy {
            step: Micros::from_millis(u64::from(ms)),
        }),
    };
    let (soft, max) = (policies.journal.log_bytes_soft, policies.journal.log_bytes_max);
    if soft >= max {
        let (soft, max) = (soft >> 20, max >> 20);
        let message = format!("the log is moved at {soft} MiB and full at {max} MiB");
        let given = file.journal.log_soft_mib.is_some();
        let (key, other) = if given {
            ("journal.log_soft_mib", "journal.log_max_mib")
        } else {
            ("journal.log_max_mib", "journal.log_soft_mib")
        };
        sink.enter_from(draft(key, message).allowed("log_soft_mib below log_max_mib"), &[other]);
    }
    let memory = u64::try_from(policies.flight.memory_bytes).unwrap_or(u64::MAX);
    if policies.flight.disk_bytes < memory.saturating_mul(2) {
        let (disk, memory) = (policies.flight.disk_bytes >> 20, memory >> 20);
        let message = format!("dumps may take {disk} MiB and one of them about {memory} MiB");
        let given = file.flight.disk_mib.is_some();
        let (key, other) = if given {
            ("flight.disk_mib", "flight.memory_mib")
        } else {
            ("flight.memory_mib", "flight.disk_mib")
        };
        sink.enter_from(draft(key, message).allowed("disk_mib at least 2 x memory_mib"), &[other]);
    }
    policies
}

fn journal(file: &LineFile) -> journal::Policy {
    let (given, absent) = (&file.journal, journal::Policy::default());
    let mib = |given: Option<u32>, absent| given.map_or(absent, |mib| u64::from(mib) << 20);
    journal::Policy {
        day_start_s: given.day_start_min.map_or(absent.day_start_s, |min| u32::from(min) * 60),
        utc_offset_s: given.utc_offset_min.map_or(absent.utc_offset_s, |min| i32::from(min) * 60),
        retention_days: given.retention_days.unwrap_or(absent.retention_days),
        log_bytes_max: mib(given.log_max_mib, absent.log_bytes_max),
        log_bytes_soft: mib(given.log_soft_mib, absent.log_bytes_soft),
        snapshot_every: given.snapshot_records.map_or(absent.snapshot_every, u64::from),
        postpone_max: given
            .postpone_max_min
            .map_or(absent.postpone_max, |min| Micros::from_secs(u64::from(min) * 60)),
    }
}

fn flight(file: &LineFile) -> flight::Policy {
    let (given, absent) = (&file.flight, flight::Policy::default());
    let secs = |given: Option<u16>, absent, of| {
        given.map_or(absent, |n| Micros::from_secs(u64::from(n) * of))
    };
    flight::Policy {
        memory_bytes: given
            .memory_mib
            .and_then(|mib| usize::try_from(mib).ok())
            .map_or(absent.memory_bytes, |mib| mib << 20),
        span: secs(given.minutes, absent.span, 60),
        dump_every: secs(given.dump_every_s, absent.dump_every, 1),
        dumps_max: given.dumps_max.map_or(absent.dumps_max, usize::from),
        disk_bytes: given.disk_mib.map_or(absent.disk_bytes, |mib| u64::from(mib) << 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::check;

    const EXAMPLE: &str = include_str!("../../examples/factory-line.toml");

    /// The example without its own policies, with `text` behind it.
    fn with(text: &str) -> String {
        let cut = EXAMPLE.find("[journal]").expect("the example shows the policies");
        format!("{}\n{text}", &EXAMPLE[..cut])
    }

    #[test]
    fn without_keys_the_defaults_are_those_of_their_owners() {
        let line = check("line", with("")).expect("no key is required");
        assert_eq!(line.policies, Policies::default());
        let shown = check("line", EXAMPLE).expect("the example is right");
        assert_eq!(shown.policies, Policies::default(), "the example shows the defaults");
    }

    #[test]
    fn every_key_is_taken() {
        let line = check(
            "line",
            with(
                "[journal]\nday_start_min = 0\nutc_offset_min = -60\npostpone_max_min = 1\n\
                 retention_days = 2\nsnapshot_records = 2000\nlog_soft_mib = 8\nlog_max_mib = 64\n\
                 [flight]\nmemory_mib = 16\nminutes = 2\ndump_every_s = 10\ndumps_max = 3\n\
                 disk_mib = 64\n[clock]\nstep_ms = 250\n",
            ),
        );
        let Policies { journal, flight, wall } = line.expect("every key is in range").policies;
        assert_eq!(
            journal,
            journal::Policy {
                day_start_s: 0,
                utc_offset_s: -3_600,
                retention_days: 2,
                log_bytes_max: 64 << 20,
                log_bytes_soft: 8 << 20,
                snapshot_every: 2_000,
                postpone_max: Micros::from_secs(60),
            }
        );
        assert_eq!(
            flight,
            flight::Policy {
                memory_bytes: 16 << 20,
                span: Micros::from_secs(120),
                dump_every: Micros::from_secs(10),
                dumps_max: 3,
                disk_bytes: 64 << 20,
            }
        );
        assert_eq!(wall.step, Micros::from_millis(250));
    }

    #[test]
    fn all_faults_come_at_once() {
        let faults = check(
            "line",
            with(
                "[journal]\nday_start_min = 1440\nretention_days = 0\nlog_soft_mib = 512\n\
                 [flight]\ndisk_mib = 32\nminuts = 3\n[clock]\nstep_ms = 1\n",
            ),
        )
        .expect_err("six faults");
        let keys: Vec<&str> = faults.list.iter().map(|fault| fault.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "journal.day_start_min",
                "journal.retention_days",
                "journal.log_soft_mib",
                "flight.disk_mib",
                "flight.minuts",
                "clock.step_ms",
            ]
        );
    }
}
