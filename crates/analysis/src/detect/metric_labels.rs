//! `metric-labels`: a metric has a series for each set of labels, and gets new labels with every request.

use super::kept::{Advise, Kept, has};
use super::{Context, Found, Rule};
use crate::growth::GrowthSite;

/// Packages of metrics.
const METRICS: [&str; 5] = [
    "prom-client",
    "@opentelemetry/sdk-metrics",
    "@opentelemetry/sdk-metrics-base",
    "hot-shots",
    "measured-core",
];

const WORDS: Advise = Advise {
    what: "metric",
    entries: "series",
    why: "{place} gives the metric a label value that it has not seen before, again and again, and `{holder}` keeps \
          a series for each. A path as it was asked for, an id or a message as a label makes as many series as \
          there are requests; each also weighs on whoever scrapes and stores them.",
    fix: "Label with what has few values: the route instead of the path (`req.route?.path ?? 'unknown'`), the class \
          of the status, the error's code instead of its text. Where a label must come and go, take its series \
          out when it is over: `metric.remove(labels)`.",
};

/// Whether the site is a metric's table of series.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let kept = Kept::of(context, site)?;
    // What makes a metric, whatever its class is called: it knows the names of its labels.
    let labelled = || kept.above.iter().take(2).any(|up| has(context, up.node, "labelNames"));
    let by_attributes = || {
        kept.above.iter().take(3).any(|up| up.class == "AttributeHashMap")
            || kept.above.iter().take(1).any(|up| has(context, up.node, "_keyMap"))
    };
    (labelled() || by_attributes() || kept.is_of(&METRICS))
        .then(|| kept.found(Rule::MetricLabels, WORDS))
}
