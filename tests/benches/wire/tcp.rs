//! (b) Loopback TCP: our bus beside a libmodbus C client and bare tokio-modbus, one libmodbus server.

use crate::{clock, percentile};
use modbus::pdu::{MAX_PDU, read_holding};
use sortline::bus::tap::Tap;
use sortline::bus::{Event, HEARD_MAX, REQUESTS_MAX, Request, tcp};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tokio::sync::mpsc;
use tokio_modbus::client::Reader as _;
use units::Micros;

const CALLS: usize = 50_000;
const RUNS: usize = 3;
const REGISTERS: u16 = 16;

/// A server process that ends with its owner.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _gone = self.0.kill();
        let _status = self.0.wait();
    }
}

/// Builds the C program; `None`, with the reason told, where libmodbus is missing.
fn peer() -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/wire/libmodbus_peer.c");
    let program = std::env::temp_dir().join(format!("libmodbus-peer-{}", std::process::id()));
    let built = Command::new("cc")
        .args(["-O2", "-Wall", "-o"])
        .arg(&program)
        .arg(&source)
        .arg("-lmodbus")
        .status();
    match built {
        Ok(status) if status.success() => Some(program),
        Ok(_) | Err(_) => {
            println!("  not measured: needs cc and libmodbus-dev (cargo xtask setup)");
            None
        }
    }
}

fn report(name: &str, mut spent: Vec<u64>) -> u64 {
    let total: u64 = spent.iter().sum();
    let calls = spent.len() as u64;
    spent.sort_unstable();
    println!(
        "  {name:<34} p50 {:5.1} us, p99 {:5.1} us, {:7} requests/s",
        percentile(&spent, 500) as f64 / 1e3,
        percentile(&spent, 990) as f64 / 1e3,
        calls * 1_000_000_000 / total.max(1),
    );
    percentile(&spent, 500)
}

fn nanos(started: std::time::Instant) -> u64 {
    u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn libmodbus(program: &Path, port: u16) -> Vec<u64> {
    let out = Command::new(program)
        .args(["client", &port.to_string(), &CALLS.to_string()])
        .output()
        .expect("the client starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    text.lines().map(|line| line.parse().expect("a time")).collect()
}

async fn bare(port: u16) -> Vec<u64> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut context = tokio_modbus::client::tcp::connect(address).await.expect("connects");
    let mut spent = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let started = clock();
        let words = context.read_holding_registers(0, REGISTERS).await;
        spent.push(nanos(started));
        let words = words.expect("sent").expect("no exception");
        assert_eq!(words.last(), Some(&0x100F));
    }
    spent
}

async fn ours(port: u16) -> Vec<u64> {
    let (requests, queue) = mpsc::channel(REQUESTS_MAX);
    let (says, mut heard) = mpsc::channel(HEARD_MAX);
    let setup = tcp::Setup {
        bus: 0,
        name: "bench".into(),
        address: format!("127.0.0.1:{port}"),
        tap: Tap::default(),
    };
    let bus = tokio::spawn(tcp::serve(setup, queue, says));
    let up = heard.recv().await.map(|heard| heard.event);
    assert_eq!(up, Some(Event::Up));
    let mut pdu = [0; MAX_PDU];
    let len = read_holding(0, REGISTERS, &mut pdu).expect("fits");
    let mut spent = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let started = clock();
        let timeout = Micros::from_millis(500);
        let request = Request { unit: 1, pdu: pdu[..len].to_vec(), timeout };
        requests.send(request).await.expect("the bus takes it");
        let event = heard.recv().await.map(|heard| heard.event);
        spent.push(nanos(started));
        let Some(Event::Answer { pdu, .. }) = event else { panic!("{event:?}") };
        assert!(pdu.ends_with(&[0x10, 0x0F]));
    }
    drop(requests);
    bus.await.expect("the bus ends");
    spent
}

/// Runs the three clients in turn against one server, several times.
pub(crate) fn beside_peers() {
    println!(
        "\n(b) loopback TCP, FC 03 x {REGISTERS}, one connection, {CALLS} calls, libmodbus C server \
         (budget: p50 1.1 x libmodbus)"
    );
    let Some(program) = peer() else { return };
    let child = Command::new(&program).arg("server").stdout(Stdio::piped()).spawn();
    let mut server = Server(child.expect("the server starts"));
    let mut line = String::new();
    let stdout = server.0.stdout.take().expect("piped");
    BufReader::new(stdout).read_line(&mut line).expect("it prints its port");
    let port: u16 = line.trim().parse().expect("a port");
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut ratios = Vec::new();
    for _ in 0..RUNS {
        let c = report("libmodbus, C", libmodbus(&program, port));
        let bare = report("tokio-modbus, bare", runtime().block_on(bare(port)));
        let ours = report("sortline's bus, checks included", runtime().block_on(ours(port)));
        ratios.push(ours as f64 / c as f64);
        println!(
            "  ratio of p50 to libmodbus: tokio-modbus {:.2}, sortline {:.2}",
            bare as f64 / c as f64,
            ours as f64 / c as f64
        );
    }
    ratios.sort_by(f64::total_cmp);
    println!("  median ratio of sortline's p50 to libmodbus' {:.2}", ratios[RUNS / 2]);
    drop(server);
    let _removed = std::fs::remove_file(program);
}
