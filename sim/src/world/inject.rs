//! What is made to happen on a line: by a scenario's schedule, or at once.

use super::{Button, Event, World};
use crate::blueprint::SetupError;
use crate::bridge::{Bridge, Faults};
use crate::plant::{Call, MM, Nm, Work};
use crate::scenario::{self, Entry, When};
use crate::truth::Happened;
use registers::points::{panel, zone};
use units::Micros;

/// Something that only the host's side can make happen; the harness carries it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForHost {
    /// When.
    pub at: Micros,
    /// [`scenario::Event::DiskStall`], [`scenario::Event::ControllerKill`] or
    /// [`scenario::Event::ControllerRestart`].
    pub event: scenario::Event,
}

/// An entry that waits for its parcel.
#[derive(Clone, Debug)]
pub(super) struct Awaited {
    parcel: usize,
    at: Nm,
    entry: Entry,
}

impl World {
    /// Enters a scenario's events; those at a time of the run must lie ahead.
    ///
    /// # Errors
    /// The first name that nothing has.
    pub fn schedule(&mut self, entries: &[Entry]) -> Result<(), SetupError> {
        for entry in entries {
            self.check(&entry.event)?;
            match entry.when().map_err(SetupError::Missing)? {
                When::At(at_ms) => {
                    let at = (at_ms * 1_000).max(self.now);
                    self.enter(at, Event::Begin(Box::new(entry.clone())));
                }
                When::Parcel { parcel, at_mm } => {
                    let parcel = usize::try_from(parcel).unwrap_or(usize::MAX);
                    let at = i64::from(at_mm) * MM;
                    self.awaited.push(Awaited { parcel, at, entry: entry.clone() });
                }
            }
        }
        // The soonest stands last.
        self.awaited.sort_by_key(|awaited| core::cmp::Reverse((awaited.parcel, awaited.at)));
        Ok(())
    }

    /// Makes an event happen now, to `parcel` if it is one of a parcel.
    ///
    /// # Errors
    /// A name that nothing has.
    pub fn inject(
        &mut self,
        parcel: Option<u64>,
        event: &scenario::Event,
    ) -> Result<(), SetupError> {
        self.check(event)?;
        self.begin(parcel, event, false);
        Ok(())
    }

    /// Takes what the harness has to carry out, in order of time.
    pub fn take_for_host(&mut self) -> Vec<ForHost> {
        core::mem::take(&mut self.for_host)
    }

    /// Whether events of the schedule have not happened yet; those of parcels that never come to
    /// their place stay so.
    pub fn awaits_events(&self) -> bool {
        !self.awaited.is_empty()
            || self.agenda.iter().any(|due| matches!(due.0.event, Event::Begin(_) | Event::End(_)))
    }

    /// Whether everything that the event names is there.
    fn check(&self, event: &scenario::Event) -> Result<(), SetupError> {
        use scenario::Event as E;
        let known = |known: bool, what, name: &str| {
            let unknown = || SetupError::UnknownName { what, name: name.to_owned() };
            if known { Ok(()) } else { Err(unknown()) }
        };
        match event {
            E::EyeBlocked { eye, .. }
            | E::EyeClear { eye, .. }
            | E::EyeDirty { eye, .. }
            | E::EyeMiss { eye }
            | E::EyeBounce { eye, .. } => known(self.plant.has_eye(eye), "eye", eye),
            E::Hand { chute, .. }
            | E::ChuteFull { chute, .. }
            | E::ChuteButton { chute, .. }
            | E::BagChange { chute } => {
                let name = format!("chute-{chute}");
                known(self.plant.has_eye(&name), "chute", &name)
            }
            E::NoTurn { diverter, .. }
            | E::NoReturn { diverter, .. }
            | E::WheelsStopped { diverter, .. }
            | E::SlowSwitch { diverter, .. }
            | E::FeedbackLies { diverter, .. } => {
                known(self.plant.has_diverter(diverter), "diverter", diverter)
            }
            E::EncoderStall { encoder, .. } => {
                let found = self.encoders.iter().any(|(name, _)| name == encoder);
                known(found, "encoder", encoder)
            }
            E::CounterStall { node, .. } | E::NodeReboot { node, .. } => {
                known(self.station_named(node).is_some(), "node", node)
            }
            E::DriveTrip { zone, .. } => known(self.plant.belt_named(zone).is_some(), "zone", zone),
            E::BusFaults { bus, faults, .. } => {
                known(self.buses.iter().any(|known| known.plan.name == *bus), "bus", bus)?;
                known(Faults::parse(faults).is_ok(), "mixture of faults", faults)
            }
            E::Estop { contact } | E::EstopRelease { contact } => {
                let there = (1..=super::ESTOPS).contains(contact);
                known(there, "emergency-stop contact", &contact.to_string())
            }
            _ => Ok(()),
        }
    }

    fn station_named(&self, name: &str) -> Option<usize> {
        self.stations.iter().position(|station| station.plan.name == *name)
    }

    /// Enters the events whose parcels have come to their places.
    pub(super) fn begin_awaited(&mut self) {
        let fed = self.plant.truth().parcels.len();
        let mut at = self.awaited.len();
        while at > 0 && self.awaited[at - 1].parcel < fed {
            at -= 1;
            let Awaited { parcel, at: place, .. } = self.awaited[at];
            match self.plant.head(parcel) {
                Some(head) if head >= place => {
                    let Awaited { entry, .. } = self.awaited.remove(at);
                    self.enter(self.ahead, Event::Begin(Box::new(entry)));
                }
                Some(_) => {}
                // It went another way.
                None => drop(self.awaited.remove(at)),
            }
        }
    }

    /// What the profile makes happen does so, and people see what they can and plan their work.
    pub(super) fn let_people_see(&mut self) {
        while let Some(event) = self.plant.fate(self.ahead) {
            self.begin(None, &event, true);
        }
        self.tell_people();
    }

    fn tell_people(&mut self) {
        if self.plant.has_calls() {
            let plans = self.plant.see(self.ahead.max(self.now));
            self.plan(plans);
        }
    }

    /// People hear an alarm, or see that the line asks for a button.
    pub fn call(&mut self, call: Call) {
        let plans = self.plant.call(call, self.now);
        self.plan(plans);
    }

    fn plan(&mut self, plans: Vec<(u64, Work)>) {
        for (at, work) in plans {
            self.enter(at.max(self.now), Event::Work(work));
        }
    }

    /// A person does something.
    pub(super) fn work(&mut self, work: Work) {
        match work {
            Work::Repair(number) => return self.end(number),
            Work::Panel { button, down } => return self.press(button, down),
            _ => {}
        }
        let at = self.ahead.max(self.now);
        let mut happenings = core::mem::take(&mut self.happenings);
        self.plant.work(work, at, &mut happenings);
        self.happenings = happenings;
        self.enter_happenings();
    }

    /// Makes an event happen now.
    pub(super) fn begin(&mut self, parcel: Option<u64>, event: &scenario::Event, drawn: bool) {
        let number = self.plant.truth().happened.len();
        let place = parcel.and_then(|parcel| usize::try_from(parcel).ok());
        let at_mm = place.and_then(|parcel| self.plant.head(parcel)).map(|head| head / MM);
        let at = Micros(self.now);
        let (event, parcels) = (event.clone(), Vec::new());
        let lasts = event.lasts_ms();
        let happened =
            Happened { at, until: None, event: event.clone(), done: true, drawn, at_mm, parcels };
        self.plant.note(happened);
        let done = self.happen(&event, true) || {
            let at = self.ahead.max(self.now);
            let mut happenings = core::mem::take(&mut self.happenings);
            let done = self.plant.begin((number, &event), place, at, &mut happenings);
            self.happenings = happenings;
            self.enter_happenings();
            done
        };
        match lasts {
            Some(ms) if done => self.enter(self.now + ms * 1_000, Event::End(number)),
            None if done && event.may_last() => self.plant.ask_repair(number),
            None if done => self.plant.over(number, at),
            Some(_) | None => {}
        }
        if !done {
            self.plant.undone(number, at);
        }
        // On a line that stands nothing else would let anybody see it.
        self.tell_people();
    }

    /// Puts right what has this place in the truth.
    pub(super) fn end(&mut self, number: usize) {
        let happened = &self.plant.truth().happened[number];
        if happened.until.is_some() {
            return;
        }
        let event = happened.event.clone();
        if !self.happen(&event, false) {
            let at = self.ahead.max(self.now);
            let mut happenings = core::mem::take(&mut self.happenings);
            self.plant.end((number, &event), at, &mut happenings);
            self.happenings = happenings;
            self.enter_happenings();
        }
        self.plant.over(number, Micros(self.now));
    }

    /// Begins or ends what does not happen to the plant; false when it does.
    fn happen(&mut self, event: &scenario::Event, begins: bool) -> bool {
        use scenario::Event as E;
        match event {
            E::EncoderStall { encoder, .. } => {
                let plan = self.encoders.iter().find(|(name, _)| name == encoder);
                let Some((_, plan)) = plan.cloned() else { return false };
                self.stall(|_, encoder| encoder.belt == plan.belt, begins);
            }
            E::CounterStall { node, .. } => {
                let Some(node) = self.station_named(node) else { return false };
                self.stall(|station, _| station == node, begins);
            }
            E::DriveTrip { zone, .. } => {
                let Some(belt) = self.plant.belt_named(zone) else { return false };
                self.tripped[belt] = begins;
                self.power_drives();
            }
            E::NodeReboot { node, .. } => match self.station_named(node) {
                Some(station) if begins != self.stations[station].off => {
                    if begins {
                        self.power_off(station)
                    } else {
                        self.power_on(station)
                    }
                }
                Some(_) | None => return false,
            },
            E::BusFaults { bus, faults, .. } => self.bus_faults(bus, faults, begins),
            E::Estop { contact } if begins => self.estop(*contact, true),
            E::EstopRelease { contact } if begins => self.estop(*contact, false),
            E::Press { button, .. } => self.press(*button, begins),
            E::ChuteButton { chute, .. } => {
                let Some(chute) = self.plant.chute_named(*chute) else { return false };
                self.work(Work::Button { chute, down: begins });
            }
            E::DiskStall { .. } | E::ControllerKill | E::ControllerRestart => {
                let at = Micros(self.now);
                self.for_host.push(ForHost { at, event: event.clone() });
            }
            _ => return false,
        }
        true
    }

    /// A node goes down by a fault of its wire's mixture, or is back.
    pub(super) fn reboot(&mut self, bus: usize, station: usize, at: Micros, begins: bool) {
        let station = self.buses[bus].stations[station];
        self.note_reboot(station, at, begins);
        if begins {
            self.power_off(station);
        } else {
            self.power_on(station);
        }
    }

    fn note_reboot(&mut self, station: usize, at: Micros, begins: bool) {
        let node = self.stations[station].plan.name.clone();
        let event = scenario::Event::NodeReboot { node, off_ms: 0 };
        if begins {
            let (until, at_mm, parcels) = (None, None, Vec::new());
            let happened = Happened { at, until, event, done: true, drawn: true, at_mm, parcels };
            return self.plant.note(happened);
        }
        let same = |happened: &Happened| happened.until.is_none() && happened.event == event;
        if let Some(number) = self.plant.truth().happened.iter().rposition(same) {
            self.plant.over(number, at);
        }
    }

    /// Counters get no pulses, or get them again.
    fn stall(&mut self, of: impl Fn(usize, &crate::blueprint::EncoderPlan) -> bool, stalls: bool) {
        let (now, part) = (self.now, self.part());
        for (index, station) in self.stations.iter_mut().enumerate() {
            let encoders = core::iter::once(&mut station.main).chain(&mut station.second);
            for encoder in encoders.filter(|encoder| of(index, &encoder.plan)) {
                encoder.stall(stalls, &self.plant, part);
            }
            station.schedule(&self.plant, now, part);
        }
        let main = &self.stations[self.reference].main;
        self.plant.set_reference(main.offset, main.stands());
    }

    /// Every drive has power unless an emergency stop or its own trip cut it.
    pub(super) fn power_drives(&mut self) {
        let stopped = self.estops.contains(&true);
        for station in 0..self.stations.len() {
            if let Some(belt) = self.stations[station].plan.drives {
                let power = !stopped && !self.tripped[belt];
                self.plant.power(belt, power);
                self.level(station, zone::DRIVE_READY, power);
            }
        }
    }

    /// A bus becomes bad, or as it was built.
    fn bus_faults(&mut self, name: &str, faults: &str, begins: bool) {
        let faults = if begins { Faults::parse(faults).ok() } else { None };
        let faults = faults.unwrap_or(self.faults.clone());
        let Some(bus) = self.buses.iter_mut().find(|bus| bus.plan.name == *name) else { return };
        let (stations, seed) = (&self.stations, self.seed);
        let bridge = bus.bridge.get_or_insert_with(|| {
            let units = bus.stations.iter().map(|station| stations[*station].plan.unit).collect();
            Box::new(Bridge::new(bus.plan.serial, units, &Faults::NONE, seed, &bus.plan.name))
        });
        bridge.set_faults(&faults);
    }

    /// The input of a panel button.
    pub(super) const fn button_input(button: Button) -> u8 {
        match button {
            Button::Start => panel::START,
            Button::Stop => panel::STOP,
            Button::Reset => panel::RESET,
        }
    }
}
