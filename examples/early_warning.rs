//! The main job, end to end: from a metrics file (or a simulation) to evaluated early warnings.
//!
//! `cargo run --release --example early_warning -- --help`

use forewarn::experiment::Data;
use forewarn::io::ReadOptions;
use forewarn::topology::{ServiceGraph, TopologyFeatures};
use forewarn::{
    experiment::{Results, Simulated, StandardModels, TextObserver, make_folder},
    prelude::*,
    recurrent::Trainer,
};
use lexopt::{Arg, ValueExt};
use std::{
    error::Error,
    fs::File,
    path::{Path, PathBuf},
    process::ExitCode,
};

const HELP: &str = include_str!("early_warning.txt");

struct Options {
    input: Option<PathBuf>,
    simulate: Simulated,
    days: usize,
    failure_column: Option<String>,
    topology: Option<PathBuf>,
    rule: Option<Rule>,
    target: Target,
    window: [usize; 3],
    split: Fractions,
    walk_forward: Option<usize>,
    models: Vec<String>,
    members: usize,
    trainer: Trainer,
    verdicts: Option<bool>,
    seed: u64,
    output: PathBuf,
    save: Option<PathBuf>,
}

/// The options, or `None` when help was asked for.
fn parse_options() -> Result<Option<Options>, Box<dyn Error>> {
    let mut options = Options {
        input: None,
        simulate: Simulated::default(),
        days: 30,
        failure_column: None,
        topology: None,
        rule: None,
        target: Target::Onset,
        window: [10, 0, 5],
        split: Fractions::default(),
        walk_forward: None,
        models: StandardModels::NAMES.map(str::to_owned).to_vec(),
        members: StandardModels::MEMBERS,
        trainer: Trainer::fastest(),
        verdicts: None,
        seed: 7,
        output: "forewarn-report".into(),
        save: None,
    };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        let Arg::Long(name) = argument else { return Err(argument.unexpected().into()) };
        let name = name.to_owned();
        match &*name {
            "help" => return Ok(None),
            name => set(&mut options, name, &mut arguments).map_err(|error| format!("--{name}: {error}"))?,
        }
    }
    if options.rule.is_some() && options.failure_column.is_some() {
        return Err("--rule and --failure-column both say what failing means: give one of them".into());
    }
    Ok(Some(options))
}

fn set(options: &mut Options, name: &str, arguments: &mut lexopt::Parser) -> Result<(), Box<dyn Error>> {
    match name {
        "input" => options.input = Some(arguments.value()?.into()),
        "simulate" => options.simulate = arguments.value()?.parse()?,
        "days" => options.days = arguments.value()?.parse()?,
        "failure-column" => options.failure_column = Some(arguments.value()?.string()?),
        "topology" => options.topology = Some(arguments.value()?.into()),
        "rule" => options.rule = Some(arguments.value()?.parse()?),
        "rule-file" => options.rule = Some(Rule::from_toml(&std::fs::read_to_string(arguments.value()?)?)?),
        "target" => options.target = arguments.value()?.parse()?,
        "observation" => options.window[0] = arguments.value()?.parse()?,
        "lead" => options.window[1] = arguments.value()?.parse()?,
        "period" => options.window[2] = arguments.value()?.parse()?,
        "split" => options.split = arguments.value()?.parse()?,
        "walk-forward" => options.walk_forward = Some(arguments.value()?.parse()?),
        "models" => {
            let names = arguments.value()?.string()?;
            options.models = names.split(',').map(|name| name.trim().to_owned()).collect();
        }
        "members" => options.members = arguments.value()?.parse()?,
        "trainer" => options.trainer = arguments.value()?.parse()?,
        "verdicts" => {
            options.verdicts = match arguments.value()?.string()?.as_str() {
                "yes" => Some(true),
                "no" => Some(false),
                other => return Err(format!("{other:?} is neither yes nor no").into()),
            }
        }
        "seed" => options.seed = arguments.value()?.parse()?,
        "output" => options.output = arguments.value()?.into(),
        "save" => options.save = Some(arguments.value()?.into()),
        _ => return Err("there is no such option".into()),
    }
    Ok(())
}

fn read(options: &Options) -> Result<Data, Box<dyn Error>> {
    let Some(path) = &options.input else {
        let minutes = options.days.checked_mul(24 * 60).ok_or("--days: too many")?;
        return Ok(Data::simulated(options.simulate, minutes, options.seed)?);
    };
    let settings = match &options.failure_column {
        Some(column) => ReadOptions::default().with_outcome_column(column),
        None => ReadOptions::default(),
    };
    Ok(Data::from_path(path, &settings)?)
}

/// Who calls whom: as the file says, or, for `simulated`, as the simulation has it.
fn topology(path: &Path, data: &Data) -> Result<TopologyFeatures, Box<dyn Error>> {
    let graph = match path.to_str() {
        Some("simulated") => data.service_graph()?.ok_or("--topology simulated: no fleet is simulated")?,
        _ => ServiceGraph::from_path(path)?,
    };
    Ok(TopologyFeatures::new(&graph))
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    make_folder(&options.output)?;
    if let Some(folder) = options.save.as_deref().and_then(Path::parent) {
        make_folder(folder)?;
    }
    let data = read(options)?;
    let rule = match (&options.rule, &options.failure_column) {
        (Some(rule), _) => rule.clone(),
        (None, Some(column)) => Rule::outcome(column)?,
        (None, None) => Rule::v1(),
    };
    let spec = WindowSpec::new(options.window[0], options.window[1], options.window[2])?;
    let schema = data.frames().schema().clone();
    let standard = StandardModels {
        rule: rule.clone(),
        schema,
        spec,
        seed: options.seed,
        trainer: options.trainer,
        members: options.members,
    };
    let mut experiment = Experiment::new(rule.clone()).target(options.target).window(spec);
    experiment = experiment.split(options.split).alternatives(&rule)?;
    experiment = match options.verdicts {
        Some(true) => experiment.with_verdicts(),
        Some(false) => experiment.without_verdicts(),
        None => experiment,
    };
    if let Some(path) = &options.topology {
        experiment = experiment.topology(topology(path, &data)?);
    }
    if let Some(days) = options.walk_forward {
        experiment = experiment.walk_forward(days);
    }
    for name in &options.models {
        experiment = experiment.model(standard.get(name)?);
    }
    let source = options.input.as_ref().map_or("simulation".into(), |path| path.display().to_string());
    let results = experiment
        .run(data, &TextObserver::new(std::io::stderr()))
        .map_err(|error| format!("{source}: {error}"))?;
    results.write(&options.output)?;
    println!("{}", results.report().to_table());
    println!("Written to {}: report.html, report.json, predictions.csv", options.output.display());
    options.save.as_ref().map_or(Ok(()), |path| save(&results, path))
}

/// The model that validation chose, with all that a program needs to serve it, as one file.
fn save(results: &Results, path: &Path) -> Result<(), Box<dyn Error>> {
    let chosen = results.report().chosen().ok_or("there is no model to save")?;
    let envelope = results.to_envelope(&chosen.name)?;
    let cannot = |error: &dyn std::fmt::Display| format!("--save {}: {error}", path.display());
    let file = File::create(path).map_err(|error| cannot(&error))?;
    envelope.write(file).map_err(|error| cannot(&error))?;
    println!(
        "Saved {}, which is best on validation, to {path}, with what makes its features and raises its alarms.\n\
         Serve it with forewarn::live::ServedModel, or try it: cargo run --release --example serve -- {path} METRICS",
        chosen.name,
        path = path.display()
    );
    Ok(())
}

fn main() -> ExitCode {
    let options = match parse_options() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("error: {error}\nTry --help.");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
