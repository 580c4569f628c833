use super::{Breach, bits, holds, places, rows_of, same, works};
use crate::{Envelope, Feature, Predictor, Registry, Score, WindowSpec, Windows};
use forewarn_schema::FrameView;

/// Most places in which a file is damaged.
const PLACES: usize = 48;

/// Checks that a model is read back as what was saved, on windows of a frame of its [`input`](Predictor::input):
///
/// - it can be saved for windows of its length, and for no other;
/// - the same model gives the same bytes, and so does the one that was read;
/// - the model that `registry` reads has the same input and length, and scores the same bits;
/// - a file that is cut off is refused, and one in which a byte is changed makes nothing panic.
///
/// # Errors
/// The first [`Breach`].
pub fn saved_model<P: Predictor + ?Sized>(
    model: &P,
    registry: &Registry,
    window: WindowSpec,
    frame: FrameView<'_>,
) -> Result<(), Breach> {
    let law = "the model can be saved";
    let file = bytes_of(model, window, law)?;
    same(&bytes_of(model, window, law)?, &file, "the same model gives the same bytes", "the second time")?;
    let longer = WindowSpec::new(window.observation() + 1, window.lead(), window.period());
    let longer = works(longer, "a window can be a row longer")?;
    holds(bytes_of(model, longer, law).is_err(), "a model is saved for windows of its length alone", || {
        "it was saved for windows of one row more".to_owned()
    })?;

    let law = "what was saved can be read";
    let read = works(registry.predictor(works(Envelope::from_bytes(&file), law)?), law)?;
    holds(read.input() == model.input(), "the model that is read has the same features", || {
        format!("{:?}", read.input().names().collect::<Vec<_>>())
    })?;
    let observation = model.observation();
    same(&read.observation(), &observation, "the model that is read has windows of the same length", "rows")?;
    let last_rows: Vec<u32> = (observation.saturating_sub(1)..frame.rows()).map(|row| row as u32).collect();
    let windows = Windows::new(frame.schema(), frame.values(), observation, &last_rows);
    let windows = works(windows, "the frame has the model's features")?;
    let numbers = |scores: Vec<Score>| bits(&scores.iter().map(|score| score.get()).collect::<Vec<_>>());
    let law = "the model that is read scores the same bits";
    let expected = numbers(works(model.score_all(windows), law)?);
    same(&numbers(works(read.score_all(windows), law)?), &expected, law, "scores")?;
    same(&bytes_of(&read, window, law)?, &file, "the model that is read gives the same bytes", "its file")?;

    for place in places(file.len() - 1, PLACES) {
        let cut = Envelope::from_bytes(&file[..place]).map_err(drop);
        let refused = cut.and_then(|envelope| registry.predictor(envelope).map_err(drop)).is_err();
        holds(refused, "a file that is cut off is refused", || {
            format!("{place} bytes of {} were read", file.len())
        })?;
        let mut changed = file.clone();
        changed[place] ^= 0x55;
        if let Ok(envelope) = Envelope::from_bytes(&changed)
            && let Ok(other) = registry.predictor(envelope)
        {
            // Another model, or none for these windows: what counts is that it says so.
            drop(other.score_all(windows));
        }
    }
    Ok(())
}

fn bytes_of<P: Predictor + ?Sized>(
    model: &P,
    window: WindowSpec,
    law: &'static str,
) -> Result<Vec<u8>, Breach> {
    let save = model.as_save();
    let save = save.ok_or_else(|| Breach { law, found: "`as_save` gives nothing".to_owned() })?;
    let mut file = Vec::new();
    works(works(save.to_envelope(window), law)?.write(&mut file), law)?;
    Ok(file)
}

/// Checks that a feature is read back as what was saved: the feature that `registry` makes of [`Feature::saved`] has
/// the same columns, writes the same bits on the rows of `frame`, and saves the same.
///
/// # Errors
/// The first [`Breach`].
pub fn saved_feature<F: Feature + ?Sized>(
    feature: &F,
    registry: &Registry,
    frame: FrameView<'_>,
) -> Result<(), Breach> {
    let law = "the feature can be saved";
    let saved = feature.saved();
    let saved = saved.ok_or_else(|| Breach { law, found: "`saved` gives nothing".to_owned() })?;
    let read = works(registry.feature(&saved), "what was saved can be read")?;
    same(&read.saved(), &Some(saved), "the feature that is read saves the same", "saved")?;
    let law = "the feature that is read has the same columns";
    let outputs = works(feature.outputs(frame.schema()), law)?;
    same(&works(read.outputs(frame.schema()), law)?, &outputs, law, "columns")?;
    let mut own = works(feature.start(frame.schema(), frame.into()), law)?;
    let mut other = works(read.start(frame.schema(), frame.into()), law)?;
    let mut out = [vec![7.0; outputs.len()], vec![7.0; outputs.len()]];
    for (row, sample) in rows_of(frame).enumerate() {
        own.push(sample, &mut out[0]);
        other.push(sample, &mut out[1]);
        let law = "the feature that is read writes the same bits";
        same(&bits(&out[1]), &bits(&out[0]), law, &format!("row {row}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::predictor::tests::{Kind, frame, model, read};
    use super::*;

    #[test]
    fn models_that_are_not_read_back_are_found() {
        let registry = Registry::new().with_predictor("sum", read);
        let window = WindowSpec::new(3, 0, 5).unwrap();
        let frame = frame(30);
        assert_eq!(saved_model(&model(Kind::Right), &registry, window, frame.view()), Ok(()));
        let breach = saved_model(&model(Kind::ForgetsAWeight), &registry, window, frame.view()).unwrap_err();
        assert!(breach.law.contains("scores the same bits"), "{breach}");
        let breach = saved_model(&model(Kind::Right), &Registry::new(), window, frame.view()).unwrap_err();
        assert!(breach.law.contains("can be read"), "{breach}");
    }
}
