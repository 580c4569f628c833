use std::collections::VecDeque;

/// Which line of the file each row of a service came from, and so which rows there are at all.
///
/// Rows in order of time, each as many lines after the one before, take next to nothing; any others four bytes each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    /// Runs of rows, in order of time.
    Runs(Vec<Run>),
    /// A line for each row from `first` on; 0 where there is none.
    Each { first: i64, lines: VecDeque<u32> },
}

/// Rows one step apart whose lines are `stride` apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    row: i64,
    rows: u32,
    line: u32,
    stride: u32,
}

impl Run {
    fn end(&self) -> i64 {
        self.row + i64::from(self.rows)
    }

    fn line_of(&self, row: i64) -> u32 {
        self.line + self.stride * (row - self.row) as u32
    }
}

impl Default for Lines {
    fn default() -> Self {
        Self::Runs(Vec::new())
    }
}

impl Lines {
    /// The line that row `row` came from.
    pub(crate) fn get(&self, row: i64) -> Option<u32> {
        match self {
            Self::Runs(runs) => {
                // Most often the row is behind all others.
                if runs.last().is_none_or(|last| row >= last.end()) {
                    return None;
                }
                let run = runs.partition_point(|run| run.end() <= row);
                runs.get(run).filter(|run| run.row <= row).map(|run| run.line_of(row))
            }
            Self::Each { first, lines } => {
                let at = usize::try_from(row.checked_sub(*first)?).ok()?;
                lines.get(at).copied().filter(|&line| line > 0)
            }
        }
    }

    /// Row `row` came from `line`, which is not 0.
    pub(crate) fn set(&mut self, row: i64, line: u32) {
        if let Self::Runs(runs) = self {
            match runs.last_mut() {
                Some(last) if row == last.end() && line > last.line => {
                    if last.rows == 1 {
                        last.stride = line - last.line;
                    }
                    let next = u64::from(last.line) + u64::from(last.stride) * u64::from(last.rows);
                    if next == u64::from(line) && last.rows < u32::MAX {
                        last.rows += 1;
                        return;
                    }
                }
                Some(last) if row < last.end() => return self.set_apart(row, line),
                _ => {}
            }
            // A run takes as much as five rows one by one.
            let rows: u64 = runs.first().map_or(0, |first| (row - first.row).unsigned_abs());
            if (runs.len() as u64) * 6 > rows + 64 {
                return self.set_apart(row, line);
            }
            runs.push(Run { row, rows: 1, line, stride: 0 });
            return;
        }
        self.set_apart(row, line);
    }

    /// The same with a line for each row.
    fn set_apart(&mut self, row: i64, line: u32) {
        if let Self::Runs(runs) = self {
            let first = runs.first().map_or(row, |run| run.row);
            let mut lines = VecDeque::new();
            for run in &*runs {
                lines.resize((run.row - first) as usize, 0);
                lines.extend((run.row..run.end()).map(|row| run.line_of(row)));
            }
            *self = Self::Each { first, lines };
        }
        if let Self::Each { first, lines } = self {
            while row < *first {
                lines.push_front(0);
                *first -= 1;
            }
            let at = (row - *first) as usize;
            if at >= lines.len() {
                lines.resize(at + 1, 0);
            }
            lines[at] = line;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn lines_are_those_of_a_map(steps in vec((-6i64..12, 1u32..4), 1..300), regular in 0usize..200) {
            let (mut lines, mut map, mut row, mut line) = (Lines::default(), BTreeMap::new(), 0i64, 1u32);
            for (index, (step, stride)) in steps.into_iter().enumerate() {
                // First some rows in order, then anywhere.
                let (step, stride) = if index < regular { (1 + step.max(10) - 10, 2) } else { (step, stride) };
                row += step;
                line += stride;
                lines.set(row, line);
                map.insert(row, line);
            }
            for row in -2000..4000 {
                prop_assert_eq!(lines.get(row), map.get(&row).copied(), "row {}", row);
            }
        }
    }
}
