use super::faults::{Fault, Outage};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

/// Bytes that reach the platter together.
const SECTOR: usize = 512;

#[derive(Debug)]
pub(super) struct State {
    files: Vec<File>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    /// What `durable_names` lacks of `names`.
    unsynced_names: Vec<NameChange>,
    pub(super) locks: BTreeSet<PathBuf>,
    /// Counts processes: a handle of an earlier one is dead.
    pub(super) epoch: u64,
    pub(super) operations: u64,
    pub(super) fault: Option<(u64, Fault)>,
    pub(super) outage: Outage,
    stopped: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            unsynced_names: Vec::new(),
            locks: BTreeSet::new(),
            epoch: 0,
            operations: 0,
            fault: None,
            outage: Outage::None,
            stopped: false,
        }
    }
}

#[derive(Debug, Default)]
struct File {
    content: Vec<u8>,
    durable: Vec<u8>,
    /// What a sync would add to `durable`.
    unsynced: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate { size: usize },
}

#[derive(Debug)]
enum NameChange {
    Link { path: PathBuf, file: usize },
    Rename { from: PathBuf, to: PathBuf, file: usize },
    Unlink { path: PathBuf },
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Link { path, file } => {
                names.insert(path.clone(), *file);
            }
            Self::Rename { from, to, file } => {
                names.remove(from);
                names.insert(to.clone(), *file);
            }
            Self::Unlink { path } => {
                names.remove(path);
            }
        }
    }

    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Link { path, .. } | Self::Unlink { path } => path.parent(),
            Self::Rename { to, .. } => to.parent(),
        }
    }
}

fn apply(change: &Change, content: &mut Vec<u8>) {
    match change {
        Change::Write { offset, bytes } => put(content, *offset, bytes),
        Change::Truncate { size } => content.truncate(*size),
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

fn broken() -> io::Error {
    io::Error::other("simulated failure")
}

impl State {
    /// Counts an operation; the fault that it meets.
    fn begin(&mut self) -> io::Result<Option<Fault>> {
        let now = self.operations;
        self.operations += 1;
        if self.stopped {
            return Err(broken());
        }
        let fault = self.fault.filter(|&(at, _)| at == now).map(|(_, fault)| fault);
        self.stopped |= fault == Some(Fault::Stop);
        match fault {
            Some(Fault::Error) => Err(broken()),
            other => Ok(other),
        }
    }

    /// An operation that changes nothing.
    pub(super) fn begin_reading(&mut self) -> io::Result<()> {
        match self.begin()? {
            None | Some(Fault::ShortWrite) => Ok(()),
            Some(_) => Err(broken()),
        }
    }

    pub(super) fn writable(&self) -> io::Result<()> {
        match self.outage {
            Outage::ReadOnly => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            _ => Ok(()),
        }
    }

    /// An operation that either happens or does not.
    fn whole(&mut self) -> io::Result<()> {
        self.begin_reading()?;
        self.writable()
    }

    pub(super) fn change_names(&mut self, change: impl FnOnce(&mut Self)) -> io::Result<()> {
        self.whole()?;
        change(self);
        Ok(())
    }

    fn rename_to(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.unsynced_names.push(change);
    }

    pub(super) fn create(&mut self, path: &Path) {
        if let Some(&file) = self.names.get(path) {
            self.cut(file, 0);
        } else {
            let file = self.files.len();
            self.files.push(File::default());
            self.rename_to(NameChange::Link { path: path.to_owned(), file });
        }
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) {
        if let Some(&file) = self.names.get(from) {
            self.rename_to(NameChange::Rename { from: from.to_owned(), to: to.to_owned(), file });
        }
    }

    pub(super) fn remove(&mut self, path: &Path) {
        self.rename_to(NameChange::Unlink { path: path.to_owned() });
    }

    pub(super) fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.whole()?;
        if self.outage == Outage::SyncFails {
            return Err(broken());
        }
        let (synced, rest) =
            self.unsynced_names.drain(..).partition(|change: &NameChange| change.folder() == Some(folder));
        self.unsynced_names = rest;
        let synced: Vec<NameChange> = synced;
        for change in synced {
            change.apply(&mut self.durable_names);
        }
        Ok(())
    }

    pub(super) fn find(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn content(&self, path: &Path) -> io::Result<&Vec<u8>> {
        Ok(&self.files[self.find(path)?].content)
    }

    pub(super) fn set_content(&mut self, path: &Path, bytes: &[u8]) {
        self.names.remove(path);
        let file = self.files.len();
        self.files.push(File { content: bytes.to_vec(), durable: bytes.to_vec(), unsynced: Vec::new() });
        self.names.insert(path.to_owned(), file);
        self.durable_names.insert(path.to_owned(), file);
    }

    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.names.keys().cloned().collect()
    }

    pub(super) fn size(&self, file: usize) -> u64 {
        self.files[file].content.len() as u64
    }

    pub(super) fn read_at(&mut self, file: usize, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.begin_reading()?;
        let content = &self.files[file].content;
        let rest = content.get(offset as usize..).unwrap_or_default();
        let read = rest.len().min(into.len());
        into[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    pub(super) fn write_at(&mut self, file: usize, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let fault = self.begin()?;
        self.writable()?;
        let offset = offset as usize;
        let mut size = if fault.is_some() { bytes.len().div_ceil(2) } else { bytes.len() };
        if let Outage::Full { capacity } = self.outage {
            let used: usize = self.names.values().map(|&file| self.files[file].content.len()).sum();
            let grown = (offset + size).saturating_sub(self.files[file].content.len());
            let room = (capacity as usize).saturating_sub(used);
            size -= grown.saturating_sub(room).min(size);
            if size == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        let bytes = bytes[..size].to_vec();
        let file = &mut self.files[file];
        put(&mut file.content, offset, &bytes);
        file.unsynced.push(Change::Write { offset, bytes });
        match fault {
            None | Some(Fault::ShortWrite) => Ok(size),
            Some(_) => Err(broken()),
        }
    }

    fn cut(&mut self, file: usize, size: usize) {
        let file = &mut self.files[file];
        file.content.truncate(size);
        file.unsynced.push(Change::Truncate { size });
    }

    pub(super) fn truncate(&mut self, file: usize, size: u64) -> io::Result<()> {
        self.whole()?;
        self.cut(file, size as usize);
        Ok(())
    }

    pub(super) fn sync(&mut self, file: usize) -> io::Result<()> {
        let done = self.whole();
        // Power that goes during a sync leaves its outcome open. A sync that fails drops what it held.
        if self.stopped {
            return done;
        }
        let file = &mut self.files[file];
        let changes = std::mem::take(&mut file.unsynced);
        if self.outage == Outage::SyncFails {
            return Err(broken());
        }
        done?;
        for change in &changes {
            apply(change, &mut file.durable);
        }
        Ok(())
    }

    pub(super) fn lose_power(&mut self, mut keep: impl FnMut() -> bool) {
        for change in self.unsynced_names.drain(..) {
            if keep() {
                change.apply(&mut self.durable_names);
            }
        }
        self.names = self.durable_names.clone();
        for file in &mut self.files {
            for change in file.unsynced.drain(..) {
                match change {
                    Change::Truncate { .. } if keep() => apply(&change, &mut file.durable),
                    Change::Truncate { .. } => {}
                    Change::Write { offset, bytes } => {
                        let mut at = 0;
                        while at < bytes.len() {
                            let sector = (SECTOR - (offset + at) % SECTOR).min(bytes.len() - at);
                            if keep() {
                                put(&mut file.durable, offset + at, &bytes[at..at + sector]);
                            }
                            at += sector;
                        }
                    }
                }
            }
            file.content.clone_from(&file.durable);
        }
    }

    pub(super) fn restart(&mut self) {
        self.epoch += 1;
        self.locks.clear();
        self.fault = None;
        self.stopped = false;
    }
}
