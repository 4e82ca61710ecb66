//! The team's own commands. `cargo xtask help` lists them; `cargo xtask test` is the one that CI calls.
#![forbid(unsafe_code)]
// A command-line tool: it prints, and it measures real seconds.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

mod absent;
mod allowances;
mod attribute;
mod bench;
mod budget;
mod cargo_output;
mod command;
mod deny;
mod duplicates;
mod edges;
mod examples;
mod excerpt;
mod features;
mod libtest;
mod licences;
mod lints;
mod markdown;
mod module_tree;
mod options;
mod requirements;
mod rules;
mod rust_items;
mod step;
mod system;
mod test_results;
mod test_run;
mod text;
mod torture;
mod unused;
mod usage;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask COMMAND [OPTIONS]

Commands, by tier:
  test     before every commit, and what CI calls: everything that must hold, with small fixed counts.
           Ends with one line `N passed, N failed`; the exit code is 1 when anything failed.
             --only STEP[,STEP]   these steps alone        --skip STEP[,STEP]   all but these
             --list               name the steps           --quiet              problems and the last line only
             --install            install missing system packages with sudo (done without asking as root)
             --backtrace          tests that fail tell where (RUST_BACKTRACE of the environment is not looked at)
  torture  after work on concurrency, storage or a state machine: the same tests in an optimised build with large
           counts, and loom models where there are any
             --cases N            cases per property (default 10000)
             --seed N             repeat a run             -- FILTER...         passed to the tests
  bench    before and after work on speed: the benchmarks
             --bench NAME         one file                 everything else goes to criterion
             metrics              the goals of the metrics beside their peers, as a table
               --quick            fewer rounds             --runs N             medians of N runs
               --only GOAL[,GOAL] these goals alone
  docs     builds the documentation and checks the pages that tests keep true
  help     this text
";

/// The usage, and the steps of `test` in the order in which they run.
fn help() -> String {
    let steps = step::STEPS.iter().map(|step| format!("  {:<13} {}\n", step.name, step.about));
    format!("{USAGE}\nSteps of `test`, in this order:\n{}", steps.collect::<String>())
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let asks = |argument: &String| matches!(argument.as_str(), "--help" | "-h");
    if matches!(command.as_str(), "help" | "--help" | "-h") || rest.first().is_some_and(asks) {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let result = match command.as_str() {
        "test" => options::parse(&rest).map(|options| step::run(&options)),
        "docs" => options::documentation(&rest).map(|options| step::run(&options)),
        "torture" => torture::run(&rest),
        "bench" => bench::run(&rest),
        "" => Err("a command is missing".to_owned()),
        other => Err(format!("there is no command `{other}`")),
    };
    result.unwrap_or_else(|problem| {
        eprintln!("xtask: {problem}; see `cargo xtask help`");
        ExitCode::from(2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_lists_the_tiers_and_every_step() {
        let text = help();
        for word in ["  test ", "  torture ", "  bench ", "  docs ", "--only", "--backtrace"] {
            assert!(text.contains(word), "{word}");
        }
        for step in step::STEPS {
            assert!(
                text.contains(&format!("\n  {} ", step.name)) && text.contains(step.about),
                "{}",
                step.name
            );
        }
        assert!(text.lines().all(|line| line.chars().count() <= 120));
    }

    #[test]
    fn every_step_has_a_budget_and_their_sum_keeps_the_promise() {
        let budget =
            budget::Budget::read(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))).unwrap();
        let of = |step: &step::Step| budget.of(step.name).unwrap_or_else(|| panic!("{} has none", step.name));
        let sum: f64 = step::STEPS.iter().map(of).sum();
        assert!(sum <= budget.total(), "the steps' budgets are {sum} s, more than {} s", budget.total());
        assert_eq!(budget.total(), 15.0 * 60.0, "CONTRIBUTING.md promises 15 minutes");
    }
}
