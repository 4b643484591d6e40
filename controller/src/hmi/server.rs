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
