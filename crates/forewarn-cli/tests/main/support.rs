use std::{
    path::Path,
    process::{Command, Output},
};

/// The program with `arguments`, in `folder`.
pub(crate) fn forewarn(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_forewarn")).args(arguments).current_dir(folder).output().unwrap()
}

/// The same where it must end well; its standard output.
#[track_caller]
pub(crate) fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = forewarn(folder, arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The same where it must end with `code`; its standard error.
#[track_caller]
pub(crate) fn refused(folder: &Path, code: i32, arguments: &[&str]) -> String {
    let output = forewarn(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
    error
}

/// Metrics of `minutes`, of which one in 60 begins a failure of three minutes.
pub(crate) fn metrics(services: &[&str], minutes: usize) -> String {
    let mut csv = String::from("service,timestamp,request_count,error_rate\n");
    for service in services {
        for minute in 0..minutes {
            let error_rate = if (40..43).contains(&(minute % 60)) { 0.2 } else { 0.01 };
            let time = 1_704_067_200 + 60 * minute;
            csv += &format!("{service},{time},{},{error_rate}\n", 100 + minute % 7);
        }
    }
    csv
}
