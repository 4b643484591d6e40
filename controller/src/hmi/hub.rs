//! One place that watches the daemon's snapshots, stamps their arrival and thins them out.

use super::carry::{Carry, Positions};
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
    /// Where its parcels are drawn.
    pub(super) positions: Arc<Positions>,
}

impl Sample {
    fn new(view: Arc<HmiView>, carry: &mut Carry) -> Self {
        let positions = Arc::new(carry.step(&view));
        Self { view, arrived: Instant::now(), positions }
    }

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
    let mut carry = Carry::default();
    let first = Sample::new(views.borrow_and_update().clone(), &mut carry);
    let (sender, receiver) = watch::channel(first);
    tokio::spawn(async move {
        while views.changed().await.is_ok() {
            let newest = views.borrow_and_update().clone();
            let sample = Sample::new(newest, &mut carry);
            if sender.send(sample).is_err() {
                return;
            }
            tokio::time::sleep(SAMPLE_PERIOD).await;
        }
    });
    receiver
}
