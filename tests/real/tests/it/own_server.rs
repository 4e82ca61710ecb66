//! A server of somebody else's, started for one test on this machine.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bellwether_core::{MaskedUrl, SecretProviders, SystemClock, UrlSource};
use bellwether_http::{Client, ClientConfig, Method, Request};
use tempfile::TempDir;

/// How long a server may take to start, and to show what it was sent.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that runs until it is dropped, with a folder of its own.
pub(crate) struct OwnServer {
    child: Child,
    port: u16,
    /// Goes with the server.
    _folder: TempDir,
}

impl OwnServer {
    /// Starts the program with what `arguments` makes of its folder and port, and waits until `ready` answers 200. Says that the
    /// test is skipped, and gives nothing, if there is no such program.
    pub(crate) async fn start(
        program: &str,
        ready: &str,
        arguments: impl FnOnce(&TempDir, u16) -> Vec<String>,
    ) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut command = Command::new(program);
        command.args(arguments(&folder, port)).current_dir(folder.path());
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(child) = quiet.spawn() else {
            println!("skipped: {program}");
            return None;
        };
        let server = Self { child, port, _folder: folder };
        let what = format!("{program} is ready");
        server.until(&what, ready, |_| true).await;
        Some(server)
    }

    pub(crate) fn url(&self, path: &str) -> UrlSource {
        UrlSource::Plain(MaskedUrl::parse(format!("http://127.0.0.1:{}{path}", self.port)).unwrap())
    }

    /// Asks until the answer is 200 and is as it should be; its body.
    pub(crate) async fn until(&self, what: &str, path: &str, is_right: impl Fn(&str) -> bool) -> String {
        let clock = SystemClock::shared();
        let end = clock.monotonic().saturating_add(PATIENCE);
        let client =
            Client::new(&ClientConfig::new(self.url(path)), &clock, &SecretProviders::none()).unwrap();
        let mut last = String::new();
        while clock.monotonic() < end {
            if let Ok(answer) = client.send(Request::new(Method::GET).reading_up_to(1 << 20)).await {
                last = String::from_utf8(answer.body).unwrap();
                if answer.status.is_success() && is_right(&last) {
                    return last;
                }
            }
            clock.sleep(Duration::from_millis(50)).await;
        }
        panic!("it never came to this: {what}; the last answer was {last}");
    }

    /// The result of a query in PromQL, once it is as it should be.
    pub(crate) async fn query(&self, query: &str, is_right: impl Fn(&[serde_json::Value]) -> bool) {
        let encoded = query.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"));
        let result = |body: &str| {
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            body["data"]["result"].as_array().unwrap().clone()
        };
        let path = format!("/api/v1/query?nocache=1&query={encoded}");
        self.until(query, &path, |body| is_right(&result(body))).await;
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
