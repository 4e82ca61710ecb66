//! What a JSON-lines file holds after sends, crashes, moves and rotations.
use std::fs;
use std::path::{Path, PathBuf};

use bellwether_alerts::{AlertChannel, SendError};
use bellwether_channels::{JsonLinesConfig, JsonLinesError, JsonLinesFile, SyncPolicy};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::notifications::{deliver, digest, drawdowns, many, message, name};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.jsonl");
    (folder, path)
}

fn open(path: &Path) -> JsonLinesFile {
    JsonLinesFile::open(name("audit"), path).unwrap()
}

/// The lines of a file; those that are no JSON are null.
fn lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_default())
        .collect()
}

fn sequences(path: &Path) -> Vec<u64> {
    lines(path).iter().map(|line| line["sequence"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_line_is_as_the_schema_says() {
    let (_folder, path) = folder();
    let audit = open(&path);
    deliver(&audit, &drawdowns()).await;
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.ends_with("}\n") && text.lines().count() == 1, "{text}");
    let expected = json!({
        "version": 1,
        "at": "2008-10-10T14:30:00Z",
        "channel": "audit",
        "kind": "alerts",
        "key": drawdowns().key().to_string(),
        "receiver": "desk",
        "group_key": "{}:{alertname=\"Drawdown\"}",
        "sequence": 7,
        "status": "firing",
        "severity": "critical",
        "title": "[FIRING 1, RESOLVED 1] critical Drawdown",
        "firing": 1,
        "resolved": 1,
        "not_listed": 0,
        "group_labels": {"alertname": "Drawdown"},
        "alerts": [
            {
                "status": "firing",
                "severity": "critical",
                "category": "general",
                "labels": {"alertname": "Drawdown", "desk": "index", "severity": "critical"},
                "annotations": {"summary": "12 % below the \"peak\""},
                "value": 0.12,
                "starts_at": "2008-10-10T14:29:00Z",
                "fingerprint": drawdowns().firing()[0].fingerprint().to_string(),
            },
            {
                "status": "resolved",
                "severity": "warning",
                "category": "general",
                "labels": {"alertname": "Drawdown", "desk": "crude", "severity": "warning"},
                "annotations": {},
                "starts_at": "2008-10-10T14:25:00Z",
                "resolved_at": "2008-10-10T14:30:00Z",
                "fingerprint": drawdowns().resolved()[0].fingerprint().to_string(),
            },
        ],
    });
    assert_eq!(lines(&path), [expected]);
}

#[tokio::test]
async fn a_digest_has_its_words_and_no_alerts() {
    let (_folder, path) = folder();
    deliver(&open(&path), &digest("The day", "All is well.\nNothing happened.")).await;
    let line = lines(&path).remove(0);
    assert_eq!((&line["kind"], &line["title"]), (&json!("digest"), &json!("The day")));
    assert_eq!((&line["text"], &line["alerts"]), (&json!("All is well.\nNothing happened.\n"), &json!([])));
}

#[tokio::test]
async fn a_file_that_is_there_is_continued() {
    let (_folder, path) = folder();
    for sequence in 1..=2 {
        let audit = open(&path);
        deliver(&audit, &message(sequence, vec![])).await;
        audit.close().await.unwrap();
    }
    assert_eq!(sequences(&path), [1, 2]);
}

#[tokio::test]
async fn the_torn_line_of_a_crashed_process_is_closed_and_stays_the_only_one() {
    let (_folder, path) = folder();
    let audit = open(&path);
    deliver(&audit, &message(1, vec![])).await;
    drop(audit);
    let whole = fs::read(&path).unwrap();
    for torn in [1, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, [&whole[..], &whole[..torn]].concat()).unwrap();
        let audit = open(&path);
        deliver(&audit, &message(2, vec![])).await;
        deliver(&audit, &message(3, vec![])).await;
        let found = lines(&path);
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!(
            (&found[0]["sequence"], &found[2]["sequence"], &found[3]["sequence"]),
            (&json!(1), &json!(2), &json!(3))
        );
        let last = fs::read_to_string(&path).unwrap().lines().nth(1).map(str::len);
        assert_eq!(last, Some(torn), "the torn line is left as it was");
    }
}

#[tokio::test]
async fn a_file_that_is_moved_away_is_begun_anew() {
    let (folder, path) = folder();
    let audit = open(&path);
    deliver(&audit, &message(1, vec![])).await;
    let moved = folder.path().join("yesterday.jsonl");
    fs::rename(&path, &moved).unwrap();
    deliver(&audit, &message(2, vec![])).await;
    fs::remove_file(&path).unwrap();
    deliver(&audit, &message(3, vec![])).await;
    assert_eq!((sequences(&moved), sequences(&path)), (vec![1], vec![3]));
}

#[tokio::test]
async fn concurrent_sends_give_whole_lines() {
    let (_folder, path) = folder();
    let audit = open(&path);
    let messages: Vec<_> =
        (1..=40).map(|sequence| message(sequence, drawdowns().firing().to_vec())).collect();
    let sends = messages.iter().map(|message| audit.send(message));
    for sent in futures_util::future::join_all(sends).await {
        assert!(sent.is_ok(), "{sent:?}");
    }
    let mut found = sequences(&path);
    found.sort_unstable();
    assert_eq!(found, (1..=40).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_full_file_is_put_aside_and_the_oldest_is_discarded_and_counted() {
    const FULL: u64 = 64 << 10;
    let (folder, path) = folder();
    let config =
        JsonLinesConfig::new(&path).with_max_bytes(FULL).with_keep(2).with_sync(SyncPolicy::WhenClosed);
    let audit = JsonLinesFile::new(name("audit"), config).unwrap();
    // About 30 kB each: two fit into a file.
    let big = many(500, "x").firing().to_vec();
    let big: Vec<_> = big.into_iter().take(110).collect();
    for sequence in 1..=9 {
        deliver(&audit, &message(sequence, big.clone())).await;
    }
    let aside = |number: u32| folder.path().join(format!("alerts.jsonl.{number}"));
    let per_file = sequences(&aside(1)).len() as u64;
    assert!(per_file >= 2, "{per_file}");
    assert_eq!(sequences(&path).last(), Some(&9));
    let kept: Vec<_> = [sequences(&aside(2)), sequences(&aside(1)), sequences(&path)].concat();
    assert!(kept.is_sorted_by(|a, b| a + 1 == *b), "{kept:?}");
    assert!(!aside(3).exists());
    for file in [&path, &aside(1), &aside(2)] {
        assert!(fs::metadata(file).unwrap().len() <= FULL);
    }
    // Whatever is missing at the front was in the files that were discarded.
    assert_eq!(audit.discarded(), (kept[0] - 1) / per_file);
    assert!(audit.discarded() > 0);
    audit.close().await.unwrap();
}

#[tokio::test]
async fn only_what_was_overwritten_is_counted() {
    let (folder, path) = folder();
    let aside = |number: u32| folder.path().join(format!("alerts.jsonl.{number}"));
    let config = JsonLinesConfig::new(&path).with_max_bytes(64 << 10).with_keep(2);
    let audit = JsonLinesFile::new(name("audit"), config).unwrap();
    let big = many(200, "x").firing().to_vec();
    for (sequence, discarded) in [(1, 0), (2, 0), (3, 0), (4, 1)] {
        deliver(&audit, &message(sequence, big.clone())).await;
        assert_eq!(audit.discarded(), discarded, "{sequence}");
    }
    assert_eq!((sequences(&aside(2)), sequences(&aside(1)), sequences(&path)), (vec![2], vec![3], vec![4]));
    // Somebody took one away: the next moves up into the gap.
    fs::remove_file(aside(1)).unwrap();
    deliver(&audit, &message(5, big)).await;
    assert_eq!(audit.discarded(), 1);
    assert_eq!((sequences(&aside(2)), sequences(&aside(1)), sequences(&path)), (vec![2], vec![4], vec![5]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_that_write_to_one_file_take_turns_and_lose_nothing() {
    const EACH: u64 = 40;
    let (folder, path) = folder();
    let config = JsonLinesConfig::new(&path)
        .with_max_bytes(64 << 10)
        .with_keep(1_000)
        .with_sync(SyncPolicy::WhenClosed);
    let audits: Vec<_> = (0..3).map(|_| JsonLinesFile::new(name("audit"), config.clone()).unwrap()).collect();
    // Two fit into a file.
    let big: Vec<_> = many(500, "x").firing().iter().take(110).cloned().collect();
    let writing = audits.into_iter().zip(0..).map(|(audit, writer)| {
        let big = big.clone();
        async move {
            for sequence in writer * EACH..(writer + 1) * EACH {
                deliver(&audit, &message(sequence + 1, big.clone())).await;
            }
            audit.discarded()
        }
    });
    assert_eq!(futures_util::future::join_all(writing).await, [0, 0, 0]);
    let mut found = Vec::new();
    for file in fs::read_dir(folder.path()).unwrap() {
        let of_one = sequences(&file.unwrap().path());
        assert_eq!(of_one.len(), 2, "a file is put aside when it is full, and not before");
        found.extend(of_one);
    }
    found.sort_unstable();
    assert_eq!(found, (1..=3 * EACH).collect::<Vec<_>>());
}

#[tokio::test]
async fn without_kept_files_a_full_file_is_discarded() {
    let (folder, path) = folder();
    let config = JsonLinesConfig::new(&path).with_max_bytes(64 << 10).with_keep(0);
    let audit = JsonLinesFile::new(name("audit"), config).unwrap();
    for sequence in 1..=2 {
        deliver(&audit, &message(sequence, many(200, "x").firing().to_vec())).await;
    }
    assert_eq!((sequences(&path), audit.discarded()), (vec![2], 1));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_line_is_never_longer_than_a_file_may_be() {
    let (_folder, path) = folder();
    let audit =
        JsonLinesFile::new(name("audit"), JsonLinesConfig::new(&path).with_max_bytes(64 << 10)).unwrap();
    deliver(&audit, &many(5_000, &"警".repeat(1_365))).await;
    let line = lines(&path).remove(0);
    assert!(fs::metadata(&path).unwrap().len() <= 64 << 10);
    let listed = line["alerts"].as_array().unwrap();
    assert_eq!((&line["firing"], &line["not_listed"]), (&json!(5_000), &json!(5_000 - listed.len())));
    assert!(listed.len() > 100, "{}", listed.len());
    assert_eq!(listed[0]["severity"], "critical", "the worst comes first");
}

#[test]
fn what_cannot_be_a_file_is_told_when_the_channel_is_built() {
    let (folder, path) = folder();
    let open = |path: PathBuf| JsonLinesFile::open(name("audit"), path);
    let missing = open(folder.path().join("missing").join("alerts.jsonl")).unwrap_err();
    assert!(matches!(missing, JsonLinesError::Open { .. }), "{missing}");
    assert!(missing.to_string().contains("missing/alerts.jsonl cannot be opened: No such file"), "{missing}");
    let directory = open(folder.path().to_owned()).unwrap_err();
    assert!(directory.to_string().contains("Is a directory"), "{directory}");
    fs::write(&path, "").unwrap();
    let under_a_file = open(path.join("alerts.jsonl")).unwrap_err();
    assert!(matches!(SendError::from(under_a_file), SendError::Permanent { .. }));
    let none = open(PathBuf::new()).unwrap_err();
    assert_eq!(none.to_string(), "path: \"\" names no file: write e.g. \"alerts.jsonl\"");
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_is_no_file() {
    let error = JsonLinesFile::open(name("audit"), "/dev/full").unwrap_err();
    assert_eq!(error.to_string(), "/dev/full is not a regular file");
    assert!(matches!(SendError::from(error), SendError::Permanent { .. }));
}

#[tokio::test]
async fn a_folder_that_has_gone_is_tried_again_until_it_is_back() {
    let (folder, _) = folder();
    let mounted = folder.path().join("mounted");
    fs::create_dir(&mounted).unwrap();
    let audit = open(&mounted.join("alerts.jsonl"));
    fs::remove_dir_all(&mounted).unwrap();
    let error = audit.send(&drawdowns()).await.unwrap_err();
    assert!(matches!(error, SendError::Retry { .. }), "{error}");
    assert!(error.to_string().contains("mounted/alerts.jsonl: No such file"), "{error}");
    fs::create_dir(&mounted).unwrap();
    deliver(&audit, &drawdowns()).await;
    assert_eq!(sequences(&mounted.join("alerts.jsonl")), [7]);
}

#[tokio::test]
async fn a_disabled_channel_opens_nothing() {
    let (_folder, path) = folder();
    let mut config = JsonLinesConfig::new(path.join("no").join("such").join("folder"));
    config.enabled = false;
    let audit = JsonLinesFile::new(name("audit"), config).unwrap();
    assert!(!audit.enabled());
    audit.close().await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn closing_does_not_bring_back_a_file_that_was_moved_away() {
    let (_folder, path) = folder();
    let config = JsonLinesConfig::new(&path).with_sync(SyncPolicy::WhenClosed);
    let audit = JsonLinesFile::new(name("audit"), config).unwrap();
    deliver(&audit, &drawdowns()).await;
    fs::remove_file(&path).unwrap();
    audit.close().await.unwrap();
    assert!(!path.exists());
}
