//! The OpenAPI document, put together from the slices' routes; what every operation has in common is added here, so that no slice
//! repeats it: the problem answer, the bearer key, the idempotency header.

use crate::{App, Problem, ProblemBody, Slice};
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required,
    ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

/// Operations whose answers hold a secret, so that they are not kept for repetition.
const ANSWER_NOT_KEPT: &[&str] = &["createApiKey"];

const ABOUT: &str = "Takes orders through their whole life: received, paid, picked, packed, shipped, returned, accounted for.\n\n\
Send an API key as `Authorization: Bearer fk_…`. Mutating calls take an `Idempotency-Key`: the same key with the same request gets the \
same answer again. Errors are problems (RFC 9457) with a stable `code`; all codes are listed at [/problems](/problems). Lists come in \
pages: pass `next_cursor` as `cursor`. Amounts are integers in minor units (cents) with an ISO 4217 currency.";

/// The routes of all slices under `/v1`, and the document that describes them.
pub(crate) fn api(slices: &[Slice]) -> (axum::Router<App>, OpenApi) {
    let nested = slices.iter().fold(OpenApiRouter::new(), |all, slice| all.merge((slice.api)()));
    let info = InfoBuilder::new()
        .title("Fulmar")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .build();
    let document = OpenApiBuilder::new().info(info).build();
    let (router, mut document) = OpenApiRouter::with_openapi(document).nest("/v1", nested).split_for_parts();
    complete(&mut document);
    (router, document)
}

/// The OpenAPI document of the slices.
pub fn openapi(slices: &[Slice]) -> OpenApi {
    api(slices).1
}

fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("fk_…")
        .description(Some("An API key"))
        .build();
    components.add_security_scheme("key", SecurityScheme::Http(key));
    components.schemas.insert(Problem::name().into_owned(), ProblemBody::schema());
    let mut inner = Vec::new();
    ProblemBody::schemas(&mut inner);
    components.schemas.extend(inner);
    document.security = Some(vec![SecurityRequirement::new("key", Vec::<String>::new())]);
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete]
            .into_iter()
            .flatten()
        {
            add_problem(operation);
        }
        for operation in
            [&mut item.put, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten()
        {
            if !operation.operation_id.as_deref().is_some_and(|id| ANSWER_NOT_KEPT.contains(&id)) {
                add_key(operation);
            }
        }
    }
}

fn add_problem(operation: &mut Operation) {
    // A problem that an operation names itself is sent as every other one.
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
        {
            let problem = |kind: String| match kind.as_str() {
                "application/json" => "application/problem+json".to_owned(),
                _ => kind,
            };
            let content = std::mem::take(&mut response.content);
            response.content = content.into_iter().map(|(kind, body)| (problem(kind), body)).collect();
        }
    }
    let content =
        ContentBuilder::new().schema(Some(RefOr::Ref(Ref::from_schema_name(Problem::name())))).build();
    let id = HeaderBuilder::new().description(Some("The id of the request, for questions")).build();
    let response = ResponseBuilder::new()
        .description("A problem: what went wrong, and the way out")
        .content("application/problem+json", content)
        .header("x-request-id", id)
        .build();
    operation.responses.responses.entry("default".to_owned()).or_insert(RefOr::T(response));
}

fn add_key(operation: &mut Operation) {
    let text = ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .min_length(Some(1))
        .max_length(Some(255))
        .build();
    let parameter = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "The same key with the same request gets the same answer; with another request, 422.",
        ))
        .schema(Some(text))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
}
