//! What is public may be shared by threads and sent to them.

use forewarn_window::{
    Aligner, Alignment, BalancedBatches, BoundFeatures, BoundPipeline, Features, FeaturesState, Normaliser,
    Pipeline, RowNormaliser, SeasonalProfile, WindowCopies, WindowError, WindowState,
};

fn shared<T: Send + Sync + 'static>() {}

#[test]
fn public_types_are_send_and_sync() {
    shared::<Aligner>();
    shared::<Alignment>();
    shared::<BalancedBatches>();
    shared::<BoundFeatures>();
    shared::<BoundPipeline>();
    shared::<Features>();
    shared::<FeaturesState>();
    shared::<Normaliser>();
    shared::<Pipeline>();
    shared::<RowNormaliser>();
    shared::<SeasonalProfile>();
    shared::<WindowCopies>();
    shared::<WindowError>();
    shared::<WindowState>();
}
