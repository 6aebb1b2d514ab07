//! The web app's files.
//!
//! 1. Only files below the folder are served; `..` in a path is refused by the file service.
//! 2. What has a fingerprint in its name (`/_next/static/`) may be kept for ever; everything else
//!    is asked for again each time and answered with "not modified".

use std::path::Path;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::any_service;
use tower_http::services::{ServeDir, ServeFile};
use tracing::warn;

use crate::router::unknown_path;
use crate::state::AppState;

/// Files below it carry a fingerprint in their name.
const FINGERPRINTED: &str = "/_next/static/";

const NO_WEB_APP: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <title>Turnstile</title><h1>The web app is not here</h1>\
    <p>This server answers the API, but it was started without the web app's files. Build the app \
    (<code>make run</code> does) and set <code>bff.web_dir</code> to its export.</p>\
    <p><a href=\"/api/openapi.json\">Description of the API</a></p></html>";

/// Lets `router` answer all other paths with the files of `folder`; without it, with a page that
/// says so.
pub(crate) fn serve(router: Router<AppState>, folder: Option<&Path>) -> Router<AppState> {
    let Some(folder) = folder.filter(|folder| {
        let there = folder.join("index.html").is_file();
        if !there {
            warn!(folder = %folder.display(), "web app is not served: no index.html in its folder");
        }
        there
    }) else {
        return router.fallback(no_web_app);
    };
    let files = ServeDir::new(folder).html_as_default_extension(true);
    let missing = folder.join("404.html");
    let files = if missing.is_file() {
        any_service(files.not_found_service(ServeFile::new(missing)))
    } else {
        any_service(
            files.fallback(axum::handler::HandlerWithoutStateExt::into_service(
                unknown_path,
            )),
        )
    };
    router.fallback_service(files.layer(from_fn(caching)))
}

async fn no_web_app(uri: Uri, headers: HeaderMap) -> Response {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/html")) {
        return (StatusCode::NOT_FOUND, Html(NO_WEB_APP)).into_response();
    }
    unknown_path(uri).await.into_response()
}

async fn caching(request: Request, next: Next) -> Response {
    let for_ever = request.uri().path().starts_with(FINGERPRINTED);
    let mut response = next.run(request).await;
    let value = if for_ever && response.status().is_success() {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    response
}
