use crate::{
    IoError,
    columns::{SERVICE, TIMESTAMP},
};
use forewarn_schema::FrameSet;

/// Refuses frames that would not be read back as they are; otherwise says whether the file needs a column of services.
pub(crate) fn check(frames: &FrameSet) -> Result<bool, IoError> {
    let refuse = |what, name: &str, reason| IoError::Unwritable { what, name: name.to_owned(), reason };
    for name in frames.schema().names() {
        if name == TIMESTAMP || name == SERVICE {
            return Err(refuse("metric", name, "has the name of the column of times or services"));
        }
        if name.trim() != name {
            return Err(refuse("metric", name, "has blanks at its ends"));
        }
    }
    for frame in frames.frames() {
        if frame.service().trim() != frame.service() {
            return Err(refuse("service", frame.service(), "has blanks at its ends"));
        }
        if frame.rows() == 0 {
            return Err(refuse("service", frame.service(), "has no rows"));
        }
    }
    let services = frames.layout().services();
    Ok(services.len() != 1 || services[0].name() != SERVICE)
}
