//! Live values: one server-sent stream a page, snapshot first, then at most ten a second.

use super::dto::ViewDto;
use super::hub::Sample;
use super::i18n::Lang;
use super::limits::BEAT_PERIOD;
use axum::response::sse::Event;
use futures_core::Stream;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};

/// What one stream shows.
#[derive(Debug)]
pub(super) struct Subscription {
    /// Samples of the hub.
    pub(super) samples: watch::Receiver<Sample>,
    /// Language of the page.
    pub(super) lang: Lang,
    /// Whether the page's screen is a panel.
    pub(super) panel: bool,
    /// Place among the streams; given back when the stream ends.
    pub(super) place: OwnedSemaphorePermit,
}

/// The events of one stream. Ends when the client leaves or the daemon stops publishing.
#[derive(Debug)]
pub(super) struct Events(mpsc::Receiver<Event>);

impl Stream for Events {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|event| event.map(Ok))
    }
}

impl Subscription {
    /// Starts the stream. One event waits at most: while a client is slow its task waits too and
    /// then goes on with the newest sample.
    pub(super) fn start(self) -> Events {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(self.feed(sender));
        Events(receiver)
    }

    async fn feed(mut self, sender: mpsc::Sender<Event>) {
        let _place = self.place;
        self.samples.mark_changed();
        loop {
            let event = tokio::select! {
                () = sender.closed() => return,
                changed = tokio::time::timeout(BEAT_PERIOD, self.samples.changed()) => match changed {
                    Ok(Ok(())) => {
                        let sample = self.samples.borrow_and_update().clone();
                        view_event(self.lang, &sample, self.panel)
                    }
                    Ok(Err(_)) => return,
                    Err(_) => Event::default().event("beat").data("{}"),
                },
            };
            if sender.send(event).await.is_err() {
                return;
            }
        }
    }
}

fn view_event(lang: Lang, sample: &Sample, panel: bool) -> Event {
    let dto = ViewDto::new(lang, sample, panel);
    match Event::default().event("view").json_data(&dto) {
        Ok(event) => event,
        // The shapes of `dto` are plain structs with string keys, which serde_json always writes.
        Err(error) => Event::default().event("fault").data(error.to_string()),
    }
}
