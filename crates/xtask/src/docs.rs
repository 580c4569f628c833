//! Pages, figures and the site.

pub(super) mod book;
#[cfg(test)]
mod commands;
pub(super) mod figures;
pub(super) mod pages;
pub(super) mod tutorial;
