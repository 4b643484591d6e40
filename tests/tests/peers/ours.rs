//! Our own servers as child processes: `sortline-sim peer`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use system_tests::process::{Binaries, Running};

/// A running `sortline-sim peer --profile libmodbus-ut`.
pub(crate) struct Ours {
    process: Running,
    /// Address or path, as it says.
    pub(crate) place: String,
}

impl Ours {
    /// Serves on a free loopback port.
    pub(crate) fn tcp(binaries: &Binaries, dir: &Path) -> Self {
        Self::start(binaries, dir, "tcp", &["--tcp", "0"])
    }

    /// Serves on a serial line on a new pseudo-terminal; a zone node with unit 1 is on it as well.
    pub(crate) fn serial(binaries: &Binaries, dir: &Path) -> Self {
        let link = dir.join("line.tty");
        let arguments =
            [OsStr::new("--serial"), link.as_os_str(), "--beside".as_ref(), "1".as_ref()];
        Self::start(binaries, dir, "serial", &arguments)
    }

    fn start(binaries: &Binaries, dir: &Path, key: &str, arguments: &[impl AsRef<OsStr>]) -> Self {
        let log = dir.join("ours.log");
        let mut command = Command::new(&binaries.sim);
        command.args(["peer", "--profile", "libmodbus-ut"]).args(arguments);
        let mut process = Running::start("sortline-sim", &mut command, Some(&log)).expect("starts");
        let place = process.until(Duration::from_secs(20), || {
            let said = std::fs::read_to_string(&log).ok()?;
            let line = said.lines().find(|line| line.starts_with('{'))?;
            let json: serde_json::Value = serde_json::from_str(line).ok()?;
            Some(json[key].as_str()?.to_owned())
        });
        Self { process, place: place.expect("is ready") }
    }

    /// The port of a TCP server.
    pub(crate) fn port(&self) -> u16 {
        let port = self.place.rsplit(':').next().expect("host:port");
        port.parse().expect("a port")
    }

    /// The terminal behind the link of a serial server.
    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from(&self.place)
    }

    /// Ends it as a person would and demands that it ends well.
    pub(crate) fn end(mut self) {
        let status = self.process.terminate(Duration::from_secs(20)).expect("ends when asked");
        assert!(status.success(), "a clean end: {status}");
    }
}
