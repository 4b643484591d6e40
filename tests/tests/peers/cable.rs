//! A serial cable between two programs: two pseudo-terminals joined byte for byte.
//!
//! A pseudo-terminal has no baud rate, no parity and no errors of the line; what it shows is framing,
//! content and order.

use modbus::rtu::{Length, answer_length, request_length};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use system_tests::wires::Passed;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_serial::{SerialPort as _, SerialPortBuilderExt as _, SerialStream};
use units::Micros;

/// The cable; it is cut when dropped.
pub(crate) struct Cable {
    ends: [PathBuf; 2],
    passed: Arc<Mutex<Vec<Passed>>>,
    /// Cuts it; taken when dropped.
    _uncut: oneshot::Sender<()>,
}

/// The far end of a cable.
enum Far {
    /// A new pseudo-terminal.
    New,
    /// A port that exists.
    Port(PathBuf),
}

impl Cable {
    /// Lays a cable between two new pseudo-terminals.
    pub(crate) fn new() -> Self {
        Self::lay(Far::New)
    }

    /// Lays a cable between a port that a server has open and a new pseudo-terminal.
    pub(crate) fn to(port: &Path) -> Self {
        Self::lay(Far::Port(port.to_owned()))
    }

    fn lay(far: Far) -> Self {
        let passed: Arc<Mutex<Vec<Passed>>> = Arc::default();
        let (uncut, cut) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let record = Arc::clone(&passed);
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let pair = || SerialStream::pair().expect("a pseudo-terminal");
                let path = |slave: &SerialStream| PathBuf::from(slave.name().expect("a name"));
                // The slaves are kept: when its last handle closes, a terminal ends.
                let ((near, near_slave), mut far_slave) = (pair(), None);
                let (far, far_path) = match far {
                    Far::New => {
                        let (master, slave) = pair();
                        let path = path(&slave);
                        far_slave = Some(slave);
                        (master, path)
                    }
                    Far::Port(path) => {
                        let port = tokio_serial::new(path.to_string_lossy(), 115_200);
                        (port.open_native_async().expect("the server's port"), path)
                    }
                };
                tell.send([far_path, path(&near_slave)]).expect("somebody asked");
                let (far, near) = (tokio::io::split(far), tokio::io::split(near));
                let start = Instant::now();
                tokio::select! {
                    _ = cut => {}
                    () = carry(near.0, far.1, true, start, &record) => {}
                    () = carry(far.0, near.1, false, start, &record) => {}
                }
                drop(far_slave);
            });
        };
        drop(std::thread::Builder::new().name("cable".to_owned()).spawn(work).expect("a thread"));
        let patience = Duration::from_secs(20);
        Self { ends: told.recv_timeout(patience).expect("it is laid"), passed, _uncut: uncut }
    }

    /// The end for the server.
    pub(crate) fn server(&self) -> &Path {
        &self.ends[0]
    }

    /// The end for the client.
    pub(crate) fn client(&self) -> &Path {
        &self.ends[1]
    }

    /// What passed so far, cut into frames; the client's side is the host.
    pub(crate) fn frames(&self) -> Vec<Passed> {
        let chunks = self.passed.lock().expect("nobody panicked").clone();
        let mut frames = Vec::new();
        let mut open: Option<Passed> = None;
        let mut request = Vec::new();
        for chunk in chunks {
            let mut held = match open.take() {
                Some(held) if held.from_host == chunk.from_host => held,
                Some(cut) => panic!("a frame was cut: {cut:?}"),
                None => Passed { bytes: Vec::new(), ..chunk },
            };
            (held.at, held.bytes) = (chunk.at, [held.bytes, chunk.bytes].concat());
            while let Some(len) = whole(&held, &request).filter(|len| *len <= held.bytes.len()) {
                let bytes = held.bytes.drain(..len).collect();
                let frame = Passed { at: held.at, from_host: held.from_host, bytes };
                if frame.from_host {
                    request.clone_from(&frame.bytes);
                }
                frames.push(frame);
            }
            open = (!held.bytes.is_empty()).then_some(held);
        }
        frames
    }
}

/// The length of the frame that begins here, when its bytes tell it already.
fn whole(held: &Passed, request: &[u8]) -> Option<usize> {
    let length = if held.from_host {
        request_length(&held.bytes)
    } else {
        let pdu = request.get(1..request.len().saturating_sub(2)).expect("a request came before");
        answer_length(pdu, &held.bytes)
    };
    match length {
        Length::Exactly(len) => Some(len),
        Length::Need(_) => None,
        Length::Unknown => panic!("no frame: {held:?}"),
    }
}

/// Carries bytes one way until an end is gone.
async fn carry(
    mut from: ReadHalf<SerialStream>,
    mut to: WriteHalf<SerialStream>,
    from_host: bool,
    start: Instant,
    record: &Mutex<Vec<Passed>>,
) {
    let mut bytes = [0; 512];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let at = Micros(u64::try_from(start.elapsed().as_micros()).expect("a short run"));
        let chunk = Passed { at, from_host, bytes: bytes[..count].to_vec() };
        record.lock().expect("nobody panicked").push(chunk);
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
