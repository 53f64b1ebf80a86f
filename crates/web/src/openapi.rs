//! The OpenAPI document, put together from the slices' routes; what every operation has in common is added here, so that no slice
//! repeats it: the problem answers, the bearer key, the idempotency header, the bounds of a page.
//!
//! Invariant: the document is honest, and `cargo xtask schemathesis` holds the program to it: no answer has a status, type or shape that
//! is not in it.

use crate::{App, Problem, ProblemBody, Slice, cursor};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Content, ContentBuilder, HeaderBuilder, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    Required, Response, ResponseBuilder, Schema,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

/// Operations that take no idempotency key: the answer holds a secret that is not kept, or an outside party answers meanwhile.
const WITHOUT_KEY: &[&str] = &[
    "createApiKey",
    "createWebhook",
    "changeWebhook",
    "completeSandboxPayment",
    "inviteUser",
    "resendInvitation",
    "resetPassword",
];

/// The query parameter of every list, with the bounds of [`crate::Paging`].
const LIMIT: &str = "limit";

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
    components.responses.insert(PROBLEM.to_owned(), RefOr::T(problem()));
    document.security = Some(vec![SecurityRequirement::new("key", Vec::<String>::new())]);
    let open = may_be_empty(&components.schemas);
    for item in document.paths.paths.values_mut() {
        item.get.iter_mut().for_each(|operation| add_problems(operation, false));
        for operation in
            [&mut item.put, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten()
        {
            // An operation that says who may call it proves its callers in a way of its own, and takes no key of ours.
            let named = operation.operation_id.as_deref().is_some_and(|id| WITHOUT_KEY.contains(&id));
            if !named && operation.security.is_none() {
                add_key(operation);
            }
            add_problems(operation, true);
            if let Some(RefOr::T(body)) = &mut operation.request_body
                && body.content.values().any(|content| refers(content, &open))
            {
                body.required = Some(Required::False);
            }
        }
        for operation in [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete]
            .into_iter()
            .flatten()
        {
            operation.parameters.iter_mut().flatten().for_each(bound);
        }
    }
}

/// The names of the objects that need no field: [`crate::Body`] reads a body that is not there as `{}`.
fn may_be_empty(schemas: &BTreeMap<String, RefOr<Schema>>) -> BTreeSet<String> {
    let open = |schema: &RefOr<Schema>| match schema {
        RefOr::T(Schema::Object(object)) => object.required.is_empty() && !object.properties.is_empty(),
        _ => false,
    };
    schemas.iter().filter(|(_, schema)| open(schema)).map(|(name, _)| name.clone()).collect()
}

fn refers(content: &RefOr<Content>, names: &BTreeSet<String>) -> bool {
    let RefOr::T(Content { schema: Some(RefOr::Ref(reference)), .. }) = content else { return false };
    reference.ref_location.rsplit('/').next().is_some_and(|name| names.contains(name))
}

/// The name of the answer that all refusals are.
const PROBLEM: &str = "Problem";

fn problem() -> Response {
    let content =
        ContentBuilder::new().schema(Some(RefOr::Ref(Ref::from_schema_name(Problem::name())))).build();
    let id = HeaderBuilder::new().description(Some("The id of the request, for questions")).build();
    ResponseBuilder::new()
        .description("A problem: what went wrong, and the way out")
        .content("application/problem+json", content)
        .header("x-request-id", id)
        .build()
}

/// Names every status that an operation of this kind can refuse with: what is not named is not answered.
fn add_problems(operation: &mut Operation, changes: bool) {
    let parameter = |place: ParameterIn, name: &str| {
        let here = operation.parameters.iter().flatten();
        here.filter_map(|p| if let RefOr::T(p) = p { Some(p) } else { None })
            .any(|p| p.parameter_in == place && (name.is_empty() || p.name == name))
    };
    let has_body = operation.request_body.is_some();
    let if_match = parameter(ParameterIn::Header, "If-Match");
    let header = if_match || parameter(ParameterIn::Header, "Idempotency-Key");
    let mut statuses = vec![(403, true), (500, true), (503, true)];
    statuses.extend([
        (400, has_body || header),
        (401, operation.security.is_none()),
        (404, changes || parameter(ParameterIn::Path, "")),
        (409, changes),
        (412, if_match),
        (413, has_body),
        (415, has_body),
        (422, changes || parameter(ParameterIn::Query, "")),
    ]);
    let answers = &mut operation.responses.responses;
    // A problem that an operation names itself is sent as every other one.
    let named: Vec<String> =
        answers.keys().filter(|status| status.starts_with(['4', '5'])).cloned().collect();
    let usual = statuses.into_iter().filter(|(_, applies)| *applies).map(|(status, _)| status.to_string());
    for status in usual.chain(named) {
        answers.insert(status, RefOr::Ref(Ref::from_response_name(PROBLEM)));
    }
}

/// What a parameter's type does not say by itself: the form of an `ETag`, the bounds of a page, and that an optional one without value is
/// none.
fn bound(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(parameter) = parameter else { return };
    if parameter.parameter_in == ParameterIn::Header && parameter.name == "If-Match" {
        parameter.schema = Some(etag());
    }
    if parameter.parameter_in != ParameterIn::Query {
        return;
    }
    if parameter.name == LIMIT
        && let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema
    {
        schema.minimum = Some(1.into());
        schema.maximum = Some(cursor::MOST.into());
        schema.default = Some(cursor::DEFAULT.into());
    }
    if !matches!(parameter.required, Required::True) {
        let empty = Extensions::from_iter([("allowEmptyValue", true)]);
        parameter.extensions.get_or_insert_default().merge(empty);
    }
}

/// What [`crate::IfMatch`] reads: a header has text or is absent, never null.
fn etag() -> RefOr<Schema> {
    let text = ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .pattern(Some(r#"^(\*|(W/)?"[0-9]{1,18}")$"#))
        .build();
    RefOr::T(Schema::Object(text))
}

fn add_key(operation: &mut Operation) {
    let text = ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some("^[!-~]([ -~]*[!-~])?$"))
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
