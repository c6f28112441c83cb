//! The frame of the simulated pages. They work without script, and say that they are not real.

use axum::body::Body;
use axum::http::{Response, StatusCode, header};

pub(crate) fn page(status: StatusCode, platform: &str, content: &str) -> Response<Body> {
    let page = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{platform} (simulated)</title>
<link rel="icon" href="data:,">
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem; color: #161823; }}
fieldset {{ border: 1px solid #c8c9cc; border-radius: 6px; }}
label {{ display: block; padding: .35rem 0; overflow-wrap: anywhere; }}
small {{ color: #5c5d66; }}
nav {{ color: #5c5d66; }}
form {{ margin: .5rem 0; }}
code {{ overflow-wrap: anywhere; }}
button {{ font: inherit; padding: .5rem 1.25rem; border: 1px solid #161823; border-radius: 6px; background: #161823; color: #fff; }}
button.quiet {{ background: #fff; color: #161823; }}
</style>
</head>
<body>
<p><small>Simulator of {platform}: no real account is involved.</small></p>
{content}
</body>
</html>
"#
    );
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        .body(Body::from(page))
        .unwrap_or_default()
}

pub(crate) fn redirect(location: &str) -> Response<Body> {
    Response::builder()
        .status(StatusCode::FOUND)
        .header(header::LOCATION, location)
        .body(Body::empty())
        .unwrap_or_default()
}

/// Items that are HTML already.
pub(crate) fn list(items: impl Iterator<Item = String>) -> String {
    format!("<ul>{}</ul>", concat(items.map(|item| format!("<li>{item}</li>"))))
}

pub(crate) fn concat(parts: impl Iterator<Item = String>) -> String {
    parts.collect()
}

pub(crate) fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
        out
    })
}
