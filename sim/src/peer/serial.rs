//! The server on a serial line.

use super::{Parity, Peer, PeerError, announce, send};
use line_sim::profile::Line;
use modbus::rtu::Timing;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;
use tokio_serial::{SerialPort, SerialPortBuilderExt, SerialStream};
use units::Micros;

/// What a timer adds to a silence.
const GRAIN: Duration = Duration::from_millis(2);

/// An open end of the line.
struct End {
    port: SerialStream,
    /// The other end of a pseudo-terminal: when its last handle closes, this one would end.
    _slave: Option<SerialStream>,
    link: Option<Link>,
}

/// A link to a pseudo-terminal; it goes away with the program.
struct Link(PathBuf);

impl Drop for Link {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            eprintln!("sortline-sim: {} stays behind: {error}", self.0.display());
        }
    }
}

/// Opens the line and serves until it fails.
pub(super) async fn serve(path: &Path, peer: &Peer) -> Result<(), PeerError> {
    let mut end = open(path, peer)?;
    announce("serial", &path.display().to_string())?;
    let bits_per_char = match peer.parity {
        Parity::None => 10,
        Parity::Even | Parity::Odd => 11,
    };
    let timing = Timing { baud: peer.baud, bits_per_char };
    let quiet = Duration::from_micros(timing.silence().0) + GRAIN;
    let result = carry(&mut end.port, Line::new(peer.beside), quiet).await;
    drop(end.link);
    result.map_err(|source| PeerError::Port { path: path.to_owned(), source })
}

fn open(path: &Path, peer: &Peer) -> Result<End, PeerError> {
    let fault = |source: io::Error| PeerError::Open { path: path.to_owned(), source };
    if path.exists() {
        let parity = match peer.parity {
            Parity::None => tokio_serial::Parity::None,
            Parity::Even => tokio_serial::Parity::Even,
            Parity::Odd => tokio_serial::Parity::Odd,
        };
        let builder = tokio_serial::new(path.to_string_lossy(), peer.baud).parity(parity);
        let port = builder.open_native_async().map_err(|error| fault(error.into()))?;
        return Ok(End { port, _slave: None, link: None });
    }
    // A link that leads nowhere was left by an earlier run.
    if path.is_symlink() {
        std::fs::remove_file(path).map_err(fault)?;
    }
    let (port, slave) = SerialStream::pair().map_err(|error| fault(error.into()))?;
    let name = slave.name().ok_or_else(|| fault(io::Error::other("the terminal has no name")))?;
    std::os::unix::fs::symlink(name, path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => PeerError::Occupied { path: path.to_owned() },
        _ => fault(source),
    })?;
    Ok(End { port, _slave: Some(slave), link: Some(Link(path.to_owned())) })
}

/// Moves bytes and silences between the port and the line's stations.
async fn carry(port: &mut SerialStream, mut line: Line, quiet: Duration) -> io::Result<()> {
    let start = Instant::now();
    let mut bytes = [0; 512];
    let mut silent = true;
    loop {
        let heard = tokio::select! {
            read = port.read(&mut bytes) => match read? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => Some(count),
            },
            () = tokio::time::sleep(quiet), if !silent => None,
        };
        let now = Micros(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX));
        let replies = match heard {
            Some(count) => line.bytes(now, &bytes[..count]),
            None => line.silence(now),
        };
        // What a station sends ends a silence as well.
        silent = heard.is_none() && replies.is_empty();
        for reply in &replies {
            send(port, reply).await?;
        }
    }
}
