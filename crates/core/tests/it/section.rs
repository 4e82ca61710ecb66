//! A section of the configuration and the list of its keys.

use std::collections::BTreeMap;
use std::time::Duration;

use bellwether_core::config::{
    ConfigPath, KeyDoc, Problems, Section, Validate, check_section, reference_table,
};
use bellwether_core::{HumanDuration, Ratio, Severity};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Alerts {
    repeat: HumanDuration,
    share: Option<Ratio>,
    group: Group,
    labels: BTreeMap<String, String>,
    routes: Vec<Route>,
    least: Severity,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Group {
    wait: HumanDuration,
    by: Vec<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    receiver: String,
    #[serde(default)]
    routes: Vec<Route>,
}

const REPEAT: HumanDuration = HumanDuration::new(Duration::from_hours(4));

impl Default for Alerts {
    fn default() -> Self {
        Self {
            repeat: REPEAT,
            share: None,
            group: Group::default(),
            labels: BTreeMap::new(),
            routes: Vec::new(),
            least: Severity::Warning,
        }
    }
}

impl Default for Group {
    fn default() -> Self {
        Self {
            wait: HumanDuration::new(Duration::from_secs(30)),
            by: vec!["strategy".into(), "venue".into()],
        }
    }
}

impl Validate for Alerts {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        let most = HumanDuration::new(Duration::from_hours(24));
        problems.within(&at.key("repeat"), &self.repeat, ..=most);
    }
}

impl Validate for Route {
    fn validate(&self, _: &ConfigPath, _: &mut Problems) {}
}

impl Section for Alerts {
    const NAME: &'static str = "alerts";
    fn keys() -> Vec<KeyDoc> {
        vec![
            KeyDoc::new("repeat", "time until an alert that still fires is told again")
                .unit("duration")
                .range("up to 1d"),
            KeyDoc::new("share", "least share of a position | of all").unit("ratio"),
            KeyDoc::new("group.wait", "time in which alerts are gathered").unit("duration"),
            KeyDoc::new("group.by", "labels that alerts of a group have in common"),
            KeyDoc::new("labels", "labels that every alert gets"),
            KeyDoc::new("routes", "where alerts go; see `alerts.routes[]`"),
            KeyDoc::new("least", "mildest severity that is told").range("info, warning, error, critical"),
        ]
    }
}

impl Section for Route {
    const NAME: &'static str = "alerts.routes[]";
    fn keys() -> Vec<KeyDoc> {
        vec![
            KeyDoc::new("receiver", "name of a channel").required(),
            KeyDoc::new("routes", "routes within this one"),
        ]
    }
}

#[test]
fn the_reference_page_shows_the_defaults_of_the_code() {
    assert_eq!(check_section::<Alerts>(), Ok(()));
    assert_eq!(
        reference_table::<Alerts>().unwrap(),
        r#"| key | default | unit | range | what it is |
| --- | --- | --- | --- | --- |
| `alerts.repeat` | `"4h"` | duration | up to 1d | time until an alert that still fires is told again |
| `alerts.share` | not set | ratio |  | least share of a position \| of all |
| `alerts.group.wait` | `"30s"` | duration |  | time in which alerts are gathered |
| `alerts.group.by` | `["strategy", "venue"]` |  |  | labels that alerts of a group have in common |
| `alerts.labels` | `{}` |  |  | labels that every alert gets |
| `alerts.routes` | `[]` |  |  | where alerts go; see `alerts.routes[]` |
| `alerts.least` | `"warning"` |  | info, warning, error, critical | mildest severity that is told |
"#
    );
    assert_eq!(check_section::<Route>(), Ok(()));
    assert!(reference_table::<Route>().unwrap().contains("| `alerts.routes[].receiver` | required |"));
}

/// A section with one key, whose list of keys and whose default are given.
macro_rules! section {
    ($name:ident, $key:ident: $kind:ty = $default:expr, serde $attribute:meta, valid $valid:expr, keys $keys:expr) => {
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $name {
            #[$attribute]
            $key: $kind,
        }
        impl Default for $name {
            fn default() -> Self {
                Self { $key: $default }
            }
        }
        impl Validate for $name {
            fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
                problems.require(&at.key(stringify!($key)), $valid(&self.$key), "is wrong");
            }
        }
        impl Section for $name {
            const NAME: &'static str = "x";
            fn keys() -> Vec<KeyDoc> {
                $keys
            }
        }
    };
}

fn disagreements<S: Section>() -> Vec<String> {
    check_section::<S>().unwrap_err().disagreements
}

#[test]
fn a_list_of_keys_that_is_not_true_is_told() {
    section!(Unlisted, a: u8 = 1, serde serde(default = "one"), valid |_| true, keys vec![]);
    assert_eq!(disagreements::<Unlisted>(), ["a exists but is not listed"]);

    section!(Gone, a: u8 = 1, serde serde(default = "one"), valid |_| true,
        keys vec![KeyDoc::new("a", "a key"), KeyDoc::new("b", ""), KeyDoc::new("a", "a key")]);
    assert_eq!(
        disagreements::<Gone>(),
        ["b is listed but does not exist", "b is listed without saying what it is", "a is listed twice"]
    );

    section!(Drifted, a: u8 = 2, serde serde(default = "one"), valid |_| true, keys vec![KeyDoc::new("a", "a key")]);
    assert_eq!(disagreements::<Drifted>(), ["a is 2 by default, but 1 when the required keys alone is read"]);

    section!(Required, a: u8 = 1, serde serde(rename = "a"), valid |_| true, keys vec![KeyDoc::new("a", "a key")]);
    assert_eq!(
        disagreements::<Required>(),
        ["the required keys alone cannot be read back: a: missing, but required"]
    );

    section!(Optional, a: u8 = 1, serde serde(default = "one"), valid |_| true,
        keys vec![KeyDoc::new("a", "a key").required()]);
    assert_eq!(disagreements::<Optional>(), ["a is listed as required, but is not"]);

    section!(Invalid, a: u8 = 1, serde serde(default = "one"), valid |a: &u8| *a > 1, keys vec![KeyDoc::new("a", "a key")]);
    assert_eq!(
        disagreements::<Invalid>(),
        [
            "its default cannot be read back: x:1:1: a: is wrong",
            "the required keys alone cannot be read back: a: is wrong"
        ]
    );

    section!(Unwritable, a: f64 = f64::NAN, serde serde(default), valid |_| true, keys vec![KeyDoc::new("a", "a key")]);
    assert_eq!(disagreements::<Unwritable>(), ["its default cannot be written: NaN is not finite"]);
}

fn one() -> u8 {
    1
}
