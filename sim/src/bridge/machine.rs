//! The bridge itself: its agenda, who is there, and the entry points.

use super::air::{Reading, Transmission};
use super::bits::Channel;
use super::faults::Faults;
use super::tally::{Class, Tally};
use crate::rng::Rng;
use modbus::rtu::Timing;
use node::LineError;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use units::Micros;

/// How long a node takes to begin its answer after the silence, in µs.
pub const TURN_AROUND_US: [u64; 2] = [300, 1_000];
/// One way over the network, in µs.
pub(crate) const NETWORK_US: [u64; 2] = [200, 2_000];
/// For so long after an answered exchange a second master's forgery keeps to this boot and to a
/// node that is surely held, in µs: far less than the shortest lease (500 ms).
const FRESH_US: u64 = 300_000;
/// An adapter hands bytes over this late at most, in µs (the usual latency timer).
const ADAPTER_US: u64 = 16_000;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Speaker {
    /// The host.
    Host,
    /// The station with this index.
    Station(usize),
    /// A master under another owner word.
    SecondMaster,
    /// A master and a node that are not of this line.
    Stranger,
    /// Nobody: noise, a babbling node, or several at once.
    Noise,
}

/// What a station hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sound {
    /// Bytes at the UART.
    Bytes(Vec<u8>),
    /// An error at the UART.
    Error(LineError),
    /// The line was quiet for t3.5.
    Silence,
    /// A whole Modbus TCP frame.
    Tcp(Vec<u8>),
}

impl Sound {
    /// The sound as a node takes it.
    pub fn input(&self) -> node::Input<'_> {
        match self {
            Self::Bytes(bytes) => node::Input::Bytes(bytes),
            Self::Error(error) => node::Input::LineError(*error),
            Self::Silence => node::Input::Silence,
            Self::Tcp(frame) => node::Input::Tcp(frame),
        }
    }
}

/// What the world must do, at the instant that it comes with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A station hears something; its answer, if any, goes into [`Bridge::reply`] at once.
    Hear {
        /// The station, by its place on the bus.
        station: usize,
        /// What.
        sound: Sound,
        /// From whom, for statistics and tests; a node cannot know.
        from: Speaker,
    },
    /// The host's port gives bytes.
    Host(Vec<u8>),
    /// A station loses its power, and with it everything it knew.
    Off {
        /// The station.
        station: usize,
    },
    /// It boots.
    On {
        /// The station.
        station: usize,
    },
    /// The host's port or connection is gone.
    PortLost,
    /// It can be opened again.
    PortBack,
}

/// Something that happens later.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A transmission of this number is over.
    Aired(u64),
    /// The line may have been quiet for t3.5.
    Quiet,
    /// A request reaches the stations through the network.
    Arrives(Vec<u8>, Speaker),
    /// Bytes reach the host; they belong to this opening of the port.
    ToHost(Vec<u8>, u32),
    /// An adapter hands over what it has held back.
    Release(u32),
    /// A babbling node has sent another piece.
    Babble,
    /// An effect as it is.
    Plain(Effect),
}

#[derive(Clone, Debug)]
struct Due {
    at: u64,
    /// Ties go in the order in which they came.
    order: u64,
    event: Event,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// The last exchange of a unit that was answered.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) pdu: Vec<u8>,
    pub(super) at: u64,
}

/// The wire of one bus with everything that can go wrong on it.
///
/// The caller hands over each request at the instant of its last byte ([`Bridge::send`]), carries
/// out what [`Bridge::due`] gives in order of time, and hands over each answer that a station forms
/// then ([`Bridge::reply`]). Nothing reaches a station or the host otherwise.
#[derive(Clone, Debug)]
pub struct Bridge {
    /// Speed of a serial line; `None` = TCP.
    pub(super) timing: Option<Timing>,
    /// Unit numbers of the stations, by their place on the bus.
    pub(super) units: Vec<u8>,
    pub(super) faults: Faults,
    pub(super) rng: Rng,
    pub(super) channel: Channel,
    pub(super) tally: Tally,
    agenda: BinaryHeap<Reverse<Due>>,
    order: u64,
    ready: VecDeque<(u64, Effect)>,
    /// What is on the line or will be, by number.
    pub(super) aired: BTreeMap<u64, Transmission>,
    /// When the line was last busy.
    pub(super) busy_until: u64,
    pub(super) off: Vec<bool>,
    pub(super) port: bool,
    /// Openings of the port so far.
    pub(super) opening: u32,
    /// What the adapter holds back.
    held: Vec<u8>,
    pub(super) babbles_until: u64,
    /// The last request of the host.
    pub(super) request: Vec<u8>,
    pub(super) exchanges: BTreeMap<u8, Exchange>,
    /// Whose request the stations hear now.
    pub(super) hearing: Speaker,
    /// Requests so far.
    sent: u64,
}

impl Bridge {
    /// Builds the bridge of a bus whose stations have these unit numbers.
    pub fn new(
        timing: Option<Timing>,
        units: Vec<u8>,
        faults: &Faults,
        seed: u64,
        bus: &str,
    ) -> Self {
        let mut rng = Rng::stream(seed, &format!("bridge {bus}"));
        let mut bridge = Self {
            timing,
            off: vec![false; units.len()],
            units,
            channel: Channel::new(faults, &mut rng),
            faults: faults.clone(),
            rng,
            tally: Tally::default(),
            agenda: BinaryHeap::new(),
            order: 0,
            ready: VecDeque::new(),
            aired: BTreeMap::new(),
            busy_until: 0,
            port: true,
            opening: 0,
            held: Vec::new(),
            babbles_until: 0,
            request: Vec::new(),
            exchanges: BTreeMap::new(),
            hearing: Speaker::Noise,
            sent: 0,
        };
        if let Some(timing) = timing {
            bridge.enter(timing.silence().0, Event::Quiet);
        }
        bridge
    }

    /// What has occurred so far.
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Requests of the host so far.
    pub const fn sent(&self) -> u64 {
        self.sent
    }

    /// A station has another unit number from now on.
    pub fn readdress(&mut self, station: usize, unit: u8) {
        if let Some(known) = self.units.get_mut(station) {
            *known = unit;
        }
    }

    /// Changes the rates from now on.
    pub fn set_faults(&mut self, faults: &Faults) {
        self.channel = Channel::new(faults, &mut self.rng);
        self.faults = faults.clone();
    }

    /// Takes a request of the host whose last byte is sent `now`.
    pub fn send(&mut self, now: Micros, frame: &[u8]) {
        if !self.port {
            return;
        }
        self.sent += 1;
        self.request.clear();
        self.request.extend_from_slice(frame);
        match self.timing {
            Some(timing) => self.send_serial(now.0, frame, timing),
            None => self.send_tcp(now.0, frame),
        }
    }

    /// Takes the answer of a station to what it has just heard.
    pub fn reply(&mut self, now: Micros, station: usize, frame: &[u8]) {
        if self.hearing == Speaker::Host {
            self.remember(now.0);
        }
        match self.timing {
            Some(timing) => self.reply_serial(now.0, station, frame, timing),
            None => self.reply_tcp(now.0, frame),
        }
    }

    /// When [`Bridge::due`] has something to give.
    pub fn next_deadline(&self) -> Option<Micros> {
        let ready = self.ready.front().map(|(at, _)| *at);
        ready.or_else(|| self.agenda.peek().map(|due| due.0.at)).map(Micros)
    }

    /// The next thing that is due at or before `now`, with its instant.
    pub fn due(&mut self, now: Micros) -> Option<(Micros, Effect)> {
        loop {
            if let Some((at, effect)) = self.ready.pop_front() {
                if let Effect::Hear { from, .. } = &effect {
                    self.hearing = *from;
                }
                return Some((Micros(at), effect));
            }
            if self.agenda.peek().is_none_or(|due| due.0.at > now.0) {
                return None;
            }
            if let Some(Reverse(Due { at, event, .. })) = self.agenda.pop() {
                self.happen(at, event);
            }
        }
    }

    fn happen(&mut self, at: u64, event: Event) {
        match event {
            Event::Aired(number) => self.aired(at, number),
            Event::Quiet => self.quiet(at),
            Event::Arrives(frame, from) => self.everybody(at, &Sound::Tcp(frame), from),
            Event::ToHost(bytes, opening) => self.host(at, bytes, opening),
            Event::Release(opening) => {
                let bytes = core::mem::take(&mut self.held);
                self.host(at, bytes, opening);
            }
            Event::Babble => self.babble(at),
            Event::Plain(effect) => self.plain(at, effect),
        }
    }

    fn plain(&mut self, at: u64, effect: Effect) {
        match &effect {
            Effect::Off { station } => {
                if self.off[*station] {
                    return;
                }
                self.off[*station] = true;
                self.silence_station(at, *station);
                let [low, high] = self.faults.reboot_ms;
                let back = at + self.rng.span([low * 1_000, high * 1_000]);
                self.later(back, Effect::On { station: *station });
            }
            Effect::On { station } => {
                self.off[*station] = false;
                if let Some(timing) = self.timing {
                    self.enter(at + timing.silence().0, Event::Quiet);
                }
            }
            Effect::PortLost => {
                if !self.port {
                    return;
                }
                self.port = false;
                self.opening += 1;
                self.held.clear();
                let serial = self.timing.is_some();
                let [low, high] = if serial { self.faults.unplug_ms } else { self.faults.reset_ms };
                let back = at + self.rng.span([low * 1_000, high * 1_000]);
                self.later(back, Effect::PortBack);
            }
            Effect::PortBack => self.port = true,
            Effect::Hear { .. } | Effect::Host(_) => {}
        }
        self.ready.push_back((at, effect));
    }

    pub(super) fn enter(&mut self, at: u64, event: Event) {
        self.order += 1;
        self.agenda.push(Reverse(Due { at, order: self.order, event }));
    }

    /// A number for something on the line, never used before.
    pub(super) const fn next_number(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    pub(super) fn later(&mut self, at: u64, effect: Effect) {
        self.enter(at, Event::Plain(effect));
    }

    /// Every station that has power hears this, but for the one that speaks.
    pub(super) fn everybody(&mut self, at: u64, sound: &Sound, from: Speaker) {
        for station in 0..self.units.len() {
            if !self.off[station] && from != Speaker::Station(station) {
                let effect = Effect::Hear { station, sound: sound.clone(), from };
                self.ready.push_back((at, effect));
            }
        }
    }

    fn host(&mut self, at: u64, bytes: Vec<u8>, opening: u32) {
        if self.port && opening == self.opening && !bytes.is_empty() {
            self.ready.push_back((at, Effect::Host(bytes)));
        }
    }

    /// Hands bytes to the host's adapter.
    pub(super) fn hand_over(&mut self, at: u64, mut bytes: Vec<u8>, reading: Reading) {
        let opening = self.opening;
        if !self.held.is_empty() && reading != Reading::Split {
            // Something waits in the adapter: the order stays, and it comes in one piece.
            self.held.append(&mut bytes);
            return;
        }
        match reading {
            Reading::Whole => self.host(at, bytes, opening),
            Reading::Merged => {
                self.held = bytes;
                let release = at + self.rng.below(ADAPTER_US);
                self.enter(release, Event::Release(opening));
            }
            Reading::Split => {
                let mut instant = at;
                while !bytes.is_empty() {
                    let rest = bytes.split_off(1 + self.rng.index(bytes.len()));
                    self.enter(instant, Event::ToHost(bytes, opening));
                    instant += self.rng.below(ADAPTER_US);
                    bytes = rest;
                }
            }
        }
    }

    /// The unit that the host's last request is for.
    pub(super) fn unit_asked(&self) -> Option<u8> {
        let at = if self.timing.is_some() { 0 } else { 6 };
        self.request.get(at).copied().filter(|unit| *unit != 0)
    }

    /// The stations with the unit that the host's last request is for.
    pub(super) fn station_asked(&self) -> Option<usize> {
        let asked = self.unit_asked()?;
        self.units.iter().position(|unit| *unit == asked)
    }

    fn remember(&mut self, at: u64) {
        let serial = self.timing.is_some();
        let pdu = match (serial, self.request.as_slice()) {
            (true, [_, pdu @ .., _, _]) => pdu.to_vec(),
            (false, bytes) => bytes.get(7..).unwrap_or_default().to_vec(),
            (true, _) => return,
        };
        if let Some(unit) = self.unit_asked() {
            self.exchanges.insert(unit, Exchange { pdu, at });
        }
    }

    /// What a second master could ask of the unit of the host's last request.
    pub(super) fn usurped(&mut self, now: u64) -> Option<(u8, Vec<u8>)> {
        let unit = self.unit_asked()?;
        let last = self.exchanges.get(&unit).filter(|last| now - last.at <= FRESH_US)?;
        Some((unit, super::forge::usurped(unit, &last.pdu.clone(), &mut self.rng)?))
    }

    /// Chooses what happens at this frame: at most one of the rates, in ppm.
    pub(super) fn fate<T: Copy>(&mut self, rates: &[(u32, T)]) -> Option<T> {
        let mut drawn = self.rng.below(1_000_000);
        for (rate, fate) in rates {
            match drawn.checked_sub(u64::from(*rate)) {
                Some(rest) => drawn = rest,
                None => return Some(*fate),
            }
        }
        None
    }

    /// Restarts the station that was asked, at an instant that `stage` names.
    pub(super) fn reboot(&mut self, now: u64, takes: u64) {
        let Some(station) = self.station_asked() else { return };
        let (class, at) = match self.rng.below(3) {
            0 => (Class::RebootBefore, now),
            // Executing takes no time here: what has just been heard is executed.
            1 => (Class::RebootAfter, now + 1),
            _ => (Class::RebootWhile, now + self.rng.span([1, takes.max(1)])),
        };
        self.tally.count(class);
        self.later(at, Effect::Off { station });
    }
}
