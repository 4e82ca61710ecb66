//! The team's own commands. `cargo xtask help` lists them; `cargo xtask test` is the one that CI calls.
#![forbid(unsafe_code)]
// A command-line tool: it prints, and it measures real seconds.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

mod absent;
mod bench;
mod budget;
mod cargo_output;
mod command;
mod deny;
mod duplicates;
mod edges;
mod examples;
mod features;
mod licences;
mod lints;
mod markdown;
mod options;
mod requirements;
mod rules;
mod rust_items;
mod step;
mod system;
mod test_results;
mod text;
mod torture;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  test     everything that must hold: formatting, lints, documentation, tests, features, examples, house rules.
           Ends with one line `N passed, N failed`; the exit code is 1 when anything failed.
             --only STEP[,STEP]   these steps alone        --skip STEP[,STEP]   all but these
             --list               name the steps           --quiet              problems and the last line only
             --install            install missing system packages with sudo (done without asking as root)
  torture  the same tests in an optimised build with large counts, and loom models where there are any
             --cases N            cases per property (default 10000)
             --seed N             repeat a run             -- FILTER...         passed to the tests
  bench    the benchmarks; --bench NAME picks one file, everything else goes to criterion
  docs     builds the documentation and checks the pages that tests keep true
  help     this text
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let result = match command.as_str() {
        "test" => options::parse(&rest).map(|options| step::run(&options)),
        "docs" => options::documentation(&rest).map(|options| step::run(&options)),
        "torture" => torture::run(&rest),
        "bench" => bench::run(&rest),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        "" => Err("a command is missing".to_owned()),
        other => Err(format!("there is no command `{other}`")),
    };
    result.unwrap_or_else(|problem| {
        eprintln!("xtask: {problem}; see `cargo xtask help`");
        ExitCode::from(2)
    })
}
