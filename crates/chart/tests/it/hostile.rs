use bellwether_chart::{AreaChart, Band, BarChart, Chart, Layout, Level, LineChart, MarkerKind, Size};

use crate::picture::{parse, texts};

const STRINGS: [&str; 26] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'-alert(1)-'",
    "</title><svg/onload=alert(1)>",
    "</script><script>alert(1)</script>",
    "<!--",
    "]]>",
    "javascript:alert(1)",
    "data:text/html,<b>",
    "{{7*7}}",
    "${7*7}",
    "<%= 7 %>",
    "%3Cscript%3E",
    "&lt;b&gt;",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
    "a\u{202e}b",
    "zero\u{200b}width",
    "e\u{301}\u{301}\u{301}",
    "\u{0}nul",
    "\u{1b}[31mred",
    "\u{ffff}end",
    "__proto__",
    "constructor",
    "[x](javascript:alert(1))",
    "a\r\nSet-Cookie: a=b",
];

/// What a reader sees of a string: forbidden characters and those that reorder are gone, breaks and tabs are spaces.
fn readable(text: &str) -> String {
    text.chars()
        .filter(|symbol| !matches!(symbol, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{202e}' | '\u{fffe}' | '\u{ffff}'))
        .map(|symbol| if matches!(symbol, '\t' | '\n' | '\r') { ' ' } else { symbol })
        .collect()
}

fn planted(text: &str) -> [Box<dyn Chart>; 3] {
    let points = [(0, 1.0), (1, 2.0), (2, 1.5)];
    let line = LineChart::new(text)
        .axis_label(text)
        .line(text, points)
        .line("other", points)
        .marker(1, text, MarkerKind::Critical)
        .marker_on(text, 2, text, MarkerKind::Info)
        .band(Band::above(1.8, Level::Warn, text));
    let area = AreaChart::new(text).area(text, points).line(text, points).when_empty(text);
    let bars = BarChart::new(text)
        .bars(text, [(text, 1.0), ("b", -1.0)])
        .bars(text, [(text, 2.0)])
        .unfinished_last();
    [Box::new(line), Box::new(area), Box::new(bars)]
}

#[test]
fn hostile_strings_are_shown_as_text_and_nothing_else() {
    for text in STRINGS {
        for chart in planted(text) {
            for size in [Size::WIDE, Size::HALF, Size::NARROW] {
                // Parsing fails on any element or attribute that is not a chart's own.
                for svg in [chart.to_svg(size), chart.to_standalone_svg(size)] {
                    let document = parse(&svg);
                    let shown = readable(text);
                    assert!(
                        texts(&document).iter().any(|found| found.contains(&shown)),
                        "{text:?} at {size:?}"
                    );
                    let title =
                        document.descendants().find(|node| node.tag_name().name() == "title").unwrap();
                    assert_eq!(title.text().unwrap_or_default(), shown);
                }
            }
        }
    }
}

#[test]
fn hostile_strings_in_tables_are_cells() {
    for text in STRINGS {
        for chart in planted(text) {
            for table in chart.tables(10) {
                let html = table.to_html();
                let document = roxmltree::Document::parse(&html).unwrap();
                let allowed = ["table", "caption", "thead", "tbody", "tr", "th", "td", "time"];
                let cells = document.descendants().filter(roxmltree::Node::is_element);
                for cell in cells {
                    assert!(allowed.contains(&cell.tag_name().name()), "{}", cell.tag_name().name());
                }
            }
            let figure = chart.to_figure(Layout::Full);
            roxmltree::Document::parse(&figure).unwrap_or_else(|error| panic!("{error}: {text:?}"));
        }
    }
}

#[test]
fn an_empty_chart_tells_a_hostile_reason_as_text() {
    for text in STRINGS {
        let chart = LineChart::new("Fills").when_empty(text);
        let svg = chart.to_svg(Size::WIDE);
        assert!(texts(&parse(&svg)).contains(&format!("no data: {}", readable(text))), "{text:?}");
    }
}

#[test]
fn a_name_of_ten_kilobytes_is_cut_with_an_ellipsis() {
    for long in ["long ".repeat(2_000), "a\u{301}".repeat(5_000), "宽".repeat(3_500)] {
        for chart in planted(&long) {
            let svg = chart.to_svg(Size::NARROW);
            let longest = texts(&parse(&svg)).iter().map(|text| text.chars().count()).max().unwrap();
            assert!(longest <= 220, "{longest} characters in one label");
            assert!(svg.len() < 20_000, "{} bytes", svg.len());
        }
    }
}
