//! What `bus watch` draws: buses, nodes, and the newest frames or changes.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Block, Borders, Cell, Paragraph, Row, Table};

use super::meter::{BusMeter, Health, Latencies, NodeMeter};
use super::watch::State;
use crate::bus::tap::What;

/// Heads of the table of buses.
const BUS_HEAD: [&str; 7] = ["bus", "load", "exch/s", "p50 ms", "p99 ms", "max ms", ""];
/// Heads of the table of nodes; the errors are counted since the beginning.
const NODE_HEAD: [&str; 16] = [
    "node", "bus", "unit", "health", "exch", "retry", "t-out", "crc", "late", "dup", "foreign",
    "misfit", "exc", "lost", "p50 ms", "p99 ms",
];

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, state: &State, io: bool) {
    let troubles = rows(state.scene.troubles.len());
    let buses = rows(state.meter.buses.len()).saturating_add(1);
    let nodes: usize = state.meter.buses.values().map(|bus| bus.nodes.len()).sum();
    let nodes = rows(nodes).saturating_add(1);
    let room = frame.area().height.saturating_sub(troubles.saturating_add(buses).saturating_add(4));
    let parts = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(troubles),
        Constraint::Length(buses),
        // At least a few of the newest frames stay visible beside many nodes.
        Constraint::Length(nodes.min(room.saturating_sub(6).max(room / 2))),
        Constraint::Min(3),
    ]);
    let [head, bad, top, middle, bottom] = parts.areas(frame.area());
    frame.render_widget(Paragraph::new(title(state)).style(bold()), head);
    let bad_lines: Vec<Line<'_>> =
        state.scene.troubles.iter().map(|text| Line::from(text.as_str())).collect();
    frame.render_widget(Paragraph::new(Text::from(bad_lines)).style(alarm()), bad);
    frame.render_widget(bus_table(state), top);
    frame.render_widget(node_table(state), middle);
    let (name, lines) = if io {
        (" changes of inputs (q leaves) ", &state.changes)
    } else {
        (" frames (q leaves) ", &state.lines)
    };
    let shown = usize::from(bottom.height.saturating_sub(1));
    let skipped = lines.len().saturating_sub(shown);
    let text: Vec<Line<'_>> =
        lines.iter().skip(skipped).map(|line| Line::from(line.as_str())).collect();
    let block = Block::default().borders(Borders::TOP).title(name);
    frame.render_widget(Paragraph::new(Text::from(text)).block(block), bottom);
}

fn rows(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

fn bold() -> Style {
    Style::default().add_modifier(Modifier::BOLD)
}

fn alarm() -> Style {
    Style::default().fg(Color::Red)
}

fn title(state: &State) -> String {
    let dropped = match state.dropped {
        0 => String::new(),
        frames => format!(", {frames} frames dropped"),
    };
    format!(
        "sortline bus watch  {}  {} s{dropped}",
        state.scene.title,
        state.since().millis() / 1_000
    )
}

fn bus_table(state: &State) -> Table<'_> {
    let now = state.now();
    let rows = state.meter.buses.values().map(|bus| Row::new(bus_cells(bus, now)));
    let widths = [12, 8, 8, 8, 8, 8, 4].map(Constraint::Length);
    Table::new(rows, widths).header(Row::new(BUS_HEAD).style(bold()))
}

fn bus_cells(bus: &BusMeter, now: units::Micros) -> [String; 7] {
    let [p50, p99, max] = latencies(&bus.latencies);
    let (load, rate) = (bus.load_permille(now), bus.rate_tenths(now));
    let load = format!("{}.{} %", load / 10, load % 10);
    [bus.name.clone(), load, format!("{}.{}", rate / 10, rate % 10), p50, p99, max, String::new()]
}

fn node_table(state: &State) -> Table<'_> {
    let rows = state.meter.buses.iter().flat_map(|(index, bus)| {
        bus.nodes.iter().map(move |(unit, node)| {
            let name = state.scene.name(*index, *unit).unwrap_or_else(|| "-".to_owned());
            let cells = node_cells(name, &bus.name, *unit, node);
            let style = match node.health() {
                Health::Ok | Health::Unknown => Style::default(),
                Health::Degraded => Style::default().fg(Color::Yellow),
                Health::Offline => alarm(),
            };
            Row::new(cells.map(Cell::from)).style(style)
        })
    });
    let widths = [10, 8, 4, 8, 7, 5, 5, 5, 5, 4, 7, 6, 4, 4, 7, 7].map(Constraint::Length);
    Table::new(rows, widths).header(Row::new(NODE_HEAD).style(bold()))
}

fn node_cells(name: String, bus: &str, unit: u8, node: &NodeMeter) -> [String; 16] {
    let [p50, p99, _] = latencies(&node.latencies);
    let count = |what| node.count(what).to_string();
    [
        name,
        bus.to_owned(),
        unit.to_string(),
        node.health().name().to_owned(),
        node.exchanges.to_string(),
        node.retries.to_string(),
        count(What::Timeout),
        count(What::Crc),
        count(What::Late),
        count(What::Duplicate),
        count(What::Foreign),
        count(What::Mismatch),
        node.exceptions.to_string(),
        count(What::Lost),
        p50,
        p99,
    ]
}

/// Latencies in milliseconds with one decimal.
fn latencies(latencies: &Latencies) -> [String; 3] {
    match latencies.figures() {
        Some(figures) => figures.map(|us| format!("{}.{}", us / 1_000, us % 1_000 / 100)),
        None => ["-", "-", "-"].map(str::to_owned),
    }
}

/// The same figures as lines, where there is no terminal.
pub(super) fn lines(state: &State) -> Vec<String> {
    let now = state.now();
    let mut out =
        vec![format!("t {} s, {} frames dropped", state.since().millis() / 1_000, state.dropped)];
    for (index, bus) in &state.meter.buses {
        let [name, load, rate, p50, p99, max, _] = bus_cells(bus, now);
        out.push(format!(
            "bus {name}: load {load}, {rate} exchanges/s, p50 {p50} p99 {p99} max {max} ms"
        ));
        for (unit, node) in &bus.nodes {
            let name = state.scene.name(*index, *unit).unwrap_or_else(|| format!("unit {unit}"));
            let cells = node_cells(name, &bus.name, *unit, node);
            let parts: Vec<String> = NODE_HEAD
                .iter()
                .zip(&cells)
                .skip(3)
                .map(|(head, cell)| format!("{head} {cell}"))
                .collect();
            out.push(format!("  {:<10} {}", cells[0], parts.join(", ")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::tap::{Tapped, Wire};
    use crate::tools::source::Scene;
    use crate::tools::target::{self, Known, Settings, Target};
    use line_file::{LineFile, Parity};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use registers::NodeKind;
    use units::Micros;

    fn scene() -> Scene {
        let text = include_str!("../../examples/factory-line.toml");
        let node = |name: &str, kind, unit| Known { name: name.to_owned(), kind, unit };
        Scene {
            title: "a test".to_owned(),
            targets: vec![Target {
                index: 0,
                name: "field".to_owned(),
                wire: target::Wire::Serial {
                    path: "/dev/x".to_owned(),
                    line: Settings { baud: 115_200, parity: Parity::Even, stop_bits: 1 },
                    turnaround: Micros::ZERO,
                    echo: line_file::EchoMode::Absent,
                    rs485: line_file::Rs485::Auto,
                },
                timeout: Micros::ZERO,
                nodes: vec![node("Z3", NodeKind::Zone, 3), node("D1", NodeKind::Diverter, 11)],
                described: true,
            }],
            file: LineFile::parse(text).ok(),
            troubles: vec!["failed to use bus dws".to_owned()],
            masked: true,
        }
    }

    fn frame(at_ms: u64, unit: u8, what: What, pdu: &[u8]) -> Tapped {
        let mut bytes = vec![0; 256];
        let len = modbus::rtu::encode(unit, pdu, &mut bytes).expect("fits");
        bytes.truncate(len);
        if what == What::Timeout {
            bytes.clear();
        }
        let (at, wire) = (Micros::from_millis(at_ms), Wire::Serial);
        Tapped { at, utc_us: 0, bus: 0, wire, unit, what, bytes }
    }

    fn status(inputs: u8) -> Vec<u8> {
        let mut answer = vec![0x03, 52];
        answer.resize(54, 0);
        answer[2 + 17] = inputs;
        answer
    }

    fn played() -> State {
        let mut state = State::new(scene());
        let ask = [0x03, 0x03, 0x00, 0, 26];
        for (at, inputs) in [(0, 0), (20, 2), (40, 0)] {
            assert!(state.take(&frame(at, 3, What::Request, &ask)).is_empty());
            state.take(&frame(at + 8, 3, What::Answer, &status(inputs)));
        }
        for at in [60, 120, 180] {
            state.take(&frame(at, 11, What::Request, &ask));
            state.take(&frame(at + 50, 11, What::Timeout, &[0x03]));
        }
        state
    }

    fn drawn(state: &State, io: bool) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(130, 16)).expect("a terminal");
        terminal.draw(|frame| draw(frame, state, io)).expect("drawn");
        let buffer = terminal.backend().buffer();
        let row = |y| (0..130).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..16).map(|y| row(y).trim_end().to_owned()).collect()
    }

    #[test]
    fn the_screen_shows_buses_nodes_and_frames() {
        let screen = drawn(&played(), false);
        println!("{}", screen.join("\n"));
        assert!(screen[0].starts_with("sortline bus watch  a test"));
        assert_eq!(screen[1], "failed to use bus dws");
        assert!(screen[2].starts_with("bus          load     exch/s   p50 ms   p99 ms   max ms"));
        assert!(screen[3].starts_with("field ") && screen[3].contains("8.0      8.0      8.0"));
        let expected = "Z3         field    3    ok       3       0     0     0     0     0    0       0      0    0    8.0     8.0";
        assert_eq!(screen[5], expected);
        let expected = "D1         field    11   offline  3       2     3     0     0     0    0       0      0    0    -       -";
        assert_eq!(screen[6], expected);
        assert!(screen[7].contains("frames (q leaves)"));
        assert_eq!(screen[15], "     230 ms  field    D1         timeout   no answer");
        let decoded = "status: inputs none on, outputs none on, status_owner nobody";
        assert!(screen.iter().any(|line| line.ends_with(decoded)), "decoded by name");
    }

    #[test]
    fn the_point_check_shows_changes_with_their_terminals() {
        let state = played();
        let screen = drawn(&state, true);
        println!("{}", screen.join("\n"));
        let text = screen.join("\n");
        assert!(text.contains("changes of inputs"));
        assert!(text.contains("eye_a             ON   PE-IND CAB1-X2:1 induction"), "{text}");
        assert!(text.contains("+20"), "20 ms later it is off again: {text}");
        assert!(!state.untouched().contains(&"Z3 eye_a".to_owned()));
        assert!(state.untouched().contains(&"D1 eye_arrival".to_owned()));
    }

    #[test]
    fn lines_say_the_same_without_a_terminal() {
        let lines = lines(&played());
        println!("{}", lines.join("\n"));
        assert!(lines[1].starts_with("bus field: load "));
        assert!(
            lines[3].starts_with("  D1         health offline, exch 3, retry 2, t-out 3, crc 0")
        );
    }
}
