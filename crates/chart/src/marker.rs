//! Marks on a line: what happened when, by shape, colour and word.

use crate::calendar::moment;
use crate::gaps::Interval;
use crate::markup::{Anchor, Markup};
use crate::palette::Role;
use crate::path::Path;
use crate::plot_area::PlotArea;
use crate::plotted::Plotted;
use crate::series::value_at;
use crate::time_axis::TimeAxis;

/// What a mark tells; each kind has a shape and a word of its own, so that colour is never alone.
///
/// The order is that of weight: where marks fall on one place, the heaviest is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MarkerKind {
    /// An event of no severity; a vertical tick.
    Event,
    /// Something that was wrong is well again; a ring.
    Resolved,
    /// Told for information; a disc.
    Info,
    /// Degraded; a triangle.
    Warning,
    /// Broken; a square.
    Error,
    /// Broken and a person must act now; a diamond.
    Critical,
}

/// A moment to be marked, with its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) at: i64,
    pub(crate) label: String,
    pub(crate) kind: MarkerKind,
    /// The line it lies on, by name; the first when not given.
    pub(crate) line: Option<String>,
}

/// Marks that fall on one place.
#[derive(Debug)]
struct Cluster<'a> {
    marks: Vec<&'a Marker>,
}

/// Marks nearer than this, in px, are drawn as one.
const CLUSTER: f64 = 10.0;

/// Words of a cluster that are written out; the rest are counted.
const WORDS: usize = 8;

impl MarkerKind {
    /// The word of the kind, in lower case.
    pub fn word(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Resolved => "resolved",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    fn role(self) -> Role {
        match self {
            Self::Event => Role::Ink,
            Self::Resolved => Role::Ok,
            Self::Info => Role::Unknown,
            Self::Warning => Role::Warn,
            Self::Error | Self::Critical => Role::Bad,
        }
    }

    /// The `d` of the shape around a point, about 11 px wide.
    fn outline(self, x: f64, y: f64) -> String {
        let mut path = Path::default();
        let corners: &[(f64, f64)] = match self {
            Self::Warning => &[(0.0, -6.0), (6.0, 5.0), (-6.0, 5.0)],
            Self::Error => &[(-4.8, -4.8), (4.8, -4.8), (4.8, 4.8), (-4.8, 4.8)],
            Self::Critical => &[(0.0, -7.2), (7.2, 0.0), (0.0, 7.2), (-7.2, 0.0)],
            Self::Event | Self::Resolved | Self::Info => {
                &[(-1.5, -8.0), (1.5, -8.0), (1.5, 8.0), (-1.5, 8.0)]
            }
        };
        for (index, &(dx, dy)) in corners.iter().enumerate() {
            if index == 0 {
                path.move_to(x + dx, y + dy);
            } else {
                path.line_to(x + dx, y + dy);
            }
        }
        path.close();
        path.d().to_owned()
    }

    /// Draws the shape around a point, with words that show when it is pointed at.
    pub(crate) fn draw(self, out: &mut Markup, (x, y): (f64, f64), words: Option<&str>) {
        out.tag("g").open();
        if let Some(words) = words {
            out.tag("title").text(words);
        }
        match self {
            Self::Resolved => {
                let ring = out.tag("circle").px("cx", x).px("cy", y).px("r", 4.5);
                ring.paint(Role::Panel, self.role(), 2.0).empty();
            }
            Self::Info => {
                let disc = out.tag("circle").px("cx", x).px("cy", y).px("r", 5.0);
                disc.paint(self.role(), Role::Panel, 1.5).empty();
            }
            Self::Event | Self::Warning | Self::Error | Self::Critical => {
                let shape = out.tag("path").attr("d", &self.outline(x, y));
                shape.paint(self.role(), Role::Panel, 1.5).empty();
            }
        }
        out.close("g");
    }
}

impl Cluster<'_> {
    fn heaviest(&self) -> Option<&Marker> {
        // The earliest of the heaviest.
        self.marks.iter().copied().reduce(|best, mark| if mark.kind > best.kind { mark } else { best })
    }

    /// `2008-10-09 critical: drawdown 30 %; …`.
    fn words(&self) -> String {
        let mut words: Vec<String> = self.marks.iter().take(WORDS).map(|mark| mark.words()).collect();
        if self.marks.len() > WORDS {
            words.push(format!("and {} more", self.marks.len() - WORDS));
        }
        words.join("; ")
    }
}

impl Marker {
    fn words(&self) -> String {
        let label = crate::label::fit(&self.label, 1.0, 200.0);
        format!("{} {}: {label}", moment(self.at), self.kind.word())
    }
}

/// Draws all marks: on their line, or on the time axis where the line has no value. Gives how many lie outside.
pub(crate) fn draw_marks(
    out: &mut Markup,
    marks: &[Marker],
    lines: &[Plotted<'_>],
    interval: Interval,
    area: &PlotArea,
    times: &TimeAxis,
) -> usize {
    let home = |mark: &Marker| match &mark.line {
        None => (!lines.is_empty()).then_some(0),
        Some(name) => lines.iter().position(|line| line.name == name),
    };
    let inside: Vec<(Option<usize>, &Marker)> =
        marks.iter().filter(|mark| times.scale.contains(mark.at)).map(|mark| (home(mark), mark)).collect();
    for line in std::iter::once(None).chain((0..lines.len()).map(Some)) {
        let here: Vec<&Marker> =
            inside.iter().filter(|(home, _)| *home == line).map(|(_, mark)| *mark).collect();
        let points = line.map_or(&[][..], |index| &lines[index].points);
        for cluster in clusters(&here, |at| times.scale.at(at)) {
            let Some(mark) = cluster.heaviest() else { continue };
            let y = value_at(points, interval, mark.at).map_or(area.bottom, |value| area.values.y(value));
            let x = times.scale.at(mark.at);
            mark.kind.draw(out, (x, y), Some(&cluster.words()));
            if cluster.marks.len() > 1 {
                let count = out.tag("text").px("x", x).px("y", y - 10.0).px("font-size", 10.0);
                count.anchor(Anchor::Middle).rim(Role::Ink).text(&cluster.marks.len().to_string());
            }
        }
    }
    marks.len() - inside.len()
}

/// Groups marks of one line that would lie on each other. Marks come in time order; `x` gives their place.
fn clusters<'a>(marks: &[&'a Marker], x: impl Fn(i64) -> f64) -> Vec<Cluster<'a>> {
    let mut clusters: Vec<Cluster<'a>> = Vec::new();
    let mut start = f64::NEG_INFINITY;
    for &mark in marks {
        let place = x(mark.at);
        match clusters.last_mut() {
            Some(cluster) if place - start < CLUSTER => cluster.marks.push(mark),
            _ => {
                clusters.push(Cluster { marks: vec![mark] });
                start = place;
            }
        }
    }
    clusters
}
