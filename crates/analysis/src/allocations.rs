//! Where what is alive was allocated: the functions of a sampling heap profile, by the bytes that live of
//! their own allocations.
//!
//! A function called from many places is many calls in the profile's tree; people want to know the function
//! first and its callers second. So calls are summed by function, and each function keeps its heaviest
//! stacks. Bytes *below* a function count each once, however often it calls itself: in preorder, a call
//! inside another of the same function adds nothing.
//!
//! O(calls + functions log functions + frames shown).

use leakline_heap::{AllocationProfile, CallFrame};
use serde::Serialize;

use crate::summary::SourceLocation;

/// Stacks kept of each function. The heaviest few tell where to look; the tail repeats them.
const STACKS: usize = 3;
/// Frames kept of each stack, from the allocating function outwards: as many as V8 samples unless told otherwise.
const FRAMES: usize = 128;

/// A heap profile by function, in the shape of `leakline allocations --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Allocations {
    /// The profile as a whole.
    pub profile: ProfileTotals,
    /// The functions of which something lives, the most bytes first.
    pub call_sites: Vec<CallSite>,
}

/// One profile in three numbers. The caller adds the file's path and format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProfileTotals {
    /// How many calls the tree has.
    pub call_count: u64,
    /// How many samples live; 0 when the file lists none.
    pub sample_count: u64,
    /// Estimated bytes that live of all that was allocated while the profile was taken.
    pub live_bytes: u64,
}

/// One function.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallSite {
    /// Its name; `(anonymous)` where it has none.
    pub function: String,
    /// Where its code begins.
    pub location: Option<SourceLocation>,
    /// Estimated bytes that live of its own allocations.
    pub live_bytes: u64,
    /// The same as a share of the whole, from 0 to 1.
    pub share: f64,
    /// Estimated bytes that live of its own allocations and those of what it called.
    pub live_bytes_with_callees: u64,
    /// How many samples `live_bytes` rests on; 0 when the file lists none.
    pub sample_count: u64,
    /// How many different stacks it allocated from.
    pub stack_count: u64,
    /// The heaviest of them.
    pub stacks: Vec<AllocationStack>,
}

/// One way a function was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AllocationStack {
    /// Estimated bytes that live of what was allocated there.
    pub live_bytes: u64,
    /// The functions from the allocating one to the outermost.
    pub frames: Vec<StackFrame>,
    /// Whether outer functions are left out.
    pub truncated: bool,
}

/// A function on a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StackFrame {
    /// Its name; `(anonymous)` where it has none.
    pub function: String,
    /// Where its code begins.
    pub location: Option<SourceLocation>,
}

impl StackFrame {
    fn of(frame: &CallFrame) -> Self {
        let function =
            if frame.function.is_empty() { "(anonymous)" } else { frame.function.as_str() };
        let location = frame.line.filter(|_| !frame.script.is_empty()).map(|line| SourceLocation {
            file: frame.script.clone(),
            line: line.saturating_add(1),
            column: frame.column.unwrap_or(0).saturating_add(1),
        });
        Self { function: function.to_owned(), location }
    }
}

#[derive(Clone, Default)]
struct Sum {
    own: u64,
    with_callees: u64,
    samples: u64,
    stacks: u64,
    /// The heaviest calls with what they hold, heaviest first.
    heaviest: Vec<(u64, u32)>,
    /// Where the outermost call of the function ends that is being walked.
    until: u32,
}

/// Sums a profile by function.
pub fn allocations(profile: &AllocationProfile) -> Allocations {
    let calls = profile.len() as u32;
    let mut below: Vec<u64> = (0..calls).map(|call| profile.self_bytes(call)).collect();
    for call in (1..calls).rev() {
        if let Some(caller) = profile.caller(call) {
            below[caller as usize] = below[caller as usize].saturating_add(below[call as usize]);
        }
    }
    let mut sums = vec![Sum::default(); profile.frames().len()];
    let mut samples = 0u64;
    for call in 0..calls {
        let sum = &mut sums[profile.frame_index(call) as usize];
        if call >= sum.until {
            sum.with_callees = sum.with_callees.saturating_add(below[call as usize]);
            sum.until = call + profile.subtree_len(call);
        }
        samples += u64::from(profile.samples(call));
        sum.samples += u64::from(profile.samples(call));
        let own = profile.self_bytes(call);
        if own > 0 {
            sum.own = sum.own.saturating_add(own);
            sum.stacks += 1;
            let at = sum.heaviest.partition_point(|&(bytes, _)| bytes >= own);
            if at < STACKS {
                sum.heaviest.truncate(STACKS - 1);
                sum.heaviest.insert(at, (own, call));
            }
        }
    }
    let live_bytes = below.first().copied().unwrap_or(0);
    let mut call_sites: Vec<CallSite> = profile
        .frames()
        .iter()
        .zip(sums)
        .filter(|(_, sum)| sum.own > 0)
        .map(|(frame, sum)| {
            let StackFrame { function, location } = StackFrame::of(frame);
            CallSite {
                function,
                location,
                live_bytes: sum.own,
                share: sum.own as f64 / live_bytes as f64,
                live_bytes_with_callees: sum.with_callees,
                sample_count: sum.samples,
                stack_count: sum.stacks,
                stacks: sum.heaviest.iter().map(|&(own, call)| stack(profile, call, own)).collect(),
            }
        })
        .collect();
    call_sites.sort_by(|a, b| {
        b.live_bytes
            .cmp(&a.live_bytes)
            .then_with(|| a.function.cmp(&b.function))
            .then_with(|| a.location.cmp(&b.location))
    });
    let profile = ProfileTotals { call_count: calls.into(), sample_count: samples, live_bytes };
    Allocations { profile, call_sites }
}

/// The way from a call outwards, without the root, which is no function.
fn stack(profile: &AllocationProfile, call: u32, live_bytes: u64) -> AllocationStack {
    let mut frames = Vec::new();
    let mut at = call;
    loop {
        if at == 0 && call != 0 {
            return AllocationStack { live_bytes, frames, truncated: false };
        }
        if frames.len() == FRAMES {
            return AllocationStack { live_bytes, frames, truncated: true };
        }
        frames.push(StackFrame::of(&profile.frames()[profile.frame_index(at) as usize]));
        match profile.caller(at) {
            Some(caller) => at = caller,
            None => return AllocationStack { live_bytes, frames, truncated: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leakline_heap::ProfileColumns;

    fn frame(function: &str) -> CallFrame {
        CallFrame {
            function: function.into(),
            script: "/srv/app.js".into(),
            script_id: "7".into(),
            line: Some(9),
            column: None,
        }
    }

    /// A tree of calls `(caller, function, bytes, samples)`; call 0 is the root.
    fn profile(functions: &[&str], calls: &[(u32, u32, u64, u32)]) -> AllocationProfile {
        AllocationProfile::new(ProfileColumns {
            parent: calls.iter().map(|c| c.0).collect(),
            frame: calls.iter().map(|c| c.1).collect(),
            self_bytes: calls.iter().map(|c| c.2).collect(),
            samples: calls.iter().map(|c| c.3).collect(),
            frames: functions.iter().map(|f| frame(f)).collect(),
        })
        .expect("a preorder")
    }

    fn site<'a>(result: &'a Allocations, function: &str) -> &'a CallSite {
        let found = result.call_sites.iter().find(|site| site.function == function);
        found.unwrap_or_else(|| panic!("no call site {function}"))
    }

    #[test]
    fn calls_of_one_function_are_summed_and_recursion_counts_once() {
        // root -> walk -> walk -> make; root -> walk; root -> idle -> make
        let result = allocations(&profile(
            &["(root)", "walk", "make", "idle"],
            &[
                (0, 0, 0, 0),
                (0, 1, 10, 1),
                (1, 1, 20, 2),
                (2, 2, 40, 3),
                (0, 1, 5, 1),
                (0, 3, 0, 0),
                (5, 2, 60, 0),
            ],
        ));
        assert_eq!(
            result.profile,
            ProfileTotals { call_count: 7, sample_count: 7, live_bytes: 135 }
        );
        let order: Vec<_> = result.call_sites.iter().map(|s| s.function.as_str()).collect();
        assert_eq!(order, ["make", "walk"], "what holds nothing is no row");
        let make = site(&result, "make");
        assert_eq!(
            (make.live_bytes, make.live_bytes_with_callees, make.sample_count),
            (100, 100, 3)
        );
        let walk = site(&result, "walk");
        assert_eq!((walk.live_bytes, walk.live_bytes_with_callees), (35, 75));
        assert!((walk.share - 35.0 / 135.0).abs() < 1e-12);
        assert_eq!((walk.stack_count, walk.stacks.len()), (3, 3));
        let frames = |s: &AllocationStack| -> Vec<String> {
            s.frames.iter().map(|f| f.function.clone()).collect()
        };
        assert_eq!(
            (make.stacks[0].live_bytes, frames(&make.stacks[0])),
            (60, vec!["make".into(), "idle".into()])
        );
        assert_eq!(frames(&make.stacks[1]), ["make", "walk", "walk"]);
        let at = make.location.as_ref().expect("a place");
        assert_eq!((at.file.as_str(), at.line, at.column), ("/srv/app.js", 10, 1));
    }

    #[test]
    fn only_the_heaviest_stacks_and_the_innermost_frames_are_kept() {
        let mut calls = vec![(0, 0, 0, 0)];
        for depth in 0..200 {
            calls.push((depth, 1, u64::from(depth % 50), 0));
        }
        let result = allocations(&profile(&["(root)", "deep"], &calls));
        let deep = site(&result, "deep");
        let kept: Vec<(u64, usize, bool)> =
            deep.stacks.iter().map(|s| (s.live_bytes, s.frames.len(), s.truncated)).collect();
        assert_eq!(kept, [(49, 50, false), (49, 100, false), (49, 128, true)]);
        assert_eq!(deep.stack_count, 196);
    }

    #[test]
    fn a_profile_of_nothing_has_no_rows() {
        let result = allocations(&profile(&["(root)"], &[(0, 0, 0, 0)]));
        assert_eq!((result.call_sites.len(), result.profile.live_bytes), (0, 0));
    }
}
