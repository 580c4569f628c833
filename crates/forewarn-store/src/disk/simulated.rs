//! A disk in memory that fails on request: errors at a chosen operation, short writes, no space, loss of power.

mod faults;
mod state;

use super::{Access, Disk, DiskFile, DiskLock};
pub use faults::{Fault, Outage};
use state::State;
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A disk in memory for tests of programs that store. Clones share it.
///
/// Everything that was not synced is at risk: [`power_loss`](Self::power_loss) keeps an arbitrary part of it,
/// sector by sector and name by name, in no order. A sync that fails loses what it should have written, as Linux
/// does, and a later one that succeeds does not bring it back. [`kill`](Self::kill) ends the process only: what was
/// written stays.
#[derive(Clone, Debug, Default)]
pub struct SimulatedDisk(Arc<Mutex<State>>);

impl SimulatedDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked has its own message; the state is whole between operations.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Operations so far: all that read or change the disk.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Lets the operation with this number fail, counted from 0 like [`operations`](Self::operations).
    pub fn fail_at(&self, operation: u64, fault: Fault) {
        self.state().fault = Some((operation, fault));
    }

    /// Begins or ends an outage.
    pub fn set_outage(&self, outage: Outage) {
        self.state().outage = outage;
    }

    /// Ends the process: open files and locks are gone, what was written stays, and faults end.
    pub fn kill(&self) {
        self.state().restart();
    }

    /// Cuts the power: of everything that was not synced, `keep` decides piece by piece what stays. Otherwise like
    /// [`kill`](Self::kill).
    pub fn power_loss(&self, keep: impl FnMut() -> bool) {
        let mut state = self.state();
        state.lose_power(keep);
        state.restart();
    }

    /// The content of a file, as a running process sees it.
    pub fn content(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        self.state().content(path.as_ref()).ok().cloned()
    }

    /// Replaces the content of a file, durably, and creates it where it is missing: damage, for instance.
    pub fn set_content(&self, path: impl AsRef<Path>, bytes: &[u8]) {
        self.state().set_content(path.as_ref(), bytes);
    }

    /// Paths of all files, in order.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state().paths()
    }
}

impl Disk for SimulatedDisk {
    fn create_folder(&self, _: &Path) -> io::Result<()> {
        self.state().change_names(|_| {})
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.begin_reading()?;
        let names = state.paths().into_iter().filter(|path| path.parent() == Some(folder));
        Ok(names.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        state.change_names(|state| state.create(path))?;
        self.handle(&state, path, Access::Write)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        state.begin_reading()?;
        if access == Access::Write {
            state.writable()?;
        }
        self.handle(&state, path, access)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.content(from)?;
        state.change_names(|state| state.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.content(path)?;
        state.change_names(|state| state.remove(path))
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.state().sync_folder(folder)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn DiskLock>>> {
        let mut state = self.state();
        state.begin_reading()?;
        if !state.locks.insert(path.to_owned()) {
            return Ok(None);
        }
        let epoch = state.epoch;
        Ok(Some(Box::new(SimulatedLock { disk: self.clone(), path: path.to_owned(), epoch })))
    }
}

impl SimulatedDisk {
    fn handle(&self, state: &State, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let file = state.find(path)?;
        Ok(Box::new(SimulatedFile { disk: self.clone(), file, access, epoch: state.epoch }))
    }
}

#[derive(Debug)]
struct SimulatedFile {
    disk: SimulatedDisk,
    file: usize,
    access: Access,
    epoch: u64,
}

impl SimulatedFile {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.state();
        if state.epoch != self.epoch {
            return Err(io::Error::other("the process that opened the file has ended"));
        }
        Ok(state)
    }

    fn writable_state(&self) -> io::Result<MutexGuard<'_, State>> {
        match self.access {
            Access::Read => Err(io::ErrorKind::PermissionDenied.into()),
            Access::Write => self.state(),
        }
    }
}

impl DiskFile for SimulatedFile {
    fn size(&mut self) -> io::Result<u64> {
        Ok(self.state()?.size(self.file))
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.state()?.read_at(self.file, offset, into)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.writable_state()?.write_at(self.file, offset, bytes)
    }

    fn truncate(&mut self, size: u64) -> io::Result<()> {
        self.writable_state()?.truncate(self.file, size)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.state()?.sync(self.file)
    }
}

#[derive(Debug)]
struct SimulatedLock {
    disk: SimulatedDisk,
    path: PathBuf,
    epoch: u64,
}

impl DiskLock for SimulatedLock {}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.epoch == self.epoch {
            state.locks.remove(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(disk: &SimulatedDisk) -> Box<dyn DiskFile> {
        let file = disk.create(Path::new("d/f")).unwrap();
        disk.sync_folder(Path::new("d")).unwrap();
        file
    }

    #[test]
    fn only_what_was_synced_survives_a_loss_of_power() {
        let disk = SimulatedDisk::default();
        let mut one = file(&disk);
        one.write_at(0, b"kept").unwrap();
        one.sync().unwrap();
        one.write_at(4, b"lost").unwrap();
        disk.create(Path::new("d/nameless")).unwrap().sync().unwrap();
        disk.power_loss(|| false);
        assert_eq!(disk.content("d/f").unwrap(), b"kept");
        assert_eq!(disk.paths(), [Path::new("d/f")]);
        assert!(one.write_at(0, b"x").is_err(), "a handle of the dead process");
    }

    #[test]
    fn later_sectors_can_survive_without_earlier_ones() {
        let disk = SimulatedDisk::default();
        file(&disk).write_at(0, &[7; 1024]).unwrap();
        let mut sector = 0;
        disk.power_loss(|| {
            sector += 1;
            sector == 2
        });
        let content = disk.content("d/f").unwrap();
        assert_eq!((&content[..512], &content[512..]), (&[0; 512][..], &[7; 512][..]));
    }

    #[test]
    fn a_failed_sync_loses_data_that_a_later_one_does_not_bring_back() {
        let disk = SimulatedDisk::default();
        let mut one = file(&disk);
        one.write_at(0, b"abc").unwrap();
        disk.set_outage(Outage::SyncFails);
        assert!(one.sync().is_err());
        disk.set_outage(Outage::None);
        one.sync().unwrap();
        assert_eq!(disk.content("d/f").unwrap(), b"abc", "still in the page cache");
        disk.power_loss(|| true);
        assert_eq!(disk.content("d/f").unwrap(), b"");
    }

    #[test]
    fn faults_happen_at_their_operation() {
        for (fault, written, rest) in [
            (Fault::Error, None, 2),
            (Fault::TornError, None, 2),
            (Fault::ShortWrite, Some(2), 2),
            (Fault::Stop, None, 0),
        ] {
            let disk = SimulatedDisk::default();
            let mut one = file(&disk);
            disk.fail_at(disk.operations(), fault);
            assert_eq!(one.write_at(0, b"abc").ok(), written, "{fault:?}");
            assert_eq!(one.write_at(0, b"ab").unwrap_or(0), rest, "{fault:?}");
        }
    }

    #[test]
    fn a_full_disk_takes_what_fits() {
        let disk = SimulatedDisk::default();
        let mut one = file(&disk);
        disk.set_outage(Outage::Full { capacity: 2 });
        assert_eq!(one.write_at(0, b"abc").unwrap(), 2);
        assert_eq!(one.write_at(2, b"c").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(one.write_at(0, b"xy").unwrap(), 2, "no growth");
        disk.set_outage(Outage::ReadOnly);
        assert!(one.write_at(0, b"xy").is_err() && disk.open(Path::new("d/f"), Access::Write).is_err());
        assert!(disk.open(Path::new("d/f"), Access::Read).is_ok());
    }
}
