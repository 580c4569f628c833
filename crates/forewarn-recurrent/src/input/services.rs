use forewarn_core::{CoreError, Windows};
use serde::{Deserialize, Serialize};

/// The services that a fit has seen, by name, for a network that describes each: numbered from 1, 0 stands for all
/// others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Services {
    /// Ascending.
    names: Vec<String>,
}

impl Services {
    /// The services that these windows belong to.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for windows that do not know their service.
    pub(crate) fn of(windows: Windows<'_>) -> Result<Self, CoreError> {
        let layout = windows.layout().ok_or_else(|| CoreError::InvalidSetting {
            name: "service_embedding",
            value: "windows of unknown services".to_owned(),
            expected: "windows that come from samples",
        })?;
        let mut names: Vec<String> = Vec::new();
        for place in layout.services() {
            let rows = place.rows();
            let first = windows.last_rows().partition_point(|&row| (row as usize) < rows.start);
            if windows.last_rows().get(first).is_some_and(|&row| rows.contains(&(row as usize))) {
                names.push(place.name().to_owned());
            }
        }
        names.sort_unstable();
        names.dedup();
        Ok(Self { names })
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Whether the names ascend, as those of a file may not.
    pub(crate) fn is_in_order(&self) -> bool {
        self.names.windows(2).all(|pair| pair[0] < pair[1])
    }

    /// The number of a service, 0 for one that the fit has not seen.
    pub(crate) fn number(&self, name: &str) -> u32 {
        self.names.binary_search_by(|known| known.as_str().cmp(name)).map_or(0, |at| at as u32 + 1)
    }

    /// The number of each service of the layout that windows belong to; empty where none is known.
    pub(crate) fn numbers(&self, windows: Windows<'_>) -> Vec<u32> {
        let services =
            windows.layout().filter(|_| self.len() > 0).map_or(&[][..], |layout| layout.services());
        services.iter().map(|place| self.number(place.name())).collect()
    }
}

/// The number of window `index`'s service among `numbers`, which are those of its layout.
pub(crate) fn number_of(windows: Windows<'_>, numbers: &[u32], index: usize) -> u32 {
    windows.last_rows().get(index).map_or(0, |&row| number_of_row(windows, numbers, row as usize))
}

/// The same for a row of the block.
pub(crate) fn number_of_row(windows: Windows<'_>, numbers: &[u32], row: usize) -> u32 {
    let Some(layout) = windows.layout().filter(|_| !numbers.is_empty()) else { return 0 };
    let service = layout.services().partition_point(|place| place.rows().end <= row);
    numbers.get(service).copied().unwrap_or(0)
}
