use crate::{
    IoError,
    columns::{SERVICE, TIMESTAMP},
};
use forewarn_schema::{FrameSet, FrameView, Schema};

/// Refuses frames that would not be read back as they are; otherwise says whether the file needs a column of services.
pub(crate) fn check(frames: &FrameSet) -> Result<bool, IoError> {
    check_metrics(frames.schema())?;
    frames.frames().try_for_each(check_frame)?;
    let services = frames.layout().services();
    Ok(services.len() != 1 || services[0].name() != SERVICE)
}

/// Refuses metrics whose names would be read back as something else.
pub(crate) fn check_metrics(schema: &Schema) -> Result<(), IoError> {
    for name in schema.names() {
        if name == TIMESTAMP || name == SERVICE {
            return Err(refuse("metric", name, "has the name of the column of times or services"));
        }
        if name.trim() != name {
            return Err(refuse("metric", name, "has blanks at its ends"));
        }
    }
    Ok(())
}

/// Refuses a service that would not be read back as it is.
pub(crate) fn check_frame(frame: FrameView<'_>) -> Result<(), IoError> {
    if frame.service().trim() != frame.service() {
        return Err(refuse("service", frame.service(), "has blanks at its ends"));
    }
    if frame.rows() == 0 {
        return Err(refuse("service", frame.service(), "has no rows"));
    }
    Ok(())
}

fn refuse(what: &'static str, name: &str, reason: &'static str) -> IoError {
    IoError::Unwritable { what, name: name.to_owned(), reason }
}
