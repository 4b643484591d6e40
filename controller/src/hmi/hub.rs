//! One place that watches the daemon's snapshots, stamps their arrival and thins them out.

use super::limits::SAMPLE_PERIOD;
use super::setup::HmiView;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::Instant;

/// A snapshot with its arrival.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// The snapshot.
    pub(super) view: Arc<HmiView>,
    /// When it came; its age is counted from here.
    pub(super) arrived: Instant,
}

impl Sample {
    /// Age in milliseconds.
    pub(super) fn age_ms(&self) -> u64 {
        u64::try_from(self.arrived.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Starts the hub; it ends when the daemon drops its sender or nobody listens.
///
/// At most one sample a [`SAMPLE_PERIOD`]; a reader that is slow sees only the newest, so nothing
/// queues up for anyone.
pub(super) fn start(mut views: watch::Receiver<Arc<HmiView>>) -> watch::Receiver<Sample> {
    let first = Sample { view: views.borrow_and_update().clone(), arrived: Instant::now() };
    let (sender, receiver) = watch::channel(first);
    tokio::spawn(async move {
        while views.changed().await.is_ok() {
            let sample =
                Sample { view: views.borrow_and_update().clone(), arrived: Instant::now() };
            if sender.send(sample).is_err() {
                return;
            }
            tokio::time::sleep(SAMPLE_PERIOD).await;
        }
    });
    receiver
}
