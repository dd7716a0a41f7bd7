//! Watches a live target for as long as it takes: samples, saves and judges, and takes no snapshots.
//!
//! The target may restart under the watch: a process with the same program and arguments that began after the
//! old one ended is taken for it, and the series goes on (its start time tells `trend` that it is another
//! life). A sample that fails is a gap, never the end, unless the target is gone for good.

mod save;
mod source;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use leakline_target::AttachOptions;
use leakline_target::remote::{Address, Http};
use leakline_trend::{Confidence, START_TIME_SLACK_SECONDS, Sample, Series, Trend, Verdict, judge};

use self::save::Save;
use self::source::{Failure, Source};
use crate::clock;
use crate::error::Error;
use crate::live::Stop;

pub use self::source::ListenerCount;

/// A calm verdict ends `until_verdict` only after this long: a leak that matters hides below the noise of a
/// heap for minutes.
const CALM_AFTER: Duration = Duration::from_mins(10);

/// A verdict must be the same so many samples in a row before it ends the watch.
const HELD_FOR: usize = 5;

/// How long a target that is gone may take to come back.
const RESTART_WITHIN: Duration = Duration::from_mins(2);
/// How often we look.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Beyond this many samples a verdict is formed for every tenth sample only.
const JUDGE_EACH_UP_TO: usize = 3000;

/// What to watch.
#[derive(Clone, Debug)]
pub enum WatchTarget {
    /// A process of this machine; `inspector: false` reads only `/proc`.
    Process {
        /// Its pid.
        pid: u32,
        /// Whether its inspector may be used, and opened.
        inspector: bool,
    },
    /// The inspector that listens at this address of this machine.
    Inspector(std::net::SocketAddr),
    /// A JSON endpoint with memory figures.
    Endpoint {
        /// Where.
        address: Address,
        /// How to ask.
        http: Http,
    },
}

/// How to watch.
#[derive(Clone, Debug)]
pub struct WatchOptions {
    /// What.
    pub target: WatchTarget,
    /// How often to sample.
    pub interval: Duration,
    /// How long; for ever without.
    pub duration: Option<Duration>,
    /// End as soon as there is a verdict that holds.
    pub until_verdict: bool,
    /// Where the series goes.
    pub output: Option<PathBuf>,
    /// Signal although it cannot be proven that SIGUSR1 opens the inspector.
    pub signal_anyway: bool,
    /// The limit, where the target does not tell.
    pub limit: Option<u64>,
}

/// Everything a view shows after a sample.
#[derive(Debug)]
pub struct Moment<'a> {
    /// All samples so far.
    pub series: &'a Series,
    /// What they say.
    pub trend: &'a Trend,
    /// The state of the watch.
    pub state: &'a State,
}

/// What is known beside the samples.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The target in words.
    pub target: String,
    /// Where the figures come from, in words.
    pub source: &'static str,
    /// Since the first sample.
    pub elapsed_seconds: f64,
    /// Samples that failed.
    pub missed: u64,
    /// Restarts seen.
    pub restarts: u64,
    /// How late the event loop was, last and worst; `None` where it is not known.
    pub loop_delay_seconds: Option<(f64, f64)>,
    /// Listeners of `process`, first and last count.
    pub listeners: Vec<(ListenerCount, u64)>,
    /// Everything done to the target: time and words.
    pub actions: Vec<(String, String)>,
}

/// Something that happens during a watch.
pub enum WatchEvent<'a> {
    /// Something the user should know.
    Note(String),
    /// A sample was taken and judged.
    Sampled(Moment<'a>),
}

/// What a watch leaves.
#[derive(Debug)]
pub struct Watched {
    /// The samples.
    pub series: Series,
    /// What they say.
    pub trend: Trend,
    /// The state at the end.
    pub state: State,
    /// When it began, RFC 3339.
    pub started: String,
    /// Where the series is.
    pub file: PathBuf,
    /// The user ended it.
    pub interrupted: bool,
    /// The target ended it.
    pub lost: Option<String>,
}

/// Watches until the time is over, a verdict holds, the target is gone for good, or `stop` completes.
///
/// # Errors
/// A target of which not even one sample can be had; a file that cannot be written.
pub async fn watch(
    options: &WatchOptions,
    observer: &mut (dyn FnMut(WatchEvent<'_>) + Send),
    mut stop: Stop,
) -> Result<Watched, Error> {
    let mut notes = Vec::new();
    let attach = AttachOptions { signal_anyway: options.signal_anyway, ..AttachOptions::default() };
    // The file first: what cannot be written ends the run before anything is done to the target.
    let save = Save::create(options.output.as_deref(), &source::short_name(&options.target))?;
    // Not to be cut short: an inspector that was opened must be known to us, so that it is closed.
    let opened = Source::open(&options.target, &attach, &mut notes).await;
    let source = match opened {
        Ok(source) => source,
        Err(e) => {
            save.abandon();
            return Err(e.into());
        }
    };
    for note in notes {
        observer(WatchEvent::Note(note));
    }
    let mut run = Run::new(options, attach, save, source);
    let ended = run.go(observer, &mut stop).await;
    let mut left = Vec::new();
    run.source.close(&mut left).await;
    run.state.actions.extend(run.source.take_actions());
    for note in left {
        observer(WatchEvent::Note(note));
    }
    run.finish(ended)
}

enum Ended {
    Done,
    Interrupted,
    Lost(String),
}

struct Run<'a> {
    options: &'a WatchOptions,
    attach: AttachOptions,
    save: Save,
    source: Source,
    series: Series,
    state: State,
    trend: Trend,
    started: String,
    began: Instant,
    /// Requests served so far, as the source counts them.
    requests: Option<u64>,
    held: usize,
}

impl<'a> Run<'a> {
    fn new(options: &'a WatchOptions, attach: AttachOptions, save: Save, source: Source) -> Self {
        let state = State { target: source.describe(), source: source.kind(), ..State::default() };
        let series = Series { name: Some(source.describe()), samples: Vec::new() };
        Self {
            options,
            attach,
            save,
            trend: judge(&series),
            source,
            series,
            state,
            started: clock::now(),
            began: Instant::now(),
            requests: None,
            held: 0,
        }
    }

    async fn go(
        &mut self,
        observer: &mut (dyn FnMut(WatchEvent<'_>) + Send),
        stop: &mut Stop,
    ) -> Result<Ended, Error> {
        loop {
            let due = Instant::now() + self.options.interval;
            let sampled = tokio::select! {
                biased;
                () = &mut *stop => return Ok(Ended::Interrupted),
                sampled = self.source.sample() => sampled,
            };
            match sampled {
                Ok(reading) => {
                    self.keep(&reading)?;
                    observer(WatchEvent::Sampled(Moment {
                        series: &self.series,
                        trend: &self.trend,
                        state: &self.state,
                    }));
                }
                // Without a single sample there is nothing to go on with.
                Err(Failure::Missed(e) | Failure::Gone(e)) if self.series.samples.is_empty() => {
                    return Err(e.into());
                }
                Err(Failure::Missed(e)) => {
                    self.state.missed += 1;
                    observer(WatchEvent::Note(format!("a sample is missing here: {e}")));
                }
                Err(Failure::Gone(e)) => {
                    observer(WatchEvent::Note(format!("{e}; waiting for it to come back")));
                    let Some(back) = self.come_back(observer, stop).await else {
                        return Ok(Ended::Interrupted);
                    };
                    if !back {
                        return Ok(Ended::Lost(e.to_string()));
                    }
                    continue;
                }
            }
            let over = self.options.duration.is_some_and(|d| self.began.elapsed() >= d);
            if over || (self.options.until_verdict && self.decided()) {
                return Ok(Ended::Done);
            }
            tokio::select! {
                biased;
                () = &mut *stop => return Ok(Ended::Interrupted),
                () = self.source.wait_until(due) => {}
            }
        }
    }

    /// Looks for the target's next life; `true` when it is there, `None` when the user asked to stop.
    async fn come_back(
        &mut self,
        observer: &mut (dyn FnMut(WatchEvent<'_>) + Send),
        stop: &mut Stop,
    ) -> Option<bool> {
        let left = self
            .options
            .duration
            .map_or(RESTART_WITHIN, |d| d.saturating_sub(self.began.elapsed()).min(RESTART_WITHIN));
        let deadline = Instant::now() + left;
        while Instant::now() < deadline {
            tokio::select! {
                biased;
                () = &mut *stop => return None,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            // Attaching is not cut short, see `watch`.
            let mut notes = Vec::new();
            let next = self.source.next_life(&self.attach, &mut notes).await;
            for note in notes {
                observer(WatchEvent::Note(note));
            }
            if let Some(next) = next {
                self.state.actions.extend(self.source.take_actions());
                observer(WatchEvent::Note(format!("it is back: {}", next.describe())));
                self.source = next;
                self.state.source = self.source.kind();
                self.state.target = self.source.describe();
                self.requests = None;
                self.state.restarts += 1;
                return Some(true);
            }
        }
        Some(false)
    }

    fn keep(&mut self, reading: &source::Reading) -> Result<(), Error> {
        let first = self.series.samples.is_empty();
        let elapsed = if first { 0.0 } else { self.began.elapsed().as_secs_f64() };
        if first {
            self.began = Instant::now();
        }
        let served = reading.requests_total.zip(self.requests).map(|(now, before)| {
            // A counter that fell began again.
            now.checked_sub(before).unwrap_or(now)
        });
        self.requests = reading.requests_total.or(self.requests);
        let sample = Sample {
            elapsed_seconds: (elapsed * 1000.0).round() / 1000.0,
            requests: served,
            limit: reading.sample.limit.or(self.options.limit),
            ..reading.sample.clone()
        };
        self.save.sample(&sample, reading)?;
        // Of an endpoint only the age of the process tells; a process is seen to end.
        let before = self.series.samples.iter().rev().find_map(|s| s.start_time);
        if self.state.source == "endpoint"
            && let (Some(a), Some(b)) = (before, sample.start_time)
            && (a - b).abs() > START_TIME_SLACK_SECONDS
        {
            self.state.restarts += 1;
        }
        self.state.elapsed_seconds = sample.elapsed_seconds;
        if let Some(late) = reading.loop_late_seconds {
            let worst = self.state.loop_delay_seconds.map_or(0.0, |(_, worst)| worst);
            self.state.loop_delay_seconds = Some((late, worst.max(late)));
        }
        self.listeners(&reading.listeners);
        self.series.samples.push(sample);
        let n = self.series.samples.len();
        if n <= JUDGE_EACH_UP_TO || n.is_multiple_of(10) {
            let before = self.trend.verdict;
            self.trend = judge(&self.series);
            self.held = if self.trend.verdict == before { self.held + 1 } else { 1 };
        }
        Ok(())
    }

    fn listeners(&mut self, now: &[ListenerCount]) {
        for (count, last) in &mut self.state.listeners {
            let same = |c: &&ListenerCount| c.emitter == count.emitter && c.event == count.event;
            *last = now.iter().find(same).map_or(0, |c| c.count);
        }
        for count in now {
            let known = self
                .state
                .listeners
                .iter()
                .any(|(c, _)| c.emitter == count.emitter && c.event == count.event);
            if !known {
                // An event that appears later had none before, unless this is the first sample.
                let first = if self.series.samples.is_empty() { count.count } else { 0 };
                self.state
                    .listeners
                    .push((ListenerCount { count: first, ..count.clone() }, count.count));
            }
        }
        self.state.listeners.sort_by_key(|(first, last)| {
            (std::cmp::Reverse(last.saturating_sub(first.count)), std::cmp::Reverse(*last))
        });
    }

    /// Whether the verdict will do for a script.
    fn decided(&self) -> bool {
        if self.held < HELD_FOR {
            return false;
        }
        match self.trend.verdict {
            Verdict::Leak => {
                self.trend.confidence >= Confidence::Medium || self.held >= 4 * HELD_FOR
            }
            Verdict::Stable | Verdict::Plateau | Verdict::FollowsLoad => {
                self.began.elapsed() >= CALM_AFTER
            }
            Verdict::WarmUp | Verdict::InsufficientData => false,
        }
    }

    fn finish(mut self, ended: Result<Ended, Error>) -> Result<Watched, Error> {
        if self.series.samples.is_empty() {
            let path = self.save.path().to_path_buf();
            self.save.abandon();
            return Err(ended.err().unwrap_or(Error::Interrupted { folder: path }));
        }
        let ended = ended?;
        self.trend = judge(&self.series);
        Ok(Watched {
            trend: self.trend,
            series: self.series,
            state: self.state,
            started: self.started,
            file: self.save.path().to_path_buf(),
            interrupted: matches!(ended, Ended::Interrupted),
            lost: match ended {
                Ended::Lost(why) => Some(why),
                _ => None,
            },
        })
    }
}
