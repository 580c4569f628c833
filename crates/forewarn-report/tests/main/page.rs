//! The page in a real browser: what it asks of the network, whether it fits a phone, what the console says.
//!
//! Needs Chromium or Chrome: `FOREWARN_BROWSER=chromium cargo test -p forewarn-report -- --ignored browser`.

use crate::report;
use forewarn_report::Present;
use serde_json::Value;
use std::{fs, process::Command};

/// Puts the page into frames of several widths, with a policy that forbids every request, and writes down what it
/// finds.
const HARNESS: &str = r#"<!doctype html>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<body><script>
const page = atob64("PAGE");
function atob64(text) {
  return new TextDecoder().decode(Uint8Array.from(atob(text), c => c.charCodeAt(0)));
}
const found = [];
async function look(width) {
  const frame = document.createElement("iframe");
  frame.style.cssText = `width:${width}px;height:900px;border:0`;
  const loaded = new Promise(done => frame.onload = done);
  frame.srcdoc = page;
  document.body.append(frame);
  await loaded;
  const inner = frame.contentDocument, root = inner.documentElement;
  const shown = [...inner.querySelectorAll("svg")].filter(svg => svg.getBoundingClientRect().width > 0);
  const right = shown.flatMap(svg => [...svg.querySelectorAll("text")]
    .map(text => text.getBoundingClientRect().right - svg.getBoundingClientRect().right));
  found.push({
    width, scroll: root.scrollWidth, client: root.clientWidth, height: root.scrollHeight,
    svgs: shown.length, beyond: Math.max(...right),
    smallest: Math.min(...shown.map(svg => svg.getBoundingClientRect().width)),
    requests: frame.contentWindow.performance.getEntriesByType("resource").length,
    paper: frame.contentWindow.getComputedStyle(inner.body).backgroundColor,
    ink: frame.contentWindow.getComputedStyle(inner.body).color,
  });
  frame.remove();
}
(async () => {
  for (const width of [320, 390, 720, 1280]) await look(width);
  const out = document.createElement("pre");
  out.id = "found";
  out.textContent = JSON.stringify(found);
  document.body.append(out);
})();
</script></body>
"#;

#[test]
#[ignore = "needs a browser, which FOREWARN_BROWSER names"]
fn the_page_is_sound_in_a_browser() {
    let browser = std::env::var_os("FOREWARN_BROWSER").expect("FOREWARN_BROWSER is set");
    let (report, pictures) = report::example();
    let page = report.to_html(&pictures);
    let folder = tempfile::tempdir().unwrap();
    let harness = folder.path().join("harness.html");
    fs::write(&harness, HARNESS.replace("PAGE", &base64(page.as_bytes()))).unwrap();
    let look = |scheme: &str| {
        let mut command = Command::new(&browser);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.args(["--enable-logging=stderr", "--virtual-time-budget=20000", "--dump-dom"]);
        command.arg(format!("--user-data-dir={}", folder.path().join(scheme).display()));
        command.arg(format!("--blink-settings=preferredColorScheme={}", usize::from(scheme == "light")));
        let output =
            command.arg(format!("file://{}", harness.display())).output().expect("FOREWARN_BROWSER starts");
        let said = String::from_utf8_lossy(&output.stderr);
        let complaints: Vec<&str> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
        assert!(complaints.is_empty(), "the console says: {complaints:#?}");
        let shown = String::from_utf8(output.stdout).unwrap();
        let found = shown.split_once(r#"<pre id="found">"#).and_then(|(_, rest)| rest.split_once("</pre>"));
        let (found, _) = found.unwrap_or_else(|| panic!("the browser found nothing: {said}"));
        serde_json::from_str::<Vec<Value>>(&found.replace("&quot;", "\"")).unwrap()
    };
    let (light, dark) = (look("light"), look("dark"));
    for found in light.iter().chain(&dark) {
        let number = |key: &str| found[key].as_f64().unwrap_or_else(|| panic!("{key} of {found}"));
        assert!(number("scroll") <= number("client"), "the page is wider than the screen: {found}");
        // A label at the end of an axis may reach into the margin of 18 pixels.
        assert!(number("beyond") <= 12.0, "a figure's text is cut off: {found}");
        assert!(number("smallest") >= 250.0 && number("svgs") >= 10.0, "a figure is too small: {found}");
        assert_eq!(number("requests"), 0.0, "the page asks for something: {found}");
        assert!(number("height") > 3000.0, "the page is empty: {found}");
    }
    // Dark ink on light paper, and the other way round.
    let brightness = |found: &Value, key: &str| -> u32 {
        let text = found[key].as_str().unwrap().trim_start_matches("rgb(").trim_end_matches(')');
        text.split(',').map(|part| part.trim().parse::<u32>().unwrap()).sum()
    };
    assert!(brightness(&light[0], "paper") > 600 && brightness(&light[0], "ink") < 200, "{}", light[0]);
    assert!(brightness(&dark[0], "paper") < 200 && brightness(&dark[0], "ink") > 600, "{}", dark[0]);
}

/// A script's text cannot hold a page, whose own tags would end it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits =
        |three: &[u8]| {
            let bits =
                three.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - three.len()));
            (0..4)
                .map(move |i| {
                    if i <= three.len() { DIGITS[(bits >> (18 - 6 * i)) as usize & 63] as char } else { '=' }
                })
                .collect::<String>()
        };
    bytes.chunks(3).map(digits).collect()
}

#[test]
fn base64_is_as_its_standard_has_it() {
    assert_eq!(
        ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes())),
        ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
    );
}
