//! What is fitted can be shared by threads.

use crate::line::FittedLine;
use forewarn_ensemble::{
    Blend, Calibrated, Calibrator, ColdStart, ColdStream, Combined, FittedNovelty, Occlusion, Qualified,
};

fn is_shared<T: Send + Sync>() {}

#[test]
fn everything_fitted_is_shared_by_threads() {
    is_shared::<Blend>();
    is_shared::<Calibrator>();
    is_shared::<Calibrated<FittedLine>>();
    is_shared::<Combined<FittedLine>>();
    is_shared::<Qualified<FittedLine>>();
    is_shared::<ColdStart<FittedLine>>();
    is_shared::<ColdStream<FittedLine>>();
    is_shared::<FittedNovelty>();
    is_shared::<Occlusion>();
}
