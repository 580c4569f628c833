/// What happens at the chosen operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It fails, without effect.
    Error,
    /// A write puts half of its bytes, then fails; anything else fails.
    TornError,
    /// A write puts half of its bytes and says so; anything else succeeds.
    ShortWrite,
    /// A write puts half of its bytes; this and every later operation fails until
    /// [`SimulatedDisk::power_loss`](super::SimulatedDisk::power_loss) or
    /// [`SimulatedDisk::kill`](super::SimulatedDisk::kill).
    Stop,
}

/// What fails until further notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outage {
    /// Nothing.
    None,
    /// Everything that changes the disk: it is mounted read-only.
    ReadOnly,
    /// Files cannot grow past this many bytes in all. A write fills what is left, then fails.
    Full {
        /// Bytes of all files together.
        capacity: u64,
    },
    /// Syncs fail. Writes succeed.
    SyncFails,
}
