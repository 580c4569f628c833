//! Draws one day, one cascade and one leak of the simulated shop as SVG, for docs/explanation/simulator.md.
//!
//! `cargo run --release --example simulator_pictures -- docs/explanation/simulator`

mod svg;

use forewarn::sim::{
    Fleet,
    fleet::{FaultKind, FaultSchedule, FleetRun, Injection, Load},
};
use std::{error::Error, fs, path::PathBuf};
use svg::{Panel, picture};

fn panel(title: &'static str, metric: &'static str, factor: f64, unit: &'static str, most: f64) -> Panel {
    Panel { title, metric, factor, unit, most }
}

/// Two days under the usual faults; the second is drawn.
fn day() -> Result<FleetRun, Box<dyn Error>> {
    Ok(Fleet::shop(7).with_minutes(2 * 1440).run()?)
}

/// The shop under a steady load and with no faults but those that are injected.
fn calm() -> Fleet {
    Fleet::shop(7).with_minutes(130).with_load(Load::steady(1.0)).with_faults(FaultSchedule::none())
}

fn cascade() -> Result<FleetRun, Box<dyn Error>> {
    let slow = Injection::new(FaultKind::DependencySlowdown, "database").with_severity(0.8);
    let slow = slow.with_ramp_minutes(15.0).with_duration_minutes(15.0).with_recovery_minutes(5.0);
    Ok(calm().with_injection(20, slow).run()?)
}

fn leak() -> Result<FleetRun, Box<dyn Error>> {
    let leak = Injection::new(FaultKind::MemoryLeak, "user").with_severity(0.8).with_duration_minutes(75.0);
    let busy = calm().with_load(Load { level: 1.25, ..Load::steady(1.0) });
    Ok(busy.with_injection(15, leak).run()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map_or("docs/explanation/simulator".into(), PathBuf::from);
    fs::create_dir_all(&folder)?;
    let requests = panel("requests", "request_count", 1.0, " a minute", 1e9);
    let median = panel("median", "p50_latency", 1.0, " ms", 1e9);
    let p99 = panel("99th percentile", "p99_latency", 1.0, " ms", 1e9);
    let errors = panel("error rate", "error_rate", 100.0, " %", 100.0);
    let cpu = panel("cpu", "cpu_usage", 100.0, " %", 100.0);
    let memory = panel("memory", "memory_usage", 100.0, " %", 100.0);
    let restarts = panel("pod restarts", "pod_restarts", 1.0, "", 1e9);
    // Rare peaks would flatten the rest of the day.
    let low_p99 = Panel { most: 600.0, ..p99 };
    let pictures = [
        (
            "day.svg",
            picture(
                "One day of the shop (red: faults, grey: routine)",
                &day()?,
                1440..2880,
                &[requests, low_p99, cpu, errors],
            )?,
        ),
        (
            "cascade.svg",
            picture(
                "A database grows slow, and its clients retry",
                &cascade()?,
                10..70,
                &[requests, median, p99, errors],
            )?,
        ),
        (
            "leak.svg",
            picture(
                "A service loses memory: collection, kills, cold caches",
                &leak()?,
                10..130,
                &[memory, cpu, restarts, errors],
            )?,
        ),
    ];
    for (name, svg) in pictures {
        fs::write(folder.join(name), svg)?;
        println!("{}", folder.join(name).display());
    }
    Ok(())
}
