//! What follows from an answer: one function per question asked.

use crate::decode::{Place, contacts, lost};
use crate::exchange::{Ask, Identity, Outstanding, Reply};
use crate::limits::{BUSY_ROW, SETTINGS_TRIES};
use crate::map::Frame;
use crate::master::{Master, Report, What, answered, input, withheld};
use crate::queue::{Flying, Nature, Order};
use crate::station::{State, Station, Told, Why};
use alloc::vec::Vec;
use line_model::ids::Tag;
use line_model::signal::{DownReason, Input};
use modbus::pdu::Exception;
use registers::event::Event;
use registers::exchange::{EventsHead, Verdict};
use registers::status::{ArmedList, Status};
use registers::{MAP_VERSION, NodeKind, Reader};
use units::{Micros, Serial};

impl Master {
    pub(crate) fn replied(
        &mut self,
        now: Micros,
        asked: &Outstanding,
        reply: Reply,
        frame: &mut Frame,
        out: &mut Vec<Report>,
    ) {
        let index = asked.station;
        let Some(station) = self.stations.get_mut(index) else { return };
        station.last_answer = Some(now);
        if matches!(station.state, State::Down { .. }) {
            // Only time-outs slow the others: the next silent node may be tried at once.
            self.next_probe = now;
        }
        if let Reply::Refused(exception) = reply {
            station.counters.exceptions += 1;
            return self.refused(now, asked, exception, out);
        }
        (station.failures, station.busy, station.rest) = (0, 0, Micros::ZERO);
        station.history.note(false);
        let boot = match &reply {
            Reply::Events(head, _) => Some(head.boot_id),
            Reply::Status(status) => Some(status.boot_id),
            Reply::Armed(list) => Some(list.boot_id),
            Reply::Identity(_) | Reply::Written | Reply::Refused(_) => None,
        };
        if asked.ask == Ask::Peek
            && let Some(boot) = boot.filter(|boot| *boot == station.candidate)
            && station.candidate != station.boot
        {
            station.other_boot(boot, frame, out);
        }
        if boot.is_some_and(|boot| boot != station.boot) {
            station.answerers.other_boot();
            return station.enter(now, State::Unknown, Why::OtherBoot);
        }
        match reply {
            Reply::Identity(identity) => self.identified(index, now, identity, frame, out),
            Reply::Events(head, _) if asked.ask == Ask::Peek => station.peeked(now, &head),
            Reply::Events(head, entries) => {
                self.reading(index, (asked.sent, now), head.encoder, frame, out);
                if self.judged(index, now, asked.command, &head, out)
                    && let Some(station) = self.stations.get_mut(index)
                {
                    station.take_events(&head, &entries, frame, out);
                }
            }
            Reply::Status(status) => {
                self.reading(index, (asked.sent, now), status.encoder, frame, out);
                self.status(index, now, &status, frame, out);
            }
            Reply::Armed(list) => self.armed(index, now, &list, frame, out),
            Reply::Written => station.configured(now),
            Reply::Refused(_) => {}
        }
    }

    /// An exception: a node that does not know a block or refuses its settings has another map, a
    /// busy one is left in peace, anything else counts as no answer.
    fn refused(
        &mut self,
        now: Micros,
        asked: &Outstanding,
        exception: Exception,
        out: &mut Vec<Report>,
    ) {
        let (index, limit) = (asked.station, self.limits.failures);
        let Some(station) = self.stations.get_mut(index) else { return };
        match exception {
            Exception::Acknowledge | Exception::Busy => {
                station.leave_in_peace(now);
                if station.busy >= BUSY_ROW || station.is_told_down() {
                    self.down(index, now, DownReason::Silent, Why::Busy, out);
                }
            }
            Exception::IllegalFunction | Exception::IllegalAddress | Exception::IllegalValue
                if asked.ask != Ask::Events =>
            {
                station.history.note(true);
                station.failures = station.failures.saturating_add(1);
                if station.failures >= limit || station.is_told_down() {
                    let why = DownReason::WrongMap { found: MAP_VERSION };
                    self.down(index, now, why, Why::WrongMap, out);
                }
            }
            // A garbled write block is refused with 03; a gateway says 0A or 0B for a dead node.
            Exception::IllegalFunction
            | Exception::IllegalAddress
            | Exception::IllegalValue
            | Exception::DeviceFailure
            | Exception::MemoryParity
            | Exception::GatewayPath
            | Exception::GatewayTarget => self.failed(now, asked, out),
        }
    }

    fn identified(
        &mut self,
        index: usize,
        now: Micros,
        identity: Identity,
        frame: &Frame,
        out: &mut Vec<Report>,
    ) {
        let Some(station) = self.stations.get_mut(index) else { return };
        let kind = station.setup.kind;
        let settings = u16::try_from(station.setup.settings.len()).unwrap_or(u16::MAX);
        let lengths = (identity.event_words, identity.settings_words);
        let found = identity.map_version;
        let (serial, same) = (identity.serial_number, identity.boot_id == station.boot);
        let other_device = station.answerers.serial().is_some_and(|last| last != serial);
        let fits = found == MAP_VERSION
            && identity.kind == kind.word()
            && lengths == (kind.event_words(), settings)
            && identity.boot_id != 0;
        // Nothing seals an identity: what it says anew must be read twice, whatever comes between.
        if !fits || station.answerers.serial() != Some(serial) {
            let read_once = station.unconfirmed.replace(identity) == Some(identity);
            if !read_once {
                return;
            }
        }
        if let Some(other) = station.answerers.identified(now, serial, same && !other_device) {
            station.counters.clashes += 1;
            let why = DownReason::AddressClash { one: serial.min(other), other: serial.max(other) };
            return self.down(index, now, why, Why::Clash, out);
        }
        if found != MAP_VERSION {
            return self.down(index, now, DownReason::WrongMap { found }, Why::WrongMap, out);
        }
        if identity.kind != kind.word() {
            let why = DownReason::WrongKind { found: identity.kind };
            return self.down(index, now, why, Why::WrongKind, out);
        }
        if lengths != (kind.event_words(), settings) || identity.boot_id == 0 {
            return self.down(index, now, DownReason::WrongMap { found }, Why::WrongMap, out);
        }
        station.candidate = identity.boot_id;
        if same && other_device {
            station.other_boot(identity.boot_id, frame, out);
        }
        station.settings_fit = identity.settings_hash == station.settings_hash();
        station.enter(now, State::Peeking, Why::Identified);
    }

    fn status(
        &mut self,
        index: usize,
        now: Micros,
        status: &Status,
        frame: &mut Frame,
        out: &mut Vec<Report>,
    ) {
        let owner = self.setup.owner;
        self.latched(index, status, frame, out);
        let Some(station) = self.stations.get_mut(index) else { return };
        if status.owner != 0 && status.owner != owner {
            return self.down(index, now, DownReason::NotOwner, Why::NotOwner, out);
        }
        station.settings_fit = status.settings_hash == station.settings_hash();
        station.inputs = status.inputs;
        station.latch_seen = status.latch_number;
        station.status_due = now.plus(self.limits.status);
        if station.state == State::Checking {
            if !station.settings_fit && station.settings_tries >= SETTINGS_TRIES {
                let why = DownReason::WrongMap { found: MAP_VERSION };
                return self.down(index, now, why, Why::WrongMap, out);
            }
            if !station.settings_fit {
                return station.enter(now, State::Configuring, Why::SettingsDiffer);
            }
            if station.setup.kind == NodeKind::Diverter && !station.restarted {
                return station.enter(now, State::Adopting, Why::StatusFits);
            }
            station.enter(now, State::Mapping, Why::StatusFits);
        }
        self.check_map(index, now, frame, out);
    }

    fn armed(
        &mut self,
        index: usize,
        now: Micros,
        list: &ArmedList,
        frame: &mut Frame,
        out: &mut Vec<Report>,
    ) {
        let Some(station) = self.stations.get_mut(index) else { return };
        station.tags = list.tags().to_vec();
        station.enter(now, State::Mapping, Why::ArmsListed);
        self.check_map(index, now, frame, out);
    }

    /// A station that needs no map, or has one, goes online.
    pub(crate) fn check_map(
        &mut self,
        index: usize,
        now: Micros,
        frame: &Frame,
        out: &mut Vec<Report>,
    ) {
        let Some(station) = self.stations.get_mut(index) else { return };
        let known = !station.setup.main_encoder || station.map_serves(now, frame);
        if station.state == State::Mapping && known {
            station.enter(now, State::Online, Why::CountsKnown);
            station.came_up(out);
            station.tell_spread(frame, out);
        }
    }

    /// Takes the verdict of an exchange; tells whether its events are to be taken too.
    fn judged(
        &mut self,
        index: usize,
        now: Micros,
        command: bool,
        head: &EventsHead,
        out: &mut Vec<Report>,
    ) -> bool {
        let Some(station) = self.stations.get_mut(index) else { return false };
        match head.verdict {
            Verdict::NotOwner => {
                self.down(index, now, DownReason::NotOwner, Why::NotOwner, out);
                return false;
            }
            Verdict::WrongBoot => {
                station.enter(now, State::Unknown, Why::OtherBoot);
                return false;
            }
            Verdict::None
            | Verdict::Accepted
            | Verdict::WrongSequence
            | Verdict::QueueFull
            | Verdict::BadArgument
            | Verdict::NotSupported => {}
        }
        if command {
            station.verdict(head, out);
        } else if station.queue.flying.as_ref().is_some_and(|flying| flying.overdue) {
            station.resolve_overdue(head.last_command, out);
        }
        station.last_command = head.last_command;
        station.is_online() && !self.hold
    }
}

impl Station {
    /// The boot id is new: settles what belonged to the old one.
    fn other_boot(&mut self, boot: u16, frame: &Frame, out: &mut Vec<Report>) {
        let node = self.setup.node;
        let mut inputs = Vec::new();
        let place = Place {
            setup: &self.setup,
            frame,
            map: self.map.as_ref().filter(|map| map.holds(frame)),
            caught_up: true,
        };
        self.decoder.give_up(&place, &mut inputs);
        out.extend(inputs.into_iter().map(|found| input(node, found)));
        let unsent = self.queue.node_restarted();
        out.extend(unsent.into_iter().map(|tag| withheld(node, tag)));
        self.rebooted(boot);
    }

    /// The beginning of the ring is known: in a new boot nothing before it was ours.
    fn peeked(&mut self, now: Micros, head: &EventsHead) {
        if !self.synced {
            let before = head.first.prev();
            (self.seen, self.settled, self.acked) = (before, before, before);
            self.synced = true;
        }
        self.last_command = head.last_command;
        if self.settings_fit {
            self.enter(now, State::Checking, Why::RingFound);
        } else {
            self.enter(now, State::Configuring, Why::SettingsDiffer);
        }
    }

    /// Settings are written; the status will tell whether they fit.
    fn configured(&mut self, now: Micros) {
        self.settings_fit = true;
        self.status_due = now;
        if self.state == State::Configuring {
            self.enter(now, State::Checking, Why::SettingsWritten);
        }
    }

    /// Tells the line that the node is up and what it must know at once.
    fn came_up(&mut self, out: &mut Vec<Report>) {
        let node = self.setup.node;
        let known = self.told == Told::Up && !self.restarted;
        if !known {
            // A new boot's mark begins with the record of this input.
            let through = self.restarted.then_some(self.settled);
            let what = What::Input(Input::NodeUp { node, restarted: self.restarted });
            out.push(Report { node, through, what });
        }
        self.resolve_flying(out);
        if self.setup.kind == NodeKind::Diverter && !self.restarted && !known {
            let tags = self.tags.drain(..).map(Tag).collect();
            out.push(input(node, Input::Adopted { node, tags }));
        }
        self.restarted = false;
        self.told = Told::Up;
        out.extend(contacts(&self.setup, self.inputs).into_iter().map(|found| input(node, found)));
    }

    /// The node was lost with an order on its way: its last command tells whether it was taken.
    fn resolve_flying(&mut self, out: &mut Vec<Report>) {
        let node = self.setup.node;
        let Some(mut flying) = self.queue.flying.take() else { return };
        let taken = flying.sequence == self.last_command;
        match &flying.order {
            Order::Arm(plan) if taken => out.push(answered(node, plan.tag, taken)),
            Order::Arm(plan) => {
                self.queue.fence(plan.tag);
                out.push(withheld(node, plan.tag));
            }
            Order::Set { nature: Nature::Energising, .. } => {}
            Order::Cancel(_) | Order::CancelAll | Order::Set { .. } if taken => {}
            Order::Cancel(_) | Order::CancelAll | Order::Set { .. } => {
                if flying.renumber(self.last_command) {
                    self.queue.flying = Some(flying);
                }
            }
        }
    }

    /// An arm was sent, not answered, and is too late now: the node's last command tells whether it
    /// was taken. If not, it is withheld for good.
    fn resolve_overdue(&mut self, last_command: Serial, out: &mut Vec<Report>) {
        let Some(flying) = self.queue.flying.take() else { return };
        let Some(plan) = flying.arm() else { return };
        let (node, tag) = (self.setup.node, plan.tag);
        if flying.sequence == last_command {
            return self.finish(&flying, true, out);
        }
        self.counters.overdue += 1;
        self.queue.fence(tag);
        out.push(withheld(node, tag));
    }

    fn verdict(&mut self, head: &EventsHead, out: &mut Vec<Report>) {
        let Some(mut flying) = self.queue.flying.take() else { return };
        let taken = match head.verdict {
            Verdict::Accepted => true,
            Verdict::WrongSequence => {
                if flying.renumber(head.last_command) {
                    self.queue.flying = Some(flying);
                    return;
                }
                false
            }
            // Not a verdict on this order: it is sent again.
            Verdict::None | Verdict::NotOwner | Verdict::WrongBoot => {
                self.queue.flying = Some(flying);
                return;
            }
            Verdict::QueueFull | Verdict::BadArgument | Verdict::NotSupported => false,
        };
        self.finish(&flying, taken, out);
    }

    fn finish(&mut self, flying: &Flying, taken: bool, out: &mut Vec<Report>) {
        if taken {
            self.counters.taken += 1;
        } else {
            self.counters.refused += 1;
        }
        if let Order::Arm(plan) = &flying.order {
            out.push(answered(self.setup.node, plan.tag, taken));
        }
    }

    /// Decodes the entries that are new, and tells how far the node has been heard.
    fn take_events(
        &mut self,
        head: &EventsHead,
        entries: &[u16],
        frame: &mut Frame,
        out: &mut Vec<Report>,
    ) {
        self.jump(head.first.prev(), out);
        let mut read = Reader::new(entries);
        let mut first = head.first;
        for left in (1..=head.count).rev() {
            let parsed = Event::parse(&mut read);
            // Entries without a meaning are lost, and said to be: the ring must not stick.
            let event = parsed.unwrap_or(Event::Lost { entries: u16::from(left) });
            let last = first.plus(event.numbers()).prev();
            self.take_event(&event, last, frame, out);
            first = last.next();
            if parsed.is_none() {
                break;
            }
        }
        self.tell_spread(frame, out);
        self.more = head.more;
        if !head.more {
            self.caught_up = true;
            let heard = self.position(frame, head.encoder).filter(|_| self.setup.main_encoder);
            if let Some(at) = heard {
                let at = at.minus(self.setup.horizon_lag);
                out.push(Report { node: self.setup.node, through: None, what: What::Heard(at) });
            }
        }
    }

    /// Numbers up to `before` are gone from the ring without having been read.
    fn jump(&mut self, before: Serial, out: &mut Vec<Report>) {
        let gap = before.since(self.seen);
        if let Ok(entries @ 1..) = u16::try_from(gap) {
            self.seen = before;
            self.counters.lost += u64::from(entries);
            let node = self.setup.node;
            let what = What::Input(lost(node, entries));
            out.push(Report { node, through: Some(before), what });
        }
    }

    fn take_event(
        &mut self,
        event: &Event<'_>,
        last: Serial,
        frame: &mut Frame,
        out: &mut Vec<Report>,
    ) {
        if last.since(self.seen) <= 0 {
            self.counters.duplicates += 1;
            return;
        }
        if let Event::Lost { entries } = event {
            self.counters.lost += u64::from(*entries);
        }
        if let Event::LeaseExpired { .. } = event {
            self.queue.show_again();
        }
        let place = Place {
            setup: &self.setup,
            frame,
            map: self.map.as_ref().filter(|map| map.holds(frame)),
            caught_up: self.caught_up,
        };
        let (node, mut inputs) = (self.setup.node, Vec::new());
        self.decoder.decode(event, &place, &mut inputs);
        self.common_edge(event, frame);
        self.seen = last;
        let through = Some(last);
        let final_input = inputs.pop();
        out.extend(inputs.into_iter().map(|found| input(node, found)));
        let what = final_input.map_or(What::Nothing, What::Input);
        out.push(Report { node, through, what });
    }

    /// Whether the map is there and good enough for going online.
    fn map_serves(&self, now: Micros, frame: &Frame) -> bool {
        self.current_map(frame).is_some_and(|map| map.serves(now.since(self.since)))
    }
}
