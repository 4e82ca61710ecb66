//! Hatching for what is unfinished: lines of their own, so that no pattern needs an id on the page.

use crate::path::Path;

/// Path data of slanted lines inside a rectangle, `step` px apart along its edges.
pub(crate) fn hatch((x, y): (f64, f64), (width, height): (f64, f64), step: f64) -> String {
    let mut path = Path::default();
    let mut reach = step;
    while reach < width + height {
        // The line from the left or lower edge up to the upper or right one: x + y = reach.
        let start = (reach.min(width), (reach - width).max(0.0));
        let end = ((reach - height).max(0.0), reach.min(height));
        path.move_to(x + start.0, y + start.1);
        path.line_to(x + end.0, y + end.1);
        reach += step;
    }
    path.d().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_run_from_edge_to_edge_at_forty_five_degrees() {
        assert_eq!(hatch((0.0, 0.0), (4.0, 10.0), 5.0), "M4 1l-4 4M4 6l-4 4");
    }

    #[test]
    fn a_rectangle_of_no_size_has_no_lines() {
        assert_eq!(hatch((3.0, 3.0), (0.0, 0.0), 5.0), "");
    }
}
