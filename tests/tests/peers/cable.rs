//! A serial cable between two programs: two pseudo-terminals joined byte for byte.
//!
//! A pseudo-terminal has no baud rate, no parity and no errors of the line; what it shows is framing,
//! content and order.

use std::path::{Path, PathBuf};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::oneshot;
use tokio_serial::{SerialPort as _, SerialStream};

/// The cable; it is cut when dropped.
pub(crate) struct Cable {
    ends: [PathBuf; 2],
    /// Cuts it; taken when dropped.
    _uncut: oneshot::Sender<()>,
}

impl Cable {
    /// Lays a cable; a thread carries its bytes.
    pub(crate) fn new() -> Self {
        let (uncut, cut) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let pair = || SerialStream::pair().expect("a pseudo-terminal");
                // The slaves are kept: when its last handle closes, a terminal ends.
                let ((a, slave_a), (b, slave_b)) = (pair(), pair());
                let path = |slave: &SerialStream| PathBuf::from(slave.name().expect("a name"));
                tell.send([path(&slave_a), path(&slave_b)]).expect("somebody asked");
                let ((a_in, a_out), (b_in, b_out)) = (tokio::io::split(a), tokio::io::split(b));
                tokio::select! {
                    _ = cut => {}
                    () = carry(a_in, b_out) => {}
                    () = carry(b_in, a_out) => {}
                }
            });
        };
        drop(std::thread::Builder::new().name("cable".to_owned()).spawn(work).expect("a thread"));
        Self { ends: told.recv().expect("the cable is laid"), _uncut: uncut }
    }

    /// The end for the server.
    pub(crate) fn server(&self) -> &Path {
        &self.ends[0]
    }

    /// The end for the client.
    pub(crate) fn client(&self) -> &Path {
        &self.ends[1]
    }
}

/// Carries bytes one way until an end is gone.
async fn carry(mut from: ReadHalf<SerialStream>, mut to: WriteHalf<SerialStream>) {
    let mut bytes = [0; 512];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
