use forewarn_core::FitProgress;
use std::{
    collections::BTreeMap,
    io::Write,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// What happens in an experiment, as it happens.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A stage begins; the text says what is done, with figures.
    Stage(&'a str),
    /// A model has done one more iteration.
    Fitting {
        /// The model.
        model: &'a str,
        /// How far it has come.
        progress: FitProgress<'a>,
    },
    /// A model is fitted and has scored validation and test.
    Scored {
        /// The model.
        model: &'a str,
        /// Seconds that the fit took.
        fit_seconds: f64,
    },
}

/// Told what happens. Models are fitted side by side, so events come from several threads. Any `Fn(Event) + Sync` is one.
pub trait Observer: Sync {
    /// Something happened.
    fn event(&self, event: Event<'_>);
}

impl<F: Fn(Event<'_>) + Sync> Observer for F {
    fn event(&self, event: Event<'_>) {
        self(event);
    }
}

/// Writes what happens as lines of text: stages at once, each model's progress now and then.
pub struct TextObserver<W> {
    started: Instant,
    /// Where lines go, and when each model's progress was last shown.
    state: Mutex<(W, BTreeMap<String, Instant>)>,
}

impl<W: Write + Send> TextObserver<W> {
    /// Time between two lines on the same model's progress.
    pub const INTERVAL: Duration = Duration::from_secs(2);

    /// Writes to `writer`, usually standard error. Lines begin with the seconds since now.
    pub fn new(writer: W) -> Self {
        Self { started: Instant::now(), state: Mutex::new((writer, BTreeMap::new())) }
    }
}

impl<W: Write + Send> Observer for TextObserver<W> {
    fn event(&self, event: Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (writer, shown) = &mut *state;
        let line = match event {
            Event::Stage(text) => text.to_owned(),
            Event::Scored { model, fit_seconds } => format!("{model}: fitted in {fit_seconds:.1} s"),
            Event::Fitting { model, progress } => {
                let last = shown.entry(model.to_owned()).or_insert(self.started);
                if last.elapsed() < Self::INTERVAL {
                    return;
                }
                *last = Instant::now();
                let measures: Vec<String> =
                    progress.measures.iter().map(|(name, value)| format!(", {name} {value:.4}")).collect();
                format!(
                    "{model}: {} of at most {}{}",
                    progress.iteration,
                    progress.max_iterations,
                    measures.concat()
                )
            }
        };
        // Progress that nobody can read any more must not stop the experiment.
        let _ = writeln!(writer, "{:>4} s  {line}", self.started.elapsed().as_secs());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_thinned_out() {
        let observer = TextObserver::new(Vec::new());
        observer.event(Event::Stage("reading"));
        for iteration in 1..100 {
            let progress = FitProgress { iteration, max_iterations: 100, measures: &[("loss", 0.5)] };
            observer.event(Event::Fitting { model: "lstm", progress });
        }
        observer.event(Event::Scored { model: "lstm", fit_seconds: 1.25 });
        let text = String::from_utf8(observer.state.into_inner().unwrap().0).unwrap();
        assert_eq!(text, "   0 s  reading\n   0 s  lstm: fitted in 1.2 s\n");
    }
}
