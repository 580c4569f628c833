//! The OpenAPI document.

use crate::http::{Problem, Role};
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        self, ContentBuilder, HttpMethod, PathItem, Ref, ResponseBuilder, SecurityRequirement,
        path::Operation,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// The OpenAPI document of the API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "forewarn",
        description = "Predicts microservice failures minutes before they begin. Times are RFC 3339 in UTC, \
                       probabilities and shares 0 to 1, latencies milliseconds; what is not known is null. Errors are \
                       problems by RFC 9457.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    paths(
        super::aliases::inject,
        super::aliases::predict,
        super::aliases::reset,
        super::aliases::services,
        super::chaos::inject,
        super::chaos::list,
        super::chaos::reset,
        super::chaos::stop,
        super::chaos::stop_all,
        super::events::list,
        super::graph::graph,
        super::history::one,
        super::incidents::list,
        super::incidents::one,
        super::ledger::book,
        super::live::socket,
        super::live::stream,
        super::models::list,
        super::models::promote,
        super::operations::healthy,
        super::operations::ready,
        super::operations::reload,
        super::predictions::list,
        super::predictions::one,
        super::receive::action,
        super::receive::alerts,
        super::services::list,
        super::services::one,
        super::session::end,
        super::session::show,
        super::session::start,
        super::silences::add,
        super::silences::list,
        super::slos::list,
        super::status::status,
        super::targets::list,
        super::warnings::acknowledge,
        super::warnings::acted,
        super::warnings::list,
        super::warnings::one,
    ),
    components(schemas(
        Problem,
        Role,
        super::events::EventKind,
        super::incidents::IncidentFilter,
        super::live::LiveMessage,
        super::warnings::WarningFilter
    )),
    modifiers(&Common)
)]
pub(crate) struct Document;

/// What all operations have: problems, and who may call them.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("A token"));
        let cookie = ApiKeyValue::with_description(
            "forewarn_session",
            "Set by POST /api/v1/session; its name ends in the port",
        );
        if let Some(components) = &mut document.components {
            components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
            components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        }
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                describe(path, &method, operation);
            }
        }
    }
}

fn operations(item: &mut PathItem) -> Vec<(HttpMethod, &mut Operation)> {
    let PathItem { get, post, delete, .. } = item;
    [(HttpMethod::Get, get), (HttpMethod::Post, post), (HttpMethod::Delete, delete)]
        .into_iter()
        .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
        .collect()
}

fn describe(path: &str, method: &HttpMethod, operation: &mut Operation) {
    let problem = Ref::from_schema_name(Problem::name());
    let content = ContentBuilder::new().schema(Some(problem)).build();
    let response = ResponseBuilder::new()
        .description("Why it was not answered as asked")
        .content("application/problem+json", content)
        .build();
    operation.responses.responses.insert("default".to_owned(), response.into());
    if path == "/api/v1/session" || path.starts_with("/-/healthy") || path.starts_with("/-/ready") {
        return;
    }
    let none: [&str; 0] = [];
    let by = |scheme: &str| SecurityRequirement::new(scheme, none);
    let mut security = vec![by("bearer"), by("cookie")];
    if *method == HttpMethod::Get {
        // Where anyone may read.
        security.push(SecurityRequirement::default());
    }
    operation.security = Some(security);
}
