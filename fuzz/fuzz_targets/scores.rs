//! Whatever is in files of scores and of failures, reading them ends in an error or in rows that can be judged.
//!
//! The first byte says how the rest is taken: scores with labels of their own, or scores, a line of `=`, and a list of
//! failures.
//!
//! `cargo +nightly fuzz run scores fuzz/corpus/scores fuzz/seeds_scores -- -max_total_time=600`

#![no_main]

use forewarn_core::WindowSpec;
use forewarn_eval::{EpisodeFile, KnownFailures, LabelMeaning, ScoreFile, predictions_csv};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let Some((choice, text)) = file.split_first() else { return };
    let meaning = if choice & 1 == 0 { LabelMeaning::Begins } else { LabelMeaning::Failing };
    let spec = WindowSpec::default();
    let cut = text.windows(3).position(|three| three == b"\n=\n");
    let (scores, failures) = cut.map_or((text, None), |at| (&text[..=at], Some(&text[at + 3..])));
    let failures = failures.and_then(|text| EpisodeFile::read(text).ok());
    let Ok(models) = ScoreFile::read(scores) else { return };
    for (name, scores) in &models {
        let known = match &failures {
            Some(list) => KnownFailures::List { episodes: &list.episodes, spec, step: None },
            None => KnownFailures::InScores { spec, step: None },
        };
        let Ok(judged) = scores.judge(known, meaning) else { continue };
        // What was judged can be written, and read as what it was.
        let mut written = Vec::new();
        predictions_csv(&mut written, &[(name, &judged.set)]).expect("memory takes everything");
        let again = ScoreFile::read(&written[..]).expect("what was written can be read");
        assert_eq!(again.len(), 1);
    }
});
