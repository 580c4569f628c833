use crate::{Observer, Progress};
use std::{
    collections::BTreeMap,
    io::Write,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Writes progress as lines of text: stages at once, everything else now and then.
pub struct TextObserver<W> {
    started: Instant,
    /// Where lines go, and when the progress of each model and phase was last shown.
    state: Mutex<(W, BTreeMap<String, Instant>)>,
}

impl<W: Write + Send> TextObserver<W> {
    /// Time between two lines on the progress of one model or phase.
    pub const INTERVAL: Duration = Duration::from_secs(2);

    /// Writes to `writer`, usually standard error. Lines begin with the seconds since now.
    pub fn new(writer: W) -> Self {
        Self { started: Instant::now(), state: Mutex::new((writer, BTreeMap::new())) }
    }
}

impl<W: Write + Send> Observer for TextObserver<W> {
    fn progress(&self, progress: Progress<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (writer, shown) = &mut *state;
        let mut is_due = |what: &str| {
            let last = shown.entry(what.to_owned()).or_insert(self.started);
            let is_due = last.elapsed() >= Self::INTERVAL;
            if is_due {
                *last = Instant::now();
            }
            is_due
        };
        let line = match progress {
            Progress::Stage(text) => text.to_owned(),
            Progress::Scored { model, fit_seconds } => format!("{model}: fitted in {fit_seconds:.1} s"),
            Progress::Fitting { model, progress } if is_due(model) => {
                let measures: Vec<String> =
                    progress.measures.iter().map(|(name, value)| format!(", {name} {value:.4}")).collect();
                format!(
                    "{model}: {} of at most {}{}",
                    progress.iteration,
                    progress.max_iterations,
                    measures.concat()
                )
            }
            Progress::Scoring { model, done, total } if done < total && is_due(model) => {
                format!("{model}: scored {done} of {total} windows")
            }
            // A phase of one step has nothing to count.
            Progress::Phase { phase, done: 0, total: 1 } if is_due(phase.name()) => phase.name().to_owned(),
            Progress::Phase { phase, done, total } if done < total && is_due(phase.name()) => {
                format!("{phase}: {done} of {total}")
            }
            Progress::Fitting { .. } | Progress::Scoring { .. } | Progress::Phase { .. } => return,
        };
        // A closed or full standard error must not stop the experiment.
        let _ = writeln!(writer, "{:>4} s  {line}", self.started.elapsed().as_secs());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Phase;
    use forewarn_core::FitProgress;

    fn text(observer: TextObserver<Vec<u8>>) -> String {
        String::from_utf8(observer.state.into_inner().unwrap().0).unwrap()
    }

    fn report(observer: &TextObserver<Vec<u8>>) {
        observer.progress(Progress::Stage("reading"));
        for iteration in 1..100 {
            let progress = FitProgress { iteration, max_iterations: 100, measures: &[("loss", 0.5)] };
            observer.progress(Progress::Fitting { model: "lstm", progress });
        }
        for done in 0..=8 {
            observer.progress(Progress::Phase { phase: Phase::Evaluation, done, total: 8 });
        }
        observer.progress(Progress::Phase { phase: Phase::Audit, done: 0, total: 1 });
        observer.progress(Progress::Scored { model: "lstm", fit_seconds: 1.25 });
    }

    #[test]
    fn progress_is_thinned_out() {
        let observer = TextObserver::new(Vec::new());
        report(&observer);
        assert_eq!(text(observer), "   0 s  reading\n   0 s  lstm: fitted in 1.2 s\n");
    }

    #[test]
    fn what_has_been_silent_for_long_is_shown_once() {
        let mut observer = TextObserver::new(Vec::new());
        let Some(earlier) = Instant::now().checked_sub(3 * TextObserver::<Vec<u8>>::INTERVAL) else { return };
        observer.started = earlier;
        report(&observer);
        assert_eq!(
            text(observer),
            "   6 s  reading\n   6 s  lstm: 1 of at most 100, loss 0.5000\n   6 s  evaluating models: 0 of 8\n\
             \u{20}  6 s  looking for leaks\n   6 s  lstm: fitted in 1.2 s\n"
        );
    }
}
