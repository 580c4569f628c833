//! The built files, written by `cargo xtask dashboard`.

use crate::File;

/// Every file, in order of its path.
pub(crate) static FILES: &[File] = &[
    File {
        path: "assets/app.js",
        bytes: include_bytes!("../dist/assets/app.js"),
        content_type: "text/javascript; charset=utf-8",
        etag: "\"11d9bf2c098ba401f2f0e51d0490d2a1\"",
        gzip: Some(include_bytes!("../dist/assets/app.js.gz")),
    },
    File {
        path: "assets/index.css",
        bytes: include_bytes!("../dist/assets/index.css"),
        content_type: "text/css; charset=utf-8",
        etag: "\"a96b1106d3a9cfbab2d72e0d2de13bae\"",
        gzip: Some(include_bytes!("../dist/assets/index.css.gz")),
    },
    File {
        path: "assets/inter-latin-wght-normal.woff2",
        bytes: include_bytes!("../dist/assets/inter-latin-wght-normal.woff2"),
        content_type: "font/woff2",
        etag: "\"3100e775e8616cd2611beecfa23a4263\"",
        gzip: None,
    },
    File {
        path: "favicon.svg",
        bytes: include_bytes!("../dist/favicon.svg"),
        content_type: "image/svg+xml",
        etag: "\"3113fb3998530707042d306559216e12\"",
        gzip: Some(include_bytes!("../dist/favicon.svg.gz")),
    },
    File {
        path: "index.html",
        bytes: include_bytes!("../dist/index.html"),
        content_type: "text/html; charset=utf-8",
        etag: "\"51416077ffe05ceb99cb722e3e317a84\"",
        gzip: Some(include_bytes!("../dist/index.html.gz")),
    },
    File {
        path: "licences.txt",
        bytes: include_bytes!("../dist/licences.txt"),
        content_type: "text/plain; charset=utf-8",
        etag: "\"16e1e683bde57531969ca12392975d6f\"",
        gzip: Some(include_bytes!("../dist/licences.txt.gz")),
    },
    File {
        path: "theme.js",
        bytes: include_bytes!("../dist/theme.js"),
        content_type: "text/javascript; charset=utf-8",
        etag: "\"9804cfc796e724f7ace83de3ac175c07\"",
        gzip: Some(include_bytes!("../dist/theme.js.gz")),
    },
];
