//! Texts with a value and labels in them.
use std::fmt::Write as _;

use bellwether_core::Labels;

use crate::annotations::MAX_ANNOTATION_LEN;
use crate::channel::cut;

/// The text of an annotation, in the part of Prometheus' template language that needs no query.
///
/// | written | becomes |
/// | --- | --- |
/// | `{{ $value }}` | the value, with as many digits as it needs |
/// | `{{ $value \| humanizePercentage }}` | the value as percent with four significant digits: `12.35%` |
/// | `{{ $value \| humanizeDuration }}` | the value, in seconds, as a length of time: `3d 12h 0m 0s`, `1.5s`, `250ms` |
/// | `{{ $labels.venue }}` | the label; nothing if the series has none |
/// | `{{ "{{" }}` | the text between the quotes |
///
/// What a label holds is text, however it looks: it is never read as a template.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Value,
    Percentage,
    Duration,
    Label(String),
}

impl Template {
    /// Reads a text, or says what in it cannot be read.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let (action, after) =
                split_action(after).ok_or_else(|| format!("{{{{{after:.40} is never closed by }}}}"))?;
            parts.push(read_action(action)?);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The text for a value and the labels of a series, cut at [`MAX_ANNOTATION_LEN`].
    pub(crate) fn render(&self, value: f64, labels: &Labels) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Value => number(&mut text, value),
                Part::Percentage => {
                    number(&mut text, four_digits(value * 100.0));
                    text.push('%');
                }
                Part::Duration => duration(&mut text, value),
                Part::Label(name) => text.push_str(labels.get(name).unwrap_or_default()),
            }
        }
        cut(text, MAX_ANNOTATION_LEN)
    }
}

/// What stands before the closing braces, quoted braces not counted, and what follows them.
fn split_action(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let end = text.char_indices().find(|&(at, c)| {
        quoted ^= c == '"';
        !quoted && text.get(at..).is_some_and(|rest| rest.starts_with("}}"))
    })?;
    Some((text.get(..end.0)?, text.get(end.0 + 2..)?))
}

fn read_action(action: &str) -> Result<Part, String> {
    let trimmed = action.trim();
    let mut steps = trimmed.split('|').map(str::trim);
    match (
        trimmed.strip_prefix('"').and_then(|text| text.strip_suffix('"')),
        steps.next(),
        steps.next(),
        steps.next(),
    ) {
        (Some(text), ..) if !text.contains(['"', '\\']) => Ok(Part::Text(text.to_owned())),
        (_, Some("$value"), None, None) => Ok(Part::Value),
        (_, Some("$value"), Some("humanizePercentage"), None) => Ok(Part::Percentage),
        (_, Some("$value"), Some("humanizeDuration"), None) => Ok(Part::Duration),
        (_, Some(first), None, None) if first.strip_prefix("$labels.").is_some_and(is_label) => {
            Ok(Part::Label(first.trim_start_matches("$labels.").to_owned()))
        }
        _ => Err(format!(
            "{{{{{action:.40}}}}} is unknown: write {{{{ $value }}}}, {{{{ $value | humanizePercentage }}}}, \
             {{{{ $value | humanizeDuration }}}}, {{{{ $labels.name }}}} or {{{{ \"text\" }}}}"
        )),
    }
}

fn is_label(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphabetic() || b == b'_';
    name.bytes().next().is_some_and(letter) && name.bytes().all(|b| letter(b) || b.is_ascii_digit())
}

/// As Go prints a number: the shortest text that reads back, with an exponent below 1e-4 and from 1e21 on.
fn number(text: &mut String, value: f64) {
    let size = value.abs();
    // Writing to a `String` cannot fail.
    let _ = if value == f64::INFINITY {
        text.write_str("+Inf")
    } else if value == f64::NEG_INFINITY {
        text.write_str("-Inf")
    } else if value == 0.0 || (1e-4..1e21).contains(&size) || value.is_nan() {
        write!(text, "{value}")
    } else {
        let scientific = format!("{value:e}");
        let (digits, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let (sign, power) = power.strip_prefix('-').map_or(('+', power), |power| ('-', power));
        write!(text, "{digits}e{sign}{power:0>2}")
    };
}

/// As Prometheus writes a length of time: whole seconds from a minute on, four significant digits below, and the
/// prefixes of the SI below a second.
fn duration(text: &mut String, seconds: f64) {
    if !seconds.is_finite() || seconds == 0.0 {
        number(text, seconds);
        text.push('s');
        return;
    }
    let sign = if seconds < 0.0 { "-" } else { "" };
    let whole = seconds.abs().min(9e15) as u64;
    let (days, hours, minutes, rest) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60, whole % 60);
    // Writing to a `String` cannot fail.
    let _ = match (days, hours, minutes) {
        (0, 0, 0) => Ok(()),
        (0, 0, _) => write!(text, "{sign}{minutes}m {rest}s"),
        (0, ..) => write!(text, "{sign}{hours}h {minutes}m {rest}s"),
        _ => write!(text, "{sign}{days}d {hours}h {minutes}m {rest}s"),
    };
    if whole < 60 {
        let prefixes = ["", "m", "u", "n", "p", "f", "a", "z", "y"];
        let (mut size, mut prefix) = (seconds, "");
        for next in prefixes {
            prefix = next;
            if size.abs() >= 1.0 || next == "y" {
                break;
            }
            size *= 1000.0;
        }
        number(text, four_digits(size));
        text.push_str(prefix);
        text.push('s');
    }
}

/// A number for a line that people read: four significant digits, but no digit of a whole number is lost.
pub(crate) fn as_people_read(value: f64) -> String {
    let mut text = String::new();
    number(&mut text, if value.abs() < 1000.0 { four_digits(value) } else { value.round() });
    text
}

fn four_digits(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str, value: f64) -> String {
        let labels = Labels::new([("venue", "XNYS"), ("note", "{{ $value }}")]).unwrap();
        Template::parse(template).unwrap().render(value, &labels)
    }

    #[test]
    fn values_and_labels_are_put_in() {
        assert_eq!(render("{{ $labels.venue }} at {{$value}}", 0.09), "XNYS at 0.09");
        assert_eq!(render("down {{ $value | humanizePercentage }}", 0.123_456), "down 12.35%");
        assert_eq!(render("[{{ $labels.desk }}]", 1.0), "[]");
        assert_eq!(render("plain {value} }}", 1.0), "plain {value} }}");
        assert_eq!(render(r#"{{ "{{" }} and {{ "}}" }}"#, 1.0), "{{ and }}");
    }

    #[test]
    fn lengths_of_time_look_as_in_prometheus() {
        let cases = [
            (0.0, "0s"),
            (302_400.0, "3d 12h 0m 0s"),
            (3_725.9, "1h 2m 5s"),
            (-125.0, "-2m 5s"),
            (59.987_65, "59.99s"),
            (0.25, "250ms"),
            (1.5e-5, "15us"),
            (f64::INFINITY, "+Infs"),
        ];
        for (value, shown) in cases {
            assert_eq!(render("{{ $value | humanizeDuration }}", value), shown, "{value}");
        }
    }

    #[test]
    fn numbers_look_as_in_prometheus() {
        let shown: Vec<_> = [70.0, 1e6, 1e21, 1.5e-5, 0.0001, -2.5]
            .iter()
            .map(|&value| render("{{ $value }}", value))
            .collect();
        assert_eq!(shown, ["70", "1000000", "1e+21", "1.5e-05", "0.0001", "-2.5"]);
    }

    #[test]
    fn a_line_for_people_has_no_digit_that_tells_nothing() {
        let read = [0.150_947_251_905_642_43, -12.0, 1_234_567.89, 0.0, 3.0e-9, 999.96].map(as_people_read);
        assert_eq!(read, ["0.1509", "-12", "1234568", "0", "3e-09", "1000"]);
    }

    #[test]
    fn what_a_label_holds_is_never_a_template() {
        assert_eq!(render("{{ $labels.note }}", 3.0), "{{ $value }}");
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        for text in [
            "{{value}}",
            "{{ $valu }}",
            "{{ $labels }}",
            "{{ $labels.1a }}",
            "{{ $value | humanise }}",
            "{{ $value",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
        assert!(
            Template::parse("{{value}}").unwrap_err().starts_with("{{value}} is unknown: write {{ $value }}")
        );
        assert!(Template::parse("a {{ é").unwrap_err().contains("never closed"));
    }

    #[test]
    fn a_long_text_is_cut() {
        let labels = Labels::new([("x", "y".repeat(4_000))]).unwrap();
        let text = Template::parse(&"{{ $labels.x }}".repeat(5)).unwrap().render(0.0, &labels);
        assert_eq!(text.len(), MAX_ANNOTATION_LEN);
    }
}
