use super::RootSuspect;
use crate::ServiceGraph;
use std::collections::BTreeMap;

/// Services that are some clients' view of another service: a balancer or a host name in front of it.
///
/// A view calls nothing, because what is behind it reports under a name of its own. Every client of the view also calls
/// what is behind it, as traces join both. Of two servers that fail together and do not call one another only a view
/// has its cause in the other: a leaf with an excess of its own beside a failing sibling that calls on is counted as
/// that sibling's view.
pub(super) struct ClientViews {
    /// Server behind each view.
    behind: BTreeMap<usize, usize>,
}

/// Parts of the score that the server keeps for each part of a view: the server comes first, its views stay near.
const OWN_PARTS: f64 = 2.0;

impl ClientViews {
    /// The views among services with these anomalies.
    pub(super) fn find(graph: &ServiceGraph, anomalies: &[f64]) -> Self {
        let calls_nothing = |service: usize| graph.servers_of(service).len() == 0;
        let mut behind = BTreeMap::new();
        let views = (0..graph.len()).filter(|&view| anomalies[view] > 0.0 && calls_nothing(view));
        for view in views {
            let clients: Vec<usize> = graph.clients_of(view).map(|(client, _)| client).collect();
            let Some((&first, others)) = clients.split_first() else { continue };
            let is_called_by =
                |server: usize, client: usize| graph.servers_of(client).any(|(called, _)| called == server);
            let candidates = graph.servers_of(first).map(|(server, _)| server).filter(|&server| {
                server != view
                    && anomalies[server] > 0.0
                    && !calls_nothing(server)
                    && others.iter().all(|&client| is_called_by(server, client))
            });
            // The first of equal ones, in order of name.
            let worst = candidates.reduce(|a, b| if anomalies[b] > anomalies[a] { b } else { a });
            if let Some(server) = worst {
                behind.insert(view, server);
            }
        }
        Self { behind }
    }

    /// Counts what a view shows for the server behind it.
    pub(super) fn merge(&self, anomalies: &mut [f64]) {
        for (&view, &server) in &self.behind {
            anomalies[server] = anomalies[server].max(anomalies[view]);
            anomalies[view] = 0.0;
        }
    }

    /// Shares the score of a server with its views, which then follow it in the ranking: should a view be a service of
    /// its own after all, it is not lost.
    pub(super) fn share(&self, suspects: &mut [RootSuspect]) {
        let mut views_of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (&view, &server) in &self.behind {
            views_of.entry(server).or_default().push(view);
        }
        for (server, views) in views_of {
            let part = suspects[server].score / (OWN_PARTS + views.len() as f64);
            suspects[server].score = OWN_PARTS * part;
            for view in views {
                suspects[view].score += part;
                suspects[view].view_of = Some(server);
            }
        }
    }
}
