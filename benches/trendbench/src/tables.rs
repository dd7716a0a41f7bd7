//! Prints what was measured.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use leakline_trend::Verdict;

use crate::baselines::Baseline;
use crate::generate::{Cell, Family};
use crate::measure::{Outcome, sensitivity};

/// The cells with a bar, then the others with leaks.
pub const LEAKING: [Cell; 5] = [Cell::Hours2, Cell::Hours12, Cell::Hours72, Cell::Fast, Cell::Slow];

fn share(of: &[Outcome], is: impl Fn(&Outcome) -> bool) -> f64 {
    of.iter().filter(|o| is(o)).count() as f64 / of.len().max(1) as f64
}

/// Recall of every rule in every cell, and the false alarms.
pub fn recall(leaking: &[(Cell, Vec<Outcome>)], healthy: &[Outcome]) -> String {
    let mut text = String::from("| rule |");
    for (cell, _) in leaking {
        let _ = write!(text, " {} |", cell.name());
    }
    let _ = writeln!(text, " false alarms of {} |", healthy.len());
    let _ = writeln!(text, "|---|{}", "---|".repeat(leaking.len() + 1));
    let row = |name: &str, is: &dyn Fn(&Outcome) -> bool| {
        let mut line = format!("| {name} |");
        for (_, outcomes) in leaking {
            let _ = write!(line, " {:.3} |", share(outcomes, is));
        }
        let _ = write!(line, " {:.2} % |", 100.0 * share(healthy, is));
        line
    };
    let _ = writeln!(text, "{}", row("leakline", &|o| o.verdict == Verdict::Leak));
    for (i, rule) in Baseline::ALL.into_iter().enumerate() {
        let _ = writeln!(text, "{}", row(rule.name(), &|o| o.others[i].alarm));
    }
    text
}

/// The share of leaks found at given rates of false alarms, by each rule's score.
pub fn roc(leaking: &[Outcome], healthy: &[Outcome]) -> String {
    let mut text = String::from("| rule | at 0.1 % | at 1 % | at 5 % |\n|---|---|---|---|\n");
    let mut row = |name: &str, score: &dyn Fn(&Outcome) -> f64| {
        let scores = |of: &[Outcome]| of.iter().map(score).collect::<Vec<f64>>();
        let (leaks, calm) = (scores(leaking), scores(healthy));
        let at = |rate| sensitivity(&leaks, &calm, rate);
        let _ = writeln!(text, "| {name} | {:.3} | {:.3} | {:.3} |", at(0.001), at(0.01), at(0.05));
    };
    row("leakline", &|o| o.score);
    for (i, rule) in Baseline::ALL.into_iter().enumerate() {
        row(rule.name(), &|o| o.others[i].score);
    }
    text
}

/// What became of each family.
pub fn families(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "| family | series | leak | warm-up | plateau | follows-load | stable | insufficient |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for family in Family::LEAKS.into_iter().chain(Family::HEALTHY) {
        let of: Vec<&Outcome> = outcomes.iter().filter(|o| o.plan.family == family).collect();
        if of.is_empty() {
            continue;
        }
        let _ = write!(text, "| {} | {} |", family.name(), of.len());
        for verdict in [
            Verdict::Leak,
            Verdict::WarmUp,
            Verdict::Plateau,
            Verdict::FollowsLoad,
            Verdict::Stable,
            Verdict::InsufficientData,
        ] {
            let _ = write!(text, " {} |", of.iter().filter(|o| o.verdict == verdict).count());
        }
        text.push('\n');
    }
    text
}

/// Each series that was judged wrongly, for reading.
pub fn mistakes(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for o in outcomes {
        let alarm = o.verdict == Verdict::Leak;
        if alarm != o.plan.family.leaks() {
            let _ = writeln!(
                text,
                "#{} {} {:?} {:.1} h every {:.0} s, score {:.2}: {:?} [{}] rate {:.2} %/h noise {:.2} %",
                o.index,
                o.plan.family.name(),
                o.plan.seen,
                o.plan.seconds / 3600.0,
                o.plan.step,
                o.score,
                o.verdict,
                o.because,
                100.0 * o.plan.rate / o.plan.limit,
                100.0 * o.plan.noise / o.plan.base,
            );
        }
    }
    text
}

/// Coverage of the intervals, whole and by what was seen.
pub fn coverage(outcomes: &[Outcome]) -> String {
    let mut groups: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut add = |key: String, covered: bool| {
        let group = groups.entry(key).or_default();
        group.0 += usize::from(covered);
        group.1 += 1;
    };
    for o in outcomes {
        let Some(covered) = o.covered else { continue };
        add("all".into(), covered);
        add(format!("seen: {:?}", o.plan.seen), covered);
        let remembers = o.plan.memory / o.plan.seconds;
        add(
            format!(
                "noise memory: {}",
                ["none", "< 1 %", "≥ 1 %"]
                    [usize::from(remembers > 0.0) + usize::from(remembers >= 0.01)]
            ),
            covered,
        );
        add(
            format!(
                "samples: {}",
                if o.plan.seconds / o.plan.step < 200.0 { "< 200" } else { "≥ 200" }
            ),
            covered,
        );
        add(format!("rate: {}", if o.plan.rate > 0.0 { "rising" } else { "none" }), covered);
    }
    let mut text = String::from("| series | count | covered |\n|---|---|---|\n");
    for (key, (covered, count)) in groups {
        let _ =
            writeln!(text, "| {key} | {count} | {:.1} % |", 100.0 * covered as f64 / count as f64);
    }
    text
}

/// Median and worst of delays, and how many were not found.
pub fn delays(found: &[Option<f64>]) -> String {
    let mut hours: Vec<f64> = found.iter().flatten().copied().collect();
    hours.sort_by(f64::total_cmp);
    let missed = found.len() - hours.len();
    let Some(last) = hours.last() else { return format!("none of {} found", found.len()) };
    format!(
        "median {:.2} h, 95 % within {:.2} h, longest {last:.2} h, not found {missed} of {}",
        hours[hours.len() / 2],
        hours[(hours.len() * 95 / 100).min(hours.len() - 1)],
        found.len()
    )
}
