use super::manifest::{Entry, FORMAT, Manifest, read_manifest};
use crate::{
    error::{About, CliError},
    options::{
        common::Common,
        prometheus::{PrometheusArgs, last_days, remarks, stop_on_signals},
    },
    output::{files::NewFile, progress::Reporter, terminal},
};
use clap::Args;
use forewarn::schema::{FrameSet, Step, Timestamp};
use forewarn_server::{PastDay, PrometheusPast};
use std::{collections::BTreeMap, fs, path::PathBuf};

/// Read the past of services from Prometheus into Parquet files, one a day
///
/// Rows are those of one query over the whole time, wherever it is cut. A run that was stopped goes on where it was:
/// days that are there are not asked for again. Train on the folder with `forewarn train --input DIR`.
#[derive(Args)]
pub(crate) struct Backfill {
    #[command(flatten)]
    server: PrometheusArgs,
    /// Time of the first row, such as 2026-01-01T00:00:00Z, or a date
    #[arg(long, value_name = "TIME", value_parser = time, required_unless_present = "days", conflicts_with = "days")]
    from: Option<Timestamp>,
    /// Time of the last row [default: now]
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "days")]
    to: Option<Timestamp>,
    /// The last N days
    #[arg(long, value_name = "N")]
    days: Option<usize>,
    /// Time between rows, such as 15s or 1m [default: 1m]
    #[arg(long, value_name = "DURATION", value_parser = crate::options::input::step)]
    step: Option<Step>,
    /// Folder for the files
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    output: PathBuf,
}

/// A time, or a date at its midnight.
fn time(text: &str) -> Result<Timestamp, String> {
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    whole.parse().map_err(|_| format!("{text:?}: expected a time such as 2026-01-01T00:00:00Z, or a date"))
}

impl Backfill {
    pub(crate) fn run(&self, common: &Common) -> Result<(), CliError> {
        if !self.server.is_given() {
            return Err(CliError::usage("which server? Give --prometheus URL or --config FILE"));
        }
        let progress = Reporter::new(common.quiet);
        let past = self.server.past(self.step)?;
        let mut manifest = self.manifest(&past)?;
        let days = self.asked(&past)?;
        let stop = stop_on_signals()?;
        let (mut read, mut there) = (0, 0);
        for (number, &day) in days.iter().enumerate() {
            let entry = manifest.days.get(&day.date()).filter(|entry| entry.holds(day));
            if entry.is_some_and(|entry| entry.rows == 0 || self.file(day).exists()) {
                there += 1;
                continue;
            }
            progress.stage(&format!("reading {} ({} of {})", day.date(), number + 1, days.len()));
            let Some(rows) = past.read(day, &stop)? else {
                let told = "stopped; the same command goes on with the day that it was at";
                return Err(CliError::failed(told));
            };
            remarks(day, &rows).iter().for_each(|line| progress.stage(line));
            let entry = Entry {
                first: day.first,
                last: day.last,
                services: rows.frames.len(),
                rows: rows.frames.iter().map(|frame| frame.view().rows()).sum(),
                partial: rows.partial.is_some(),
            };
            self.write(day, rows.frames)?;
            manifest.days.insert(day.date(), entry);
            manifest.write(&self.output)?;
            read += 1;
        }
        progress.finish();
        let rows: usize = manifest.days.values().map(|entry| entry.rows).sum();
        let partial = manifest.days.values().filter(|entry| entry.partial).count();
        let mut text = format!(
            "{read} days read, {there} were there; {rows} rows in {}, by {}",
            self.output.display(),
            past.recipes().join(" and ")
        );
        if partial > 0 {
            text += &format!("\n{partial} days are not complete, as the server said");
        }
        terminal::print(&text)
    }

    fn asked(&self, past: &PrometheusPast) -> Result<Vec<PastDay>, CliError> {
        let settled = past.settled();
        let days = match (self.days, self.from) {
            (Some(days), _) => last_days(past, days)?,
            (None, from) => {
                let to = self.to.map_or(settled, |to| to.min(settled));
                PastDay::between(from.unwrap_or(settled), to, past.step())
            }
        };
        if days.is_empty() {
            return Err(CliError::usage("no row time lies between --from and --to (or now)"));
        }
        Ok(days)
    }

    /// That of the folder, or a new one; refused where the folder holds rows of other queries.
    fn manifest(&self, past: &PrometheusPast) -> Result<Manifest, CliError> {
        let metrics: Vec<String> = past.schema().names().map(str::to_owned).collect();
        let new = Manifest {
            format: FORMAT,
            step: past.step(),
            metrics,
            schema: past.schema().metrics().to_vec(),
            queries: past.metadata(),
            days: BTreeMap::new(),
        };
        let Some(old) = read_manifest(&self.output)? else {
            let is_used = fs::read_dir(&self.output).is_ok_and(|mut entries| entries.next().is_some());
            if is_used {
                let told = format!("{}: holds other files; name a folder of its own", self.output.display());
                return Err(CliError::failed(told));
            }
            return Ok(new);
        };
        let is_same = old.step == new.step
            && old.metrics == new.metrics
            && old.queries.get("fingerprint") == new.queries.get("fingerprint");
        if is_same {
            return Ok(Manifest { queries: new.queries, schema: new.schema, ..old });
        }
        Err(CliError::failed(format!(
            "{}: holds rows of other queries or of another step; name another folder",
            self.output.display()
        )))
    }

    fn file(&self, day: PastDay) -> PathBuf {
        self.output.join(format!("{}.parquet", day.date()))
    }

    fn write(&self, day: PastDay, frames: Vec<forewarn::schema::Frame>) -> Result<(), CliError> {
        let path = self.file(day);
        if frames.is_empty() {
            // A file of an earlier, shorter run may be there.
            return match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(error).about(path.display())
                }
                _ => Ok(()),
            };
        }
        let mut file = NewFile::create(&path, &[])?;
        write_parquet(&FrameSet::from_frames(frames)?, &mut file)?;
        file.finish()
    }
}

#[cfg(feature = "parquet")]
fn write_parquet(frames: &FrameSet, to: &mut NewFile) -> Result<(), CliError> {
    Ok(forewarn::io::parquet::write_to(frames, to)?)
}

#[cfg(not(feature = "parquet"))]
fn write_parquet(_: &FrameSet, _: &mut NewFile) -> Result<(), CliError> {
    Err(CliError::failed("this program was built without the feature parquet, which backfill needs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_their_midnights() {
        assert_eq!(time("2026-01-05").unwrap().to_string(), "2026-01-05T00:00:00Z");
        assert_eq!(time("2026-01-05T12:00:00+01:00").unwrap().to_string(), "2026-01-05T11:00:00Z");
        assert!(time("yesterday").is_err());
    }
}
