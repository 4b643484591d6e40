//! Buses against the server core of our own codec: over pipes in virtual time, over PTYs in real time.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use line_file::Rs485;
use modbus::pdu::{self, Exception, Words};
use modbus::server::{Bank, WordSink, serve, serve_rtu};
use modbus::session::Wire;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc;
use units::Micros;

use super::tap::{Tap, What};
use super::{Event, HEARD_MAX, Heard, REQUESTS_MAX, Request, serial, tcp};

/// Answers every read with the address in each word; takes every write.
struct Addresses;

impl Bank for Addresses {
    fn read(
        &mut self,
        address: u16,
        quantity: u16,
        out: &mut WordSink<'_>,
    ) -> Result<(), Exception> {
        out.extend(address..address + quantity);
        Ok(())
    }

    fn write(&mut self, address: u16, _: Words<'_>) -> Result<(), Exception> {
        if address == 0xFFFF { Err(Exception::IllegalAddress) } else { Ok(()) }
    }
}

fn read(address: u16, quantity: u16) -> Vec<u8> {
    let mut out = [0; pdu::MAX_PDU];
    let len = pdu::read_holding(address, quantity, &mut out).expect("fits");
    out[..len].to_vec()
}

fn answer(request: &[u8]) -> Vec<u8> {
    let mut out = [0; pdu::MAX_PDU];
    let len = serve(request, &mut Addresses, &mut out);
    out[..len].to_vec()
}

type Ends =
    (mpsc::Sender<Request>, mpsc::Receiver<Request>, mpsc::Sender<Heard>, mpsc::Receiver<Heard>);

fn ends() -> Ends {
    let (submit, requests) = mpsc::channel(REQUESTS_MAX);
    let (say, heard) = mpsc::channel(HEARD_MAX);
    (submit, requests, say, heard)
}

async fn ask(submit: &mpsc::Sender<Request>, pdu: Vec<u8>) {
    let timeout = Micros::from_millis(100);
    submit.send(Request { unit: 1, pdu, timeout }).await.expect("the bus lives");
}

async fn next(heard: &mut mpsc::Receiver<Heard>) -> Event {
    let limit = Duration::from_secs(20);
    let heard = tokio::time::timeout(limit, heard.recv()).await.expect("the bus speaks in time");
    heard.expect("the bus lives").event
}

/// One request of a TCP connection: transaction and PDU.
async fn tcp_request(stream: &mut DuplexStream) -> io::Result<(u16, Vec<u8>)> {
    let mut header = [0; 7];
    stream.read_exact(&mut header).await?;
    let mut pdu = vec![0; usize::from(u16::from_be_bytes([header[4], header[5]])) - 1];
    stream.read_exact(&mut pdu).await?;
    Ok((u16::from_be_bytes([header[0], header[1]]), pdu))
}

async fn tcp_answer(stream: &mut DuplexStream, transaction: u16, pdu: &[u8]) -> io::Result<()> {
    let len = u16::try_from(pdu.len() + 1).expect("short").to_be_bytes();
    let [t1, t0] = transaction.to_be_bytes();
    let frame = [&[t1, t0, 0, 0, len[0], len[1], 1], pdu].concat();
    stream.write_all(&frame).await
}

/// A node behind pipes: how long it takes for each connection's answers, and how many connections
/// there were.
fn tcp_node(
    delays: &'static [u64],
) -> (Arc<AtomicUsize>, impl FnMut() -> std::future::Ready<io::Result<DuplexStream>>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let connect = move || {
        let n = count.fetch_add(1, Ordering::Relaxed);
        let (ours, mut theirs) = tokio::io::duplex(1_024);
        tokio::spawn(async move {
            while let Ok((transaction, pdu)) = tcp_request(&mut theirs).await {
                let delay = delays.get(n).copied().unwrap_or(0);
                tokio::time::sleep(Duration::from_millis(delay)).await;
                if tcp_answer(&mut theirs, transaction, &answer(&pdu)).await.is_err() {
                    return;
                }
            }
        });
        std::future::ready(Ok(ours))
    };
    (connections, connect)
}

fn tcp_tapped(tap: Tap) -> tcp::Setup {
    tcp::Setup { bus: 3, name: "test".to_owned(), address: "pipe".to_owned(), tap }
}

fn tcp_setup() -> tcp::Setup {
    tcp_tapped(Tap::default())
}

#[tokio::test(start_paused = true)]
async fn tcp_replaces_the_connection_after_a_time_out() {
    let (submit, requests, say, mut heard) = ends();
    // The first connection answers 10 ms after the time-out: its answer must never be taken.
    let (connections, connect) = tcp_node(&[110, 0]);
    let bus =
        tokio::spawn(async move { tcp::serve_over(&tcp_setup(), connect, requests, say).await });
    assert_eq!(next(&mut heard).await, Event::Up);
    ask(&submit, read(100, 2)).await;
    assert_eq!(next(&mut heard).await, Event::Timeout);
    for address in [200, 300, 400] {
        ask(&submit, read(address, 2)).await;
        let pdu = answer(&read(address, 2));
        assert_eq!(next(&mut heard).await, Event::Answer { unit: 1, pdu });
    }
    assert_eq!(connections.load(Ordering::Relaxed), 2, "replaced once, then kept");
    drop(submit);
    bus.await.expect("ends when nobody submits");
}

#[tokio::test(start_paused = true)]
async fn tcp_carries_every_function_of_the_link_and_exceptions() {
    let (submit, requests, say, mut heard) = ends();
    let (_, connect) = tcp_node(&[]);
    tokio::spawn(async move { tcp::serve_over(&tcp_setup(), connect, requests, say).await });
    assert_eq!(next(&mut heard).await, Event::Up);
    let mut out = [0; pdu::MAX_PDU];
    let single = pdu::write_single(5, 6, &mut out).map(|len| out[..len].to_vec()).expect("fits");
    let many = vec![0x10, 0, 7, 0, 2, 4, 1, 2, 3, 4];
    let both = vec![0x17, 0, 9, 0, 2, 0, 1, 0, 1, 2, 8, 9];
    let echo = vec![0x08, 0, 0, 0xAB, 0xCD];
    let refused = vec![0x06, 0xFF, 0xFF, 0, 0];
    for request in [single, many, both, echo, refused.clone()] {
        ask(&submit, request.clone()).await;
        let pdu = answer(&request);
        assert_eq!(next(&mut heard).await, Event::Answer { unit: 1, pdu }, "{request:?}");
    }
    assert_eq!(answer(&refused), [0x86, 2], "an exception came through");
}

#[tokio::test(start_paused = true)]
async fn tcp_takes_no_answer_of_another_request_or_length() {
    let (submit, requests, say, mut heard) = ends();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let connect = move || {
        let n = count.fetch_add(1, Ordering::Relaxed);
        let (ours, mut theirs) = tokio::io::duplex(1_024);
        tokio::spawn(async move {
            while let Ok((transaction, pdu)) = tcp_request(&mut theirs).await {
                let (transaction, pdu) = match n {
                    0 => (transaction.wrapping_sub(1), answer(&pdu)),
                    1 => (transaction, answer(&read(100, 4))),
                    _ => (transaction, answer(&pdu)),
                };
                if tcp_answer(&mut theirs, transaction, &pdu).await.is_err() {
                    return;
                }
            }
        });
        std::future::ready(Ok(ours))
    };
    tokio::spawn(async move { tcp::serve_over(&tcp_setup(), connect, requests, say).await });
    for _ in 0..2 {
        assert_eq!(next(&mut heard).await, Event::Up);
        ask(&submit, read(100, 2)).await;
        assert_eq!(next(&mut heard).await, Event::Lost);
        assert!(matches!(next(&mut heard).await, Event::Down { .. }));
    }
    assert_eq!(next(&mut heard).await, Event::Up);
    ask(&submit, read(100, 2)).await;
    assert_eq!(next(&mut heard).await, Event::Answer { unit: 1, pdu: answer(&read(100, 2)) });
}

#[tokio::test(start_paused = true)]
async fn tcp_without_a_peer_is_down_once_and_comes_back() {
    let (submit, requests, say, mut heard) = ends();
    let attempts = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&attempts);
    let keep = Arc::new(Mutex::new(Vec::new()));
    let connect = move || {
        let n = count.fetch_add(1, Ordering::Relaxed);
        std::future::ready(if n < 8 {
            Err(io::Error::from(io::ErrorKind::ConnectionRefused))
        } else {
            let (ours, theirs) = tokio::io::duplex(64);
            keep.lock().expect("no panic inside").push(theirs);
            Ok(ours)
        })
    };
    tokio::spawn(async move { tcp::serve_over(&tcp_setup(), connect, requests, say).await });
    assert!(matches!(next(&mut heard).await, Event::Down { .. }));
    ask(&submit, read(1, 1)).await;
    assert_eq!(next(&mut heard).await, Event::Lost, "a request without a wire is lost, not held");
    assert_eq!(next(&mut heard).await, Event::Up, "told down only once");
    assert_eq!(attempts.load(Ordering::Relaxed), 9);
}

/// A node on the far end of a PTY whose near end is linked at `path`.
fn pty_node(path: &Path) -> PtyMaster {
    use nix::fcntl::OFlag;
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY).expect("a PTY");
    grantpt(&master).expect("granted");
    unlockpt(&master).expect("unlocked");
    let near = ptsname_r(&master).expect("its name");
    std::os::unix::fs::symlink(near, path).expect("linked");
    master
}

/// Serves `count` whole frames and hangs up when told: hanging up discards what was not read.
fn serve_frames(
    master: PtyMaster,
    path: &Path,
    count: usize,
    hang_up: Receiver<()>,
) -> std::thread::JoinHandle<()> {
    use std::io::{Read as _, Write as _};
    let path = path.to_owned();
    let node = move || {
        let mut port = File::from(std::os::fd::OwnedFd::from(master));
        let (mut frame, mut served) = (Vec::new(), 0);
        let mut bytes = [0; 256];
        while served < count {
            // Until someone opens the near end, reading fails.
            let Ok(n) = port.read(&mut bytes) else {
                std::thread::yield_now();
                continue;
            };
            frame.extend_from_slice(&bytes[..n]);
            let mut out = [0; 256];
            if let Some(len) = serve_rtu(1, &frame, &mut Addresses, &mut out) {
                port.write_all(&out[..len]).expect("written");
                frame.clear();
                served += 1;
            }
        }
        hang_up.recv().expect("told");
        std::fs::remove_file(path).expect("unlinked");
    };
    std::thread::Builder::new().name("node".to_owned()).spawn(node).expect("a thread")
}

fn serial_setup(path: &Path) -> serial::Setup {
    serial::Setup {
        bus: 0,
        name: "test".to_owned(),
        path: path.to_owned(),
        wire: Wire {
            baud: 115_200,
            bits_per_char: 11,
            turnaround_max: Micros::from_millis(20),
            broadcast_wait: Micros::from_millis(5),
            echo: modbus::session::Echo::Absent,
        },
        parity: tokio_serial::Parity::Even,
        stop_bits: tokio_serial::StopBits::One,
        tap: Tap::default(),
    }
}

async fn ask_patiently(submit: &mpsc::Sender<Request>, pdu: Vec<u8>) {
    // The machine that tests may be slow; the wire is not what is measured here.
    let timeout = Micros::from_secs(10);
    submit.send(Request { unit: 1, pdu, timeout }).await.expect("the bus lives");
}

#[tokio::test]
async fn serial_waits_for_its_port_and_finds_it_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("port");
    let (submit, requests, say, mut heard) = ends();
    let bus = serial::spawn(serial_setup(&path), requests, say).expect("starts");
    let Event::Down { why } = next(&mut heard).await else { panic!("a missing port is told") };
    assert!(why.contains("no such port") && why.contains("port"), "{why}");
    for round in 0..2_u16 {
        let (tell, told) = sync_channel(1);
        let node = serve_frames(pty_node(&path), &path, 2, told);
        assert_eq!(next(&mut heard).await, Event::Up, "round {round}");
        for address in [10 * round, 10 * round + 5] {
            ask_patiently(&submit, read(address, 3)).await;
            let pdu = answer(&read(address, 3));
            assert_eq!(next(&mut heard).await, Event::Answer { unit: 1, pdu }, "round {round}");
        }
        tell.send(()).expect("the node waits");
        node.join().expect("the node did its part");
        let Event::Down { why } = next(&mut heard).await else { panic!("hanging up is told") };
        println!("{why}");
        // The port may be seen hanging up and then missing, or missing at once.
        if !why.contains("no such port") {
            let Event::Down { why } = next(&mut heard).await else { panic!("missing is told") };
            assert!(why.contains("no such port"), "{why}");
        }
    }
    drop(submit);
    tokio::task::spawn_blocking(|| bus.join()).await.expect("joined").expect("ended well");
}

#[tokio::test]
async fn serial_refuses_a_second_master() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("port");
    let _node = pty_node(&path);
    let (_submit, requests, say, mut first) = ends();
    let _bus = serial::spawn(serial_setup(&path), requests, say).expect("starts");
    assert_eq!(next(&mut first).await, Event::Up);
    let (_other_submit, requests, say, mut second) = ends();
    let _other = serial::spawn(serial_setup(&path), requests, say).expect("starts");
    let Event::Down { why } = next(&mut second).await else { panic!("the second one is refused") };
    assert!(why.contains("in use"), "{why}");
    // Both what is wrong and what to do about it.
    let path = path.to_string_lossy();
    for part in ["two masters", &format!("fuser -v {path}"), "another port"] {
        assert!(why.contains(part), "{part}: {why}");
    }
}

#[tokio::test]
async fn serial_says_that_a_port_cannot_switch_its_direction() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("port");
    let _node = pty_node(&path);
    let (_submit, requests, say, mut heard) = ends();
    let setup = serial_setup(&path);
    let _bus = serial::spawn_rs485(setup, Rs485::Kernel, requests, say).expect("starts");
    let Event::Down { why } = next(&mut heard).await else { panic!("a PTY has no driver") };
    assert!(why.contains("RS-485 direction") && why.contains("rs485 = \"auto\""), "{why}");
}

/// Takes one whole request, then hangs up without an answer.
fn vanish(master: PtyMaster, path: &Path) -> std::thread::JoinHandle<()> {
    use std::io::Read as _;
    let path = path.to_owned();
    let node = move || {
        let mut port = File::from(std::os::fd::OwnedFd::from(master));
        let (mut frame, mut bytes) = (Vec::new(), [0; 256]);
        while serve_rtu(1, &frame, &mut Addresses, &mut [0; 256]).is_none() {
            // Until someone opens the near end, reading fails.
            match port.read(&mut bytes) {
                Ok(n) => frame.extend_from_slice(&bytes[..n]),
                Err(_) => std::thread::yield_now(),
            }
        }
        std::fs::remove_file(path).expect("unlinked");
    };
    std::thread::Builder::new().name("node".to_owned()).spawn(node).expect("a thread")
}

#[tokio::test]
async fn serial_unplugged_with_a_request_outstanding_loses_it_once_and_goes_on_when_replugged() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("port");
    let (submit, requests, say, mut heard) = ends();
    let node = vanish(pty_node(&path), &path);
    let _bus = serial::spawn(serial_setup(&path), requests, say).expect("starts");
    assert_eq!(next(&mut heard).await, Event::Up);
    ask_patiently(&submit, read(7, 3)).await;
    // The request ends once, as lost; then the wire is told down with its reason.
    assert_eq!(next(&mut heard).await, Event::Lost);
    let Event::Down { why } = next(&mut heard).await else { panic!("hanging up is told") };
    assert!(why.contains("port"), "{why}");
    node.join().expect("the node did its part");
    let (tell, told) = sync_channel(1);
    let node = serve_frames(pty_node(&path), &path, 2, told);
    loop {
        match next(&mut heard).await {
            Event::Up => break,
            Event::Down { why } => assert!(why.contains("no such port"), "{why}"),
            other => panic!("nothing was asked: {other:?}"),
        }
    }
    for address in [20, 30] {
        ask_patiently(&submit, read(address, 3)).await;
        let pdu = answer(&read(address, 3));
        assert_eq!(next(&mut heard).await, Event::Answer { unit: 1, pdu });
    }
    tell.send(()).expect("the node waits");
    node.join().expect("the node did its part");
}

#[tokio::test]
async fn serial_takes_what_is_no_serial_port_for_down() {
    let (_submit, requests, say, mut heard) = ends();
    let _bus = serial::spawn(serial_setup(Path::new("/dev/null")), requests, say).expect("starts");
    let Event::Down { why } = next(&mut heard).await else { panic!("it is no port") };
    assert!(why.contains("/dev/null"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn the_tap_shows_what_passes_on_tcp() {
    let (submit, requests, say, mut heard) = ends();
    let (_, connect) = tcp_node(&[110, 0]);
    let tap = Tap::default();
    let mut listener = tap.listen();
    let setup = tcp_tapped(tap);
    tokio::spawn(async move { tcp::serve_over(&setup, connect, requests, say).await });
    assert_eq!(next(&mut heard).await, Event::Up);
    for expected in [Event::Timeout, Event::Answer { unit: 1, pdu: answer(&read(7, 2)) }] {
        ask(&submit, read(7, 2)).await;
        assert_eq!(next(&mut heard).await, expected);
    }
    let mut passed = Vec::new();
    for _ in 0..4 {
        let tapped = listener.next().await.expect("the tap lives");
        assert_eq!((tapped.bus, tapped.unit), (3, 1));
        passed.push((tapped.what, tapped.pdu().map(<[u8]>::to_vec)));
    }
    let request = (What::Request, Some(read(7, 2)));
    let answered = (What::Answer, Some(answer(&read(7, 2))));
    assert_eq!(passed, [request.clone(), (What::Timeout, None), request, answered]);
    assert_eq!(listener.dropped(), 0);
}

#[tokio::test]
async fn a_slow_listener_loses_frames_and_knows_how_many() {
    let (submit, requests, say, mut heard) = ends();
    let (_, connect) = tcp_node(&[]);
    let tap = Tap::default();
    let mut listener = tap.listen();
    let setup = tcp_tapped(tap);
    tokio::spawn(async move { tcp::serve_over(&setup, connect, requests, say).await });
    assert_eq!(next(&mut heard).await, Event::Up);
    let exchanges = 1_500;
    for _ in 0..exchanges {
        ask(&submit, read(7, 2)).await;
        assert_eq!(next(&mut heard).await, Event::Answer { unit: 1, pdu: answer(&read(7, 2)) });
    }
    let first = listener.next().await.expect("the tap lives");
    assert_eq!(first.what, What::Request, "the oldest that is left");
    assert_eq!(listener.dropped(), 2 * exchanges - 2_048, "never more than its queue holds");
}

#[tokio::test]
async fn the_tap_shows_what_passes_on_a_serial_line() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("port");
    let (hang_up, told) = sync_channel(1);
    let node = serve_frames(pty_node(&path), &path, 1, told);
    let (submit, requests, say, mut heard) = ends();
    let setup = serial_setup(&path);
    let mut listener = setup.tap.listen();
    let _bus = serial::spawn(setup, requests, say).expect("starts");
    loop {
        if next(&mut heard).await == Event::Up {
            break;
        }
    }
    ask_patiently(&submit, read(7, 2)).await;
    assert_eq!(next(&mut heard).await, Event::Answer { unit: 1, pdu: answer(&read(7, 2)) });
    let request = listener.next().await.expect("the tap lives");
    let answered = listener.next().await.expect("the tap lives");
    assert_eq!((request.what, request.pdu()), (What::Request, Some(&read(7, 2)[..])));
    assert_eq!((answered.what, answered.pdu()), (What::Answer, Some(&answer(&read(7, 2))[..])));
    assert!(answered.at >= request.at && answered.utc_us >= request.utc_us);
    hang_up.send(()).expect("the node waits for it");
    node.join().expect("ends");
}
