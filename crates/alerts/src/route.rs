//! Who is told of which alerts.
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use bellwether_core::{HumanDuration, Labels};

use crate::config::{ReceiverConfig, RouteConfig};
use crate::{Matcher, ReceiverName};

/// What the alerts of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupBy {
    /// All their labels: every alert is a group of its own.
    All,
    /// These labels, as far as they have them; none is one group for all.
    Labels(Vec<String>),
}

impl GroupBy {
    /// The labels that make an alert's group.
    pub fn labels(&self, labels: &Labels) -> Labels {
        match self {
            Self::All => labels.clone(),
            Self::Labels(names) => labels.retain(|name| names.iter().any(|wanted| wanted == name)),
        }
    }
}

/// One route of a [`RouteTree`], with everything that it inherits.
#[derive(Debug, Clone)]
pub struct Route {
    id: String,
    matchers: Vec<Matcher>,
    continues: bool,
    children: Vec<RouteId>,
    /// Whom it leads to.
    pub receiver: ReceiverName,
    /// Whether the receiver is told that alerts are over.
    pub send_resolved: bool,
    /// What its alerts are grouped by.
    pub group_by: GroupBy,
    /// How long a new group waits before its first message.
    pub group_wait: Duration,
    /// How long between messages of a group about what changed.
    pub group_interval: Duration,
    /// How long until a group in which nothing changed is told again.
    pub repeat_interval: Duration,
}

impl Route {
    /// The place in the tree as text: the matchers from the root on and the place among siblings, as `{}/{team="risk"}/0`.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// A route's place in its tree; the root is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteId(u32);

/// A checked tree of routes: which alert goes where.
///
/// ```
/// use bellwether_alerts::{ReceiverName, RouteTree};
/// use bellwether_alerts::config::RouteConfig;
/// use bellwether_core::Labels;
///
/// let mut root = RouteConfig::to(ReceiverName::new("desk")?);
/// let mut pager = RouteConfig::to(ReceiverName::new("pager")?);
/// pager.matchers.push(r#"severity="critical""#.parse()?);
/// root.routes.push(pager);
/// let tree = RouteTree::new(&root, &Default::default());
/// let critical = Labels::new([("alertname", "KillSwitch"), ("severity", "critical")])?;
/// let receivers: Vec<_> = tree.matching(&critical).map(|route| route.receiver.as_str()).collect();
/// assert_eq!(receivers, ["pager"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct RouteTree {
    routes: Vec<Route>,
}

impl RouteTree {
    /// How long a new group waits if the root does not say.
    pub const GROUP_WAIT: Duration = Duration::from_secs(30);
    /// How long between messages of a group if the root does not say.
    pub const GROUP_INTERVAL: Duration = Duration::from_mins(5);
    /// How long until a group is told again if the root does not say.
    pub const REPEAT_INTERVAL: Duration = Duration::from_hours(4);

    /// Hands everything that is inherited down the tree. Expects a configuration without problems: a name that is missing leads
    /// to a receiver called `unrouted`.
    pub fn new(root: &RouteConfig, receivers: &BTreeMap<ReceiverName, ReceiverConfig>) -> Self {
        let above = Route {
            id: String::new(),
            matchers: Vec::new(),
            continues: false,
            children: Vec::new(),
            receiver: root.receiver.clone().unwrap_or(ReceiverName::UNROUTED),
            send_resolved: true,
            group_by: GroupBy::Labels(Vec::new()),
            group_wait: Self::GROUP_WAIT,
            group_interval: Self::GROUP_INTERVAL,
            repeat_interval: Self::REPEAT_INTERVAL,
        };
        let mut tree = Self { routes: Vec::new() };
        tree.add(root, &above, "{}".to_owned(), receivers);
        tree
    }

    fn add(
        &mut self,
        config: &RouteConfig,
        above: &Route,
        id: String,
        receivers: &BTreeMap<ReceiverName, ReceiverConfig>,
    ) -> RouteId {
        let get = HumanDuration::get;
        let receiver = config.receiver.clone().unwrap_or_else(|| above.receiver.clone());
        let route = Route {
            matchers: config.matchers.clone(),
            continues: config.continues,
            children: Vec::new(),
            send_resolved: receivers.get(&receiver).is_none_or(|receiver| receiver.send_resolved),
            receiver,
            group_by: match &config.group_by {
                None => above.group_by.clone(),
                Some(labels) if labels.iter().any(|label| label == "...") => GroupBy::All,
                Some(labels) => GroupBy::Labels(labels.clone()),
            },
            group_wait: config.group_wait.map_or(above.group_wait, get),
            // Not a tick after the other without end, whatever the configuration.
            group_interval: config
                .group_interval
                .map_or(above.group_interval, get)
                .max(Duration::from_millis(1)),
            repeat_interval: config.repeat_interval.map_or(above.repeat_interval, get),
            id,
        };
        let place = self.routes.len();
        self.routes.push(route.clone());
        let mut children = Vec::with_capacity(config.routes.len());
        for (index, child) in config.routes.iter().enumerate() {
            let mut id = format!("{}/{{", route.id);
            for (i, matcher) in child.matchers.iter().enumerate() {
                // Writing to a `String` cannot fail, here and below.
                let _ = write!(id, "{}{matcher}", if i > 0 { "," } else { "" });
            }
            let _ = write!(id, "}}/{index}");
            children.push(self.add(child, &route, id, receivers));
        }
        if let Some(route) = self.routes.get_mut(place) {
            route.children = children;
        }
        RouteId(place as u32)
    }

    /// A route by its place; the root if there is none.
    pub fn get(&self, id: RouteId) -> &Route {
        self.routes.get(id.0 as usize).unwrap_or_else(|| self.root())
    }

    fn root(&self) -> &Route {
        // A tree is made with its root.
        &self.routes[0]
    }

    /// How many routes there are.
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    /// Never: there is always a root.
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// All routes, parents before children.
    pub fn routes(&self) -> impl ExactSizeIterator<Item = &Route> {
        self.routes.iter()
    }

    /// The routes that take an alert with these labels, in order; at least one.
    pub fn matching(&self, labels: &Labels) -> impl Iterator<Item = &Route> {
        let mut found = Vec::new();
        self.matching_into(labels, &mut found);
        found.into_iter().map(|id| self.get(id))
    }

    /// As [`matching`](Self::matching), into a list that is used again.
    pub fn matching_into(&self, labels: &Labels, found: &mut Vec<RouteId>) {
        self.visit(RouteId(0), labels, found);
    }

    /// Whether the route or one below it takes the alert.
    fn visit(&self, id: RouteId, labels: &Labels, found: &mut Vec<RouteId>) -> bool {
        let route = self.get(id);
        if !route.matchers.iter().all(|matcher| matcher.matches(labels)) {
            return false;
        }
        let before = found.len();
        for &child in &route.children {
            if self.visit(child, labels, found) && !self.get(child).continues {
                break;
            }
        }
        if found.len() == before {
            found.push(id);
        }
        true
    }
}
