//! The page: files that are part of the program.

use super::{Problem, etag};
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// A file of the page.
#[derive(Clone, Copy, Debug)]
pub struct PageFile {
    /// Its bytes.
    pub bytes: &'static [u8],
    /// Its media type.
    pub content_type: &'static str,
    /// Its entity tag, quotes included: changes with the bytes.
    pub etag: &'static str,
    /// The same bytes in gzip, where that is shorter.
    pub gzip: Option<&'static [u8]>,
}

/// Gives the file of a path, such as `index.html` or `assets/app.js`.
pub type Pages = fn(&str) -> Option<PageFile>;

/// What stands in the page's first file for the path that all its links are relative to.
const BASE: &str = "<base href=\"/\"";

/// Where the page's files are, but for a few at the top whose names have a dot.
const FILES: &str = "assets";

/// Answers a path without a route: the file of that name, or the first page for a view of it. Views are shown by the
/// page itself; what follows their first part is a name, which may have dots.
pub(crate) fn page(pages: Pages, base_path: &str, path: &str, headers: &HeaderMap) -> Response {
    let name = path.trim_start_matches('/');
    if let Some(file) = pages(name).filter(|_| name != "index.html") {
        return answer(file, headers);
    }
    let first = name.split('/').next().unwrap_or_default();
    let is_view = (!first.contains('.') && first != FILES) || name == "index.html";
    let Some(index) = pages("index.html").filter(|_| is_view) else {
        return Problem::no_route(path).into_response();
    };
    if base_path.is_empty() {
        return answer(index, headers);
    }
    let html = String::from_utf8_lossy(index.bytes);
    let html = html.replacen(BASE, &format!("<base href=\"{base_path}/\""), 1);
    let mut response = Response::new(Body::from(html));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(index.content_type));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn answer(file: PageFile, asked: &HeaderMap) -> Response {
    let known = asked.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    let is_known = known.is_some_and(|known| etag::names(known, file.etag));
    let takes_gzip = asked
        .get(header::ACCEPT_ENCODING)
        .and_then(|accepted| accepted.to_str().ok())
        .is_some_and(|accepted| accepted.split(',').any(|coding| coding.trim().eq_ignore_ascii_case("gzip")));
    let gzip = file.gzip.filter(|_| takes_gzip);
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(Bytes::from_static(gzip.unwrap_or(file.bytes))))
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::ETAG, HeaderValue::from_static(file.etag));
    if gzip.is_some() && !is_known {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    // Kept by the browser, which asks each time whether it is still the same: names do not change with the bytes.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(path: &str) -> Option<PageFile> {
        let file =
            |bytes: &'static [u8], content_type, gzip| PageFile { bytes, content_type, etag: "\"1\"", gzip };
        match path {
            "index.html" => Some(file(b"<base href=\"/\" />page", "text/html; charset=utf-8", None)),
            "assets/index.js" => Some(file(b"script", "text/javascript", Some(b"gzipped"))),
            _ => None,
        }
    }

    async fn text(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn views_get_the_page_and_missing_files_do_not() {
        for view in [
            "/",
            "/services/cart",
            "/services/cart.v2",
            "/services/a%2Eb",
            "/incidents/i:cart",
            "/index.html",
        ] {
            let response = page(pages, "", view, &HeaderMap::new());
            assert_eq!(response.status(), StatusCode::OK, "{view}");
            assert_eq!(text(response).await, "<base href=\"/\" />page");
        }
        for missing in ["/favicon.ico", "/assets/other.js", "/../Cargo.toml", "/.env"] {
            assert_eq!(
                page(pages, "", missing, &HeaderMap::new()).status(),
                StatusCode::NOT_FOUND,
                "{missing}"
            );
        }
        assert_eq!(text(page(pages, "/ops", "/", &HeaderMap::new())).await, "<base href=\"/ops/\" />page");
    }

    #[tokio::test]
    async fn files_are_sent_compressed_and_once() {
        let asked = |name, value| HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
        let response = page(pages, "", "/assets/index.js", &asked(header::ACCEPT_ENCODING, "br, gzip"));
        assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
        assert_eq!(text(response).await, "gzipped");
        let response = page(pages, "", "/assets/index.js", &HeaderMap::new());
        assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
        assert_eq!(text(response).await, "script");
        let response = page(pages, "", "/assets/index.js", &asked(header::IF_NONE_MATCH, "\"1\""));
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(text(response).await, "");
    }
}
