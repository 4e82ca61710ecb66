//! What the command line of `test` and `docs` asks for.

use crate::step::STEPS;

/// The choices of one run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Steps named by `--only`; empty means all.
    pub(crate) only: Vec<String>,
    /// Steps named by `--skip`.
    pub(crate) skip: Vec<String>,
    pub(crate) list: bool,
    pub(crate) manners: Manners,
}

/// How the steps behave, whichever are run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Manners {
    /// Problems and the last line only.
    pub(crate) quiet: bool,
    /// System packages may be installed.
    pub(crate) install: bool,
    /// A test that panics tells where it came from.
    pub(crate) backtrace: bool,
}

impl Options {
    /// Whether the step of this name is to be run.
    pub(crate) fn wants(&self, step: &str) -> bool {
        (self.only.is_empty() || self.only.iter().any(|name| name == step))
            && !self.skip.iter().any(|name| name == step)
    }
}

/// The steps that look after pages for readers.
pub(crate) fn documentation(arguments: &[String]) -> Result<Options, String> {
    let options = parse(arguments)?;
    if !options.only.is_empty() || !options.skip.is_empty() {
        return Err("docs takes no --only and no --skip".to_owned());
    }
    let only = ["rustdoc", "edges", "requirements"].map(str::to_owned).to_vec();
    Ok(Options { only, ..options })
}

/// Reads the arguments after `test`.
pub(crate) fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let (name, joined) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        match (name, joined) {
            ("--list", None) => options.list = true,
            ("--quiet" | "-q", None) => options.manners.quiet = true,
            ("--install", None) => options.manners.install = true,
            ("--backtrace", None) => options.manners.backtrace = true,
            ("--only" | "--skip", value) => {
                let value = value
                    .or_else(|| arguments.next().cloned())
                    .ok_or_else(|| format!("{name} needs the name of a step"))?;
                let names = steps(&value)?;
                if name == "--only" { options.only.extend(names) } else { options.skip.extend(names) }
            }
            _ => return Err(format!("test does not know `{argument}`")),
        }
    }
    if STEPS.iter().any(|step| options.wants(step.name)) {
        Ok(options)
    } else {
        Err("no step is left to run".to_owned())
    }
}

fn steps(list: &str) -> Result<Vec<String>, String> {
    list.split(',')
        .map(|name| {
            if STEPS.iter().any(|step| step.name == name) {
                return Ok(name.to_owned());
            }
            let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
            Err(format!("there is no step `{name}`; the steps are {}", known.join(", ")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn only_takes_a_list_and_may_be_repeated() {
        let options = read("--only fmt,clippy --only=text --quiet --backtrace").unwrap();
        assert!(options.manners.backtrace && !read("").unwrap().manners.backtrace);
        assert_eq!(options.only, ["fmt", "clippy", "text"]);
        assert!(options.manners.quiet && options.wants("text") && !options.wants("tests"));
    }

    #[test]
    fn skip_wins_over_only() {
        let options = read("--only fmt,clippy --skip clippy").unwrap();
        assert!(options.wants("fmt") && !options.wants("clippy"));
    }

    #[test]
    fn a_choice_that_leaves_nothing_is_refused() {
        assert_eq!(read("--only fmt --skip fmt"), Err("no step is left to run".to_owned()));
    }

    #[test]
    fn an_unknown_step_is_refused_with_the_list_of_steps() {
        let problem = read("--only fmt,tset").unwrap_err();
        assert!(problem.contains("`tset`") && problem.contains("tests"), "{problem}");
    }

    #[test]
    fn a_missing_value_and_an_unknown_option_are_refused() {
        assert!(read("--skip").is_err() && read("--fast").is_err() && read("--quiet=yes").is_err());
    }
}
