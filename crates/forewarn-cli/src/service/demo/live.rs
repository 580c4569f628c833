use super::{
    Demo,
    folder::DemoFolder,
    story::{Story, clock},
    summary::summary,
};
use crate::{
    error::CliError,
    options::common::Common,
    output::{printable, terminal},
    service::page::page,
};
use forewarn_server::{
    Running, Stop, WatchConfig, WatchOptions,
    http::{TokenHash, new_token},
    runtime::Handle,
    start_log,
};
use std::{
    io::Write,
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, atomic::AtomicBool},
    thread,
    time::Duration,
};

/// Ports that are tried.
const PORTS: u16 = 50;

/// The service with its page, until its time is over or Ctrl-C.
pub(super) fn run(folder: &mut DemoFolder, demo: &Demo, common: &Common) -> Result<(), CliError> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
    }
    let stop = Stop::from(flag);
    let token = new_token()?;
    let port = free_port(demo.port)?;
    let tokens = folder.accept(&TokenHash::of(&token).to_string())?;
    let http = format!(
        "\n# Whoever is on this machine may look; whoever has the token may do something.\n\
         [http]\nlisten = \"127.0.0.1:{port}\"\nanonymous_reads = true\n{tokens}"
    );
    let config = WatchConfig::from_path(&folder.configure(demo.all_minutes(), demo.speed, &http)?)?;
    start_log(&config.log)?;
    let running = Running::start(config, WatchOptions::default().with_pages(page))?;
    let (handle, chaos) = (running.handle().clone(), running.chaos().cloned());
    let address = format!("http://127.0.0.1:{}/", running.address().map_or(port, |address| address.port()));
    let teller = thread::Builder::new().name("teller".to_owned()).spawn({
        let (handle, stop, is_quiet) = (handle.clone(), stop.clone(), common.quiet);
        let (from, place) = (folder.live_from(), place(folder));
        move || {
            if wait_for(&handle, &stop, from) {
                // A closed pipe is no reason to end a service.
                drop(ready(&address, &token, &place));
                if !is_quiet {
                    tell(&handle, &stop);
                }
            }
        }
    })?;
    let mut report = |line: &str| {
        if !common.quiet {
            eprintln!("{}", printable::text(line));
        }
    };
    let ended = running.wait(&stop, &mut report);
    stop.stop();
    // It holds nothing that anything waits for.
    drop(teller.join());
    ended?;
    terminal::print(&summary(&handle.view(), chaos.as_deref(), folder.live_from()))
}

/// Where everything lies, as a sentence.
fn place(folder: &DemoFolder) -> String {
    let path = folder.path().display();
    if folder.is_temporary() {
        format!("Everything lies in {path} until the end; after a kill, --folder {path} goes on.")
    } else {
        format!("Everything lies in {path}; --folder {path} goes on where it ends.")
    }
}

/// Waits until the past has passed. Returns whether it has.
fn wait_for(handle: &Handle, stop: &Stop, from: forewarn::prelude::Timestamp) -> bool {
    loop {
        if handle.view().last_row.is_some_and(|last| last >= from) {
            return true;
        }
        if stop.is_stopped() || handle.events_since(u64::MAX).is_over() {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Tells where the page is. The token is told nowhere else.
fn ready(address: &str, token: &str, place: &str) -> Result<(), CliError> {
    terminal::print(&format!(
        "\nThe page is at {address}\n\
         To inject faults, acknowledge and silence, open it once by this link, which carries a token:\n\
         {address}#token={token}\n\n{place}\nCtrl-C ends it.\n"
    ))
}

/// Warnings, failures and verdicts as they come, a line each.
fn tell(handle: &Handle, stop: &Stop) {
    let mut feed = handle.events_since(handle.view().events.next());
    let mut out = std::io::stderr();
    while !stop.is_stopped() && !feed.is_over() {
        for event in feed.wait(1_000, Duration::from_millis(500), stop) {
            if let Some(line) = Story::of(&event.event.body) {
                let line = format!("{}  {line}\n", clock(event.event.time));
                if out.write_all(printable::text(&line).as_bytes()).is_err() {
                    return;
                }
            }
        }
    }
}

/// The first port from `first` on that can be listened on.
fn free_port(first: u16) -> Result<u16, CliError> {
    let last = first.saturating_add(PORTS);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    (first..=last).find(is_free).ok_or_else(|| {
        CliError::failed(format!("no port from {first} to {last} is free on 127.0.0.1; give --port"))
    })
}
