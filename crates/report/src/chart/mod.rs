//! Pictures of judged series, as SVG.
//!
//! No scripts, no fonts, nothing from elsewhere: the file stands alone, and a report can take it in as it is.
//! Colours follow the reader's light or dark setting (`prefers-color-scheme`). Every text that comes from
//! outside is escaped. Written by hand: a plotting library would bring fonts and rasterising for what is a
//! dozen lines and a grid.

mod axis;
mod panel;

use leakline_trend::{Picture, Trend};

/// One series to draw.
#[derive(Clone, Debug)]
pub struct Panel<'a> {
    /// The series' name.
    pub name: Option<&'a str>,
    /// Its judgement.
    pub trend: &'a Trend,
    /// What to draw.
    pub picture: Picture,
}

/// Width and height of a panel, in the picture's own units.
const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 360.0;

/// More panels than this make no picture; what is left out is said.
const MAX_PANELS: usize = 24;

const STYLE: &str = "\
.leakline{--ink:#1f2328;--soft:#57606a;--grid:#d8dee4;--ground:#fff;--line:#0969da;--rss:#8c959f;\
--floor:#1a7f37;--bad:#cf222e;--warn:#9a6700;font:13px system-ui,sans-serif}
@media(prefers-color-scheme:dark){.leakline{--ink:#e6edf3;--soft:#9198a1;--grid:#30363d;\
--ground:#0d1117;--line:#4493f8;--rss:#6e7681;--floor:#3fb950;--bad:#f85149;--warn:#d29922}}
.leakline .ground{fill:var(--ground)}.leakline text{fill:var(--ink)}.leakline .soft{fill:var(--soft)}
.leakline .head{font-weight:600;font-size:15px}.leakline .end{text-anchor:end}
.leakline .mid{text-anchor:middle}.leakline .grid{stroke:var(--grid);stroke-width:1}
.leakline .line{fill:none;stroke:var(--line);stroke-width:1.2;stroke-linejoin:round}
.leakline .rss{fill:none;stroke:var(--rss);stroke-width:1}
.leakline .floor{fill:var(--floor)}.leakline .fit{stroke:var(--floor);stroke-width:2}
.leakline .fit.growth{stroke:var(--bad)}.leakline .fit.warm-up{stroke:var(--warn)}
.leakline .band{fill:var(--bad);opacity:.16}.leakline .ahead{fill:none;stroke:var(--bad);\
stroke-width:1.6;stroke-dasharray:6 4}
.leakline .limit{stroke:var(--bad);stroke-width:1.4;stroke-dasharray:2 3}.leakline .bad{fill:var(--bad)}
.leakline .restart{stroke:var(--soft);stroke-dasharray:3 3}
";

/// The panels below each other, as a whole SVG document.
pub fn svg(panels: &[Panel<'_>]) -> String {
    let shown = &panels[..panels.len().min(MAX_PANELS)];
    let left_out = panels.len() - shown.len();
    let rest = if left_out > 0 { 28.0 } else { 0.0 };
    let height = HEIGHT * shown.len().max(1) as f64 + rest;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"leakline\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n\
         <rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\"/>\n",
        escape(&title(panels))
    );
    for (i, panel) in shown.iter().enumerate() {
        out.push_str(&format!("<g transform=\"translate(0 {})\">\n", HEIGHT * i as f64));
        out.push_str(&panel::panel(panel));
        out.push_str("</g>\n");
    }
    if left_out > 0 {
        out.push_str(&format!(
            "<text class=\"soft\" x=\"16\" y=\"{}\">{left_out} more series are not drawn</text>\n",
            height - 10.0
        ));
    }
    out.push_str("</svg>\n");
    out
}

fn title(panels: &[Panel<'_>]) -> String {
    match panels {
        [one] => format!("Memory: {}", crate::text::trend_line(one.trend)),
        several => format!("Memory of {} series", several.len()),
    }
}

/// A text for an XML document; characters that XML does not allow are left out.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use leakline_trend::{Sample, Series, judge, picture};

    use super::*;

    fn series(name: &str, per_sample: u64) -> Series {
        let sample = |i: u64| Sample {
            elapsed_seconds: i as f64 * 30.0,
            rss: Some(150_000_000 + i * per_sample + i % 13 * 300_000),
            limit: Some(512 << 20),
            ..Sample::default()
        };
        Series { name: Some(name.into()), samples: (0..600).map(sample).collect() }
    }

    fn drawn(of: &[Series]) -> String {
        let trends: Vec<Trend> = of.iter().map(judge).collect();
        let panels: Vec<Panel<'_>> = of
            .iter()
            .zip(&trends)
            .map(|(s, trend)| Panel { name: s.name.as_deref(), trend, picture: picture(s, trend) })
            .collect();
        svg(&panels)
    }

    /// Tags open and close as XML wants them, and no number is a NaN.
    fn sound(text: &str) {
        let mut open = Vec::new();
        for tag in text.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').unwrap();
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "{text}");
            } else if !tag.ends_with('/') {
                open.push(tag.split(' ').next().unwrap());
            }
        }
        assert!(open.is_empty(), "{open:?}");
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        assert!(!text.contains("<script") && !text.contains("href"), "{text}");
    }

    #[test]
    fn a_leak_has_its_limit_its_floor_and_its_forecast() {
        let text = drawn(&[series("api", 300_000)]);
        sound(&text);
        for part in ["class=\"limit\"", "class=\"ahead\"", "class=\"band\"", "fit growth", "floor"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(text.contains("prefers-color-scheme:dark"));
        let calm = drawn(&[series("api", 0)]);
        sound(&calm);
        assert!(!calm.contains("class=\"ahead\""));
    }

    #[test]
    fn names_are_text_and_many_series_are_bounded() {
        let text = drawn(&[series("<script>alert(1)</script>&\"'\u{1}", 0)]);
        sound(&text);
        assert!(text.contains("&lt;script&gt;alert(1)"), "{text}");
        let many: Vec<Series> = (0..30).map(|i| series(&format!("pod-{i}"), i * 1000)).collect();
        let text = drawn(&many);
        sound(&text);
        assert!(text.contains("6 more series are not drawn"));
    }

    #[test]
    fn hardly_any_samples_are_drawn_too() {
        for n in [0, 1, 2] {
            let mut few = series("few", 0);
            few.samples.truncate(n);
            sound(&drawn(&[few]));
        }
        let mut zero = series("zero", 0);
        zero.samples.iter_mut().for_each(|s| s.rss = Some(0));
        sound(&drawn(&[zero]));
    }
}
