//! What each variant added, as a picture: a bar to the median, a line between the quartiles.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::sample::Row;
use super::statistics::Spread;
use super::variants::Filter;

const WIDTH: u32 = 960;
/// One bar and what stands around all of them.
const HEIGHTS: (u32, u32) = (24, 110);
const TITLES: u32 = 300;
const FONT: &str = "sans-serif";

/// Vestibule, Envoy's own, the SDK's.
const COLOURS: [RGBColor; 3] =
    [RGBColor(0x1f, 0x6f, 0xb4), RGBColor(0xe0, 0x8a, 0x2b), RGBColor(0x8c, 0x8c, 0x8c)];

struct Bar {
    title: String,
    added: Spread,
    colour: RGBColor,
}

/// Draws the variants into this file; nothing where none has a base.
///
/// # Errors
/// Where the file cannot be written.
pub fn draw(rows: &[Row<'_>], caption: &str, path: &Path) -> Result<(), String> {
    let bars: Vec<Bar> = rows.iter().rev().filter_map(bar).collect();
    if bars.is_empty() {
        return Ok(());
    }
    draw_bars(&bars, caption, path).map_err(|error| format!("{}: {error}", path.display()))
}

fn bar(row: &Row<'_>) -> Option<Bar> {
    let [door, native, sdk] = COLOURS;
    let colour = match row.variant.filter {
        Filter::Nothing => return None,
        Filter::Outer(_) | Filter::Inner(_) => door,
        Filter::Native(_) => native,
        Filter::Noop(_) => sdk,
    };
    Some(Bar { title: row.variant.title.clone(), added: row.added?, colour })
}

fn draw_bars(bars: &[Bar], caption: &str, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let count = bars.len();
    let (each, around) = HEIGHTS;
    // A range of segments holds its end.
    let positions = (0..count - 1).into_segmented();
    let height = u32::try_from(count)? * each + around;
    let longest = bars.iter().map(|bar| bar.added.high).fold(1.0, f64::max);
    let root = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(caption, (FONT, 16))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(TITLES)
        .build_cartesian_2d(0.0..longest * 1.1, positions)?;
    let title = |position: &SegmentValue<usize>| match position {
        SegmentValue::CenterOf(which) => bars.get(*which).map_or_else(String::new, |bar| bar.title.clone()),
        SegmentValue::Exact(_) | SegmentValue::Last => String::new(),
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .max_light_lines(0)
        .x_label_formatter(&|value| format!("{value:.0}"))
        .y_labels(count)
        .y_label_formatter(&title)
        .x_desc("CPU time added to a request, in microseconds")
        .label_style((FONT, 13))
        .draw()?;
    chart.draw_series(bars.iter().enumerate().map(|(which, bar)| {
        let corners = [(0.0, SegmentValue::Exact(which)), (bar.added.median, SegmentValue::Exact(which + 1))];
        let mut rectangle = Rectangle::new(corners, bar.colour.filled());
        rectangle.set_margin(4, 4, 0, 0);
        rectangle
    }))?;
    chart.draw_series(bars.iter().enumerate().map(|(which, bar)| {
        let ends = [bar.added.low, bar.added.high].map(|end| (end.max(0.0), SegmentValue::CenterOf(which)));
        PathElement::new(ends.to_vec(), BLACK.stroke_width(2))
    }))?;
    let beside = (FONT, 12).into_font().color(&BLACK).pos(Pos::new(HPos::Left, VPos::Center));
    chart.draw_series(bars.iter().enumerate().map(|(which, bar)| {
        let place = (bar.added.high.max(0.0) + longest * 0.01, SegmentValue::CenterOf(which));
        Text::new(format!("{:.1}", bar.added.median), place, beside.clone())
    }))?;
    root.present()?;
    Ok(())
}
