use super::table::cell_of;
use crate::{EvalError, ScoredSet};
use std::io::{self, Write};

/// Writes every score of every model as CSV: `service,timestamp,label,model,score`, with label 1 for a positive window.
///
/// A score is the shortest text that gives the same 32-bit number, like the threshold in `report.json`: read as
/// numbers of any precision, `score >= threshold` comes out as it did here.
///
/// A name that begins with `=`, `+`, `-`, `@`, a tab, a carriage return or an apostrophe gets an apostrophe before
/// it: a spreadsheet then shows it and does not run it as a formula. [`ScoreFile::read`](super::ScoreFile::read)
/// takes that one off.
///
/// # Errors
/// [`EvalError::Io`].
pub fn predictions_csv<W: Write>(writer: W, models: &[(&str, &ScoredSet)]) -> Result<(), EvalError> {
    let mut csv = csv::Writer::from_writer(writer);
    let mut write = || -> Result<(), io::Error> {
        csv.write_record(["service", "timestamp", "label", "model", "score"])?;
        for (model, set) in models {
            let model = cell_of(model);
            for series in set.series() {
                let service = cell_of(series.service());
                for ((time, score), &positive) in series.scored().zip(series.positive()) {
                    let (time, label) = (time.to_string(), if positive { "1" } else { "0" });
                    let score = score.get().to_string();
                    csv.write_record([&*service, &time, label, &*model, &score])?;
                }
            }
        }
        csv.flush()
    };
    Ok(write()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ScoredSeries, testing::minute, testing::scores};
    use forewarn_core::WindowSpec;
    use forewarn_schema::{Episodes, Step};

    #[test]
    fn text_is_quoted_and_numbers_are_short() {
        let times = vec![minute(0), minute(1)];
        let values = scores(&[0.1, 1e-10]);
        let series =
            ScoredSeries::new("a,\"b\"", times, values, vec![true, false], Episodes::default()).unwrap();
        let set = ScoredSet::new(WindowSpec::default(), Step::MINUTE, vec![series]).unwrap();
        let mut csv = Vec::new();
        predictions_csv(&mut csv, &[("logistic", &set)]).unwrap();
        let expected = "service,timestamp,label,model,score\n\
             \"a,\"\"b\"\"\",1970-01-01T00:00:00Z,1,logistic,0.1\n\
             \"a,\"\"b\"\"\",1970-01-01T00:01:00Z,0,logistic,0.0000000001\n";
        assert_eq!(String::from_utf8(csv).unwrap(), expected);
    }

    #[test]
    fn no_name_is_a_formula_and_each_comes_back() {
        for name in ["=1+1", "+a", "-a", "@a", "'a", "'=a", "plain", "a=b"] {
            let times = vec![minute(0), minute(1)];
            let series =
                ScoredSeries::new(name, times, scores(&[0.1, 0.2]), vec![true, false], Episodes::default())
                    .unwrap();
            let set = ScoredSet::new(WindowSpec::default(), Step::MINUTE, vec![series]).unwrap();
            let mut csv = Vec::new();
            predictions_csv(&mut csv, &[(name, &set)]).unwrap();
            let text = String::from_utf8(csv.clone()).unwrap();
            let line = text.lines().nth(1).unwrap();
            assert!(!line.starts_with(['=', '+', '-', '@']) && !line.contains(",="), "{line}");
            let read = super::super::ScoreFile::read(&*csv).unwrap();
            let services: Vec<_> = read[name].services().collect();
            assert_eq!((read.len(), services), (1, vec![name]));
        }
    }
}
