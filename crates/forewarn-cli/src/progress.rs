//! Progress on standard error: bars where it is a terminal, lines where it is not, nothing with `--quiet`.

use crate::printable;
use forewarn::experiment::{Event, Observer, TextObserver};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Told how long work goes on.
pub(crate) enum Progress {
    Quiet,
    Lines(TextObserver<io::Stderr>),
    Bars(Bars),
}

/// A line for the stage, and a bar for each model that is being fitted.
pub(crate) struct Bars {
    all: MultiProgress,
    stage: ProgressBar,
    models: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Progress {
    /// As the terminal and `--quiet` say.
    pub(crate) fn new(quiet: bool) -> Self {
        if quiet {
            Self::Quiet
        } else if io::stderr().is_terminal() {
            let all = MultiProgress::new();
            let stage = all.add(ProgressBar::new_spinner());
            stage.enable_steady_tick(Duration::from_millis(120));
            Self::Bars(Bars { all, stage, models: Mutex::default() })
        } else {
            Self::Lines(TextObserver::new(io::stderr()))
        }
    }

    /// A stage outside of an experiment begins.
    pub(crate) fn stage(&self, text: &str) {
        self.event(Event::Stage(text));
    }

    /// Takes bars off the terminal, before results are printed.
    pub(crate) fn finish(&self) {
        if let Self::Bars(bars) = self {
            bars.stage.finish_and_clear();
            let _ = bars.all.clear();
        }
    }
}

impl Observer for Progress {
    fn event(&self, event: Event<'_>) {
        match self {
            Self::Quiet => {}
            Self::Lines(lines) => match event {
                Event::Stage(text) => lines.event(Event::Stage(&printable::text(text))),
                other => lines.event(other),
            },
            Self::Bars(bars) => bars.show(event),
        }
    }
}

impl Bars {
    fn show(&self, event: Event<'_>) {
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Stage(text) => self.stage.set_message(printable::text(text).into_owned()),
            Event::Fitting { model, progress } => {
                let bar = models.entry(model.to_owned()).or_insert_with(|| {
                    let bar = self.all.add(ProgressBar::new(progress.max_iterations as u64));
                    if let Ok(style) = ProgressStyle::with_template("{prefix:24} {bar:24} {pos}/{len} {msg}")
                    {
                        bar.set_style(style);
                    }
                    bar.set_prefix(model.to_owned());
                    bar
                });
                bar.set_position(progress.iteration as u64);
                if let Some((name, value)) = progress.measures.first() {
                    bar.set_message(format!("{name} {value:.4}"));
                }
            }
            Event::Scored { model, fit_seconds } => {
                if let Some(bar) = models.remove(model) {
                    bar.finish_and_clear();
                }
                let _ = self.all.println(format!("{model}: fitted in {fit_seconds:.1} s"));
            }
            _ => {}
        }
    }
}
