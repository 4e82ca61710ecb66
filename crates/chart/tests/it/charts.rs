use std::time::Duration;

use bellwether_chart::{
    AreaChart, Band, BarChart, Cell, Chart, Interval, Layout, Level, LineChart, MarkerKind, Size, Unit,
};
use roxmltree::Document;

use crate::picture::{parse, pieces, texts};

const DAY: i64 = 86_400_000_000;
/// 1999-01-04, a Monday.
const START: i64 = 10_595 * DAY;

fn days(values: &[f64]) -> Vec<(i64, f64)> {
    (0..).zip(values).map(|(day, &value)| (START + day * DAY, value)).collect()
}

fn element<'a>(document: &'a Document<'_>, name: &str) -> &'a str {
    document
        .root_element()
        .children()
        .find(|node| node.tag_name().name() == name)
        .and_then(|node| node.text())
        .unwrap()
}

#[test]
fn a_chart_has_a_role_a_title_and_a_sentence_with_its_numbers() {
    let chart = LineChart::new("Equity")
        .unit(Unit::money("USD"))
        .line("S&P 500", days(&[100.0, 61.5, 310.25, 271.3]));
    let svg = chart.to_svg(Size::WIDE);
    let document = parse(&svg);
    assert_eq!(document.root_element().attribute("role"), Some("img"));
    assert_eq!(element(&document, "title"), "Equity");
    assert_eq!(
        element(&document, "desc"),
        "S&P 500: first 100.00 USD on 1999-01-04, last 271.30 USD on 1999-01-07, \
         low 61.50 USD on 1999-01-05, high 310.25 USD on 1999-01-06."
    );
}

#[test]
fn a_line_breaks_at_a_gap_and_at_a_value_that_is_no_number() {
    let mut points = days(&[1.0, 2.0, 3.0, f64::NAN, 4.0, 5.0]);
    points.extend([(START + 20 * DAY, 6.0), (START + 21 * DAY, 7.0)]);
    let chart = LineChart::new("a").interval(Interval::DAY).line("a", points.clone());
    let svg = chart.to_svg(Size::WIDE);
    let document = parse(&svg);
    assert_eq!(pieces(&document, "bw-l-s1").len(), 3);
    assert!(
        texts(&document).iter().any(|text| text.contains("1 missing value · 2 gaps")),
        "{:?}",
        texts(&document)
    );
    assert!(chart.summary().contains("1 missing value; 2 gaps"), "{}", chart.summary());

    let unknown = LineChart::new("a").line("a", points).to_svg(Size::WIDE);
    assert_eq!(
        pieces(&parse(&unknown), "bw-l-s1").len(),
        2,
        "an unknown interval breaks only at the missing value"
    );
}

#[test]
fn a_weekend_is_no_gap_in_daily_closes() {
    let closes: Vec<_> =
        (0..40).filter(|day| day % 7 < 5).map(|day| (START + day * DAY, day as f64)).collect();
    let svg = LineChart::new("a").interval(Interval::Weekdays).line("a", closes).to_svg(Size::WIDE);
    assert_eq!(pieces(&parse(&svg), "bw-l-s1").len(), 1);
}

#[test]
fn one_point_is_a_dot() {
    let svg = LineChart::new("a").line("a", days(&[3.5])).to_svg(Size::WIDE);
    let document = parse(&svg);
    let dot = document.descendants().find(|node| node.attribute("stroke-linecap") == Some("round")).unwrap();
    assert_eq!(dot.attribute("stroke-width"), Some("5"));
    assert!(texts(&document).iter().any(|text| text.contains("one moment only: 1999-01-04")));
}

#[test]
fn no_data_is_said_with_its_reason_and_draws_no_axis() {
    for chart in [
        LineChart::new("Fills").when_empty("no fills since start 09:12"),
        LineChart::new("Fills")
            .when_empty("no fills since start 09:12")
            .line("a", days(&[f64::NAN, f64::INFINITY])),
        LineChart::new("Fills")
            .when_empty("no fills since start 09:12")
            .line("a", days(&[1.0]))
            .between(0, 1),
    ] {
        let svg = chart.to_svg(Size::WIDE);
        let document = parse(&svg);
        assert_eq!(texts(&document), ["Fills", "no data: no fills since start 09:12"]);
        assert_eq!(chart.summary(), "Fills: no data: no fills since start 09:12.");
        assert!(!svg.contains("<path"));
    }
    assert!(BarChart::new("a").to_svg(Size::NARROW).contains(">no data<"));
}

#[test]
fn an_area_hangs_from_zero_and_zero_is_the_top_of_a_drawdown() {
    let svg = AreaChart::new("Drawdown")
        .unit(Unit::Percent)
        .area("a", days(&[0.0, -0.1, -0.551, -0.2]))
        .to_svg(Size::WIDE);
    let document = parse(&svg);
    let surface = pieces(&document, "bw-f-s1").remove(0);
    let top = surface.iter().map(|place| place.1).fold(f64::INFINITY, f64::min);
    assert_eq!((surface[0].1, surface[surface.len() - 1].1), (top, top), "from zero and back to zero");
    let labels = texts(&document);
    assert!(labels.contains(&"0 %".to_owned()) && !labels.contains(&"10 %".to_owned()), "{labels:?}");
}

#[test]
fn bars_start_at_zero_and_gains_and_losses_have_their_own_colours() {
    let svg = BarChart::new("a").bars("a", [("x", 5.0), ("y", 7.0), ("z", -3.0)]).to_svg(Size::WIDE);
    let document = parse(&svg);
    let bars = |class: &str| -> Vec<(f64, f64)> {
        let rects = document.descendants().filter(|node| node.tag_name().name() == "rect");
        let painted = rects.filter(|node| node.attribute("class") == Some(class));
        painted
            .map(|node| {
                ["y", "height"].map(|key| node.attribute(key).unwrap().parse::<f64>().unwrap()).into()
            })
            .collect()
    };
    let (gains, losses) = (bars("bw-f-gain"), bars("bw-f-loss"));
    assert_eq!((gains.len(), losses.len()), (2, 1));
    let zero = losses[0].0;
    for (y, height) in &gains {
        assert!((y + height - zero).abs() < 0.11, "a gain ends at zero");
    }
    assert!((gains[0].1 / gains[1].1 - 5.0 / 7.0).abs() < 0.01, "heights are in proportion");
    for number in ["5", "7", "−3"] {
        assert!(texts(&document).contains(&number.to_owned()), "{number} at the end of its bar");
    }
}

#[test]
fn the_unfinished_bar_is_hatched_and_said_to_be() {
    let chart = BarChart::new("a").bars("a", [("2018", 5.0), ("2019", 7.0)]).unfinished_last();
    let svg = chart.to_svg(Size::WIDE);
    let document = parse(&svg);
    let hatching = pieces(&document, "bw-l-gain");
    assert!(hatching.len() > 10 && hatching.iter().all(|line| line.len() == 2), "{}", hatching.len());
    assert!(texts(&document).contains(&"hatched: 2019 is not over".to_owned()));
    assert!(chart.summary().contains("the last is unfinished"));
    assert!(
        pieces(&parse(&BarChart::new("a").bars("a", [("2018", 5.0)]).to_svg(Size::WIDE)), "bw-l-gain")
            .is_empty()
    );
}

#[test]
fn a_missing_bar_is_a_dash_and_not_a_zero() {
    let chart =
        BarChart::new("a").bars("a", [("x", 5.0), ("y", f64::NAN)]).bars("b", [("x", 1.0), ("z", 2.0)]);
    let svg = chart.to_svg(Size::WIDE);
    let document = parse(&svg);
    assert_eq!(texts(&document).iter().filter(|text| *text == "–").count(), 3);
    assert!(texts(&document).contains(&"3 missing values".to_owned()));
    let rows = &chart.tables(10)[0].rows;
    assert_eq!(rows[1], [Cell::Words("y".into()), Cell::Number("–".into()), Cell::Number("–".into())]);
}

#[test]
fn thousands_of_bars_share_slots_and_keep_their_extremes() {
    let mut values: Vec<_> = (0..5_000).map(|day| (day.to_string(), 1.0)).collect();
    values[1_234].1 = 90.0;
    values[1_235].1 = -70.0;
    let svg = BarChart::new("a").bars("a", values).to_svg(Size::NARROW);
    assert!(svg.len() < 30_000, "{} bytes", svg.len());
    let document = parse(&svg);
    let loss = document.descendants().filter(|node| node.attribute("class") == Some("bw-f-loss")).count();
    assert_eq!(loss, 1);
    assert!(texts(&document).iter().any(|text| text.contains("values, extremes kept")));
}

#[test]
fn names_stand_at_the_ends_of_lines_when_they_fit_and_in_a_legend_when_not() {
    let points = days(&[1.0, 2.0, 3.0]);
    let ends = |name: &str, size: Size| {
        let chart = LineChart::new("a").line(name, points.clone()).line("Benchmark", days(&[1.0, 1.0, 2.0]));
        let svg = chart.to_svg(size);
        let document = parse(&svg);
        let label =
            document.descendants().find(|node| node.tag_name().name() == "text" && node.text() == Some(name));
        label.unwrap().attribute("x").unwrap().parse::<f64>().unwrap()
    };
    assert!(ends("Momentum", Size::WIDE) > 600.0);
    assert!(ends("A name that is much too long to stand there", Size::WIDE) < 100.0);
    assert!(ends("Momentum", Size::NARROW) < 100.0);
}

#[test]
fn end_labels_of_lines_that_end_together_do_not_lie_on_each_other() {
    let chart = ["a", "b", "c", "d", "e"]
        .into_iter()
        .fold(LineChart::new("t"), |chart, name| chart.line(name, days(&[1.0, 2.0, 3.0])));
    let svg = chart.to_svg(Size::WIDE);
    let document = parse(&svg);
    let mut heights: Vec<f64> = document
        .descendants()
        .filter(|node| node.text().is_some_and(|text| ["a", "b", "c", "d", "e"].contains(&text)))
        .filter(|node| node.tag_name().name() == "text")
        .map(|node| node.attribute("y").unwrap().parse().unwrap())
        .collect();
    heights.sort_by(f64::total_cmp);
    assert_eq!(heights.len(), 5);
    assert!(heights.windows(2).all(|pair| pair[1] - pair[0] >= 15.0), "{heights:?}");
}

#[test]
fn of_nine_lines_five_have_a_colour_and_four_are_counted_as_other() {
    let chart = (0..9).fold(LineChart::new("t"), |chart, index| {
        chart.line(format!("line {index}"), days(&[1.0, f64::from(index)]))
    });
    let svg = chart.to_svg(Size::WIDE);
    let document = parse(&svg);
    assert!(texts(&document).contains(&"other (4)".to_owned()));
    assert_eq!(pieces(&document, "bw-l-other").len(), 4);
    assert!(chart.summary().contains("4 other lines"));
    assert_eq!(chart.tables(10)[0].header.len(), 10, "all nine are in the table");
}

#[test]
fn a_hundred_thousand_points_become_a_small_picture_that_keeps_the_spike() {
    let mut points: Vec<(i64, f64)> =
        (0..100_000).map(|second| (second * 1_000_000, ((second * 37) % 101) as f64)).collect();
    points[54_321].1 = 5_000.0;
    let chart = LineChart::new("a").interval(Interval::every(Duration::from_secs(1))).line("a", points);
    let svg = chart.to_svg(Size::WIDE);
    assert!(svg.len() < 40_000, "{} bytes", svg.len());
    let document = parse(&svg);
    let line = pieces(&document, "bw-l-s1").remove(0);
    let top = line.iter().map(|place| place.1).fold(f64::INFINITY, f64::min);
    let ticks: Vec<f64> = document
        .descendants()
        .filter(|node| node.text() == Some("5,000") && node.attribute("text-anchor") == Some("end"))
        .map(|node| node.attribute("y").unwrap().parse().unwrap())
        .collect();
    assert!((ticks[0] - top - 13.0 * 0.35).abs() < 0.2, "the spike reaches the tick of 5,000");
    assert!(texts(&document).iter().any(|text| text.contains("extremes kept")));
}

#[test]
fn a_log_axis_says_so_and_leaves_out_what_is_not_positive() {
    let svg =
        LineChart::new("a").log_axis().line("a", days(&[1.0, 10.0, 0.0, -5.0, 100.0])).to_svg(Size::WIDE);
    let document = parse(&svg);
    assert!(texts(&document).contains(&"log axis".to_owned()));
    assert!(texts(&document).iter().any(|text| text.contains("2 missing values")));
    let line = &pieces(&document, "bw-l-s1")[0];
    assert_eq!(line.len(), 2);
}

#[test]
fn a_line_chart_without_zero_says_so() {
    let says = |values: &[f64]| {
        let svg = LineChart::new("a").line("a", days(values)).to_svg(Size::WIDE);
        svg.contains("axis does not start at zero")
    };
    assert!(says(&[100.0, 110.0]));
    assert!(!says(&[-5.0, 110.0]));
}

#[test]
fn marks_lie_on_their_line_and_carry_their_words() {
    let points = days(&[10.0, 20.0, 10.0, 20.0]);
    let chart = LineChart::new("a")
        .line("a", points)
        .marker(START + DAY, "limit reached", MarkerKind::Critical)
        .marker_on("nowhere", START + 2 * DAY, "off the line", MarkerKind::Info)
        .marker(START - DAY, "too early", MarkerKind::Warning);
    let svg = chart.to_svg(Size::WIDE);
    let document = parse(&svg);
    let words: Vec<_> = document
        .descendants()
        .filter(|node| node.tag_name().name() == "title")
        .filter_map(|node| node.text())
        .collect();
    assert_eq!(words, ["a", "1999-01-06 info: off the line", "1999-01-05 critical: limit reached"]);
    assert!(texts(&document).iter().any(|text| text.contains("1 mark outside the time shown")));
    for word in ["critical", "info", "warning"] {
        assert!(texts(&document).contains(&word.to_owned()), "{word} in the legend");
    }
    assert_eq!(chart.tables(10)[1].rows.len(), 3);
}

#[test]
fn marks_on_one_place_are_one_shape_with_all_their_words() {
    let points: Vec<_> = (0..2_000).map(|day| (START + day * DAY, day as f64)).collect();
    let chart = LineChart::new("a")
        .line("a", points)
        .marker(START + 1_000 * DAY, "first", MarkerKind::Warning)
        .marker(START + 1_001 * DAY, "second", MarkerKind::Critical)
        .marker(START + 1_002 * DAY, "third", MarkerKind::Info);
    let svg = chart.to_svg(Size::WIDE);
    let document = parse(&svg);
    let words: Vec<_> = document
        .descendants()
        .filter(|node| node.tag_name().name() == "title")
        .filter_map(|node| node.text())
        .collect();
    assert_eq!(words[1], "2001-09-30 warning: first; 2001-10-01 critical: second; 2001-10-02 info: third");
    assert!(texts(&document).contains(&"3".to_owned()), "their number stands above the shape");
    let words = document.descendants().find(|node| node.text() == Some(words[1])).unwrap();
    let shape =
        words.ancestors().find(|node| node.tag_name().name() == "g").unwrap().last_element_child().unwrap();
    assert_eq!(shape.attribute("class"), Some("bw-f-bad bw-l-panel"), "the heaviest is drawn");
}

#[test]
fn a_band_near_the_data_is_drawn_and_one_far_away_is_told() {
    let chart = LineChart::new("a").unit(Unit::Percent).line("a", days(&[0.1, 0.2]));
    let near = chart.clone().band(Band::above(0.25, Level::Warn, "high from")).to_svg(Size::WIDE);
    assert!(texts(&parse(&near)).contains(&"high from 25.00 %".to_owned()));
    assert!(near.contains("fill-opacity=\"0.08\"") && near.contains("stroke-dasharray=\"6 4\""));
    let far = chart.band(Band::above(9.0, Level::Warn, "high from")).to_svg(Size::WIDE);
    assert!(texts(&parse(&far)).iter().any(|text| text.contains("high from 900.00 %: outside the axis")));
    assert!(!far.contains("fill-opacity=\"0.08\""));
}

#[test]
fn points_may_come_in_any_order() {
    let mut reversed = days(&[1.0, 5.0, 3.0]);
    let straight = LineChart::new("a").line("a", reversed.clone()).to_svg(Size::WIDE);
    reversed.reverse();
    assert_eq!(LineChart::new("a").line("a", reversed).to_svg(Size::WIDE), straight);
}

#[test]
fn a_range_shows_the_empty_end_of_a_series_that_has_gone_stale() {
    let svg = LineChart::new("a")
        .line("a", days(&[1.0, 2.0, 1.5]))
        .between(START, START + 10 * DAY)
        .to_svg(Size::WIDE);
    let document = parse(&svg);
    let line = &pieces(&document, "bw-l-s1")[0];
    let width = line[2].0 - line[0].0;
    assert!(width < 200.0, "two of ten days take {width} px");
}

#[test]
fn a_table_keeps_first_last_low_and_high_and_tells_what_it_left_out() {
    let mut values = vec![5.0; 1_000];
    (values[0], values[333], values[777], values[999]) = (4.0, 1.0, 9.0, 6.0);
    let chart = LineChart::new("Equity").unit(Unit::Ratio).line("a", days(&values));
    let table = chart.tables(40).remove(0);
    assert!(table.rows.len() <= 40 && table.rows.len() > 30, "{} rows", table.rows.len());
    let shown: Vec<String> = table.rows.iter().map(|row| row[1].text()).collect();
    for number in ["4.00", "1.00", "9.00", "6.00"] {
        assert!(shown.contains(&number.to_owned()), "{number}");
    }
    assert!(table.caption.ends_with("of 1000 moments, lows and highs among them"), "{}", table.caption);
    assert!(table.to_html().contains("<time datetime=\"1999-01-04T00:00Z\">1999-01-04</time>"));
}

#[test]
fn a_figure_holds_a_wide_and_a_narrow_drawing_and_the_table() {
    let html = LineChart::new("Equity").line("a", days(&[1.0, 2.0])).to_figure(Layout::Full);
    let document = Document::parse(&html).unwrap();
    let classes: Vec<_> =
        document.root_element().children().filter_map(|node| node.attribute("class")).collect();
    assert_eq!(classes, ["bw-chart bw-at-wide", "bw-chart bw-at-narrow"]);
    assert!(document.descendants().any(|node| node.tag_name().name() == "table"));
    let half = LineChart::new("Equity").to_figure(Layout::Half);
    assert!(half.contains("bw-at-half") && !half.contains("<details>"), "no table where there are no data");
}
