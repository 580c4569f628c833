use crate::fleet::{Fleet, RollOuts};
use crate::{SimError, ceiling_score::CeilingScore};
use forewarn_core::{FailureRule, Label, Labels, Settling, Source, Target, WindowSpec};
use forewarn_schema::Step;
use std::{ops::Range, sync::Arc};

impl Fleet {
    /// [`ceiling`](Self::ceiling) as one figure: how well a predictor that knows the hidden state would rank the
    /// windows of all services that end in `rows`, those that have a label.
    ///
    /// # Errors
    /// As [`ceiling`](Self::ceiling); [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass) where nothing
    /// fails in `rows`, or everything does.
    ///
    /// # Examples
    /// ```
    /// use forewarn_core::{Target, V1Rule, WindowSpec};
    /// use forewarn_sim::{Fleet, fleet::{FaultKind, FaultSchedule, Injection, RollOuts}};
    ///
    /// let leak = Injection::new(FaultKind::ThreadLeak, "user").with_severity(1.0);
    /// let fleet = Fleet::shop(7).with_minutes(240).with_faults(FaultSchedule::none()).with_injection(60, leak);
    /// let roll_outs = RollOuts { futures: 8, past: 2, ..RollOuts::default() };
    /// let best = fleet.ceiling_score(&V1Rule, WindowSpec::default(), Target::Onset, 10..240, roll_outs)?;
    /// assert!(best.average_precision > 0.5, "a leak can be foreseen: {best:?}");
    /// # Ok::<(), forewarn_sim::SimError>(())
    /// ```
    pub fn ceiling_score(
        &self,
        rule: &dyn FailureRule,
        spec: WindowSpec,
        target: Target,
        rows: Range<usize>,
        roll_outs: RollOuts,
    ) -> Result<CeilingScore, SimError> {
        let foresights = self.ceiling(rule, spec, target, rows, roll_outs)?;
        let frames = self.clone().frames()?;
        let settling = Settling {
            confirmation: rule.confirmation_at(Step::MINUTE),
            settling: rule.settling_at(Step::MINUTE),
        };
        let found =
            frames.frames().map(|frame| rule.assess_with_gaps(frame)).collect::<Result<Vec<_>, _>>()?;
        let labels = Labels::from_assessments(Arc::clone(frames.layout()), spec, target, settling, found)?;
        let (mut scores, mut positive) = (Vec::new(), Vec::new());
        for foresight in &foresights {
            let services = frames.layout().services().iter().zip(&foresight.probabilities);
            for (place, &probability) in services {
                match labels.as_slice().get(place.rows().start + foresight.row) {
                    Some(Label::Excluded(_)) | None => {}
                    Some(label) => {
                        scores.push(probability);
                        positive.push(*label == Label::Positive);
                    }
                }
            }
        }
        CeilingScore::new(&scores, &positive)
    }
}
