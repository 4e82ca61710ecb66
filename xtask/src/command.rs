//! Running other programs and keeping what they print.

use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// What a finished program left behind.
#[derive(Debug)]
pub(crate) struct Run {
    /// Both output streams, in the order in which the program wrote them.
    pub(crate) lines: Vec<String>,
    pub(crate) success: bool,
}

/// A cargo that starts in `root`, unaware that it is started by another cargo.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).env("CARGO_TERM_COLOR", "never").env("CARGO_TERM_PROGRESS_WHEN", "never");
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&*name);
        }
    }
    command
}

/// Runs the command to its end, with both streams in one, handing over each line as it comes.
pub(crate) fn capture(command: &mut Command, mut each: impl FnMut(&str)) -> Result<Run, String> {
    let said = describe(command);
    let explain = |error: std::io::Error| format!("cannot run `{said}`: {error}");
    let (reader, writer) = std::io::pipe().map_err(explain)?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone().map_err(explain)?)
        .stderr(writer.try_clone().map_err(explain)?);
    let mut child = command.spawn().map_err(explain)?;
    // The pipe ends when the last writer is gone, so neither this process nor the command may keep one.
    drop(writer);
    command.stdout(Stdio::null()).stderr(Stdio::null());

    let mut lines = Vec::new();
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).map_err(explain)? > 0 {
        let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
        each(&line);
        lines.push(line);
        bytes.clear();
    }
    let success = child.wait().map_err(explain)?.success();
    Ok(Run { lines, success })
}

/// The standard output of a command that must succeed.
pub(crate) fn stdout(command: &mut Command) -> Result<String, String> {
    let said = describe(command);
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("cannot run `{said}`: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("`{said}` failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

/// The command as a person would type it.
pub(crate) fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Prints a line; a reader that went away (`| head`) stops no check.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Shows on a terminal, in one line that overwrites itself, that a long program still works.
#[derive(Debug)]
pub(crate) struct Ticker {
    shown: bool,
}

impl Ticker {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { shown: !quiet && std::io::stderr().is_terminal() }
    }

    pub(crate) fn show(&self, line: &str) {
        if self.shown {
            let line: String = line.trim().chars().take(76).collect();
            eprint!("\r\x1b[K   {line}");
            let _ = std::io::stderr().flush();
        }
    }

    pub(crate) fn clear(&self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_streams_are_kept_in_order() {
        let mut seen = 0;
        let script = "echo one; echo two >&2; echo three; exit 3";
        let run = capture(Command::new("sh").args(["-c", script]), |_| seen += 1).unwrap();
        assert_eq!(run.lines, ["one", "two", "three"]);
        assert!(!run.success);
        assert_eq!(seen, 3);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let problem = capture(&mut Command::new("no-such-program-here"), |_| ()).unwrap_err();
        assert!(problem.contains("no-such-program-here"), "{problem}");
    }

    #[test]
    fn a_failing_command_tells_its_own_words() {
        let problem = stdout(Command::new("sh").args(["-c", "echo because >&2; false"])).unwrap_err();
        assert!(problem.ends_with("failed: because"), "{problem}");
    }
}
