//! Metrics of the process, under the names that every client library uses.

use super::page::{Page, plain};
use forewarn_prometheus::PrometheusError;
use std::fs;

/// What the system says of this process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Process {
    cpu_seconds: f64,
    start_seconds: f64,
    resident_bytes: f64,
    virtual_bytes: f64,
    threads: f64,
    open_files: Option<f64>,
}

/// Ticks of a second in `/proc`: the same on every Linux.
const TICKS: f64 = 100.0;

impl Process {
    /// Asks the system; `None` where there is no `/proc`.
    pub(crate) fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let boot = fs::read_to_string("/proc/stat").ok()?;
        let open_files = fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as f64);
        Some(Self { open_files, ..Self::of(&stat, &status, &boot)? })
    }

    fn of(stat: &str, status: &str, boot: &str) -> Option<Self> {
        // The name of the program is in parentheses and may have blanks and parentheses.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        // Fields are counted from 3 after the name: see proc(5).
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        let line = |text: &str, name: &str| -> Option<f64> {
            let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
            rest.split_whitespace().next()?.parse().ok()
        };
        Some(Self {
            cpu_seconds: (field(14)? + field(15)?) / TICKS,
            start_seconds: line(boot, "btime ")? + field(22)? / TICKS,
            resident_bytes: line(status, "VmRSS:")? * 1024.0,
            virtual_bytes: field(23)?,
            threads: field(20)?,
            open_files: None,
        })
    }

    pub(super) fn render(&self, page: &mut Page) -> Result<(), PrometheusError> {
        let seconds = Some("seconds");
        page.counter(
            "process_cpu_seconds",
            seconds,
            "Processor time of the process.",
            plain(self.cpu_seconds),
        )?;
        page.gauge(
            "process_start_time_seconds",
            seconds,
            "When the process was started.",
            plain(self.start_seconds),
        )?;
        let bytes = Some("bytes");
        page.gauge("process_resident_memory_bytes", bytes, "Memory in use.", plain(self.resident_bytes))?;
        page.gauge("process_virtual_memory_bytes", bytes, "Addresses in use.", plain(self.virtual_bytes))?;
        page.gauge("process_threads", None, "Threads.", plain(self.threads))?;
        let open_files = self.open_files.map(|count| (Vec::new(), count));
        page.gauge("process_open_fds", None, "Open files and sockets.", open_files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_manual() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 7 0 12345 987654 300 1844674407370955";
        let process =
            Process::of(stat, "Name:\ta\nVmRSS:\t    2048 kB\n", "cpu 1 2\nbtime 1700000000\n").unwrap();
        assert_eq!((process.cpu_seconds, process.threads), (3.0, 7.0));
        assert_eq!((process.resident_bytes, process.virtual_bytes), (2_097_152.0, 987_654.0));
        assert_eq!(process.start_seconds, 1_700_000_123.45);
        assert_eq!(Process::of("", "", ""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_memory_and_threads() {
        let process = Process::read().unwrap();
        assert!(process.resident_bytes > 0.0 && process.threads >= 1.0 && process.open_files >= Some(3.0));
    }
}
