//! The live view: the answer on top, the picture in the middle, what else is known below.

use leakline_heap::Bytes;
use leakline_investigate::Moment;
use leakline_report::text;
use leakline_trend::{Dot, Picture, Verdict, picture};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, LegendPosition, Paragraph, Wrap};

/// Listeners shown.
const LISTENERS: usize = 4;
const MIB: f64 = 1024.0 * 1024.0;

/// Draws everything into the frame.
pub fn draw(frame: &mut Frame<'_>, moment: &Moment<'_>, notes: &[String]) {
    let [head, chart, foot, note] = Layout::vertical([
        Constraint::Length(4),
        Constraint::Min(8),
        Constraint::Length(7),
        Constraint::Length(2),
    ])
    .areas(frame.area());
    frame.render_widget(Paragraph::new(headline(moment)).wrap(Wrap { trim: true }), head);
    memory(frame, chart, &picture(moment.series, moment.trend));
    let [figures, listeners] =
        Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(foot);
    frame.render_widget(
        Paragraph::new(parts(moment)).block(Block::bordered().title("now")),
        figures,
    );
    frame.render_widget(
        Paragraph::new(listener_lines(moment))
            .block(Block::bordered().title("listeners of process")),
        listeners,
    );
    let last = notes.last().map_or_else(String::new, |n| format!("note: {n}  "));
    let text = format!("{last}q or Ctrl-C ends the watch");
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }).style(faint()), note);
}

fn faint() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

fn colour(verdict: Verdict) -> Color {
    match verdict {
        Verdict::Leak => Color::Red,
        Verdict::Stable | Verdict::Plateau | Verdict::FollowsLoad => Color::Green,
        Verdict::WarmUp | Verdict::InsufficientData => Color::Yellow,
    }
}

fn headline(moment: &Moment<'_>) -> Vec<Line<'static>> {
    let trend = moment.trend;
    let word = text::verdict_word(trend.verdict).to_uppercase();
    let strong = Style::new().fg(colour(trend.verdict)).add_modifier(Modifier::BOLD);
    let state = moment.state;
    let restarts = match state.restarts {
        0 => String::new(),
        1 => ", 1 restart".to_owned(),
        n => format!(", {n} restarts"),
    };
    let missed =
        if state.missed > 0 { format!(", {} missed", state.missed) } else { String::new() };
    let mut lines = vec![
        Line::from(vec![
            Span::styled(word, strong),
            Span::raw(format!(
                "  {}",
                text::trend_line(trend).split_once("; ").map_or("", |l| l.1)
            )),
        ]),
        Line::styled(
            format!(
                "{}  {} samples in {}{restarts}{missed}",
                state.target,
                moment.series.samples.len(),
                text::duration(state.elapsed_seconds)
            ),
            faint(),
        ),
    ];
    let codes = ["floor", "gaps", "restarts"];
    if let Some(reason) = trend.reasons.iter().find(|r| !codes.contains(&r.code)) {
        lines.push(Line::raw(reason.text.clone()));
    }
    lines
}

fn memory(frame: &mut Frame<'_>, area: Rect, picture: &Picture) {
    let Some((from, to)) = picture.times() else { return };
    let (from, to) = (from, if to > from { to } else { from + 1.0 });
    let in_sight = picture.limit_in_sight();
    let top = picture.top().max(in_sight.unwrap_or(0.0)) * 1.05 / MIB;
    let points = |dots: &[Dot]| dots.iter().map(|d| (d.t, d.v / MIB)).collect::<Vec<_>>();
    let line = points(&picture.line.concat());
    let rss = points(&picture.rss.concat());
    let floor = points(&picture.floor);
    let band = picture.band.map(|[(a, b), (c, d)]| [points(&[a, c]), points(&[b, d])]);
    let fits: Vec<Vec<(f64, f64)>> =
        picture.segments.iter().map(|s| points(&[s.from, s.to])).collect();
    let ahead = picture.forecast.as_ref().map(|f| points(&[f.from, f.to]));
    let limit = in_sight.map(|l| vec![(from, l / MIB), (to, l / MIB)]);
    let set = |name: &'static str, data, graph, colour| {
        Dataset::default()
            .name(name)
            .marker(Marker::Braille)
            .graph_type(graph)
            .style(colour)
            .data(data)
    };
    let quiet = |data, graph, colour| {
        Dataset::default().marker(Marker::Braille).graph_type(graph).style(colour).data(data)
    };
    let mut sets = Vec::new();
    if !rss.is_empty() {
        sets.push(set("rss", &rss, GraphType::Line, Color::DarkGray));
    }
    sets.push(set(picture.signal, &line, GraphType::Line, Color::Blue));
    for edge in band.iter().flatten() {
        sets.push(quiet(edge, GraphType::Line, Color::Magenta));
    }
    for fit in &fits {
        sets.push(quiet(fit, GraphType::Line, Color::Green));
    }
    sets.push(set("floor", &floor, GraphType::Scatter, Color::Green));
    if let Some(ahead) = &ahead {
        sets.push(set("forecast", ahead, GraphType::Line, Color::Red));
    }
    if let Some(limit) = &limit {
        sets.push(set("limit", limit, GraphType::Line, Color::Red));
    }
    let title = match picture.limit.filter(|_| in_sight.is_none()) {
        Some(limit) => format!("MiB; limit {} is far above", Bytes(limit as u64)),
        None => "MiB".to_owned(),
    };
    let chart = Chart::new(sets)
        .legend_position(Some(LegendPosition::TopLeft))
        .hidden_legend_constraints((Constraint::Ratio(1, 2), Constraint::Ratio(3, 4)))
        .block(Block::bordered().title(title))
        .x_axis(Axis::default().bounds([from, to]).labels([
            text::duration(0.0),
            text::duration((to - from) / 2.0),
            text::duration(to - from),
        ]))
        .y_axis(Axis::default().bounds([0.0, top.max(1.0)]).labels([
            format!("{:>5}", 0),
            format!("{:>5.0}", top / 2.0),
            format!("{top:>5.0}"),
        ]));
    frame.render_widget(chart, area);
}

fn parts(moment: &Moment<'_>) -> Vec<Line<'static>> {
    let Some(sample) = moment.series.samples.last() else { return Vec::new() };
    let mut lines = Vec::new();
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.push(Line::raw(format!("{name:<18}{value:>14}")));
        }
    };
    let size = |value: Option<u64>| value.map(|v| Bytes(v).to_string());
    row("heap used", size(sample.heap_used));
    row("external", size(sample.external));
    let limit = sample.limit.map_or_else(String::new, |l| format!(" / {}", Bytes(l)));
    row("rss / limit", sample.rss.map(|v| format!("{}{limit}", Bytes(v))));
    row(
        "event-loop delay",
        moment
            .state
            .loop_delay_seconds
            .map(|(last, worst)| format!("{:.0} ms (worst {:.0})", last * 1000.0, worst * 1000.0)),
    );
    row(
        "time to the limit",
        moment.trend.time_to_limit_seconds.map(|t| text::duration(t.estimate)),
    );
    lines
}

fn listener_lines(moment: &Moment<'_>) -> Vec<Line<'static>> {
    let listeners = &moment.state.listeners;
    if listeners.is_empty() {
        return vec![Line::styled("not known", faint())];
    }
    listeners
        .iter()
        .take(LISTENERS)
        .map(|(first, last)| {
            let grown = *last > first.count;
            let event: String = first.event.chars().filter(|c| !c.is_control()).take(24).collect();
            let text = format!("{event:<24} {:>5} → {last}", first.count);
            if grown { Line::styled(text, Color::Yellow) } else { Line::raw(text) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use leakline_investigate::{ListenerCount, State};
    use leakline_trend::{Sample, Series, judge};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    fn drawn(width: u16, height: u16, samples: u32, limit: u64) -> String {
        let sample = |i: u32| Sample {
            elapsed_seconds: f64::from(i) * 2.0,
            heap_used: Some(u64::from(40_000_000 + i * 150_000 + i % 10 * 400_000)),
            rss: Some(u64::from(90_000_000 + i * 150_000 + i % 10 * 400_000)),
            gc_major_count: Some(u64::from(i / 10)),
            limit: Some(limit),
            ..Sample::default()
        };
        let series = Series { name: None, samples: (0..samples).map(sample).collect() };
        let trend = judge(&series);
        let count = ListenerCount {
            emitter: "process".into(),
            event: "uncaughtException".into(),
            count: 1,
        };
        let state = State {
            target: "process 4711 (node app.js)".into(),
            elapsed_seconds: f64::from(samples) * 2.0,
            loop_delay_seconds: Some((0.002, 0.031)),
            listeners: vec![(count, 57)],
            ..State::default()
        };
        let moment = Moment { series: &series, trend: &trend, state: &state };
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let notes = ["a sample is missing here: it was busy".to_owned()];
        terminal.draw(|frame| draw(frame, &moment, &notes)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn a_leak_is_on_the_first_line_with_its_limit_below() {
        let text = drawn(80, 30, 300, 256 << 20);
        for part in [
            "LEAK",
            "limit",
            "floor",
            "uncaughtException",
            "1 → 57",
            "time to the limit",
            "31)",
            "forecast",
        ] {
            assert!(text.contains(part), "{part}:\n{text}");
        }
        assert!(text.lines().next().unwrap().contains("LEAK"), "{text}");
    }

    #[test]
    fn small_terminals_and_hardly_any_samples_are_drawn() {
        for (width, height) in [(80, 24), (40, 12), (10, 5), (1, 1)] {
            for samples in [0, 1, 2, 20] {
                drawn(width, height, samples, 8 << 30);
            }
        }
    }
}
