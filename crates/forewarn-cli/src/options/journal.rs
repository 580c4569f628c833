//! What a live service saw, as rows to train on.

use crate::{
    error::{About, CliError},
    output::progress::Reporter,
};
use forewarn::{
    core::{CoreError, Source},
    experiment::Data,
    live::{ActedOn, Engine, EngineConfig, EngineModels, ServedModel, TrainingRows},
    schema::FrameSet,
};
use forewarn_server::journal_inputs;
use std::{fs::File, path::Path};

struct JournalRows {
    frames: FrameSet,
    description: String,
}

impl Source for JournalRows {
    fn describe(&self) -> String {
        self.description.clone()
    }

    fn frames(&mut self) -> Result<FrameSet, CoreError> {
        Ok(self.frames.clone())
    }
}

/// Replays the journal of a store by the model that warned, which tells the warnings that somebody acted on and after
/// which no failure came. What came too late for a score is missing unless it is to be kept.
pub(crate) fn data(
    (folder, model_path): (&Path, &Path),
    (acted_on, keep_late): (ActedOn, bool),
    progress: &Reporter,
) -> Result<Data, CliError> {
    let file = File::open(model_path).about(model_path.display())?;
    let model = ServedModel::read(file).about(model_path.display())?;
    let mut rows = TrainingRows::new(model.metrics(), model.step(), model.window(), acted_on);
    let mut engine =
        Engine::new(EngineConfig::default(), EngineModels::new("live", model)).about(model_path.display())?;
    for input in journal_inputs(folder)? {
        let input = input?;
        if keep_late {
            rows.take_late(&input);
        }
        for event in engine.apply(input)? {
            rows.take(&event)?;
        }
    }
    if engine.counters().wrong_rows > 0 {
        return Err(CliError::failed(format!(
            "{} rows of the journal have other metrics than {} reads: give the model that the service warned with",
            engine.counters().wrong_rows,
            model_path.display()
        )));
    }
    let (frames, left_out) = rows.finish().about(folder.display())?;
    let late = match keep_late {
        true => format!(
            "{} values that came late filled in, {} not",
            left_out.late_values, left_out.late_values_left_out
        ),
        false => format!("{} rows or samples that came late left out", engine.counters().late),
    };
    progress.stage(&format!(
        "{} rows missing when their minute was closed, {late}, {} rows left out after {} warnings that an operator \
         acted on, {} warnings censored",
        left_out.missing_rows, left_out.averted_rows, left_out.averted_warnings, left_out.censored_warnings
    ));
    let description = format!("journal of {}", folder.display());
    Ok(Data::from_source(&mut JournalRows { frames, description })?)
}
