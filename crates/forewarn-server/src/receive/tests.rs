use super::*;
use std::fs;

fn retry_after(reply: &Reply) -> bool {
    reply.headers.iter().any(|(name, value)| *name == header::RETRY_AFTER && value == "1")
}

#[test]
fn what_is_not_on_disk_is_asked_for_again_and_counted() {
    let counts = Counts::default();
    let kept = Ack { is_kept: true, ..Ack::default() };
    assert_eq!(not_kept(&Ok(kept), &counts), None);
    for (ack, status) in [
        (Ok(Ack::default()), StatusCode::SERVICE_UNAVAILABLE),
        (Err(ServerError::Stopped), StatusCode::SERVICE_UNAVAILABLE),
        (Err(ServerError::Busy { waiting: 7 }), StatusCode::TOO_MANY_REQUESTS),
    ] {
        let reply = not_kept(&ack, &counts).unwrap();
        assert!(reply.status == status && retry_after(&reply), "{ack:?}: {reply:?}");
    }
    assert_eq!((counts.now()["busy"], counts.now()["not_kept"]), (1, 2));
}

#[test]
fn a_token_is_read_again_for_each_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let shows = |token: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        admit(Some(path.as_path()), &headers).map_err(|reply| reply.status)
    };
    assert_eq!(shows("one"), Err(StatusCode::INTERNAL_SERVER_ERROR));
    fs::write(&path, "one\n").unwrap();
    assert_eq!((shows("one"), shows("two")), (Ok(()), Err(StatusCode::UNAUTHORIZED)));
    fs::write(&path, "two\n").unwrap();
    assert_eq!((shows("two"), shows("one")), (Ok(()), Err(StatusCode::UNAUTHORIZED)));
    fs::write(&path, "\n").unwrap();
    assert_eq!(shows(""), Err(StatusCode::INTERNAL_SERVER_ERROR), "an empty token admits no one");
    assert_eq!(admit(None, &HeaderMap::new()).map_err(|reply| reply.status), Ok(()));
}
