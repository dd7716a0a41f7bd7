//! What samples and snapshots say together.

use leakline_analysis::detect::Confidence;
use leakline_report::{Investigation, InvestigationVerdict, PreflightDecision, SampleRecord};
use leakline_trend::{Sample, Series, Trend, Verdict, Where, judge};

use crate::clock;

/// Growth between first and last snapshot that is worth a doubt when no place explains it.
const UNEXPLAINED_BYTES: u64 = 1 << 20;

/// Samples alone say "no leak" only after this long: the leaks people are paged for (5 MiB an hour and more)
/// stay below the noise of a heap for minutes.
const MIN_SECONDS_FOR_ALL_CLEAR: f64 = 3600.0;

/// An investigation without anything in it yet.
pub(crate) fn empty(started: String) -> Investigation {
    Investigation {
        schema: "leakline/investigation/1",
        verdict: InvestigationVerdict::Inconclusive,
        leak: false,
        confidence: Confidence::Low,
        target: None,
        ended: clock::now(),
        started,
        samples: Vec::new(),
        trend: None,
        preflight: None,
        snapshots: Vec::new(),
        diff: None,
        comparable: None,
        growth: None,
        suspects: Vec::new(),
        verification: None,
        actions: Vec::new(),
        limits: Vec::new(),
        folder: None,
    }
}

/// What the samples say alone.
pub(crate) fn judge_samples(samples: &[SampleRecord], limit: Option<u64>) -> Trend {
    let samples = samples
        .iter()
        .map(|s| Sample {
            elapsed_seconds: s.elapsed_seconds,
            rss: Some(s.rss_bytes),
            heap_used: Some(s.heap_used_bytes),
            heap_total: Some(s.heap_total_bytes),
            external: Some(s.external_bytes),
            array_buffers: Some(s.array_buffers_bytes),
            limit,
            requests: s.requests,
            gc_major_count: s.gc_major_count,
            perturbed: s.perturbed,
            full_gc: s.full_gc,
            ..Sample::default()
        })
        .collect();
    judge(&Series { name: None, samples })
}

/// Combines both kinds of evidence into the verdict.
///
/// Snapshots are exact where samples are noisy: a place that holds more each time is a leak even while the
/// trend is undecided, then of medium confidence at most; and a rising heap in which no place grows is
/// garbage that was not collected yet. Where memory grows outside the JavaScript heap, snapshots are blind
/// and the trend decides.
pub(crate) fn conclude(i: &mut Investigation) {
    let trend = i.trend.as_ref();
    let trend_verdict = trend.map_or(Verdict::InsufficientData, |t| t.verdict);
    let outside = trend
        .is_some_and(|t| matches!(t.place, Where::External | Where::Native | Where::ArrayBuffers));
    let compared = i.growth.is_some();
    let watched = i.samples.last().map_or(0.0, |s| s.elapsed_seconds);
    i.verdict = match (compared, i.verdict, trend_verdict) {
        (true, InvestigationVerdict::Leak, _) => {
            if trend_verdict != Verdict::Leak {
                i.confidence = i.confidence.min(Confidence::Medium);
                for suspect in &mut i.suspects {
                    suspect.confidence = suspect.confidence.min(Confidence::Medium);
                }
            }
            InvestigationVerdict::Leak
        }
        (true, verdict, Verdict::Leak) if outside => {
            i.confidence = Confidence::Medium;
            i.limits.push(
                "memory grows outside the JavaScript heap, where a heap snapshot does not look"
                    .into(),
            );
            if verdict == InvestigationVerdict::NoLeak {
                InvestigationVerdict::Leak
            } else {
                verdict
            }
        }
        (true, InvestigationVerdict::NoLeak, Verdict::Leak)
            if i.growth.is_some_and(|g| g.retained_bytes >= UNEXPLAINED_BYTES) =>
        {
            i.confidence = Confidence::Low;
            i.limits.push("the heap grows, but no single place explains it".into());
            InvestigationVerdict::Inconclusive
        }
        (true, verdict, _) => verdict,
        (false, _, Verdict::Leak) => {
            i.confidence = Confidence::Medium;
            InvestigationVerdict::Leak
        }
        // Without snapshots, a short calm stretch proves nothing.
        (false, _, Verdict::Stable | Verdict::Plateau | Verdict::FollowsLoad)
            if watched >= MIN_SECONDS_FOR_ALL_CLEAR =>
        {
            i.confidence = Confidence::Medium;
            InvestigationVerdict::NoLeak
        }
        (false, ..) => InvestigationVerdict::Inconclusive,
    };
    i.leak = i.verdict == InvestigationVerdict::Leak;
    i.limits.push(format!(
        "it was watched for {watched:.0} s: a leak on a path that was not used in this time does not show"
    ));
    if i.snapshots.len() < 2 {
        let refused =
            i.preflight.as_ref().is_some_and(|p| p.decision == PreflightDecision::Refused);
        i.limits.push(if refused {
            "no snapshot could be taken safely, so no statement is named; a replica with more room, or the \
             same service just after a restart, can be investigated"
                .into()
        } else {
            "fewer than two snapshots were taken, so no statement is named".into()
        });
    }
}
