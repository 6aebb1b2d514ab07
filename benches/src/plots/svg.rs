//! Charts as SVG: lines over two logarithmic axes.
#![expect(clippy::float_arithmetic, reason = "a drawing")]

use std::fmt::Write;

/// A line.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: String,
    /// Both coordinates above zero.
    pub(super) points: Vec<(f64, f64)>,
}

/// A chart.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) x: String,
    pub(super) y: String,
    pub(super) series: Vec<Series>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 56.0;
/// Dark enough on white and light enough on black, and apart for the colour-blind.
const COLOURS: [&str; 5] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7f7f7f"];

/// Whole decades that an axis covers, and where it lies.
struct Axis {
    first: i32,
    last: i32,
    from: f64,
    to: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (mut first, mut last) = (i32::MAX, i32::MIN);
        for value in values {
            let lower = (-18..18).rev().find(|power| 10_f64.powi(*power) <= value);
            let upper = (-18..18).find(|power| 10_f64.powi(*power) >= value);
            first = first.min(lower.unwrap_or(-18));
            last = last.max(upper.unwrap_or(18));
        }
        if first >= last {
            last = first.saturating_add(1);
        }
        Self {
            first,
            last,
            from,
            to,
        }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value.log10() - f64::from(self.first)) / f64::from(self.last - self.first);
        self.from + (self.to - self.from) * share
    }

    /// Returns the decades.
    fn decades(&self) -> impl Iterator<Item = f64> {
        (self.first..=self.last).map(|power| 10_f64.powi(power))
    }
}

impl Chart {
    /// Draws the chart.
    pub(super) fn svg(&self) -> String {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let x = Axis::over(points().map(|point| point.0), LEFT, WIDTH - RIGHT);
        let y = Axis::over(points().map(|point| point.1), HEIGHT - BOTTOM, TOP);
        let mut svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>
<text x="{LEFT}" y="24" font-size="15">{}</text>
"##,
            escaped(&self.title)
        );
        // Writing into a text cannot fail.
        let _ = self.grid(&mut svg, &x, &y);
        for (index, series) in self.series.iter().enumerate() {
            let _ = line(&mut svg, series, index, &x, &y);
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn grid(&self, svg: &mut String, x: &Axis, y: &Axis) -> std::fmt::Result {
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        for value in x.decades() {
            let at = x.place(value);
            writeln!(
                svg,
                r##"<path d="M{at:.1} {TOP}V{bottom}" stroke="#dddddd"/><text x="{at:.1}" y="{:.1}" text-anchor="middle">{}</text>"##,
                bottom + 18.0,
                short(value)
            )?;
        }
        for value in y.decades() {
            let at = y.place(value);
            writeln!(
                svg,
                r##"<path d="M{LEFT} {at:.1}H{right}" stroke="#dddddd"/><text x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"##,
                LEFT - 8.0,
                at + 4.0,
                short(value)
            )?;
        }
        let (middle_x, middle_y) = (f64::midpoint(LEFT, right), f64::midpoint(TOP, bottom));
        writeln!(
            svg,
            r#"<text x="{middle_x:.1}" y="{:.1}" text-anchor="middle">{}</text>
<text x="20" y="{middle_y:.1}" text-anchor="middle" transform="rotate(-90 20 {middle_y:.1})">{}</text>"#,
            HEIGHT - 14.0,
            escaped(&self.x),
            escaped(&self.y)
        )
    }
}

fn line(svg: &mut String, series: &Series, index: usize, x: &Axis, y: &Axis) -> std::fmt::Result {
    let colour = COLOURS[index % COLOURS.len()];
    let places: Vec<(f64, f64)> = series
        .points
        .iter()
        .map(|point| (x.place(point.0), y.place(point.1)))
        .collect();
    let path: Vec<String> = places
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    writeln!(
        svg,
        r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2"/>"#,
        path.join(" ")
    )?;
    for (x, y) in places {
        writeln!(
            svg,
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="3" fill="{colour}"/>"#
        )?;
    }
    let row = TOP + 10.0 + 20.0 * f64::from(u32::try_from(index).unwrap_or(0));
    let from = WIDTH - RIGHT + 14.0;
    writeln!(
        svg,
        r#"<path d="M{from} {row}h18" stroke="{colour}" stroke-width="2"/><text x="{}" y="{}">{}</text>"#,
        from + 24.0,
        row + 4.0,
        escaped(&series.name)
    )
}

/// Returns a power of ten as people write it on an axis.
fn short(value: f64) -> String {
    match value {
        1e9.. => format!("{}G", value / 1e9),
        1e6.. => format!("{}M", value / 1e6),
        1e3.. => format!("{}k", value / 1e3),
        _ => format!("{value}"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_covers_its_values_in_whole_decades() {
        let axis = Axis::over([30.0, 2_000.0].into_iter(), 0.0, 300.0);
        assert_eq!((axis.first, axis.last), (1, 4));
        assert!((axis.place(100.0) - 100.0).abs() < 1e-9);
        let one = Axis::over([100.0].into_iter(), 0.0, 1.0);
        assert_eq!((one.first, one.last), (2, 3));
    }

    #[test]
    fn every_series_has_its_line_and_its_name() {
        let chart = Chart {
            title: "a < b".to_owned(),
            x: "x".to_owned(),
            y: "y".to_owned(),
            series: ["one", "two"]
                .map(|name| Series {
                    name: name.to_owned(),
                    points: vec![(1.0, 10.0), (100.0, 20.0)],
                })
                .into(),
        };
        let svg = chart.svg();
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(svg.contains("a &lt; b") && svg.contains(">one<") && svg.contains(">two<"));
    }
}
