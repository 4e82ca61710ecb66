//! The files of the tree: nothing in them that belongs to one machine only, no gaps, no stray bytes.

use std::path::Path;

use serde::Deserialize;

use crate::step::Outcome;
use crate::workspace::Workspace;

/// The section `[text]` of `xtask/rules.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    /// First folders of absolute paths that exist on one machine only.
    machine_folders: Vec<String>,
    /// Words that mark a gap: macros in Rust code, words in every text.
    gaps: Vec<String>,
    /// Words of the workshop, which say nothing about the product. Read without regard to case; `0` is any number.
    workshop: Vec<String>,
    largest_kilobytes: u64,
    /// Files that may be larger.
    large: Vec<String>,
    /// Recorded files, kept as they came: their text is not looked at. A name that ends with `/` is a folder.
    recorded: Vec<String>,
}

/// The step `text`.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome, String> {
    let rules = crate::rules::Rules::read(workspace)?.text;
    let files = workspace.files(&[])?;
    let words = Words::of(&rules);
    let mut problems = Vec::new();
    for path in &files {
        let bytes = std::fs::read(workspace.root.join(path)).map_err(|error| format!("{path}: {error}"))?;
        problems.extend(rules.check(path, &bytes, &words));
    }
    problems.extend(
        rules
            .large
            .iter()
            .chain(&rules.recorded)
            .filter(|path| !workspace.root.join(path.as_str()).exists())
            .map(|path| format!("xtask/rules.toml lists `{path}`, which is not there")),
    );
    Ok(Outcome::check(problems).with_note(format!("{} files", files.len())))
}

/// The lists of words without the brackets around one letter, which keep a list from finding itself.
struct Words {
    gaps: Vec<String>,
    workshop: Vec<String>,
}

impl Words {
    fn of(rules: &Rules) -> Self {
        let plain = |words: &[String]| words.iter().map(|word| word.replace(['[', ']'], "")).collect();
        Self { gaps: plain(&rules.gaps), workshop: plain(&rules.workshop) }
    }
}

impl Rules {
    fn check(&self, path: &str, bytes: &[u8], words: &Words) -> Vec<String> {
        let mut problems = Vec::new();
        let kilobytes = bytes.len() as u64 / 1000;
        if kilobytes > self.largest_kilobytes && !self.large.iter().any(|large| large == path) {
            problems.push(format!("{path}: {kilobytes} kB, at most {} are allowed", self.largest_kilobytes));
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => text,
            _ => {
                if is_text(path) && !self.is_recorded(path) {
                    problems.push(format!("{path}: is not UTF-8 text, as its name says"));
                }
                return problems;
            }
        };
        if self.is_recorded(path) {
            return problems;
        }
        let is_rust = Path::new(path).extension().is_some_and(|extension| extension == "rs");
        for (number, line) in text.split('\n').enumerate() {
            let mut found = |what: String| problems.push(format!("{path}:{}: {what}", number + 1));
            if line.ends_with('\r') {
                found("ends with CRLF".to_owned());
            }
            if let Some(folder) = self.machine_folders.iter().find(|folder| has_path(line, folder)) {
                found(format!("a path of one machine, below {folder}"));
            }
            let is_gap = |gap: &&String| (is_rust || !gap.ends_with('!')) && has_word(line, gap);
            if let Some(gap) = words.gaps.iter().find(is_gap) {
                found(format!("unfinished: {gap}"));
            }
            let said = spoken(line);
            if let Some(word) = words.workshop.iter().find(|word| has_word(&said, word)) {
                found(format!("speaks of how it was made: {word}"));
            }
        }
        problems
    }

    fn is_recorded(&self, path: &str) -> bool {
        self.recorded
            .iter()
            .any(|name| path == name || name.ends_with('/') && path.starts_with(name.as_str()))
    }
}

/// Whether a file of this name is read as text by everyone.
fn is_text(path: &str) -> bool {
    let known = [
        "rs", "toml", "md", "csv", "tsv", "json", "txt", "stdout", "sql", "css", "svg", "html", "sh", "lock",
    ];
    Path::new(path)
        .extension()
        .and_then(|extension| extension.to_str())
        .is_none_or(|extension| known.contains(&extension))
}

/// The line in small letters, with `0` for each number and without the sign before it.
fn spoken(line: &str) -> String {
    let mut said = line.to_lowercase();
    said.retain(|letter| letter != '#');
    let digits = |letter: char| letter.is_ascii_digit();
    if !said.contains(digits) {
        return said;
    }
    let mut parts = said.split(digits);
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        if !short.ends_with('0') {
            short.push('0');
        }
        short.push_str(part);
    }
    short
}

/// Whether the line holds an absolute path below the folder. Parts of longer paths and of addresses do not count.
fn has_path(line: &str, folder: &str) -> bool {
    let inside =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/' | '}' | ')' | '*');
    let begins = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.');
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].strip_suffix('/');
        let after = line[at + folder.len()..].strip_prefix('/');
        before.is_some_and(|before| !before.ends_with(inside))
            && after.is_some_and(|after| after.starts_with(begins))
    })
}

/// Whether the word stands alone. A word that ends with a sign, such as a macro's, is not bounded there.
fn has_word(line: &str, word: &str) -> bool {
    let inside = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(at, _)| {
        let begins = !line[..at].ends_with(inside);
        let ends = !word.ends_with(inside) || !line[at + word.len()..].starts_with(inside);
        begins && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        toml::from_str(
            "machine_folders = ['attic']\ngaps = ['[L]ATER', 'later!']\nlargest_kilobytes = 1\n\
             workshop = ['[w]orkbench', '[l]edge 0']\nlarge = ['data/long.csv']\nrecorded = ['data/old/']",
        )
        .unwrap()
    }

    fn check(path: &str, bytes: &[u8]) -> Vec<String> {
        let rules = rules();
        rules.check(path, bytes, &Words::of(&rules))
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        for line in ["see /attic/main for it", "\"/attic/x\"", "path=/attic/_y"] {
            assert_eq!(check("a.md", line.as_bytes()).len(), 1, "{line}");
        }
    }

    #[test]
    fn parts_of_other_paths_and_addresses_are_not() {
        for line in [
            "crates/attic/x",
            "https://host/attic/x",
            "$HOME/attic/x",
            "/attic",
            "\"/attic/{id}\"",
            "${A}/attic/x",
        ] {
            assert_eq!(check("a.md", line.as_bytes()), Vec::<String>::new(), "{line}");
        }
    }

    #[test]
    fn gaps_are_words_of_every_text_and_macros_of_rust() {
        assert_eq!(check("a.rs", b"fn f() { later!() } // LATER: more").len(), 1);
        assert_eq!(check("a.rs", b"// LATERAL and TRANSLATER").len(), 0);
        assert_eq!(check("a.md", b"LATER: more").len(), 1);
        assert_eq!(check("a.md", b"no later!() in code, and the list itself: [L]ATER").len(), 0);
    }

    #[test]
    fn carriage_returns_are_told_with_their_line() {
        assert_eq!(check("a.csv", b"a\nb\r\n"), ["a.csv:2: ends with CRLF"]);
        assert_eq!(check("data/old/a.csv", b"a\r\n"), Vec::<String>::new());
    }

    #[test]
    fn large_files_must_be_listed() {
        let bytes = vec![b'x'; 2_000];
        assert_eq!(check("a.csv", &bytes), ["a.csv: 2 kB, at most 1 are allowed"]);
        assert_eq!(check("data/long.csv", &bytes), Vec::<String>::new());
    }

    #[test]
    fn words_of_the_workshop_are_found_in_any_case_and_with_any_number() {
        for line in ["made at the Workbench.", "see ledge 12", "Ledge #7: more", "(LEDGE 3)"] {
            let found = check("a.md", line.as_bytes());
            assert!(found.len() == 1 && found[0].contains("how it was made"), "{line}: {found:?}");
        }
        for line in ["workbenches", "a ledge is used up", "ledges 4", "'[w]orkbench'", "ledge a7"] {
            assert_eq!(check("a.md", line.as_bytes()), Vec::<String>::new(), "{line}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_only_measured() {
        assert_eq!(check("a.png", b"\x89PNG\r\n\x00"), Vec::<String>::new());
    }

    #[test]
    fn a_file_with_the_name_of_a_text_is_one() {
        for bytes in [&b"a\x00/attic/x"[..], b"\xff/attic/x"] {
            assert_eq!(check("a.md", bytes), ["a.md: is not UTF-8 text, as its name says"]);
            assert_eq!(check("data/old/a.csv", bytes), Vec::<String>::new());
        }
    }
}
