//! The fixture: a panel, drawn from the series that answered it. It is a plain picture, and none of Grafana's.

use std::fs;
use std::path::Path;

use plotters::prelude::*;

use super::dashboard::{Panel, Query};
use super::prometheus::Series;

const WIDTH: u32 = 760;
/// The graph, and each line of the legend below it.
const HEIGHTS: (u32, u32) = (230, 17);
const FONT: &str = "sans-serif";
/// More series than this are not told apart by anybody.
const MOST: usize = 16;
/// Dark enough on white; then they begin anew.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0x1f, 0x6f, 0xb4),
    RGBColor(0xd6, 0x5f, 0x00),
    RGBColor(0x2a, 0x8f, 0x3c),
    RGBColor(0xc4, 0x28, 0x2d),
    RGBColor(0x7d, 0x4f, 0xb3),
    RGBColor(0x7a, 0x50, 0x45),
    RGBColor(0xc8, 0x4f, 0xa5),
    RGBColor(0x3f, 0x3f, 0x3f),
];

/// Draws it into a file of this folder that is called as the panel is.
///
/// # Errors
/// Where the file cannot be written.
pub fn draw(
    panel: &Panel,
    answers: &[(&Query, Vec<Series>)],
    begin: u64,
    end: u64,
    folder: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{}.svg", panel.title.to_lowercase().replace(' ', "-")));
    let mut lines: Vec<(String, &Series)> = answers
        .iter()
        .flat_map(|(query, series)| series.iter().map(|series| (called(&query.legend, series), series)))
        .collect();
    lines.sort_by(|(one, _), (other, _)| one.cmp(other));
    lines.truncate(MOST);
    let highest = lines.iter().flat_map(|(_, series)| &series.values).map(|(_, value)| *value);
    let highest = highest.filter(|value| value.is_finite()).fold(f64::MIN_POSITIVE, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "seconds of our time")]
    let (begin, end) = (begin as f64, end as f64);

    let (graph, each) = HEIGHTS;
    let legend = u32::try_from(lines.len())? * each + 12;
    let root = SVGBackend::new(&path, (WIDTH, graph + legend)).into_drawing_area();
    root.fill(&WHITE)?;
    let (above, below) = root.split_vertically(graph);
    let mut chart = ChartBuilder::on(&above)
        .caption(&panel.title, (FONT, 15))
        .margin(10)
        .x_label_area_size(24)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..end - begin, 0.0..highest * 1.1)?;
    let share = panel.unit == "percentunit";
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_label_formatter(&|seconds| format!("{seconds:.0} s"))
        .y_label_formatter(&|value| shown(*value, &panel.unit))
        .y_labels(if share { 6 } else { 5 })
        .label_style((FONT, 12))
        .draw()?;
    for (place, (name, series)) in (0..).zip(&lines) {
        let colour = COLOURS[usize::try_from(place)? % COLOURS.len()];
        // Where there was no value there is no line.
        for part in series.values.chunk_by(|(one, _), (next, _)| next - one < 1.5) {
            let points = part.iter().filter(|(_, value)| value.is_finite());
            let points: Vec<_> = points.map(|(time, value)| (time - begin, *value)).collect();
            chart.draw_series([PathElement::new(points, colour.stroke_width(2))])?;
        }
        let height = place * i32::try_from(each)? + 8;
        below.draw(&PathElement::new([(70, height), (90, height)], colour.stroke_width(3)))?;
        below.draw(&Text::new(name.as_str(), (98, height - 6), (FONT, 12)))?;
    }
    root.present()?;
    Ok(())
}

/// What Grafana would call a series.
fn called(legend: &str, series: &Series) -> String {
    let mut name = legend.to_owned();
    for (label, value) in series.labels.as_object().into_iter().flatten() {
        name = name.replace(&format!("{{{{{label}}}}}"), value.as_str().unwrap_or_default());
    }
    name
}

fn shown(value: f64, unit: &str) -> String {
    match unit {
        "percentunit" => format!("{:.0} %", value * 100.0),
        "reqps" | "ops" => format!("{value:.1}/s"),
        "s" => format!("{value:.0} s"),
        _ => format!("{value:.0}"),
    }
}
