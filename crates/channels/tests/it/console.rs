//! What a console writes, and what it says when it cannot.
use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bellwether_alerts::{Alert, AlertChannel, SendError};
use bellwether_channels::{Console, ConsoleConfig, ConsoleStream};

use crate::notifications::{at, deliver, digest, drawdowns, many, message, name};

/// Keeps each write by itself.
#[derive(Clone, Default)]
struct Writes(Arc<Mutex<Vec<String>>>);

impl Writes {
    fn console(&self) -> Console {
        Console::to(name("console"), self.clone())
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Write for Writes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_notification_is_one_write_with_time_title_and_alerts() {
    let writes = Writes::default();
    let console = writes.console();
    deliver(&console, &drawdowns()).await;
    deliver(&console, &digest("The day", "All is well.\n\nNothing happened.")).await;
    let written = writes.take();
    assert_eq!(written.len(), 2);
    assert_eq!(
        written[0],
        "2008-10-10T14:30:00Z [FIRING 1, RESOLVED 1] critical Drawdown\n\
         \x20 {}\n\
         \x20   summary: 12 % below the \"peak\"\n\
         \x20 {}\n"
            .replacen("{}", &drawdowns().firing()[0].to_string(), 1)
            .replacen("{}", &drawdowns().resolved()[0].to_string(), 1)
    );
    assert_eq!(written[1], "2008-10-10T14:30:00Z The day\n  All is well.\n  \n  Nothing happened.\n");
}

#[tokio::test]
async fn no_control_character_but_line_breaks_reaches_the_terminal() {
    let hostile = "\u{1b}[2J\u{1b}[31mred\u{7}\r\n\u{9b}31m\u{202e}desrever\u{0}";
    let alert =
        Alert::builder("Drawdown", at()).label("desk", hostile).annotation(hostile, hostile).build().unwrap();
    let writes = Writes::default();
    let console = writes.console();
    deliver(&console, &message(1, vec![alert])).await;
    deliver(&console, &digest(hostile, hostile)).await;
    let text = writes.take().concat();
    assert!(text.contains("[31mred"), "{text:?}");
    assert!(text.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')), "{text:?}");
    // Title, alert and annotation; title and two lines.
    assert_eq!(text.lines().count(), 6, "{text}");
}

#[tokio::test]
async fn what_is_too_long_is_told_as_a_number_of_lines() {
    let writes = Writes::default();
    deliver(&writes.console(), &many(5_000, &"é".repeat(2_048))).await;
    let text = writes.take().concat();
    assert!(text.len() <= Console::MAX_LEN, "{}", text.len());
    assert!(text.starts_with("2008-10-10T14:30:00Z [FIRING 5000] critical Drawdown"), "{}", &text[..80]);
    // 500 alerts of two lines are listed, a line tells the others, a line is the title.
    let (last, shown) = (text.lines().last().unwrap(), text.lines().count() - 2);
    assert_eq!(last, format!("  ({} more lines)", 1_001 - shown));
}

#[tokio::test]
async fn a_reader_that_has_gone_is_a_permanent_error() {
    let (reader, writer) = io::pipe().unwrap();
    let console = Console::to(name("console"), writer);
    deliver(&console, &drawdowns()).await;
    drop(reader);
    let error = console.send(&drawdowns()).await.unwrap_err();
    assert!(matches!(error, SendError::Permanent { .. }), "{error}");
    assert!(error.to_string().contains("writer: Broken pipe"), "{error}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_tried_again() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = Console::to(name("console"), full).send(&drawdowns()).await.unwrap_err();
    assert!(matches!(error, SendError::Retry { after: None, .. }), "{error}");
    assert!(error.to_string().contains("No space left"), "{error}");
}

/// Writes only after it was told to; fails rather than wait for ever.
struct Gate {
    open: mpsc::Receiver<()>,
    then: Writes,
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.open
            .recv_timeout(Duration::from_secs(5))
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
        self.then.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_stuck_terminal_does_not_block_the_runtime() {
    let (open, gate) = mpsc::channel();
    let console = Console::to(name("console"), Gate { open: gate, then: Writes::default() });
    // The runtime has one thread: were the write on it, the second future would never run.
    let notification = drawdowns();
    let (sent, told) = tokio::join!(console.send(&notification), async { open.send(()) });
    assert!(sent.is_ok() && told.is_ok(), "{sent:?}");
}

#[tokio::test]
async fn who_comes_after_a_stuck_write_waits_for_it_and_keeps_the_order() {
    let (open, gate) = mpsc::channel();
    let writes = Writes::default();
    let console = Console::to(name("console"), Gate { open: gate, then: writes.clone() });
    let (first, second) = (digest("first", ""), digest("second", ""));
    // Polled until it waits, then dropped, as at a deadline.
    assert!(tokio::time::timeout(Duration::ZERO, console.send(&first)).await.is_err());
    assert!(tokio::time::timeout(Duration::ZERO, console.send(&second)).await.is_err());
    open.send(()).unwrap();
    open.send(()).unwrap();
    deliver(&console, &second).await;
    assert_eq!(writes.take(), ["2008-10-10T14:30:00Z first\n", "2008-10-10T14:30:00Z second\n"]);
}

#[tokio::test]
async fn a_writer_that_panics_is_an_error_and_may_be_tried_again() {
    struct Once(bool);
    impl Write for Once {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            assert!(std::mem::replace(&mut self.0, true), "the writer gives up");
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let console = Console::to(name("console"), Once(false));
    let error = console.send(&drawdowns()).await.unwrap_err();
    assert!(matches!(error, SendError::Unknown { .. }), "{error}");
    deliver(&console, &drawdowns()).await;
}

/// Says in the environment of a process that it is the one that is stuck.
const STUCK: &str = "BELLWETHER_TEST_STUCK";

#[test]
fn a_process_whose_terminal_is_stuck_comes_to_its_end() {
    /// Writes to the standard output until nothing more goes in, and longer.
    struct Flood(tokio::sync::mpsc::UnboundedSender<()>);
    impl Write for Flood {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(()).unwrap();
            loop {
                io::stdout().write_all(bytes)?;
            }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    if std::env::var_os(STUCK).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (told, mut begun) = tokio::sync::mpsc::unbounded_channel();
            let console = Console::to(name("console"), Flood(told));
            let message = drawdowns();
            tokio::select! {
                sent = console.send(&message) => panic!("nobody reads: {sent:?}"),
                _ = begun.recv() => {}
            }
        });
        drop(runtime);
        std::process::exit(42);
    }
    let this = std::env::current_exe().unwrap();
    let test = "console::a_process_whose_terminal_is_stuck_comes_to_its_end";
    let mut stuck = Command::new(this);
    stuck.args(["--exact", test, "--nocapture"]).env(STUCK, "1").stdout(Stdio::piped());
    let mut stuck = stuck.spawn().unwrap();
    // Open, and read by nobody.
    let pipe = stuck.stdout.take();
    let (told, ended) = mpsc::channel();
    std::thread::scope(|threads| {
        threads.spawn(move || told.send(stuck.wait().unwrap().code()));
        let ended = ended.recv_timeout(Duration::from_secs(30));
        // Frees a process that did not come to its end.
        drop(pipe);
        assert_eq!(ended, Ok(Some(42)));
    });
}

#[test]
fn a_disabled_console_says_so() {
    let mut config = ConsoleConfig::default();
    config.enabled = false;
    config.stream = ConsoleStream::Stdout;
    let console = Console::new(name("console"), &config);
    assert!(!console.enabled());
    assert_eq!(
        format!("{console:?}"),
        "Console { name: \"console\", enabled: false, target: \"standard output\", .. }"
    );
}
