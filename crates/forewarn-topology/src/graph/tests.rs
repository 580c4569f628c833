use super::*;

#[test]
fn the_order_given_changes_nothing() {
    let calls = [Call::new("b", "c"), Call::new("a", "c").with_requests(3.0), Call::new("a", "b")];
    let graph = ServiceGraph::new(calls.clone()).unwrap();
    let mut turned = calls.to_vec();
    turned.reverse();
    let turned = ServiceGraph::new(turned).unwrap();
    assert_eq!(graph.to_calls().collect::<Vec<_>>(), turned.to_calls().collect::<Vec<_>>());
    assert_eq!(graph.services().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(graph.servers_of(0).map(|(server, _)| server).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(graph.clients_of(2).map(|(client, _)| client).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(graph.servers_of(7).len() + graph.clients_of(7).len(), 0);
    assert_eq!(graph.traffic(0, 2).unwrap().requests, 3.0);
    assert_eq!(graph.shares(), [0.25, 0.75, 1.0]);
}

#[test]
fn what_makes_no_graph_is_refused_with_its_place() {
    let says = |calls: Vec<Call>, expected: &str| {
        let error = ServiceGraph::new(calls).unwrap_err().to_string();
        assert_eq!(error, expected);
    };
    let fine = || Call::new("a", "b");
    says(vec![fine(), Call::new("b", "b")], "call 2: \"b\" calls itself: a call needs two services");
    says(vec![fine(), Call::new("b", "a"), fine()], "call 3: the call from \"a\" to \"b\" appears twice");
    says(vec![fine().with_strength(1.2)], "call 1: strength is 1.2: expected a probability, 0 to 1");
    says(vec![fine().with_strength(f64::NAN)], "call 1: strength is NaN: expected a probability, 0 to 1");
    says(vec![fine().with_requests(-1.0)], "call 1: requests is -1: expected a finite number, 0 or more");
    says(vec![fine().with_failures(2.0)], "call 1: failures is 2: expected 0 to the number of requests");
    says(vec![Call::new(" ", "b")], "call 1: a service needs a name");
    let error = ServiceGraph::with_services(["a", "b"], [Call::new("a", "c")]).unwrap_err().to_string();
    assert_eq!(error, "call 1: there is no service \"c\": there are a, b");
    assert!(ServiceGraph::with_services(["a", "a"], []).is_err());
    let graph = ServiceGraph::new([fine()]).unwrap();
    assert!(graph.index_of("gateway").is_err() && graph.traffic(1, 0).is_err());
}

#[test]
fn entries_are_where_requests_come_in() {
    let names = |graph: &ServiceGraph| {
        graph.entries().iter().map(|&entry| graph.name(entry).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let shop = [Call::new("gateway", "auth"), Call::new("gateway", "user"), Call::new("user", "db")];
    assert_eq!(names(&ServiceGraph::new(shop).unwrap()), ["gateway"]);
    let circle = [Call::new("a", "b"), Call::new("b", "a"), Call::new("b", "c")];
    assert_eq!(names(&ServiceGraph::new(circle).unwrap()), ["a", "b"]);
    let alone = ServiceGraph::with_services(["x", "y"], []).unwrap();
    assert_eq!(names(&alone), ["x", "y"]);
}

#[test]
fn servers_come_before_their_clients() {
    let graph = ServiceGraph::new([
        Call::new("a", "b"),
        Call::new("b", "c"),
        Call::new("c", "b"),
        Call::new("c", "d"),
        Call::new("a", "d"),
    ])
    .unwrap();
    let Components { order, begins } = graph.servers_first();
    assert_eq!((order[0], order[3], begins), (3, 0, vec![0, 1, 3]));
}

#[test]
fn a_chain_of_any_length_does_not_end_the_stack() {
    let name = |index: usize| format!("s{index:06}");
    let chain = (0..200_000).map(|index| Call::new(name(index), name(index + 1)));
    let graph = ServiceGraph::new(chain).unwrap();
    assert_eq!(graph.servers_first().order[0], 200_000);
    assert_eq!(graph.entries(), [0]);
}
