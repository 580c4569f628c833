use super::{WatchOptions, WatchSummary, outlets::Outlets};
use crate::{
    ServerError, WatchConfig,
    chaos::{ChaosControl, HookChaos},
    receive::Receivers,
    runtime::{
        Clock, Handle, HttpContext, Reload, Reporter, Resume, Serving, SinkContext, Source, SourceContext,
        Stop, Worker, WorkerOptions, serve,
    },
    source,
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
    outlets: Outlets,
    http: Option<Serving>,
    chaos: Option<Arc<dyn ChaosControl>>,
    /// Ends faults of a target when their time is over.
    chaos_thread: Option<JoinHandle<()>>,
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
        let others = mem::take(&mut options.sinks);
        let outlets = Outlets::open(&config, options.transport.clone(), others)?;
        let (reporter, lines) = Reporter::new();
        let clock = Arc::clone(&options.clock);
        let (worker, handle) = Worker::open(WorkerOptions {
            config: &config,
            models,
            clock: Arc::clone(&clock),
            reporter: reporter.clone(),
        })?;
        let config = Arc::new(config);
        let stop = Stop::default();
        let target = config.chaos.as_ref().filter(|_| options.chaos.is_none()).map(|chaos| {
            let transport = options.transport(&chaos.target.tls)?;
            HookChaos::open(chaos, &config.store.path, transport, Arc::clone(&clock)).map(Arc::new)
        });
        let target = target.transpose()?;
        if let Some(target) = &target {
            target.judge_by(handle.clone());
            options.chaos = Some(Arc::clone(target) as Arc<dyn ChaosControl>);
        }
        let reload = Arc::new(Reload::new(Arc::clone(&config), options.read_again()));
        reload.add(outlets.hook(&config));
        let context = HttpContext {
            config: Arc::clone(&config),
            handle: handle.clone(),
            clock: Arc::clone(&clock),
            reload: Arc::clone(&reload),
            receivers: config.receive.as_ref().map(|one| Receivers::new(one, &handle)).transpose()?,
            stop: stop.clone(),
            reporter: reporter.clone(),
            chaos: options.chaos.clone(),
            flows: options.flows.clone(),
            pages: options.pages,
            targets: outlets.targets(),
        };
        let http = config.http.as_ref().map(|http| serve(http, context)).transpose()?;
        if let Some(http) = &http {
            reporter.tell(format!("listening on {}", http.address()));
        }
        let asked = stop.clone();
        let chaos_thread = target.map(|target| spawn("chaos", move || target.run(&asked))).transpose()?;
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
            outlets,
            http,
            chaos: options.chaos,
            chaos_thread,
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
        let (mut threads, mut is_started, mut failed) = (Vec::new(), false, Ok(()));
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
                let context = self.sink_context();
                self.outlets.start(&context)?;
                is_started = true;
            }
            if is_started {
                let context = self.sink_context();
                self.outlets.look(&context, &self.reporter)?;
            }
            if let Err(error) = ended(&mut threads) {
                failed = Err(error);
                self.stop.stop();
            }
            if self.stop.is_stopped() || (is_started && threads.is_empty() && !self.receives) {
                break;
            }
        }
        let Self { handle, stop, reporter, lines, engine, http, outlets, chaos_thread, .. } = self;
        stop.stop();
        if let Err(error) = end_sources(threads, &reporter) {
            failed = failed.and(Err(error));
        }
        handle.close();
        let summary = engine.join().unwrap_or_else(|_| {
            Err(ServerError::Thread { source: io::Error::other("the engine's thread has panicked") })
        });
        let deadline = Instant::now() + SINKS_END;
        while chaos_thread.as_ref().is_some_and(|thread| !thread.is_finished()) && Instant::now() < deadline {
            thread::sleep(LOOK);
        }
        outlets.end(deadline, &reporter);
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

    /// Makes what each sink has.
    fn sink_context(&self) -> impl Fn() -> SinkContext + use<> {
        let (handle, clock, reporter) = (self.handle.clone(), Arc::clone(&self.clock), self.reporter.clone());
        move || SinkContext {
            handle: handle.clone(),
            clock: Arc::clone(&clock),
            stop: Stop::default(),
            reporter: reporter.clone(),
        }
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
