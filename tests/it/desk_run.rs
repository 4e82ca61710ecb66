//! Runs the example `trading_desk`, which cargo builds together with these tests.

use std::collections::BTreeMap;
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
pub(crate) fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let profile = test.parent().and_then(Path::parent).expect("target/PROFILE/deps/TEST");
    let name = format!("trading_desk{}", std::env::consts::EXE_SUFFIX);
    let binary = profile.join("examples").join(name);
    assert!(binary.is_file(), "{} is missing: cargo test builds examples", binary.display());
    binary
}

/// The desk with its output in `out`, ready to be started.
pub(crate) fn desk(out: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).arg("--out").arg(out);
    command
}

/// Runs the desk with its output in `out`.
pub(crate) fn run(out: &Path, arguments: &[&str]) -> Run {
    finish(desk(out, arguments).output().expect("the desk can be started"))
}

/// Reads what a run of the desk said.
pub(crate) fn finish(Output { status, stdout, stderr }: Output) -> Run {
    Run {
        code: status.code().expect("the desk was not killed"),
        stdout: String::from_utf8(stdout).expect("UTF-8"),
        stderr: String::from_utf8(stderr).expect("UTF-8"),
    }
}

/// Every file under a folder with its bytes, by its path; a folder has none.
pub(crate) fn tree(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut tree = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tree.extend(self::tree(&path));
            tree.insert(path, None);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            tree.insert(path, Some(bytes));
        }
    }
    tree
}
