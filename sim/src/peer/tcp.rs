//! The server on a loopback port, for any number of clients.

use super::{PeerError, announce, send};
use line_sim::profile::LibmodbusUt;
use modbus::mbap::Decoder;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

/// Listens and serves until the program ends.
pub(super) async fn serve(port: u16) -> Result<(), PeerError> {
    let fault = |source| PeerError::Listen { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(fault)?;
    announce("tcp", &listener.local_addr().map_err(fault)?.to_string())?;
    let profile = Arc::new(Mutex::new(LibmodbusUt::default()));
    loop {
        let (stream, _) = listener.accept().await.map_err(fault)?;
        stream.set_nodelay(true).map_err(fault)?;
        drop(tokio::spawn(client(stream, Arc::clone(&profile))));
    }
}

/// Serves one client until it leaves or what it sends is no Modbus.
async fn client(mut stream: TcpStream, profile: Arc<Mutex<LibmodbusUt>>) {
    let mut decoder = Decoder::new();
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let mut bytes = &buffer[..count];
        loop {
            let reply = match decoder.push(&mut bytes) {
                Ok(None) => break,
                Ok(Some(frame)) => profile.lock().await.tcp(frame),
                Err(error) => {
                    eprintln!("sortline-sim: a client is put off: failed to {error}");
                    return;
                }
            };
            if let Some(reply) = reply
                && send(&mut stream, &reply).await.is_err()
            {
                return;
            }
        }
    }
}
