//! Scrapes over HTTP, without a server: what a router calls.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bellwether_metrics::{Format, MetricsHandler, MetricsPage, Unit, metrics_handler};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use tower_service::Service;

use crate::desk::Desk;
use crate::{metric_family, openmetrics_parser, parser};

fn desk() -> Desk {
    let desk = Desk::new();
    desk.counter("orders_total", Unit::None, "Orders.").unwrap().add(3);
    desk
}

fn ask(handler: &mut MetricsHandler, method: Method, accept: &[&str]) -> Response<MetricsPage> {
    assert_eq!(
        Service::<Request<()>>::poll_ready(handler, &mut Context::from_waker(Waker::noop())),
        Poll::Ready(Ok::<(), Infallible>(()))
    );
    let mut request = Request::builder().method(method).uri("/metrics");
    for accept in accept {
        request = request.header("Accept", *accept);
    }
    handler.call(request.body(()).unwrap()).into_inner().unwrap()
}

fn body(response: Response<MetricsPage>) -> Vec<u8> {
    let mut page = response.into_body();
    let mut all = Vec::new();
    let hint = page.size_hint().exact().unwrap();
    while let Poll::Ready(Some(frame)) =
        Pin::new(&mut page).poll_frame(&mut Context::from_waker(Waker::noop()))
    {
        all.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    assert!(page.is_end_stream());
    assert_eq!(hint, all.len() as u64);
    all
}

fn header<'a>(response: &'a Response<MetricsPage>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn a_scrape_gets_the_format_that_it_asks_for() {
    let desk = desk();
    let mut handler = metrics_handler(&desk);
    let response = ask(&mut handler, Method::GET, &[]);
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-type"), Format::Text.content_type());
    assert_eq!((header(&response, "vary"), header(&response, "cache-control")), ("accept", "no-store"));
    let length: usize = header(&response, "content-length").parse().unwrap();
    let page = body(response);
    assert_eq!(page.len(), length);
    assert_eq!(parser::parse(std::str::from_utf8(&page).unwrap()).value("orders_total", &[]), Some(3.0));

    let response =
        ask(&mut handler, Method::GET, &["application/openmetrics-text;version=1.0.0", "*/*;q=0.1"]);
    assert_eq!(header(&response, "content-type"), Format::OpenMetrics.content_type());
    openmetrics_parser::parse(std::str::from_utf8(&body(response)).unwrap());

    let response = ask(&mut handler, Method::GET, &[Format::Protobuf.content_type()]);
    assert_eq!(header(&response, "content-type"), Format::Protobuf.content_type());
    assert!(metric_family::read(&body(response)).iter().any(|family| family.name() == "orders_total"));

    let mut handler = handler.with_format(Format::Json);
    let response = ask(&mut handler, Method::GET, &["text/plain"]);
    assert_eq!(header(&response, "content-type"), "application/json");
    serde_json::from_slice::<serde_json::Value>(&body(response)).unwrap();
}

#[test]
fn head_tells_the_length_of_the_page_and_no_page() {
    let desk = desk();
    let mut handler = metrics_handler(&desk);
    let length = ask(&mut handler, Method::GET, &[]).headers()["content-length"].clone();
    let response = ask(&mut handler, Method::HEAD, &[]);
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-length"], length);
    assert_eq!(body(response), b"");
}

#[test]
fn other_methods_are_told_which_ones_there_are() {
    let mut handler = metrics_handler(&desk());
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::TRACE] {
        let response = ask(&mut handler, method, &[]);
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(header(&response, "allow"), "GET, HEAD");
    }
}

#[test]
fn an_accept_header_that_is_no_text_is_none() {
    let mut handler = metrics_handler(&desk());
    let request = Request::builder().header("Accept", &b"\xff\xfe"[..]).body(()).unwrap();
    let response = handler.call(request).into_inner().unwrap();
    assert_eq!(header(&response, "content-type"), Format::Text.content_type());
}

#[test]
fn pages_on_their_way_are_bounded_and_each_counts_until_it_has_gone() {
    let desk = desk();
    let mut handler = metrics_handler(&desk).with_max_pages(2);
    let mut other = handler.clone();
    let first = ask(&mut handler, Method::GET, &[]);
    let _second = ask(&mut other, Method::GET, &[]);
    for _ in 0..3 {
        let refused = ask(&mut handler, Method::GET, &[]);
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(header(&refused, "retry-after"), "1");
    }
    assert_eq!(desk.own("bellwether_metrics_scrapes_refused_total", None), 3.0);
    drop(body(first));
    assert_eq!(ask(&mut handler, Method::GET, &[]).status(), StatusCode::OK);
}

#[tokio::test]
async fn a_router_of_axum_takes_it() {
    let desk = desk();
    let mut router = axum::Router::<()>::new().route_service("/metrics", metrics_handler(&desk));
    let mut ask = async |path: &str| {
        let request = Request::builder().uri(path).header("Accept", "application/json");
        let response = router.call(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        (head, axum::body::to_bytes(body, 1 << 20).await.unwrap())
    };
    let (head, page) = ask("/metrics").await;
    assert_eq!(
        (head.status, &head.headers["content-type"]),
        (StatusCode::OK, &"application/json".parse().unwrap())
    );
    assert!(serde_json::from_slice::<serde_json::Value>(&page).unwrap()["families"].is_array());
    assert_eq!(ask("/other").await.0.status, StatusCode::NOT_FOUND);
}
