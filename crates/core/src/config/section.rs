//! The part of a configuration that one crate reads, with its reference page.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::loader::{ConfigError, Loader};
use super::outline::Outline;
use super::validate::Validate;

/// What a reference page says of a key. Its default is not said but taken from the section's `Default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyDoc {
    path: &'static str,
    help: &'static str,
    unit: &'static str,
    range: &'static str,
    required: bool,
}

impl KeyDoc {
    /// A key by its path within the section (`group.wait`), and what it is for.
    pub const fn new(path: &'static str, help: &'static str) -> Self {
        Self { path, help, unit: "", range: "", required: false }
    }

    /// The unit of its value: `duration`, `bytes`, `ratio`, `samples`.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// What its value may be: `1 to 64`, `1s to 1h`, `info, warning, error, critical`.
    #[must_use]
    pub const fn range(mut self, range: &'static str) -> Self {
        self.range = range;
        self
    }

    /// It has no default: whoever writes the section must write it.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

/// The part of a configuration that one crate reads.
///
/// Tables with fixed keys inside of a section are part of it (`group.wait`). The items of a list or a map with keys of
/// the user's are a section of their own, called as `alerts.routes[]` or `channels.*`.
///
/// [`check_section`] in a test of the crate keeps the list of keys true; [`reference_table`] writes the page. For both,
/// fields must not be left out by `skip_serializing_if`.
///
/// ```
/// use bellwether_core::HumanDuration;
/// use bellwether_core::config::{ConfigPath, KeyDoc, Problems, Section, Validate, check_section, reference_table};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct StoreConfig { connections: u8, timeout: HumanDuration }
///
/// impl Default for StoreConfig {
///     fn default() -> Self {
///         Self { connections: 4, timeout: HumanDuration::new(std::time::Duration::from_secs(5)) }
///     }
/// }
///
/// impl Validate for StoreConfig {
///     fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
///         problems.within(&at.key("connections"), &self.connections, 1..=64);
///     }
/// }
///
/// impl Section for StoreConfig {
///     const NAME: &'static str = "store";
///     fn keys() -> Vec<KeyDoc> {
///         vec![
///             KeyDoc::new("connections", "connections that are kept open").range("1 to 64"),
///             KeyDoc::new("timeout", "longest wait for a connection").unit("duration"),
///         ]
///     }
/// }
///
/// check_section::<StoreConfig>()?;
/// assert_eq!(
///     reference_table::<StoreConfig>()?,
///     "| key | default | unit | range | what it is |\n\
///      | --- | --- | --- | --- | --- |\n\
///      | `store.connections` | `4` |  | 1 to 64 | connections that are kept open |\n\
///      | `store.timeout` | `\"5s\"` | duration |  | longest wait for a connection |\n"
/// );
/// # Ok::<(), bellwether_core::config::SectionError>(())
/// ```
pub trait Section: Serialize + DeserializeOwned + Validate + Default {
    /// The key of the section in the whole configuration: `alerts`, `alerts.routes[]`, `channels.*`; nothing for
    /// the root.
    const NAME: &'static str;

    /// All its keys, in the order of the page.
    fn keys() -> Vec<KeyDoc>;
}

/// How a section and its list of keys disagree: one sentence per key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("section {section}: {}", disagreements.join("; "))]
pub struct SectionError {
    /// The section.
    pub section: &'static str,
    /// What does not agree.
    pub disagreements: Vec<String>,
}

/// The keys and their defaults, as TOML writes them.
fn defaults<S: Section>() -> Result<BTreeMap<String, Option<String>>, SectionError> {
    let failed = |what: String| SectionError { section: S::NAME, disagreements: vec![what] };
    let outline = Outline::of(&S::default())
        .map_err(|error| failed(format!("its default cannot be written: {error}")))?;
    match outline {
        Outline::Struct(_) => Ok(outline.keys().into_iter().collect()),
        _ => Err(failed("it is not a table with fixed keys".to_owned())),
    }
}

/// Checks a section against its list of keys, for a test of the crate that has it.
///
/// - Each key that exists is listed, once and with what it is for, and each that is listed exists.
/// - A configuration without the section is its `Default`, but for the keys that are listed as required; these really are.
/// - The `Default` written out in full is read back as the same, and has no problems.
pub fn check_section<S: Section>() -> Result<(), SectionError> {
    let defaults = defaults::<S>()?;
    let mut disagreements = Vec::new();
    let keys = S::keys();
    for (i, key) in keys.iter().enumerate() {
        if !defaults.contains_key(key.path) {
            disagreements.push(format!("{} is listed but does not exist", key.path));
        }
        if key.help.is_empty() {
            disagreements.push(format!("{} is listed without saying what it is", key.path));
        }
        if keys.iter().take(i).any(|other| other.path == key.path) {
            disagreements.push(format!("{} is listed twice", key.path));
        }
    }
    for path in defaults.keys().filter(|path| !keys.iter().any(|key| key.path == **path)) {
        disagreements.push(format!("{path} exists but is not listed"));
    }
    let is_required = |path: &str| keys.iter().any(|key| key.path == path && key.required);
    let written = |wanted: &dyn Fn(&str) -> bool| -> String {
        let chosen = defaults.iter().filter(|(path, _)| wanted(path));
        chosen.filter_map(|(path, text)| Some(format!("{path} = {}\n", text.as_ref()?))).collect()
    };
    for (what, text) in
        [("its default", written(&|_| true)), ("the required keys alone", written(&is_required))]
    {
        match Loader::text(S::NAME, text).load::<S>().map_err(|error| error.to_string()) {
            Err(error) => disagreements.push(format!("{what} cannot be read back: {error}")),
            Ok(read) => {
                let read: BTreeMap<_, _> = Outline::of(&read)
                    .map(|outline| outline.keys())
                    .unwrap_or_default()
                    .into_iter()
                    .collect();
                for (path, text) in defaults.iter().filter(|(path, text)| read.get(*path) != Some(text)) {
                    let text = text.as_deref().unwrap_or("not set");
                    let read = read.get(path).and_then(Option::as_deref).unwrap_or("not set");
                    disagreements
                        .push(format!("{path} is {text} by default, but {read} when {what} is read"));
                }
            }
        }
    }
    for key in keys.iter().filter(|key| key.required) {
        let text = written(&|path| path != key.path);
        if !matches!(Loader::text(S::NAME, text).load::<S>(), Err(ConfigError::Problems(_))) {
            disagreements.push(format!("{} is listed as required, but is not", key.path));
        }
    }
    if disagreements.is_empty() { Ok(()) } else { Err(SectionError { section: S::NAME, disagreements }) }
}

/// The section's part of the reference page: a Markdown table with a row for each key, in the order of [`Section::keys`].
pub fn reference_table<S: Section>() -> Result<String, SectionError> {
    let defaults = defaults::<S>()?;
    let dot = if S::NAME.is_empty() { "" } else { "." };
    let row = |KeyDoc { path, help, unit, range, required }: KeyDoc| {
        let default = match defaults.get(path) {
            _ if required => "required".to_owned(),
            Some(Some(text)) => format!("`{}`", cell(text)),
            _ => "not set".to_owned(),
        };
        let [unit, range, help] = [unit, range, help].map(cell);
        format!("| `{}{dot}{path}` | {default} | {unit} | {range} | {help} |\n", S::NAME)
    };
    let head = "| key | default | unit | range | what it is |\n| --- | --- | --- | --- | --- |\n".to_owned();
    Ok(std::iter::once(head).chain(S::keys().into_iter().map(row)).collect())
}

/// A text as a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
