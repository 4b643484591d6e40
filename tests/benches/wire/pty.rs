//! (a, second part) The same cycle over a PTY: the daemon's own serial bus in real time.
//!
//! A PTY has no baud rate, so the node at its other end waits for the wire time that a UART would
//! need. What is above the computed minimum is the host: timers, scheduling, two processes' worth
//! of threads on this machine. Reported, not judged.

use crate::{BAUD, TURN_AROUND_US, clock, percentile};
use modbus::pdu::{MAX_PDU, read_write};
use modbus::rtu::{self, Timing};
use registers::NodeKind;
use registers::exchange::WRITE_WORDS;
use registers::map::{EVENTS, WRITE};
use sortline::bus::tap::Tap;
use sortline::bus::{Event, HEARD_MAX, REQUESTS_MAX, Request, serial};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio_serial::{SerialPort as _, SerialStream};
use units::Micros;

const CALLS: usize = 1_000;

/// Answers FC 23 requests after the time that the wire would need; ends with the terminal.
async fn node(mut end: SerialStream, timing: Timing) {
    let words = usize::from(NodeKind::Zone.event_words());
    let request_len = 13 + 2 * usize::from(WRITE_WORDS);
    let mut bytes = [0; rtu::MAX_FRAME];
    loop {
        if end.read_exact(&mut bytes[..request_len]).await.is_err() {
            return;
        }
        let heard = clock();
        let mut pdu = vec![0x17, u8::try_from(2 * words).expect("fits")];
        pdu.resize(2 + 2 * words, 0);
        let mut answer = [0; rtu::MAX_FRAME];
        let len = rtu::encode(bytes[0], &pdu, &mut answer).expect("fits");
        let wait = timing.wire_time(request_len + len).plus(timing.silence());
        let due = heard + Duration::from_micros(wait.0 + TURN_AROUND_US);
        tokio::time::sleep_until(tokio::time::Instant::from_std(due)).await;
        if end.write_all(&answer[..len]).await.is_err() {
            return;
        }
    }
}

async fn exchanges(
    requests: &mpsc::Sender<Request>,
    heard: &mut mpsc::Receiver<sortline::bus::Heard>,
) -> (Vec<u64>, usize) {
    let mut pdu = [0; MAX_PDU];
    let words = [0; WRITE_WORDS as usize];
    let len = read_write(EVENTS, NodeKind::Zone.event_words(), WRITE, &words, &mut pdu);
    let pdu = &pdu[..len.expect("fits")];
    let (mut spent, mut late) = (Vec::with_capacity(CALLS), 0);
    let mut last: Option<Instant> = None;
    for unit in (1..=8).cycle().take(CALLS) {
        let request = Request { unit, pdu: pdu.to_vec(), timeout: Micros::from_millis(20) };
        requests.send(request).await.expect("the bus takes it");
        match heard.recv().await.map(|heard| heard.event) {
            Some(Event::Answer { .. }) => {
                let now = clock();
                // From answer to answer: that is what a cycle is made of.
                if let Some(last) = last.replace(now) {
                    spent.push(u64::try_from((now - last).as_micros()).unwrap_or(u64::MAX));
                }
            }
            Some(Event::Timeout) => {
                late += 1;
                last = None;
            }
            other => panic!("{other:?}"),
        }
    }
    (spent, late)
}

/// Measures exchanges over a PTY.
pub(crate) fn cycle() {
    let timing = Timing { baud: BAUD, bits_per_char: 11 };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (mut spent, late) = runtime.block_on(async {
        let (far, near) = SerialStream::pair().expect("a PTY");
        let path = near.name().expect("a path").into();
        drop(near);
        let node = tokio::spawn(node(far, timing));
        let (requests, queue) = mpsc::channel(REQUESTS_MAX);
        let (says, mut heard) = mpsc::channel(HEARD_MAX);
        let bus = serial::spawn(setup(path), queue, says).expect("a thread");
        assert_eq!(heard.recv().await.map(|heard| heard.event), Some(Event::Up));
        let measured = exchanges(&requests, &mut heard).await;
        drop(requests);
        bus.join().expect("the bus ends");
        node.abort();
        measured
    });
    spent.sort_unstable();
    let request = 13 + 2 * usize::from(WRITE_WORDS);
    let answer = 5 + 2 * usize::from(NodeKind::Zone.event_words());
    let least = timing.wire_time(request + answer).0 + 2 * timing.silence().0 + TURN_AROUND_US;
    let mean = spent.iter().sum::<u64>() as f64 / spent.len().max(1) as f64;
    println!(
        "\n(a) the same exchange over a PTY, our serial bus: median {:.2} ms, mean {:.2} ms, p99 {:.2} ms \
         against {:.2} ms computed: {:.3} x (median); {late} of {CALLS} timed out",
        percentile(&spent, 500) as f64 / 1e3,
        mean / 1e3,
        percentile(&spent, 990) as f64 / 1e3,
        least as f64 / 1e3,
        percentile(&spent, 500) as f64 / least as f64,
    );
}

fn setup(path: std::path::PathBuf) -> serial::Setup {
    let wire = modbus::session::Wire {
        baud: BAUD,
        bits_per_char: 11,
        turnaround_max: Micros::from_millis(5),
        broadcast_wait: Micros::from_millis(5),
        echo: modbus::session::Echo::Absent,
    };
    let parity = tokio_serial::Parity::Even;
    let stop_bits = tokio_serial::StopBits::One;
    serial::Setup {
        bus: 0,
        name: "bench".into(),
        path,
        wire,
        parity,
        stop_bits,
        tap: Tap::default(),
    }
}
