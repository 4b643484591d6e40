//! A serial bus on a pseudo-terminal.

use super::{Request, ServeError};
use modbus::rtu::{Receiver, Timing};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;
use tokio_serial::{SerialPort, SerialStream};

/// Answers on their way to the terminal; more than one at a time is a fault of the host.
const ANSWERS_MAX: usize = 16;
/// Quiet time that is surely a silence of the line: t3.5 and the timer's grain.
const GRAIN: Duration = Duration::from_millis(2);
/// The receiver of a bus stands for no single node; no node has this unit.
const NO_UNIT: u8 = 255;

/// What is done to a bus from the world's side.
#[derive(Debug)]
pub(super) enum Outbound {
    /// Bytes for the host.
    Bytes(Vec<u8>),
    /// The adapter is pulled out: the terminal hangs up and its path is gone.
    Unplug,
    /// It is put in again: another terminal at the same path.
    Plug,
}

/// How the carrying of frames ended.
enum End {
    /// The program ends.
    Over,
    /// The adapter was pulled out.
    Unplugged,
}

/// An open pseudo-terminal.
#[derive(Debug)]
pub(super) struct Terminal {
    master: SerialStream,
    /// Kept open: when the last handle closes, the master would end.
    slave: SerialStream,
    path: PathBuf,
}

/// Opens a pseudo-terminal in raw mode.
pub(super) fn open(bus: &str) -> Result<Terminal, ServeError> {
    pair().map_err(|source| ServeError::Terminal { bus: bus.to_owned(), source })
}

fn pair() -> io::Result<Terminal> {
    let (master, slave) = SerialStream::pair()?;
    let name = slave.name().ok_or_else(|| io::Error::other("the terminal has no name"))?;
    Ok(Terminal { master, slave, path: PathBuf::from(name) })
}

impl Terminal {
    /// The path that a host opens.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Starts the task that moves frames; answers go into the sender given back.
    pub(super) fn start(
        self,
        bus: usize,
        timing: Timing,
        (link, faulty): (PathBuf, bool),
        requests: mpsc::Sender<Request>,
    ) -> mpsc::Sender<Outbound> {
        let (answers, mut outbox) = mpsc::channel(ANSWERS_MAX);
        let task = async move {
            let mut terminal = self;
            loop {
                let next = match terminal.carry(bus, (timing, faulty), &requests, &mut outbox).await
                {
                    Ok(End::Over) => return,
                    Ok(End::Unplugged) => replug(&link, &mut outbox).await,
                    Err(error) => Err(error),
                };
                match next {
                    Ok(Some(next)) => terminal = next,
                    Ok(None) => return,
                    Err(error) => {
                        eprintln!("sortline-sim: bus {bus}: the pseudo-terminal failed: {error}");
                        return;
                    }
                }
            }
        };
        drop(tokio::spawn(task));
        answers
    }

    /// Carries frames until the program ends or the adapter is pulled out.
    async fn carry(
        self,
        bus: usize,
        (timing, faulty): (Timing, bool),
        requests: &mpsc::Sender<Request>,
        outbox: &mut mpsc::Receiver<Outbound>,
    ) -> io::Result<End> {
        let _slave = self.slave;
        let mut master = self.master;
        let silence = Duration::from_micros(timing.silence().0) + GRAIN;
        let mut receiver = Receiver::new(NO_UNIT);
        // A receiver listens from the first silence on; nothing was sent before the line existed.
        assert!(receiver.silence().is_none(), "nothing was received yet");
        let mut quiet = true;
        let mut buffer = [0; 512];
        loop {
            tokio::select! {
                biased;
                answer = outbox.recv() => {
                    let answer = match answer {
                        None => return Ok(End::Over),
                        Some(Outbound::Unplug) => return Ok(End::Unplugged),
                        Some(Outbound::Plug) => continue,
                        Some(Outbound::Bytes(answer)) => answer,
                    };
                    // Every node hears the answers of the others, and nobody waits for a host
                    // that does not read.
                    if let Err(error) = master.try_write(&answer) {
                        eprintln!("sortline-sim: bus {bus}: an answer is lost: {error}");
                    }
                    // Where anything may be on the line, requests are told by silences alone.
                    if !faulty {
                        offer(bus, &mut receiver, &answer, requests).await;
                        quiet = false;
                    }
                }
                read = master.read(&mut buffer) => {
                    let Some(bytes @ [_, ..]) = buffer.get(..read?) else {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    };
                    offer(bus, &mut receiver, bytes, requests).await;
                    quiet = false;
                }
                () = tokio::time::sleep(silence), if !quiet => {
                    quiet = true;
                    if let Some(frame) = receiver.silence() {
                        send(bus, frame, requests).await;
                    }
                }
            }
        }
    }
}

/// Takes the path away until the adapter is put in again; `None` when the program ends.
async fn replug(
    link: &Path,
    outbox: &mut mpsc::Receiver<Outbound>,
) -> io::Result<Option<Terminal>> {
    std::fs::remove_file(link)?;
    loop {
        match outbox.recv().await {
            None => return Ok(None),
            Some(Outbound::Bytes(_) | Outbound::Unplug) => {}
            Some(Outbound::Plug) => {
                let terminal = pair()?;
                std::os::unix::fs::symlink(terminal.path(), link)?;
                return Ok(Some(terminal));
            }
        }
    }
}

/// Gives bytes to the receiver and hands whole requests on.
async fn offer(
    bus: usize,
    receiver: &mut Receiver,
    mut bytes: &[u8],
    requests: &mpsc::Sender<Request>,
) {
    while let Some(frame) = receiver.push(&mut bytes) {
        let frame = frame.to_vec();
        send(bus, &frame, requests).await;
    }
}

async fn send(bus: usize, frame: &[u8], requests: &mpsc::Sender<Request>) {
    let request = Request { bus, client: None, frame: frame.to_vec() };
    // The loop that takes them ends only with the program.
    let _gone = requests.send(request).await.is_err();
}
