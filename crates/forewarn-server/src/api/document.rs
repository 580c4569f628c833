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
        super::control::chaos::inject,
        super::control::chaos::list,
        super::control::chaos::reset,
        super::control::chaos::stop,
        super::control::chaos::stop_all,
        super::alarms::events::list,
        super::fleet::graph::graph,
        super::fleet::history::one,
        super::alarms::incidents::list,
        super::alarms::incidents::one,
        super::alarms::ledger::book,
        super::live::socket,
        super::live::stream,
        super::control::models::list,
        super::control::models::promote,
        super::control::operations::healthy,
        super::control::operations::ready,
        super::control::operations::reload,
        super::fleet::predictions::list,
        super::fleet::predictions::one,
        super::control::receive::action,
        super::control::receive::alerts,
        super::fleet::services::list,
        super::fleet::services::one,
        super::control::session::end,
        super::control::session::show,
        super::control::session::start,
        super::alarms::silences::add,
        super::alarms::silences::list,
        super::alarms::slos::list,
        super::control::status::status,
        super::control::targets::list,
        super::alarms::warnings::acknowledge,
        super::alarms::warnings::acted,
        super::alarms::warnings::list,
        super::alarms::warnings::one,
    ),
    components(schemas(
        Problem,
        Role,
        super::alarms::events::EventKind,
        super::alarms::incidents::IncidentFilter,
        super::live::LiveMessage,
        super::alarms::warnings::WarningFilter
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
                name(operation);
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

/// Handlers of several resources have one name, and an operation needs one of its own: `services_list`.
fn name(operation: &mut Operation) {
    let tag = operation.tags.as_ref().and_then(|tags| tags.first());
    if let (Some(tag), Some(own)) = (tag, &mut operation.operation_id) {
        *own = format!("{tag}_{own}");
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use std::{collections::BTreeSet, env, fs, path::Path};

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let mut document = Document::openapi();
        let mut names = BTreeSet::new();
        for item in document.paths.paths.values_mut() {
            for (_, operation) in operations(item) {
                let name = operation.operation_id.clone().unwrap_or_default();
                assert!(name.contains('_') && names.insert(name.clone()), "{name:?}");
            }
        }
        assert!(names.contains("services_list") && names.contains("warnings_list"), "{names:?}");
    }

    /// The page's types are made of the committed document. `FOREWARN_WRITE_OPENAPI=1` writes it.
    #[test]
    fn the_committed_document_is_the_one_that_is_served() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../forewarn-dashboard/web/openapi.json");
        if !path.parent().is_some_and(Path::is_dir) {
            // The package alone: sources of the page are in the repository only.
            return;
        }
        let served = serde_json::to_value(Document::openapi()).unwrap();
        if env::var_os("FOREWARN_WRITE_OPENAPI").is_some() {
            let mut text = Vec::new();
            let format = serde_json::ser::PrettyFormatter::with_indent(b" ");
            served.serialize(&mut serde_json::Serializer::with_formatter(&mut text, format)).unwrap();
            text.push(b'\n');
            fs::write(&path, &text).unwrap();
        }
        let committed: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let is_same = committed == served;
        assert!(is_same, "{}: of another API; run this test with FOREWARN_WRITE_OPENAPI=1", path.display());
    }
}
