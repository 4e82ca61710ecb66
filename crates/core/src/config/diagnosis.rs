//! Finds every fault of a configuration, not only the first.
//!
//! Reading stops at the first fault. So a fault is told and its node taken out, and the tree is read again, until it
//! can be read whole. A required value that was taken out or was never there is replaced by a stand-in, so that the
//! faults behind it are found as well; if none will do, what it stands in is taken out. What only follows from a fault
//! that is told already is not told.

use serde::de::DeserializeOwned;

use super::fault::{Fault, FaultKind, unknown_key};
use super::nearest::nearest;
use super::path::{ConfigPath, ConfigStep};
use super::problem::{MAX_PROBLEMS, Problem, Problems};
use super::reader::{Reader, UnknownKey};
use super::stand_in::MAX_STAND_INS;
use super::tree::{NodeId, Place, State, Tree, Value};
use super::validate::Validate;

/// How often a tree is read at most.
const MAX_ATTEMPTS: usize = 20 * MAX_PROBLEMS;

/// How many nodes are read at most, in all attempts together: about a second or two.
const MAX_VISITS: usize = 20_000_000;

/// Most parts of a table that are suspected of a fault of the table.
const MAX_SUSPECTS: usize = 32;

/// Shortest secret value that is looked for in messages.
const MIN_SCRUBBED: usize = 4;

/// The value that the tree holds, or all that is wrong with it.
pub(super) fn diagnose<T: DeserializeOwned + Validate>(tree: Tree) -> Result<T, Problems> {
    let mut diagnosis = Diagnosis::new(tree);
    let read = |tree: &Tree| {
        let reader = Reader::new(tree);
        let value = T::deserialize(reader.root());
        (value, reader.into_unknown())
    };
    let most = MAX_ATTEMPTS.min(MAX_VISITS / diagnosis.tree.ids().count().max(1));
    while diagnosis.attempts < most && diagnosis.problems.len() < MAX_PROBLEMS {
        diagnosis.attempts += 1;
        let (value, unknown) = read(&diagnosis.tree);
        diagnosis.note_unknown(unknown);
        let fault = match value {
            Ok(value) => {
                let mut complaints = Problems::new();
                value.validate(&ConfigPath::root(), &mut complaints);
                diagnosis.note_complaints(complaints);
                return if diagnosis.problems.is_empty() { Ok(value) } else { Err(diagnosis.finish()) };
            }
            Err(fault) => fault,
        };
        let fault = diagnosis.locate(fault, &|tree| read(tree).0.err());
        if !diagnosis.note(&fault) {
            return Err(diagnosis.finish());
        }
    }
    diagnosis.problems.give_up();
    Err(diagnosis.finish())
}

struct Diagnosis {
    tree: Tree,
    problems: Problems,
    attempts: usize,
    /// Tables and the keys that they have under a wrong name.
    misspelt: Vec<(NodeId, String)>,
}

impl Diagnosis {
    fn new(mut tree: Tree) -> Self {
        let problems = std::mem::take(&mut tree.problems);
        Self { tree, problems, attempts: 0, misspelt: Vec::new() }
    }

    /// Whether a fault here only follows from one that is told.
    fn is_tainted(&self, node: NodeId) -> bool {
        self.tree.ancestors(node).any(|node| self.tree.node(node).state != State::Written)
    }

    fn note_unknown(&mut self, unknown: Vec<UnknownKey>) {
        for UnknownKey { node, known } in unknown {
            self.note_unknown_key(node, known);
        }
    }

    fn note_unknown_key(&mut self, node: NodeId, known: &[&str]) {
        if self.problems.is_full() {
            self.problems.omit(1);
        } else if let (Some(table), Some(key)) =
            (self.tree.parent(node), self.tree.key(node).map(str::to_owned))
        {
            let missing = known.iter().copied().filter(|known| self.tree.child(table, known).is_none());
            let message = match nearest(&key, missing) {
                Some(meant) => {
                    self.misspelt.push((table, meant.to_owned()));
                    unknown_key(&key, &[meant])
                }
                None => unknown_key(&key, known),
            };
            self.tell(node, message);
        }
        self.tree.node_mut(node).state = State::Removed;
    }

    fn tell(&mut self, node: NodeId, message: String) {
        if !self.is_tainted(node) {
            self.problems.add(self.tree.problem(node, message));
        }
    }

    /// Tells a fault and changes the tree so that the next attempt gets further. False if there is no way on.
    fn note(&mut self, fault: &Fault) -> bool {
        let node = fault.node.unwrap_or(Tree::ROOT);
        match &fault.kind {
            FaultKind::Missing(key) => self.note_missing(node, key, fault),
            FaultKind::UnknownKey { key, known } if self.tree.child(node, key).is_some() => {
                if let Some(child) = self.tree.child(node, key) {
                    self.note_unknown_key(child, known);
                }
                true
            }
            FaultKind::Gap => {
                self.fill_gaps(node);
                true
            }
            kind => match self.tree.node(node).state {
                State::Hole(attempt) => self.try_next(node, attempt),
                State::Written | State::Removed => {
                    // What a type says of a value from which something was taken out may only follow from that.
                    if !matches!(kind, FaultKind::Custom(_)) || !self.is_incomplete(node) {
                        self.tell(node, fault.message(self.tree.is_secret(node)));
                    }
                    self.tree.node_mut(node).state = State::Removed;
                    node != Tree::ROOT
                }
            },
        }
    }

    fn note_missing(&mut self, table: NodeId, key: &str, fault: &Fault) -> bool {
        let child = if let Some(child) = self.tree.child(table, key) {
            child
        } else {
            if !matches!(self.tree.node(table).value, Value::Table(_)) {
                self.tell(table, fault.message(true));
                return self.give_up(table);
            }
            let step = ConfigStep::Key(key.to_owned());
            let child = self.tree.add(Some(table), Some(step), Place::Nowhere, Value::Table(Vec::new()));
            if !self.misspelt.iter().any(|(at, meant)| *at == table && meant == key) {
                self.tell(child, fault.message(true));
            }
            child
        };
        if let State::Hole(_) = self.tree.node(child).state {
            // It was offered and is still missing: the type does not take it from here.
            return self.give_up(table);
        }
        self.make_hole(child, 0);
        true
    }

    fn make_hole(&mut self, node: NodeId, attempt: usize) {
        let node = self.tree.node_mut(node);
        node.state = State::Hole(attempt);
        node.value = Value::Table(Vec::new());
        node.raw = None;
    }

    fn try_next(&mut self, node: NodeId, attempt: usize) -> bool {
        if attempt + 1 < MAX_STAND_INS {
            self.make_hole(node, attempt + 1);
            return true;
        }
        self.tree.parent(node).is_some_and(|parent| self.give_up(parent))
    }

    /// Takes out a node whose parts cannot be replaced.
    fn give_up(&mut self, node: NodeId) -> bool {
        match self.tree.node(node).state {
            _ if node == Tree::ROOT => false,
            State::Written => {
                self.tree.node_mut(node).state = State::Removed;
                true
            }
            State::Hole(_) | State::Removed => {
                self.tree.parent(node).is_some_and(|parent| self.give_up(parent))
            }
        }
    }

    /// Puts stand-ins where parts were taken out that cannot be passed over.
    fn fill_gaps(&mut self, node: NodeId) {
        let is_gap = |part: &NodeId| self.tree.node(*part).state == State::Removed;
        let gaps: Vec<_> = self.tree.children(node).filter(is_gap).collect();
        for gap in gaps {
            self.make_hole(gap, 0);
        }
    }

    /// Whether something within was taken out.
    fn is_incomplete(&self, node: NodeId) -> bool {
        self.tree
            .children(node)
            .any(|part| self.tree.node(part).state != State::Written || self.is_incomplete(part))
    }

    /// The value within a table or list at which reading really stopped.
    ///
    /// Tagged, flattened and untagged types are buffered by serde, which then knows only the table. The cause is the
    /// part without which the fault is another one, or none.
    fn locate(&mut self, mut fault: Fault, retry: &dyn Fn(&Tree) -> Option<Fault>) -> Fault {
        while let Some(node) = fault.node {
            let found = match &fault.kind {
                _ if self.is_tainted(node) => None,
                FaultKind::Missing(_) | FaultKind::Gap => None,
                FaultKind::Length { .. } if matches!(self.tree.node(node).value, Value::List(_)) => None,
                FaultKind::UnknownKey { key, .. } if self.tree.child(node, key).is_some() => None,
                _ => self.culprit(node, &fault, retry),
            };
            if found.is_none() {
                break;
            }
            fault.node = found;
        }
        fault
    }

    fn culprit(
        &mut self,
        node: NodeId,
        fault: &Fault,
        retry: &dyn Fn(&Tree) -> Option<Fault>,
    ) -> Option<NodeId> {
        let parts: Vec<_> = self.tree.read_children(node).take(MAX_SUSPECTS).collect();
        let mut suspects: Vec<_> = parts
            .into_iter()
            .filter(|part| self.without(&[*part], retry).is_none_or(|now| now.kind != fault.kind))
            .collect();
        // A tag, and whatever else is needed before the culprit is looked at, changes the fault as well when it is
        // taken out; but it is missed first.
        while suspects.len() > 1 {
            let Some(Fault { kind: FaultKind::Missing(key), .. }) = self.without(&suspects, retry) else {
                return None;
            };
            let before = suspects.len();
            suspects.retain(|suspect| self.tree.key(*suspect) != Some(key));
            if suspects.len() == before {
                return None;
            }
        }
        suspects.pop()
    }

    /// The fault that is met when some nodes are taken out.
    fn without(&mut self, nodes: &[NodeId], retry: &dyn Fn(&Tree) -> Option<Fault>) -> Option<Fault> {
        self.attempts += 1;
        let states: Vec<_> = nodes.iter().map(|node| self.tree.node(*node).state).collect();
        for node in nodes {
            self.tree.node_mut(*node).state = State::Removed;
        }
        let fault = retry(&self.tree);
        for (node, state) in nodes.iter().zip(states) {
            self.tree.node_mut(*node).state = state;
        }
        fault
    }

    /// Adds what `Validate` says, with the paths as they were written.
    fn note_complaints(&mut self, complaints: Problems) {
        let (complaints, omitted) = complaints.into_parts();
        for complaint in complaints {
            let (path, node) = self.written(&complaint.path);
            // A key that was written under a wrong name has its default here, which may be none that is allowed.
            let is_misspelt =
                self.misspelt.iter().any(|(at, key)| *at == node && self.tree.path(node).key(key) == path);
            if !is_misspelt && !self.is_tainted(node) {
                let origin = self.tree.origin(node);
                self.problems.add(Problem { path, message: complaint.message, origin });
            }
        }
        self.problems.omit(omitted);
    }

    /// A path of the value that was read as a path of what was written, and the last node on it.
    fn written(&self, path: &ConfigPath) -> (ConfigPath, NodeId) {
        let mut node = Tree::ROOT;
        let mut lost = false;
        let steps = path.steps().iter().map(|step| {
            let next = match step {
                _ if lost => None,
                ConfigStep::Key(key) => self.tree.child(node, key),
                // Items that were taken out do not count where the value was read.
                ConfigStep::Index(index) => self.tree.read_children(node).nth(*index),
            };
            lost = next.is_none();
            node = next.unwrap_or(node);
            match (step, next.and_then(|next| self.tree.index(next))) {
                (ConfigStep::Index(_), Some(index)) => ConfigStep::Index(index),
                _ => step.clone(),
            }
        });
        (steps.collect(), node)
    }

    /// The problems in the order of the file, without the values of secrets.
    fn finish(mut self) -> Problems {
        let mut secrets: Vec<String> = Vec::new();
        for node in self.tree.ids().filter(|node| self.tree.is_secret(*node)) {
            let node = self.tree.node(node);
            if let Value::Text(text) = &node.value {
                secrets.extend(forms(text));
            }
            secrets.extend(node.raw.clone());
        }
        secrets.retain(|secret| secret.len() >= MIN_SCRUBBED);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        self.problems.edit(|problem| {
            for secret in &secrets {
                if problem.message.contains(secret.as_str()) {
                    problem.message = problem.message.replace(secret.as_str(), crate::secret::REDACTED);
                }
            }
        });
        self.problems.sort();
        self.problems
    }
}

/// A text as it stands in messages: as it is, and as `{:?}` writes it, without the quotes.
fn forms(text: &str) -> [String; 2] {
    let quoted = format!("{text:?}");
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned();
    [text.to_owned(), inner]
}
