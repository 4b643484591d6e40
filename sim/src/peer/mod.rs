//! `sortline-sim peer`: a test server that other people's clients know, on a port or a serial line.

mod error;
mod serial;
mod tcp;

pub(crate) use error::PeerError;

use clap::ValueEnum;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::signal::unix::{SignalKind, signal};

use line_sim::profile::Reply;

/// What `peer` is told.
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("wire").required(true))]
pub(crate) struct Peer {
    /// Which server.
    #[arg(long, value_enum)]
    profile: Profile,
    /// Listens on this loopback port; 0 takes a free one.
    #[arg(long, group = "wire", value_name = "PORT")]
    tcp: Option<u16>,
    /// Opens this serial port; where nothing is, links a new pseudo-terminal there.
    #[arg(long, group = "wire", value_name = "PATH")]
    serial: Option<PathBuf>,
    /// Bits a second of the serial port.
    #[arg(long, default_value_t = 115_200)]
    baud: u32,
    /// Parity of the serial port.
    #[arg(long, value_enum, default_value_t = Parity::None)]
    parity: Parity,
    /// Puts a zone node with this unit beside it on the serial line.
    #[arg(long, value_name = "UNIT", conflicts_with = "tcp", value_parser = clap::value_parser!(u8).range(1..=247))]
    beside: Option<u8>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Profile {
    /// The map of libmodbus' unit-test server, its faults included; unit 17 on a serial line.
    LibmodbusUt,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Parity {
    None,
    Even,
    Odd,
}

/// Serves until SIGTERM or SIGINT; prints where as one line of JSON once it is ready.
pub(crate) fn run(peer: &Peer) -> Result<(), PeerError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(PeerError::Runtime)?;
    runtime.block_on(async {
        let mut term = signal(SignalKind::terminate()).map_err(PeerError::Runtime)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(PeerError::Runtime)?;
        let Profile::LibmodbusUt = peer.profile;
        let work = async {
            match (&peer.tcp, &peer.serial) {
                (Some(port), _) => tcp::serve(*port).await,
                (None, Some(path)) => serial::serve(path, peer).await,
                (None, None) => Ok(()),
            }
        };
        tokio::select! {
            biased;
            _ = term.recv() => Ok(()),
            _ = interrupt.recv() => Ok(()),
            result = work => result,
        }
    })
}

/// Says where the server can be reached: it is ready.
fn announce(key: &str, place: &str) -> Result<(), PeerError> {
    let line = serde_json::json!({ key: place });
    writeln!(io::stdout(), "{line}").map_err(PeerError::Announce)
}

/// Sends what a profile answers, at the times that it asks for.
async fn send(to: &mut (impl AsyncWrite + Unpin), reply: &Reply) -> io::Result<()> {
    tokio::time::sleep(Duration::from_micros(reply.after.0)).await;
    if reply.per_byte.0 == 0 {
        return to.write_all(&reply.frame).await;
    }
    // From one start, so that a late wake does not add up.
    let mut beat = tokio::time::interval(Duration::from_micros(reply.per_byte.0));
    beat.tick().await;
    for byte in &reply.frame {
        beat.tick().await;
        to.write_all(&[*byte]).await?;
    }
    Ok(())
}
