//! `GET /api/bus/frames`: what passes on the wires, for the tools beside the controller.
//!
//! A listener gets the line file first, then frames in batches. Codes of parcels are masked unless a
//! panel asks for them. A client that is slow loses frames and is told how many; nothing waits.

use super::limits;
use super::router::{Asker, Lenient};
use crate::bus::feed::{FrameDto, FramesDto, LineDto};
use crate::bus::tap::{Listener, Tap};
use crate::mask::{Mask, Masker};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use serde::Deserialize;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// The frames of the controller's buses and the line file that explains them.
#[derive(Clone, Debug)]
pub struct Frames {
    /// Where every bus puts its frames.
    pub tap: Tap,
    /// Name of the line file.
    pub file: String,
    /// Its text.
    pub text: Arc<str>,
    /// What codes are masked with.
    pub mask: Mask,
}

/// Query of the stream.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Query {
    /// `1` asks for codes unmasked.
    #[serde(default)]
    raw: String,
}

/// `GET /api/bus/frames`
pub(super) async fn frames(asker: Asker, Lenient(query): Lenient<Query>) -> Response {
    let Some(frames) = asker.shared.frames.clone() else {
        return (StatusCode::NOT_FOUND, "this program has no buses\n").into_response();
    };
    let raw = query.raw == "1";
    if raw && !asker.panel {
        let text = "codes unmasked only for a panel's address\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    let Ok(place) = asker.shared.taps.clone().try_acquire_owned() else {
        let text = "too many tools are attached\n";
        return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
    };
    let line = LineDto { file: frames.file, text: frames.text.as_ref().to_owned(), masked: !raw };
    let (sender, receiver) = mpsc::channel(1);
    let masker = (!raw).then(|| Masker::new(frames.mask));
    tokio::spawn(feed(frames.tap.listen(), line, masker, sender, place));
    Sse::new(Events(receiver)).into_response()
}

/// The events of one stream.
#[derive(Debug)]
struct Events(mpsc::Receiver<Event>);

impl Stream for Events {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|event| event.map(Ok))
    }
}

/// Sends batches until the client leaves; a quiet line is told by an empty one.
async fn feed(
    mut listener: Listener,
    line: LineDto,
    mut masker: Option<Masker>,
    sender: mpsc::Sender<Event>,
    _place: OwnedSemaphorePermit,
) {
    if sender.send(event("line", &line)).await.is_err() {
        return;
    }
    let mut beat = tokio::time::interval(limits::FRAMES_PERIOD);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut batch = FramesDto::default();
    loop {
        let full = batch.frames.len() >= limits::FRAMES_MAX;
        let send = tokio::select! {
            () = sender.closed() => return,
            _ = beat.tick() => true,
            tapped = listener.next(), if !full => match tapped {
                Some(mut tapped) => {
                    if let Some(masker) = &mut masker {
                        masker.mask(&mut tapped);
                    }
                    batch.frames.push(FrameDto::of(&tapped));
                    false
                }
                None => return,
            },
        };
        if send {
            batch.dropped = listener.dropped();
            if sender.send(event("frames", &batch)).await.is_err() {
                return;
            }
            batch.frames.clear();
        }
    }
}

fn event(name: &'static str, data: &impl serde::Serialize) -> Event {
    match Event::default().event(name).json_data(data) {
        Ok(event) => event,
        // The shapes are plain structs with string keys, which serde_json always writes.
        Err(error) => Event::default().event("fault").data(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hmi::router::{self, Peer};
    use crate::hmi::setup::HmiSetup;
    use crate::hmi::tests::view;
    use axum::body::Body;
    use axum::http::Request;
    use axum::{Extension, Router};
    use http_body_util::BodyExt as _;
    use line_model::packml::State;
    use std::net::IpAddr;
    use tokio::sync::watch;
    use tower::ServiceExt as _;

    fn web(frames: Option<Frames>) -> Router {
        let (_, views) = watch::channel(Arc::new(view(State::Execute, vec![])));
        let (commands, _) = mpsc::channel(1);
        router::build(HmiSetup {
            listener: std::net::TcpListener::bind("127.0.0.1:0").expect("loopback"),
            view: views,
            commands,
            data: "absent".into(),
            panel: vec!["127.0.0.0/8".parse().expect("a net")],
            simulated: true,
            frames,
        })
    }

    async fn ask(web: &Router, from: &str, path: &str) -> Response {
        let address: IpAddr = from.parse().expect("an address");
        let router = web.clone().layer(Extension(Peer(address)));
        let request = Request::get(path).body(Body::empty()).expect("a request");
        router.oneshot(request).await.expect("infallible")
    }

    fn frames() -> Frames {
        let (file, mask) = ("line.toml".to_owned(), Mask::new(&[1; 32]));
        Frames { tap: Tap::default(), file, text: "[line]".into(), mask }
    }

    #[tokio::test]
    async fn codes_unmasked_are_for_panels_and_places_are_few() {
        let web = web(Some(frames()));
        let raw = "/api/bus/frames?raw=1";
        assert_eq!(ask(&web, "10.1.2.3", raw).await.status(), StatusCode::FORBIDDEN);
        let mut held = Vec::new();
        for (from, path) in [("127.0.0.1", raw), ("10.1.2.3", "/api/bus/frames")] {
            let mut response = ask(&web, from, path).await;
            assert_eq!(response.status(), StatusCode::OK);
            let first = response.body_mut().frame().await.expect("an event").expect("data");
            let text = String::from_utf8(first.into_data().expect("bytes").to_vec());
            let text = text.expect("UTF-8");
            let masked = path != raw;
            assert!(text.starts_with("event: line\ndata: {\"file\":\"line.toml\""), "{text}");
            assert!(text.contains(&format!("\"masked\":{masked}")), "{text}");
            held.push(response);
        }
        for _ in held.len()..limits::TAPS {
            held.push(ask(&web, "127.0.0.1", raw).await);
        }
        let refused = ask(&web, "127.0.0.1", raw).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn a_program_without_buses_says_so() {
        let answer = ask(&web(None), "127.0.0.1", "/api/bus/frames").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
}
