use super::*;
use crate::ExperimentError;
use forewarn_schema::{Frame, Metric};

fn frame(service: &str, failing: &[usize]) -> Frame {
    let schema = Schema::new(vec![Metric::gauge("error_rate"), Metric::gauge("load")]).unwrap();
    let start = "2024-01-01T00:00:00Z".parse().unwrap();
    let values = (0..120).flat_map(|row| [f32::from(u8::from(failing.contains(&row))), row as f32]).collect();
    Frame::new(service, schema, start, Step::MINUTE, values).unwrap()
}

fn question(keep_quiet: f64) -> SampleQuestion {
    SampleQuestion {
        rule: Rule::v1(),
        window: WindowSpec::default(),
        target: Target::Onset,
        keep_quiet,
        keep_negatives: 1.0,
        seed: 7,
    }
}

fn frames(services: &[(&str, &[usize])]) -> FrameSet {
    FrameSet::from_frames(services.iter().map(|(name, failing)| frame(name, failing)).collect()).unwrap()
}

#[test]
fn parts_in_any_order_give_what_all_together_do() {
    let all: [(&str, &[usize]); 3] = [("a", &[40, 41]), ("b", &[]), ("c", &[50, 51, 52])];
    let Sampled { about: whole, labels, .. } = question(0.0).ask(&frames(&all)).unwrap();
    let part = |at: usize| question(0.0).ask(&frames(&all[at..=at])).unwrap().about;
    let joined = SampleAbout::join([part(2), part(0), part(1)]).unwrap();
    assert_eq!(serde_json::to_string(&joined).unwrap(), serde_json::to_string(&whole).unwrap());
    let kept: Vec<bool> = whole.services.iter().map(|service| service.kept).collect();
    assert_eq!(kept, [true, false, true]);
    assert_eq!(whole.services[0].labels.ongoing, 2);
    let positive = labels.as_slice().iter().filter(|label| **label == Label::Positive).count() as u64;
    assert_eq!(whole.services.iter().map(|service| service.labels.positive).sum::<u64>(), positive);
    assert_eq!(whole.summary()["kept"]["services"], 2);
}

#[test]
fn parts_that_do_not_go_together_are_refused() {
    let part = |name: &str| question(0.5).ask(&frames(&[(name, &[40, 41])])).unwrap().about;
    let told = |parts: Vec<SampleAbout>| SampleAbout::join(parts).unwrap_err().to_string();
    assert!(told(vec![part("a"), part("a")]).contains("came twice"));
    let mut other = part("b");
    other.question.seed = 8;
    assert!(told(vec![part("a"), other]).contains("another question"));
    assert!(matches!(SampleAbout::join([]), Err(ExperimentError::SampleEmpty)));
    assert!(question(1.5).ask(&frames(&[("a", &[])])).unwrap_err().to_string().contains("1.5"));
}

#[test]
fn the_choice_of_a_service_depends_on_nothing_else() {
    let names: Vec<String> = (0..200).map(|number| format!("s{number:03}")).collect();
    let kept = |share| names.iter().filter(|name| question(share).keeps(name)).count();
    assert_eq!((kept(0.0), kept(1.0)), (0, 200));
    assert!((30..70).contains(&kept(0.25)), "{}", kept(0.25));
    let few: Vec<&String> = names.iter().filter(|name| question(0.25).keeps(name)).collect();
    assert!(
        few.iter().all(|name| question(0.5).keeps(name)),
        "a larger share keeps what a smaller one keeps"
    );
}

#[test]
fn every_positive_is_kept_and_kept_negatives_stand_for_the_others() {
    let all: [(&str, &[usize]); 3] = [("a", &[40, 41]), ("b", &[]), ("c", &[50, 51, 52])];
    let thinned = |keep_quiet, keep_negatives| {
        let question = SampleQuestion { keep_negatives, ..question(keep_quiet) };
        question.ask(&frames(&all)).unwrap()
    };
    let Sampled { about, labels, weights } = thinned(1.0, 0.25);
    let of = |label: Label| labels.as_slice().iter().zip(&weights).filter(move |(found, _)| **found == label);
    assert!(of(Label::Positive).count() > 0 && of(Label::Positive).all(|(_, &weight)| weight == 1.0));
    let negatives: Vec<f32> = of(Label::Negative).map(|(_, &weight)| weight).collect();
    assert!(negatives.iter().all(|weight| [0.0, 4.0].contains(weight)));
    let kept = negatives.iter().filter(|weight| **weight > 0.0).count() as u64;
    let share = kept as f64 / negatives.len() as f64;
    // Three standard deviations of a share of some 300.
    assert!((share - 0.25).abs() < 3.0 * (0.25f64 * 0.75 / negatives.len() as f64).sqrt(), "{share}");
    assert_eq!(about.services.iter().map(|service| service.negatives_kept).sum::<u64>(), kept);
    assert_eq!(about.summary()["negatives_kept"], kept);
    let excluded = labels.as_slice().iter().zip(&weights);
    assert!(
        excluded.filter(|(label, _)| matches!(label, Label::Excluded(_))).all(|(_, &weight)| weight == 0.0)
    );

    // A kept service without a failure stands for those that are not.
    let quiet = question(0.5).keeps("b");
    let weights = thinned(0.5, 1.0).weights;
    assert!(weights[120..200].iter().all(|&weight| weight == if quiet { 2.0 } else { 0.0 }));

    // A larger share keeps what a smaller one keeps, and a service without its first rows what it kept.
    let more = thinned(1.0, 0.5).weights;
    let less = thinned(1.0, 0.25).weights;
    assert!(less.iter().zip(&more).all(|(less, more)| *less == 0.0 || *more > 0.0));
    let whole = frame("a", &[40, 41]);
    let (start, values) = (whole.view().time(20), whole.view().values()[2 * 20..].to_vec());
    let later = Frame::new("a", whole.view().schema().clone(), start, Step::MINUTE, values).unwrap();
    let later = FrameSet::from_frames(vec![later]).unwrap();
    let question = SampleQuestion { keep_negatives: 0.25, ..question(1.0) };
    assert_eq!(question.ask(&later).unwrap().weights, less[20..120]);

    for wrong in [0.0, -1.0, 1.5, f64::NAN] {
        let refused = SampleQuestion { keep_negatives: wrong, ..question.clone() }.ask(&later);
        assert!(refused.unwrap_err().to_string().contains("negative windows"), "{wrong}");
    }
}
