//! The incidents that are not closed, and to which of them each service belongs.

use super::Incident;
use std::{
    collections::BTreeMap,
    ops::{Index, IndexMut},
};

/// In order of opening. To find those of a service takes no look at the others: a large fleet has thousands.
#[derive(Debug, Default)]
pub(super) struct Open {
    all: Vec<Incident>,
    /// Places of the incidents that a service belongs to, and its own among the services of each.
    places: BTreeMap<String, Vec<(usize, usize)>>,
}

impl Open {
    pub(super) fn new(all: Vec<Incident>) -> Self {
        let mut open = Self::default();
        all.into_iter().for_each(|incident| open.push(incident));
        open
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [Incident] {
        &mut self.all
    }

    pub(super) fn as_slice(&self) -> &[Incident] {
        &self.all
    }

    pub(super) fn into_inner(self) -> Vec<Incident> {
        self.all
    }

    /// Places of the incidents that a service belongs to, in order.
    pub(super) fn of(&self, service: &str) -> impl Iterator<Item = usize> + '_ {
        self.places.get(service).into_iter().flatten().map(|&(place, _)| place)
    }

    /// Gives each incident that a service belongs to, with its place among the services of it.
    pub(super) fn each_of(&mut self, service: &str, mut give: impl FnMut(&mut Incident, usize)) {
        for &(place, own) in self.places.get(service).into_iter().flatten() {
            give(&mut self.all[place], own);
        }
    }

    /// One more incident.
    pub(super) fn push(&mut self, incident: Incident) {
        let place = self.all.len();
        let services = incident.services.iter().enumerate();
        services.for_each(|(own, service)| add(&mut self.places, service, (place, own)));
        self.all.push(incident);
    }

    /// Keeps those that `keep` says.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&mut Incident) -> bool) {
        let mut kept = 0;
        // Where each of them is then.
        let mut moved = Vec::with_capacity(self.all.len());
        self.all.retain_mut(|incident| {
            let stays = keep(incident);
            moved.push(stays.then_some(kept));
            kept += usize::from(stays);
            stays
        });
        if kept < moved.len() {
            self.places.retain(|_, places| {
                places.retain_mut(|(place, _)| moved[*place].map(|to| *place = to).is_some());
                !places.is_empty()
            });
        }
    }

    /// The incident at the second place, and what it takes with it, becomes part of that at the first.
    pub(super) fn merge(&mut self, place: usize, other: usize) -> Incident {
        let other = self.all.remove(other);
        self.all[place].absorb(other.clone());
        *self = Self::new(std::mem::take(&mut self.all));
        other
    }

    /// One more service of the incident at a place.
    pub(super) fn join(&mut self, place: usize, service: &str) {
        let services = &mut self.all[place].services;
        services.push(service.to_owned());
        add(&mut self.places, service, (place, services.len() - 1));
    }
}

fn add(places: &mut BTreeMap<String, Vec<(usize, usize)>>, service: &str, place: (usize, usize)) {
    match places.get_mut(service) {
        Some(known) => known.insert(known.partition_point(|&before| before < place), place),
        None => drop(places.insert(service.to_owned(), vec![place])),
    }
}

impl Index<usize> for Open {
    type Output = Incident;

    fn index(&self, place: usize) -> &Incident {
        &self.all[place]
    }
}

impl IndexMut<usize> for Open {
    fn index_mut(&mut self, place: usize) -> &mut Incident {
        &mut self.all[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::Timestamp;
    use proptest::prelude::*;

    fn incident(services: &[String]) -> Incident {
        Incident {
            id: services.join("+"),
            since: Timestamp::EPOCH,
            last: Timestamp::EPOCH,
            services: services.to_vec(),
            joined: vec![(Timestamp::EPOCH, Timestamp::EPOCH); services.len()],
            suspects: Vec::new(),
            victims: Vec::new(),
            news: None,
            is_touched: false,
        }
    }

    proptest! {
        #[test]
        fn a_service_is_found_in_the_incidents_that_name_it(
            steps in prop::collection::vec((0usize..5, 0u8..6, 0usize..8, 0usize..8), 1..60),
        ) {
            let mut open = Open::default();
            for (step, service, one, other) in steps {
                let name = service.to_string();
                let count = open.as_slice().len();
                match step {
                    0 => open.push(incident(&[name, (service + 1).to_string()])),
                    1 if count > 0 && !open[one % count].services.contains(&name) => {
                        open[one % count].joined.push((Timestamp::EPOCH, Timestamp::EPOCH));
                        open.join(one % count, &name);
                    }
                    2 if count > 1 && one % count < other % count => drop(open.merge(one % count, other % count)),
                    3 => open.retain(|incident| incident.services.len() != one),
                    4 => open = Open::new(std::mem::take(&mut open).into_inner()),
                    _ => {}
                }
                for service in 0..8 {
                    let name = service.to_string();
                    let all = open.as_slice().iter().enumerate();
                    let named = all.filter(|(_, incident)| incident.services.contains(&name));
                    prop_assert!(open.of(&name).eq(named.map(|(place, _)| place)), "{name}: {open:?}");
                    open.each_of(&name, |incident, own| assert_eq!(incident.services[own], name));
                }
            }
        }
    }
}
