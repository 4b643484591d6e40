//! Listening to a running controller: its frames as a stream of server-sent events.

use axum::body::Body;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::fault::ToolFault;
use crate::bus::feed::{FramesDto, LineDto, PATH};

/// Longest event that is taken: a batch of frames, or a line file.
const EVENT_MAX: usize = 4 * 1024 * 1024;
/// Longest refusal that is shown.
const REFUSAL_MAX: usize = 500;

/// A stream of events.
#[derive(Debug)]
pub(super) struct Attached {
    address: String,
    body: Incoming,
    buffer: Vec<u8>,
}

/// One server-sent event.
#[derive(Debug, PartialEq, Eq)]
struct Event {
    name: String,
    data: String,
}

impl Attached {
    /// Connects and reads the line that the controller runs.
    ///
    /// # Errors
    /// When nobody serves there, or the controller refuses.
    pub(super) async fn open(address: &str, raw: bool) -> Result<(Self, LineDto), ToolFault> {
        let address = host(address);
        let fault = |why: String| ToolFault::Daemon { address: address.clone(), why };
        let stream =
            TcpStream::connect(&address).await.map_err(|error| fault(error.to_string()))?;
        let (mut send, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| fault(error.to_string()))?;
        // It ends with the stream; what ends it is seen there.
        drop(tokio::spawn(connection));
        let path = if raw { format!("{PATH}?raw=1") } else { PATH.to_owned() };
        let request = hyper::Request::get(path).header("host", &address).body(Body::empty());
        let request = request.map_err(|error| fault(error.to_string()))?;
        let response =
            send.send_request(request).await.map_err(|error| fault(error.to_string()))?;
        let status = response.status();
        let mut attached =
            Self { address: address.clone(), body: response.into_body(), buffer: Vec::new() };
        if !status.is_success() {
            let text = attached.refusal().await;
            return Err(fault(format!("it answers {status}: {text}")));
        }
        let first = attached.event().await?;
        if first.name != "line" {
            return Err(fault(format!("it sends {:?} first; another version?", first.name)));
        }
        let line = serde_json::from_str(&first.data).map_err(|error| fault(error.to_string()))?;
        Ok((attached, line))
    }

    /// The next batch of frames.
    ///
    /// # Errors
    /// When the controller has gone or speaks otherwise.
    pub(super) async fn next(&mut self) -> Result<FramesDto, ToolFault> {
        loop {
            let event = self.event().await?;
            if event.name == "frames" {
                return serde_json::from_str(&event.data)
                    .map_err(|error| self.fault(error.to_string()));
            }
        }
    }

    fn fault(&self, why: String) -> ToolFault {
        ToolFault::Daemon { address: self.address.clone(), why }
    }

    async fn event(&mut self) -> Result<Event, ToolFault> {
        loop {
            if let Some(event) = take_event(&mut self.buffer) {
                return Ok(event);
            }
            if self.buffer.len() > EVENT_MAX {
                return Err(self.fault("it sends an event without an end".to_owned()));
            }
            if !self.more().await? {
                return Err(self.fault("the controller has ended".to_owned()));
            }
        }
    }

    /// Takes more bytes; false at the end.
    async fn more(&mut self) -> Result<bool, ToolFault> {
        match self.body.frame().await {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    self.buffer.extend_from_slice(&data);
                }
                Ok(true)
            }
            Some(Err(error)) => Err(self.fault(error.to_string())),
            None => Ok(false),
        }
    }

    async fn refusal(&mut self) -> String {
        while self.buffer.len() < REFUSAL_MAX && self.more().await.unwrap_or(false) {}
        let text = String::from_utf8_lossy(&self.buffer);
        text.trim().chars().take(REFUSAL_MAX).collect()
    }
}

/// host:port of what a person gives: the address of the screens, perhaps as a link.
fn host(address: &str) -> String {
    let bare = address.strip_prefix("http://").unwrap_or(address);
    bare.split('/').next().unwrap_or(bare).to_owned()
}

/// Takes the first whole event out of the buffer.
fn take_event(buffer: &mut Vec<u8>) -> Option<Event> {
    let end = buffer.windows(2).position(|pair| pair == b"\n\n")?;
    let text: Vec<u8> = buffer.drain(..end + 2).collect();
    let text = String::from_utf8_lossy(&text);
    let mut event = Event { name: String::new(), data: String::new() };
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("event:") {
            name.trim().clone_into(&mut event.name);
        } else if let Some(data) = line.strip_prefix("data:") {
            event.data.push_str(data.trim_start());
        }
    }
    Some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_cut_out_of_the_stream() {
        let mut buffer = b"event: line\ndata: {\"a\":1}\n\nevent: fra".to_vec();
        let first = take_event(&mut buffer).expect("whole");
        assert_eq!((first.name.as_str(), first.data.as_str()), ("line", "{\"a\":1}"));
        assert_eq!(take_event(&mut buffer), None);
        buffer.extend_from_slice(b"mes\ndata: {}\n\n: comment\n\n");
        assert_eq!(take_event(&mut buffer).map(|event| event.name), Some("frames".to_owned()));
        assert_eq!(take_event(&mut buffer).map(|event| event.name), Some(String::new()));
        assert!(buffer.is_empty());
    }

    #[test]
    fn an_address_may_be_a_link() {
        for given in ["127.0.0.1:8080", "http://127.0.0.1:8080", "http://127.0.0.1:8080/parcels"] {
            assert_eq!(host(given), "127.0.0.1:8080");
        }
    }
}
