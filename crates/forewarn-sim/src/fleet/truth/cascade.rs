//! Which failure followed from which.

use crate::fleet::{Blueprint, Failure};
use forewarn_schema::Timestamp;
use std::collections::{BTreeMap, VecDeque};

/// Minutes after its end in which a failure can still have brought another one: queues drain, caches fill.
const AFTERMATH_MINUTES: f64 = 10.0;

/// Gives each failure its parent among those of the same root: the neighbour that failed before it, or in the same
/// minute and nearer to the root. `failures` are in order of onset.
pub(crate) fn link(blueprint: &Blueprint, failures: &mut [Failure]) {
    let neighbours = neighbours(blueprint);
    let mut cascades: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, failure) in failures.iter().enumerate() {
        if let (Some(root), Some(service)) = (failure.root, failure.root_service) {
            cascades.entry((root, service)).or_default().push(index);
        }
    }
    for ((_, root_service), members) in cascades {
        let distance = distances(&neighbours, root_service);
        let key = |failure: &Failure| (failure.episode.onset(), distance[failure.service], failure.service);
        for &member in &members {
            let child = &failures[member];
            if child.service == root_service {
                continue;
            }
            let parents = members.iter().copied().filter(|&other| {
                let parent = &failures[other];
                key(parent) < key(child)
                    && neighbours[child.service].contains(&parent.service)
                    && lasts_until(parent, child.episode.onset())
            });
            failures[member].parent = parents.min_by_key(|&other| {
                let parent = &failures[other];
                (distance[parent.service], std::cmp::Reverse(parent.episode.onset()))
            });
        }
    }
}

fn lasts_until(failure: &Failure, onset: Timestamp) -> bool {
    onset.minutes_since(failure.episode.end()) <= AFTERMATH_MINUTES
}

/// Calls between a service and each other one, whichever way they go.
fn distances(neighbours: &[Vec<usize>], from: usize) -> Vec<usize> {
    let mut distances = vec![usize::MAX; neighbours.len()];
    distances[from] = 0;
    let mut queue = VecDeque::from([from]);
    while let Some(here) = queue.pop_front() {
        for &next in &neighbours[here] {
            if distances[next] == usize::MAX {
                distances[next] = distances[here] + 1;
                queue.push_back(next);
            }
        }
    }
    distances
}

/// Whom a graph's services are next to, clients and servers alike.
fn neighbours(blueprint: &Blueprint) -> Vec<Vec<usize>> {
    let mut neighbours = vec![Vec::new(); blueprint.services().len()];
    for &(client, server) in blueprint.ends() {
        neighbours[client].push(server);
        neighbours[server].push(client);
    }
    neighbours
}
