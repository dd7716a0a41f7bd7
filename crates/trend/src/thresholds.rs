//! Every number that a verdict hangs on, with its reason. Sources are named where one exists;
//! "measured" means on the recordings in `tests/data`, whose tests hold the numbers in place. The
//! defaults for long series were also looked at on 55 unlabelled machines of the Alibaba 2018 trace.

/// z of a two-sided 95 % interval (the contract's).
pub(crate) const Z95: f64 = 1.96;

/// Share of rows whose time repeats another row's before a file is refused: a coarse clock repeats
/// a few; two processes in one file repeat about half.
pub(crate) const MAX_DUPLICATE_TIMES: f64 = 0.10;

/// A drop of RSS by more than this share between two samples is a restart. Coroot cuts its series
/// at the same 50 % (`auditor/memory.go`).
pub(crate) const RESTART_DROP: f64 = 0.5;

/// A fall of RSS that three samples on either side confirm. V8 gives memory back over minutes; a
/// process killed at its limit is back at its base at once.
pub(crate) const CONFIRMED_DROP: f64 = 0.25;

/// Two start times closer than this are one start: exporters compute it from the uptime and round.
pub const START_TIME_SLACK_SECONDS: f64 = 5.0;

/// The last life is judged unless it is shorter than this share of the longest: after a deploy, the
/// old version's leak is history; but the first minutes of a new life decide nothing.
pub(crate) const LAST_LIFE_SHARE: f64 = 1.0 / 3.0;

/// Fewer samples than this in a life are never judged: no sawtooth can be told from a trend.
pub(crate) const MIN_SAMPLES: usize = 8;

/// At most this many floor points: pairs grow with the square, and beyond about 50 points a bin
/// more adds little to a slope whose noise is autocorrelated anyway.
pub(crate) const MAX_FLOORS: usize = 60;

/// Samples per bin or epoch, so that its minimum has met several phases of the minor-GC sawtooth: one
/// sample is off by up to a semi-space (16 MiB on Node 20; the recordings of Node 24 show 35 MiB).
pub(crate) const MIN_PER_FLOOR: usize = 3;

/// In a bin without known collections the floor is this quantile, not the minimum: one freak low
/// sample must not set it (research proposes the 5th to 10th percentile).
pub(crate) const FLOOR_QUANTILE: f64 = 0.10;

/// Post-GC floors needed to speak of a trend of the heap. Three is what the three captures of an
/// investigation give; Student's t makes them pay for being so few.
pub(crate) const MIN_CLEAN_FLOORS: usize = 3;

/// Below this many floors the interval is Student's t on the residuals; from it on the noise's memory
/// is integrated out, which needs enough neighbours to say anything about it.
pub(crate) const MIN_FLOORS_FOR_MEMORY: usize = 12;

/// From this many floors on a verdict of high confidence is possible.
pub(crate) const MANY_FLOORS: usize = 16;

/// Floors needed to weigh shapes: the richest has six parameters.
pub(crate) const MIN_FLOORS_FOR_SHAPE: usize = 12;

/// The memory of the noise under which shapes are weighed is capped here: beyond, every shape is as
/// likely as any other.
pub(crate) const MAX_AUTOCORRELATION_SHAPE: f64 = 0.9;

/// Steps that may explain a rise without a leak: a window sees few deploys. More than these, evenly
/// spread, are a staircase.
pub(crate) const MAX_STEPS: usize = 3;

/// Evidence (natural logarithm of the Bayes factor) from which growth at the end counts as shown. Kass
/// and Raftery (1995) call 3 strong and 5 very strong; chosen on the tuning seeds of trendbench.
pub(crate) const EVIDENCE: f64 = 1.4;

/// Bins this long hold a full GC of any service under traffic, even where nobody counted them.
/// V8 starts one when the old generation has grown by a factor, minutes at most under load.
pub(crate) const BIN_SECONDS_WITH_GC: f64 = 600.0;

/// So do the many bins of a span like this together: a floor that rises through all of them without
/// one great fall is no tooth of a sawtooth that traffic makes.
pub(crate) const SPAN_SECONDS_WITH_GC: f64 = 1800.0;

/// Bins are widened to the sawtooth only while this many are left.
pub(crate) const MIN_WIDE_BINS: usize = 15;

/// Samples over at least this span are far enough apart to be floors of their own...
pub(crate) const APART_SECONDS: f64 = 900.0;

/// ...where there are too few for several in each of this many: two hours of five-minute scrapes are
/// 24 samples, and six floors could not carry a shape.
pub(crate) const FLOORS_FROM_FEW: usize = 30;

/// Where full GCs are unknown and bins are short, growth must multiply the heap by this to count:
/// V8's growing factor is at most 4 (`heap-controller`), so beyond it a full GC must have run.
pub(crate) const UNKNOWN_GC_GROWTH: f64 = 4.0;

/// Series this long are reduced to one floor per day: a daily rhythm is then no trend
/// (Precog switches its detection off on daily seasonality; we step over it).
pub(crate) const DAILY_FLOORS_FROM_DAYS: f64 = 15.0;

/// A knee must improve the Bayesian information criterion by this: "strong" evidence
/// (Kass and Raftery 1995, table of 2 ln B: 6 to 10).
pub(crate) const KNEE_BIC: f64 = 6.0;

/// A knee counts as levelling if the slope after it is below this share of the slope before.
pub(crate) const KNEE_SLOWDOWN: f64 = 0.5;

/// At most this many cuts: warm-up has a few stages (modules, JIT, caches), not dozens.
pub(crate) const MAX_KNEES: usize = 3;

/// Floors that must remain behind a knee.
pub(crate) const MIN_FLOORS_AFTER_KNEE: usize = 5;

/// What remains after the warm-up must span this share of the life to speak for it.
pub(crate) const MIN_TAIL_SHARE: f64 = 0.25;

/// The later half must rise at least at this share of the whole's slope to be called steady.
/// Coroot's plateau veto asks 30 % of the last quarter; half of the data is less noisy, so more.
pub(crate) const STEADY_SHARE: f64 = 0.4;

/// One step that makes up more than this share of the growth is a step, not a trend.
pub(crate) const STEP_SHARE: f64 = 0.6;

/// Growth over the judged span below this share of the level is no leak worth a page...
pub(crate) const MATERIAL_SHARE: f64 = 0.05;

/// ...nor is growth below this many bytes, on any level: V8's own tables drift by that.
pub(crate) const MATERIAL_BYTES: f64 = 1024.0 * 1024.0;

/// Spans below this are still in what warm-up does to a healthy service...
pub(crate) const SHORT_SPAN_SECONDS: f64 = 180.0;

/// ...so the heap must have grown by this. Measured: the floor of the recordings' healthy twins moves by
/// less than 1 MiB; real services load modules and fill pools on top, hence four times that.
pub(crate) const SHORT_MATERIAL_BYTES: f64 = 4.0 * 1024.0 * 1024.0;

/// RSS and native memory in runs shorter than this grow by warm-up alone (JIT code, allocator arenas,
/// V8 growing its semi-spaces): growth then only counts from the two sizes below on.
pub(crate) const NATIVE_SHORT_SECONDS: f64 = 900.0;

/// RSS alone, with the heap's garbage in it, needs twice that: the recording of a bounded cache under a
/// heap limit of 512 MiB climbs by 144 MiB in eighteen minutes.
pub(crate) const RSS_SHORT_SECONDS: f64 = 1800.0;

/// Where the parts are known, the whole is heard only in runs this long.
pub(crate) const WHOLE_RSS_SECONDS: f64 = 5400.0;

/// For native memory. Measured: up to 24 MiB in seven minutes in the recordings without a native leak;
/// twice that.
pub(crate) const NATIVE_SHORT_BYTES: f64 = 48.0 * 1024.0 * 1024.0;

/// For RSS where nothing else is known. Measured: up to 210 MiB in seven minutes in a recording
/// without a leak (Node 24, a cache of 36 MiB), because V8 lets garbage and semi-spaces grow first.
pub(crate) const RSS_SHORT_BYTES: f64 = 256.0 * 1024.0 * 1024.0;

/// Spearman correlation of floor and load from which the load is a candidate cause.
pub(crate) const LOAD_CORRELATION: f64 = 0.7;

/// The load must vary by this (interquartile range over median) before anything can follow it.
pub(crate) const LOAD_VARIATION: f64 = 0.15;

/// With few floors, a load whose highest stretch is above its lowest by this share may be all there
/// is to a rise. Floors average over many requests, so chance alone stays well below it.
pub(crate) const LOAD_SWING: f64 = 0.5;

/// Where the load rose with time, memory must have risen by this many times its share to be a
/// leak: what is kept per live request or session rises in proportion at most.
pub(crate) const BEYOND_LOAD: f64 = 2.0;

/// Floors needed to separate load from time.
pub(crate) const MIN_FLOORS_FOR_LOAD: usize = 10;

/// Autocorrelation is capped here; at 1 the effective number of samples would be zero.
pub(crate) const MAX_AUTOCORRELATION: f64 = 0.98;

/// An interval wider than this share of its estimate lowers the confidence.
pub(crate) const NARROW: f64 = 0.5;

/// "Stable" needs the upper bound of growth over the span below this share of the level.
pub(crate) const STABLE_BOUND_SHARE: f64 = 0.2;

/// A rise counts as "grew, then levelled" if it took at least this share of the time; a shorter one
/// is start-up, and what follows is simply stable.
pub(crate) const PLATEAU_RISE_SHARE: f64 = 0.15;

/// Days that a daily rhythm needs to be told from a trend.
pub(crate) const SEASON_DAYS: f64 = 1.9;

/// Windows, in days, in which a rise may be part of one daily wave: half a wave and more, and fewer
/// than the two days that show the rhythm. In less than half a wave nothing tells the two apart.
pub(crate) const HALF_WAVE_DAYS: std::ops::RangeInclusive<f64> = 0.45..=1.9;

/// By how much the Bayesian information criterion must prefer the rhythm ("very strong", Kass and
/// Raftery 1995).
pub(crate) const SEASON_BIC: f64 = 10.0;

/// The same for the load.
pub(crate) const LOAD_BIC: f64 = 6.0;

/// A fall of the floor by this share of its range ends a tooth of the garbage sawtooth, where nobody
/// counted the collections; what rose since may be garbage.
pub(crate) const TOOTH_SHARE: f64 = 0.4;

/// The load's swings about its own trend must be this share of its rise to say what it weighs.
pub(crate) const LOAD_SWING_BESIDE: f64 = 0.2;

/// Growth of one part must matter to the whole: this share of RSS...
pub(crate) const MATERIAL_SHARE_OF_RSS: f64 = 0.02;

/// ...and of the limit, where one is known.
pub(crate) const MATERIAL_SHARE_OF_LIMIT: f64 = 0.01;

/// A limit above so many times RSS is a machine's, not this process's.
pub(crate) const LIMIT_OF_RSS: f64 = 20.0;
