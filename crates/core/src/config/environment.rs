//! Environment variables that override keys: `DESK__ALERTS__REPEAT=4h`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use super::path::{ConfigPath, ConfigStep};
use super::problem::{Origin, Problem};
use super::tree::{MAX_DEPTH, NodeId, Place, State, Tree, Value};

/// Between the parts of a variable's name.
const SEPARATOR: &str = "__";

/// Lays the variables that begin with `prefix` and two underscores over the tree, in the order of their names.
pub(super) fn overlay(
    tree: &mut Tree,
    prefix: &str,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) {
    let start = format!("{prefix}{SEPARATOR}");
    let chosen: BTreeMap<String, OsString> = variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(&start))
        .collect();
    for (name, value) in chosen {
        let steps: Vec<&str> = name.strip_prefix(&start).unwrap_or_default().split(SEPARATOR).collect();
        let variable: Arc<str> = name.as_str().into();
        if let Err((path, message)) = set(tree, &variable, &steps, value) {
            let origin = Some(Origin::Variable { name: variable });
            tree.problems.add(Problem { path, message, origin });
        }
    }
}

fn set(
    tree: &mut Tree,
    variable: &Arc<str>,
    steps: &[&str],
    value: OsString,
) -> Result<(), (ConfigPath, String)> {
    if steps.iter().any(|step| step.is_empty()) || steps.len() > MAX_DEPTH {
        let expected = format!("expected names with {SEPARATOR} between them, at most {MAX_DEPTH}");
        return Err((ConfigPath::root(), format!("not the name of a key; {expected}")));
    }
    let mut at = Tree::ROOT;
    for step in steps {
        at = descend(tree, at, step, variable).map_err(|message| (tree.path(at), message))?;
    }
    let Ok(value) = value.into_string() else {
        tree.node_mut(at).state = State::Removed;
        return Err((tree.path(at), "not UTF-8".to_owned()));
    };
    tree.fill_from_variable(at, variable, value);
    Ok(())
}

/// The node that `step` leads to; made if it is not there.
fn descend(tree: &mut Tree, at: NodeId, step: &str, variable: &Arc<str>) -> Result<NodeId, String> {
    let place = Place::Variable(variable.clone());
    let nothing = || Value::Table(Vec::new());
    let next = match &tree.node(at).value {
        Value::Table(_) => {
            // Variables are written in capitals; keys mostly are not.
            let is_meant =
                |child: &NodeId| tree.key(*child).is_some_and(|key| key.eq_ignore_ascii_case(step));
            let exact = tree.child(at, step);
            let found = exact.or_else(|| tree.children(at).find(is_meant));
            found.ok_or_else(|| ConfigStep::Key(step.to_ascii_lowercase()))
        }
        Value::List(items) => {
            let len = items.len();
            match step.parse::<usize>() {
                Ok(index) if index < len => tree.children(at).nth(index).ok_or(ConfigStep::Index(index)),
                Ok(index) if index == len => Err(ConfigStep::Index(index)),
                _ => {
                    return Err(format!(
                        "is a list of {len}: expected an index from 0 to {len}, found {step:?}"
                    ));
                }
            }
        }
        _ => return Err(format!("is not a table, so it has no key {:?}", step.to_ascii_lowercase())),
    };
    Ok(match next {
        Ok(id) => id,
        Err(step) => tree.add(Some(at), Some(step), place, nothing()),
    })
}
