//! Several series of one workload: its replicas.
//!
//! A first form: the replicas are judged one by one and their verdicts counted. A leak in the code
//! shows in most replicas that have run long enough; in one alone it is that replica's (its share
//! of the traffic, or its state).

use crate::judge::judge;
use crate::sample::Series;
use crate::verdict::{NamedTrend, Reason, Verdict, WorkloadTrend, WorkloadVerdict};

/// From this many series on they are judged on all cores.
const MANY: usize = 64;

/// Judges each series and the workload they make together.
pub fn judge_many(series: &[Series]) -> WorkloadTrend {
    let named = |s: &Series| NamedTrend { name: s.name.clone(), trend: judge(s) };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let series: Vec<NamedTrend> = if series.len() < MANY || workers < 2 {
        series.iter().map(named).collect()
    } else {
        // Each worker takes a run of them, so the order stands.
        let parts = series.chunks(series.len().div_ceil(workers));
        std::thread::scope(|scope| {
            let work = |part: &[Series]| part.iter().map(named).collect::<Vec<_>>();
            let running: Vec<_> = parts.map(|part| scope.spawn(move || work(part))).collect();
            running
                .into_iter()
                .flat_map(|it| it.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    };
    let workload = together(&series);
    WorkloadTrend { series, workload }
}

fn together(series: &[NamedTrend]) -> WorkloadVerdict {
    let of = |verdict: Verdict| series.iter().filter(|s| s.trend.verdict == verdict).count();
    let leaking = of(Verdict::Leak);
    let decided = series.len() - of(Verdict::InsufficientData);
    if leaking > 0 {
        let (code, text) = if leaking * 2 > decided {
            ("most-replicas", format!("{leaking} of {decided} series with a verdict leak"))
        } else {
            (
                "some-replicas",
                format!(
                    "{leaking} of {decided} series with a verdict leak: look at what they serve \
                     that the others do not"
                ),
            )
        };
        return WorkloadVerdict { verdict: Verdict::Leak, reasons: vec![Reason::new(code, text)] };
    }
    // Without a leak the most common verdict speaks; on a tie the one that asks for more attention.
    let order = [Verdict::WarmUp, Verdict::Plateau, Verdict::FollowsLoad, Verdict::Stable];
    let mut best = (Verdict::InsufficientData, 0);
    for verdict in order {
        if of(verdict) > best.1 {
            best = (verdict, of(verdict));
        }
    }
    let text = if decided == 0 {
        "no series carries a verdict".to_owned()
    } else {
        format!("{} of {decided} series with a verdict agree, none leaks", best.1)
    };
    WorkloadVerdict { verdict: best.0, reasons: vec![Reason::new("no-leak", text)] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    fn series(name: &str, per_hour: f64) -> Series {
        let sample = |i: u32| Sample {
            elapsed_seconds: f64::from(i) * 60.0,
            rss: Some((200e6 + per_hour * f64::from(i) / 60.0 + f64::from(i * 7 % 5) * 1e5) as u64),
            ..Sample::default()
        };
        Series { name: Some(name.into()), samples: (0..480).map(sample).collect() }
    }

    #[test]
    fn replicas_are_counted() {
        let both = judge_many(&[series("a", 20e6), series("b", 20e6), series("c", 0.0)]);
        assert_eq!(both.workload.verdict, Verdict::Leak);
        assert_eq!(both.workload.reasons[0].code, "most-replicas");
        let one = judge_many(&[series("a", 20e6), series("b", 0.0), series("c", 0.0)]);
        assert_eq!(one.workload.reasons[0].code, "some-replicas");
        let none = judge_many(&[series("a", 0.0), series("b", 0.0)]);
        assert_eq!(none.workload.verdict, Verdict::Stable);
        assert_eq!(judge_many(&[]).workload.verdict, Verdict::InsufficientData);
    }

    #[test]
    fn json_is_the_contracts() {
        let json = serde_json::to_value(judge_many(&[series("a", 20e6)])).unwrap();
        let first = &json["series"][0];
        assert_eq!(first["name"], "a");
        for key in [
            "verdict",
            "confidence",
            "where",
            "rate_bytes_per_hour",
            "time_to_limit_seconds",
            "segments",
            "reasons",
        ] {
            assert!(first.get(key).is_some(), "{key}");
        }
        assert!(first["time_to_limit_seconds"].is_null());
        assert_eq!(json["workload"]["verdict"], "leak");
    }
}
