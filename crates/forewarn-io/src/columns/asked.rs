//! Names in the settings, and whether the files have them: one that is misspelt would change nothing.

use crate::{IoError, ReadOptions};
use std::collections::{BTreeMap, BTreeSet};

/// Most names that an error may list.
const MOST: usize = 1_000;

/// Names that settings ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Those that nothing has had so far: of columns as the files call them, and as they are called here.
    in_files: BTreeMap<String, &'static str>,
    here: BTreeMap<String, &'static str>,
    /// Names that there are, while one is looked for.
    available: BTreeSet<String>,
}

impl Asked {
    pub(crate) fn new(options: &ReadOptions) -> Self {
        let columns = options.columns.iter().map(|name| (name.clone(), "columns"));
        let dropped = options.drop.iter().map(|name| (name.clone(), "drop"));
        Self {
            in_files: options.rename.keys().map(|name| (name.clone(), "rename")).collect(),
            here: columns.chain(dropped).collect(),
            available: BTreeSet::new(),
        }
    }

    /// There is a column or a metric of this name in a file, and of that one here.
    pub(crate) fn see(&mut self, in_file: &str, here: &str) {
        if self.in_files.is_empty() && self.here.is_empty() {
            return;
        }
        self.in_files.remove(in_file);
        self.here.remove(here);
        for name in [in_file, here] {
            if self.available.len() < MOST && !name.is_empty() && !self.available.contains(name) {
                self.available.insert(name.to_owned());
            }
        }
    }

    /// Refuses a name that nothing in the files has.
    pub(crate) fn expect_seen(&self, file: impl FnOnce() -> String) -> Result<(), IoError> {
        match self.in_files.iter().chain(&self.here).next() {
            None => Ok(()),
            Some((name, setting)) => Err(IoError::UnknownName {
                file: file(),
                setting,
                name: name.clone(),
                available: self.available.iter().cloned().collect(),
            }),
        }
    }
}
