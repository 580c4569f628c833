//! Addresses of other servers, as configurations have them.

/// Refuses what is no address of a server, and a password in one.
///
/// # Errors
/// What was expected; nothing of the address, which may be secret.
pub(crate) fn check_address(url: &str) -> Result<(), &'static str> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let rest = rest.ok_or("expected http://HOST:PORT or https://HOST:PORT")?;
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("an address has no blanks and no control characters");
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() {
        return Err("the host is missing");
    }
    if host.contains('@') {
        return Err("an address must not have a password in it; use basic or bearer_file");
    }
    Ok(())
}

/// The address below which an API lies, without a slash at its end.
///
/// # Errors
/// As [`check_address`], and for a query.
pub(crate) fn base_address(url: &str) -> Result<String, &'static str> {
    check_address(url)?;
    if url.contains(['?', '#']) {
        return Err("expected a host, a port and the prefix of a path, and nothing behind them");
    }
    let trimmed = url.trim_end_matches('/');
    // What people copy from elsewhere.
    Ok(trimmed.strip_suffix("/api/v1").unwrap_or(trimmed).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_no_secrets() {
        for right in ["http://a", "https://a:1/b?c=d", "http://[::1]:9090/"] {
            assert_eq!(check_address(right), Ok(()), "{right}");
        }
        for wrong in ["p:9090", "ftp://a", "http://", "https:///a", "http://u:secret@p", "http://p /a"] {
            let told = check_address(wrong).unwrap_err();
            assert!(!told.contains("secret"), "{wrong}: {told}");
        }
    }

    #[test]
    fn the_base_of_an_api_has_no_slash_at_its_end_and_no_query() {
        assert_eq!(base_address("https://p:9090/prom/").unwrap(), "https://p:9090/prom");
        assert_eq!(base_address("http://p/api/v1").unwrap(), "http://p");
        assert!(base_address("http://p?x=1").is_err());
    }
}
