//! A stand-in for what takes faults.

use forewarn_schema::Timestamp;
use forewarn_server::chaos::{
    ChaosControl, ChaosError, ChaosExperiment, ChaosKindInfo, ChaosParameters, ChaosPhase, ChaosRequest,
    ChaosState, Reading, Readings, Span,
};
use std::sync::Mutex;

/// Keeps a list of faults and injects none.
#[derive(Default)]
pub(crate) struct FakeChaos(Mutex<Vec<ChaosExperiment>>);

const SERVICES: [&str; 2] = ["database", "gateway"];

impl ChaosControl for FakeChaos {
    fn kinds(&self) -> Vec<ChaosKindInfo> {
        let span = |least, most, usual| Span { least, most, usual };
        vec![ChaosKindInfo {
            kind: "cpu_spike".to_owned(),
            label: "CPU spike".to_owned(),
            description: "Uses the processor.".to_owned(),
            routine: false,
            gradual: false,
            parameters: ChaosParameters { severity: span(0.01, 1.0, 0.5), seconds: span(5.0, 3_600.0, 60.0) },
            services: SERVICES.map(str::to_owned).to_vec(),
        }]
    }

    fn state(&self) -> ChaosState {
        let all = self.0.lock().unwrap().clone();
        let (active, past) = all.into_iter().partition(|fault| fault.phase == ChaosPhase::Active);
        ChaosState { now: Timestamp::EPOCH, most_active: 1_000, active, past }
    }

    fn inject(&self, request: &ChaosRequest) -> Result<ChaosExperiment, ChaosError> {
        if request.kind != "cpu_spike" {
            let expected = vec!["cpu_spike".to_owned()];
            return Err(ChaosError::UnknownKind { kind: request.kind.clone(), expected });
        }
        if !SERVICES.contains(&request.service.as_str()) {
            let expected = SERVICES.map(str::to_owned).to_vec();
            return Err(ChaosError::UnknownService { service: request.service.clone(), expected });
        }
        let seconds = request.seconds.unwrap_or(60.0);
        if !(5.0..=3_600.0).contains(&seconds) {
            let expected = "5 to 3600".to_owned();
            return Err(ChaosError::OutOfRange { field: "seconds", value: seconds.to_string(), expected });
        }
        let mut all = self.0.lock().unwrap();
        let fault = ChaosExperiment {
            id: all.len() as u32,
            kind: request.kind.clone(),
            service: request.service.clone(),
            severity: request.severity.unwrap_or(0.5),
            seconds,
            phase: ChaosPhase::Active,
            started: Timestamp::EPOCH,
            ends: Timestamp::EPOCH,
            over: Timestamp::EPOCH,
            left_seconds: seconds,
            stopped: false,
            reaches: vec![request.service.clone()],
            warned: None,
            failed: None,
            minutes_ahead: None,
        };
        all.push(fault.clone());
        Ok(fault)
    }

    fn stop(&self, id: u32) -> Result<ChaosExperiment, ChaosError> {
        let mut all = self.0.lock().unwrap();
        let fault = all.get_mut(id as usize).ok_or(ChaosError::NotFound { id })?;
        (fault.phase, fault.stopped) = (ChaosPhase::Over, true);
        Ok(fault.clone())
    }

    fn stop_all(&self) -> Result<Vec<ChaosExperiment>, ChaosError> {
        let ids: Vec<u32> = self.state().active.iter().map(|fault| fault.id).collect();
        ids.into_iter().map(|id| self.stop(id)).collect()
    }

    fn reset(&self) -> Result<usize, ChaosError> {
        self.stop_all().map(|ended| ended.len())
    }

    fn readings(&self) -> Option<Readings> {
        let reading = |service: &str| Reading {
            service: service.to_owned(),
            cpu: 0.25,
            memory: 0.5,
            latency: None,
            error_rate: None,
            throughput: 0.0,
            pods_up: 1.0,
        };
        Some(Readings { time: Timestamp::EPOCH, services: SERVICES.map(reading).to_vec(), calls: Vec::new() })
    }
}
