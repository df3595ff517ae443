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
    let count = u32::try_from(bars.len())?;
    let (each, around) = HEIGHTS;
    let longest = bars.iter().map(|bar| bar.added.high).fold(1.0, f64::max);
    let root = SVGBackend::new(path, (WIDTH, count * each + around)).into_drawing_area();
    root.fill(&WHITE)?;
    // Bar by bar from below. Its own axis of names leaves some out, or overflows (plotters 0.3.7).
    let mut chart = ChartBuilder::on(&root)
        .caption(caption, (FONT, 16))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(TITLES)
        .build_cartesian_2d(0.0..longest * 1.1, 0.0..f64::from(count))?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .max_light_lines(0)
        .x_label_formatter(&|value| format!("{value:.0}"))
        .x_desc("CPU time added to a request, in microseconds")
        .label_style((FONT, 13))
        .draw()?;
    let text = |size: u32, side| (FONT, size).into_font().color(&BLACK).pos(Pos::new(side, VPos::Center));
    for (place, bar) in (0..count).map(f64::from).zip(bars) {
        let (middle, Spread { low, median, high }) = (place + 0.5, bar.added);
        let corners = [(0.0, place + 0.15), (median, place + 0.85)];
        let half = [low, high].map(|end| (end.max(0.0), middle)).to_vec();
        chart.draw_series([Rectangle::new(corners, bar.colour.filled())])?;
        chart.draw_series([PathElement::new(half, BLACK.stroke_width(2))])?;
        let (left, height) = chart.backend_coord(&(0.0, middle));
        root.draw(&Text::new(&*bar.title, (left - 8, height), text(13, HPos::Right)))?;
        let (right, height) = chart.backend_coord(&(high.max(median).max(0.0), middle));
        root.draw(&Text::new(format!("{median:.1}"), (right + 6, height), text(12, HPos::Left)))?;
    }
    root.present()?;
    Ok(())
}
