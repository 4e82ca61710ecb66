use bellwether_chart::Unit;
use bellwether_core::{Sample, Severity, TimeRange, Timestamp};
use bellwether_health::Status;
use bellwether_health::report::{
    Block, Chart, ChartKind, Column, Fact, Marker, Report, Section, Table, Value, write_files,
};
use proptest::prelude::*;

const HOSTILE: [&str; 10] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</title><svg/onload=alert(1)>",
    "</style><script>alert(1)</script>",
    "<!-- ]]>",
    "[x](javascript:alert(1))",
    "| `a` | <details>",
    "{{7*7}} ${7*7} &lt;b&gt;",
    "nul\0 bell\u{7} esc\u{1b}[31m",
    "line\nbreak",
];

fn at(day: i64) -> Timestamp {
    Timestamp::from_seconds(day * 86_400).unwrap()
}

fn report(text: &str, value: f64) -> Report {
    let chart = Chart::new(text, ChartKind::Line, Unit::Percent)
        .series(text, (0..10).map(|day| Sample::new(at(day), value * day as f64)))
        .markers([Marker { at: at(4), label: text.to_owned(), severity: Severity::Critical }]);
    Report::new(text, TimeRange::new(at(0), at(9)).unwrap(), at(9), Status::Warn)
        .subtitle(text)
        .headline([Fact::new(text, Value::number(value, "v")).note(text)])
        .section(
            Section::new(text.to_owned(), text)
                .block(Block::facts([
                    Fact::new(text, text).note(text),
                    Fact::new("none", Value::undefined(text)),
                ]))
                .block(
                    Table::new(text, [Column::text(text), Column::heat("m")])
                        .row([Value::text(text), Value::number(value, "x")]),
                )
                .block(chart)
                .block(Block::text(text))
                .block(Block::Lines(text.to_owned()))
                .block(Block::missing(text, text)),
        )
        .note(text)
}

/// Every element of the page, and every attribute that could load or run something.
fn structure(html: &str) -> Vec<String> {
    let document = roxmltree::Document::parse_with_options(
        html,
        roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() },
    );
    let document = document.unwrap_or_else(|error| panic!("{error}\n{html}"));
    document
        .descendants()
        .filter(roxmltree::Node::is_element)
        .flat_map(|node| {
            let names = node.attributes().map(|a| a.name().to_owned()).collect::<Vec<_>>();
            std::iter::once(node.tag_name().name().to_owned()).chain(names)
        })
        .collect()
}

/// HTML as XML: the void elements closed and the document type in the way that XML wants it.
fn as_xml(html: &str) -> String {
    let mut out = String::new();
    for (i, piece) in html.split("<meta ").enumerate() {
        if i == 0 {
            out.push_str(piece);
        } else {
            out.push_str("<meta ");
            out.push_str(&piece.replacen('>', "/>", 1));
        }
    }
    out.replacen("<!DOCTYPE html>", "", 1)
}

#[test]
fn hostile_text_stays_text_in_html() {
    let plain = structure(&as_xml(&report("plain", 0.01).to_html()));
    for text in HOSTILE {
        let html = report(text, 0.01).to_html();
        assert_eq!(structure(&as_xml(&html)), plain, "{text}");
    }
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    let html = report("plain", 0.01).to_html();
    let names = structure(&as_xml(&html));
    for forbidden in ["script", "link", "img", "iframe", "object", "src", "style=", "onload", "base"] {
        assert!(!names.iter().any(|name| name == forbidden), "{forbidden}");
    }
    let links: Vec<&str> = html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.iter().all(|link| link.starts_with('#')), "{links:?}");
    assert!(!html.contains("url(") && !html.contains("@import"));
}

#[test]
fn hostile_text_stays_on_its_line_in_markdown() {
    let lines = report("plain", 0.01).to_markdown().lines().count();
    for text in HOSTILE {
        let markdown = report(text, 0.01).to_markdown();
        let extra = text.lines().count() - 1; // preformatted lines keep their breaks
        assert_eq!(markdown.lines().count(), lines + extra, "{text}\n{markdown}");
        let outside: String = markdown.lines().filter(|line| !line.starts_with("    ")).collect();
        let bare =
            |mark: char| outside.char_indices().any(|(i, c)| c == mark && !outside[..i].ends_with('\\'));
        assert!(!bare('<') && !bare('[') && !bare('`'), "{outside}");
    }
}

#[test]
fn what_is_not_shown_hides_no_mark_at_the_start_of_a_line_of_markdown() {
    for (text, shown) in [
        ("\u{1}- x", "\\- x"),
        ("\u{202e}+ x", "\\+ x"),
        ("\u{1b} = x", "\\= x"),
        ("\u{200e}1. x", "1\\. x"),
        ("1\u{2069}2) x", "12\\) x"),
        ("1.\u{1} x", "1\\. x"),
        ("1.\u{1}5 x", "1.5 x"),
    ] {
        let markdown =
            Report::new("r", TimeRange::until(at(1)), at(1), Status::Pass).subtitle(text).to_markdown();
        assert_eq!(markdown.lines().nth(2), Some(shown), "{text:?}");
    }
}

#[test]
fn the_three_forms_tell_the_same_numbers() {
    let report = report("return", 0.0123);
    let json = report.to_json();
    assert_eq!(json["schema"], "bellwether.report/1");
    assert_eq!(json["headline"][0]["value"], 0.0123);
    assert_eq!(json["sections"][0]["blocks"][2]["chart"]["series"][0]["points"][9]["value"], 0.0123 * 9.0);
    assert!(report.to_html().contains("11.07 %") || report.to_html().contains("11.1 %"));
    assert!(report.to_markdown().contains("high 11.07 %"), "{}", report.to_markdown());
}

#[test]
fn what_is_undefined_shows_its_reason() {
    let report = Report::new("r", TimeRange::until(at(1)), at(1), Status::Pass).headline([
        Fact::new("Sharpe", Value::number(f64::NAN, "NaN")),
        Fact::new("Sortino", Value::undefined("no losses")),
    ]);
    let json = report.to_json();
    assert_eq!(
        json["headline"][0],
        serde_json::json!({"name": "Sharpe", "value": null, "reason": "not a finite number"})
    );
    assert!(report.to_markdown().contains("– (no losses)"));
    assert!(!report.to_html().contains("NaN"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_and_any_number_make_a_well_formed_page(text in ".{0,30}", value: f64) {
        let report = report(&text, value);
        structure(&as_xml(&report.to_html()));
        let json = serde_json::to_string(&report.to_json()).unwrap();
        prop_assert!(!json.contains("NaN") && !json.contains("inf"));
    }
}

#[test]
fn the_page_forbids_what_it_does_not_need() {
    let html = report("plain", 0.01).to_html();
    let policy =
        html.split("Content-Security-Policy\" content=\"").nth(1).and_then(|rest| rest.split('"').next());
    let policy = policy.unwrap().replace("&#39;", "'");
    for rule in ["default-src 'none'", "style-src 'unsafe-inline'", "base-uri 'none'", "form-action 'none'"] {
        assert!(policy.split("; ").any(|one| one == rule), "{rule} is missing in {policy}");
    }
}

#[test]
fn no_two_elements_of_a_page_share_an_id_whatever_the_sections_are_called() {
    let section = |id: &'static str| {
        Section::new(id, "Risk").block(
            Chart::new("Equity", ChartKind::Line, Unit::Percent).series("a", [Sample::new(at(1), 1.0)]),
        )
    };
    let report = Report::new("r", TimeRange::until(at(1)), at(1), Status::Pass)
        .section(section("risk"))
        .section(section("Risk"))
        .section(section("risk-2"))
        .section(section("content"))
        .section(section(""))
        .section(section("!"));
    let html = report.to_html();
    let ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let unique: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
    assert!(ids.iter().all(|id| !id.is_empty()), "{ids:?}");
    let links: Vec<&str> = html.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(links.len(), 1 + 6);
    assert!(links.iter().all(|link| ids.contains(link)), "{links:?} {ids:?}");
}

#[test]
fn text_that_would_reorder_its_neighbours_is_shown_without_doing_so() {
    for text in ["a\u{202e}b", "a\u{2066}b", "a\u{200f}b", "a\u{61c}b"] {
        let report = report(text, 0.01);
        for page in [report.to_html(), report.to_markdown()] {
            assert!(!page.contains(text), "{text:?}");
            assert!(page.contains("ab"), "{text:?}");
        }
    }
}

#[test]
fn a_line_of_markdown_begins_nothing_that_its_text_did_not_mean() {
    for text in ["- item", "+ item", "1. item", "12) item", "=====", "    code", "$x$", "---", "> quote"] {
        let report = Report::new("r", TimeRange::until(at(1)), at(1), Status::Pass)
            .section(Section::new("s", "s").block(Block::text(text)));
        let markdown = report.to_markdown();
        let line = markdown.lines().nth_back(1).unwrap();
        assert!(line.contains('\\') || line == "code", "{text:?} became {line:?}");
    }
}

#[test]
fn a_period_without_a_beginning_is_told_as_such() {
    let report = Report::new("r", TimeRange::until(at(365)), at(365), Status::Pass);
    assert!(report.to_html().contains("until <time"), "{}", report.to_html());
    assert!(report.to_markdown().contains("until 1971-01-01"), "{}", report.to_markdown());
}

#[tokio::test]
async fn a_file_is_written_nowhere_but_into_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    for name in ["../out.html", "/out.html", "a/b.html", "", ".", ".."] {
        let refused =
            write_files(inner.clone(), vec![("good.html".into(), "x".into()), (name.into(), "x".into())]);
        let said = refused.await.unwrap_err().to_string();
        assert!(said.contains("expected the name of a file"), "{name}: {said}");
    }
    assert!(!inner.exists(), "nothing is written when one name is wrong");
}

#[tokio::test]
async fn files_are_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b");
    write_files(deep.clone(), vec![("r.html".into(), "one".into())]).await.unwrap();
    write_files(deep.clone(), vec![("r.html".into(), "two".into())]).await.unwrap();
    assert_eq!(std::fs::read_to_string(deep.join("r.html")).unwrap(), "two");
    assert_eq!(std::fs::read_dir(&deep).unwrap().count(), 1, "no temporary file stays");
    let blocked = write_files(deep.join("r.html"), vec![("x".into(), "y".into())]).await.unwrap_err();
    assert!(blocked.to_string().contains("r.html"), "{blocked}");
}
