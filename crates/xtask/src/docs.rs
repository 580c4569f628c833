//! Pages, figures and the site.

pub(super) mod book;
pub(super) mod figures;
pub(super) mod pages;
pub(super) mod tutorial;
