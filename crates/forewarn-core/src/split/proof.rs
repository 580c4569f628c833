//! Proofs that the parts of a split share nothing.

use crate::{CoreError, Samples};

/// The parts with their names, from what is fitted on to what is reported.
type Parts<'a> = [(&'static str, &'a Samples); 3];

/// In every service the parts follow one another, `purge` steps apart.
pub(super) fn in_order(parts: &Parts<'_>, purge: usize) -> Result<(), CoreError> {
    let extents = parts.map(|(_, samples)| extents(samples));
    for (earlier, later) in [(0, 1), (1, 2), (0, 2)] {
        for (earlier_rows, later_rows) in extents[earlier].iter().zip(&extents[later]) {
            let (Some((_, last)), Some((first, _))) = (*earlier_rows, *later_rows) else { continue };
            if (first as usize) < (last as usize).saturating_add(purge) {
                return Err(shared(parts, (earlier, last), (later, first), purge));
            }
        }
    }
    Ok(())
}

/// No service of part `left_out` has a window in a part before it.
pub(super) fn no_shared_service(parts: &Parts<'_>, left_out: usize) -> Result<(), CoreError> {
    let out = extents(parts[left_out].1);
    for (name, samples) in &parts[..left_out] {
        for (service, (mine, theirs)) in extents(samples).iter().zip(&out).enumerate() {
            if mine.is_some() && theirs.is_some() {
                let service = samples.layout().services()[service].name().to_owned();
                return Err(CoreError::SharedService { service, earlier: name, later: parts[left_out].0 });
            }
        }
    }
    Ok(())
}

/// Windows of different parts of one service are `purge` steps apart, and `embargo` more where the part that should
/// come first follows.
///
/// It is enough to look at neighbours: between any two windows of different parts there is a change from one part to
/// another.
pub(super) fn apart(parts: &Parts<'_>, purge: usize, embargo: usize) -> Result<(), CoreError> {
    let ends: Vec<usize> = parts[0].1.layout().services().iter().map(|place| place.rows().end).collect();
    let mut rests = parts.map(|(_, samples)| samples.rows().iter().copied().peekable());
    let (mut previous, mut service): (Option<(usize, u32)>, usize) = (None, 0);
    loop {
        let heads =
            rests.iter_mut().enumerate().filter_map(|(part, rows)| rows.peek().map(|&row| (row, part)));
        let Some((row, part)) = heads.min() else { return Ok(()) };
        rests[part].next();
        while ends.get(service).is_some_and(|&end| end <= row as usize) {
            (service, previous) = (service + 1, None);
        }
        if let Some((before, last)) = previous.filter(|&(before, _)| before != part) {
            let needed = if before > part { purge.saturating_add(embargo) } else { purge };
            if (row as usize) < (last as usize).saturating_add(needed) {
                return Err(shared(parts, (before, last), (part, row), needed));
            }
        }
        previous = Some((part, row));
    }
}

/// The error for two windows, each a part and a row, that are too near.
fn shared(parts: &Parts<'_>, earlier: (usize, u32), later: (usize, u32), purge: usize) -> CoreError {
    let layout = parts[0].1.layout();
    let place =
        |row: u32| layout.locate(row as usize).map(|(service, time)| (&layout.services()[service], time));
    match (place(earlier.1), place(later.1)) {
        (Some((service, earlier_time)), Some((_, later_time))) => CoreError::SharedWindows {
            earlier: parts[earlier.0].0,
            later: parts[later.0].0,
            service: service.name().to_owned(),
            earlier_time,
            later_time,
            purge,
        },
        // Samples hold rows of their layout only.
        _ => CoreError::LayoutMismatch,
    }
}

/// First and last row of each service; `None` for one without a window.
pub(super) fn extents(samples: &Samples) -> Vec<Option<(u32, u32)>> {
    let mut rows = samples.rows();
    let of_service = |end: usize| {
        let (mine, rest) = rows.split_at(rows.partition_point(|&row| (row as usize) < end));
        rows = rest;
        mine.first().copied().zip(mine.last().copied())
    };
    samples.layout().services().iter().map(|place| place.rows().end).map(of_service).collect()
}
