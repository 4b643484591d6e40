//! (c) Many TCP nodes at a 20 ms cycle: link and bus of the host on one core, the nodes on another.

use crate::virtual_bus::{identity, station};
use crate::{clock, percentile};
use line_model::ids::NodeId;
use line_sim::nodes::NativeNode;
use node::{Output, Stamp};
use node_link::{BusId, BusSetup, Frame, LinkLimits, Master, Outcome, State, Transmit};
use registers::NodeKind;
use sortline::bus::tap::Tap;
use sortline::bus::{Event, Heard, REQUESTS_MAX, Request, tcp};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use units::{Counts, EncoderId, Micros};

/// Each node is asked this often.
const CYCLE: Micros = Micros::from_millis(20);
/// Time until everything is online, and time that is measured.
const WARM_UP: Duration = Duration::from_secs(3);
const MEASURED: Duration = Duration::from_secs(10);

/// Serves `count` zone nodes on a port each, until standard input ends; prints the ports.
pub(crate) fn serve(count: usize) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut ports = Vec::new();
        for _ in 0..count {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            ports.push(listener.local_addr().expect("bound").port().to_string());
            drop(tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    drop(tokio::spawn(node(stream)));
                }
            }));
        }
        println!("{}", ports.join(" "));
        std::io::stdout().flush().expect("standard output");
        let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
        let _lines = ended.await;
    });
    std::process::exit(0);
}

async fn node(mut stream: TcpStream) {
    let _no_delay = stream.set_nodelay(true);
    let mut node = NativeNode::boot(NodeKind::Zone, identity(1));
    let (mut out, mut bytes) = (Output::new(), [0; 512]);
    let booted = clock();
    // One request at a time, so that a read holds one frame.
    while let Ok(count @ 1..) = stream.read(&mut bytes).await {
        let now = Micros(u64::try_from(booted.elapsed().as_micros()).unwrap_or(u64::MAX));
        let stamp = Stamp { now, count: Counts(0), second: Counts(0) };
        node.handle(stamp, node::Input::Tcp(&bytes[..count]), &mut out);
        if stream.write_all(&out.reply).await.is_err() {
            return;
        }
    }
}

/// One node as the host holds it.
struct Seat {
    master: Master,
    frame: Frame,
    requests: mpsc::Sender<Request>,
    answered: Option<Micros>,
    cycles: Vec<u64>,
}

fn master(bus: u8) -> Master {
    let setup = BusSetup {
        name: format!("node-{bus}"),
        serial: false,
        baud: 0,
        owner: 7,
        poll_min: CYCLE,
        answer_timeout: Micros::from_millis(500),
        stations: vec![station(0)],
    };
    Master::new(BusId(bus), setup, LinkLimits::default(), NodeId(0), 1, &[])
}

/// Polls a node on each port; prints cycle and CPU figures.
pub(crate) fn host(ports: &[&str]) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (cycles, late, cpu, wall) = runtime.block_on(poll(ports));
    println!(
        "  {} nodes: {} exchanges in {:.1} s, cycle p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms, {late} \
         time-outs; host CPU {:.1} % of one core",
        ports.len(),
        cycles.len(),
        wall,
        percentile(&cycles, 500) as f64 / 1e3,
        percentile(&cycles, 990) as f64 / 1e3,
        cycles.last().copied().unwrap_or_default() as f64 / 1e3,
        100.0 * cpu / wall,
    );
}

async fn poll(ports: &[&str]) -> (Vec<u64>, u64, f64, f64) {
    let (says, mut heard) = mpsc::channel(4 * ports.len().max(64));
    let mut seats = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let (requests, queue) = mpsc::channel(REQUESTS_MAX);
        // More than 256 buses share a number here: which seat answers is told by the channel.
        let (own, mut mine) = mpsc::channel::<Heard>(8);
        let setup = tcp::Setup {
            bus: 0,
            name: (*port).to_owned(),
            address: format!("127.0.0.1:{port}"),
            tap: Tap::default(),
        };
        drop(tokio::spawn(tcp::serve(setup, queue, own)));
        let says = says.clone();
        drop(tokio::spawn(async move {
            while let Some(heard) = mine.recv().await {
                if says.send((index, heard.event)).await.is_err() {
                    return;
                }
            }
        }));
        let bus = u8::try_from(index % 256).expect("in range");
        let frame = Frame::new(EncoderId(0), None);
        seats.push(Seat {
            master: master(bus),
            frame,
            requests,
            answered: None,
            cycles: Vec::new(),
        });
    }
    let started = clock();
    let now = || Micros(u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX));
    let mut due: BTreeSet<(Micros, usize)> = BTreeSet::new();
    let (mut measuring, mut late, mut cpu) = (false, 0, 0.0);
    let (begin, end) = (WARM_UP.as_secs_f64(), (WARM_UP + MEASURED).as_secs_f64());
    loop {
        let elapsed = started.elapsed().as_secs_f64();
        if !measuring && elapsed >= begin {
            measuring = true;
            cpu = cpu_seconds();
            seats.iter_mut().for_each(|seat| seat.cycles.clear());
            let online = seats.iter().filter(|seat| {
                seat.master.view().stations.iter().all(|station| station.state == State::Online)
            });
            assert_eq!(online.count(), ports.len(), "every node is online");
        }
        if elapsed >= end {
            break;
        }
        // The runtime's timer has a grain of a millisecond: everything due by now is done at once.
        while let Some((at, index)) = due.first().copied().filter(|(at, _)| *at <= now()) {
            due.remove(&(at, index));
            pump(&mut seats[index], index, now(), &mut due);
        }
        let next = due.first().map_or(Micros::from_millis(5), |(at, _)| at.since(now()));
        let pause = tokio::time::sleep(Duration::from_micros(next.0));
        tokio::select! {
            biased;
            Some((index, event)) = heard.recv() => {
                late += u64::from(measuring && event == Event::Timeout);
                take(&mut seats[index], event, now());
                pump(&mut seats[index], index, now(), &mut due);
            }
            () = pause => {}
        }
    }
    let mut cycles: Vec<u64> = seats.iter().flat_map(|seat| seat.cycles.iter().copied()).collect();
    cycles.sort_unstable();
    (cycles, late, cpu_seconds() - cpu, MEASURED.as_secs_f64())
}

/// Begins the seat's next exchange, or notes when it is due.
fn pump(seat: &mut Seat, index: usize, now: Micros, due: &mut BTreeSet<(Micros, usize)>) {
    let sent = seat.master.pump(now, &mut seat.frame, &mut Vec::new());
    if let Some(Transmit { unit, pdu, timeout, .. }) = sent {
        seat.requests.try_send(Request { unit, pdu, timeout }).expect("one is outstanding");
    }
    if let Some(at) = seat.master.next_deadline() {
        due.insert((at.max(now.plus(Micros(1))), index));
    }
}

fn take(seat: &mut Seat, event: Event, now: Micros) {
    let mut reports = Vec::new();
    let outcome = match &event {
        Event::Up => return seat.master.bus_up(now),
        Event::Down { .. } => return seat.master.bus_down(now, &mut reports),
        Event::Answer { unit, pdu } => {
            if let Some(last) = seat.answered.replace(now) {
                seat.cycles.push(now.since(last).0);
            }
            Outcome::Answer { unit: *unit, pdu }
        }
        Event::Timeout => Outcome::Timeout,
        Event::BroadcastDone => Outcome::BroadcastDone,
        Event::Lost => Outcome::Lost,
    };
    seat.master.exchanged(now, outcome, &mut seat.frame, &mut reports);
}

/// CPU seconds of this process, from the kernel's own account (proc(5), stat fields 14 and 15).
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").expect("proc is mounted");
    let rest = text.rsplit_once(')').map(|(_, rest)| rest).expect("a name in brackets");
    let ticks: u64 =
        rest.split_whitespace().skip(11).take(2).map(|n| n.parse::<u64>().expect("ticks")).sum();
    // USER_HZ is 100 on every Linux of today.
    ticks as f64 / 100.0
}

/// A command of this benchmark's own program on one core.
fn on_core(core: &str) -> Command {
    let program = std::env::current_exe().expect("a path");
    let mut command = Command::new("taskset");
    command.args(["-c", core]).arg(program);
    command
}

/// The nodes' process; it ends when its standard input closes.
struct Nodes(Child);

impl Drop for Nodes {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _status = self.0.wait();
    }
}

/// Runs 100 nodes and, as a stretch, 1,000.
pub(crate) fn at_20_ms() {
    println!(
        "\n(c) TCP nodes at a {} ms cycle, a connection each; host (link and bus) on one core, nodes on \
         the other (goal 100, stretch 1,000)",
        CYCLE.millis()
    );
    for count in [100, 1_000] {
        let child = on_core("1")
            .args(["many-nodes", &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut nodes = Nodes(child.expect("taskset (util-linux) and the nodes start"));
        let mut line = String::new();
        let stdout = nodes.0.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("it prints its ports");
        let status = on_core("0").arg("many-host").args(line.split_whitespace()).status();
        assert!(status.is_ok_and(|status| status.success()), "the host failed");
    }
}
