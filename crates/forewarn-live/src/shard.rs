//! Which services of a fleet that is too large for one process belong to which one.

use crate::LiveError;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    num::NonZeroU32,
    str::FromStr,
};

/// How far above the mean a shard may be filled, unless one component alone is larger.
const SLACK: f64 = 0.05;

/// One of several shards: `"2/5"` is the second of five.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    number: u32,
    count: NonZeroU32,
}

impl Shard {
    /// The shard `number`, from 1 to `count`.
    ///
    /// # Errors
    /// [`LiveError::Shard`] for one that is not among them.
    pub fn new(number: u32, count: u32) -> Result<Self, LiveError> {
        match NonZeroU32::new(count) {
            Some(count) if (1..=count.get()).contains(&number) => Ok(Self { number, count }),
            _ => Err(LiveError::Shard { text: format!("{number}/{count}") }),
        }
    }

    /// Its number, from 1.
    #[must_use]
    pub fn number(self) -> u32 {
        self.number
    }

    /// How many there are.
    #[must_use]
    pub fn count(self) -> NonZeroU32 {
        self.count
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

impl FromStr for Shard {
    type Err = LiveError;

    fn from_str(text: &str) -> Result<Self, LiveError> {
        let wrong = || LiveError::Shard { text: text.to_owned() };
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/');
        let (number, count) = text.split_once('/').filter(|_| is_plain).ok_or_else(wrong)?;
        let parse = |part: &str| part.parse().map_err(|_| wrong());
        Self::new(parse(number)?, parse(count)?).map_err(|_| wrong())
    }
}

impl TryFrom<String> for Shard {
    type Error = LiveError;

    fn try_from(text: String) -> Result<Self, LiveError> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

/// Which shard each service belongs to: a pure function of the number of shards, the service graph and the weights, so
/// that all processes agree without asking each other.
///
/// Services that are connected in the graph, over however many calls, share a shard: incidents and columns of the graph
/// then see all that they need. Components are placed one after another, the heaviest first, each on the first shard in
/// an order of its own (rendezvous hashing) that it does not fill beyond 5 % above the mean, or else on the lightest.
/// So a shard is never heavier than the mean by more than 5 % of it or the heaviest component, and what changes little
/// moves little: the order of a component hangs on one of its services, and stays when others join or leave.
///
/// A service that is neither in the graph nor has a weight is on a shard by its name alone.
///
/// ```
/// use forewarn_live::ShardPlan;
/// use std::{collections::BTreeMap, num::NonZeroU32};
///
/// let calls = [("web", "cart"), ("cart", "database"), ("mail", "queue")];
/// let plan = ShardPlan::new(NonZeroU32::new(2).unwrap(), calls, &BTreeMap::new());
/// assert_eq!(plan.shard_of("web"), plan.shard_of("database"));
/// assert!((1..=2).contains(&plan.shard_of("never heard of")));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ShardPlan {
    count: NonZeroU32,
    placed: BTreeMap<String, u32>,
    loads: Vec<f64>,
}

/// Services that are connected.
struct Component<'a> {
    /// Decides on the order of shards: the smallest hash of its services.
    key: u64,
    weight: f64,
    services: Vec<&'a str>,
}

impl ShardPlan {
    /// A plan for `count` shards. A service weighs 1 unless `weights` says otherwise; weights that are not positive
    /// numbers count as 1.
    pub fn new<'a>(
        count: NonZeroU32,
        calls: impl IntoIterator<Item = (&'a str, &'a str)>,
        weights: &'a BTreeMap<String, f64>,
    ) -> Self {
        let calls: Vec<(&str, &str)> = calls.into_iter().collect();
        let components = components(&calls, weights);
        let total: f64 = components.iter().map(|component| component.weight).sum();
        let most = total / f64::from(count.get()) * (1.0 + SLACK);
        let (mut loads, mut placed) = (vec![0.0; count.get() as usize], BTreeMap::new());
        for component in components {
            let mut order: Vec<usize> = (0..loads.len()).collect();
            order.sort_by_key(|&shard| std::cmp::Reverse(score(component.key, shard)));
            let has_room = |shard: &usize| loads[*shard] + component.weight <= most;
            let lightest = || order.iter().copied().min_by(|&a, &b| loads[a].total_cmp(&loads[b]));
            let shard = order.iter().copied().find(has_room).or_else(lightest).unwrap_or(0);
            loads[shard] += component.weight;
            let services = component.services.into_iter();
            placed.extend(services.map(|service| (service.to_owned(), shard as u32 + 1)));
        }
        Self { count, placed, loads }
    }

    /// The shard of a service, from 1.
    #[must_use]
    pub fn shard_of(&self, service: &str) -> u32 {
        self.placed.get(service).copied().unwrap_or_else(|| {
            let key = hash(service);
            let best = (0..self.count.get()).max_by_key(|&shard| score(key, shard as usize));
            best.map_or(1, |shard| shard + 1)
        })
    }

    /// Weight of the services of the graph and the weights on each shard.
    #[must_use]
    pub fn loads(&self) -> &[f64] {
        &self.loads
    }
}

/// The connected components, the heaviest first.
fn components<'a>(calls: &[(&'a str, &'a str)], weights: &'a BTreeMap<String, f64>) -> Vec<Component<'a>> {
    let ends = calls.iter().flat_map(|&(client, server)| [client, server]);
    let names: BTreeSet<&str> = ends.chain(weights.keys().map(String::as_str)).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let place = |name: &str| names.binary_search(&name).unwrap_or_default();
    // Union-find: who a service is joined to, itself at first.
    let mut joined: Vec<usize> = (0..names.len()).collect();
    fn root(joined: &mut [usize], mut place: usize) -> usize {
        while joined[place] != place {
            joined[place] = joined[joined[place]];
            place = joined[place];
        }
        place
    }
    for &(client, server) in calls {
        let (one, other) = (root(&mut joined, place(client)), root(&mut joined, place(server)));
        joined[one.max(other)] = one.min(other);
    }
    let mut found: BTreeMap<usize, Component<'_>> = BTreeMap::new();
    for (index, &name) in names.iter().enumerate() {
        let at = root(&mut joined, index);
        let component =
            found.entry(at).or_insert(Component { key: u64::MAX, weight: 0.0, services: Vec::new() });
        let weight = weights.get(name).copied().filter(|weight| *weight > 0.0 && weight.is_finite());
        component.key = component.key.min(hash(name));
        component.weight += weight.unwrap_or(1.0);
        component.services.push(name);
    }
    let mut found: Vec<Component<'_>> = found.into_values().collect();
    found.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.key.cmp(&b.key)));
    found
}

/// FNV-1a, and its bits mixed: the same in every version, as a change would move services.
fn hash(name: &str) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    mixed(name.bytes().fold(0xcbf2_9ce4_8422_2325, fold))
}

fn score(key: u64, shard: usize) -> u64 {
    mixed(key ^ mixed(shard as u64 + 1))
}

/// The finaliser of `SplitMix64`.
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests;
