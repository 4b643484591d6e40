//! A TCP bus: one connection, replaced after every time-out and every doubt, never reused.
//!
//! A late answer on a kept connection would shift every later answer by one; a new connection cannot
//! carry it. The wire format is tokio-modbus's; whether an answer fits its request is checked by our
//! own codec as on a serial bus.

use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::time::Duration;

use modbus::pdu;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_modbus::client::{Client as _, Context};
use tokio_modbus::slave::{Slave, SlaveContext as _};

use super::call::{call_of, pdu_of};
use super::tap::{Tap, TcpTap};
use super::{Desk, Event, Heard, Leaving, Request};

/// How long a connection may take to stand.
const CONNECT_MAX: Duration = Duration::from_secs(2);

/// One TCP bus.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Index of the bus in the line file.
    pub bus: u8,
    /// Its name, for logs.
    pub name: String,
    /// Host and port.
    pub address: String,
    /// Where its frames are shown.
    pub tap: Tap,
}

/// Serves the bus until the sender of `requests` is gone.
pub async fn serve(setup: Setup, requests: mpsc::Receiver<Request>, heard: mpsc::Sender<Heard>) {
    let connect = async || {
        let stream = TcpStream::connect(&setup.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    serve_over(&setup, connect, requests, heard).await;
}

/// Serves the bus over any stream: sockets in the product, pipes in virtual time.
pub async fn serve_over<S, F>(
    setup: &Setup,
    mut connect: impl FnMut() -> F,
    requests: mpsc::Receiver<Request>,
    heard: mpsc::Sender<Heard>,
) where
    S: AsyncRead + AsyncWrite + Debug + Send + Unpin + 'static,
    F: Future<Output = io::Result<S>>,
{
    let mut desk = Desk::new(setup.bus, setup.name.clone(), requests, heard);
    loop {
        let round = async {
            let why = match tokio::time::timeout(CONNECT_MAX, connect()).await {
                Ok(Ok(stream)) => {
                    desk.up().await?;
                    let stream = TcpTap::new(stream, setup.tap.clone(), setup.bus);
                    let context = tokio_modbus::client::tcp::attach(stream);
                    match exchange(&mut desk, context).await? {
                        // A silent node is no fault of the network: connect again at once.
                        End::Silent => return Ok(()),
                        End::Broken(why) => format!("talk to {}: {why}", setup.address),
                    }
                }
                Ok(Err(error)) => format!("connect to {}: {error}", setup.address),
                Err(_) => format!("connect to {}: no answer", setup.address),
            };
            desk.down(why).await?;
            desk.pause().await
        };
        if let Err(Leaving) = round.await {
            return;
        }
    }
}

/// Why a connection is given up.
enum End {
    /// A request timed out.
    Silent,
    /// The peer closed it or sent what fits no request.
    Broken(String),
}

/// Exchanges over one connection until it is not beyond doubt any more.
async fn exchange(desk: &mut Desk, mut context: Context) -> Result<End, Leaving> {
    loop {
        let Some(request) = desk.requests.recv().await else { return Err(Leaving) };
        let Some(call) = call_of(&request.pdu) else {
            tracing::error!(bus = desk.name, "a request is malformed or not for TCP");
            desk.tell(Event::Lost).await?;
            continue;
        };
        context.set_slave(Slave(request.unit));
        let wait = Duration::from_micros(request.timeout.0);
        match tokio::time::timeout(wait, context.call(call)).await {
            Err(_) => {
                desk.tell(Event::Timeout).await?;
                return Ok(End::Silent);
            }
            Ok(Err(error)) => {
                desk.tell(Event::Lost).await?;
                return Ok(End::Broken(reason(&error)));
            }
            Ok(Ok(answer)) => {
                let answer = pdu_of(&request.pdu, answer.map_err(u8::from));
                if let Err(misfit) = pdu::Response::parse(&request.pdu, &answer) {
                    desk.tell(Event::Lost).await?;
                    return Ok(End::Broken(format!("failed to {misfit}")));
                }
                desk.proven();
                desk.tell(Event::Answer { unit: request.unit, pdu: answer }).await?;
            }
        }
    }
}

/// The text of an error, without the register values that a mismatch carries.
fn reason(error: &tokio_modbus::Error) -> String {
    match error {
        tokio_modbus::Error::Transport(_) => "the other end closed the connection".to_owned(),
        tokio_modbus::Error::Protocol(tokio_modbus::ProtocolError::HeaderMismatch {
            message,
            ..
        }) => format!("answer of another request: {message}"),
        tokio_modbus::Error::Protocol(tokio_modbus::ProtocolError::FunctionCodeMismatch {
            request,
            ..
        }) => format!("answer of another function than {:#04x}", request.value()),
    }
}
