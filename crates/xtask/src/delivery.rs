//! What people install: packages, image, manifests, releases.

pub(super) mod deploy;
pub(super) mod extracted;
pub(super) mod package;
pub(super) mod release;
pub(super) mod sbom;
