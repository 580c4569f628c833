//! Pods of workloads: with limits, with requests, with neither.

use super::super::Case;

/// A pod of `containers`, owned by `owner` of `kind`, on node n1.
fn pod(name: &str, kind: &str, owner: &str, containers: &[&str]) -> Vec<(String, &'static str)> {
    let pod = format!("namespace=\"shop\", pod=\"{name}\"");
    let mut series = vec![
        (format!("kube_pod_owner{{{pod}, owner_kind=\"{kind}\", owner_name=\"{owner}\"}}"), "1x60"),
        (format!("kube_pod_info{{{pod}, node=\"n1\"}}"), "1x60"),
    ];
    series.extend(
        containers.iter().map(|container| {
            (format!("kube_pod_container_info{{{pod}, container=\"{container}\"}}"), "1x60")
        }),
    );
    series
}

/// One series of a container.
fn of(metric: &str, pod: &str, container: &str, more: &str, values: &'static str) -> (String, &'static str) {
    (format!("{metric}{{namespace=\"shop\", pod=\"{pod}\", container=\"{container}\"{more}}}"), values)
}

const CPU: &str = "container_cpu_usage_seconds_total";
const MEMORY: &str = "container_memory_working_set_bytes";
const LIMITS: &str = "kube_pod_container_resource_limits";
const REQUESTS: &str = "kube_pod_container_resource_requests";

fn case(
    about: &'static str,
    series: &[Vec<(String, &'static str)>],
    expected: &[(&'static str, &'static str, f64)],
) -> Case {
    let expected = expected.iter().map(|&(metric, labels, value)| (metric, labels, Some(value))).collect();
    Case { recipe: "kubernetes", about, series: series.concat(), expected }
}

fn deployment() -> Vec<(String, &'static str)> {
    let labels = "namespace=\"shop\", replicaset=\"web-6d4\", owner_kind=\"Deployment\", owner_name=\"web\"";
    vec![(format!("kube_replicaset_owner{{{labels}}}"), "1x60")]
}

fn node() -> Vec<(String, &'static str)> {
    let capacity = |resource| format!("kube_node_status_capacity{{node=\"n1\", resource=\"{resource}\"}}");
    vec![(capacity("cpu"), "4x60"), (capacity("memory"), "8000x60")]
}

pub(super) fn cases() -> Vec<Case> {
    let (cpu, memory) = (", resource=\"cpu\"", ", resource=\"memory\"");
    let limit = "{namespace=\"shop\", workload=\"web\", basis=\"limit\"}";
    let request = "{namespace=\"shop\", workload=\"db\", basis=\"request\"}";
    let all_of_node = "{namespace=\"shop\", workload=\"agent\", basis=\"node\"}";
    let web = "{namespace=\"shop\", workload=\"web\"}";
    vec![
        // Cores: 3 s of 15 s are 0.2. Pod a: 0.2 + 0.1 of 0.5 + 0.1; pod b: 0.2 of 0.8. Memory: 300 and 100 of 1000.
        case(
            "two pods of a Deployment, each container with a limit",
            &[
                deployment(),
                node(),
                pod("web-6d4-a", "ReplicaSet", "web-6d4", &["app", "proxy"]),
                pod("web-6d4-b", "ReplicaSet", "web-6d4", &["app"]),
                vec![
                    of(CPU, "web-6d4-a", "app", "", "0+3x60"),
                    of(CPU, "web-6d4-a", "proxy", "", "0+1.5x60"),
                    // cAdvisor's sums over the pod, which are not to be counted twice.
                    of(CPU, "web-6d4-a", "", "", "0+4.5x60"),
                    of(CPU, "web-6d4-b", "app", "", "0+3x60"),
                    of(LIMITS, "web-6d4-a", "app", cpu, "0.5x60"),
                    of(LIMITS, "web-6d4-a", "proxy", cpu, "0.1x60"),
                    of(LIMITS, "web-6d4-b", "app", cpu, "0.8x60"),
                    of(REQUESTS, "web-6d4-b", "app", cpu, "0.1x60"),
                    of(MEMORY, "web-6d4-a", "app", "", "200x60"),
                    of(MEMORY, "web-6d4-a", "proxy", "", "100x60"),
                    of(MEMORY, "web-6d4-b", "app", "", "100x60"),
                    of(LIMITS, "web-6d4-a", "app", memory, "600x60"),
                    of(LIMITS, "web-6d4-a", "proxy", memory, "400x60"),
                    of(LIMITS, "web-6d4-b", "app", memory, "1000x60"),
                ],
            ],
            &[("cpu_usage", limit, 0.375), ("memory_usage", limit, 0.2)],
        ),
        // One container of two has a limit: no limit of the pod. It uses twice what it asked for, which is 1.
        case(
            "no limit: the request, which it exceeds",
            &[
                node(),
                pod("db-0", "StatefulSet", "db", &["app", "proxy"]),
                vec![
                    of(CPU, "db-0", "app", "", "0+6x60"),
                    of(LIMITS, "db-0", "app", cpu, "10x60"),
                    of(REQUESTS, "db-0", "app", cpu, "0.1x60"),
                    of(REQUESTS, "db-0", "proxy", cpu, "0.1x60"),
                    of(MEMORY, "db-0", "app", "", "50x60"),
                    of(REQUESTS, "db-0", "app", memory, "60x60"),
                    of(REQUESTS, "db-0", "proxy", memory, "40x60"),
                ],
            ],
            &[("cpu_usage", request, 1.0), ("memory_usage", request, 0.5)],
        ),
        // 0.4 of 4 cores, 800 of 8000.
        case(
            "neither limit nor request: the node",
            &[
                node(),
                pod("agent-x", "DaemonSet", "agent", &["app"]),
                vec![of(CPU, "agent-x", "app", "", "0+6x60"), of(MEMORY, "agent-x", "app", "", "800x60")],
            ],
            &[("cpu_usage", all_of_node, 0.1), ("memory_usage", all_of_node, 0.1)],
        ),
        // A pod has a network series for each interface. One container restarts once in the last minute.
        case(
            "network and restarts",
            &[
                deployment(),
                pod("web-6d4-a", "ReplicaSet", "web-6d4", &["app"]),
                pod("web-6d4-b", "ReplicaSet", "web-6d4", &["app"]),
                vec![
                    of(
                        "container_network_receive_bytes_total",
                        "web-6d4-a",
                        "",
                        ", interface=\"eth0\"",
                        "0+30000x60",
                    ),
                    of(
                        "container_network_receive_bytes_total",
                        "web-6d4-b",
                        "",
                        ", interface=\"eth0\"",
                        "0+15000x60",
                    ),
                    of(
                        "container_network_receive_bytes_total",
                        "web-6d4-b",
                        "",
                        ", interface=\"lo\"",
                        "0+90000x60",
                    ),
                    of(
                        "container_network_transmit_bytes_total",
                        "web-6d4-a",
                        "",
                        ", interface=\"eth0\"",
                        "0+60000x60",
                    ),
                    of("kube_pod_container_status_restarts_total", "web-6d4-a", "app", "", "3x37 4x10"),
                    of("kube_pod_container_status_restarts_total", "web-6d4-b", "app", "", "0x60"),
                ],
            ],
            &[("network_in", web, 3.0), ("network_out", web, 4.0), ("pod_restarts", web, 1.0)],
        ),
    ]
}
