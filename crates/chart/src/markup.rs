//! The writer of SVG and HTML: text is escaped, coordinates are rounded to 0.1 px, and what is no number is never written.
//!
//! Colours are written twice, as a class for the style sheet and as a presentation attribute of the light
//! theme for readers without one. There is never a `style` attribute: a strict content security policy refuses it.

use crate::palette::{Role, Theme};
use crate::path::{push_tenths, tenths};

/// Text made safe for the content or a quoted attribute of XML and HTML.
///
/// `& < > " '` become entities, line breaks and tabs become spaces. Dropped are characters that XML 1.0 forbids or advises
/// against (controls, U+FFFE, U+FFFF), which would make the whole document unreadable, and those that nobody sees and that
/// change the order in which their neighbours are shown (U+202E and its like).
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    escape_into(&mut safe, text);
    safe
}

pub(crate) fn escape_into(out: &mut String, text: &str) {
    for symbol in text.chars() {
        match symbol {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{fffe}'
            | '\u{ffff}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {}
            _ => out.push(symbol),
        }
    }
}

/// A growing fragment of SVG or HTML.
#[derive(Debug, Default)]
pub(crate) struct Markup {
    text: String,
}

/// A start tag that still takes attributes.
#[derive(Debug)]
#[must_use]
pub(crate) struct Tag<'a> {
    markup: &'a mut Markup,
    name: &'static str,
}

impl Markup {
    pub(crate) fn tag(&mut self, name: &'static str) -> Tag<'_> {
        self.text.push('<');
        self.text.push_str(name);
        Tag { markup: self, name }
    }

    pub(crate) fn close(&mut self, name: &'static str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    /// A straight line, 1 px wide.
    pub(crate) fn rule(&mut self, from: (f64, f64), to: (f64, f64), role: Role) {
        let line = self.tag("line").px("x1", from.0).px("y1", from.1).px("x2", to.0).px("y2", to.1);
        line.stroke(role, 1.0).empty();
    }

    /// A fragment that this writer made before.
    pub(crate) fn raw(&mut self, fragment: &str) {
        self.text.push_str(fragment);
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// Ink or muted text at a baseline, each its own element so that no text can reorder another.
    pub(crate) fn label(&mut self, (x, y): (f64, f64), anchor: Anchor, role: Role, text: &str) {
        self.tag("text").px("x", x).px("y", y).anchor(anchor).fill(role).text(text);
    }
}

/// Which end of a text stands at its x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Tag<'_> {
    pub(crate) fn attr(self, name: &'static str, value: &str) -> Self {
        let out = &mut self.markup.text;
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        escape_into(out, value);
        out.push('"');
        self
    }

    pub(crate) fn px(self, name: &'static str, value: f64) -> Self {
        let out = &mut self.markup.text;
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        push_tenths(out, tenths(value));
        out.push('"');
        self
    }

    /// Filled with a role's colour, not outlined.
    pub(crate) fn fill(self, role: Role) -> Self {
        self.attr("class", &format!("bw-f-{}", role.key())).attr("fill", &Theme::Light.colour(role).hex())
    }

    /// Outlined with a role's colour, not filled.
    pub(crate) fn stroke(self, role: Role, width: f64) -> Self {
        self.attr("class", &format!("bw-l-{}", role.key()))
            .attr("fill", "none")
            .attr("stroke", &Theme::Light.colour(role).hex())
            .px("stroke-width", width)
    }

    /// Filled with one role's colour and outlined with another's.
    pub(crate) fn paint(self, fill: Role, stroke: Role, width: f64) -> Self {
        self.attr("class", &format!("bw-f-{} bw-l-{}", fill.key(), stroke.key()))
            .attr("fill", &Theme::Light.colour(fill).hex())
            .attr("stroke", &Theme::Light.colour(stroke).hex())
            .px("stroke-width", width)
    }

    /// Text over data: filled with a role's colour, with a rim of the panel's.
    pub(crate) fn rim(self, role: Role) -> Self {
        let tag = self.attr("paint-order", "stroke").attr("stroke-linejoin", "round");
        tag.paint(role, Role::Panel, 3.0)
    }

    pub(crate) fn anchor(self, anchor: Anchor) -> Self {
        match anchor {
            Anchor::Start => self,
            Anchor::Middle => self.attr("text-anchor", "middle"),
            Anchor::End => self.attr("text-anchor", "end"),
        }
    }

    pub(crate) fn open(self) {
        self.markup.text.push('>');
    }

    pub(crate) fn empty(self) {
        self.markup.text.push_str("/>");
    }

    pub(crate) fn text(self, text: &str) {
        let Tag { markup, name } = self;
        markup.text.push('>');
        escape_into(&mut markup.text, text);
        markup.close(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_once_and_illegal_characters_are_dropped() {
        assert_eq!(escape("a\u{202e}b\u{2066}c\u{200f}d\u{85}e\u{7f}f\u{200b}g"), "abcdef\u{200b}g");
        assert_eq!(escape("a<b>&amp;\"'\u{0}\u{1b}[31m\u{ffff}\r\n"), "a&lt;b&gt;&amp;amp;&quot;&#39;[31m  ");
    }

    #[test]
    fn coordinates_are_rounded_to_a_tenth_and_never_spelled_as_no_number() {
        let mut svg = Markup::default();
        svg.tag("rect").px("x", 1.25).px("y", -0.04).px("a", f64::NAN).px("b", f64::INFINITY).empty();
        assert_eq!(svg.into_text(), r#"<rect x="1.3" y="0" a="0" b="0"/>"#);
    }
}
