//! What becomes of a request, by what the server does.
use std::time::Duration;

use bellwether_http::testing::{Reply, Server};
use bellwether_http::{Answer, Fate, HttpError, Method, Request, StatusCode};

use super::{config, frozen};

async fn answered(reply: Reply, most: usize) -> Result<Answer, HttpError> {
    let server = Server::start([reply]).await;
    frozen(&config(&server)).0.send(Request::new(Method::POST).reading_up_to(most)).await
}

fn with_body(body: &str) -> Reply {
    Reply::bytes(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

#[tokio::test]
async fn as_much_of_a_body_is_read_as_is_wanted() {
    for (body, most, kept, is_whole) in [
        ("", 0, "", true),
        ("", 5, "", true),
        ("twelve bytes", 0, "", false),
        ("twelve bytes", 6, "twelve", false),
        ("twelve bytes", 12, "twelve bytes", true),
        ("twelve bytes", 1 << 20, "twelve bytes", true),
    ] {
        let answer = answered(with_body(body), most).await.unwrap();
        let read = (String::from_utf8(answer.body.clone()).unwrap(), answer.is_whole);
        assert_eq!(read, (kept.to_owned(), is_whole), "{most} of {body:?}");
        assert_eq!(format!("{answer:?}"), "Answer { status: 200, .. }");
    }
}

#[tokio::test]
async fn a_body_without_end_is_read_to_its_bound() {
    let answer = answered(Reply::Flood, 100_000).await.unwrap();
    assert_eq!((answer.status, answer.body.len(), answer.is_whole), (StatusCode::OK, 100_000, false));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_told() {
    let cut = Reply::bytes("HTTP/1.1 503 Busy\r\nContent-Length: 1000\r\n\r\nhalf of it");
    let answer = answered(cut, 1_000).await.unwrap();
    assert_eq!((answer.status, answer.is_whole), (StatusCode::SERVICE_UNAVAILABLE, false));
}

#[tokio::test]
async fn an_error_says_whether_the_request_was_sent() {
    let server = Server::start([Reply::bytes("")]).await;
    let mut settings = config(&server);
    let error = frozen(&settings).0.send(Request::new(Method::POST)).await.unwrap_err();
    assert_eq!(error.fate(), Fate::Unknown, "{error}");
    drop(server);
    settings.url = bellwether_core::UrlSource::Plain("http://127.0.0.1:1/".parse().unwrap());
    let error = frozen(&settings).0.send(Request::new(Method::POST)).await.unwrap_err();
    assert_eq!(error.fate(), Fate::NotSent, "{error}");
}

#[tokio::test]
async fn no_answer_in_time_leaves_it_open_whether_it_arrived() {
    let mut server = Server::start([Reply::Hang]).await;
    let (client, clock) = frozen(&config(&server));
    let (sent, ()) = tokio::join!(client.send(Request::new(Method::POST)), async {
        server.request().await;
        clock.advance(Duration::from_secs(10));
    });
    let error = sent.unwrap_err();
    assert_eq!(error.to_string(), "localhost gave no answer within 10s");
    assert_eq!(error.fate(), Fate::Unknown);
}
