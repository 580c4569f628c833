//! Expected blast radii of all services at once.

use super::{
    Cascade, CascadeEstimate,
    worlds::{BATCH, Worlds},
};
use rand::seq::SliceRandom;

/// Clients of a service that are looked for in each world.
///
/// The estimate of one world then has a relative variance below 1 / (HITS - 2), and the mean of W worlds a relative
/// standard error below 1 / sqrt(W (HITS - 2)); time grows with W * HITS.
const HITS: u32 = 4;

impl Cascade {
    /// Counting for every service all that it brings down takes services times calls. Instead, in each world,
    /// services are taken in a random order; each marks all servers that it would go down with; a server that was
    /// marked [`HITS`] times, the last time by the T-th service, goes down with n (HITS - 1) / (T - 1) services, in
    /// the mean. A server with all its marks has passed them to all its own servers, so that the walk need not go on
    /// beyond it, and a call is looked at no more than [`HITS`] times. Fewer marks are an exact count.
    ///
    /// # References
    /// E. Cohen, *Size-estimation framework with applications to transitive closure and reachability*, Journal of
    /// Computer and System Sciences 55, 1997. J. B. S. Haldane, *On a method of estimating frequencies*, Biometrika
    /// 33, 1945 (why the estimate has no bias).
    pub(super) fn sampled_blast_radii(&self, worlds: Worlds) -> Vec<CascadeEstimate> {
        let services = self.graph.len();
        let mut moments = vec![(0.0, 0.0); services];
        let mut marks = Marks::new(services);
        let mut order: Vec<usize> = (0..services).collect();
        for batch in worlds.batches() {
            let live = worlds.live(batch, &self.strengths);
            let mut random = worlds.order(batch);
            for world in 0..BATCH {
                order.shuffle(&mut random);
                self.mark(&order, |call| live[call] >> world & 1 == 1, &mut marks);
                for ((sum, squares), radius) in moments.iter_mut().zip(marks.radii()) {
                    *sum += radius;
                    *squares += radius * radius;
                }
            }
        }
        let count = worlds.count() as f64;
        let estimate = |(sum, squares): (f64, f64)| {
            let mean = sum / count;
            let variance = (squares / count - mean * mean).max(0.0) * count / (count - 1.0);
            CascadeEstimate { value: mean, standard_error: (variance / count).sqrt() }
        };
        moments.into_iter().map(estimate).collect()
    }

    /// Lets the services of `order`, one after another, mark their servers along live calls.
    fn mark(&self, order: &[usize], is_live: impl Fn(usize) -> bool, marks: &mut Marks) {
        marks.clear();
        for (turn, &service) in order.iter().enumerate() {
            if marks.full == order.len() {
                break;
            }
            marks.begin();
            marks.visit(service, turn);
            while let Some(client) = marks.stack.pop() {
                for call in self.graph.calls_by(client as usize) {
                    let server = self.graph.ends(call)[1];
                    if marks.is_open(server) && is_live(call) {
                        marks.visit(server, turn);
                    }
                }
            }
        }
    }
}

/// How often each service was marked in one world, and in which turn for the last time.
struct Marks {
    hits: Vec<u32>,
    last_turn: Vec<u32>,
    /// In which turn, counted over all worlds, a service was visited.
    visited: Vec<u32>,
    visit: u32,
    stack: Vec<u32>,
    full: usize,
}

impl Marks {
    fn new(services: usize) -> Self {
        let zeros = || vec![0; services];
        Self { hits: zeros(), last_turn: zeros(), visited: zeros(), visit: 0, stack: Vec::new(), full: 0 }
    }

    fn clear(&mut self) {
        self.hits.fill(0);
        self.full = 0;
    }

    /// Begins a turn.
    fn begin(&mut self) {
        if self.visit == u32::MAX {
            self.visited.fill(0);
            self.visit = 0;
        }
        self.visit += 1;
    }

    fn is_open(&self, service: usize) -> bool {
        self.hits[service] < HITS && self.visited[service] != self.visit
    }

    fn visit(&mut self, service: usize, turn: usize) {
        if self.is_open(service) {
            self.visited[service] = self.visit;
            self.hits[service] += 1;
            self.last_turn[service] = turn as u32 + 1;
            self.full += usize::from(self.hits[service] == HITS);
            self.stack.push(service as u32);
        }
    }

    /// How many others go down with each service in this world.
    fn radii(&self) -> impl Iterator<Item = f64> + '_ {
        let services = self.hits.len() as f64;
        self.hits.iter().zip(&self.last_turn).map(move |(&hits, &turn)| {
            let size = if hits < HITS {
                f64::from(hits)
            } else {
                services * f64::from(HITS - 1) / (f64::from(turn) - 1.0)
            };
            size - 1.0
        })
    }
}
