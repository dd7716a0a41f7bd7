use super::*;
use crate::text::HOUR;

const MB: f64 = 1e6;

/// A heap of that level at each minute, with a sawtooth of garbage on top and a full collection each ten
/// minutes.
fn series(name: &str, hours: f64, level: impl Fn(f64) -> f64, per_hour: Option<u64>) -> Series {
    let step = if hours > 12.0 { 120.0 } else { 30.0 };
    let mut random = 12_345_u64 + name.len() as u64;
    let samples = (0..(hours * HOUR / step) as u64).map(|i| {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let noise = (random >> 40) as f64 / f64::from(1 << 24);
        let t = i as f64 * step;
        let garbage = (t % 600.0) / 600.0 * 12.0 * MB;
        let heap = level(t / HOUR) * MB + garbage + noise * 2.0 * MB;
        Sample {
            elapsed_seconds: t,
            heap_used: Some(heap as u64),
            rss: Some((heap + 60.0 * MB) as u64),
            limit: Some(512_000_000),
            gc_major_count: per_hour.map(|_| i * step as u64 / 600),
            requests: per_hour.map(|r| (r as f64 * step / HOUR) as u64),
            ..Sample::default()
        }
    });
    Series { name: Some(name.into()), samples: samples.collect() }
}

fn leak(hours: f64) -> Series {
    series("before", hours, |h| 80.0 + 50.0 * h, None)
}

/// 80 to 120 MB, most of it in the first hours, then level.
fn cured(hours: f64) -> Series {
    series("after", hours, |h| 120.0 - 40.0 * (-h / 4.0).exp(), None)
}

fn codes(v: &Verification) -> Vec<&str> {
    v.reasons.iter().map(|r| r.code).collect()
}

#[test]
fn the_classic_case_is_fixed_and_levelled() {
    let v = verify(&leak(8.0), &cured(48.0));
    assert_eq!(v.result, Fix::Fixed, "{v:#?}");
    assert_eq!(v.reasons[0].code, "levelled", "{v:#?}");
    assert!(v.reduction.low.unwrap() > 0.95 && v.reduction.estimate.unwrap() > 0.97, "{v:#?}");
    assert_eq!(v.signal, Some("heap_used"));
    let near = |bytes: Option<u64>, mb: f64| (bytes.unwrap() as f64 / MB - mb).abs() < 12.0;
    assert!(near(v.before.start_bytes, 85.0) && near(v.before.end_bytes, 470.0), "{:?}", v.before);
    assert!(near(v.after.end_bytes, 122.0), "{:?}", v.after);
}

#[test]
fn too_little_after_is_inconclusive_and_says_what_it_takes() {
    for hours in [0.02, 0.1] {
        let v = verify(&leak(8.0), &cured(hours));
        assert_eq!(v.result, Fix::Inconclusive, "{hours} h: {v:#?}");
        assert!(v.reasons[0].text.contains("watch for about"), "{v:#?}");
    }
    // Cured, but still filling.
    let v = verify(&leak(8.0), &cured(3.0));
    assert_ne!(v.result, Fix::Fixed, "{v:#?}");
}

#[test]
fn a_leak_that_goes_on_is_not_fixed() {
    let same = verify(&leak(8.0), &leak(12.0));
    assert_eq!(same.result, Fix::NotFixed, "{same:#?}");
    assert_eq!(same.reasons[0].code, "same");
    let slower = verify(&leak(8.0), &series("after", 24.0, |h| 80.0 + 15.0 * h, None));
    assert_eq!((slower.result, slower.reasons[0].code), (Fix::NotFixed, "slower"), "{slower:#?}");
    assert!((slower.reduction.estimate.unwrap() - 0.7).abs() < 0.03);
    let worse = verify(&leak(8.0), &series("after", 8.0, |h| 80.0 + 90.0 * h, None));
    assert_eq!(worse.result, Fix::Worse, "{worse:#?}");
}

/// Without counts of collections a heap alone may not carry a verdict; RSS beside it does.
#[test]
fn the_part_that_carries_a_verdict_is_compared() {
    let [mut before, mut after] = [leak(8.0), series("after", 8.0, |h| 80.0 + 15.0 * h, None)];
    for s in before.samples.iter_mut().chain(&mut after.samples) {
        s.rss = s.rss.map(|r| r + 5_000_000);
    }
    let v = verify(&before, &after);
    assert_eq!((v.result, v.reasons[0].code), (Fix::NotFixed, "slower"), "{v:#?}");
    assert_eq!(v.after.verdict, Some(Verdict::Leak), "{v:#?}");
}

/// A service that was started an hour ago still fills its caches: slower growth is no second leak yet.
#[test]
fn slower_growth_of_a_young_service_is_not_judged() {
    let v = verify(&leak(8.0), &series("after", 1.0, |h| 80.0 + 10.0 * h, Some(3600)));
    assert_eq!(v.result, Fix::Inconclusive, "{v:#?}");
    let same = verify(&leak(8.0), &leak(1.0));
    assert_ne!(same.result, Fix::Fixed, "{same:#?}");
}

#[test]
fn a_leak_that_was_none_before_is_worse_and_no_leak_at_all_proves_nothing() {
    let calm = || series("before", 12.0, |_| 90.0, None);
    assert_eq!(verify(&calm(), &leak(8.0)).result, Fix::Worse);
    let nothing = verify(&calm(), &calm());
    assert_eq!((nothing.result, nothing.reasons[0].code), (Fix::Inconclusive, "no-leak-before"));
    let unknown = verify(&leak(0.05), &cured(48.0));
    assert_eq!((unknown.result, unknown.reasons[0].code), (Fix::Inconclusive, "before-undecided"));
    assert_eq!(unknown.reduction, Reduction::default());
}

#[test]
fn rates_are_per_request_where_requests_are_known() {
    let before = series("before", 8.0, |h| 80.0 + 50.0 * h, Some(36_000));
    // The same leak under half of the load: half the rate an hour, the same for each request.
    let after = series("after", 12.0, |h| 80.0 + 25.0 * h, Some(18_000));
    let v = verify(&before, &after);
    assert_eq!((v.result, v.per), (Fix::NotFixed, "request"), "{v:#?}");
    assert!(v.reduction.estimate.unwrap().abs() < 0.1, "{v:#?}");
    assert!((v.before.rate_bytes_per_request.unwrap().estimate - 50e6 / 36e3).abs() < 100.0);
    assert!(codes(&v).contains(&"load-differs"), "{v:#?}");
    assert!(codes(&verify(&leak(8.0), &cured(48.0))).contains(&"load-unknown"));
}

#[test]
fn sides_without_a_part_in_common_and_leaks_that_moved() {
    let mut only_rss = cured(48.0);
    only_rss.samples.iter_mut().for_each(|s| s.heap_used = None);
    let v = verify(&leak(8.0), &only_rss);
    assert_eq!((v.result, v.signal), (Fix::Fixed, Some("rss")), "{v:#?}");
    let mut only_external = cured(48.0);
    only_external.samples.iter_mut().for_each(|s| {
        s.external = s.heap_used.take();
        s.rss = None;
    });
    let v = verify(&leak(8.0), &only_external);
    assert_eq!((v.result, v.reasons[0].code), (Fix::Inconclusive, "no-common-signal"));

    let mut moved = cured(48.0);
    for s in &mut moved.samples {
        let buffers = (s.elapsed_seconds * 20e6 / HOUR) as u64 + 5_000_000;
        s.external = Some(buffers);
        s.array_buffers = Some(buffers);
        s.rss = s.rss.map(|r| r + buffers);
    }
    let v = verify(&leak(8.0), &moved);
    assert_eq!((v.result, v.reasons[0].code), (Fix::NotFixed, "leaks-elsewhere"), "{v:#?}");
}

fn runs(name: &str, n: usize, rate: impl Fn(usize) -> f64) -> Vec<Series> {
    // Each run warms up first; the numbers differ from run to run.
    (0..n)
        .map(|i| {
            let rate = rate(i);
            let name = format!("{name}{}", "x".repeat(i));
            series(&name, 1.0, move |h| 80.0 + 30.0 * (h * 4.0).min(1.0) + rate * h, Some(6000))
        })
        .collect()
}

#[test]
fn several_runs_are_compared_by_their_means() {
    let wobble = |i: usize| [0.0, 3.0, -2.0, 4.0, -4.0][i % 5];
    let before = runs("b", 5, |i| 60.0 + wobble(i));
    let after = runs("a", 5, |i| wobble(i + 1) / 4.0);
    let v = verify_runs(&before, &after);
    assert_eq!(v.result, Fix::Fixed, "{v:#?}");
    assert!(v.reduction.low.unwrap() > 0.8, "{:?}", v.reduction);
    assert!((v.before.rate_bytes_per_hour.estimate / MB - 60.0).abs() < 6.0, "{:?}", v.before);
    assert_eq!((v.before.runs.len(), v.per), (5, "request"));

    assert_eq!(verify_runs(&before, &before).result, Fix::NotFixed);
    assert_eq!(verify_runs(&before, &runs("a", 5, |i| 20.0 + wobble(i))).result, Fix::NotFixed);
    assert_eq!(verify_runs(&before, &runs("a", 5, |i| 120.0 + wobble(i))).result, Fix::Worse);
    let few = verify_runs(&before, &after[..2]);
    assert_eq!((few.result, few.reasons[0].code), (Fix::Inconclusive, "too-few-runs"), "{few:#?}");
    let calm = runs("a", 5, |i| [-3.0, 2.0, -2.0, 3.0, 0.0][i]);
    let none = verify_runs(&calm, &calm);
    assert_eq!(none.result, Fix::Inconclusive, "{none:#?}");
}

#[test]
fn runs_without_samples_are_left_out_and_said() {
    let empty = Series { name: None, samples: vec![Sample::default(); 3] };
    let v = verify_runs(&[empty], &runs("a", 3, |_| 0.0));
    assert_eq!((v.result, v.reasons[0].code), (Fix::Inconclusive, "no-common-signal"));
    let mut after = runs("a", 4, |_| 0.0);
    after[0].samples.truncate(5);
    let v = verify_runs(&runs("b", 4, |i| 50.0 + i as f64), &after);
    assert_eq!(v.result, Fix::Fixed, "{v:#?}");
    assert!(codes(&v).contains(&"short-runs"));
}
