//! The main job, end to end: from a metrics file (or a simulation) to evaluated early warnings.
//!
//! `cargo run --release --example early_warning -- --help`

use forewarn::{
    experiment::{StandardModels, TextObserver, fleet_graph, make_folder},
    io,
    prelude::*,
    sim::fleet,
};
use lexopt::{Arg, ValueExt};
use std::{error::Error, path::PathBuf, process::ExitCode};

const HELP: &str = include_str!("early_warning.txt");

struct Options {
    input: Option<PathBuf>,
    simulate: String,
    days: usize,
    failure_column: Option<String>,
    topology: Option<PathBuf>,
    rule: Option<Rule>,
    target: Target,
    window: [usize; 3],
    split: Fractions,
    models: Vec<String>,
    seed: u64,
    output: PathBuf,
}

/// The options, or `None` when help was asked for.
fn parse_options() -> Result<Option<Options>, Box<dyn Error>> {
    let mut options = Options {
        input: None,
        simulate: "shop".to_owned(),
        days: 30,
        failure_column: None,
        topology: None,
        rule: None,
        target: Target::Onset,
        window: [10, 0, 5],
        split: Fractions::default(),
        models: StandardModels::NAMES.map(str::to_owned).to_vec(),
        seed: 7,
        output: "forewarn-report".into(),
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
        "simulate" => options.simulate = arguments.value()?.string()?,
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
        "models" => {
            let names = arguments.value()?.string()?;
            options.models = names.split(',').map(|name| name.trim().to_owned()).collect();
        }
        "seed" => options.seed = arguments.value()?.parse()?,
        "output" => options.output = arguments.value()?.into(),
        _ => return Err("there is no such option".into()),
    }
    Ok(())
}

/// The graph of the fleet to simulate; `None` for the stress walk.
fn simulated_graph(options: &Options) -> Result<Option<fleet::ServiceGraph>, Box<dyn Error>> {
    match &*options.simulate {
        "stress-walk" => Ok(None),
        "shop" => Ok(Some(fleet::ServiceGraph::shop())),
        "twelve" => Ok(Some(fleet::ServiceGraph::twelve())),
        other => Err(format!("--simulate {other}: there are shop, twelve and stress-walk").into()),
    }
}

fn simulate(options: &Options) -> Result<Data, Box<dyn Error>> {
    let minutes = options.days.checked_mul(24 * 60).ok_or("--days: too many")?;
    match simulated_graph(options)? {
        None => Ok(Data::from_stress_walk(StressWalk::new(minutes, options.seed)?.run())?),
        Some(graph) => Ok(Data::from_fleet(Fleet::new(graph, minutes, options.seed)?)?),
    }
}

/// Who calls whom, if models are to know.
fn topology(options: &Options) -> Result<Option<ServiceGraph>, Box<dyn Error>> {
    let Some(path) = &options.topology else { return Ok(None) };
    if path.as_os_str() != "simulated" {
        return Ok(Some(ServiceGraph::from_path(path)?));
    }
    let simulated = if options.input.is_none() { simulated_graph(options)? } else { None };
    let graph = simulated.ok_or("--topology simulated: only a simulated shop has a graph of its own")?;
    Ok(Some(fleet_graph(&graph)?))
}

fn read(options: &Options) -> Result<Data, Box<dyn Error>> {
    let Some(path) = &options.input else {
        return simulate(options);
    };
    let mut settings = ReadOptions::default();
    if let Some(column) = &options.failure_column {
        settings = settings.with_outcome_column(column);
    }
    let name = path
        .file_name()
        .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    Ok(Data::from_recording(io::read(path, &settings)?, name))
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    make_folder(&options.output)?;
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
        trainer: StandardModels::preferred_trainer(),
    };
    let mut experiment = Experiment::new(rule).target(options.target).window(spec).split(options.split);
    if let Some(graph) = topology(options)? {
        experiment = experiment.topology(TopologyFeatures::new(&graph));
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
