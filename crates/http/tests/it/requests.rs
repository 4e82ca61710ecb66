//! What is sent, and who is said to send it.
use bellwether_core::{ManualClock, SecretProviders, UrlSource};
use bellwether_http::header::{CONTENT_TYPE, HeaderValue};
use bellwether_http::testing::{Reply, Server};
use bellwether_http::{BasicCredentials, Client, ClientConfig, ClientError, Method, Request};

use super::{config, frozen, kept, refused};

#[tokio::test]
async fn a_request_is_sent_as_it_was_made() {
    let mut server = Server::start([Reply::status(204)]).await;
    let (client, _) = frozen(&config(&server));
    let request = Request::new(Method::PUT)
        .with_header(CONTENT_TYPE, HeaderValue::from_static("text/plain"))
        .with_body("up 1\n");
    assert_eq!(client.send(request).await.unwrap().status, 204);
    let received = server.request().await;
    assert_eq!(received.asked(), "PUT /hook");
    assert_eq!(received.body, b"up 1\n");
    assert_eq!(received.header("content-type"), "text/plain");
    assert_eq!(received.header("content-length"), "5");
    assert_eq!(received.header("connection"), "close");
    assert_eq!(received.header("host"), format!("localhost:{}", server.address.port()));
    assert_eq!(received.header("user-agent"), concat!("bellwether/", env!("CARGO_PKG_VERSION")));
    assert!(received.headers("authorization").is_empty());
}

#[tokio::test]
async fn a_path_of_the_callers_goes_behind_that_of_the_url() {
    let mut server = Server::start([Reply::status(202)]).await;
    let clock = ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH).shared();
    let client = Client::at(&config(&server), "/job/desk", &clock, &SecretProviders::none()).unwrap();
    client.send(Request::new(Method::DELETE)).await.unwrap();
    assert_eq!(server.request().await.asked(), "DELETE /hook/job/desk");
}

#[tokio::test]
async fn credentials_and_headers_are_sent_and_never_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start([Reply::status(204)]).await;
    let mut settings = config(&server);
    settings.headers.insert("X-Scope-OrgID".into(), kept(folder.path(), "tenant", "MARKER"));
    settings.basic = Some(BasicCredentials {
        user: "Aladdin".into(),
        password: kept(folder.path(), "password", "open sesame\n"),
    });
    let (client, _) = frozen(&settings);
    client.send(Request::new(Method::POST)).await.unwrap();
    let received = server.request().await;
    assert_eq!(received.header("authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!(received.header("x-scope-orgid"), "MARKER");
    settings.basic = None;
    settings.bearer_token = Some(kept(folder.path(), "token", "MARKER"));
    let (client, _) = frozen(&settings);
    client.send(Request::new(Method::POST)).await.unwrap();
    assert_eq!(server.request().await.header("authorization"), "Bearer MARKER");
    assert_eq!(format!("{client:?}"), format!("Client({})", server.url()));
}

#[test]
fn secrets_that_cannot_stand_in_a_header_are_told_by_where_they_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let broken = kept(folder.path(), "broken", "MAR\u{7f}KER");
    let url = |url: &str| ClientConfig::new(UrlSource::Plain(url.parse().unwrap()));
    let mut token = url("https://example.com/");
    token.bearer_token = Some(broken.clone());
    let mut basic = url("https://example.com/");
    basic.basic = Some(BasicCredentials { user: "desk".into(), password: broken.clone() });
    let mut header = url("https://example.com/");
    header.headers.insert("X-Tenant".into(), broken);
    for settings in [token, basic, header] {
        let error = refused(&settings);
        let text = format!("{error} {error:?}");
        assert!(text.contains("broken") && !text.contains("KER"), "{text}");
    }
    let mut two = url("https://example.com/");
    two.url = UrlSource::Secret(kept(folder.path(), "url", "https://desk:MARKER@example.com/"));
    two.bearer_token = Some(kept(folder.path(), "token", "MARKER"));
    assert!(matches!(refused(&two), ClientError::TwoAuthorizations));
}

#[test]
fn settings_are_written_as_they_are_read() {
    let json = r#"{"url":"https://example.com/","basic":{"user":"desk","password":{"env":"P"}},"headers":{"X-A":{"file":"/a"}}}"#;
    let settings: ClientConfig = serde_json::from_str(json).unwrap();
    let again: ClientConfig = serde_json::from_str(&serde_json::to_string(&settings).unwrap()).unwrap();
    assert_eq!(settings, again);
    assert_eq!(
        (settings.timeout.to_string(), settings.connect_timeout.to_string()),
        ("10s".into(), "3s".into())
    );
    assert!(serde_json::from_str::<ClientConfig>(r#"{"url":"https://example.com/","proxy":"x"}"#).is_err());
}
