//! Progress on standard error: bars where it is a terminal, lines where it is not, nothing with `--quiet`.

use crate::output::printable;
use forewarn::experiment::{Observer, Progress, TextObserver};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Shows how far work has come.
pub(crate) enum Reporter {
    Quiet,
    Lines(TextObserver<io::Stderr>),
    Bars(Bars),
}

/// A line for the stage, and a bar for each phase and model that is at work.
pub(crate) struct Bars {
    all: MultiProgress,
    stage: ProgressBar,
    running: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Reporter {
    /// As the terminal and `--quiet` say.
    pub(crate) fn new(quiet: bool) -> Self {
        if quiet {
            Self::Quiet
        } else if io::stderr().is_terminal() {
            let all = MultiProgress::new();
            let stage = all.add(ProgressBar::new_spinner());
            stage.enable_steady_tick(Duration::from_millis(120));
            Self::Bars(Bars { all, stage, running: Mutex::default() })
        } else {
            Self::Lines(TextObserver::new(io::stderr()))
        }
    }

    /// A stage outside of an experiment begins.
    pub(crate) fn stage(&self, text: &str) {
        self.progress(Progress::Stage(text));
    }

    /// Takes bars off the terminal, before results are printed.
    pub(crate) fn finish(&self) {
        if let Self::Bars(bars) = self {
            bars.stage.finish_and_clear();
            let _ = bars.all.clear();
        }
    }
}

impl Observer for Reporter {
    fn progress(&self, progress: Progress<'_>) {
        match self {
            Self::Quiet => {}
            Self::Lines(lines) => match progress {
                Progress::Stage(text) => lines.progress(Progress::Stage(&printable::text(text))),
                other => lines.progress(other),
            },
            Self::Bars(bars) => bars.show(progress),
        }
    }
}

impl Bars {
    fn show(&self, progress: Progress<'_>) {
        match progress {
            Progress::Stage(text) => self.stage.set_message(printable::text(text).into_owned()),
            Progress::Phase { phase, done, total } => self.move_bar(phase.name(), done, total, ""),
            Progress::Fitting { model, progress } => {
                let measure = progress.measures.first();
                let measure = measure.map_or_else(String::new, |(name, value)| format!("{name} {value:.4}"));
                self.move_bar(model, progress.iteration, progress.max_iterations, &measure);
            }
            Progress::Scoring { model, done, total } => self.move_bar(model, done, total, "windows scored"),
            Progress::Scored { model, fit_seconds } => {
                self.move_bar(model, 1, 1, "");
                let _ = self.all.println(format!("{model}: fitted in {fit_seconds:.1} s"));
            }
            _ => {}
        }
    }

    /// Moves the bar called `name`, which is there from its first step to its last.
    fn move_bar(&self, name: &str, done: usize, total: usize, message: &str) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = running.entry(name.to_owned()).or_insert_with(|| {
            let bar = self.all.add(ProgressBar::new(total as u64));
            if let Ok(style) = ProgressStyle::with_template("{prefix:32} {bar:24} {pos}/{len} {msg}") {
                bar.set_style(style);
            }
            bar.set_prefix(name.to_owned());
            bar
        });
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        bar.set_message(message.to_owned());
        if done >= total {
            bar.finish_and_clear();
            running.remove(name);
        }
    }
}
