use bellwether_chart::{Chart, LineChart, Role, Size, Theme, stylesheet};

#[test]
fn the_style_sheet_holds_both_themes_and_asks_for_nothing_outside() {
    let css = stylesheet();
    for theme in [Theme::Light, Theme::Dark] {
        for role in Role::ALL {
            let property = format!("{}:{};", role.property(), theme.colour(role).hex());
            assert!(css.contains(&property), "{property}");
        }
    }
    assert!(css.contains("prefers-color-scheme:dark"));
    assert!(!css.contains("url(") && !css.contains("@import") && !css.contains("http"));
    assert!(!css.contains('<'), "it can stand inside a style element");
    assert_eq!(css.matches('{').count(), css.matches('}').count());
    assert!(css.len() < 8_192, "{} bytes", css.len());
}

#[test]
fn every_class_of_a_chart_has_its_rule() {
    let svg = LineChart::new("a").line("a", [(0, 1.0), (1, 2.0)]).to_svg(Size::WIDE);
    let css = stylesheet();
    let document = crate::picture::parse(&svg);
    let classes =
        document.descendants().filter_map(|node| node.attribute("class")).flat_map(|list| list.split(' '));
    for class in classes {
        assert!(css.contains(&format!(".{class}")), "{class}");
    }
}

#[test]
fn a_chart_alone_carries_its_name_space_its_measures_and_its_style() {
    let chart = LineChart::new("Equity").line("a", [(0, 1.0), (1, 2.0)]);
    let alone = chart.to_standalone_svg(Size::WIDE);
    let document = crate::picture::parse(&alone);
    let root = document.root_element();
    assert_eq!(root.tag_name().namespace(), Some("http://www.w3.org/2000/svg"));
    assert_eq!(root.attribute("width"), Some("960"));
    assert!(document.descendants().any(|node| node.tag_name().name() == "style"));

    let embedded = chart.to_svg(Size::WIDE);
    let document = crate::picture::parse(&embedded);
    assert!(!document.descendants().any(|node| node.tag_name().name() == "style"));
    assert!(!embedded.contains("http"), "nothing in an embedded chart looks like an address");
}
