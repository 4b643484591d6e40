//! The session's state machine.

use units::Micros;

use super::echo::{Detection, Own};
use super::{Event, Outcome, Outputs, View, Wire};
use crate::pdu::{Expected, Pdu, Response};
use crate::rtu::{BROADCAST, Frame, Length, MAX_FRAME, check, encode, framed};

/// Masters one serial line.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) wire: Wire,
    state: State,
    /// The earliest instant of the next frame: silence and quarantine are over.
    pub(super) ready: Micros,
    /// The last frame submitted.
    pub(super) request: Frame,
    timeout: Micros,
    /// How its answer is framed.
    expected: Expected,
    /// Computed end of its transmission.
    pub(super) sent_end: Micros,
    pub(super) detection: Detection,
    pub(super) own: Own,
    /// The answer accepted last, to tell a duplicate.
    accepted: Frame,
    /// Bytes heard and not yet accounted for.
    pub(super) heard: Frame,
    pub(super) view: View,
}

/// What is outstanding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is no port. Entered at first and by `Closed`, left by `Opened`.
    Closed,
    /// Nothing is outstanding; the next frame may begin at `ready`. Ends with a submission.
    Free,
    /// A request waits for the line to fall quiet. Ends with its sending or at `give_up`.
    Queued { give_up: Micros },
    /// A request was sent. Ends with a fitting answer or at `deadline`.
    Awaiting { deadline: Micros },
    /// A broadcast was sent. Ends at `until`.
    Broadcast { until: Micros },
}

/// What the bytes from some offset on are.
enum Candidate<'a> {
    /// The answer's PDU.
    Answer(&'a [u8]),
    /// A whole frame of this length from the unit asked that does not fit.
    Misfit(usize),
    /// Perhaps the beginning of the answer.
    Begun,
    /// Nothing that could become the answer.
    Noise,
}

impl Session {
    /// Builds a session whose port is not open yet.
    pub fn new(wire: Wire) -> Self {
        Self {
            wire,
            state: State::Closed,
            ready: Micros::ZERO,
            request: Frame::new(),
            timeout: Micros::ZERO,
            expected: Expected::NONE,
            sent_end: Micros::ZERO,
            detection: Detection::of(wire.echo),
            own: Own::Passed,
            accepted: Frame::new(),
            heard: Frame::new(),
            view: View::default(),
        }
    }

    /// Takes one event; what it asks of the shell replaces the contents of `out`.
    ///
    /// Total, and bounded by the length of the event's bytes times that of a frame.
    pub fn handle(&mut self, now: Micros, event: Event<'_>, out: &mut Outputs) {
        *out = Outputs::default();
        match event {
            Event::Opened => self.opened(now, out),
            Event::Closed => self.closed(out),
            Event::Submit { unit, pdu, timeout } => self.submitted(now, unit, pdu, timeout, out),
            Event::Received(bytes) => self.received(now, bytes, out),
            Event::Timer => self.timer(now, out),
        }
    }

    /// When [`Event::Timer`] is due at the latest.
    pub fn next_deadline(&self) -> Option<Micros> {
        match self.state {
            State::Closed => None,
            State::Free => {
                let idle = self.heard.as_bytes().is_empty() && self.detection.echoes().is_some();
                (!idle).then_some(self.ready)
            }
            State::Queued { give_up } => Some(give_up.min(self.ready)),
            State::Awaiting { deadline } => Some(deadline),
            State::Broadcast { until } => Some(until),
        }
    }

    /// The counters.
    pub const fn view(&self) -> View {
        View { echoes: self.detection.echoes(), ..self.view }
    }

    /// A predecessor on this port may have asked just before: its answer is waited out.
    fn opened(&mut self, now: Micros, out: &mut Outputs) {
        self.closed(out);
        self.state = State::Free;
        self.detection = Detection::of(self.wire.echo);
        self.ready = now.plus(self.wire.turnaround_max).plus(self.silence());
        out.drain = true;
    }

    fn closed(&mut self, out: &mut Outputs) {
        match self.state {
            State::Closed | State::Free => {}
            State::Queued { .. } | State::Awaiting { .. } | State::Broadcast { .. } => {
                out.done = Some(Outcome::PortLost);
            }
        }
        self.state = State::Closed;
        self.own = Own::Passed;
        self.accepted.clear();
        self.sweep();
    }

    fn submitted(&mut self, now: Micros, unit: u8, pdu: &[u8], timeout: Micros, out: &mut Outputs) {
        match self.state {
            State::Closed => out.done = Some(Outcome::PortLost),
            State::Queued { .. } | State::Awaiting { .. } | State::Broadcast { .. } => {
                out.done = Some(Outcome::Busy);
            }
            State::Free => {
                let mut frame = [0; MAX_FRAME];
                let len = encode(unit, pdu, &mut frame);
                let whole = len.ok().and_then(|len| frame.get(..len));
                let Some(Ok(request)) = whole.map(Frame::copy_of) else {
                    out.done = Some(Outcome::Unfit { len: pdu.len() });
                    return;
                };
                self.request = request;
                self.timeout = timeout;
                self.expected = Expected::of(pdu);
                let probing = match self.detection {
                    Detection::Known(_) | Detection::Listening => Micros::ZERO,
                    Detection::Wanted => self.probe_time(),
                };
                let give_up = self.ready.max(now).plus(probing).plus(timeout);
                self.state = State::Queued { give_up };
                if now >= self.ready && self.knows_echo(now, out) {
                    self.send(now, out);
                }
            }
        }
    }

    fn send(&mut self, now: Micros, out: &mut Outputs) {
        self.sweep();
        count(&mut self.view.sent);
        let timing = self.wire.timing();
        self.sent_end = now.plus(timing.wire_time(self.request.as_bytes().len()));
        self.ready = self.sent_end.plus(self.silence());
        self.own = if self.echoes() { Own::Seen(0) } else { Own::Passed };
        self.state = if self.unit() == BROADCAST {
            let until = self.sent_end.plus(self.wire.broadcast_wait).max(self.ready);
            State::Broadcast { until }
        } else {
            let deadline = self.sent_end.plus(self.timeout).plus(self.answer_time());
            State::Awaiting { deadline }
        };
        out.drain = true;
        out.send = Some(self.request.clone());
    }

    fn timer(&mut self, now: Micros, out: &mut Outputs) {
        match self.state {
            State::Closed => {}
            State::Free => {
                if now >= self.ready && self.knows_echo(now, out) {
                    self.sweep();
                }
            }
            State::Queued { give_up } => {
                if now >= self.ready && self.knows_echo(now, out) {
                    self.send(now, out);
                } else if now >= give_up {
                    count(&mut self.view.blocked);
                    self.state = State::Free;
                    out.done = Some(Outcome::Timeout);
                }
            }
            State::Awaiting { deadline } => {
                if now >= deadline {
                    self.overdue(now, out);
                }
            }
            State::Broadcast { until } => {
                if now >= until {
                    self.state = State::Free;
                    self.ready = self.ready.max(until);
                    out.done = Some(Outcome::BroadcastDone);
                }
            }
        }
    }

    /// Ends the exchange at its deadline: by an answer hidden behind noise, else in quarantine.
    fn overdue(&mut self, now: Micros, out: &mut Outputs) {
        if self.own == Own::Passed
            && let Some(pdu) = self.hunt(true)
        {
            self.answered(now, pdu, out);
            return;
        }
        self.sweep();
        count(&mut self.view.timeouts);
        let worst = self.sent_end.plus(self.wire.turnaround_max).plus(self.answer_time());
        self.ready = self.ready.max(worst.max(now).plus(self.silence()));
        self.state = State::Free;
        out.drain = true;
        out.done = Some(Outcome::Timeout);
    }

    fn received(&mut self, now: Micros, bytes: &[u8], out: &mut Outputs) {
        if bytes.is_empty() || self.state == State::Closed {
            return;
        }
        self.ready = self.ready.max(now.plus(self.silence()));
        let mut bytes = self.strip_echo(bytes);
        if self.detection == Detection::Listening {
            // What does not fit is not the probe.
            return self.heard.take(&mut bytes);
        }
        loop {
            self.heard.take(&mut bytes);
            let awaited = matches!(self.state, State::Awaiting { .. });
            if !awaited || self.own != Own::Passed {
                self.heard_unasked();
            } else if let Some(pdu) = self.hunt(false) {
                self.answered(now, pdu, out);
                continue;
            }
            if bytes.is_empty() {
                return;
            }
        }
    }

    fn answered(&mut self, now: Micros, pdu: Pdu, out: &mut Outputs) {
        count(&mut self.view.answers);
        self.suspect(now, pdu.as_bytes());
        let mut frame = [0; MAX_FRAME];
        let len = encode(self.unit(), pdu.as_bytes(), &mut frame).unwrap_or_default();
        let whole = frame.get(..len).map(Frame::copy_of);
        self.accepted = whole.and_then(Result::ok).unwrap_or_default();
        if pdu.as_bytes().first() != Some(&self.expected.function) {
            count(&mut self.view.exceptions);
        }
        self.state = State::Free;
        out.done = Some(Outcome::Answer { unit: self.unit(), pdu });
    }

    /// Looks for the answer in what was heard; afterwards there is room for more.
    ///
    /// An answer that has begun is waited for, except at the `last` chance, when what seemed its
    /// beginning was noise that hides a whole answer.
    fn hunt(&mut self, last: bool) -> Option<Pdu> {
        let mut at = 0usize;
        while let Some(rest) = self.heard.as_bytes().get(at..).filter(|rest| !rest.is_empty()) {
            match self.judge(rest) {
                Candidate::Answer(pdu) => {
                    let (pdu, len) = (Pdu::copy_of(pdu).unwrap_or_default(), framed(pdu.len()));
                    self.discard_front(at);
                    self.heard.drop_front(len);
                    return Some(pdu);
                }
                Candidate::Misfit(len) => {
                    let again = rest.get(..len) == Some(self.accepted.as_bytes());
                    let view = &mut self.view;
                    count(if again { &mut view.duplicates } else { &mut view.mismatch });
                    self.discard_front(at);
                    self.heard.drop_front(len);
                    at = 0;
                }
                Candidate::Begun if !last => break,
                Candidate::Begun | Candidate::Noise => at = at.saturating_add(1),
            }
        }
        if at > 0 && check(self.heard.as_bytes()).is_ok() {
            self.discard_front(self.heard.as_bytes().len());
        } else if self.heard.as_bytes().len() == MAX_FRAME {
            self.discard_front(at);
        }
        None
    }

    fn judge<'b>(&self, bytes: &'b [u8]) -> Candidate<'b> {
        let [unit, request @ .., _, _] = self.request.as_bytes() else { return Candidate::Noise };
        if bytes.first() != Some(unit) {
            return Candidate::Noise;
        }
        let len = match self.expected.length(bytes) {
            Length::Need(_) => return Candidate::Begun,
            Length::Unknown => return Candidate::Noise,
            Length::Exactly(len) => len,
        };
        let Some(frame) = bytes.get(..len) else { return Candidate::Begun };
        let Ok((_, pdu)) = check(frame) else { return Candidate::Noise };
        match Response::parse(request, pdu) {
            Ok(_) => Candidate::Answer(pdu),
            Err(_) => Candidate::Misfit(len),
        }
    }

    /// Accounts for bytes that nobody awaits; afterwards there is room for more.
    pub(super) fn heard_unasked(&mut self) {
        if check(self.heard.as_bytes()).is_ok() {
            let again = self.heard == self.accepted;
            let view = &mut self.view;
            count(if again { &mut view.duplicates } else { &mut view.late });
            self.heard.clear();
        } else if self.heard.as_bytes().len() == MAX_FRAME {
            self.sweep();
        }
    }

    /// Accounts for the first `len` bytes heard, which are no answer, and forgets them.
    fn discard_front(&mut self, len: usize) {
        match self.heard.as_bytes().get(..len) {
            None | Some([]) => return,
            Some(bytes) => count(match check(bytes) {
                Ok(_) if bytes == self.accepted.as_bytes() => &mut self.view.duplicates,
                Ok((unit, _)) if unit == self.unit() => &mut self.view.mismatch,
                Ok(_) => &mut self.view.foreign,
                Err(_) => &mut self.view.crc,
            }),
        }
        self.heard.drop_front(len);
    }

    /// Counts bytes that never became a frame and forgets them.
    pub(super) fn sweep(&mut self) {
        if !self.heard.as_bytes().is_empty() {
            count(&mut self.view.crc);
            self.heard.clear();
        }
    }

    fn unit(&self) -> u8 {
        self.request.as_bytes().first().copied().unwrap_or(BROADCAST)
    }

    pub(super) fn silence(&self) -> Micros {
        self.wire.timing().silence()
    }

    /// How long the longest answer that fits is on the wire.
    fn answer_time(&self) -> Micros {
        self.wire.timing().wire_time(framed(self.expected.longest()))
    }
}

pub(super) fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}
