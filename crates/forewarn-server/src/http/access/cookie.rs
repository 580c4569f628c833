use axum::http::{HeaderMap, HeaderValue, header};

/// The cookie of a browser that is signed in.
#[derive(Clone, Debug)]
pub(crate) struct SessionCookie {
    name: String,
    path: String,
    is_secure: bool,
}

impl SessionCookie {
    /// Browsers do not tell the ports of a host apart, so that the name has the server's.
    pub(crate) fn new(port: u16, base_path: &str, is_secure: bool) -> Self {
        Self { name: format!("forewarn_session_{port}"), path: format!("{base_path}/"), is_secure }
    }

    /// The session's id, as a request has it.
    pub(crate) fn read<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.name).map(|(_, value)| value)
    }

    /// What sets it for as long as a session lasts.
    pub(crate) fn set(&self, id: &str) -> Option<HeaderValue> {
        self.header(id, super::session::SESSION.as_secs())
    }

    /// What takes it from the browser.
    pub(crate) fn clear(&self) -> Option<HeaderValue> {
        self.header("", 0)
    }

    fn header(&self, value: &str, seconds: u64) -> Option<HeaderValue> {
        let Self { name, path, is_secure } = self;
        let secure = if *is_secure { "; Secure" } else { "" };
        let line =
            format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
        HeaderValue::from_str(&line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_other_sites_do_not_get_the_cookie() {
        let set = SessionCookie::new(8080, "", false).set("fw_1").unwrap();
        assert_eq!(set, "forewarn_session_8080=fw_1; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict");
        let set = SessionCookie::new(8443, "/ops", true).set("fw_1").unwrap();
        let set = set.to_str().unwrap();
        assert!(set.contains("; Path=/ops/;") && set.ends_with("; Secure"), "{set}");
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let cookie = SessionCookie::new(8080, "", false);
        let mut headers = HeaderMap::new();
        assert_eq!(cookie.read(&headers), None);
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; forewarn_session_80=x"));
        assert_eq!(cookie.read(&headers), None);
        headers.append(header::COOKIE, HeaderValue::from_static("c=d;forewarn_session_8080=fw_1; e"));
        assert_eq!(cookie.read(&headers), Some("fw_1"));
    }
}
