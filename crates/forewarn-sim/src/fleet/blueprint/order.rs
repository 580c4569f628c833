//! An order of services in which clients come before servers, and cycles that never end.

/// Calls that set off each other without end.
pub(crate) struct Endless {
    /// Services of one such cycle, the first again at the end.
    pub(crate) cycle: Vec<usize>,
    /// How many calls to itself each request sets off in the long run.
    pub(crate) gain: f64,
}

/// Positions of `services` services, each before those that it calls, but where a cycle is closed. `ends` are client
/// and server of each call, sorted; `gains` the mean number of calls that a request of the client makes.
pub(crate) fn clients_first(
    services: usize,
    ends: &[(usize, usize)],
    gains: &[f64],
) -> Result<Vec<usize>, Endless> {
    let mut calls = vec![0..0; services];
    for (index, &(client, _)) in ends.iter().enumerate() {
        if calls[client].is_empty() {
            calls[client] = index..index;
        }
        calls[client].end = index + 1;
    }
    let (groups, mut order) = strongly_connected(&calls, ends);
    for group in groups.iter().filter(|group| group.len() > 1) {
        let gain = growth(group, &calls, ends, gains);
        if gain > 1.0 - 1e-6 {
            return Err(Endless { cycle: cycle_in(group, &calls, ends), gain });
        }
    }
    order.reverse();
    Ok(order)
}

/// Tarjan's algorithm without recursion: groups of services that reach each other, and all services in the order in
/// which they are done (servers first).
fn strongly_connected(
    calls: &[std::ops::Range<usize>],
    ends: &[(usize, usize)],
) -> (Vec<Vec<usize>>, Vec<usize>) {
    const UNSEEN: usize = usize::MAX;
    let services = calls.len();
    let (mut number, mut low) = (vec![UNSEEN; services], vec![0; services]);
    let mut is_open = vec![false; services];
    let (mut open, mut groups, mut done, mut next) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for root in 0..services {
        if number[root] != UNSEEN {
            continue;
        }
        let mut path = vec![(root, calls[root].start)];
        while let Some(&mut (service, ref mut call)) = path.last_mut() {
            if number[service] == UNSEEN {
                (number[service], low[service]) = (next, next);
                next += 1;
                open.push(service);
                is_open[service] = true;
            }
            if *call < calls[service].end {
                let server = ends[*call].1;
                *call += 1;
                if number[server] == UNSEEN {
                    path.push((server, calls[server].start));
                } else if is_open[server] {
                    low[service] = low[service].min(number[server]);
                }
                continue;
            }
            path.pop();
            if let Some(&(client, _)) = path.last() {
                low[client] = low[client].min(low[service]);
            }
            done.push(service);
            if low[service] == number[service] {
                let at = open.iter().rposition(|&other| other == service).unwrap_or(0);
                let group = open.split_off(at);
                group.iter().for_each(|&member| is_open[member] = false);
                groups.push(group);
            }
        }
    }
    (groups, done)
}

/// The largest eigenvalue of the calls within a group, by power iteration on the half-way matrix, which has no period.
fn growth(group: &[usize], calls: &[std::ops::Range<usize>], ends: &[(usize, usize)], gains: &[f64]) -> f64 {
    let mut place = std::collections::BTreeMap::new();
    group.iter().enumerate().for_each(|(index, &service)| {
        place.insert(service, index);
    });
    let mut visits = vec![1.0 / group.len() as f64; group.len()];
    let mut growth = 0.0;
    for _ in 0..500 {
        let mut after = visits.clone();
        for (index, &service) in group.iter().enumerate() {
            for call in calls[service].clone() {
                if let Some(&server) = place.get(&ends[call].1) {
                    after[server] += visits[index] * gains[call];
                }
            }
        }
        let total: f64 = after.iter().sum();
        growth = total - 1.0;
        after.iter_mut().for_each(|visits| *visits /= total);
        visits = after;
    }
    growth
}

/// Some cycle within a group, for a message.
fn cycle_in(group: &[usize], calls: &[std::ops::Range<usize>], ends: &[(usize, usize)]) -> Vec<usize> {
    let mut path = vec![group[0]];
    loop {
        let here = path[path.len() - 1];
        let next = calls[here].clone().map(|call| ends[call].1).find(|server| group.contains(server));
        // Every member of a group of two or more calls another member.
        let Some(next) = next else { return path };
        if let Some(start) = path.iter().position(|&seen| seen == next) {
            path.push(next);
            return path.split_off(start);
        }
        path.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_the_largest_eigenvalue() {
        // Two services with 0.9 and 0.4 calls to each other: sqrt(0.36).
        let (calls, ends) = (vec![0..1, 1..2], [(0, 1), (1, 0)]);
        assert!((growth(&[0, 1], &calls, &ends, &[0.9, 0.4]) - 0.6).abs() < 1e-9);
        assert!(clients_first(2, &ends, &[0.9, 1.2]).is_err());
        assert!(clients_first(2, &ends, &[0.9, 1.1]).is_ok());
    }

    #[test]
    fn long_chains_need_no_stack() {
        let ends: Vec<_> = (0..19_999).map(|index| (index, index + 1)).collect();
        let order = clients_first(20_000, &ends, &vec![1.0; ends.len()]);
        assert!(order.is_ok_and(|order| order.iter().copied().eq(0..20_000)));
    }
}
