use crate::{LabelError, LabelState, Rule, live::Kept, watch::Found};
use forewarn_core::{Exclusion, FailureRule, FrameStream, Label, Labels, PieceOrder, Target, WindowSpec};
use forewarn_schema::{Episode, Episodes, ServiceRows, Step};
use std::{ops::Range, sync::Arc};

/// [`label`](crate::label()) for frames that do not fit into memory: the same labels and episodes, and the
/// same unknown rows, in one pass over the pieces.
///
/// Each service is judged as a live stream is, so only rules that are values can be used. Memory: one byte a row, the
/// episodes and gaps, and for each service the rows that the rule looks back on.
///
/// # Errors
/// [`LabelError::Core`] for a metric that the frames lack, for pieces out of order, and for an error of the stream's
/// own.
pub fn label_pieces(
    frames: &mut dyn FrameStream,
    rule: &Rule,
    spec: WindowSpec,
    target: Target,
) -> Result<Labels, LabelError> {
    let (layout, width) = (Arc::clone(frames.layout()), frames.schema().len());
    let step = layout.step();
    let schema = frames.schema().clone();
    let begin = |place: &ServiceRows| -> Result<Service, LabelError> {
        let state = LabelState::new(rule, &schema, place.start(), step, spec, target)?.keeping_all();
        Ok(Service { stream: state, next: place.rows().start, found: Kept::default() })
    };
    let mut services: Vec<Service> = layout.services().iter().map(begin).collect::<Result<_, _>>()?;
    // Rows that no stream has given a label for are those of services without rows: there are none.
    let mut labels = vec![Label::Excluded(Exclusion::Censored); layout.rows()];
    let mut order = PieceOrder::start(frames)?;
    while let Some(piece) = frames.next_piece()? {
        let is_last = order.take(&piece)?;
        let service = &mut services[piece.service];
        for row in piece.values.chunks_exact(width) {
            if let Some(label) = service.stream.push(row)? {
                labels[service.next] = label.label;
                service.next += 1;
            }
        }
        if is_last {
            let (rest, found) = service.stream.end();
            labels[service.next..service.next + rest.len()].copy_from_slice(&rest);
            service.found = found;
        }
    }
    order.finish()?;
    let mut episodes = Vec::with_capacity(services.len());
    let (mut unknown, mut without_samples) = (Vec::new(), Vec::new());
    for (Service { found, .. }, place) in services.iter().zip(layout.services()) {
        episodes.push(in_time(&found.certain, place, step)?);
        let first = place.rows().start;
        let in_frames = |rows: &Range<usize>| (first + rows.start) as u32..(first + rows.end) as u32;
        unknown.extend(found.unknown().iter().map(in_frames));
        without_samples.extend(found.without_samples.iter().map(in_frames));
    }
    let labels = Labels::new(layout, spec, target, rule.confirmation_at(step), labels, episodes)?;
    Ok(labels.with_unknown(unknown, without_samples))
}

struct Service {
    stream: LabelState,
    /// The first row without a label.
    next: usize,
    found: Kept,
}

/// Episodes in rows of a service as episodes in time.
fn in_time(found: &[Found], place: &ServiceRows, step: Step) -> Result<Episodes, LabelError> {
    let (start, rows) = (place.start(), place.rows().len());
    let time = |row: usize| {
        let time = i64::try_from(row.min(rows)).ok().and_then(|row| start.checked_add(step, row));
        time.ok_or(LabelError::BeyondCalendar { start, row })
    };
    let episodes = found
        .iter()
        .map(|found| Ok(Episode::new(time(found.onset)?, time(found.confirmed)?, time(found.end)?)?))
        .collect::<Result<_, LabelError>>()?;
    Ok(Episodes::new(episodes)?)
}
