//! The past of a shop, as OpenMetrics text: what an OpenTelemetry SDK exports.

use std::{
    fmt::Write as _,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

/// Upper bounds of the buckets.
const BOUNDS: [&str; 4] = ["0.05", "0.25", "1", "+Inf"];

/// Scrapes every `step` seconds from `from` to `to`, in seconds since 1970.
#[derive(Clone, Copy)]
pub(crate) struct History {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) step: i64,
}

/// A small generator with a fixed stream.
struct Stream(u64);

impl Stream {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

impl History {
    /// Two services, `shop/web` and `shop/cart`. The web has no errors in the first third, so that there is no series
    /// of them yet, and restarts in the middle; the cart is away for a while, and has no traffic in the last tenth.
    pub(crate) fn write(self, path: &Path) {
        let mut file = BufWriter::new(File::create(path).unwrap());
        writeln!(file, "# TYPE http_server_request_duration_seconds histogram").unwrap();
        let scrapes = (self.to - self.from) / self.step;
        let name = "http_server_request_duration_seconds";
        for (job, status, seed) in [("shop/web", "200", 1), ("shop/web", "503", 2), ("shop/cart", "200", 3)] {
            let mut stream = Stream(seed);
            let mut text: [String; 4] = Default::default();
            let mut counts = [0_u64; 4];
            for scrape in 0..scrapes {
                let share = scrape as f64 / scrapes as f64;
                if status == "503" && share < 1.0 / 3.0 || job == "shop/cart" && (0.5..0.55).contains(&share)
                {
                    continue;
                }
                if job == "shop/web" && scrape == scrapes / 2 {
                    counts = [0; 4];
                }
                if !(job == "shop/cart" && share > 0.9) {
                    for count in &mut counts {
                        *count += stream.next(if status == "200" { 40 } else { 3 });
                    }
                }
                let time = self.from + scrape * self.step;
                let mut sum = 0;
                for (line, (count, bound)) in text.iter_mut().zip(counts.iter().zip(BOUNDS)) {
                    sum += count;
                    writeln!(
                        line,
                        "{name}_bucket{{job=\"{job}\",http_response_status_code=\"{status}\",\
                         le=\"{bound}\"}} {sum} {time}"
                    )
                    .unwrap();
                }
                if let Some(last) = text.last_mut() {
                    writeln!(
                        last,
                        "{name}_count{{job=\"{job}\",http_response_status_code=\"{status}\"}} \
                         {sum} {time}"
                    )
                    .unwrap();
                }
            }
            text.iter().for_each(|text| file.write_all(text.as_bytes()).unwrap());
        }
        file.write_all(b"# EOF\n").unwrap();
        file.flush().unwrap();
    }
}
