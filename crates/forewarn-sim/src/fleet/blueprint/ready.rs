//! Ready-made service graphs.

use crate::fleet::{Blueprint, Need, PlannedCall, Service, provision::provision};

impl Blueprint {
    /// The four-service shop: `gateway` calls `auth` and `user`, both of which call `database`.
    ///
    /// At load 1 the gateway takes 60 requests a second; `database` and `user` are then a little more than half busy,
    /// which is as far as a careful operator goes.
    #[must_use]
    pub fn shop() -> Self {
        let services = vec![
            Service {
                arrivals_per_second: 60.0,
                workers: 48,
                cores: 0.5,
                cpu_ms: 12.0,
                io_ms: 2.0,
                deadline_ms: 4_000.0,
                memory_mb: 768.0,
                request_kb: 3.0,
                response_kb: 20.0,
                ..Service::new("gateway")
            },
            Service {
                cores: 0.4,
                cpu_ms: 14.0,
                io_ms: 2.0,
                deadline_ms: 1_500.0,
                memory_mb: 640.0,
                response_kb: 2.0,
                ..Service::new("auth")
            },
            Service { cores: 0.6, cpu_ms: 18.0, io_ms: 6.0, deadline_ms: 2_500.0, ..Service::new("user") },
            Service {
                pods: 2,
                workers: 40,
                cores: 1.2,
                cpu_ms: 20.0,
                io_ms: 8.0,
                variation: 1.0,
                queue: 400,
                deadline_ms: 2_000.0,
                error_rate: 0.0005,
                memory_mb: 4_096.0,
                resident_mb: 900.0,
                cache_mb: 1_600.0,
                request_mb: 2.0,
                garbage: 0.004,
                start_seconds: 60.0,
                warm_up_seconds: 420.0,
                response_kb: 12.0,
                ..Service::new("database")
            },
        ];
        let calls = vec![
            PlannedCall { probability: 0.6, ..PlannedCall::new("gateway", "auth").with_retry(1, Some(0.2)) },
            PlannedCall {
                probability: 0.8,
                timeout_ms: 2_000.0,
                ..PlannedCall::new("gateway", "user").with_retry(1, None).with_breaker(0.6, 20.0)
            },
            PlannedCall {
                cache_hit: 0.6,
                timeout_ms: 500.0,
                pool: 10,
                ..PlannedCall::new("auth", "database").with_retry(1, Some(0.3))
            },
            PlannedCall {
                fan_out: 2,
                cache_hit: 0.5,
                timeout_ms: 800.0,
                pool: 20,
                ..PlannedCall::new("user", "database").with_retry(1, None)
            },
        ];
        Self::new(services, calls).expect("the shop's numbers are checked by a test")
    }

    /// A larger shop: twelve services in four layers, with an optional call, caches, a third party behind `payment`
    /// and two stores.
    #[must_use]
    pub fn twelve() -> Self {
        let service = |name: &str, pods: u32, cpu_ms: f64, io_ms: f64| Service {
            pods,
            cpu_ms,
            io_ms,
            ..Service::new(name)
        };
        let mut services = vec![
            Service { arrivals_per_second: 120.0, workers: 64, ..service("gateway", 4, 8.0, 2.0) },
            service("auth", 2, 12.0, 2.0),
            service("user", 3, 15.0, 6.0),
            service("catalog", 3, 20.0, 5.0),
            service("search", 3, 35.0, 12.0),
            service("recommendation", 2, 40.0, 5.0),
            service("cart", 2, 14.0, 4.0),
            service("order", 2, 25.0, 8.0),
            service("payment", 2, 15.0, 180.0),
            service("inventory", 2, 12.0, 4.0),
            Service {
                variation: 1.0,
                garbage: 0.004,
                memory_mb: 4_096.0,
                resident_mb: 900.0,
                cache_mb: 1_600.0,
                request_mb: 2.0,
                queue: 400,
                deadline_ms: 2_000.0,
                start_seconds: 60.0,
                warm_up_seconds: 420.0,
                ..service("database", 3, 16.0, 7.0)
            },
            Service { garbage: 0.0, variation: 0.5, cold_factor: 1.0, ..service("sessions", 2, 2.0, 1.0) },
        ];
        let call = |client: &str, server: &str, probability: f64, timeout_ms: f64| PlannedCall {
            probability,
            timeout_ms,
            ..PlannedCall::new(client, server)
        };
        let calls = vec![
            call("gateway", "auth", 0.4, 1_000.0).with_retry(1, Some(0.2)),
            call("gateway", "user", 0.2, 1_500.0).with_retry(1, None),
            call("gateway", "catalog", 0.45, 1_500.0).with_retry(1, None).with_breaker(0.6, 20.0),
            call("gateway", "search", 0.25, 2_000.0).with_breaker(0.5, 20.0),
            call("gateway", "cart", 0.2, 1_500.0).with_retry(1, None),
            call("gateway", "order", 0.05, 4_000.0),
            call("auth", "sessions", 1.0, 300.0).with_retry(2, Some(0.2)),
            PlannedCall { cache_hit: 0.6, ..call("user", "database", 1.0, 800.0).with_retry(1, None) },
            PlannedCall {
                cache_hit: 0.5,
                fan_out: 2,
                ..call("catalog", "database", 1.0, 800.0).with_retry(1, None)
            },
            PlannedCall { need: Need::Optional, ..call("catalog", "recommendation", 0.3, 400.0) },
            call("search", "catalog", 0.5, 1_000.0),
            PlannedCall { cache_hit: 0.4, ..call("recommendation", "database", 1.0, 500.0) },
            call("cart", "sessions", 1.0, 300.0).with_retry(2, None),
            call("cart", "inventory", 0.5, 800.0).with_retry(1, None),
            call("order", "payment", 0.8, 3_000.0).with_retry(1, None),
            call("order", "inventory", 1.0, 1_000.0).with_retry(2, None),
            call("order", "database", 1.0, 1_000.0).with_retry(1, None),
            call("inventory", "database", 1.0, 600.0).with_retry(1, Some(0.3)),
        ];
        provision(&mut services, &calls, |index| 0.44 + 0.02 * (index % 7) as f64);
        Self::new(services, calls).expect("the numbers are checked by a test")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_pass_their_own_checks() {
        let (shop, twelve) = (Blueprint::shop(), Blueprint::twelve());
        assert_eq!((shop.services().len(), shop.calls().len()), (4, 4));
        assert_eq!((twelve.services().len(), twelve.calls().len()), (12, 18));
        assert_eq!(shop.called(), [true, true, false, true], "auth, database, gateway, user");
    }
}
