//! Drawings of the page, as SVG.

pub(crate) mod figures;
pub(crate) mod svg;
pub(crate) mod timeline;
