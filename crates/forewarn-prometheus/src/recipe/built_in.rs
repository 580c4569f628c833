/// The recipes that come with the crate, as name and TOML. A recipe of one's own begins best as a copy of one of them.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("opentelemetry", include_str!("../../recipes/opentelemetry.toml")),
    ("istio", include_str!("../../recipes/istio.toml")),
    ("envoy", include_str!("../../recipes/envoy.toml")),
    ("ingress-nginx", include_str!("../../recipes/ingress-nginx.toml")),
    ("spring", include_str!("../../recipes/spring.toml")),
    ("grpc", include_str!("../../recipes/grpc.toml")),
    ("kubernetes", include_str!("../../recipes/kubernetes.toml")),
];
