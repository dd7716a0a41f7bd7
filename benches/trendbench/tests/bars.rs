//! A small sample of the bench, quick enough for every test run: it fails when the statistics get
//! clearly worse. Tuning seeds; the figures that are quoted come from the test seeds.

use leakline_trend::{Verdict, judge_scored};
use leakline_trendbench::generate::{Cell, Purpose, generate};
use leakline_trendbench::measure;
use leakline_trendbench::tables;

#[test]
fn a_seed_is_a_series() {
    for cell in [Cell::Hours2, Cell::Healthy] {
        let (a, b) = (generate(Purpose::Tuning, cell, 7), generate(Purpose::Tuning, cell, 7));
        assert_eq!(a.series, b.series);
        let (one, other) = (judge_scored(&a.series), judge_scored(&b.series));
        assert_eq!(one, other);
        assert_ne!(a.series, generate(Purpose::Test, cell, 7).series);
    }
}

#[test]
fn leaks_are_found_and_healthy_series_left_alone() {
    let mut leaking = Vec::new();
    for cell in [Cell::Hours2, Cell::Hours12, Cell::Hours72] {
        let outcomes = measure::run(Purpose::Tuning, cell, 60);
        let found = outcomes.iter().filter(|o| o.verdict == Verdict::Leak).count();
        assert!(found >= 53, "{}: {found} of 60\n{}", cell.name(), tables::mistakes(&outcomes));
        leaking.extend(outcomes);
    }
    let healthy = measure::run(Purpose::Tuning, Cell::Healthy, 300);
    let alarms = healthy.iter().filter(|o| o.verdict == Verdict::Leak).count();
    assert!(alarms <= 5, "{alarms} of 300\n{}", tables::mistakes(&healthy));
    // A verdict of `leak` and a score of 1 are the same thing.
    for o in leaking.iter().chain(&healthy) {
        assert_eq!(o.verdict == Verdict::Leak, o.score >= 1.0, "{o:?}");
    }
}

#[test]
fn intervals_cover_as_often_as_they_say() {
    let outcomes = measure::run(Purpose::Tuning, Cell::Coverage, 200);
    let known: Vec<bool> = outcomes.iter().filter_map(|o| o.covered).collect();
    let covered = known.iter().filter(|c| **c).count() as f64 / known.len() as f64;
    assert!((0.90..=0.99).contains(&covered), "{covered}");
}

/// 5 MB an hour in 512 MB, a sample each 30 s: found within twelve hours.
#[test]
fn the_slow_classic_is_found_within_half_a_day() {
    let mib = 1_048_576.0;
    let found = measure::delays(Purpose::Tuning, 512.0 * mib, 5.0 * mib, 12.0, 30.0, 3.0, 10);
    assert!(found.iter().all(Option::is_some), "{found:?}");
}
