//! Pages of a registry over HTTP.

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, VARY};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use tower_service::Service;

use super::Format;
use crate::Registry;

/// How many pages a handler has on their way at once, unless told otherwise.
pub const DEFAULT_MAX_PAGES: usize = 4;

/// A service that answers scrapes of a registry; the same as [`MetricsHandler::new`].
pub fn metrics_handler(registry: &Registry) -> MetricsHandler {
    MetricsHandler::new(registry)
}

/// A [`tower_service::Service`] that answers `GET` and `HEAD` with the registry in the format that the `Accept` header
/// asks for ([`Format::negotiate`]): for the router of the host, wherever it wants it.
///
/// With `axum`: `Router::new().route_service("/metrics", metrics_handler(&registry))`. Whoever may reach the page is a
/// question for the host and its router. Nothing is compressed: put a layer in front where that pays.
///
/// **Cost.** The page is written while the service is called, on the thread that calls: O(series), and whatever time the
/// collectors take. Nothing is awaited. Scrapes take turns with one another and with samples, so that a call may also wait
/// for those before it; writers wait for none of them. Pages are written into buffers that are used again, as many as may
/// be on their way at once ([`with_max_pages`](Self::with_max_pages)): a page counts until its last byte has gone, so that
/// a crowd of slow readers takes no more memory than that. Beyond the bound the answer is 503, counted in
/// `bellwether_metrics_scrapes_refused_total`. Other methods are answered with 405. Nothing here panics.
#[derive(Clone)]
pub struct MetricsHandler(Arc<Shared>);

#[derive(Clone)]
struct Shared {
    registry: Registry,
    format: Option<Format>,
    max_pages: usize,
    pages: Arc<Mutex<Pages>>,
}

/// Buffers of pages.
#[derive(Default)]
struct Pages {
    under_way: usize,
    idle: Vec<Vec<u8>>,
}

impl MetricsHandler {
    /// For a registry, in the format that is asked for.
    pub fn new(registry: &Registry) -> Self {
        Self(Arc::new(Shared {
            registry: registry.clone(),
            format: None,
            max_pages: DEFAULT_MAX_PAGES,
            pages: Arc::default(),
        }))
    }

    /// In this format, whatever is asked for.
    #[must_use]
    pub fn with_format(mut self, format: Format) -> Self {
        Arc::make_mut(&mut self.0).format = Some(format);
        self
    }

    /// How many pages may be on their way at once: [`DEFAULT_MAX_PAGES`] unless set, at least one.
    #[must_use]
    pub fn with_max_pages(mut self, pages: usize) -> Self {
        Arc::make_mut(&mut self.0).max_pages = pages.max(1);
        self
    }

    /// The answer to a request of this method with these headers.
    fn answer(&self, method: &Method, headers: &HeaderMap) -> Response<MetricsPage> {
        if method != Method::GET && method != Method::HEAD {
            let mut response = told(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let shared = &*self.0;
        let Some(mut page) = shared.page() else {
            shared.registry.refuse_scrape();
            let mut response = told(StatusCode::SERVICE_UNAVAILABLE, "too many pages are on their way\n");
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            return response;
        };
        let format = shared.format.unwrap_or_else(|| asked_for(headers));
        shared.registry.write(format, &mut page.bytes);
        let length = page.bytes.len();
        let body = if method == Method::HEAD { Bytes::new() } else { Bytes::from_owner(page) };
        let mut response = Response::new(MetricsPage(body));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(VARY, HeaderValue::from_static("accept"));
        response
    }
}

impl Shared {
    /// An empty buffer, if one more may be on its way.
    fn page(&self) -> Option<Page> {
        let mut pages = self.pages.lock();
        (pages.under_way < self.max_pages).then(|| {
            pages.under_way += 1;
            Page { bytes: pages.idle.pop().unwrap_or_default(), pages: Arc::clone(&self.pages) }
        })
    }
}

/// Several headers are one, with commas between.
fn asked_for(headers: &HeaderMap) -> Format {
    let mut accept = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let first = accept.next();
    match (first, accept.next()) {
        (Some(first), Some(second)) => {
            let mut all = format!("{first},{second}");
            for more in accept {
                all.push(',');
                all.push_str(more);
            }
            Format::negotiate(Some(&all))
        }
        _ => Format::negotiate(first),
    }
}

fn told(status: StatusCode, text: &'static str) -> Response<MetricsPage> {
    let mut response = Response::new(MetricsPage(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// A page on its way; its buffer goes back when the last byte is gone.
struct Page {
    bytes: Vec<u8>,
    pages: Arc<Mutex<Pages>>,
}

impl AsRef<[u8]> for Page {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.bytes.clear();
        let mut pages = self.pages.lock();
        pages.under_way -= 1;
        pages.idle.push(std::mem::take(&mut self.bytes));
    }
}

impl<B> Service<Request<B>> for MetricsHandler {
    type Response = Response<MetricsPage>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.answer(request.method(), request.headers())))
    }
}

impl fmt::Debug for MetricsHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsHandler")
            .field("registry", &self.0.registry)
            .field("format", &self.0.format)
            .field("max_pages", &self.0.max_pages)
            .finish_non_exhaustive()
    }
}

/// The body of an answer: a page in one piece.
#[derive(Debug)]
pub struct MetricsPage(Bytes);

impl Body for MetricsPage {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let page = std::mem::take(&mut self.0);
        Poll::Ready((!page.is_empty()).then(|| Ok(Frame::data(page))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}
