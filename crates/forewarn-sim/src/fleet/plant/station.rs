use crate::fleet::math::pow;

/// A service's workers and the requests that wait for them, as a fluid that is in balance with its queue at every
/// moment.
///
/// The number of requests in the system, `L`, changes by what comes in less what is done, and how busy the workers
/// are follows from `L` as in the stationary queue:
///
/// ```text
/// dL/dt = arrivals - capacity * rho,     L = capacity * hold * rho  +  burst * rho^a / (1 - rho),    a = sqrt(2 (workers + 1))
/// ```
///
/// The first term are requests being served (Little's law for the workers), the second those that wait (Sakasegawa's
/// approximation of M/M/c, times Allen and Cunneen's factor for service times that are not exponential). Below
/// saturation the queue answers to load like the textbook's; above it the backlog grows at the rate of the excess and
/// takes as long to drain as it takes.
///
/// # References
/// W.-P. Wang, D. Tipper, S. Banerjee, *A simple approximation for modeling nonstationary queues*, INFOCOM 1996
/// (pointwise stationary fluid flow). H. Sakasegawa, *An approximation formula `L_q = alpha rho^beta / (1 - rho)`*,
/// Annals of the Institute of Statistical Mathematics 29, 1977.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Station {
    /// Requests a second that all workers together can do.
    pub(crate) capacity: f64,
    /// Seconds that a request holds a worker.
    pub(crate) hold: f64,
    /// The exponent `a`.
    pub(crate) exponent: f64,
    /// `(1 + squared coefficient of variation) / 2` of the hold.
    pub(crate) burst: f64,
    /// Most requests that may wait.
    pub(crate) queue: f64,
}

/// What happened in a station in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Flow {
    /// Share of the capacity that was used, 0..1.
    pub(crate) utilisation: f64,
    /// Requests a second that were done.
    pub(crate) done: f64,
    /// Requests in the system afterwards.
    pub(crate) number: f64,
    /// Requests a second that found the queue full.
    pub(crate) rejected: f64,
}

impl Station {
    /// `number` requests in the system, `arrivals` more a second, for `seconds`. Implicit in time, so any step is
    /// stable, and `number + (arrivals - rejected - done) * seconds` is exactly what is left.
    ///
    /// `guess` is about how busy the workers will be, such as how busy they were.
    pub(crate) fn step(&self, number: f64, guess: f64, arrivals: f64, seconds: f64) -> Flow {
        let load = number + arrivals * seconds;
        let room = self.capacity * (self.hold + seconds);
        if room <= 1e-9 {
            let kept = load.min(self.queue);
            return Flow { utilisation: 1.0, done: 0.0, number: kept, rejected: (load - kept) / seconds };
        }
        // With rho^a taken from the guess the balance is quadratic. In balance the guess is right; elsewhere a tick's
        // delay in how many wait is less than what the approximation leaves out.
        let waiting = (self.burst * pow(guess, self.exponent)).min(0.999 * load);
        let gap = room - load;
        let rho = 2.0 * (load - waiting) / (room + load + (gap * gap + 4.0 * room * waiting).sqrt());
        let done = self.capacity * rho;
        let left = (load - done * seconds).max(0.0);
        let number = left.min(done * self.hold + self.queue);
        Flow { utilisation: rho, done, number, rejected: (left - number) / seconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::random::{Draws, Stream};
    use std::collections::BinaryHeap;

    fn station(workers: f64, hold: f64) -> Station {
        Station {
            capacity: workers / hold,
            hold,
            exponent: (2.0 * (workers + 1.0)).sqrt(),
            burst: 1.0,
            queue: 1e9,
        }
    }

    fn settled(station: &Station, arrivals: f64) -> Flow {
        let first = station.step(0.0, 0.0, arrivals, 5.0);
        (0..2_000).fold(first, |flow, _| station.step(flow.number, flow.utilisation, arrivals, 5.0))
    }

    /// Mean number in M/M/c, by the formula of Erlang.
    fn erlang(workers: u32, offered: f64) -> f64 {
        let blocking = (1..=workers).fold(1.0, |b, n| offered * b / (f64::from(n) + offered * b));
        let rho = offered / f64::from(workers);
        let waits = blocking / (1.0 - rho * (1.0 - blocking));
        offered + waits * rho / (1.0 - rho)
    }

    #[test]
    fn in_balance_it_is_the_textbooks_queue() {
        for workers in [1u32, 4, 16, 64] {
            for rho in [0.1, 0.5, 0.8, 0.9, 0.97] {
                let station = station(f64::from(workers), 0.05);
                let arrivals = rho * station.capacity;
                let flow = settled(&station, arrivals);
                assert!(
                    (flow.utilisation - rho).abs() < 1e-6,
                    "utilisation law: {} for {rho}",
                    flow.utilisation
                );
                let exact = erlang(workers, rho * f64::from(workers));
                assert!(
                    (flow.number / exact - 1.0).abs() < 0.06,
                    "{workers} at {rho}: {} for {exact}",
                    flow.number
                );
            }
        }
    }

    /// Against a queue that is played customer by customer: Poisson arrivals, exponential service, first come first
    /// served, through a minute of overload.
    #[test]
    fn a_burst_builds_up_and_drains_as_in_a_queue_of_customers() {
        let (workers, hold) = (8usize, 0.1);
        let rate = |second: f64| if (60.0..120.0).contains(&second) { 110.0 } else { 56.0 };
        let mut draws = Draws::new(11, Stream::WORLD);
        let (runs, end) = (200, 400);
        let mut present = vec![0.0; end];
        for _ in 0..runs {
            // Times at which workers are free next, the soonest first.
            let mut free: BinaryHeap<std::cmp::Reverse<u64>> =
                (0..workers).map(|_| std::cmp::Reverse(0)).collect();
            let mut now = 0.0;
            while now < end as f64 {
                // Thinning from the highest rate.
                now -= draws.uniform().ln() / 110.0;
                if draws.uniform() > rate(now) / 110.0 {
                    continue;
                }
                let std::cmp::Reverse(soonest) = free.pop().unwrap();
                let begin = (soonest as f64 / 1e9).max(now);
                let leave = begin - draws.uniform().ln() * hold;
                free.push(std::cmp::Reverse((leave * 1e9) as u64));
                // Present at whole seconds in between.
                let (from, to) = (now.ceil() as usize, (leave.ceil() as usize).min(end));
                present[from.min(to)..to].iter_mut().for_each(|count| *count += 1.0 / f64::from(runs));
            }
        }
        let station = station(workers as f64, hold);
        let (mut number, mut busy) = (0.0, 0.0);
        for second in (0..end).step_by(5) {
            let flow = station.step(number, busy, rate(second as f64), 5.0);
            (number, busy) = (flow.number, flow.utilisation);
            let played = present.get(second + 5).copied().unwrap_or(number);
            // When the queue is empty again differs by seconds from run to run: that rounds the corner off.
            assert!((number - played).abs() < 0.05 * played + 30.0, "second {second}: {number} for {played}");
        }
        assert!(present[119] > 1_500.0 && number < 12.0, "it did build up, and drain");
    }

    #[test]
    fn nothing_is_lost_or_made() {
        let station = Station { queue: 40.0, ..station(4.0, 0.1) };
        let mut number = 3.0;
        for (arrivals, capacity) in [(10.0, 40.0), (39.0, 40.0), (400.0, 40.0), (20.0, 0.0), (0.0, 40.0)] {
            let flow = Station { capacity, ..station }.step(number, 0.5, arrivals, 5.0);
            let left = number + (arrivals - flow.rejected - flow.done) * 5.0;
            assert!((flow.number - left).abs() < 1e-9, "{arrivals}");
            assert!(flow.rejected >= 0.0 && flow.done >= 0.0 && flow.number >= 0.0);
            number = flow.number;
        }
    }
}
