//! What limits a line: geometry over speed, bed, gap and changes of direction; what the example lines
//! reach of it. Asserts nothing.

use system_tests::harness::Harness;
use system_tests::inputs::Inputs;
use system_tests::summary;

/// Mean length of parcels as they lie, gap margin, gap without a change: mm.
const LENGTH: u64 = 337;
const MARGIN: u64 = 60;
const SAME: u64 = 250;

/// Parcels an hour at `speed` mm/s when `changes` % of the gaps see a bed change its state.
fn limit(speed: u64, bed: (u64, u64), sigma: u64, changes: u64) -> u64 {
    let (length, switch_ms) = bed;
    let change = length + speed * switch_ms / 1_000 + MARGIN + speed / 10;
    let gap = (change.max(SAME) * changes + SAME * (100 - changes)) / 100;
    3_600 * speed / (gap + sigma * 22 / 10 + LENGTH)
}

fn table() {
    println!(
        "geometric limit in parcels/h; mean length {LENGTH} mm, margin {MARGIN} mm, at 1 % conflicts"
    );
    println!("bed mm/ms  speed mm/s  gap sigma mm  100 % change  75 %  50 %  25 %  0 %");
    for bed in [(350, 200), (250, 150)] {
        for speed in [1_000, 1_200, 1_500, 2_000] {
            for sigma in [30, 60] {
                let row = [100, 75, 50, 25, 0].map(|changes| limit(speed, bed, sigma, changes));
                println!("{bed:?}  {speed:>5}  {sigma:>3}  {row:?}");
            }
        }
    }
}

fn reached(name: &str, inputs: &Inputs) {
    let line = Harness::new(inputs).expect("example files").fixed.clone();
    let sequence =
        sortline::config::limit::destinations(&line.line.engine.layout, &line.plan, &line.manifest);
    let before = line.line.limit_before_gapping_per_hour(&sequence);
    let summary = summary::run(inputs).expect("example files").summary;
    let limit = summary.geometric_limit_per_hour;
    let conflicts = summary.end_landed.get("gap_too_small").copied().unwrap_or_default();
    println!(
        "{name}: {} parcels, {}/h = {:.1} % of the limit {limit}/h (codes read after gapping), \
         {conflicts} conflicts; read before gapping the limit would be {before}/h",
        summary.inducted,
        summary.parcels_per_hour,
        summary.parcels_per_hour as f64 * 100.0 / limit as f64,
    );
}

fn main() {
    table();
    reached("demo line", &Inputs::demo(2_000, 7));
    reached("fast line", &Inputs::fast(2_000, 7));
}
