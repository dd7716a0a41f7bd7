//! Axes: where the ticks are and what they are called.

/// Ticks of bytes from 0 to `top` at least: powers of two apart, three to eight of them. Returns the tick
/// values; the last one is the axis' end.
pub(super) fn bytes(top: f64) -> Vec<f64> {
    let mut step = 1024.0;
    while top / step > 6.0 {
        step *= 2.0;
    }
    let count = (top / step).ceil().max(1.0) as usize;
    (0..=count).map(|i| i as f64 * step).collect()
}

/// Ticks of time within the range, at round moments, at most nine.
pub(super) fn seconds(from: f64, to: f64) -> Vec<f64> {
    const STEPS: [f64; 22] = [
        1.0,
        2.0,
        5.0,
        10.0,
        15.0,
        30.0,
        60.0,
        120.0,
        300.0,
        600.0,
        900.0,
        1800.0,
        3600.0,
        7200.0,
        10_800.0,
        21_600.0,
        43_200.0,
        86_400.0,
        172_800.0,
        604_800.0,
        1_209_600.0,
        2_419_200.0,
    ];
    let span = to - from;
    let last = STEPS[STEPS.len() - 1];
    let step =
        STEPS.into_iter().find(|s| span / s <= 8.0).unwrap_or((span / 8.0 / last).ceil() * last);
    let count = (span / step).floor() as usize;
    (0..=count).map(|i| from + i as f64 * step).collect()
}

/// `0`, `30 s`, `15 min`, `6 h`, `2 d`, since the beginning.
pub(super) fn moment(seconds: f64) -> String {
    let s = seconds.round();
    let (value, unit) = match s {
        s if s >= 86_400.0 && s % 86_400.0 == 0.0 => (s / 86_400.0, "d"),
        s if s >= 3600.0 && s % 1800.0 == 0.0 => (s / 3600.0, "h"),
        s if s >= 60.0 && s % 30.0 == 0.0 => (s / 60.0, "min"),
        s if s > 0.0 => (s, "s"),
        _ => return "0".into(),
    };
    if value.fract() == 0.0 { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_few_and_round() {
        let mib = 1024.0 * 1024.0;
        assert_eq!(bytes(500.0 * mib).len(), 5);
        assert_eq!(bytes(500.0 * mib)[..2], [0.0, 128.0 * mib]);
        assert_eq!(bytes(0.0), [0.0, 1024.0]);
        for span in [0.0, 1.0, 59.0, 3600.0, 28_800.0, 1e6, 1e9] {
            assert!(seconds(0.0, span).len() <= 9, "{span}");
        }
        assert_eq!(seconds(100.0, 28_900.0)[..2], [100.0, 3700.0]);
        let words = [0.0, 30.0, 90.0, 900.0, 5400.0, 21_600.0, 172_800.0].map(moment);
        assert_eq!(words, ["0", "30 s", "1.5 min", "15 min", "1.5 h", "6 h", "2 d"]);
    }
}
