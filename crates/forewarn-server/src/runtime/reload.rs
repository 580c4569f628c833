use crate::{ServerError, WatchConfig};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Reads the configuration again.
type Read = Box<dyn Fn() -> Result<WatchConfig, ServerError> + Send + Sync>;

/// A part of a service that takes a changed configuration: checks it, and gives what makes it hold. Nothing holds
/// unless every part accepts it.
pub type ReloadHook =
    Box<dyn Fn(&WatchConfig) -> Result<Box<dyn FnOnce() + Send>, ServerError> + Send + Sync>;

/// Reads the configuration of a running service again, on SIGHUP or when asked over HTTP. The last good one stays when
/// the new one is wrong.
pub struct Reload {
    read: Option<Read>,
    hooks: Mutex<Vec<ReloadHook>>,
    state: Mutex<ReloadState>,
}

/// What became of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReloadState {
    /// The configuration that holds.
    pub config: Arc<WatchConfig>,
    /// How often it was read again and holds.
    pub accepted: u64,
    /// How often it was refused.
    pub refused: u64,
    /// Why the last one was refused; `None` if it holds.
    pub error: Option<String>,
}

impl Reload {
    /// For a configuration that `read` gives again.
    pub(crate) fn new(config: Arc<WatchConfig>, read: Option<Read>) -> Self {
        let state = ReloadState { config, accepted: 0, refused: 0, error: None };
        Self { read, hooks: Mutex::default(), state: Mutex::new(state) }
    }

    /// Adds a part that takes a changed configuration.
    pub fn add(&self, hook: ReloadHook) {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner).push(hook);
    }

    /// What became of it so far.
    #[must_use]
    pub fn state(&self) -> ReloadState {
        self.lock().clone()
    }

    /// Reads the configuration again. One at a time: a second call waits for the first.
    ///
    /// # Errors
    /// [`ServerError`] when it cannot be read or is wrong; [`ServerError::Config`] when something changed that needs
    /// a restart. The last good one holds.
    pub fn reload(&self) -> Result<(), ServerError> {
        let hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        let old = Arc::clone(&self.lock().config);
        let prepared = self.prepare(&old, &hooks);
        let mut state = self.lock();
        match prepared {
            Ok((config, apply)) => {
                apply.into_iter().for_each(|apply| apply());
                state.config = config;
                state.accepted += 1;
                state.error = None;
                Ok(())
            }
            Err(error) => {
                state.refused += 1;
                state.error = Some(error.to_string());
                Err(error)
            }
        }
    }

    #[expect(clippy::type_complexity, reason = "used once, above")]
    fn prepare(
        &self,
        old: &WatchConfig,
        hooks: &[ReloadHook],
    ) -> Result<(Arc<WatchConfig>, Vec<Box<dyn FnOnce() + Send>>), ServerError> {
        let read = self.read.as_ref().ok_or_else(|| ServerError::Config {
            reason: "it was not read from a file, and cannot be read again".to_owned(),
        })?;
        let config = read()?;
        let fixed = config.needs_restart(old);
        if !fixed.is_empty() {
            let tables = fixed.join(", ");
            return Err(ServerError::Config { reason: format!("{tables}: changed, which needs a restart") });
        }
        let apply = hooks.iter().map(|hook| hook(&config)).collect::<Result<_, _>>()?;
        Ok((Arc::new(config), apply))
    }

    fn lock(&self) -> MutexGuard<'_, ReloadState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Reload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reload").field("state", &self.state()).finish_non_exhaustive()
    }
}
