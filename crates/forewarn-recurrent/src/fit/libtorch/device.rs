use serde::{Deserialize, Serialize};

/// Where libtorch computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Device {
    /// On the processor, with one thread, so that a fit gives the same model each time: libtorch is told so for the
    /// whole process.
    #[default]
    Cpu,
    /// On the first CUDA device, where there is one and a libtorch that can use it, else as [`Cpu`](Self::Cpu).
    CudaIfAvailable,
    /// On the first CUDA device; an error where there is none. Sums on a GPU may differ in the last bits from run to
    /// run.
    ///
    /// A program that was built with a libtorch for processors finds CUDA when `libtorch_cuda.so` of the same release
    /// lies beside the `libtorch_cpu.so` that it runs with, as in the folder `torch/lib` of PyTorch: set
    /// `LD_LIBRARY_PATH` to that.
    Cuda,
}
