//! Finding a GPU, also by a program that was built with a libtorch for processors.

use super::device::Device;
use forewarn_core::CoreError;
use std::{path::PathBuf, sync::OnceLock};

/// Whether libtorch finds a GPU.
pub(crate) fn has_gpu() -> bool {
    find(Device::Cuda).is_ok()
}

/// Where to compute.
///
/// # Errors
/// [`CoreError::InvalidSetting`] where CUDA is asked for and not to be had, with the reason.
pub(super) fn find(device: Device) -> Result<tch::Device, CoreError> {
    if device == Device::Cpu {
        return Ok(tch::Device::Cpu);
    }
    // Before the first question about CUDA: libtorch remembers the answer.
    let loaded = load();
    if tch::Cuda::is_available() {
        return Ok(tch::Device::Cuda(0));
    }
    match device {
        Device::Cuda => Err(CoreError::InvalidSetting {
            name: "device",
            value: format!(
                "cuda, with {}",
                loaded.as_ref().map_or_else(String::as_str, |()| "no GPU at hand")
            ),
            expected: "a GPU and a libtorch for CUDA, or a device that can do without",
        }),
        Device::CudaIfAvailable | Device::Cpu => Ok(tch::Device::Cpu),
    }
}

/// Loads `libtorch_cuda` once, or says why not.
fn load() -> &'static Result<(), String> {
    static LOADED: OnceLock<Result<(), String>> = OnceLock::new();
    LOADED.get_or_init(|| beside_libtorch("libtorch_cuda.so"))
}

/// Loads a library from the folder of the `libtorch_cpu.so` that this program runs with, and keeps it: its
/// initialisers tell libtorch what there is.
#[cfg(target_os = "linux")]
fn beside_libtorch(name: &str) -> Result<(), String> {
    let maps = std::fs::read_to_string("/proc/self/maps").map_err(|error| error.to_string())?;
    let path = folder_in(&maps).ok_or("no libtorch_cpu.so loaded")?.join(name);
    if !path.is_file() {
        return Err(format!("no {}", path.display()));
    }
    open(&path)
}

/// Elsewhere a libtorch for CUDA is linked when a program is built, or not at all.
#[cfg(not(target_os = "linux"))]
fn beside_libtorch(_: &str) -> Result<(), String> {
    Ok(())
}

/// The folder of the `libtorch_cpu.so` in a list of a process's memory, whose lines end in the path of a mapped file,
/// if any.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "there are no such lists"))]
fn folder_in(maps: &str) -> Option<PathBuf> {
    let path = maps.lines().find_map(|line| {
        let path = &line[line.find('/')?..];
        path.ends_with("/libtorch_cpu.so").then_some(path)
    });
    path.and_then(|path| PathBuf::from(path).parent().map(PathBuf::from))
}

#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "a library's initialisers run when it is loaded; no crate that is kept up does this safely"
)]
fn open(path: &std::path::Path) -> Result<(), String> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
    // SAFETY: the library is the part of libtorch that belongs to the one which is loaded: it lies in the same
    // folder, where a program that is linked to both would have found it, and its initialisers would have run before
    // `main` by the same rules. They register kernels behind libtorch's own locks. It is never unloaded, so nothing
    // that it registered dangles.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_GLOBAL) };
    std::mem::forget(library.map_err(|error| error.to_string())?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_libtorch_is_found_among_others() {
        let maps = "\
7f00-7f01 r-xp 00000000 fd:00 12   /usr/lib/libc.so.6
7f01-7f02 rw-p 00000000 00:00 0
7f02-7f03 r--p 00000000 fd:00 13   /opt/py torch/lib/libtorch_cpu.so
7f03-7f04 r--p 00000000 fd:00 13   /opt/other/libtorch_cpu.so.1
";
        assert_eq!(folder_in(maps), Some(PathBuf::from("/opt/py torch/lib")));
        assert_eq!(folder_in("7f00-7f01 r-xp 00000000 fd:00 12   /usr/lib/libc.so.6"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_lies_beside_libtorch_is_loaded_and_what_does_not_is_named() {
        assert!(tch::get_num_threads() > 0, "libtorch is there");
        assert_eq!(beside_libtorch("libc10.so"), Ok(()));
        let refused = beside_libtorch("libtorch_of_nowhere.so").unwrap_err();
        assert!(refused.starts_with("no /") && refused.ends_with("libtorch_of_nowhere.so"), "{refused}");
    }

    #[test]
    fn cuda_is_found_or_refused_with_the_reason_or_done_without() {
        assert_eq!(find(Device::Cpu).unwrap(), tch::Device::Cpu);
        let (wanted, welcome) = (find(Device::Cuda), find(Device::CudaIfAvailable).unwrap());
        if tch::Cuda::is_available() {
            assert_eq!((wanted.unwrap(), welcome), (tch::Device::Cuda(0), tch::Device::Cuda(0)));
        } else {
            let refused = wanted.unwrap_err().to_string();
            assert!(refused.contains("libtorch_cuda.so") || refused.contains("no GPU at hand"), "{refused}");
            assert_eq!(welcome, tch::Device::Cpu);
        }
    }
}
