//! The gapping zone on the plant: the gaps that it makes and how many parcels an hour pass.

use crate::support::{Bench, setup};
use line_sim::WorldSetup;
use units::Micros;

/// What a run of a line shows.
struct Figures {
    per_hour: u64,
    mean: i64,
    sigma: i64,
    least: i64,
}

/// Leads of the gapping zone in counts of the sorter belt, by the rule of `CONFIG.md`: the host works
/// them out, and nothing here may lean on it.
fn leads(setup: &WorldSetup) -> [u16; 2] {
    let [.., zone, sorter] = &setup.line.zone[..] else { panic!("three zones") };
    let [v2, v3] = [zone, sorter].map(|zone| i64::from(zone.speed_mm_s));
    let ramp = i64::from(zone.accel_mm_s2);
    let to_end = i64::from(zone.to_mm - zone.exit_eye_mm.expect("gapping"));
    let half = i64::from(setup.line.gap.mean_length_mm) / 2;
    let gained = (to_end + half - (to_end - half).max(0)) * (v3 - v2) / v2;
    let pass = gained - v3 * 25 / 1_000;
    let start = pass - v3 * v2 / (8 * ramp);
    [pass, start].map(|lead| u16::try_from(lead.max(0)).expect("small"))
}

fn run(setup: WorldSetup, gap: u32) -> Figures {
    let (leads, name, seed) = (leads(&setup), setup.profile.clone(), setup.seed);
    let speeds = [0, 1, 2].map(|zone: usize| setup.line.zone[zone].speed_mm_s);
    let mut bench = Bench::new(setup);
    bench.start(speeds, gap, leads);
    let limit = bench.world.now().plus(Micros::from_secs(900));
    while !bench.world.is_drained() {
        assert!(bench.world.now() < limit, "seed {seed}: the line does not drain");
        bench.poll_for(Micros::from_secs(10));
    }
    let parcels = &bench.world.truth().parcels[50..];
    let times: Vec<u64> = parcels.iter().map(|p| p.inducted_at.expect("drained").0).collect();
    let intervals = u64::try_from(times.len() - 1).expect("small");
    let per_hour = intervals * 3_600_000_000 / (times[times.len() - 1] - times[0]);
    let gaps: Vec<i64> = parcels.iter().filter_map(|parcel| parcel.gap_mm).collect();
    let count = i64::try_from(gaps.len()).expect("small");
    let mean = gaps.iter().sum::<i64>() / count;
    let sigma = (gaps.iter().map(|gap| (gap - mean).pow(2)).sum::<i64>() / count).isqrt();
    let least = gaps.iter().copied().min().expect("parcels");
    let most = gaps.iter().copied().max().expect("parcels");
    println!(
        "{speeds:?} mm/s profile {name} seed {seed} gap {gap} leads {leads:?}: {per_hour}/h, \
         mean {mean} σ {sigma} least {least} most {most} mm"
    );
    Figures { per_hour, mean, sigma, least }
}

#[test]
fn gaps_on_the_demo_line_keep_their_target_and_throughput() {
    for seed in [1, 2] {
        let figures = run(setup(false, "normal", seed, 400), 902);
        assert!(figures.per_hour >= 3_350, "seed {seed}: {}/h", figures.per_hour);
        assert!((892..=932).contains(&figures.mean), "seed {seed}: mean {}", figures.mean);
        assert!(figures.sigma <= 60, "seed {seed}: σ {}", figures.sigma);
        // Bed, switch, settling and margin: what the parcel behind a diverted one needs.
        assert!(figures.least >= 770, "seed {seed}: least {}", figures.least);
    }
}

#[test]
fn gaps_on_a_fast_line_keep_their_target_and_throughput() {
    let figures = run(setup(true, "normal", 1, 400), 817);
    assert!(figures.per_hour >= 4_550, "{}/h", figures.per_hour);
    assert!((797..=847).contains(&figures.mean), "mean {}", figures.mean);
    assert!(figures.sigma <= 60, "σ {}", figures.sigma);
    assert!(figures.least >= 685, "least {}", figures.least);
}

#[test]
fn a_clean_plant_makes_tighter_gaps() {
    let figures = run(setup(false, "clean", 3, 400), 902);
    assert!(figures.sigma <= 40, "σ {}", figures.sigma);
    assert!((892..=932).contains(&figures.mean), "mean {}", figures.mean);
}
