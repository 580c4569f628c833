use super::{WatchOptions, WatchSummary};
use crate::{
    ServerError, WatchConfig,
    chaos::ChaosControl,
    receive::Receivers,
    runtime::{
        Clock, Handle, HttpContext, Reload, Reporter, Resume, Serving, Sink, SinkContext, SinkThread, Source,
        SourceContext, Stop, Worker, WorkerOptions, serve,
    },
    sink, source,
};
use forewarn_live::ServedModel;
use std::{
    fs::File,
    io, mem,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How long sources have to end.
const SOURCES_END: Duration = Duration::from_secs(10);
/// How long sinks have to deliver what is left.
const SINKS_END: Duration = Duration::from_secs(10);
/// Time between two looks at what has ended.
const LOOK: Duration = Duration::from_millis(10);

/// A live service that runs: threads of the engine, of sources and of sinks, and the HTTP server where there is one.
pub struct Running {
    handle: Handle,
    reload: Arc<Reload>,
    wants_reload: Arc<AtomicBool>,
    clock: Arc<dyn Clock>,
    /// Asks sources to end, and with them all.
    stop: Stop,
    reporter: Reporter,
    lines: Receiver<String>,
    engine: JoinHandle<Result<WatchSummary, ServerError>>,
    ready: Receiver<Resume>,
    /// Not started before the journal is replayed.
    sources: Vec<Box<dyn Source>>,
    sinks: Vec<Box<dyn Sink>>,
    http: Option<Serving>,
    chaos: Option<Arc<dyn ChaosControl>>,
    /// Whether it goes on without a source.
    receives: bool,
}

type SourceThread = JoinHandle<Result<(), ServerError>>;

impl Running {
    /// Starts a service. The journal is still replayed when this returns: see
    /// [`Snapshot::is_ready`](crate::runtime::Snapshot::is_ready).
    ///
    /// # Errors
    /// [`ServerError`] for a configuration, model, source or store that cannot be used, or an address that is taken.
    pub fn start(config: WatchConfig, mut options: WatchOptions) -> Result<Self, ServerError> {
        let config = config.with_shard(options.shard);
        let models = models(&config)?;
        let mut sources = vec![source::open(&config, &models[0].1, &mut options)?];
        sources.append(&mut options.sources);
        let (mut all_sinks, targets) = sink::open(&config, &options)?;
        all_sinks.append(&mut options.sinks);
        let (reporter, lines) = Reporter::new();
        let clock = Arc::clone(&options.clock);
        let (worker, handle) = Worker::open(WorkerOptions {
            config: &config,
            models,
            clock: Arc::clone(&clock),
            reporter: reporter.clone(),
        })?;
        let config = Arc::new(config);
        let reload = Arc::new(Reload::new(Arc::clone(&config), options.read_again()));
        let stop = Stop::default();
        let context = HttpContext {
            config: Arc::clone(&config),
            handle: handle.clone(),
            clock: Arc::clone(&clock),
            reload: Arc::clone(&reload),
            receivers: config.receive.as_ref().map(|one| Receivers::new(one, &handle)).transpose()?,
            stop: stop.clone(),
            reporter: reporter.clone(),
            chaos: options.chaos.clone(),
            pages: options.pages,
            targets,
        };
        let http = config.http.as_ref().map(|http| serve(http, context)).transpose()?;
        if let Some(http) = &http {
            reporter.tell(format!("listening on {}", http.address()));
        }
        let (tells, ready) = sync_channel(1);
        let engine = spawn("engine", move || worker.run(&tells))?;
        Ok(Self {
            handle,
            reload,
            wants_reload: options.reload,
            clock,
            stop,
            reporter,
            lines,
            engine,
            ready,
            sources,
            sinks: all_sinks,
            http,
            chaos: options.chaos,
            receives: config.receive.is_some(),
        })
    }

    /// Sends inputs and reads what is published.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Reads the configuration again.
    #[must_use]
    pub fn reload(&self) -> &Arc<Reload> {
        &self.reload
    }

    /// Address of the HTTP server, where there is one.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(Serving::address)
    }

    /// What injects faults into what is watched, where something takes them.
    #[must_use]
    pub fn chaos(&self) -> Option<&Arc<dyn ChaosControl>> {
        self.chaos.as_ref()
    }

    /// Runs until the sources have ended, or it is asked to stop; then lets the engine write a checkpoint and sinks
    /// deliver what is left, for at most ten seconds.
    ///
    /// `report` is told what an operator should see, a line at a time.
    ///
    /// # Errors
    /// [`ServerError`] of a source or of the engine, after an orderly end.
    pub fn wait(mut self, stop: &Stop, report: &mut dyn FnMut(&str)) -> Result<WatchSummary, ServerError> {
        let (mut threads, mut sinks, mut is_started, mut failed) = (Vec::new(), Vec::new(), false, Ok(()));
        while !self.engine.is_finished() {
            self.tell(LOOK, report);
            if stop.is_stopped() {
                self.stop.stop();
            }
            if self.wants_reload.swap(false, Ordering::Relaxed) {
                match self.reload.reload() {
                    Ok(()) => report("the configuration was read again"),
                    Err(error) => report(&format!("the last configuration stays: {error}")),
                }
            }
            if let Ok(resume) = self.ready.try_recv()
                && !self.stop.is_stopped()
            {
                threads = self.start_sources(resume)?;
                sinks = self.start_sinks()?;
                is_started = true;
            }
            if let Err(error) = ended(&mut threads) {
                failed = Err(error);
                self.stop.stop();
            }
            if self.stop.is_stopped() || (is_started && threads.is_empty() && !self.receives) {
                break;
            }
        }
        let Self { handle, stop, reporter, lines, engine, http, .. } = self;
        stop.stop();
        if let Err(error) = end_sources(threads, &reporter) {
            failed = failed.and(Err(error));
        }
        handle.close();
        let summary = engine.join().unwrap_or_else(|_| {
            Err(ServerError::Thread { source: io::Error::other("the engine's thread has panicked") })
        });
        let deadline = Instant::now() + SINKS_END;
        for sink in sinks {
            let name = sink.name().to_owned();
            if !sink.drain(deadline) {
                reporter.tell(format!("sink {name}: did not end in time"));
            }
        }
        if let Some(http) = http {
            http.end();
        }
        lines.try_iter().for_each(|line| report(&line));
        let summary = summary?;
        failed.map(|()| summary)
    }

    /// Hands lines on for `time`.
    fn tell(&self, time: Duration, report: &mut dyn FnMut(&str)) {
        if let Ok(line) = self.lines.recv_timeout(time) {
            report(&line);
            self.lines.try_iter().for_each(|line| report(&line));
        }
    }

    fn start_sources(&mut self, resume: Resume) -> Result<Vec<SourceThread>, ServerError> {
        let (resume, about) = (Arc::new(resume), Arc::clone(&self.handle.view().about));
        let start = |mut source: Box<dyn Source>| {
            let context = SourceContext {
                handle: self.handle.named(source.name()),
                clock: Arc::clone(&self.clock),
                stop: self.stop.clone(),
                reporter: self.reporter.clone(),
                metrics: about.metrics.clone(),
                step: about.step,
                resume: Arc::clone(&resume),
            };
            spawn(&format!("source {}", source.name()), move || source.run(&context))
        };
        mem::take(&mut self.sources).into_iter().map(start).collect()
    }

    fn start_sinks(&mut self) -> Result<Vec<SinkThread>, ServerError> {
        let start = |sink| {
            let context = SinkContext {
                handle: self.handle.clone(),
                clock: Arc::clone(&self.clock),
                stop: Stop::default(),
                reporter: self.reporter.clone(),
            };
            SinkThread::spawn(sink, context)
        };
        mem::take(&mut self.sinks).into_iter().map(start).collect()
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, ServerError> {
    let builder = thread::Builder::new().name(name.to_owned());
    builder.spawn(run).map_err(|source| ServerError::Thread { source })
}

/// Takes the threads of sources that have ended from `threads`, and gives the first error.
fn ended(threads: &mut Vec<SourceThread>) -> Result<(), ServerError> {
    let mut failed = Ok(());
    for thread in threads.extract_if(.., |thread| thread.is_finished()) {
        let result = thread.join().unwrap_or_else(|_| {
            Err(ServerError::Thread { source: io::Error::other("the thread of a source has panicked") })
        });
        failed = failed.and(result);
    }
    failed
}

/// Waits for sources. One that does not end in time is left alone: the engine takes nothing of it any more.
fn end_sources(mut threads: Vec<SourceThread>, reporter: &Reporter) -> Result<(), ServerError> {
    let (deadline, mut failed) = (Instant::now() + SOURCES_END, Ok(()));
    while !threads.is_empty() && Instant::now() < deadline {
        failed = failed.and(ended(&mut threads));
        if !threads.is_empty() {
            thread::sleep(LOOK);
        }
    }
    if !threads.is_empty() {
        reporter.tell(format!("{} sources did not end in time", threads.len()));
    }
    failed
}

/// The models of the configuration by name, the main one first.
pub(crate) fn models(config: &WatchConfig) -> Result<Vec<(String, Arc<ServedModel>)>, ServerError> {
    let read = |path: &Path| {
        let file = File::open(path).map_err(|source| ServerError::File { path: path.to_owned(), source })?;
        let model = ServedModel::read(file);
        let model =
            model.map_err(|source| ServerError::Model { path: path.to_owned(), source: Box::new(source) })?;
        let name = path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok((name, Arc::new(model)))
    };
    [&config.model.path].into_iter().chain(&config.model.shadows).map(|path| read(path)).collect()
}
