//! How much memory there is.

use std::{fs, path::Path};

/// Memory of the control group that this process is in, where it is limited.
const GROUP: [(&str, &str); 2] = [
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
];

/// Bytes that this process can still take: the least of what the system has, what its control group leaves, and what
/// its own limit leaves. `None` where no such thing can be read.
pub(crate) fn available() -> Option<u64> {
    let read = |path: &str| fs::read_to_string(Path::new(path)).ok();
    let system = read("/proc/meminfo").and_then(|text| field(&text, "MemAvailable:")).map(|kib| kib * 1024);
    let group = GROUP.iter().filter_map(|(most, now)| {
        let (most, now): (u64, u64) = (read(most)?.trim().parse().ok()?, read(now)?.trim().parse().ok()?);
        Some(most.saturating_sub(now))
    });
    let addresses = read("/proc/self/limits").and_then(|text| field(&text, "Max address space"));
    let taken = read("/proc/self/status").and_then(|text| field(&text, "VmSize:")).map(|kib| kib * 1024);
    let own = addresses.zip(taken).map(|(most, taken)| most.saturating_sub(taken));
    system.into_iter().chain(group).chain(own).min()
}

/// The number behind a name at the begin of a line; `None` for `unlimited`.
fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// A size such as `2G`, `512M` or `1.5 GB`, in bytes.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    const EXPECTED: &str = "expected a size such as 2G or 512M";
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(EXPECTED)?;
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "mib" => f64::from(1 << 20),
        "gib" => f64::from(1 << 30),
        _ => return Err(EXPECTED.to_owned()),
    };
    let bytes = number.parse::<f64>().map_err(|_| EXPECTED)? * factor;
    if (1e6..1e18).contains(&bytes) { Ok(bytes as u64) } else { Err(EXPECTED.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [("2G", 2_000_000_000), ("512 MB", 512_000_000), ("1.5GiB", 3 << 29)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for wrong in ["", "2", "G", "-1G", "1e3G", "2 parsecs", "1K", "0G"] {
            assert!(size(wrong).unwrap_err().contains("2G"), "{wrong}");
        }
    }

    #[test]
    fn fields_are_found_by_their_names() {
        let limits =
            "Limit  Soft Limit  Hard Limit  Units\nMax address space         2048000000  unlimited  bytes\n";
        assert_eq!(field(limits, "Max address space"), Some(2_048_000_000));
        assert_eq!(field("Max address space   unlimited   unlimited  bytes", "Max address space"), None);
        assert_eq!(field("MemTotal: 9 kB\nMemAvailable:   1234 kB\n", "MemAvailable:"), Some(1234));
        assert!(available().is_none_or(|bytes| bytes > 0));
    }
}
