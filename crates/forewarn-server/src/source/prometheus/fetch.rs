//! Several range queries at once, cut, repeated and put together.

use super::{
    client::Client,
    retry::{Failure, Remedy, Retries},
    span::{MOST_POINTS, Span},
};
use crate::runtime::{Clock, Stop};
use forewarn_prometheus::{Answer, QueryData};
use std::{thread, time::Duration};

/// What came of one query.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    /// Its answers, chunk by chunk, in no order.
    pub(crate) answers: Vec<Answer<QueryData>>,
    /// Why a part of it has no answer.
    pub(crate) failure: Option<Failure>,
}

impl Fetched {
    /// The server said that data are missing from an answer, and the words that it said it with.
    pub(crate) fn partial(&self) -> Option<String> {
        let partial = self.answers.iter().find(|answer| answer.partial)?;
        Some(
            partial
                .warnings
                .first()
                .cloned()
                .unwrap_or_else(|| "the server called its answer partial".to_owned()),
        )
    }
}

/// How queries are asked.
pub(crate) struct Fetcher<'a> {
    pub(crate) client: &'a Client,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) stop: &'a Stop,
    /// Queries at the same time.
    pub(crate) concurrency: usize,
    /// Points of a series that are asked for at once at most.
    pub(crate) most_points: i64,
}

/// One query over one chunk.
struct Ask {
    query: usize,
    span: Span,
    /// An answer that was partial, for the case that no better one comes.
    partial: Option<Answer<QueryData>>,
}

impl Fetcher<'_> {
    /// Asks every query for every time of the span. One that the server cannot answer at once is cut in halves; one
    /// that it cannot answer now, or only in part, is asked again after a wait, as often as `retries` says. `None`
    /// where a stop was asked for.
    pub(crate) fn fetch(&self, queries: &[&str], span: Span, retries: &mut Retries) -> Option<Vec<Fetched>> {
        let chunks = span.chunks(self.most_points.min(MOST_POINTS));
        let asks = |query| chunks.iter().map(move |&span| Ask { query, span, partial: None });
        let mut open: Vec<Ask> = (0..queries.len()).flat_map(asks).collect();
        let mut fetched: Vec<Fetched> = queries.iter().map(|_| Fetched::default()).collect();
        let mut attempt = 0;
        while !open.is_empty() {
            if self.stop.is_stopped() {
                return None;
            }
            // What failed for good is not asked for the rest of its span.
            open.retain(|ask| fetched[ask.query].failure.is_none());
            let results = self.ask(queries, &open);
            let is_last = attempt + 1 >= retries.attempts;
            let (mut next, mut wait) = (Vec::new(), None::<Option<Duration>>);
            for (ask, result) in open.into_iter().zip(results) {
                let slot = &mut fetched[ask.query];
                match result {
                    Ok(answer) if answer.partial && !is_last => {
                        wait = Some(wait.flatten());
                        next.push(Ask { partial: Some(answer), ..ask });
                    }
                    Ok(answer) => slot.answers.push(answer),
                    Err(failure) => match (failure.remedy, ask.span.halves()) {
                        (Remedy::Split, Some(halves)) => {
                            next.extend(halves.map(|span| Ask { query: ask.query, span, partial: None }));
                        }
                        (Remedy::Wait(asked), _) if !is_last => {
                            wait = Some(wait.flatten().max(asked));
                            next.push(ask);
                        }
                        // A single time that is too much at once may only have been slow.
                        (Remedy::Split, None) if !is_last => {
                            wait = Some(wait.flatten());
                            next.push(ask);
                        }
                        _ => match ask.partial {
                            Some(answer) => slot.answers.push(answer),
                            None => slot.failure = Some(failure),
                        },
                    },
                }
            }
            if let Some(asked) = wait {
                if !self.clock.sleep(retries.wait(attempt, asked), self.stop) {
                    return None;
                }
                attempt += 1;
            }
            open = next;
        }
        Some(fetched)
    }

    /// One answer for each, in their order.
    fn ask(&self, queries: &[&str], asks: &[Ask]) -> Vec<Result<Answer<QueryData>, Failure>> {
        let one = |ask: &Ask| self.client.range(queries[ask.query], ask.span);
        let mut results = Vec::with_capacity(asks.len());
        for some in asks.chunks(self.concurrency.max(1)) {
            if some.len() == 1 {
                results.extend(some.iter().map(one));
                continue;
            }
            thread::scope(|scope| {
                let running: Vec<_> = some.iter().map(|ask| scope.spawn(move || one(ask))).collect();
                results.extend(running.into_iter().map(|thread| {
                    let failed =
                        |_| Err(Failure::new("a thread that asked the server failed", Remedy::Nothing));
                    thread.join().unwrap_or_else(failed)
                }));
            });
        }
        results
    }
}
