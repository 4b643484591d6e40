//! A TCP bus on a loopback port, for any number of clients.

use super::{Request, ServeError};
use modbus::mbap::{self, Decoder};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Answers on their way to one client; what a client does not take is lost.
const ANSWERS_MAX: usize = 64;

/// What is done to a client.
#[derive(Debug)]
pub(super) enum Outbound {
    /// Bytes of the stream.
    Bytes(Vec<u8>),
    /// The connection is reset.
    Reset,
}

/// Where a client's answers go.
#[derive(Clone, Debug)]
pub(super) struct Client {
    answers: mpsc::Sender<Outbound>,
    /// The client's own transaction number of the request.
    transaction: u16,
}

impl Client {
    /// Sends an answer under the client's own transaction number.
    pub(super) fn answer(&self, frame: &[u8]) {
        let mut frame = frame.to_vec();
        if let Some(number) = frame.first_chunk_mut() {
            *number = self.transaction.to_be_bytes();
        }
        self.stream(frame);
    }

    /// Sends bytes as they are.
    pub(super) fn stream(&self, bytes: Vec<u8>) {
        if self.answers.try_send(Outbound::Bytes(bytes)).is_err() {
            eprintln!("sortline-sim: an answer is lost: its client is gone or does not read");
        }
    }

    /// Closes the connection.
    pub(super) fn reset(&self) {
        // A client that is gone already needs no reset.
        let _gone = self.answers.try_send(Outbound::Reset).is_err();
    }
}

/// Opens a port for a bus and serves clients from then on.
pub(super) async fn listen(
    bus: usize,
    name: &str,
    requests: mpsc::Sender<Request>,
) -> Result<SocketAddr, ServeError> {
    let fault = |source| ServeError::Listen { bus: name.to_owned(), source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(fault)?;
    let address = listener.local_addr().map_err(fault)?;
    drop(tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(client(bus, stream, requests.clone()))),
                Err(error) => {
                    // Out of handles, most likely: a client less, not a bus less.
                    eprintln!("sortline-sim: bus {bus}: a client was not accepted: {error}");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    }));
    Ok(address)
}

/// Serves one client until it leaves or what it sends is no Modbus.
async fn client(bus: usize, mut stream: TcpStream, requests: mpsc::Sender<Request>) {
    let (answers, mut outbox) = mpsc::channel::<Outbound>(ANSWERS_MAX);
    let (mut from, mut to) = stream.split();
    let mut decoder = Decoder::new();
    let mut buffer = [0; 1024];
    loop {
        tokio::select! {
            biased;
            Some(answer) = outbox.recv() => {
                let Outbound::Bytes(bytes) = answer else { return };
                if to.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            read = from.read(&mut buffer) => {
                let Ok(count @ 1..) = read else { return };
                let mut bytes = &buffer[..count];
                loop {
                    match decoder.push(&mut bytes) {
                        Ok(None) => break,
                        Ok(Some(frame)) => {
                            let Some(request) = request(bus, frame, &answers) else { return };
                            if requests.send(request).await.is_err() {
                                return;
                            }
                        }
                        Err(error) => {
                            eprintln!("sortline-sim: bus {bus}: a client is put off: failed to {error}");
                            return;
                        }
                    }
                }
            }
        }
    }
}

fn request(
    bus: usize,
    frame: mbap::Frame<'_>,
    answers: &mpsc::Sender<Outbound>,
) -> Option<Request> {
    let mut bytes = [0; mbap::MAX_FRAME];
    let len = mbap::encode(frame, &mut bytes).ok()?;
    let client = Client { answers: answers.clone(), transaction: frame.transaction };
    Some(Request { bus, client: Some(client), frame: bytes.get(..len)?.to_vec() })
}
