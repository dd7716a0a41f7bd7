//! One series: its lines on a grid, under the verdict.

use leakline_heap::Bytes;
use leakline_trend::{Dot, Stretch, Verdict};

use super::{HEIGHT, Panel, WIDTH, axis, escape};
use crate::text::{duration, trend_line};

/// The grid's place within the panel.
const LEFT: f64 = 76.0;
const RIGHT: f64 = WIDTH - 20.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = HEIGHT - 54.0;

/// From bytes and seconds to places.
struct Scale {
    from: f64,
    to: f64,
    top: f64,
}

impl Scale {
    fn x(&self, t: f64) -> f64 {
        let span = (self.to - self.from).max(f64::MIN_POSITIVE);
        LEFT + ((t - self.from) / span).clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    fn y(&self, v: f64) -> f64 {
        BOTTOM - (v / self.top).clamp(0.0, 1.0) * (BOTTOM - TOP)
    }

    fn at(&self, dot: Dot) -> String {
        format!("{:.1},{:.1}", self.x(dot.t), self.y(dot.v))
    }
}

pub(super) fn panel(panel: &Panel<'_>) -> String {
    let picture = &panel.picture;
    let name = panel.name.unwrap_or("memory");
    let short: String = name.chars().take(90).collect();
    let mut out = format!(
        "<text class=\"head\" x=\"16\" y=\"24\">{}</text>\n<text class=\"{}\" x=\"16\" y=\"44\">{}</text>\n",
        escape(&short),
        if panel.trend.verdict == Verdict::Leak { "bad" } else { "soft" },
        escape(&trend_line(panel.trend))
    );
    let Some((from, to)) = picture.times() else {
        out.push_str(&format!("<text class=\"soft\" x=\"{LEFT}\" y=\"{TOP}\">no samples</text>\n"));
        return out;
    };
    let top = picture.top();
    let limit = picture.limit_in_sight();
    let ticks = axis::bytes(top.max(limit.unwrap_or(0.0)) * 1.02);
    let scale = Scale { from, to, top: ticks.last().copied().unwrap_or(1.0) };
    grid(&mut out, &scale, &ticks);
    for at in &picture.restarts {
        let x = scale.x(*at);
        out.push_str(&format!(
            "<line class=\"restart\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{BOTTOM}\"/>\n"
        ));
    }
    polygon(&mut out, &scale, picture.band.map(|[(a, b), (c, d)]| [a, c, d, b]));
    lines(&mut out, &scale, "rss", &picture.rss);
    lines(&mut out, &scale, "line", &picture.line);
    for dot in &picture.floor {
        out.push_str(&format!(
            "<circle class=\"floor\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.2\"/>\n",
            scale.x(dot.t),
            scale.y(dot.v)
        ));
    }
    for segment in &picture.segments {
        fit(&mut out, &scale, segment);
    }
    if let Some(f) = &picture.forecast {
        let (low, high) = f.between;
        let ends = [f.from, Dot { t: f.to.t, v: low }, Dot { t: f.to.t, v: high }, f.from];
        polygon(&mut out, &scale, Some(ends));
        out.push_str(&format!(
            "<polyline class=\"ahead\" points=\"{} {}\"/>\n",
            scale.at(f.from),
            scale.at(f.to)
        ));
    }
    if let Some(limit) = limit {
        let y = scale.y(limit);
        out.push_str(&format!(
            "<line class=\"limit\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\"/>\n\
             <text class=\"bad\" x=\"{}\" y=\"{:.1}\">limit {}</text>\n",
            LEFT + 6.0,
            if y - TOP < 16.0 { y + 14.0 } else { y - 5.0 },
            Bytes(limit as u64)
        ));
    }
    legend(&mut out, panel, limit.is_some());
    out
}

fn grid(out: &mut String, scale: &Scale, ticks: &[f64]) {
    for v in ticks {
        let y = scale.y(*v);
        out.push_str(&format!(
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\"/>\n\
             <text class=\"soft end\" x=\"{}\" y=\"{:.1}\">{}</text>\n",
            LEFT - 8.0,
            y + 4.0,
            Bytes(*v as u64)
        ));
    }
    for t in axis::seconds(scale.from, scale.to) {
        out.push_str(&format!(
            "<text class=\"soft mid\" x=\"{:.1}\" y=\"{}\">{}</text>\n",
            scale.x(t),
            BOTTOM + 18.0,
            axis::moment(t - scale.from)
        ));
    }
}

fn lines(out: &mut String, scale: &Scale, class: &str, pieces: &[Vec<Dot>]) {
    for piece in pieces {
        let points: Vec<String> = piece.iter().map(|d| scale.at(*d)).collect();
        out.push_str(&format!("<polyline class=\"{class}\" points=\"{}\"/>\n", points.join(" ")));
    }
}

fn polygon(out: &mut String, scale: &Scale, corners: Option<[Dot; 4]>) {
    let Some(corners) = corners else { return };
    let points: Vec<String> = corners.iter().map(|d| scale.at(*d)).collect();
    out.push_str(&format!("<polygon class=\"band\" points=\"{}\"/>\n", points.join(" ")));
}

fn fit(out: &mut String, scale: &Scale, s: &Stretch) {
    out.push_str(&format!(
        "<line class=\"fit {}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>\n",
        s.kind,
        scale.x(s.from.t),
        scale.y(s.from.v),
        scale.x(s.to.t),
        scale.y(s.to.v)
    ));
}

/// What the lines are, in words that need no colours.
fn legend(out: &mut String, panel: &Panel<'_>, limit_in_sight: bool) {
    let picture = &panel.picture;
    let mut words = vec![format!("thin line: {}", picture.signal)];
    if !picture.rss.is_empty() {
        words.push("grey: rss".into());
    }
    words.push("dots: floor".into());
    words.push("bold: fitted segments, shaded: 95 %".into());
    if picture.forecast.is_some() {
        words.push("dashed: forecast".into());
    }
    if let Some(limit) = picture.limit.filter(|_| !limit_in_sight) {
        words.push(format!("limit {} is far above", Bytes(limit as u64)));
    }
    if let Some(time) = &panel.trend.time_to_limit_seconds {
        words.push(format!("limit in {}", duration(time.estimate)));
    }
    out.push_str(&format!(
        "<text class=\"soft\" x=\"{LEFT}\" y=\"{}\">{}</text>\n",
        HEIGHT - 14.0,
        escape(&words.join(" · "))
    ));
}
