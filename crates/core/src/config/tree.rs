//! A configuration before it is a type: values that know where they were written.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::path::{ConfigPath, ConfigStep};
use super::problem::{Origin, Problem, Problems};
use crate::secret::looks_secret;

/// Deepest nesting of tables and lists.
pub(super) const MAX_DEPTH: usize = 64;

/// A node of a [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NodeId(usize);

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Boolean(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
    List(Vec<NodeId>),
    Table(Vec<NodeId>),
}

/// What reading makes of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It stands as it was written.
    Written,
    /// Its fault is told; it is read as if it had not been written.
    Removed,
    /// Its fault is told, but the rest cannot be read without it: stands for any value, at the given attempt.
    Hole(usize),
}

#[derive(Debug, Clone)]
pub(super) enum Place {
    /// Bytes before it in the file.
    Offset(usize),
    Variable(Arc<str>),
    Nowhere,
}

#[derive(Debug)]
pub(super) struct Node {
    parent: Option<NodeId>,
    step: Option<ConfigStep>,
    place: Place,
    pub(super) value: Value,
    pub(super) state: State,
    /// The text of an environment variable that was read as something else than a text.
    pub(super) raw: Option<String>,
}

/// Nodes by number, each with its parent; the first is the root.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    file: File,
    pub(super) problems: Problems,
}

/// Name and lines of the file that a tree was read from.
#[derive(Debug)]
pub(super) struct File {
    name: Arc<str>,
    text: String,
}

impl File {
    pub(super) fn new(name: &str, text: String) -> Self {
        Self { name: name.into(), text }
    }

    pub(super) fn origin(&self, offset: usize) -> Origin {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        Origin::File { name: self.name.clone(), line, column }
    }
}

impl Tree {
    pub(super) const ROOT: NodeId = NodeId(0);

    /// The tree of a TOML text; or where and why it is not TOML.
    pub(super) fn parse(file: File) -> Result<Self, (Origin, String)> {
        let text = file.text.clone();
        let table = DeTable::parse(&text).map_err(|error| {
            // Not its `Display`, which repeats the line: a password may stand in it.
            let offset = error.span().map_or(0, |span| span.start);
            (file.origin(offset), error.message().to_owned())
        })?;
        let mut tree = Self { nodes: Vec::new(), file, problems: Problems::new() };
        let place = if text.is_empty() { Place::Nowhere } else { Place::Offset(0) };
        let root = tree.add(None, None, place, Value::Table(Vec::new()));
        tree.fill_table(root, table.get_ref(), 0, &|offset| Place::Offset(offset));
        Ok(tree)
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        // Every id was made by `add`, and nodes are never taken out.
        &self.nodes[id.0]
    }

    pub(super) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0]
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = NodeId> {
        (0..self.nodes.len()).map(NodeId)
    }

    pub(super) fn add(
        &mut self,
        parent: Option<NodeId>,
        step: Option<ConfigStep>,
        place: Place,
        value: Value,
    ) -> NodeId {
        let id = NodeId(self.nodes.len());
        self.nodes.push(Node { parent, step, place, value, state: State::Written, raw: None });
        if let Some(parent) = parent
            && let Value::List(children) | Value::Table(children) = &mut self.node_mut(parent).value
        {
            children.push(id);
        }
        id
    }

    fn fill_table(&mut self, id: NodeId, table: &DeTable<'_>, depth: usize, place: &dyn Fn(usize) -> Place) {
        for (key, value) in table {
            let step = ConfigStep::Key(key.get_ref().clone().into_owned());
            let child = self.add(Some(id), Some(step), place(key.span().start), Value::Boolean(false));
            self.fill(child, value.get_ref(), depth + 1, place);
        }
    }

    /// Gives a node the value of a piece of TOML.
    fn fill(&mut self, id: NodeId, value: &DeValue<'_>, depth: usize, place: &dyn Fn(usize) -> Place) {
        if depth > MAX_DEPTH {
            return self.refuse(id, &format!("nested more than {MAX_DEPTH} deep"));
        }
        let value = match value {
            DeValue::Boolean(value) => Value::Boolean(*value),
            DeValue::String(text) => Value::Text(text.clone().into_owned()),
            DeValue::Datetime(time) => Value::Text(time.to_string()),
            DeValue::Integer(number) => {
                let (digits, radix) = (number.as_str(), number.radix());
                if let Ok(number) = i64::from_str_radix(digits, radix) {
                    Value::Signed(number)
                } else if let Ok(number) = u64::from_str_radix(digits, radix) {
                    Value::Unsigned(number)
                } else {
                    return self.refuse(id, "a number that does not fit into 64 bits");
                }
            }
            DeValue::Float(number) => match number.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => Value::Float(number),
                _ => return self.refuse(id, "not a finite number"),
            },
            DeValue::Array(items) => {
                self.node_mut(id).value = Value::List(Vec::new());
                for (index, item) in items.iter().enumerate() {
                    let step = ConfigStep::Index(index);
                    let child =
                        self.add(Some(id), Some(step), place(item.span().start), Value::Boolean(false));
                    self.fill(child, item.get_ref(), depth + 1, place);
                }
                return;
            }
            DeValue::Table(table) => {
                self.node_mut(id).value = Value::Table(Vec::new());
                return self.fill_table(id, table, depth, place);
            }
        };
        self.node_mut(id).value = value;
    }

    fn refuse(&mut self, id: NodeId, message: &str) {
        if self.problems.is_full() {
            self.problems.omit(1);
        } else {
            let problem = self.problem(id, message.to_owned());
            self.problems.add(problem);
        }
        self.node_mut(id).state = State::Removed;
    }

    /// Gives a node the value that stands in an environment variable: TOML if it is, otherwise a text.
    pub(super) fn fill_from_variable(&mut self, id: NodeId, variable: &Arc<str>, raw: String) {
        let place = |_| Place::Variable(variable.clone());
        let depth = self.path(id).steps().len();
        self.node_mut(id).place = place(0);
        self.node_mut(id).state = State::Written;
        self.node_mut(id).raw = None;
        match DeValue::parse(raw.trim()).as_ref().map(Spanned::get_ref) {
            Ok(value) => {
                self.fill(id, value, depth, &place);
                if !matches!(self.node(id).value, Value::Text(_)) || matches!(value, DeValue::Datetime(_)) {
                    self.node_mut(id).raw = Some(raw);
                }
            }
            Err(_) => self.node_mut(id).value = Value::Text(raw),
        }
    }

    /// The child of a table by its key, whatever its state.
    pub(super) fn child(&self, id: NodeId, key: &str) -> Option<NodeId> {
        self.children(id).find(|child| self.key(*child) == Some(key))
    }

    /// All children, whatever their state.
    pub(super) fn children(&self, id: NodeId) -> impl DoubleEndedIterator<Item = NodeId> + use<'_> {
        let children = match &self.node(id).value {
            Value::List(children) | Value::Table(children) => children.as_slice(),
            _ => &[],
        };
        children.iter().copied()
    }

    /// Children that are still read.
    pub(super) fn read_children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + use<'_> {
        self.children(id).filter(|child| self.node(*child).state != State::Removed)
    }

    pub(super) fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).parent
    }

    /// The key of a table's child.
    pub(super) fn key(&self, id: NodeId) -> Option<&str> {
        match &self.node(id).step {
            Some(ConfigStep::Key(key)) => Some(key),
            _ => None,
        }
    }

    /// The index of a list's item.
    pub(super) fn index(&self, id: NodeId) -> Option<usize> {
        match &self.node(id).step {
            Some(ConfigStep::Index(index)) => Some(*index),
            _ => None,
        }
    }

    /// The node and what it stands in, up to the root.
    pub(super) fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> + use<'_> {
        std::iter::successors(Some(id), |id| self.parent(*id))
    }

    pub(super) fn path(&self, id: NodeId) -> ConfigPath {
        let mut steps: Vec<_> = self.ancestors(id).filter_map(|id| self.node(id).step.clone()).collect();
        steps.reverse();
        steps.into_iter().collect()
    }

    /// Whether the name of the node, or of what it stands in, is that of a secret.
    pub(super) fn is_secret(&self, id: NodeId) -> bool {
        self.ancestors(id).any(|id| self.key(id).is_some_and(looks_secret))
    }

    /// Where a node was written; for one that was not written, where the nearest one around it was.
    pub(super) fn origin(&self, id: NodeId) -> Option<Origin> {
        self.ancestors(id).find_map(|id| match &self.node(id).place {
            Place::Offset(offset) => Some(self.file.origin(*offset)),
            Place::Variable(name) => Some(Origin::Variable { name: name.clone() }),
            Place::Nowhere => None,
        })
    }

    pub(super) fn problem(&self, id: NodeId, message: String) -> Problem {
        Problem { path: self.path(id), message, origin: self.origin(id) }
    }
}
