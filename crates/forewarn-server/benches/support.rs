//! What both benchmarks of the service need: a small model in a file, and what the process has used.

use forewarn_experiment::{Data, Experiment, Progress, StandardModels, write_model};
use forewarn_label::Rule;
use forewarn_server::{Running, Stop, WatchConfig, WatchOptions};
use forewarn_sim::StressWalk;
use std::{
    fs,
    path::Path,
    thread::{self, JoinHandle},
    time::Duration,
};

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The value of an option such as `--seconds`.
pub(crate) fn option(name: &str, default: u64) -> u64 {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    arguments.next().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Whether only is to be shown that the benchmark works.
pub(crate) fn is_test() -> bool {
    std::env::args().any(|argument| argument == "--test")
}

/// A configuration around a logistic regression of the ten metrics of v1.
pub(crate) fn configure(folder: &Path, source: &str, more: &str) -> Result<WatchConfig, BoxError> {
    let data = Data::from_stress_walk(StressWalk::new(8 * 1440, 7).run()?)?;
    let standard = StandardModels::new(Rule::v1(), data.frames().schema().clone());
    let experiment = Experiment::new(Rule::v1()).with_model(standard.get("logistic_snapshot")?);
    let trained = experiment.train(data, &|_: Progress<'_>| {})?;
    write_model(&folder.join("model.safetensors"), &trained.to_envelope("logistic_snapshot")?, &[])?;
    let path = folder.join("forewarn.toml");
    let text = format!(
        "[model]\npath = \"model.safetensors\"\n[source]\n{source}\n[store]\npath = \"store\"\n[events]\n\
         path = \"events.ndjson\"\n{more}"
    );
    fs::write(&path, text)?;
    Ok(WatchConfig::from_path(&path)?)
}

/// A service on a thread of its own, and what ends it.
pub(crate) struct Service {
    pub(crate) handle: forewarn_server::runtime::Handle,
    stop: Stop,
    thread: JoinHandle<Result<(), String>>,
}

impl Service {
    pub(crate) fn start(config: WatchConfig, options: WatchOptions) -> Result<Self, BoxError> {
        let running = Running::start(config, options)?;
        let (handle, stop) = (running.handle().clone(), Stop::default());
        let asked = stop.clone();
        let thread = thread::spawn(move || {
            let ended = running.wait(&asked, &mut |line| eprintln!("{line}"));
            ended.map(drop).map_err(|error| error.to_string())
        });
        Ok(Self { handle, stop, thread })
    }

    pub(crate) fn end(self) -> Result<(), BoxError> {
        self.stop.stop();
        self.thread.join().map_err(|_| "the service panicked")?.map_err(Into::into)
    }
}

/// Time on the processor of the whole process, in steps of 10 ms; zero where the system does not say.
pub(crate) fn processor_time() -> Duration {
    let said = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Names of programs may have blanks: fields are counted behind the bracket.
    let fields: Vec<&str> = said.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

/// The same of this thread.
pub(crate) fn own_processor_time() -> Duration {
    let said = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = said.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// Memory that the process holds, in MiB.
pub(crate) fn resident_mib() -> u64 {
    let said = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = said.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    (pages.unwrap_or(0) * 4096) >> 20
}

/// Time on the processor of each kind of thread that runs, by the begin of its name.
pub(crate) fn by_thread() -> Vec<(String, Duration)> {
    let mut found = std::collections::BTreeMap::<String, Duration>::new();
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let read = |file| fs::read_to_string(task.path().join(file)).unwrap_or_default();
        let nanos = read("schedstat").split_whitespace().next().and_then(|nanos| nanos.parse().ok());
        *found.entry(read("comm").trim().to_owned()).or_default() += Duration::from_nanos(nanos.unwrap_or(0));
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    found
}
