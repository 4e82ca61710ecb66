//! Python's own HTTP server, as a webhook that now and then refuses, and now and then cuts the connection.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Runs until it is stopped or dropped.
pub(crate) struct FlakyServer {
    child: Child,
    pub(crate) port: u16,
    keys: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl FlakyServer {
    pub(crate) fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/flaky_server.py");
        let mut child = Command::new("python3")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap().parse().unwrap();
        let keys = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&keys);
        let reader = std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|key| kept.lock().unwrap().push(key));
        });
        Self { child, port, keys, reader: Some(reader) }
    }

    /// Ends it and tells the keys of the requests that it has read, in their order.
    pub(crate) fn stop(mut self) -> Vec<String> {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        std::mem::take(&mut self.keys.lock().unwrap())
    }
}

impl Drop for FlakyServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
