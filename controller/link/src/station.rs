//! One node as the host sees it: where it stands on the way to being online, and what it is owed.

use crate::decode::Decoder;
use crate::exchange::Identity;
use crate::exchange::Misfit;
use crate::health::{Answerers, Health, History};
use crate::limits::{BUSY_MAX, BUSY_MIN, LOOSE_EVENTS};
use crate::map::{Bracket, CountMap, Frame};
use crate::queue::{Leave, Queue};
use crate::setup::{Mark, StationSetup};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use line_model::signal::DownReason;
use registers::points::SETTING_LEASE;
use registers::status::settings_hash;
use units::{Counts, Distance, Micros, Position, Serial};

/// Where a node stands.
///
/// The way up is Unknown, Peeking, (Configuring,) Checking, (Adopting,) (Mapping,) Online; whatever
/// goes wrong leads to Down or back to Unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is known of this boot; ends with its identity.
    Unknown,
    /// Identity fits; ends when the beginning of its ring and its last command are known.
    Peeking,
    /// Its settings differ; ends when they are written.
    Configuring,
    /// Settings should fit; ends when its status says so and that this host owns it.
    Checking,
    /// A diverter of an unbroken boot; ends when its armed list is read.
    Adopting,
    /// Counts the sorter belt and has no count map; its events are left on it until it has one.
    Mapping,
    /// Events are read, orders are sent.
    Online,
    /// Not usable; identified again at `probe`.
    Down {
        /// Why.
        why: DownReason,
        /// Next try.
        probe: Micros,
    },
}

/// Why a station changed its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The link was built.
    Built,
    /// The bus can be used.
    BusUp,
    /// The bus is gone.
    BusLost,
    /// Kind, map version and block lengths fit.
    Identified,
    /// The ring's beginning is known.
    RingFound,
    /// The settings hash differs.
    SettingsDiffer,
    /// Settings were written.
    SettingsWritten,
    /// Settings, owner and boot fit.
    StatusFits,
    /// The armed list was read.
    ArmsListed,
    /// The count map is known (or not needed).
    CountsKnown,
    /// The belt's frame was started over.
    FrameRestarted,
    /// Too many exchanges in a row failed.
    Silent,
    /// Another map version, block length, or settings that it refuses.
    WrongMap,
    /// Another kind of node.
    WrongKind,
    /// Another master owns it.
    NotOwner,
    /// An answer carried another boot id.
    OtherBoot,
    /// Two devices answer at its address.
    Clash,
    /// It said "busy" for too long.
    Busy,
}

/// What the line was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Nothing,
    Up,
    Down(DownReason),
}

/// Counters of one station since the link was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Exchanges begun.
    pub exchanges: u64,
    /// Exchanges without an answer.
    pub timeouts: u64,
    /// Answers that did not fit, of every kind: the next three and those of a wrong form.
    pub bad: u64,
    /// Answers of another unit.
    pub foreign: u64,
    /// Answers with the token of an earlier request.
    pub late: u64,
    /// Answers whose check word does not fit, or whose words mean nothing.
    pub garbled: u64,
    /// Exceptions.
    pub exceptions: u64,
    /// Exceptions 05 and 06 among them: the node was left in peace for a while.
    pub busy: u64,
    /// Identifications while another device was heard at the same address.
    pub clashes: u64,
    /// Events that had been handled before.
    pub duplicates: u64,
    /// Events lost.
    pub lost: u64,
    /// Orders that the node took.
    pub taken: u64,
    /// Orders that the node refused.
    pub refused: u64,
    /// Orders that were dropped because the node was down.
    pub dropped: u64,
    /// Arms given up because their latest instant passed before the node confirmed them.
    pub overdue: u64,
    /// Times that its encoder and the reference's had slipped against each other.
    pub slips: u64,
    /// Boots seen after the first.
    pub restarts: u64,
}

impl Counters {
    /// Counts an answer that does not fit.
    pub(crate) const fn misfit(&mut self, misfit: Misfit) {
        self.bad += 1;
        match misfit {
            Misfit::Unit => self.foreign += 1,
            Misfit::Late => self.late += 1,
            Misfit::Block => self.garbled += 1,
            Misfit::Pdu(_) => {}
        }
    }
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Station {
    pub(crate) setup: StationSetup,
    pub(crate) state: State,
    pub(crate) why: Why,
    pub(crate) since: Micros,
    pub(crate) told: Told,
    pub(crate) failures: u8,
    pub(crate) history: History,
    pub(crate) answerers: Answerers,
    /// It said "busy": not asked before.
    pub(crate) rest: Micros,
    /// Exceptions 05 and 06 in a row.
    pub(crate) busy: u8,
    /// Boot that everything below belongs to; 0 = none known.
    pub(crate) boot: u16,
    /// The line has not been told of this boot yet.
    pub(crate) restarted: bool,
    /// An identity that is not the one known, read once: FC 03 carries neither token nor check word.
    pub(crate) unconfirmed: Option<Identity>,
    /// The boot that an identity told of; taken when a sealed block of it has come.
    pub(crate) candidate: u16,
    /// The line has handled that this boot is up; before, no mark may know of it: a host that died
    /// in between would find the boot known and never tell of the restart.
    pub(crate) announced: bool,
    /// The ring's beginning is known for this boot.
    pub(crate) synced: bool,
    /// Last event decoded.
    pub(crate) seen: Serial,
    /// Last event handed to the line.
    pub(crate) settled: Serial,
    /// Last event whose record is durable: what is acknowledged.
    pub(crate) acked: Serial,
    /// Events settled since the last record.
    pub(crate) loose: u16,
    /// Events in records that are not durable yet: (last event, record).
    pub(crate) flight: VecDeque<(Serial, u64)>,
    /// Entries wait behind the ones seen.
    pub(crate) more: bool,
    /// An acknowledgement can make room for entries not seen.
    pub(crate) progress: bool,
    /// Everything that had waited when the node came up has been read.
    pub(crate) caught_up: bool,
    pub(crate) decoder: Decoder,
    pub(crate) map: Option<CountMap>,
    pub(crate) bracket: Bracket,
    /// Contradictions of its bracket, summed up since the last one that was told.
    pub(crate) slipped: i64,
    /// ± that the line was told last.
    pub(crate) told_spread: Option<Distance>,
    pub(crate) count: Option<Counts>,
    pub(crate) latch_seen: u16,
    pub(crate) queue: Queue,
    pub(crate) last_command: Serial,
    pub(crate) inputs: u16,
    pub(crate) tags: Vec<u32>,
    pub(crate) settings_fit: bool,
    pub(crate) settings_tries: u8,
    pub(crate) status_due: Micros,
    pub(crate) asked: Micros,
    pub(crate) last_answer: Option<Micros>,
    pub(crate) counters: Counters,
    written: Option<Mark>,
}

impl Station {
    /// Builds a station; `mark` is what an earlier run has left of it, `spread` how exact a map of
    /// its kind is.
    pub(crate) fn new(setup: StationSetup, mark: Option<Mark>, spread: i64) -> Self {
        let sequence = mark.map(|mark| mark.sequence).unwrap_or_default();
        Self {
            setup,
            state: State::Unknown,
            why: Why::Built,
            since: Micros::ZERO,
            told: Told::Nothing,
            failures: 0,
            history: History::default(),
            answerers: Answerers::default(),
            rest: Micros::ZERO,
            busy: 0,
            boot: mark.map_or(0, |mark| mark.boot_id),
            restarted: false,
            unconfirmed: None,
            candidate: 0,
            announced: mark.is_some(),
            synced: mark.is_some(),
            seen: sequence,
            settled: sequence,
            acked: sequence,
            loose: 0,
            flight: VecDeque::new(),
            more: false,
            progress: false,
            caught_up: false,
            decoder: Decoder::default(),
            map: mark
                .filter(|mark| mark.encoder_known)
                .map(|mark| CountMap::restored(mark.base, spread)),
            bracket: Bracket::default(),
            slipped: 0,
            told_spread: None,
            count: None,
            latch_seen: 0,
            queue: Queue::default(),
            last_command: Serial::default(),
            inputs: 0,
            tags: Vec::new(),
            settings_fit: true,
            settings_tries: 0,
            status_due: Micros::ZERO,
            asked: Micros::ZERO,
            last_answer: None,
            counters: Counters::default(),
            written: mark,
        }
    }

    /// The one place where a station changes its state.
    pub(crate) fn enter(&mut self, now: Micros, state: State, why: Why) {
        self.state = state;
        self.why = why;
        self.since = now;
        match state {
            State::Configuring => self.settings_tries = self.settings_tries.saturating_add(1),
            State::Online => {
                self.caught_up = false;
                self.more = true;
                self.progress = true;
                self.status_due = now;
                self.settings_tries = 0;
                self.queue.show_again();
            }
            State::Down { .. } => {
                self.failures = 0;
                self.busy = 0;
                self.settings_tries = 0;
                self.queue.node_lost();
            }
            State::Unknown => self.failures = 0,
            State::Peeking | State::Checking | State::Adopting | State::Mapping => {}
        }
    }

    /// Forgets everything that belonged to another boot. The caller has settled the rest.
    pub(crate) fn rebooted(&mut self, boot: u16) {
        if self.boot != 0 {
            self.counters.restarts += 1;
        }
        self.boot = boot;
        self.restarted = true;
        self.announced = false;
        self.synced = false;
        self.loose = 0;
        self.flight.clear();
        self.decoder = Decoder::default();
        self.map = None;
        self.bracket = Bracket::default();
        self.slipped = 0;
        self.count = None;
        self.tags.clear();
    }

    /// Which of its orders may leave.
    pub(crate) const fn leave(&self, durable: u64) -> Leave {
        Leave { durable, caught_up: self.caught_up }
    }

    /// How well it answers.
    pub(crate) fn health(&self) -> Health {
        match self.state {
            State::Down { .. } => Health::Offline,
            State::Unknown
            | State::Peeking
            | State::Configuring
            | State::Checking
            | State::Adopting
            | State::Mapping
            | State::Online => self.history.health(),
        }
    }

    /// It said "acknowledge" or "busy": it is left in peace, longer each time.
    pub(crate) fn leave_in_peace(&mut self, now: Micros) {
        let pause = BUSY_MIN.0 << self.busy.min(8);
        self.rest = now.plus(Micros(pause).min(BUSY_MAX));
        self.busy = self.busy.saturating_add(1);
        self.counters.busy += 1;
    }

    /// Whether the node is online.
    pub(crate) fn is_online(&self) -> bool {
        self.state == State::Online
    }

    /// Whether the line counts on the node's being down.
    pub(crate) const fn is_told_down(&self) -> bool {
        matches!(self.told, Told::Down(_))
    }

    /// The map, when it belongs to the frame in force.
    pub(crate) fn current_map(&self, frame: &Frame) -> Option<&CountMap> {
        self.map.as_ref().filter(|map| map.holds(frame))
    }

    /// ± of its positions, when they are known.
    pub(crate) fn spread(&self) -> Option<Distance> {
        self.map.as_ref().map(CountMap::spread)
    }

    /// The belt's position at the node's reading `count`.
    pub(crate) fn position(&self, frame: &Frame, count: Counts) -> Option<Position> {
        self.current_map(frame).map(|map| frame.position(map, count))
    }

    /// Hash that the node's settings must have.
    pub(crate) fn settings_hash(&self) -> u16 {
        settings_hash(&self.setup.settings)
    }

    /// An online node is asked at least this often, so that its lease never runs out.
    pub(crate) fn keep_alive(&self) -> Micros {
        let default = self.setup.kind.settings().get(SETTING_LEASE).map(|setting| setting.reset);
        let lease = self.setup.settings.get(SETTING_LEASE).copied().or(default);
        Micros::from_millis(u64::from(lease.unwrap_or(1_000)) / 4)
    }

    /// Every event up to `through` is handed to the line.
    pub(crate) fn settle(&mut self, through: Serial) {
        self.settled = through;
        self.announced = true;
        self.loose += 1;
    }

    /// Whether acknowledging waits for a record that nothing else may bring about.
    pub(crate) fn wants_record(&self) -> bool {
        let stuck = self.more && self.flight.is_empty() && self.loose > 0;
        stuck || self.loose >= LOOSE_EVENTS
    }

    /// Puts what has been settled under `record`; returns the mark when it has changed.
    pub(crate) fn recorded(&mut self, record: u64, frame: &Frame) -> Option<Mark> {
        if self.boot == 0 || !self.synced || !self.announced {
            return None;
        }
        if self.loose > 0 {
            self.loose = 0;
            self.flight.push_back((self.settled, record));
        }
        let mark = self.mark(frame);
        (self.written != Some(mark)).then(|| {
            self.written = Some(mark);
            mark
        })
    }

    fn mark(&self, frame: &Frame) -> Mark {
        let exact = self.current_map(frame).filter(|map| map.is_exact());
        let base = exact.zip(self.count).map(|(map, count)| {
            let at = frame.position(map, count).at;
            at - i64::from(count.0)
        });
        let kept = self.written.filter(|old| old.boot_id == self.boot && exact.is_some());
        Mark {
            node: self.setup.node,
            boot_id: self.boot,
            sequence: self.settled,
            base: base.or(kept.map(|old| old.base)).unwrap_or_default(),
            encoder_known: exact.is_some() && (base.is_some() || kept.is_some()),
        }
    }

    /// Every record up to `record` is durable.
    pub(crate) fn durable(&mut self, record: u64) {
        while let Some((through, _)) = self.flight.front().filter(|(_, number)| *number <= record) {
            self.acked = *through;
            self.progress = true;
            self.flight.pop_front();
        }
    }
}
