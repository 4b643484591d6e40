//! The accept loop: bounded connections, bounded waits.

use super::limits;
use super::patience::Patience;
use super::router::{self, Peer};
use super::setup::HmiSetup;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Serves the screens until the future is dropped; open connections go on until they close.
///
/// # Errors
/// When the listener cannot be handed to the runtime. A failing accept is logged and tried again.
pub async fn serve(setup: HmiSetup) -> io::Result<()> {
    setup.listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(setup.listener.try_clone()?)?;
    let router = router::build(setup);
    let places = Arc::new(Semaphore::new(limits::CONNECTIONS));
    loop {
        // The semaphore is never closed, so that this always gives a place in the end.
        let Ok(place) = places.clone().acquire_owned().await else {
            return Ok(());
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                tokio::spawn(connection(router.clone(), stream, peer, place));
            }
            Err(error) => {
                tracing::warn!(%error, "failed to accept a screen's connection");
                // Out of file handles, most likely: waiting is all that can help.
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

async fn connection(
    router: Router,
    stream: TcpStream,
    peer: SocketAddr,
    _place: OwnedSemaphorePermit,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "failed to switch the delay off");
    }
    let service = router.layer(axum::Extension(Peer(peer.ip().to_canonical())));
    let outcome = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEAD_TIMEOUT)
        .max_buf_size(limits::HEAD_BYTES)
        .serve_connection(TokioIo::new(Patience::new(stream)), TowerToHyperService::new(service))
        .await;
    if let Err(error) = outcome {
        // Screens come and go; a broken connection is theirs, not the line's.
        tracing::debug!(%peer, %error, "failed to finish a screen's connection");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hmi::tests::view;
    use line_model::packml::State;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::{mpsc, watch};

    #[tokio::test(start_paused = true)]
    async fn a_screen_that_takes_nothing_is_dropped() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut wide = view(State::Execute, vec![]);
        // Large samples fill the kernel's buffers soon.
        wide.line_name_zh = "x".repeat(200_000);
        let (views, receiver) = watch::channel(Arc::new(wide.clone()));
        let (commands, _line) = mpsc::channel(1);
        let setup = HmiSetup {
            listener,
            view: receiver,
            commands,
            data: "absent".into(),
            panel: vec![],
            simulated: false,
            frames: None,
        };
        let server = tokio::spawn(serve(setup));
        let mut lazy = TcpStream::connect(address).await.unwrap();
        lazy.write_all(b"GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        for _ in 0..600 {
            views.send_replace(Arc::new(wide.clone()));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // From here in real time: what was sent is read, then the stream must be over.
        tokio::time::resume();
        let mut read = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(60), lazy.read_to_end(&mut read)).await;
        assert!(end.is_ok(), "the stream is still open after {} bytes", read.len());
        assert!(read.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&read));
        server.abort();
    }
}
