//! The report as a table of at most 80 columns.

use super::report::{Bar, Group, Limit, Report, Row, Section, Spread};

const WIDTH: usize = 80;
/// The column of the programs' names.
const NAME: usize = 21;

/// The report as text.
pub fn render(report: &Report) -> String {
    let rounds = if report.rounds == 1 { "1 round" } else { &format!("{} rounds", report.rounds) };
    let mut text = format!("{rounds} in turn, medians; {} cores\n", report.cores);
    for (name, path) in &report.programs {
        text.push_str(&wrap(&format!("{name:<NAME$} {path}"), 2, NAME + 3));
    }
    for note in &report.notes {
        text.push_str(&wrap(&format!("note: {note}"), 2, 8));
    }
    for section in &report.sections {
        text.push('\n');
        text.push_str(&self::section(section));
    }
    text
}

/// One section as text; also what is shown while the others still run.
pub fn section(section: &Section) -> String {
    let mut text = wrap(&format!("{}: {}", section.name, section.title), 0, 2);
    if !section.groups.is_empty() {
        text.push_str(&format!(
            "{:NAME$}{:>10}{:>21}{:>11}{:>8}{:>8}\n",
            "", "wall", "min to max", "peak MiB", "× time", "× peak"
        ));
    }
    for group in &section.groups {
        text.push_str(&self::group(group));
    }
    for bar in &section.bars {
        text.push_str(&self::bar(bar));
    }
    for note in &section.notes {
        text.push_str(&wrap(&format!("note: {note}"), 2, 8));
    }
    text
}

fn group(group: &Group) -> String {
    let mut text = wrap(&group.subject, 0, 2);
    for row in &group.rows {
        text.push_str(&self::row(row));
    }
    text
}

fn row(row: &Row) -> String {
    let name = format!("  {}", row.program);
    let (Some(wall), Some(peak)) = (row.wall_seconds, row.peak_bytes) else {
        let why = row.not_run.as_deref().unwrap_or("no runs");
        return wrap(&format!("{name:<NAME$} not run: {why}"), 0, NAME + 1);
    };
    let ratio = |r: Option<f64>| r.map_or(String::new(), |r| format!("{r:.2}"));
    // A name that is too long gets a line for itself.
    let name = if name.chars().count() < NAME { name } else { format!("{name}\n") };
    let pad =
        if name.ends_with('\n') { format!("{name}{:NAME$}", "") } else { format!("{name:<NAME$}") };
    let line = format!(
        "{pad}{:>10}{:>21}{:>11.1}{:>8}{:>8}",
        seconds(wall.median),
        range(wall),
        peak.median / f64::from(1 << 20),
        ratio(row.time_ratio),
        ratio(row.peak_ratio),
    );
    format!("{}\n", line.trim_end())
}

/// The unit once, where both have the same.
fn range(spread: Spread) -> String {
    let (min, max) = (seconds(spread.min), seconds(spread.max));
    match (min.rsplit_once(' '), max.rsplit_once(' ')) {
        (Some((number, unit)), Some((_, same))) if unit == same => format!("{number} to {max}"),
        _ => format!("{min} to {max}"),
    }
}

fn seconds(value: f64) -> String {
    if value < 0.1 { format!("{:.1} ms", value * 1e3) } else { format!("{value:.2} s") }
}

fn bar(bar: &Bar) -> String {
    let show = |value: f64| match bar.limit {
        Limit::Ratio(_) | Limit::NoneForRatio => format!("{value:.2}"),
        Limit::Seconds(_) => seconds(value),
        Limit::Bytes(_) => format!("{:.2} GiB", value / f64::from(1 << 30)),
    };
    let most = match bar.limit {
        Limit::Ratio(m) | Limit::Seconds(m) | Limit::Bytes(m) => format!("bar {}", show(m)),
        Limit::NoneForRatio => "no bar".into(),
    };
    let verdict = match bar.met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "",
    };
    let value = bar.value.map_or_else(|| "not measured".into(), show);
    let line = format!("  {:<44}{value:>13}{most:>14}{verdict:>7}", bar.what);
    format!("{}\n", line.trim_end())
}

/// Breaks a text at spaces, and a word that fits no line (a path) where the line ends. The first line begins after
/// `first` spaces, the others after `further`.
fn wrap(text: &str, first: usize, further: usize) -> String {
    let mut out = String::new();
    let mut line = " ".repeat(first);
    let mut empty = true;
    for word in text.split(' ') {
        let letters: Vec<char> = word.chars().collect();
        // `chunks` gives nothing for an empty word, and those are the padding between columns.
        let mut parts = letters.chunks(WIDTH - further.max(first)).map(String::from_iter);
        let first_part: String = parts.next().unwrap_or_default();
        for part in std::iter::once(first_part).chain(parts) {
            let fits = line.chars().count() + 1 + part.chars().count() <= WIDTH;
            if !empty && !fits {
                out.push_str(line.trim_end());
                out.push('\n');
                line = " ".repeat(further);
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(&part);
            empty = false;
        }
    }
    out.push_str(line.trim_end());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::measure::Sample;

    #[test]
    fn a_report_fits_eighty_columns() {
        let sample = |s| Sample { wall_seconds: s, peak_bytes: 2_345_678_901 };
        let labels = ["leakline", "toolkit", "memlab", "a peer with a long name"].map(String::from);
        let runs = [
            Ok(vec![sample(0.0412), sample(0.05)]),
            Ok(vec![sample(1234.5678)]),
            Err("exit status: 134: FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory".into()),
            Ok(vec![sample(5.0)]),
        ];
        let report = Report {
            rounds: 5,
            cores: 2,
            programs: vec![("leakline".into(), "/somewhere/that/is/far/away".repeat(4))],
            notes: vec!["how the peers were obtained, ".repeat(4)],
            sections: vec![Section {
                name: "open",
                title: "cold `summary` of files from real processes".into(),
                groups: vec![Group::new("920 MB", &labels, &runs)],
                bars: vec![
                    Bar::new("time per node, 920 MB to 4200 MB", Some(1.2), Limit::Ratio(1.35)),
                    Bar::new(
                        "peak on 4200 MB",
                        Some(7e9),
                        Limit::Bytes(6.0 * 1024.0 * 1024.0 * 1024.0),
                    ),
                    Bar::new("time to the first table", None, Limit::Seconds(0.05)),
                ],
                notes: vec!["a note that goes on ".repeat(9)],
            }],
        };
        let text = render(&report);
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
        for part in [
            "45.6 ms",
            "0.01",
            "2237.0",
            "not run: exit",
            "MISSED",
            "bar 1.35",
            "met",
            "not measured",
        ] {
            assert!(text.contains(part), "{part}:\n{text}");
        }
    }
}
