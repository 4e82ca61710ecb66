//! A drawn chart, taken apart.

use roxmltree::{Document, Node};

/// The elements a chart may be made of.
const ELEMENTS: [&str; 10] = ["svg", "title", "desc", "style", "g", "path", "line", "rect", "circle", "text"];

/// The attributes a chart may carry; no `style`, `id`, `href`, `src` and no handler is among them.
const ATTRIBUTES: [&str; 32] = [
    "class",
    "role",
    "viewBox",
    "width",
    "height",
    "font-family",
    "font-size",
    "font-weight",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "cx",
    "cy",
    "r",
    "d",
    "fill",
    "fill-opacity",
    "stroke",
    "stroke-width",
    "stroke-dasharray",
    "stroke-linejoin",
    "stroke-linecap",
    "text-anchor",
    "paint-order",
    "aria-label",
    "tabindex",
    "scope",
    "datetime",
    "xmlns",
];

const COORDINATES: [&str; 11] = ["x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height"];

/// Parses a chart, and fails if it holds anything that a strict page would refuse or a reader could not place.
pub(crate) fn parse(svg: &str) -> Document<'_> {
    let document = Document::parse(svg).unwrap_or_else(|error| panic!("{error}\n{svg}"));
    let view: Vec<f64> =
        document.root_element().attribute("viewBox").unwrap().split(' ').map(number).collect();
    for node in document.descendants().filter(Node::is_element) {
        let name = node.tag_name().name();
        assert!(ELEMENTS.contains(&name), "unexpected element {name}");
        for attribute in node.attributes() {
            let (key, value) = (attribute.name(), attribute.value());
            assert!(ATTRIBUTES.contains(&key), "unexpected attribute {key}={value}");
            assert!(!value.contains("NaN") && !value.contains("inf"), "{key}={value}");
            if COORDINATES.contains(&key) && value != "100%" {
                let px = number(value);
                assert!(
                    px >= -20.0 && px <= view[2].max(view[3]) + 20.0,
                    "{key}={value} is outside the picture"
                );
            }
            if key == "d" {
                for (x, y) in places(value) {
                    assert!(x >= -1.0 && x <= view[2] + 1.0, "x {x} of a path is outside");
                    assert!(y >= -1.0 && y <= view[3] + 1.0, "y {y} of a path is outside");
                }
            }
        }
    }
    document
}

/// All words of the picture that are drawn.
pub(crate) fn texts(document: &Document<'_>) -> Vec<String> {
    let drawn = document.descendants().filter(|node| node.tag_name().name() == "text");
    drawn.filter_map(|node| node.text().map(str::to_owned)).collect()
}

/// The paths painted with a class, as lists of places; one list for each piece.
pub(crate) fn pieces(document: &Document<'_>, class: &str) -> Vec<Vec<(f64, f64)>> {
    let painted = document.descendants().filter(|node| {
        node.tag_name().name() == "path" && node.attribute("class").is_some_and(|found| found == class)
    });
    let pieces = |path: Node<'_, '_>| {
        let d = path.attribute("d").unwrap().to_owned();
        d.split('M').skip(1).map(|piece| places(&format!("M{piece}"))).collect::<Vec<_>>()
    };
    painted.flat_map(pieces).collect()
}

/// The places a path goes through, made absolute. Knows `M x y`, `l dx dy …` and `Z`.
pub(crate) fn places(d: &str) -> Vec<(f64, f64)> {
    let mut places = Vec::new();
    for piece in d.split('M').skip(1) {
        let (start, steps) = piece.split_once('l').unwrap_or((piece, ""));
        let start = numbers(start);
        let mut at = (start[0], start[1]);
        places.push(at);
        for step in numbers(steps).chunks(2) {
            at = (at.0 + step[0], at.1 + step[1]);
            places.push(at);
        }
    }
    places
}

fn numbers(text: &str) -> Vec<f64> {
    let spaced: String = text.trim_end_matches('Z').replace('-', " -");
    spaced.split_whitespace().map(number).collect()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}
