use super::*;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

/// A write that fails half-way, as on a full disk.
fn fails(writer: &mut dyn Write) -> io::Result<()> {
    writer.write_all(b"half")?;
    Err(io::ErrorKind::StorageFull.into())
}

#[test]
fn a_file_takes_its_name_when_it_is_whole() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("new").join("model");
    write_file(&path, &[], |writer| writer.write_all(b"one")).unwrap();
    assert_eq!(text(&path), "one");
    let error = write_file(&path, &[], fails).unwrap_err();
    assert!(matches!(&error, ExperimentError::Write { path: at, .. } if *at == path), "{error}");
    assert_eq!(text(&path), "one", "what was there stays");
    assert_eq!(names(path.parent().unwrap()), ["model"], "and nothing else is left");
    write_file(&path, &[], |writer| writer.write_all(b"two")).unwrap();
    assert_eq!(text(&path), "two");
}

#[test]
fn a_file_in_the_making_has_another_name() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model");
    write_file(&path, &[], |writer| {
        writer.write_all(b"half")?;
        let there = names(place.path());
        assert!(there.len() == 1 && there[0].ends_with(".partial"), "{there:?}");
        assert!(there[0].contains(&process::id().to_string()), "{there:?}");
        writer.write_all(b" and half")
    })
    .unwrap();
    assert_eq!(text(&path), "half and half");
}

#[test]
fn an_input_is_not_replaced() {
    let place = tempfile::tempdir().unwrap();
    let input = place.path().join("report.json");
    fs::write(&input, "metrics").unwrap();
    let another_way = place.path().join(".").join("report.json");
    for result in [
        write_file(&another_way, &[&input], |writer| writer.write_all(b"model")),
        prepare_file(&input, &[&another_way]),
        prepare_folder(place.path(), &[&input]),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error, ExperimentError::WouldOverwrite { .. }), "{error}");
    }
    assert_eq!(text(&input), "metrics");
    // An input that is not there, or lies elsewhere, is in no danger.
    prepare_file(&place.path().join("model"), &[&input, Path::new("nowhere")]).unwrap();
}

#[cfg(unix)]
#[test]
fn a_link_is_followed() {
    let place = tempfile::tempdir().unwrap();
    let (file, link) = (place.path().join("file"), place.path().join("link"));
    fs::write(&file, "one").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    write_file(&link, &[], |writer| writer.write_all(b"two")).unwrap();
    assert_eq!(text(&file), "two");
    assert!(link.is_symlink());
    let error = write_file(&link, &[&file], |writer| writer.write_all(b"three")).unwrap_err();
    assert!(matches!(error, ExperimentError::WouldOverwrite { .. }), "{error}");
}

#[test]
fn a_new_folder_appears_with_all_its_files() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("report");
    prepare_folder(&path, &[]).unwrap();
    assert!(names(place.path()).is_empty(), "checking leaves nothing behind");
    let mut folder = Folder::new(&path).unwrap();
    folder.write("report.json", |writer| writer.write_all(b"{}")).unwrap();
    folder.write("report.html", |writer| writer.write_all(b"<p>")).unwrap();
    assert!(!path.exists());
    folder.finish().unwrap();
    assert_eq!(names(&path), ["report.html", "report.json"]);
    assert_eq!(names(place.path()), ["report"]);
}

#[test]
fn in_a_folder_that_is_there_only_these_files_are_replaced() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path();
    fs::write(path.join("notes.txt"), "mine").unwrap();
    fs::write(path.join("report.json"), "earlier").unwrap();
    let mut folder = Folder::new(path).unwrap();
    folder.write("report.json", |writer| writer.write_all(b"later")).unwrap();
    assert_eq!(text(path.join("report.json")), "earlier", "until all files are there");
    assert!(folder.write("report.html", fails).is_err());
    drop(folder);
    assert_eq!(text(path.join("report.json")), "earlier");
    assert_eq!(names(path), ["notes.txt", "report.json"], "a run that fails leaves nothing");

    let mut folder = Folder::new(path).unwrap();
    folder.write("report.json", |writer| writer.write_all(b"later")).unwrap();
    folder.finish().unwrap();
    assert_eq!(
        (text(path.join("report.json")), text(path.join("notes.txt"))),
        ("later".into(), "mine".into())
    );
    assert_eq!(names(path), ["notes.txt", "report.json"]);
}

#[test]
fn what_a_killed_process_of_the_same_number_left_is_no_obstacle() {
    let place = tempfile::tempdir().unwrap();
    let left = place.path().join(format!(".forewarn-report.{}-0.partial", process::id()));
    fs::create_dir(&left).unwrap();
    prepare_folder(place.path(), &[]).unwrap();
    assert!(left.exists(), "it is not ours to remove");
}

#[test]
fn a_path_that_cannot_be_written_to_is_found_early() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    for result in [
        prepare_folder(&file, &[]),
        prepare_folder(&file.join("report"), &[]),
        prepare_file(&file.join("model"), &[]),
        prepare_file(place.path(), &[]),
    ] {
        assert!(matches!(result, Err(ExperimentError::Write { .. })), "{result:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_is_found_early() {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write anywhere.
    if File::create(place.path().join("probe")).is_err() {
        assert!(matches!(prepare_folder(place.path(), &[]), Err(ExperimentError::Write { .. })));
        assert!(matches!(prepare_folder(&place.path().join("a"), &[]), Err(ExperimentError::Write { .. })));
        assert!(matches!(prepare_file(&place.path().join("a"), &[]), Err(ExperimentError::Write { .. })));
    }
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
#[test]
fn a_device_is_written_to_as_it_is() {
    let null = Path::new("/dev/null");
    prepare_file(null, &[null]).unwrap();
    write_file(null, &[null], |writer| writer.write_all(b"gone")).unwrap();
    assert!(!null.metadata().unwrap().is_file());
}
