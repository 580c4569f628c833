use super::*;
use proptest::prelude::*;

fn count(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

/// Groups of services of these sizes, each a chain of calls.
fn chains(sizes: &[usize]) -> (Vec<(String, String)>, BTreeMap<String, f64>) {
    let name = |group: usize, one: usize| format!("team-{group}/service-{one}");
    let calls = sizes
        .iter()
        .enumerate()
        .flat_map(|(group, &size)| (1..size).map(move |one| (name(group, one - 1), name(group, one))));
    let weights =
        sizes.iter().enumerate().flat_map(|(group, &size)| (0..size).map(move |one| (name(group, one), 1.0)));
    (calls.collect(), weights.collect())
}

fn plan(shards: u32, (calls, weights): &(Vec<(String, String)>, BTreeMap<String, f64>)) -> ShardPlan {
    let calls = calls.iter().map(|(client, server)| (client.as_str(), server.as_str()));
    ShardPlan::new(count(shards), calls, weights)
}

/// Share of the services of both that are on another shard.
fn moved(before: &ShardPlan, after: &ShardPlan) -> f64 {
    let both: Vec<&String> = before.placed.keys().filter(|name| after.placed.contains_key(*name)).collect();
    let moved = both.iter().filter(|name| before.placed[**name] != after.placed[**name]).count();
    moved as f64 / both.len().max(1) as f64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn components_are_whole_and_no_shard_is_too_heavy(
        sizes in proptest::collection::vec(1_usize..40, 1..60), shards in 1_u32..9,
    ) {
        let fleet = chains(&sizes);
        let plan = plan(shards, &fleet);
        for (client, server) in &fleet.0 {
            prop_assert_eq!(plan.shard_of(client), plan.shard_of(server));
        }
        let total: usize = sizes.iter().sum();
        let (mean, heaviest) = (total as f64 / f64::from(shards), *sizes.iter().max().unwrap() as f64);
        let most = (mean * (1.0 + SLACK)).max(mean + heaviest);
        prop_assert!(plan.loads().iter().all(|&load| load <= most + 1e-9), "{:?}", plan.loads());
        prop_assert!((plan.loads().iter().sum::<f64>() - total as f64).abs() < 1e-9);
        prop_assert!(fleet.1.keys().all(|name| (1..=shards).contains(&plan.shard_of(name))));
    }

    #[test]
    fn the_order_of_calls_changes_nothing(
        sizes in proptest::collection::vec(1_usize..10, 1..20), seed in any::<u64>(),
    ) {
        let fleet = chains(&sizes);
        let mut other = fleet.clone();
        other.0.sort_by_key(|(client, _)| mixed(hash(client) ^ seed));
        prop_assert_eq!(plan(4, &fleet), plan(4, &other));
    }
}

#[test]
fn little_moves_when_little_changes() {
    // Two hundred teams of 1 to 20 services on five shards.
    let sizes: Vec<usize> = (0..200).map(|team| 1 + (team * 7) % 20).collect();
    let before = plan(5, &chains(&sizes));
    let mean = before.loads().iter().sum::<f64>() / 5.0;
    assert!(before.loads().iter().all(|load| (load / mean - 1.0).abs() < 0.25), "{:?}", before.loads());
    let (mut sum, mut most) = (0.0, 0.0_f64);
    for team in 0..200 {
        let mut changed = sizes.clone();
        changed[team] += 1;
        let share = moved(&before, &plan(5, &chains(&changed)));
        (sum, most) = (sum + share, most.max(share));
    }
    assert!(sum / 200.0 < 0.02, "one service more moves {} of all on average", sum / 200.0);
    assert!(most < 0.15, "{most}");
    let one_more = moved(&before, &plan(6, &chains(&sizes)));
    assert!(one_more < 0.35, "a sixth shard moves {one_more}, and needs a sixth");
}

#[test]
fn services_that_no_one_knows_are_spread_by_name() {
    let plan = ShardPlan::new(count(5), [], &BTreeMap::new());
    let mut counts = [0; 5];
    for service in 0..50_000 {
        counts[plan.shard_of(&format!("service-{service}")) as usize - 1] += 1;
    }
    assert!(counts.iter().all(|count| (9_700..10_300).contains(count)), "{counts:?}");
}

#[test]
fn places_stay_from_version_to_version() {
    let plan = ShardPlan::new(count(5), [("web", "cart")], &BTreeMap::new());
    let places: Vec<u32> =
        ["web", "cart", "mail", "queue", "shop/login"].map(|name| plan.shard_of(name)).into();
    assert_eq!(places, PINNED);
}

/// As the first version that had shards placed them.
const PINNED: [u32; 5] = [2, 2, 3, 5, 5];

#[test]
fn shards_are_read_from_text() {
    let shard: Shard = "2/5".parse().unwrap();
    assert_eq!((shard.number(), shard.count().get(), shard.to_string()), (2, 5, "2/5".to_owned()));
    for wrong in ["", "2", "0/5", "6/5", "2/0", "2/5/6", "-1/5", "+2/5", " 2/5", "2/99999999999"] {
        let error = wrong.parse::<Shard>().unwrap_err().to_string();
        assert!(error.contains("such as \"2/5\""), "{error}");
    }
}
