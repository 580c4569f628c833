use super::*;
use crate::{WatchConfig, source::open, watch::WatchOptions};
use forewarn_experiment::{Data, Experiment, Progress, StandardModels, write_model};
use forewarn_schema::{Schema, Step};
use forewarn_sim::StressWalk;
use std::{fmt::Write, fs, path::Path, sync::OnceLock};

type BoxError = Box<dyn std::error::Error>;

fn model() -> Arc<ServedModel> {
    static MODEL: OnceLock<Arc<ServedModel>> = OnceLock::new();
    Arc::clone(MODEL.get_or_init(|| Arc::new(fit().unwrap())))
}

fn fit() -> Result<ServedModel, BoxError> {
    let data = Data::from_stress_walk(StressWalk::new(4 * 1440, 7).run()?)?;
    let standard = StandardModels::new(Rule::v1(), data.frames().schema().clone());
    let experiment = Experiment::new(Rule::v1()).with_model(standard.get("rolling_mean")?);
    let trained = experiment.train(data, &|_: Progress<'_>| {})?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("model.safetensors");
    write_model(&path, &trained.to_envelope("rolling_mean")?, &[])?;
    Ok(ServedModel::read(fs::File::open(path)?)?)
}

/// A metrics file of two services and an hour, in which one has gaps.
fn metrics(path: &Path) -> Result<(), BoxError> {
    let names = Schema::v1().names().collect::<Vec<_>>().join(",");
    let mut text = format!("timestamp,service,{names}\n");
    for minute in 0..60 {
        for service in ["cart", "shop"] {
            if service == "cart" || minute % 7 != 3 {
                let row = "1,0,1,1,1,0,0,1,1,0";
                writeln!(text, "2026-01-01T00:{minute:02}:00Z,{service},{row}")?;
            }
        }
    }
    Ok(fs::write(path, text)?)
}

#[test]
fn the_sources_of_a_configuration_keep_the_laws() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    metrics(&folder.path().join("metrics.csv"))?;
    for (settings, ends) in [
        ("kind = \"simulator\"\nseed = 4\nminutes = 40", Ends::ByItself),
        ("kind = \"file\"\npath = \"metrics.csv\"", Ends::ByItself),
        ("kind = \"file\"\npath = \"metrics.csv\"\nspeed = 60", Ends::ByItself),
        ("kind = \"file\"\npath = \"metrics.csv\"\nfollow = true", Ends::WhenAsked { batches: 1_000 }),
        ("kind = \"push\"", Ends::WhenAsked { batches: 20 }),
    ] {
        let text = format!(
            "[model]\npath = \"model.safetensors\"\n[source]\n{settings}\n[store]\npath = \"store\"\n\
             [events]\npath = \"events.ndjson\"\n"
        );
        let path = folder.path().join("forewarn.toml");
        fs::write(&path, text)?;
        let config = WatchConfig::from_path(&path)?;
        let opened = || open(&config, &model(), &mut WatchOptions::default());
        assert_eq!(source(&model(), ends, opened), Ok(()), "{settings}");
    }
    Ok(())
}

/// Sends a row of each of six minutes; each kind but the first breaks a law.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Right,
    HasNoName,
    LacksAMetric,
    LeavesTheClock,
    RepeatsARow,
    SetsTheClockBack,
    SendsAgain,
    ForgetsTheRest,
    FailsWhenStopped,
}

struct Rows(Kind);

impl Source for Rows {
    fn name(&self) -> &str {
        if self.0 == Kind::HasNoName { " " } else { "rows" }
    }

    fn run(&mut self, context: &SourceContext) -> Result<(), ServerError> {
        for minute in 0..6 {
            if context.stop.is_stopped() {
                break;
            }
            let time = Timestamp::EPOCH.checked_add(Step::MINUTE, minute).unwrap();
            let resume = &context.resume;
            let is_known = resume.next.is_some_and(|next| time < next)
                || resume.taken.contains(&(time, "shop".to_owned()));
            if is_known && self.0 != Kind::SendsAgain {
                continue;
            }
            if resume.next.is_some() && self.0 == Kind::ForgetsTheRest {
                break;
            }
            let width = context.metrics.len() - usize::from(self.0 == Kind::LacksAMetric);
            let off = if self.0 == Kind::LeavesTheClock { 1_000 * minute } else { 0 };
            let row = Input::Row {
                service: "shop".to_owned(),
                time: Timestamp::from_millis(time.millis() + off).unwrap(),
                values: vec![f32::NAN; width],
            };
            let back = if self.0 == Kind::SetsTheClockBack { 600_000 * minute } else { 0 };
            let now = Timestamp::from_millis(time.millis() - back).unwrap();
            let mut inputs = vec![row.clone()];
            if self.0 == Kind::RepeatsARow {
                inputs.push(row);
            }
            inputs.push(Input::Advance { now });
            match context.handle.send(inputs) {
                Err(ServerError::Stopped) if self.0 != Kind::FailsWhenStopped => break,
                sent => drop(sent?),
            }
        }
        Ok(())
    }
}

#[test]
fn sources_that_break_a_law_are_found() {
    let checked = |kind| source(&model(), Ends::ByItself, || Ok(Box::new(Rows(kind))));
    assert_eq!(checked(Kind::Right), Ok(()));
    for (wrong, law) in [
        (Kind::HasNoName, "a name is"),
        (Kind::LacksAMetric, "for every metric"),
        (Kind::LeavesTheClock, "whole steps"),
        (Kind::RepeatsARow, "one row at a time"),
        (Kind::SetsTheClockBack, "never goes back"),
        (Kind::SendsAgain, "not sent again"),
        (Kind::ForgetsTheRest, "that the journal lacks"),
        (Kind::FailsWhenStopped, "without an error"),
    ] {
        let breach = checked(wrong).unwrap_err();
        assert!(breach.law.contains(law), "{wrong:?}: {breach}");
    }
    let unopened = || Err(ServerError::Stopped);
    assert_eq!(source(&model(), Ends::ByItself, unopened).unwrap_err().law, "a source can be opened");
}
