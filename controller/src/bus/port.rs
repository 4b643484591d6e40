//! Opening a serial port: for this process alone, with the driver's direction switched as the line
//! file says, and a word about what will make it slow.

use std::fs;
use std::io;
use std::path::Path;

use line_file::Rs485;
use serial2::KeepSettings;
use serial2::rs4xx::{Rs485Config, TransceiverMode};
use tokio_serial::{DataBits, ErrorKind, SerialPortBuilderExt as _, SerialStream};

use super::serial::Setup;

/// Where the kernel shows the adapters' settings.
const ADAPTERS: &str = "/sys/bus/usb-serial/devices";
/// Time that an adapter may keep bytes to itself without being told of.
const LATENCY_MAX_MS: u32 = 1;

/// Opens the port for this process alone: a second master would garble every exchange.
pub(super) fn open(setup: &Setup, rs485: Rs485) -> Result<SerialStream, String> {
    let path = setup.path.to_string_lossy();
    // The mode is set through a second opening: it belongs to the port, not to the opening, and
    // has to come before the port is this process' alone.
    let side = match rs485 {
        Rs485::Auto => None,
        Rs485::Kernel => Some(
            serial2::SerialPort::open(&setup.path, KeepSettings)
                .map_err(|error| refusal(&path, &error.into()))?,
        ),
    };
    let mut port = tokio_serial::new(path.clone(), setup.wire.baud)
        .data_bits(DataBits::Eight)
        .parity(setup.parity)
        .stop_bits(setup.stop_bits)
        .open_native_async()
        .map_err(|error| refusal(&path, &error))?;
    port.set_exclusive(true).map_err(|error| refusal(&path, &error))?;
    if let Some(side) = side {
        switch_by_kernel(&path, &side)?;
    }
    Ok(port)
}

/// Lets the kernel's driver switch the direction by RTS, and looks whether it does.
fn switch_by_kernel(path: &str, port: &serial2::SerialPort) -> Result<(), String> {
    let lacking = |error: &dyn std::fmt::Display| {
        format!(
            "let the kernel switch the RS-485 direction of {path}: its driver does not ({error}); set `rs485 = \"auto\"` and use an adapter that switches by itself"
        )
    };
    // RTS is high while this side sends.
    port.set_rs4xx_mode(Rs485Config::new()).map_err(|error| lacking(&error))?;
    match port.get_rs4xx_mode() {
        Ok(TransceiverMode::Rs485(_)) => Ok(()),
        Ok(TransceiverMode::Default | TransceiverMode::Rs422) => Err(lacking(&"it took no notice")),
        Err(error) => Err(lacking(&error)),
    }
}

fn refusal(path: &str, error: &tokio_serial::Error) -> String {
    match error.kind() {
        ErrorKind::NoDevice
        | ErrorKind::Io(io::ErrorKind::ResourceBusy | io::ErrorKind::WouldBlock)
            if fs::exists(path).unwrap_or(false) =>
        {
            format!(
                "open {path}: in use by another program, or not a serial port ({error}); two masters on one line garble each other: stop the other one (`fuser -v {path}` names it) or give this bus another port"
            )
        }
        ErrorKind::NoDevice | ErrorKind::Io(io::ErrorKind::NotFound) => {
            format!("open {path}: no such port")
        }
        ErrorKind::InvalidInput | ErrorKind::Unknown | ErrorKind::Io(_) => {
            format!("open {path}: {error}")
        }
    }
}

/// Tells once of an adapter that holds bytes back: each exchange then lasts as much longer.
#[derive(Debug, Default)]
pub(super) struct Latency {
    told: bool,
}

impl Latency {
    /// Looks at the adapter of the port that has just been opened.
    pub(super) fn check(&mut self, bus: &str, port: &Path) {
        let found = latency_ms(Path::new(ADAPTERS), port).filter(|ms| *ms > LATENCY_MAX_MS);
        if let Some(ms) = found.filter(|_| !self.told) {
            self.told = true;
            tracing::warn!(bus, "{}", latency_words(ms));
        }
    }
}

/// What an adapter's latency timer costs and how it is set.
fn latency_words(ms: u32) -> String {
    format!(
        "the adapter holds bytes back for up to {ms} ms, which every exchange lasts longer; a udev rule sets it to 1: ACTION==\"add\", SUBSYSTEM==\"usb-serial\", DRIVER==\"ftdi_sio\", ATTR{{latency_timer}}=\"1\""
    )
}

/// The latency timer of the adapter behind `port` in milliseconds; `None` when it has none.
fn latency_ms(adapters: &Path, port: &Path) -> Option<u32> {
    // Stable names under /dev/serial are links.
    let device = fs::canonicalize(port).ok()?;
    let timer = adapters.join(device.file_name()?).join("latency_timer");
    fs::read_to_string(timer).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latency_timer_is_found_through_a_stable_name() {
        let dir = tempfile::tempdir().expect("a directory");
        let (dev, sys) = (dir.path().join("dev"), dir.path().join("sys"));
        fs::create_dir_all(sys.join("ttyUSB7")).expect("made");
        fs::create_dir_all(&dev).expect("made");
        fs::write(dev.join("ttyUSB7"), "").expect("written");
        fs::write(sys.join("ttyUSB7/latency_timer"), "16\n").expect("written");
        std::os::unix::fs::symlink(dev.join("ttyUSB7"), dev.join("by-path")).expect("linked");
        assert_eq!(latency_ms(&sys, &dev.join("by-path")), Some(16));
        fs::write(dev.join("ttyS0"), "").expect("written");
        assert_eq!(latency_ms(&sys, &dev.join("ttyS0")), None, "no such adapter");
        assert_eq!(latency_ms(&sys, &dev.join("none")), None);
        let words = latency_words(16);
        assert!(words.contains("16 ms") && words.contains("ATTR{latency_timer}=\"1\""), "{words}");
    }
}
