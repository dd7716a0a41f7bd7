//! The walkthrough on a live process.
//!
//! One inspector session is held from the first snapshot to the last: closing it would renumber V8's object
//! ids and make the snapshots incomparable. Every capture is preceded by a preflight; a refusal is an answer,
//! not a failure, and the run goes on with samples alone.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::{Duration, Instant};

use leakline_analysis::detect::grouped;
use leakline_heap::{Bytes, HeapGraph};
use leakline_report::{CapturedSnapshot, Investigation, PreflightDecision, SampleRecord, Target};
use leakline_target::preflight::{HeapFigures, Room, decide, predict};
use leakline_target::{
    AttachOptions, AttachPlan, MemorySample, Outcome, ProcDir, ProcessInfo, Session, cgroup, plan,
};

use crate::clock;
use crate::conclude::{conclude, empty, judge_samples};
use crate::error::Error;
use crate::events::{Event, Observer, Step};
use crate::files::{compare, finish};
use crate::folder::Folder;
use crate::open::open_snapshot;
use crate::suspects::SuspectsOptions;

/// Samples before the first snapshot, when the run is long enough: the only ones whose RSS is the
/// service's own.
const BASELINE: Duration = Duration::from_secs(15);
/// A short run keeps at least this share of its time for the baseline.
const BASELINE_SHARE: u32 = 4;

/// How to investigate a process.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// The process.
    pub pid: u32,
    /// How long to watch.
    pub duration: Duration,
    /// How often to sample.
    pub interval: Duration,
    /// How many snapshots to take.
    pub snapshots: u32,
    /// Where the investigation goes.
    pub output: Option<PathBuf>,
    /// How to look for suspects.
    pub suspects: SuspectsOptions,
    /// Signal although it cannot be proven that SIGUSR1 opens the inspector.
    pub signal_anyway: bool,
    /// Take snapshots although there is too little room, for this reason.
    pub force: Option<String>,
    /// Do nothing to the target.
    pub dry_run: bool,
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            pid: 0,
            duration: Duration::from_mins(5),
            interval: Duration::from_secs(2),
            snapshots: 3,
            output: None,
            suspects: SuspectsOptions::default(),
            signal_anyway: false,
            force: None,
            dry_run: false,
        }
    }
}

/// Completes when the user asks to stop.
pub type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Investigates a live process and writes the folder.
///
/// # Errors
/// A target that cannot or must not be attached to; a folder that cannot be written; interruption. What was
/// learnt until then is in the folder.
pub async fn investigate_live(
    options: &LiveOptions,
    observer: Observer<'_>,
    mut stop: Stop,
) -> Result<Investigation, Error> {
    let started = clock::now();
    let attach = AttachOptions { signal_anyway: options.signal_anyway, ..AttachOptions::default() };
    let (info, how) = plan(options.pid, &attach)?;
    tell_target(&info, &how, observer);
    if options.dry_run {
        return dry_run(options, &info, how, started, observer);
    }
    if let AttachPlan::Signal(verdict) = how
        && let Some(refusal) = verdict.refusal
    {
        return Err(refusal.into());
    }
    // Before anything is done to the target: a folder that cannot be written ends the run.
    let folder = Folder::create(options.output.as_deref(), &options.pid.to_string())?;
    let mut session = match Session::attach(options.pid, &attach).await {
        Ok(session) => session,
        Err(e) => {
            folder.abandon();
            return Err(e.into());
        }
    };
    for action in session.actions() {
        observer(Event::Detail(action.what.clone()));
    }
    let mut run = Run { options, folder, samples: Vec::new(), captures: Captures::default() };
    let watched = run.watch(&mut session, observer, &mut stop).await;
    // Whatever happened: leave the target as it was found.
    let detached = session.detach().await;
    // A process that is gone has nothing to be left in order.
    if let Err(e) = &detached
        && !matches!(e, leakline_target::Error::TargetGone { .. })
    {
        observer(Event::Warning(e.to_string()));
    }
    let mut base = empty(started);
    base.target = Some(target_of(&info, Some(session.version())));
    base.actions = session
        .actions()
        .iter()
        .map(|a| leakline_report::Action { time: clock::at(a.unix_seconds), what: a.what.clone() })
        .collect();
    run.conclude(base, watched, observer)
}

/// What a run has gathered so far.
struct Run<'a> {
    options: &'a LiveOptions,
    folder: Folder,
    samples: Vec<SampleRecord>,
    captures: Captures,
}

#[derive(Default)]
struct Captures {
    preflight: Option<leakline_report::Preflight>,
    taken: Vec<CapturedSnapshot>,
    /// Requests the target had served when each was taken.
    requests: Vec<u64>,
    refused: bool,
    /// The next sample is the first after a capture.
    just_taken: bool,
}

/// Why snapshots were not compared.
enum NotCompared {
    /// The machine has too little memory for it.
    NoRoom(String),
    /// One cannot be read.
    Failed(Error),
}

/// How watching ended, when nothing failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watched {
    Whole,
    Interrupted,
}

impl Run<'_> {
    async fn watch(
        &mut self,
        session: &mut Session,
        observer: Observer<'_>,
        stop: &mut Stop,
    ) -> Result<Watched, Error> {
        let begun = Instant::now();
        let schedule = schedule(self.options.duration, self.options.snapshots);
        let mut previous: Option<MemorySample> = None;
        let mut gaps = 0;
        loop {
            let sample = tokio::select! {
                biased;
                () = &mut *stop => return Ok(Watched::Interrupted),
                sample = session.sample() => sample,
            };
            let sample = match sample {
                Ok(sample) => sample,
                // A busy event loop answers late: a gap, not the end.
                Err(leakline_target::Error::NoAnswer { .. }) if gaps < MAX_GAPS => {
                    gaps += 1;
                    observer(Event::Warning("no answer in time: a sample is missing here".into()));
                    continue;
                }
                Err(e) => return Err(e.into()),
            };
            gaps = 0;
            let elapsed = begun.elapsed();
            self.keep(&sample, previous.as_ref(), elapsed)?;
            let text = sample_line(&sample, previous.as_ref());
            let (done, total) = (elapsed.as_secs_f64(), self.options.duration.as_secs_f64());
            observer(Event::Waiting { done, total, text });
            previous = Some(sample.clone());

            let due = schedule.get(self.captures.taken.len()).copied();
            if due.is_some_and(|at| elapsed >= at && !self.captures.refused) {
                if self.captures.taken.is_empty() {
                    self.first_impression(observer);
                }
                tokio::select! {
                    biased;
                    () = &mut *stop => return Ok(Watched::Interrupted),
                    captured = self.capture(session, &sample, observer) => captured?,
                }
            }
            // Right after a capture the heap is free of garbage: the most telling moment to sample.
            let pause =
                if self.captures.just_taken { Duration::ZERO } else { self.options.interval };
            let all_taken = self.captures.refused || self.captures.taken.len() >= schedule.len();
            if begun.elapsed() >= self.options.duration && all_taken && !self.captures.just_taken {
                observer(Event::ProgressEnd);
                return Ok(Watched::Whole);
            }
            tokio::select! {
                biased;
                () = &mut *stop => return Ok(Watched::Interrupted),
                waited = wait(session, pause) => waited?,
            }
        }
    }

    fn keep(
        &mut self,
        sample: &MemorySample,
        previous: Option<&MemorySample>,
        elapsed: Duration,
    ) -> Result<(), Error> {
        let record = SampleRecord {
            elapsed_seconds: (elapsed.as_secs_f64() * 1000.0).round() / 1000.0,
            time: clock::at(sample.unix_seconds),
            rss_bytes: sample.rss_bytes,
            heap_total_bytes: sample.heap_total_bytes,
            heap_used_bytes: sample.heap_used_bytes,
            external_bytes: sample.external_bytes,
            array_buffers_bytes: sample.array_buffers_bytes,
            heap_limit_bytes: Some(sample.heap_limit_bytes),
            requests: previous.map(|p| sample.requests.saturating_sub(p.requests)),
            gc_major_count: Some(sample.gc_major_count),
            perturbed: !self.captures.taken.is_empty(),
            full_gc: std::mem::take(&mut self.captures.just_taken),
        };
        self.folder.sample(&record)?;
        self.samples.push(record);
        Ok(())
    }

    fn first_impression(&self, observer: Observer<'_>) {
        let (Some(first), Some(last)) = (self.samples.first(), self.samples.last()) else { return };
        observer(Event::Step(
            Step::Confirm,
            format!(
                "{} samples in {:.0} s: heap used {} → {}, resident {} → {}",
                self.samples.len(),
                last.elapsed_seconds - first.elapsed_seconds,
                Bytes(first.heap_used_bytes),
                Bytes(last.heap_used_bytes),
                Bytes(first.rss_bytes),
                Bytes(last.rss_bytes)
            ),
        ));
    }

    /// Asks whether a snapshot may be taken, and takes it.
    async fn capture(
        &mut self,
        session: &mut Session,
        sample: &MemorySample,
        observer: Observer<'_>,
    ) -> Result<(), Error> {
        let n = self.captures.taken.len() + 1;
        let path = self.folder.snapshot_path(n);
        let mut preflight = session.preflight(path.parent().unwrap_or(Path::new("."))).await?;
        if let Some(why) = &self.options.force {
            preflight = preflight.forced(why);
        }
        let told = report_preflight(&preflight);
        if n == 1 || told.decision != PreflightDecision::Allowed {
            observer(Event::Step(Step::Capture, format!("preflight: {}", told.reason)));
        }
        self.captures.preflight = Some(told);
        let Some(permit) = preflight.permit() else {
            self.captures.refused = true;
            observer(Event::Warning(
                "no snapshot is taken, so that the service lives; memory is watched to the end"
                    .into(),
            ));
            return Ok(());
        };
        let what = format!("snapshot {n} of {}: the service stands still", self.options.snapshots);
        observer(Event::Progress { what: &what, done: 0, total: None });
        let mut progress = |bytes: u64| {
            observer(Event::Progress { what: &what, done: bytes, total: None });
        };
        let capture = session.take_snapshot(&path, permit, &mut progress).await?;
        observer(Event::ProgressEnd);
        observer(Event::Step(
            Step::Capture,
            format!(
                "snapshot {n} of {}: {}, the service stood still for {:.1} s",
                self.options.snapshots,
                Bytes(capture.bytes),
                capture.pause_seconds
            ),
        ));
        self.captures.just_taken = true;
        self.captures.requests.push(sample.requests);
        self.captures.taken.push(CapturedSnapshot {
            path: capture.path.display().to_string(),
            taken: Some(clock::at(capture.taken_unix_seconds)),
            bytes: capture.bytes,
            pause_seconds: Some((capture.pause_seconds * 1000.0).round() / 1000.0),
        });
        Ok(())
    }

    /// What the snapshots say, when there are two at least.
    fn compared(
        &self,
        options: &SuspectsOptions,
        started: &str,
        observer: Observer<'_>,
    ) -> Result<Option<Investigation>, NotCompared> {
        let taken = &self.captures.taken;
        if taken.len() < 2 {
            return Ok(None);
        }
        if let Some(why) = no_room_to_analyse(taken) {
            return Err(NotCompared::NoRoom(why));
        }
        yield_to_the_service();
        let graphs = open_all(taken, observer).map_err(NotCompared::Failed)?;
        Ok(Some(compare(&graphs, taken, options, started.to_string(), observer)))
    }

    /// Compares what was captured, judges the samples, writes the folder.
    fn conclude(
        self,
        base: Investigation,
        watched: Result<Watched, Error>,
        observer: Observer<'_>,
    ) -> Result<Investigation, Error> {
        let trend = judge_samples(&self.samples, base.target.as_ref().and_then(|t| t.limit_bytes));
        let mut options = self.options.suspects.clone();
        if let (Some(first), Some(last)) =
            (self.captures.requests.first(), self.captures.requests.last())
        {
            options.requests =
                options.requests.or(Some(last.saturating_sub(*first)).filter(|r| *r > 0));
        }
        let mut investigation = base;
        let mut ended = watched;
        // An interrupted run keeps what it has; comparing would make the user wait who asked to stop.
        if matches!(ended, Ok(Watched::Whole)) {
            let memory = leakline_report::text::trend_line(&trend);
            observer(Event::Step(Step::Compare, format!("memory: {memory}")));
            match self.compared(&options, &investigation.started, observer) {
                Ok(Some(compared)) => {
                    investigation = Investigation {
                        target: investigation.target,
                        actions: investigation.actions,
                        ..compared
                    };
                }
                Ok(None) => {}
                Err(NotCompared::NoRoom(why)) => {
                    observer(Event::Warning(why.clone()));
                    investigation.limits.push(why);
                }
                Err(NotCompared::Failed(e)) => ended = Err(e),
            }
        }
        investigation.samples = self.samples;
        investigation.trend = Some(trend);
        investigation.preflight = self.captures.preflight;
        investigation.snapshots = self.captures.taken;
        conclude(&mut investigation);
        let whole = match ended {
            Ok(Watched::Whole) => Ok(()),
            Ok(Watched::Interrupted) => {
                Err(Error::Interrupted { folder: self.folder.path().to_path_buf() })
            }
            Err(e) => Err(e),
        };
        if let Err(e) = &whole {
            investigation.limits.push(format!("the run did not finish: {e}"));
        }
        let finished = finish(&mut investigation, &self.folder, observer);
        if let (Err(_), Err(e)) = (&whole, &finished) {
            // What stopped the run matters more than that its remains could not be written.
            observer(Event::Warning(e.to_string()));
        } else {
            finished?;
        }
        if let Err(e) = whole {
            if !matches!(e, Error::Interrupted { .. }) {
                let kept = self.folder.path().display();
                observer(Event::Warning(format!("what was learnt until then is in {kept}")));
            }
            return Err(e);
        }
        Ok(investigation)
    }
}

/// Memory that analysing snapshots takes, per byte of their files: measured 0.9 on three of 181 MB.
const ANALYSIS_PER_FILE_BYTE: f64 = 1.2;

/// Why the snapshots should not be analysed on this machine: the service lives here too, and must not be
/// killed for memory that we take.
fn no_room_to_analyse(taken: &[CapturedSnapshot]) -> Option<String> {
    let files: u64 = taken.iter().map(|s| s.bytes).sum();
    let need = (files as f64 * ANALYSIS_PER_FILE_BYTE) as u64;
    let room = cgroup::headroom(&ProcDir::new(std::process::id()), Path::new("/")).ok()??;
    (need > room.bytes / 2).then(|| {
        format!(
            "the snapshots are kept but were not compared: that takes about {} of memory, and of {} left here \
             ({}) half is kept for the service. Copy the folder to another machine and run `leakline suspects` on \
             them",
            Bytes(need),
            Bytes(room.bytes),
            room.source
        )
    })
}

/// The comparison may take seconds of both cores; the service goes first.
fn yield_to_the_service() {
    // Where it is not permitted, the comparison runs at the usual priority.
    let _ = rustix::process::nice(10);
}

/// Samples in a row that may stay unanswered before the target counts as lost.
const MAX_GAPS: u32 = 3;

/// How often a sign of life is due: well within the time after which the probe takes us for dead.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// Waits for the next sample, with a sign of life to the probe now and then.
async fn wait(session: &mut Session, pause: Duration) -> Result<(), Error> {
    let mut left = pause;
    while left > SIGN_OF_LIFE {
        tokio::time::sleep(SIGN_OF_LIFE).await;
        left -= SIGN_OF_LIFE;
        match session.beat().await {
            Ok(()) | Err(leakline_target::Error::NoAnswer { .. }) => {}
            Err(e) => return Err(e.into()),
        }
    }
    tokio::time::sleep(left).await;
    Ok(())
}

/// When the snapshots are due: the first after the baseline, the last at the end, others evenly between
/// (of three, the second half-way).
fn schedule(duration: Duration, snapshots: u32) -> Vec<Duration> {
    let baseline = BASELINE.min(duration / BASELINE_SHARE);
    (0..snapshots)
        .map(|i| match i {
            0 => baseline,
            _ => duration * i / (snapshots - 1),
        })
        .collect()
}

fn open_all(taken: &[CapturedSnapshot], observer: Observer<'_>) -> Result<Vec<HeapGraph>, Error> {
    taken.iter().map(|s| open_snapshot(Path::new(&s.path), observer)).collect()
}

fn sample_line(sample: &MemorySample, previous: Option<&MemorySample>) -> String {
    let requests = previous.map_or_else(String::new, |p| {
        let seconds = (sample.unix_seconds - p.unix_seconds).max(0.001);
        let served = sample.requests.saturating_sub(p.requests);
        format!(", {:.0} requests/s", served as f64 / seconds)
    });
    format!(
        "heap {}, resident {}{requests}",
        Bytes(sample.heap_used_bytes),
        Bytes(sample.rss_bytes)
    )
}

fn target_of(info: &ProcessInfo, version: Option<&str>) -> Target {
    Target {
        pid: info.pid,
        runtime: "node",
        version: version.map(ToString::to_string),
        command: info.command_line.join(" "),
        container: info.container.clone(),
        limit_bytes: info.limit_bytes,
    }
}

fn tell_target(info: &ProcessInfo, how: &AttachPlan, observer: Observer<'_>) {
    let limit = info
        .limit_bytes
        .map_or_else(|| "no memory limit".into(), |b| format!("limit {}", Bytes(b)));
    observer(Event::Step(
        Step::Confirm,
        format!(
            "process {}: {} (resident {}, {limit})",
            info.pid,
            info.command_line.join(" "),
            Bytes(info.rss_bytes)
        ),
    ));
    match how {
        AttachPlan::UseOpen(address) => {
            observer(Event::Detail(format!(
                "its inspector is open already at {address}: no signal is needed"
            )));
        }
        AttachPlan::Signal(verdict) => {
            for check in &verdict.checks {
                let text = format!("{}: {}", check.what, check.detail);
                // What cannot be proven is said before the signal is sent, not after.
                if check.outcome == Outcome::Passed {
                    observer(Event::Detail(text));
                } else {
                    observer(Event::Warning(text));
                }
            }
        }
    }
}

fn report_preflight(p: &leakline_target::Preflight) -> leakline_report::Preflight {
    use leakline_target::Decision;
    leakline_report::Preflight {
        decision: match p.decision {
            Decision::Allowed => PreflightDecision::Allowed,
            Decision::Refused => PreflightDecision::Refused,
            Decision::Forced => PreflightDecision::Forced,
        },
        predicted: leakline_report::Predicted {
            extra_bytes: p.predicted.extra_bytes,
            pause_seconds: (p.predicted.pause_seconds * 100.0).round() / 100.0,
            file_bytes: p.predicted.file_bytes,
        },
        headroom_bytes: p.headroom_bytes,
        reason: p.reason.clone(),
    }
}

/// Checks and predicts from outside: nothing is sent to the process.
fn dry_run(
    options: &LiveOptions,
    info: &ProcessInfo,
    how: AttachPlan,
    started: String,
    observer: Observer<'_>,
) -> Result<Investigation, Error> {
    if let AttachPlan::Signal(verdict) = how
        && let Some(refusal) = verdict.refusal
    {
        return Err(refusal.into());
    }
    // Without asking the process, all of its resident memory counts as heap: an upper bound.
    let figures = HeapFigures {
        heap_used_bytes: info.rss_bytes,
        large_object_bytes: 0,
        rss_bytes: info.rss_bytes,
    };
    let headroom = cgroup::headroom(&ProcDir::new(options.pid), Path::new("/"))?;
    let room = Room {
        headroom_bytes: headroom.as_ref().map(|h| h.bytes),
        headroom_source: headroom.as_ref().map_or_else(String::new, |h| h.source.clone()),
        limit_bytes: info.limit_bytes,
        disk_free_bytes: None,
    };
    let preflight = report_preflight(&decide(predict(figures, None), &room));
    observer(Event::Step(Step::Capture, format!("preflight: {}", preflight.reason)));
    let mut investigation = empty(started);
    investigation.target = Some(target_of(info, None));
    investigation.preflight = Some(preflight);
    investigation.limits.push(format!(
        "dry run: nothing was done to process {}; the prediction takes all of its {} resident memory for heap",
        grouped(u64::from(options.pid)),
        Bytes(info.rss_bytes)
    ));
    Ok(investigation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_three_snapshots_the_second_is_half_way() {
        let s = Duration::from_secs;
        assert_eq!(schedule(s(300), 3), [s(15), s(150), s(300)]);
        assert_eq!(schedule(s(40), 3), [s(10), s(20), s(40)]);
        assert_eq!(schedule(s(300), 2), [s(15), s(300)]);
        assert_eq!(schedule(s(300), 1), [s(15)]);
        assert_eq!(schedule(s(300), 0), []);
    }
}
