//! Will a heap snapshot kill the service? Decided with numbers, before anything is asked of it.
//!
//! Pure: evidence in, decision out. What a snapshot costs was measured on Node 20.20 and 24.21
//! (two cores, protocol capture, heaps of 30–140 MiB of small objects, three shapes each):
//!
//! | heap | nodes + edges | extra RSS ÷ heap used | file ÷ heap used | pause, s per MiB |
//! |---|---|---|---|---|
//! | closures over request objects | 4.0–13.5 M | 8.5–10.3 | 1.7–2.0 | 0.05–0.19 |
//! | linked list of 32-byte objects | 8.9–18.2 M | 7.6–9.0 | 2.3–2.8 | 0.06–0.14 |
//! | objects of doubles | 8.9–9.0 M | 7.8–9.3 | 1.9–2.1 | 0.08–0.13 |
//! | one array or `Map` of 0.2–1 M entries | 3–7 M | **15–27** | 0.9–1.9 | 0.06–0.20 |
//! | an Express service (larger objects) | | 3.1–3.9 | 0.9–1.2 | 0.03 |
//!
//! Two things follow. V8 needs 65–97 bytes for each node and edge, so the cost follows objects,
//! not bytes, and whoever multiplies the heap by two or four kills a dense one. And V8 stores the
//! *name* of every index of its longest internal array in a buffer of about 1 KiB, so one table
//! of a million slots costs a gigabyte. Such tables live in the large object space, whose size is
//! known beforehand: that bounds them.
//!
//! After a first capture the target keeps most of that memory and uses it again (the peak of the
//! second was within 8 % of the first's), so from then on its own measured figures are used.

use serde::Serialize;

/// Highest extra RSS per byte of heap measured without long arrays (see the module's table),
/// rounded up.
const DENSE_EXTRA_PER_HEAP_BYTE: f64 = 9.5;
/// The ratio of an ordinary service with larger objects, told beside the upper bound.
const TYPICAL_EXTRA_PER_HEAP_BYTE: f64 = 3.9;
/// V8 formats index names in a buffer of 1 KiB; with malloc's own 16 bytes.
const BYTES_PER_INDEX_NAME: f64 = 1040.0;
/// One array slot.
const SLOT_BYTES: f64 = 8.0;
/// Largest file per byte of heap measured (linked list, 2.75).
const FILE_PER_HEAP_BYTE: f64 = 2.8;
/// Upper pause per byte of heap: 0.2 s per MiB, measured while both cores were busy.
const PAUSE_SECONDS_PER_HEAP_BYTE: f64 = 0.2 / 1_048_576.0;
/// Collections and the serialisation of V8's own objects, on any heap.
const BASE_PAUSE_SECONDS: f64 = 0.4;
/// The captures of an empty server needed up to 25 MiB of memory and 8 MiB of file.
const BASE_EXTRA_BYTES: u64 = 25 << 20;
const BASE_FILE_BYTES: u64 = 8 << 20;
/// A later capture peaked at most 8 % of the first's extra above it; twice that is allowed for.
const REPEAT_MARGIN: f64 = 0.15;
/// Kept free for whatever else the service does meanwhile: this share of the limit or room …
const RESERVE_SHARE: f64 = 0.05;
/// … but at least this much.
const RESERVE_BYTES: u64 = 16 << 20;
/// Kept free on the disk.
const DISK_RESERVE_BYTES: u64 = 64 << 20;

/// What is known about the target's heap before a capture. Bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct HeapFigures {
    /// `heapUsed` (or V8's `used_heap_size`).
    pub heap_used_bytes: u64,
    /// Used bytes of V8's large object spaces.
    pub large_object_bytes: u64,
    /// Resident set size now.
    pub rss_bytes: u64,
}

/// What an earlier capture of the same session cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MeasuredCost {
    /// Heap in use right after that capture (it collects garbage first).
    pub heap_used_bytes: u64,
    /// Large object spaces right after it.
    pub large_object_bytes: u64,
    /// Resident set size before it.
    pub rss_before_bytes: u64,
    /// Highest resident set size during it.
    pub rss_peak_bytes: u64,
    /// From request to reply.
    pub pause_seconds: f64,
    /// Size of the file.
    pub file_bytes: u64,
}

/// What a capture would cost at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Prediction {
    /// Resident memory on top of today's, upper bound.
    pub extra_bytes: u64,
    /// The same for an ordinary heap of larger objects; equal when measured.
    pub typical_extra_bytes: u64,
    /// How long the event loop stands still, upper bound.
    pub pause_seconds: f64,
    /// Size of the file, upper bound.
    pub file_bytes: u64,
    /// Whether an earlier capture of this process was measured.
    pub measured: bool,
}

/// The room there is. Bytes; `None` = unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Room {
    /// Memory the target may still take.
    pub headroom_bytes: Option<u64>,
    /// What sets that, in words.
    pub headroom_source: String,
    /// The limit of its control group.
    pub limit_bytes: Option<u64>,
    /// Free space where the file is to be written.
    pub disk_free_bytes: Option<u64>,
}

/// The decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// There is room.
    Allowed,
    /// It might kill the service or fill the disk.
    Refused,
    /// It might, and the user wants it all the same.
    Forced,
}

/// The decision with its numbers; serialises as `preflight` of the contract.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preflight {
    /// The decision.
    pub decision: Decision,
    /// What the capture would cost.
    pub predicted: Prediction,
    /// The room it was held against; `null` when unknown.
    pub headroom_bytes: Option<u64>,
    /// One sentence with the numbers.
    pub reason: String,
}

/// Proof that a preflight was made and allowed (or forced); taking a snapshot demands one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit(());

impl Preflight {
    /// The permit, if the decision allows a capture.
    pub fn permit(&self) -> Option<Permit> {
        (self.decision != Decision::Refused).then_some(Permit(()))
    }

    /// Overrules a refusal; the reason the user gave is kept with the numbers.
    #[must_use]
    pub fn forced(mut self, why: &str) -> Self {
        if self.decision == Decision::Refused {
            self.decision = Decision::Forced;
            self.reason = format!("forced ({why}) although {}", self.reason);
        }
        self
    }
}

/// Predicts the cost: from the target's own earlier capture where there is one, else from the
/// densest heaps measured.
pub fn predict(now: HeapFigures, earlier: Option<&MeasuredCost>) -> Prediction {
    let heap = now.heap_used_bytes as f64;
    let names = |large_objects: u64| large_objects as f64 / SLOT_BYTES * BYTES_PER_INDEX_NAME;
    let Some(earlier) = earlier else {
        let extra = |ratio: f64| (heap * ratio) as u64 + BASE_EXTRA_BYTES;
        return Prediction {
            extra_bytes: extra(DENSE_EXTRA_PER_HEAP_BYTE) + names(now.large_object_bytes) as u64,
            typical_extra_bytes: extra(TYPICAL_EXTRA_PER_HEAP_BYTE),
            pause_seconds: BASE_PAUSE_SECONDS + heap * PAUSE_SECONDS_PER_HEAP_BYTE,
            file_bytes: (heap * FILE_PER_HEAP_BYTE) as u64 + BASE_FILE_BYTES,
            measured: false,
        };
    };
    let then = earlier.rss_peak_bytes.saturating_sub(earlier.rss_before_bytes) as f64;
    let growth = now.heap_used_bytes.saturating_sub(earlier.heap_used_bytes) as f64;
    let new_names = names(now.large_object_bytes.saturating_sub(earlier.large_object_bytes));
    // What is new may be dense even if the rest was not.
    let added = growth * (DENSE_EXTRA_PER_HEAP_BYTE + 1.0) + new_names;
    let peak = earlier.rss_peak_bytes as f64 + then * REPEAT_MARGIN + added;
    let extra = (peak - now.rss_bytes as f64).max(then * REPEAT_MARGIN + added) as u64;
    let scale = (heap / (earlier.heap_used_bytes.max(1) as f64)).max(1.0);
    Prediction {
        extra_bytes: extra,
        typical_extra_bytes: extra,
        pause_seconds: earlier.pause_seconds * scale,
        file_bytes: (earlier.file_bytes as f64 + growth * FILE_PER_HEAP_BYTE) as u64,
        measured: true,
    }
}

/// Holds the prediction against the room.
pub fn decide(predicted: Prediction, room: &Room) -> Preflight {
    let basis = if predicted.measured {
        "measured at this session's last capture".to_owned()
    } else {
        format!(
            "upper bound for a heap of small objects; {} is usual",
            size(predicted.typical_extra_bytes)
        )
    };
    let need =
        format!("a snapshot needs up to {} more memory ({basis})", size(predicted.extra_bytes));
    let (decision, reason) = match (room.headroom_bytes, room.disk_free_bytes) {
        (None, _) => {
            (Decision::Refused, format!("{need}, and how much room there is cannot be read"))
        }
        (Some(headroom), disk) => {
            let reserve = room.limit_bytes.map_or(0, |limit| (limit as f64 * RESERVE_SHARE) as u64);
            let reserve = reserve.max(RESERVE_BYTES);
            if predicted.extra_bytes.saturating_add(reserve) > headroom {
                let text = format!(
                    "{need}, and only {} are left, of which {} are kept free: {}",
                    size(headroom),
                    size(reserve),
                    room.headroom_source
                );
                (Decision::Refused, text)
            } else if let Some(free) = disk
                && predicted.file_bytes.saturating_add(DISK_RESERVE_BYTES) > free
            {
                let text = format!(
                    "the file may take {}, and the disk has only {} free, of which {} are kept \
                        free",
                    size(predicted.file_bytes),
                    size(free),
                    size(DISK_RESERVE_BYTES)
                );
                (Decision::Refused, text)
            } else {
                let text =
                    format!("{need}, and {} are left: {}", size(headroom), room.headroom_source);
                (Decision::Allowed, text)
            }
        }
    };
    Preflight { decision, predicted, headroom_bytes: room.headroom_bytes, reason }
}

/// A size for the reason's text: `147 MiB`, `22.8 GiB`.
pub(crate) fn size(bytes: u64) -> String {
    let mib = bytes as f64 / 1_048_576.0;
    if mib < 10_000.0 { format!("{mib:.0} MiB") } else { format!("{:.1} GiB", mib / 1024.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn figures(heap: u64, large: f64, rss: u64) -> HeapFigures {
        HeapFigures {
            heap_used_bytes: heap * MIB,
            large_object_bytes: (large * MIB as f64) as u64,
            rss_bytes: rss * MIB,
        }
    }

    /// Measured with a separate script before this module was written: heap, large objects, RSS
    /// before and peak in MiB, pause in s, file in MiB.
    const MEASURED: &[(&str, u64, f64, u64, u64, f64, u64)] = &[
        ("20 closures", 30, 2.27, 85, 358, 2.42, 51),
        ("20 closures", 61, 3.53, 135, 757, 11.97, 118),
        ("20 closures", 122, 10.9, 205, 1457, 20.86, 236),
        ("20 list", 71, 0.25, 143, 769, 7.22, 188),
        ("20 list", 140, 0.25, 221, 1477, 19.01, 386),
        ("20 array", 75, 31.76, 146, 1922, 5.73, 128),
        ("20 doubles", 71, 0.25, 140, 804, 9.25, 148),
        ("20 map", 82, 49.25, 166, 1589, 8.13, 85),
        ("20 dictionary", 60, 21.25, 128, 1294, 11.98, 72),
        ("20 express", 199, 0.3, 269, 891, 6.9, 187),
        ("24 closures", 28, 0.83, 99, 351, 1.38, 48),
        ("24 closures", 62, 4.4, 138, 663, 5.41, 103),
        ("24 closures", 115, 5.38, 247, 1295, 11.14, 214),
        ("24 list", 71, 0.25, 164, 727, 5.73, 165),
        ("24 list", 140, 0.25, 323, 1384, 8.52, 342),
        ("24 array", 60, 16.83, 141, 1788, 8.99, 114),
        ("24 doubles", 71, 0.25, 165, 720, 5.48, 133),
        ("24 map", 81, 42.25, 153, 1568, 5.13, 82),
        ("24 dictionary", 61, 18.25, 138, 1263, 7.1, 69),
        ("24 express", 118, 0.3, 251, 709, 3.4, 144),
    ];

    #[test]
    fn the_upper_bound_holds_for_every_heap_measured() {
        for (name, heap, large, rss, peak, pause, file) in MEASURED {
            let predicted = predict(figures(*heap, *large, *rss), None);
            let extra = (peak - rss) * MIB;
            assert!(predicted.extra_bytes >= extra, "{name}: {} < {extra}", predicted.extra_bytes);
            assert!(predicted.pause_seconds >= *pause, "{name}: {}", predicted.pause_seconds);
            assert!(predicted.file_bytes >= file * MIB, "{name}: {}", predicted.file_bytes);
        }
    }

    /// Second captures of the same processes: RSS before and peak, and the heap then.
    #[test]
    fn a_second_capture_is_predicted_from_the_first() {
        for (name, first, heap, rss, peak) in [
            ("20 closures", (205, 1457, 115), 115, 1226, 1490),
            ("20 list", (221, 1477, 140), 141, 1333, 1581),
            ("20 array", (146, 1922, 58), 58, 1415, 1932),
            ("20 map", (166, 1589, 60), 60, 1276, 1618),
            ("24 list", (323, 1384, 140), 140, 1056, 1449),
            ("24 doubles", (165, 720, 70), 70, 618, 769),
        ] {
            let earlier = MeasuredCost {
                heap_used_bytes: first.2 * MIB,
                large_object_bytes: MIB,
                rss_before_bytes: first.0 * MIB,
                rss_peak_bytes: first.1 * MIB,
                pause_seconds: 5.0,
                file_bytes: 100 * MIB,
            };
            let predicted = predict(figures(heap, 1.0, rss), Some(&earlier));
            assert!(
                predicted.extra_bytes >= (peak - rss) * MIB,
                "{name}: {}",
                predicted.extra_bytes
            );
            assert!(predicted.extra_bytes < (first.1 - first.0) * MIB, "{name}: it reuses memory");
        }
    }

    #[test]
    fn refuses_a_container_with_too_little_room_and_says_the_numbers() {
        let predicted = predict(figures(199, 0.3, 269), None);
        let room = Room {
            headroom_bytes: Some(243 * MIB),
            headroom_source: "control group /docker/abc".into(),
            limit_bytes: Some(512 * MIB),
            disk_free_bytes: Some(100_000 * MIB),
        };
        let refused = decide(predicted, &room);
        assert_eq!(refused.decision, Decision::Refused);
        assert!(refused.permit().is_none());
        for word in
            ["243 MiB", "1954 MiB", "801 MiB is usual", "26 MiB are kept free", "/docker/abc"]
        {
            assert!(refused.reason.contains(word), "{word} in {}", refused.reason);
        }
        let forced = refused.forced("it dies tonight anyway");
        assert_eq!(forced.decision, Decision::Forced);
        assert!(forced.permit().is_some() && forced.reason.contains("tonight"));
    }

    #[test]
    fn the_border_is_exact() {
        let predicted = predict(figures(10, 0.0, 60), None);
        let at = |headroom| {
            let room = Room { headroom_bytes: Some(headroom), ..Room::default() };
            decide(predicted, &room).decision
        };
        let need = predicted.extra_bytes + RESERVE_BYTES;
        assert_eq!(at(need), Decision::Allowed);
        assert_eq!(at(need - 1), Decision::Refused);
    }

    #[test]
    fn unknown_room_and_a_full_disk_refuse() {
        let predicted = predict(figures(10, 0.0, 60), None);
        assert_eq!(decide(predicted, &Room::default()).decision, Decision::Refused);
        let room = Room {
            headroom_bytes: Some(u64::MAX),
            disk_free_bytes: Some(predicted.file_bytes),
            ..Room::default()
        };
        let refused = decide(predicted, &room);
        assert_eq!(refused.decision, Decision::Refused);
        assert!(refused.reason.contains("disk"), "{}", refused.reason);
    }

    #[test]
    fn forcing_what_is_allowed_changes_nothing() {
        let room = Room { headroom_bytes: Some(u64::MAX), ..Room::default() };
        let allowed = decide(predict(figures(1, 0.0, 40), None), &room);
        assert_eq!(allowed.clone().forced("x"), allowed);
    }
}
