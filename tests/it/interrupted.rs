//! What a run leaves behind that cannot be finished: the results of the run before, whole.
#![cfg(unix)]

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::desk_run::{binary, desk, finish, run, tree};

const FEW_DAYS: [&str; 2] = ["--to", "1999-06-30"];

/// A folder with the results of a run.
fn results() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let first = run(folder.path(), &FEW_DAYS);
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert_eq!(tree(folder.path()).len(), 3);
    folder
}

/// Whether a run builds its database in a folder inside of this one.
fn is_building(out: &Path) -> bool {
    let folders = fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path());
    folders.into_iter().any(|path| path.join("desk.sqlite").exists())
}

/// Starts a run that takes a while, and waits until it builds its results.
fn begun(out: &Path) -> std::process::Child {
    let mut child =
        desk(out, &["--to", "2001-12-31"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !is_building(out) {
        assert_eq!(child.try_wait().unwrap(), None, "it ended before it built anything");
        std::thread::yield_now();
    }
    child
}

#[test]
fn a_run_that_is_killed_changes_nothing_and_the_next_one_tidies_up() {
    let folder = results();
    let before = tree(folder.path());
    let mut killed = begun(folder.path());
    killed.kill().unwrap();
    killed.wait().unwrap();
    let mut after = tree(folder.path());
    after.retain(|path, _| before.contains_key(path));
    assert!(after == before, "the old results are whole");
    assert!(tree(folder.path()).len() > before.len(), "it was killed while it built");
    assert_eq!(run(folder.path(), &FEW_DAYS).code, 0);
    assert!(tree(folder.path()).keys().eq(before.keys()), "{:?}", tree(folder.path()).keys());
}

#[test]
fn a_folder_that_comes_into_the_place_of_a_result_leaves_the_others_old() {
    let folder = results();
    let report = folder.path().join("report.html");
    let mut before = tree(folder.path());
    let running = begun(folder.path());
    fs::remove_file(&report).unwrap();
    fs::create_dir(&report).unwrap();
    before.insert(report.clone(), None);
    let run = finish(running.wait_with_output().unwrap());
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{}", run.stderr);
    let expected = format!(
        "trading_desk: {}: found is a directory, expected a folder in which files can be written\n",
        report.display()
    );
    let said = run.stderr.lines().last().unwrap_or_default();
    assert_eq!(format!("{said}\n"), expected);
    assert!(tree(folder.path()) == before, "none of the new files is in place");
}

/// No file may grow beyond a bound, which to a program looks as a disk that is full. The bound is the shell's, so that no disk
/// has to be filled and nobody has to be root.
#[test]
fn a_disk_that_is_full_is_told_in_one_sentence_and_changes_nothing() {
    let folder = results();
    let before = tree(folder.path());
    // In blocks of 512 bytes: too little for an empty database, then for one with a year in it.
    for blocks in ["100", "400"] {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"", "sh", blocks]);
        command.arg(binary()).args(["--to", "1999-12-31", "--out"]).arg(folder.path());
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        let run = finish(command.output().unwrap());
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{blocks}: {}", run.stderr);
        let told: Vec<_> = run.stderr.lines().filter(|line| line.starts_with("trading_desk: ")).collect();
        assert_eq!(told.len(), 1, "{blocks}: {}", run.stderr);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        assert!(
            tree(folder.path()) == before,
            "{blocks}: the old results are whole, and nothing is beside them"
        );
    }
}

#[test]
fn a_reader_that_has_gone_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let mut running =
        desk(folder.path(), &FEW_DAYS).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(running.stdout.take());
    let mut said = String::new();
    running.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(0), "{said}");
    assert!(!said.contains("panicked") && !said.contains("trading_desk:"), "{said}");
    assert_eq!(tree(folder.path()).len(), 3);

    let mut help = desk(folder.path(), &["--help"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(help.stdout.take());
    assert_eq!(help.wait().unwrap().code(), Some(0));
}

#[test]
fn nobody_to_hear_the_remarks_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = desk(folder.path(), &["--to", "2001-12-31"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(running.stderr.take()); // the pager and the times have no reader
    let mut text = String::new();
    running.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(0));
    assert!(text.starts_with("A trading desk watched by Bellwether"), "{text}");
    let refused = desk(folder.path(), &["--nonsense"]).stderr(Stdio::piped()).spawn().map(|mut child| {
        drop(child.stderr.take());
        child.wait().unwrap().code()
    });
    assert_eq!(refused.unwrap(), Some(2));
}

#[cfg(target_os = "linux")]
#[test]
fn a_standard_output_that_takes_nothing_is_told_and_the_results_are_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let run = finish(desk(folder.path(), &FEW_DAYS).stdout(full).output().unwrap());
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(
        run.stderr,
        "trading_desk: standard output: found No space left on device (os error 28), expected to be able to write\n"
    );
    assert_eq!(tree(folder.path()).len(), 3);
}
