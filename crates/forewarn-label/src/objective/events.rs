use serde::{Deserialize, Serialize};

/// Events of some rows: the bad ones, and all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Events {
    pub(super) bad: f64,
    pub(super) all: f64,
}

impl Events {
    pub(super) fn add(&mut self, other: Self) {
        self.bad += other.bad;
        self.all += other.all;
    }

    pub(super) fn bad_share(self) -> Option<f64> {
        (self.all > 0.0).then(|| self.bad / self.all)
    }
}
