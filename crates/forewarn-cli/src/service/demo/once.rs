use super::{HISTORY_MINUTES, ONCE_MINUTES, folder::DemoFolder, summary::summary};
use crate::error::CliError;
use forewarn_server::{Running, Stop, WatchConfig, WatchOptions};

/// An hour after the past, as fast as it goes, in words.
pub(super) fn run(folder: &DemoFolder) -> Result<String, CliError> {
    let config = folder.configure(HISTORY_MINUTES + ONCE_MINUTES, 0.0, "")?;
    let running = Running::start(WatchConfig::from_path(&config)?, WatchOptions::default())?;
    let (handle, chaos) = (running.handle().clone(), running.chaos().cloned());
    // What an operator would be told is in the summary, or an error.
    running.wait(&Stop::default(), &mut |_| {})?;
    Ok(summary(&handle.view(), chaos.as_deref(), folder.live_from()))
}
