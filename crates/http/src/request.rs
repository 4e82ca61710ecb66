//! What is asked.
use hyper::Method;
use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderValue, IntoHeaderName};

/// One request: what is done, headers of its own, a body. Where it goes is the [`Client`](crate::Client)'s.
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) most_read: usize,
}

impl Request {
    /// Without headers and body, whose answer is not read.
    pub fn new(method: Method) -> Self {
        Self { method, headers: HeaderMap::new(), body: Bytes::new(), most_read: 0 }
    }

    /// With this body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// With this header, in place of one that has the same name.
    #[must_use]
    pub fn with_header(mut self, name: impl IntoHeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Wants up to so many bytes of the answer's body. Without this the body is dropped, and its fate makes no difference.
    #[must_use]
    pub fn reading_up_to(mut self, bytes: usize) -> Self {
        self.most_read = bytes;
        self
    }
}
