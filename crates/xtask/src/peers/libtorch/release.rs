//! Which libtorch the workspace's `tch` expects, and the wheels that it is cut from.
//!
//! Moving to a newer `tch`:
//!
//! 1. `TORCH_VERSION` in the `build.rs` of the matching `torch-sys` is the new [`LIBTORCH`]. Write `TCH` as well.
//! 2. For each platform, `python3 -m pip download --no-deps --only-binary=:all: --python-version 3.11
//!    --implementation cp --abi cp311 --platform TAG torch==VERSION`, with the tag of the wheel that there is.
//!    `Requires-Dist` in the wheel's METADATA names the versions of the `nvidia-*` wheels.
//! 3. `readelf -d libtorch_cpu.so` lists what it needs. All that the system's C and C++ libraries do not
//!    bring has to be taken from the wheels, and again for each library taken.
//! 4. Write the file names and `sha256sum *.whl` below, then `cargo xtask libtorch` and `cargo xtask test`.

/// The `tch` that this table is for, without the patch number.
#[cfg(test)]
pub(super) const TCH: &str = "0.26";

/// The libtorch that it expects.
pub(super) const LIBTORCH: &str = "2.13.0";

/// Where a platform's libtorch comes from.
#[derive(Debug)]
pub(super) struct Release {
    /// Platform tags that pip shall accept.
    pub(super) platforms: &'static [&'static str],
    /// The wheels, torch first.
    pub(super) wheels: &'static [Wheel],
}

/// One wheel and what is taken from it.
#[derive(Debug)]
pub(super) struct Wheel {
    /// `name==version`, as pip wants it.
    pub(super) requirement: &'static str,
    /// Its file name.
    pub(super) file: &'static str,
    /// Its SHA-256, in hexadecimal.
    pub(super) sha256: &'static str,
    /// Folder in it that becomes `include/`, if any.
    pub(super) include: Option<&'static str>,
    /// Folder in it that has the libraries.
    pub(super) lib: &'static str,
    /// The libraries taken, which all land in one `lib/`.
    pub(super) libraries: &'static [&'static str],
}

impl Release {
    /// All libraries of the finished folder but `libtorch.so`.
    pub(super) fn libraries(&self) -> impl Iterator<Item = &'static str> {
        self.wheels.iter().flat_map(|wheel| wheel.libraries.iter().copied())
    }
}

/// The release for a platform, by the names in [`std::env::consts`].
///
/// The published wheels are of the CUDA build. Its `libtorch_cpu.so` names two small CUDA libraries that need no driver
/// to load; with `libtorch_cuda.so` left out, what remains is a CPU libtorch.
pub(super) fn find(os: &str, arch: &str) -> Option<&'static Release> {
    match (os, arch) {
        ("linux", "x86_64") => Some(&LINUX_X86_64),
        ("linux", "aarch64") => Some(&LINUX_AARCH64),
        _ => None,
    }
}

static LINUX_X86_64: Release = Release {
    platforms: &[
        "manylinux_2_28_x86_64",
        "manylinux_2_25_x86_64",
        "manylinux_2_17_x86_64",
        "manylinux2014_x86_64",
    ],
    wheels: &[
        Wheel {
            requirement: "torch==2.13.0",
            file: "torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl",
            sha256: "60fcdcb2f3876e21146cb4524ef06397d727ca9ad5f020818547e25075fe3cb7",
            include: Some("torch/include/"),
            lib: "torch/lib/",
            libraries: &["libtorch_cpu.so", "libc10.so", "libgomp.so.1"],
        },
        Wheel {
            requirement: "nvidia-cuda-cupti==13.0.85",
            file: "nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl",
            sha256: "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
            include: None,
            lib: "nvidia/cu13/lib/",
            libraries: &["libcupti.so.13"],
        },
        Wheel {
            requirement: "nvidia-cuda-runtime==13.0.96",
            file: "nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
            sha256: "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
            include: None,
            lib: "nvidia/cu13/lib/",
            libraries: &["libcudart.so.13"],
        },
    ],
};

static LINUX_AARCH64: Release = Release {
    platforms: &[
        "manylinux_2_28_aarch64",
        "manylinux_2_25_aarch64",
        "manylinux_2_17_aarch64",
        "manylinux2014_aarch64",
    ],
    wheels: &[
        Wheel {
            requirement: "torch==2.13.0",
            file: "torch-2.13.0-cp311-cp311-manylinux_2_28_aarch64.whl",
            sha256: "092790c696a760c729fd5722835f50b9d81fd7c8f141571f3f3cf4081a8f664c",
            include: Some("torch/include/"),
            lib: "torch/lib/",
            libraries: &[
                "libtorch_cpu.so",
                "libc10.so",
                "libgomp.so.1",
                "libarm_compute.so",
                "libarm_compute_graph.so",
                "libnvpl_blas_core.so.0",
                "libnvpl_blas_lp64_gomp.so.0",
                "libnvpl_lapack_core.so.0",
                "libnvpl_lapack_lp64_gomp.so.0",
            ],
        },
        Wheel {
            requirement: "nvidia-cuda-cupti==13.0.85",
            file: "nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_aarch64.whl",
            sha256: "796bd679890ee55fb14a94629b698b6db54bcfd833d391d5e94017dd9d7d3151",
            include: None,
            lib: "nvidia/cu13/lib/",
            libraries: &["libcupti.so.13"],
        },
        Wheel {
            requirement: "nvidia-cuda-runtime==13.0.96",
            file: "nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl",
            sha256: "ef9bcbe90493a2b9d810e43d249adb3d02e98dd30200d86607d8d02687c43f55",
            include: None,
            lib: "nvidia/cu13/lib/",
            libraries: &["libcudart.so.13"],
        },
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    /// `version = "X"` of a package in the workspace's lock file.
    fn locked(package: &str) -> String {
        let lock = std::fs::read_to_string(crate::root().join("Cargo.lock")).unwrap();
        let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{package}\""));
        lines.nth(1).unwrap().trim_start_matches("version = ").trim_matches('"').to_owned()
    }

    #[test]
    fn the_table_is_for_the_locked_tch() {
        let tch = locked("tch");
        assert!(
            tch.starts_with(&format!("{TCH}.")),
            "tch is {tch}, the table is for {TCH}: see libtorch/release.rs"
        );
    }

    #[test]
    fn every_platform_takes_torch_of_the_right_version_and_a_flat_lib() {
        for arch in ["x86_64", "aarch64"] {
            let release = find("linux", arch).unwrap();
            assert_eq!(release.wheels[0].requirement, format!("torch=={LIBTORCH}"));
            for wheel in release.wheels {
                let (name, version) = wheel.requirement.split_once("==").unwrap();
                assert!(
                    wheel.file.starts_with(&format!("{}-{version}-", name.replace('-', "_"))),
                    "{wheel:?}"
                );
                assert!(wheel.file.contains(arch), "{wheel:?}");
                assert!(release.platforms.iter().any(|platform| wheel.file.contains(platform)), "{wheel:?}");
                assert!(
                    wheel.sha256.len() == 64 && wheel.sha256.bytes().all(|byte| byte.is_ascii_hexdigit())
                );
                assert!(wheel.lib.ends_with('/') && wheel.include.is_none_or(|folder| folder.ends_with('/')));
            }
            let mut libraries: Vec<_> = release.libraries().collect();
            let all = libraries.len();
            libraries.sort_unstable();
            libraries.dedup();
            assert_eq!(libraries.len(), all, "two libraries of one name");
            assert!(libraries.contains(&"libtorch_cpu.so") && !libraries.contains(&"libtorch_cuda.so"));
        }
        assert!(find("macos", "aarch64").is_none() && find("windows", "x86_64").is_none());
    }
}
