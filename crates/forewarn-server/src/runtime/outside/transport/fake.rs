use super::{HttpRequest, HttpResponse, Transport};
use crate::ServerError;
use std::sync::{Mutex, PoisonError};

type Answer = Box<dyn Fn(&HttpRequest) -> Result<HttpResponse, ServerError> + Send + Sync>;

/// A transport of tests: answers by a function, and remembers what it was asked.
pub struct FakeTransport {
    answer: Answer,
    requests: Mutex<Vec<HttpRequest>>,
}

impl FakeTransport {
    /// A transport that answers by `answer`.
    pub fn new(
        answer: impl Fn(&HttpRequest) -> Result<HttpResponse, ServerError> + Send + Sync + 'static,
    ) -> Self {
        Self { answer: Box::new(answer), requests: Mutex::default() }
    }

    /// A transport that no server answers.
    #[must_use]
    pub fn unreachable() -> Self {
        Self::new(|request| {
            Err(ServerError::Transport {
                url: request.printable_url(),
                reason: "there is no network".to_owned(),
            })
        })
    }

    /// What it was asked so far.
    #[must_use]
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Transport for FakeTransport {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, ServerError> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        (self.answer)(request)
    }
}
