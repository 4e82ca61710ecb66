//! Unbroken pieces of a line, ready to be drawn.

use std::ops::Range;

use crate::decimate::min_max;
use crate::path::Path;

/// One unbroken piece with no more points than pixels can show.
#[derive(Debug)]
pub(crate) struct Stretch {
    pub(crate) points: Vec<(i64, f64)>,
}

/// Decimates the unbroken runs of a line. A gap that lies inside one pixel column cannot be seen and is joined, so
/// there are never more pieces than columns.
pub(crate) fn stretches(
    points: &[(i64, f64)],
    runs: &[Range<usize>],
    column: impl Fn(i64) -> i64,
) -> Vec<Stretch> {
    let touches = |one: &Range<usize>, next: &Range<usize>| {
        column(points[one.end - 1].0) == column(points[next.start].0)
    };
    runs.chunk_by(touches)
        .map(|joined| match joined {
            [run] => Stretch { points: min_max(&points[run.clone()], &column) },
            many => {
                let piece: Vec<_> = many.iter().flat_map(|run| &points[run.clone()]).copied().collect();
                Stretch { points: min_max(&piece, &column) }
            }
        })
        .collect()
}

impl Stretch {
    /// Path data of all lines, and of the dots: pieces without extent.
    pub(crate) fn lines(stretches: &[Self], at: impl Fn((i64, f64)) -> (f64, f64)) -> (String, String) {
        let (mut lines, mut dots) = (Path::default(), Path::default());
        for stretch in stretches {
            let mut places = stretch.points.iter().map(|&point| at(point));
            let Some((x, y)) = places.next() else { continue };
            let rest: Vec<(f64, f64)> = places.collect();
            if rest.iter().all(|next| (next.0 - x).abs() < 0.5 && (next.1 - y).abs() < 0.5) {
                // A line of a tenth of a px with round ends is a dot in every reader.
                dots.move_to(x, y);
                dots.line_to(x + 0.1, y);
            } else {
                lines.move_to(x, y);
                for (x, y) in rest {
                    lines.line_to(x, y);
                }
            }
        }
        (lines.d().to_owned(), dots.d().to_owned())
    }

    /// Path data of the surface between the lines and a height.
    pub(crate) fn outline(stretches: &[Self], at: impl Fn((i64, f64)) -> (f64, f64), base: f64) -> String {
        let mut path = Path::default();
        for stretch in stretches.iter().filter(|stretch| stretch.points.len() > 1) {
            let mut places = stretch.points.iter().map(|&point| at(point));
            let Some((x, y)) = places.next() else { continue };
            path.move_to(x, base);
            path.line_to(x, y);
            let mut end = x;
            for (x, y) in places {
                path.line_to(x, y);
                end = x;
            }
            path.line_to(end, base);
            path.close();
        }
        path.d().to_owned()
    }
}
