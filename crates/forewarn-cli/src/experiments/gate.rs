//! The table by which changes are judged: all models on several sets of data and seeds.

mod peer;
mod table;

use crate::{
    error::{About, CliError},
    options::{
        common::Common,
        input::ReadArgs,
        models::ModelArgs,
        question::{BudgetArgs, RuleArgs, TargetArgs, WindowArgs},
    },
    output::{progress::Reporter, terminal},
};
use clap::Args;
use forewarn::{
    core::Target,
    experiment::{Data, Experiment, Model, ModelRows, Simulated, write_file},
    prelude::{Feature as _, Features, Fractions},
};
use peer::Peer;
use std::{
    path::{Path, PathBuf},
    time::Instant,
};
use table::{Row, markdown};

/// Fit models on several sets of data and seeds, and print one table of how well each predicts
///
/// Simulated fleets are fitted on 60 days of 180 and tested on 120; stress walks, whose target is `active`, and files on
/// the usual or the given shares. LightGBM and XGBoost are fitted on the same windows where Python has them, in four
/// settings each, of which validation chooses. Takes minutes a set and seed. The table grows set by set, as Markdown on
/// standard output and as JSON.
#[derive(Args)]
pub(crate) struct Gate {
    /// Simulations and their days, separated by commas
    #[arg(long, value_name = "NAME:DAYS,...", value_delimiter = ',', value_parser = simulation,
          default_value = "stress-walk:30,stress-walk:365,shop:180,twelve:180", help_heading = "Sets")]
    sets: Vec<Set>,
    /// Leave the simulations out
    #[arg(long, requires = "input", help_heading = "Sets")]
    no_sets: bool,
    /// Seeds of simulated fleets, separated by commas; stress walks have the first
    #[arg(
        long,
        value_name = "A,B,...",
        value_delimiter = ',',
        default_value = "11,12,13",
        help_heading = "Sets"
    )]
    seeds: Vec<u64>,
    /// Metrics file, a set by itself; may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Sets")]
    input: Vec<PathBuf>,
    /// Shares of the time of a file for train, validation and test
    #[arg(long, value_name = "A,B,C", default_value = "0.6,0.2,0.2", help_heading = "Sets")]
    split: Fractions,
    /// Python with numpy and LightGBM or XGBoost
    #[arg(long, value_name = "FILE", default_value = "python3", help_heading = "Models")]
    python: PathBuf,
    /// File for all figures as JSON
    #[arg(long, value_name = "FILE", default_value = "gate.json", help_heading = "Output")]
    output: PathBuf,
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    rule: RuleArgs,
    #[command(flatten)]
    window: WindowArgs,
    #[command(flatten)]
    budget: BudgetArgs,
}

/// A simulation and its length in days.
#[derive(Clone, Copy, Debug)]
struct Set {
    simulated: Simulated,
    name: &'static str,
    days: usize,
}

/// `shop:180`.
fn simulation(text: &str) -> Result<Set, String> {
    let names = Simulated::NAMES.map(|(name, _)| name).join(", ");
    let expected = || format!("expected NAME:DAYS with a name of {names}, such as shop:180");
    let (name, days) = text.trim().split_once(':').ok_or_else(expected)?;
    let days = days.parse().ok().filter(|days| (1..=36_500).contains(days)).ok_or_else(expected)?;
    let found = Simulated::NAMES.into_iter().find(|&(known, _)| known == name);
    found.map(|(name, simulated)| Set { simulated, name, days }).ok_or_else(expected)
}

/// Shares of a simulated fleet's time: a test span that is twice as long as what is learnt from.
const FLEET_SPLIT: [f64; 3] = [0.2667, 0.0667, 0.6666];
const MINUTES_A_DAY: usize = 24 * 60;

impl Gate {
    pub(crate) fn run(&self, common: &Common) -> Result<(), CliError> {
        let inputs: Vec<&Path> = self.input.iter().map(PathBuf::as_path).collect();
        forewarn::experiment::prepare_file(&self.output, &inputs)?;
        let libraries: Vec<&'static str> =
            Peer::LIBRARIES.into_iter().filter(|library| Peer::is_there(library, &self.python)).collect();
        let mut rows = Vec::new();
        let sets = if self.no_sets { &[][..] } else { &self.sets[..] };
        for set in sets {
            let is_walk = matches!(set.simulated, Simulated::StressWalk);
            for &seed in self.seeds.iter().take(if is_walk { 1 } else { self.seeds.len() }) {
                let data = Data::simulated(set.simulated, set.days * MINUTES_A_DAY, seed)?;
                let (target, split) = match is_walk {
                    true => (Target::Active, Fractions::default()),
                    false => (Target::Onset, Fractions::try_from(FLEET_SPLIT).about("split")?),
                };
                let title = format!("{}, {} days, seed {seed}", set.name, set.days);
                rows.extend(self.rows(&title, data, (target, split, None), &libraries, common)?);
                self.write(&rows, &inputs)?;
            }
        }
        for path in &self.input {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            let data = Data::from_recording(self.read.read(std::slice::from_ref(path))?, name.clone());
            let question = (Target::Onset, self.split, self.read.outcome_column());
            rows.extend(self.rows(&name, data, question, &libraries, common)?);
            self.write(&rows, &inputs)?;
        }
        Ok(())
    }

    /// Fits all models on one set of data.
    fn rows(
        &self,
        title: &str,
        data: Data,
        (target, split, outcome): (Target, Fractions, Option<&str>),
        libraries: &[&'static str],
        common: &Common,
    ) -> Result<Vec<Row>, CliError> {
        let began = Instant::now();
        let progress = Reporter::new(common.quiet);
        progress.stage(title);
        let target = TargetArgs { target };
        let experiment = self.models.experiment(&data, (&self.rule, &target, &self.window), outcome)?;
        let mut experiment = experiment.with_split(split).with_budget(self.budget.budget);
        let metrics = data.frames().schema();
        let viewed = Features::default().outputs(metrics).map_err(CliError::from)?.len();
        for library in libraries {
            experiment = self.with_peer(experiment, library, viewed);
        }
        let results = experiment.run(data, &progress).about(title)?;
        progress.finish();
        let rows = Row::all(title, results.report());
        terminal::print(&format!(
            "{}\nTook {:.0} s.\n",
            markdown(title, &rows),
            began.elapsed().as_secs_f64()
        ))?;
        Ok(rows)
    }

    /// The library on the usual windows, and on those of `boosted_trees_wide`.
    fn with_peer(&self, experiment: Experiment, library: &'static str, viewed: usize) -> Experiment {
        let peer = Peer { library, python: self.python.clone(), viewed };
        let sentence = "the best on validation of four settings";
        let usual = Model::new(library, sentence, ModelRows::Features, peer.clone());
        let wide = Model::new(format!("{library}_wide"), sentence, ModelRows::Wide, peer);
        experiment.with_model(usual).with_model(wide)
    }

    fn write(&self, rows: &[Row], inputs: &[&Path]) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(rows)?;
        Ok(write_file(&self.output, inputs, |writer| writer.write_all(text.as_bytes()))?)
    }
}

#[cfg(test)]
mod tests {
    use super::simulation;

    #[test]
    fn a_set_is_a_name_and_days() {
        let set = simulation("shop:180").unwrap();
        assert_eq!((set.name, set.days), ("shop", 180));
        for wrong in ["shop", "shop:0", "shop:x", "shed:3", ""] {
            assert!(simulation(wrong).unwrap_err().contains("shop:180"), "{wrong}");
        }
    }
}
