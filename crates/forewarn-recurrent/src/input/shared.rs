use crate::input::{copy_row, services::number_of_row};
use forewarn_core::Windows;

/// Rows that several windows of a batch lie over, read once for all of them. Windows of following minutes share all
/// but one.
#[derive(Debug)]
pub(crate) struct SharedRows {
    /// `[row, feature]`, with room for the description of a service at each row's end.
    rows: Vec<f32>,
    width: usize,
    /// `[row]`: the number of its service.
    services: Vec<u32>,
    taken: usize,
    /// `[window]`: the first of its rows.
    places: Vec<u32>,
}

impl SharedRows {
    /// Room for the rows of `windows` windows, two a window besides those of the first; none where that is beyond
    /// `most`.
    pub(crate) fn new(windows: usize, steps: usize, width: usize, most: usize) -> Self {
        let capacity = Some(2 * windows + steps).filter(|&capacity| capacity <= most).unwrap_or(0);
        let (rows, services) = (vec![0.0; capacity * width], vec![0; capacity]);
        Self { rows, width, services, taken: 0, places: Vec::with_capacity(windows) }
    }

    /// Rows that there is room for.
    pub(crate) fn capacity(&self) -> usize {
        self.services.len()
    }

    /// Takes the rows of these windows, with 0 for what is missing, and the numbers of their services. Does not where
    /// they are too far apart to share rows; nor where a value is too large or a window goes over two services: that
    /// is for those to judge who read windows one by one.
    pub(crate) fn take(&mut self, windows: Windows<'_>, numbers: &[u32]) -> bool {
        let (inputs, before) = (windows.schema().len(), windows.observation() - 1);
        let last_rows = windows.last_rows();
        let (Some(&first), Some(&last)) = (last_rows.iter().min(), last_rows.iter().max()) else {
            return false;
        };
        let (first, last) = (first as usize - before, last as usize);
        self.taken = last - first + 1;
        if self.taken > self.capacity() {
            return false;
        }
        let from = windows.block()[first * inputs..(last + 1) * inputs].chunks_exact(inputs);
        let mut too_large = false;
        for (to, from) in self.rows.chunks_exact_mut(self.width).zip(from) {
            too_large |= copy_row(from, &mut to[..inputs]);
        }
        for (row, service) in self.services[..self.taken].iter_mut().enumerate() {
            *service = number_of_row(windows, numbers, first + row);
        }
        self.places.clear();
        self.places.extend(last_rows.iter().map(|&last| (last as usize - before - first) as u32));
        let of_one_service = |&place: &u32| {
            let place = place as usize;
            self.services[place] == self.services[place + before]
        };
        !too_large && self.places.iter().all(of_one_service)
    }

    /// Of the rows that were taken the numbers of their services, and what they hold.
    pub(crate) fn rows(&mut self) -> (&[u32], &mut [f32]) {
        (&self.services[..self.taken], &mut self.rows[..self.taken * self.width])
    }

    /// `[window]`: the first of its rows.
    pub(crate) fn places(&self) -> &[u32] {
        &self.places
    }
}
