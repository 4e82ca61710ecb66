//! Runs the example `trading_desk`, which cargo builds together with these tests.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a run of the desk left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The example's binary lies beside the folder of this test's own.
fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let profile = test.parent().and_then(Path::parent).expect("target/PROFILE/deps/TEST");
    let name = format!("trading_desk{}", std::env::consts::EXE_SUFFIX);
    let binary = profile.join("examples").join(name);
    assert!(binary.is_file(), "{} is missing: cargo test builds examples", binary.display());
    binary
}

/// Runs the desk with its output in `out`.
pub(crate) fn run(out: &Path, arguments: &[&str]) -> Run {
    let Output { status, stdout, stderr } = Command::new(binary())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .arg("--out")
        .arg(out)
        .output()
        .expect("the desk can be started");
    Run {
        code: status.code().expect("the desk was not killed"),
        stdout: String::from_utf8(stdout).expect("UTF-8"),
        stderr: String::from_utf8(stderr).expect("UTF-8"),
    }
}
