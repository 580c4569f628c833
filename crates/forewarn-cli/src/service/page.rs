use forewarn_server::http::PageFile;

/// A file of the page that the live service shows.
pub(crate) fn page(path: &str) -> Option<PageFile> {
    forewarn_dashboard::file(path).map(|file| PageFile {
        bytes: file.bytes,
        content_type: file.content_type,
        etag: file.etag,
        gzip: file.gzip,
    })
}
