//! Polling without an owner: the status of each node by FC 03, again and again.
//!
//! Nothing is acknowledged, commanded or kept alive by it: a node that is polled so behaves as if
//! nobody were there.

use std::time::Duration;

use registers::map::STATUS;
use registers::status::STATUS_WORDS;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::client::{Client, Reply};
use super::fault::ToolFault;

/// One round of a bus takes at least this long.
const ROUND_MIN: Duration = Duration::from_millis(10);
/// A node that does not answer is asked again after this long.
const PROBE: Duration = Duration::from_secs(1);
/// A bus that went away is tried again after this long.
const AGAIN: Duration = Duration::from_secs(1);

/// One unit that is polled.
struct Polled {
    unit: u8,
    /// Its identity was read, so that everybody who listens knows its kind.
    known: bool,
    /// When it is asked next, while it is silent.
    silent_until: Option<Instant>,
}

/// Polls until the task is dropped; tells troubles of the bus once each.
pub(super) async fn keep(mut client: Client, units: Vec<u8>, troubles: mpsc::Sender<String>) {
    let polled = |unit| Polled { unit, known: false, silent_until: None };
    let mut units: Vec<Polled> = units.into_iter().map(polled).collect();
    let mut told = None;
    loop {
        let next = after(ROUND_MIN);
        match round(&mut client, &mut units).await {
            Ok(()) => told = None,
            Err(fault) => {
                let text = format!("failed to {fault}");
                if told.as_ref() != Some(&text) && troubles.send(text.clone()).await.is_err() {
                    return;
                }
                told = Some(text);
                tokio::time::sleep(AGAIN).await;
            }
        }
        tokio::time::sleep_until(next).await;
    }
}

/// The instant `span` from now.
fn after(span: Duration) -> Instant {
    Instant::now() + span
}

async fn round(client: &mut Client, units: &mut [Polled]) -> Result<(), ToolFault> {
    for polled in units {
        if polled.silent_until.is_some_and(|until| until > after(Duration::ZERO)) {
            continue;
        }
        let reply = if polled.known {
            client.read(polled.unit, STATUS, STATUS_WORDS).await?
        } else {
            client.identity(polled.unit).await?
        };
        match reply {
            Reply::Words(_) => {
                polled.known = true;
                polled.silent_until = None;
            }
            Reply::Exception(_) | Reply::Done(_) | Reply::Silent { .. } => {
                polled.silent_until = Some(after(PROBE));
            }
        }
    }
    Ok(())
}
