//! Requests that schemathesis makes of the API's own document, and what it holds against the answers.

use crate::{chaos::FakeChaos, client::*, world::*};
use forewarn_server::WatchOptions;
use std::{env, process::Command, sync::Arc};

/// Examples of each operation.
const EXAMPLES: &str = "60";

#[test]
#[ignore = "needs schemathesis: cargo xtask test"]
fn the_api_does_what_its_document_says() -> Result<(), BoxError> {
    let program =
        env::var_os("FOREWARN_SCHEMATHESIS").ok_or("FOREWARN_SCHEMATHESIS names no schemathesis")?;
    let folder = tempfile::tempdir()?;
    let options = WatchOptions::default().with_chaos(Arc::new(FakeChaos::default()));
    let service = Service::start(folder.path(), "minutes = 1500", &http(""), options)?;
    service.wait_for_minutes(1_500);
    let status = Command::new(program)
        .current_dir(folder.path())
        .args(["run", "--checks", "all", "--seed", "7", "--max-examples", EXAMPLES, "--no-color"])
        // A request may be as the document says and still make no sense, such as one from now to yesterday.
        .args(["--exclude-checks", "positive_data_acceptance"])
        // A stream has no end to wait for.
        .args(["--exclude-path-regex", "^/api/v1/live"])
        .args(["--phases", "examples,coverage,fuzzing", "--suppress-health-check", "all"])
        .args(["--header", &format!("Authorization: Bearer {ADMIN}")])
        .arg(service.url("/api/v1/openapi.json"))
        .status()?;
    assert!(status.success(), "schemathesis found that the API does not do what its document says");
    assert_eq!(service.get("/-/healthy").status(), 200);
    Ok(())
}
