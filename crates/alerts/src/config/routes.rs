//! The tree of routes as it is written.
use bellwether_core::config::{ConfigPath, Problems, Validate};
use bellwether_core::{HumanDuration, LabelName};

use super::{Names, millis, no_such, seconds};
use crate::{ChannelName, Matcher, ReceiverName};

/// Deepest nesting of routes.
const MAX_DEPTH: usize = 32;

/// Most routes of a tree.
const MAX_ROUTES: usize = 10_000;

/// A route: which alerts, to whom, told together by what, and when. As in Alertmanager; what is not said is inherited.
///
/// An alert walks down the tree: the children are asked in order, and the first that takes it ends the search among them unless it
/// says `continue`; a route takes the alert itself only if none of its children does.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct RouteConfig {
    /// To whom: a receiver, or a channel by its name. The root needs one; others inherit it.
    pub receiver: Option<ReceiverName>,
    /// Which alerts: all matchers must match. The root takes all and has none.
    pub matchers: Vec<Matcher>,
    /// Whether later siblings are asked too although this route took the alert. Default no.
    #[cfg_attr(feature = "serde", serde(rename = "continue"))]
    pub continues: bool,
    /// Alerts that have these labels in common are told together; `["..."]` is all labels. The root's default is none: all together.
    pub group_by: Option<Vec<String>>,
    /// How long a new group waits for more alerts before its first message. The root's default is 30 s; up to 1 day.
    pub group_wait: Option<HumanDuration>,
    /// How long between messages of a group about what changed. The root's default is 5 min; 1 ms to 7 days.
    pub group_interval: Option<HumanDuration>,
    /// How long until a group in which nothing changed is told again. The root's default is 4 h; 1 ms to 1 year.
    pub repeat_interval: Option<HumanDuration>,
    /// Its children, in the order in which they are asked.
    pub routes: Vec<RouteConfig>,
}

impl RouteConfig {
    /// A route to a receiver, without matchers: a root.
    pub fn to(receiver: ReceiverName) -> Self {
        Self { receiver: Some(receiver), ..Self::default() }
    }

    pub(super) fn validate_root(&self, at: &ConfigPath, problems: &mut Problems) {
        problems.require(
            &at.key("receiver"),
            self.receiver.is_some(),
            "the root needs a receiver: every alert must have one",
        );
        problems.require(
            &at.key("matchers"),
            self.matchers.is_empty(),
            "the root takes every alert and has no matchers",
        );
        problems.require(&at.key("continue"), !self.continues, "the root has no siblings to continue with");
        self.validate(at, problems);
        let count = self.count(0);
        problems.require(at, count.is_some(), format!("routes are nested deeper than {MAX_DEPTH}"));
        let fits = count.is_none_or(|count| count <= MAX_ROUTES);
        problems.require(at, fits, format!("there are more than {MAX_ROUTES} routes"));
    }

    /// How many routes there are; none if they are nested too deep.
    fn count(&self, depth: usize) -> Option<usize> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.routes.iter().try_fold(1, |count: usize, route| Some(count + route.count(depth + 1)?))
    }

    pub(super) fn validate_names(
        &self,
        known: &dyn Fn(&ReceiverName) -> bool,
        names: &Names<'_>,
        at: &ConfigPath,
        problems: &mut Problems,
    ) {
        if let Some(receiver) = &self.receiver {
            problems.require(&at.key("receiver"), known(receiver), no_such(receiver.as_str(), names));
        }
        for (index, route) in self.routes.iter().enumerate() {
            route.validate_names(known, names, &at.key("routes").index(index), problems);
        }
    }
}

impl Validate for RouteConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        if let Some(labels) = &self.group_by {
            let all = labels.iter().any(|label| label == "...");
            let told = "\"...\" is all labels and stands alone";
            problems.require(&at.key("group_by"), !all || labels.len() == 1, told);
            for (index, label) in labels.iter().enumerate().filter(|(_, label)| *label != "...") {
                let at = at.key("group_by").index(index);
                if let Err(error) = LabelName::new(label.clone()) {
                    problems.push(&at, error.to_string());
                }
                let twice = labels.iter().take(index).any(|before| before == label);
                problems.require(&at, !twice, format!("label {label:?} is given twice"));
            }
        }
        let day = 86_400;
        let above_zero = millis(1);
        if let Some(wait) = &self.group_wait {
            problems.within(&at.key("group_wait"), wait, seconds(0)..=seconds(day));
        }
        if let Some(interval) = &self.group_interval {
            problems.within(&at.key("group_interval"), interval, above_zero..=seconds(7 * day));
        }
        if let Some(interval) = &self.repeat_interval {
            problems.within(&at.key("repeat_interval"), interval, above_zero..=seconds(366 * day));
        }
        self.routes.validate(&at.key("routes"), problems);
    }
}

/// A receiver of several channels.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ReceiverConfig {
    /// The channels, each of which is sent every message. At least one.
    pub channels: Vec<ChannelName>,
    /// Whether it is told that alerts are over. Default yes.
    #[cfg_attr(feature = "serde", serde(default = "yes"))]
    pub send_resolved: bool,
}

#[cfg(feature = "serde")]
fn yes() -> bool {
    true
}

impl Validate for ReceiverConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        let at = at.key("channels");
        problems.require(&at, !self.channels.is_empty(), "a receiver needs a channel");
        for (index, channel) in self.channels.iter().enumerate() {
            let twice = self.channels.iter().take(index).any(|before| before == channel);
            problems.require(
                &at.index(index),
                !twice,
                format!("channel {:?} is given twice", channel.as_str()),
            );
        }
    }
}
