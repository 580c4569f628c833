//! What a failure rule says of the data as a whole: that it mostly holds, is mostly unknown, or never holds.

use forewarn_core::{Exclusion, Label, Labels};
use forewarn_schema::{FrameSet, printable};

/// Share of rows above which a rule that holds, or is unknown, is said.
const MOST: f64 = 0.5;

/// Services that are named in a sentence.
const NAMED: usize = 8;

/// How often the rule holds, and is unknown, by service: what a reader has to know who got the rule wrong. Empty where
/// it seems right.
pub(crate) fn rule_notes(labels: &Labels) -> Vec<String> {
    let services = labels.layout().services();
    let mut unknown = vec![0usize; services.len()];
    let (mut positive, mut labelled) = (0usize, 0usize);
    for (_, service, _, label) in labels.windows() {
        match label {
            Label::Excluded(Exclusion::Missing) => unknown[service] += 1,
            Label::Excluded(_) => {}
            Label::Positive | Label::Negative => {
                labelled += 1;
                positive += usize::from(label == Label::Positive);
            }
        }
    }
    let step = labels.layout().step().millis() as f64;
    let (mut failing, mut untold, mut never) = (Vec::new(), Vec::new(), Vec::new());
    for ((place, episodes), unknown) in services.iter().zip(labels.episodes()).zip(unknown) {
        let (rows, name) = (place.rows().len().max(1) as f64, printable(place.name()));
        let fails = |episode: &forewarn_schema::Episode| episode.end().millis() - episode.onset().millis();
        let fails: i64 = episodes.iter().map(fails).sum();
        let (fails, unknown) = (fails as f64 / step / rows, unknown as f64 / rows);
        let of = |share: f64| format!("{:.0} % of {name}", 100.0 * share);
        if fails > MOST {
            failing.push(of(fails));
        } else if unknown > MOST {
            untold.push(of(unknown));
        } else if episodes.is_empty() {
            never.push(name);
        }
    }
    let mut notes = Vec::new();
    if !failing.is_empty() {
        notes.push(format!(
            "The rule holds in most of the rows: {}. Is it turned around, or the column 1 when all is well?",
            some(&failing)
        ));
    }
    if !untold.is_empty() {
        notes.push(format!("The rule is unknown in most of the rows: {}.", some(&untold)));
    }
    if !never.is_empty() {
        notes.push(format!(
            "The rule never holds in {} of {} services: {}.",
            never.len(),
            services.len(),
            some(&never)
        ));
    }
    let prevalence = positive as f64 / labelled.max(1) as f64;
    if prevalence > MOST {
        notes.push(format!(
            "{:.0} % of the windows are positive: failures are the usual state in these data, and figures say little.",
            100.0 * prevalence
        ));
    }
    notes
}

/// The metrics that a rule names, by its sentence, and where they lie in the data: why it may never hold.
pub(crate) fn ranges_of(rule: &str, frames: &FrameSet) -> Vec<String> {
    let (schema, values) = (frames.schema(), frames.values());
    let range = |(column, name): (usize, &str)| {
        let known = || values.iter().skip(column).step_by(schema.len()).filter(|value| !value.is_nan());
        let (least, most) = known().fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), &value| {
            (least.min(value), most.max(value))
        });
        let (rows, missing, name) =
            (frames.layout().rows(), frames.layout().rows() - known().count(), printable(name));
        match missing {
            0 => format!("{name} is {least} to {most}"),
            _ if missing == rows => format!("{name} is missing in every row, so that the rule is unknown"),
            _ => format!("{name} is {least} to {most}, and missing in {missing} rows"),
        }
    };
    schema.names().enumerate().filter(|(_, name)| rule.contains(name)).map(range).collect()
}

fn some(names: &[String]) -> String {
    match names.get(..NAMED) {
        Some(first) if names.len() > NAMED => {
            format!("{} and {} more", first.join(", "), names.len() - NAMED)
        }
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_core::{Target, WindowSpec};
    use forewarn_label::{Rule, label};
    use forewarn_schema::{Frame, Metric, Schema, Step, Timestamp};

    #[test]
    fn services_of_which_a_rule_says_too_much_or_nothing_are_named() {
        let frame = |service: &str, rate: fn(usize) -> f32| {
            let schema = Schema::new(vec![Metric::gauge("error_rate"), Metric::gauge("load")]).unwrap();
            let values = (0..200).flat_map(|row| [rate(row), 1.0]).collect();
            Frame::new(service, schema, Timestamp::EPOCH, Step::MINUTE, values).unwrap()
        };
        let fails_now_and_then: fn(usize) -> f32 = |row| if row % 40 < 3 { 0.5 } else { 0.0 };
        let all = |frames: Vec<Frame>| {
            let frames = FrameSet::from_frames(frames).unwrap();
            let labels = label(&frames, &Rule::v1(), WindowSpec::default(), Target::Onset).unwrap();
            (rule_notes(&labels), ranges_of(&Rule::v1().to_string(), &frames))
        };
        assert!(all(vec![frame("fine", fails_now_and_then)]).0.is_empty());
        let (notes, ranges) = all(vec![
            frame("fine", fails_now_and_then),
            frame("inverted", |row| if row % 40 < 3 { 0.0 } else { 0.5 }),
            frame("never", |_| 0.01),
            frame("unknown", |_| f32::NAN),
        ]);
        assert!(
            notes[0].starts_with("The rule holds in most of the rows: 9")
                && notes[0].contains("% of inverted.")
        );
        assert!(
            notes[1].starts_with("The rule is unknown in most of the rows: 9")
                && notes[1].contains("of unknown.")
        );
        assert_eq!(notes[2], "The rule never holds in 1 of 4 services: never.");
        assert_eq!(ranges, ["error_rate is 0 to 0.5, and missing in 200 rows"]);
        let (_, ranges) = all(vec![frame("unknown", |_| f32::NAN)]);
        assert_eq!(ranges, ["error_rate is missing in every row, so that the rule is unknown"]);
    }
}
