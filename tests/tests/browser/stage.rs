//! A stage for the screens: a line that is not there, but changes like one.
//!
//! It publishes views of the demo line's shape ten times a second, answers commands by the rules of
//! PackML and has a journal with a few parcels.

use line_model::alarm::Alarm;
use line_model::ids::{ChuteNo, DiverterId, EyeId, NodeId, ParcelId, Side};
use line_model::jog::Jog;
use line_model::layout::{
    ChuteCare, ChutePlace, ChuteRole, DiverterPlace, Duty, EyePlace, Largest, Layout, Limits,
    NodePlace, StationPlace, ZonePlace,
};
use line_model::memory::{Pressure, Shelf};
use line_model::packml::{State, StateReason, UnitMode};
use line_model::parcel::Confidence;
use line_model::reason::Reason;
use line_model::signal::{Command, DownReason};
use line_model::view::{AlarmView, LineView, ParcelView, Tally, Unmet};
use sortline::hmi::{
    self, BusHealth, HmiCommand, HmiSetup, HmiView, Order, Refused, StationHealth, StationState,
};
use sortline::journal::{files, schema};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use units::{Distance, EncoderId, Micros, MmPerSecond};

const TICK: Duration = Duration::from_millis(100);
/// Belt travel in one tick at 1.2 m/s.
const TRAVEL: i64 = 120;
/// 2026-11-21 14:30:00 in Shanghai.
const UTC_US: u64 = 1_795_242_600_000_000;
const END: i64 = 14_600;
const PITCH: i64 = 1_240;

/// The stage; its thread ends with it.
pub(crate) struct Stage {
    /// `http://127.0.0.1:<port>`
    pub(crate) url: String,
    switches: Arc<Switches>,
    thread: Option<JoinHandle<()>>,
    _directory: tempfile::TempDir,
}

#[derive(Debug, Default)]
struct Switches {
    leave: AtomicBool,
    frozen: AtomicBool,
    estop: AtomicBool,
    trouble: AtomicBool,
}

impl Stage {
    /// Opens a stage whose screens are panels, or not.
    pub(crate) fn open(panel: bool) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let files = files::directory(directory.path());
        std::fs::create_dir(&files).expect("a directory");
        journal(&files.join("2026-11-21.sqlite"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let switches = Arc::new(Switches::default());
        let actor = Actor::new(switches.clone());
        let (views, view) = watch::channel(Arc::new(actor.view()));
        let (press, commands) = mpsc::channel(4);
        let net = if panel { "127.0.0.0/8" } else { "192.0.2.0/24" };
        let setup = HmiSetup {
            listener,
            view,
            commands: press,
            data: directory.path().to_owned(),
            panel: vec![net.parse().expect("a net")],
            simulated: true,
            frames: None,
        };
        let thread = std::thread::Builder::new()
            .name("stage".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime").block_on(async {
                    let server = tokio::spawn(hmi::serve(setup));
                    actor.play(views, commands).await;
                    server.abort();
                });
            })
            .expect("a thread");
        Self { url, switches, thread: Some(thread), _directory: directory }
    }

    /// Stops publishing, as a stuck controller does.
    pub(crate) fn freeze(&self, frozen: bool) {
        self.switches.frozen.store(frozen, Ordering::Relaxed);
    }

    /// Pulls or releases emergency stop 2.
    pub(crate) fn estop(&self, active: bool) {
        self.switches.estop.store(active, Ordering::Relaxed);
    }

    /// Lets a node fall silent, parcels go unconfirmed and the tie-out break.
    pub(crate) fn trouble(&self) {
        self.switches.trouble.store(true, Ordering::Relaxed);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.switches.leave.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// Plays the line.
struct Actor {
    switches: Arc<Switches>,
    layout: Arc<Layout>,
    state: State,
    reason: StateReason,
    since: u64,
    ticks: u64,
    travelled: i64,
    shelf: Option<(Alarm, Shelf)>,
    mode: UnitMode,
    jog: Option<Jog>,
}

impl Actor {
    fn new(switches: Arc<Switches>) -> Self {
        let reason = StateReason::Command(Command::Stop);
        let layout = Arc::new(layout());
        Self {
            switches,
            layout,
            state: State::Stopped,
            reason,
            since: 0,
            ticks: 0,
            travelled: 0,
            shelf: None,
            mode: UnitMode::Production,
            jog: None,
        }
    }

    async fn play(
        mut self,
        views: watch::Sender<Arc<HmiView>>,
        mut commands: mpsc::Receiver<HmiCommand>,
    ) {
        let mut clock = tokio::time::interval(TICK);
        while !self.switches.leave.load(Ordering::Relaxed) {
            tokio::select! {
                _ = clock.tick() => self.tick(),
                given = commands.recv() => match given {
                    // A person who has left does not wait for the answer.
                    Some(given) => {
                        let said = match given.order {
                            Order::Command { command, reason } => self.command(command, reason),
                            Order::Deed { .. } => Ok(()),
                        };
                        drop(given.answer.send(said));
                    }
                    None => return,
                },
            }
            if !self.switches.frozen.load(Ordering::Relaxed) {
                views.send_replace(Arc::new(self.view()));
            }
        }
    }

    fn tick(&mut self) {
        self.ticks += 1;
        if self.state == State::Execute {
            self.travelled += TRAVEL;
        }
        if self.switches.estop.load(Ordering::Relaxed) && self.state == State::Execute {
            self.become_state(State::Aborted, StateReason::Estop(2));
        }
    }

    fn become_state(&mut self, state: State, reason: StateReason) {
        (self.state, self.reason, self.since) = (state, reason, self.ticks);
    }

    fn command(&mut self, command: Command, reason: String) -> Result<(), Refused> {
        match command {
            Command::Shelve { alarm, .. } => {
                let (until, by) = (Micros::MAX, "screen".to_owned());
                self.shelf = Some((alarm, Shelf { until, by, reason }));
                return Ok(());
            }
            Command::Unshelve { .. } => {
                self.shelf = None;
                return Ok(());
            }
            Command::SetMode(mode) => {
                self.mode = mode;
                return Ok(());
            }
            Command::Jog { zone } => {
                let (held_until, starts, running) = (Micros::MAX, Micros::ZERO, true);
                self.jog = zone.map(|zone| Jog { zone, held_until, starts, running });
                return Ok(());
            }
            _ => {}
        }
        let unmet = self.unmet();
        let next = match (command, self.state) {
            (Command::Clear, State::Aborted) => State::Stopped,
            (Command::Reset, State::Stopped) => State::Idle,
            (Command::Start, State::Idle | State::Held) => State::Execute,
            (Command::Hold, State::Execute) => State::Held,
            (Command::Stop, State::Idle | State::Held | State::Execute) => State::Stopped,
            _ => return Err(Refused { why: vec![Unmet::WrongState(self.state)] }),
        };
        if !matches!(command, Command::Stop | Command::Hold) && !unmet.is_empty() {
            return Err(Refused { why: unmet });
        }
        self.become_state(next, StateReason::Command(command));
        Ok(())
    }

    fn unmet(&self) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        if self.switches.estop.load(Ordering::Relaxed) {
            unmet.push(Unmet::EstopActive(2));
        }
        if self.switches.trouble.load(Ordering::Relaxed) {
            unmet.push(Unmet::NodeDown(NodeId(11)));
        }
        unmet
    }

    fn view(&self) -> HmiView {
        HmiView {
            line_name: "demo-line".to_owned(),
            line_name_zh: "演示分拣线".to_owned(),
            taken: Micros::from_millis(self.ticks * 100),
            taken_utc_us: UTC_US + self.ticks * 100_000,
            layout: self.layout.clone(),
            chute_names: chute_names(),
            eye_tags: vec![],
            estops: vec![],
            limit_per_hour: 3_552,
            line: self.line(),
            buses: self.buses(),
            records_pending: self.ticks % 3,
        }
    }

    fn line(&self) -> LineView {
        let trouble = self.switches.trouble.load(Ordering::Relaxed);
        let chutes: BTreeMap<ChuteNo, u64> = (1..=12_u16)
            .map(|n| (ChuteNo(n), u64::from(n * 37 % 90) + self.landed() / 12))
            .collect();
        let mut end_landed = BTreeMap::new();
        for (reason, count) in [
            (Reason::NoRead, 31),
            (Reason::NoManifest, 12),
            (Reason::MultiCode, 9),
            (Reason::Uncertain, 2),
        ] {
            end_landed.insert(reason, count);
        }
        let parcels = self.parcels();
        let on_line = u64::try_from(parcels.len()).unwrap_or_default();
        let landed: u64 = chutes.values().sum();
        let tally = Tally {
            inducted: landed + 54 + 3 + on_line + u64::from(trouble),
            landed_planned: landed - 6,
            landed_alternate: 6,
            end_landed,
            recirculated: BTreeMap::new(),
            removed: 2,
            lost: 0,
            unconfirmed: 1,
            on_line,
            landed_for: BTreeMap::from([(Reason::NoRoute, 5), (Reason::ChuteFull, 6)]),
        };
        let mut alarms = vec![Alarm::Unconfirmed(ParcelId(2))];
        if self.switches.estop.load(Ordering::Relaxed) {
            alarms.push(Alarm::Estop(2));
        }
        if trouble {
            alarms.extend([Alarm::NodeDown(NodeId(7)), Alarm::QuarantineAtEnd(ParcelId(3))]);
        }
        LineView {
            state: self.state,
            since: Micros::from_millis(self.since * 100),
            reason: self.reason,
            unmet: self.unmet(),
            induction_paused: trouble,
            tally,
            chutes,
            at_chutes: Vec::new(),
            parcels,
            alarm_list: alarms
                .iter()
                .map(|alarm| {
                    let shelf = self.shelf.as_ref().filter(|(aside, _)| aside == alarm);
                    let shelf = shelf.map(|(_, shelf)| shelf.clone());
                    let since = Micros::from_millis(self.since * 100);
                    AlarmView { shelf, ..AlarmView::new(*alarm, since) }
                })
                .collect(),
            alarms_lately: alarms.len(),
            unit_mode: self.mode,
            pressure: Pressure::None,
            jog: self.jog,
            rescans: Vec::new(),
            alarms,
            plan: Some(("夜班方案".to_owned(), 7)),
            parcels_per_hour: if self.state == State::Execute { 3_420 } else { 0 },
        }
    }

    fn landed(&self) -> u64 {
        u64::try_from(self.travelled / PITCH).unwrap_or_default()
    }

    fn parcels(&self) -> Vec<ParcelView> {
        let newest = self.travelled / PITCH + 12;
        let mut parcels = Vec::new();
        for n in (newest - 12)..=newest {
            let at = self.travelled - (n - 12) * PITCH;
            let id = u64::try_from(n + 100).unwrap_or_default();
            let chute = ChuteNo(u16::try_from(n * 7 % 12 + 1).unwrap_or(1));
            let end = n % 6 == 5;
            let leaves = if end { END } else { 4_900 + i64::from((chute.0 - 1) / 2) * 1_600 };
            if !(0..=leaves).contains(&at) {
                continue;
            }
            let known = at > 1_500;
            parcels.push(ParcelView {
                id: ParcelId(id),
                code: (known && !end).then(|| format!("YT88012345{id:05}")),
                at: self.last_eye(at),
                chute: (known && !end).then_some(chute),
                end_reason: (known && end).then_some(Reason::NoRead),
                confidence: Confidence::Certain,
                decide_in_ms: (!known).then_some(1_200),
            });
        }
        parcels
    }

    /// What the line tells of a parcel here: the last eye that it passed.
    fn last_eye(&self, at: i64) -> Distance {
        let passed = self.layout.eyes.iter().map(|eye| eye.at.0).filter(|eye| *eye <= at);
        Distance(passed.max().unwrap_or_default())
    }

    fn buses(&self) -> Vec<BusHealth> {
        let trouble = self.switches.trouble.load(Ordering::Relaxed);
        let station = |node: u8| {
            let down = trouble && (node == 7 || node == 11);
            let silent = if down { 40 } else { 0 };
            StationHealth {
                node: NodeId(node),
                state: if down {
                    StationState::Down(DownReason::Silent)
                } else {
                    StationState::Online
                },
                last_answer: Some(Micros::from_millis(
                    (self.ticks * 100).saturating_sub(silent * 100 + 15),
                )),
                exchanges: 1_000 + self.ticks * 7,
                timeouts: if down { 14 } else { u64::from(node % 3) },
                bad: 0,
            }
        };
        vec![
            BusHealth {
                name: "rs485".to_owned(),
                up: true,
                stations: (0..9).chain([11]).map(station).collect(),
            },
            BusHealth {
                name: "tunnel".to_owned(),
                up: true,
                stations: (9..11).map(station).collect(),
            },
        ]
    }
}

fn chute_names() -> BTreeMap<ChuteNo, String> {
    let names = [
        "圆通 华东",
        "圆通 华南",
        "中通 华东",
        "中通 华北",
        "申通",
        "韵达 华东",
        "韵达",
        "极兔",
        "京东",
        "邮政",
    ];
    (1..).map(ChuteNo).zip(names.map(str::to_owned)).collect()
}

fn layout() -> Layout {
    let nodes = ["Z1", "Z2", "Z3", "D1", "D2", "D3", "D4", "D5", "D6", "SC1", "DWS1", "OP1"];
    let place = |(index, name): (usize, &str)| NodePlace {
        name: name.to_owned(),
        duty: match u8::try_from(index).unwrap_or_default() {
            n @ 3..=8 => Duty::Diverter(DiverterId(n - 3)),
            10 => Duty::Optional,
            _ => Duty::Essential,
        },
    };
    let eye = |node, at| EyePlace { node: NodeId(node), at: Distance(at) };
    let mut eyes = vec![eye(2, 0), eye(2, 1_500)];
    eyes.extend((0..6_u8).map(|n| eye(3 + n, 4_450 + i64::from(n) * 1_600)));
    eyes.push(eye(11, 14_300));
    let role = |number| match number {
        11 => ChuteRole::GeneralExceptions,
        12 => ChuteRole::Quarantine,
        _ => ChuteRole::Sort,
    };
    let chute = |number: u16| ChutePlace {
        number: ChuteNo(number),
        diverter: DiverterId(u8::try_from((number - 1) / 2).unwrap_or_default()),
        side: if number % 2 == 1 { Side::Left } else { Side::Right },
        role: role(number),
        care: ChuteCare::PLAIN,
    };
    let zone = |(node, name, speed): (u8, &str, u32)| ZonePlace {
        name: name.to_owned(),
        node: NodeId(node),
        speed: MmPerSecond(speed),
        gapping: node == 1,
        transit: Micros::from_secs(2),
    };
    Layout {
        encoder: EncoderId(0),
        counts_per_metre: 1_000,
        speed: MmPerSecond(1_200),
        nodes: nodes.into_iter().enumerate().map(place).collect(),
        zones: [(0, "Z1", 600), (1, "Z2", 900), (2, "Z3", 1_200)].map(zone).to_vec(),
        eyes,
        scanner: StationPlace { node: NodeId(9), at: Distance(900) },
        rescanners: Vec::new(),
        dws: Some(StationPlace { node: NodeId(10), at: Distance(300) }),
        diverters: (0..6).map(diverter).collect(),
        chutes: (1..=12).map(chute).collect(),
        end: line_model::layout::LineEnd::Chute,
        panel: NodeId(11),
        limits: limits(),
    }
}

fn diverter(n: u8) -> DiverterPlace {
    DiverterPlace {
        name: format!("D{}", n + 1),
        node: NodeId(3 + n),
        eye: EyeId(2 + n),
        eye_to_bed: Distance(450),
        bed: Distance(350),
        delay: Distance(102),
        gap_before: Distance(650),
        gap_after: Distance(770),
        landing_from: Distance(648),
        landing_to: Distance(2_508),
    }
}

fn limits() -> Limits {
    Limits {
        prestart: Micros::from_secs(3),
        ramp: Micros::from_secs(3),
        lease: Micros::from_secs(3),
        arm_lead: Micros::from_millis(100),
        tolerance: Distance(60),
        early_permille: 20,
        late_permille: 60,
        length_percent: 20,
        length_min: Distance(60),
        length_max: Distance(800),
        gap_target: Distance(902),
        in_flight_max: 100,
        jam: Micros::from_secs(5),
        sleep: None,
        largest: Largest::default(),
    }
}

/// A journal with a planned, an unconfirmed and a no-read parcel, by the journal's own schema.
fn journal(file: &std::path::Path) {
    let connection = rusqlite::Connection::open(file).expect("a file");
    connection.execute_batch(schema::CREATE).expect("the schema is valid");
    connection.pragma_update(None, "user_version", schema::VERSION).expect("a version");
    connection.execute_batch(STORIES).expect("the stories fit the schema");
}

const STORIES: &str = r#"
INSERT INTO wall_clock VALUES (1000000, 1795242600000000);
INSERT INTO parcels
    (id, inducted_us, position, code, length, weight_g, carrier, route, chute, reason, outcome, outcome_us)
VALUES
    (1, 2000000, 0, 'YT8801234567890', 320, 1800, 'YTO', '310-A12-07', 5, NULL, 'landed_planned', 10400000),
    (2, 3000000, 900, 'JT3312345004711', 410, 2600, 'JT', '571-B03', 7, NULL, 'unconfirmed', 13000000),
    (3, 4000000, 1800, NULL, 300, 950, NULL, NULL, NULL, 'no_read', 'end_landed', 16200000),
    (4, 5000000, 2700, 'YT8801234999321', NULL, NULL, NULL, NULL, NULL, NULL, 'on_line', 5000000);
INSERT INTO story VALUES
    (1, 10, 0, 2000000, 'inducted', '{"position":0}'),
    (1, 12, 0, 2267000, 'measured', '{"length":320}'),
    (1, 14, 0, 2980000, 'weighed', '{"weight_g":1800}'),
    (1, 15, 0, 3120000, 'identified', '{"code":"YT8801234567890"}'),
    (1, 15, 1, 3250000, 'seen', '{"eye":1,"position":1500}'),
    (1, 16, 0, 3291000, 'routed', '{"carrier":"YTO","route":"310-A12-07"}'),
    (1, 16, 1, 3291000, 'assigned', '{"chute":5,"alternate":false,"reason":null}'),
    (1, 16, 2, 3291000, 'armed', '{"tag":41,"diverter":2}'),
    (1, 18, 0, 5708000, 'seen', '{"eye":2,"position":4450}'),
    (1, 21, 0, 8375000, 'seen', '{"eye":4,"position":7650}'),
    (1, 22, 0, 8460000, 'fired', '{"tag":41,"chute":5}'),
    (1, 24, 0, 9310000, 'landed_provisional', '{"chute":5}'),
    (1, 27, 0, 10400000, 'landed', '{"chute":5,"alternate":false}'),
    (2, 11, 0, 3000000, 'inducted', '{"position":900}'),
    (2, 17, 0, 4200000, 'identified', '{"code":"JT3312345004711"}'),
    (2, 30, 0, 13000000, 'unconfirmed', '{"chute":7}'),
    (3, 13, 0, 4000000, 'inducted', '{"position":1800}'),
    (3, 19, 0, 5200000, 'sent_to_end', '{"reason":"no_read"}'),
    (3, 31, 0, 16200000, 'end_landed', '{"reason":"no_read"}'),
    (4, 20, 0, 5000000, 'inducted', '{"position":2700}');
"#;
