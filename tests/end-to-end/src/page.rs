//! A page as a browser reads it, as far as a seller's browser here has to: tags and their attributes. Pages of ours and
//! of the simulators only, so there is no need for more.

/// A page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a>(pub(crate) &'a str);

/// A tag that opens an element.
#[derive(Debug)]
pub(crate) struct Tag<'a> {
    pub(crate) name: &'a str,
    attributes: Vec<(&'a str, String)>,
}

impl<'a> Page<'a> {
    /// All tags that open an element, in order.
    pub(crate) fn tags(self) -> impl Iterator<Item = Tag<'a>> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let begin = rest.find('<')?;
            let (tag, after) = split_tag(&rest[begin + 1..])?;
            rest = after;
            Some(Tag::read(tag))
        })
        .filter(|tag| tag.name.starts_with(|first: char| first.is_ascii_alphabetic()))
    }

    /// Name and value of what a form sends without having been asked.
    pub(crate) fn hidden_fields(self) -> Vec<(String, String)> {
        let hidden = self.tags().filter(|tag| tag.name == "input" && tag.get("type") == Some("hidden"));
        hidden.filter_map(|tag| Some((tag.get("name")?.to_owned(), tag.get("value")?.to_owned()))).collect()
    }

    /// The values of an attribute, wherever it stands.
    pub(crate) fn values(self, attribute: &str) -> Vec<String> {
        self.tags().filter_map(|tag| tag.get(attribute).map(str::to_owned)).collect()
    }

    /// What stands in the element with this id, if it holds text only.
    pub(crate) fn text_of(self, id: &str) -> Option<String> {
        let (_, after) = self.0.split_once(&format!(r#"id="{id}""#))?;
        let (text, _) = after.split_once('>')?.1.split_once('<')?;
        Some(unescaped(text))
    }
}

impl<'a> Tag<'a> {
    fn read(tag: &'a str) -> Self {
        let name_ends = tag.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(tag.len());
        let (name, mut rest) = tag.split_at(name_ends);
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            let ends = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
            let (attribute, after) = rest.split_at(ends);
            if attribute.is_empty() {
                return Self { name, attributes };
            }
            let quoted = after.strip_prefix("=\"").and_then(|after| after.split_once('"'));
            let (value, after) = quoted.unwrap_or(("", after));
            attributes.push((attribute, unescaped(value)));
            rest = if quoted.is_some() { after } else { after.trim_start_matches('=') };
        }
    }

    /// An attribute's value; empty for one without.
    pub(crate) fn get(&self, attribute: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| *name == attribute).map(|(_, value)| value.as_str())
    }
}

/// The tag up to its `>`, which may stand in a quoted value as well, and what follows.
fn split_tag(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let end = text.find(|c| {
        quoted ^= c == '"';
        c == '>' && !quoted
    })?;
    Some((&text[..end], &text[end + 1..]))
}

/// Text as it was before it was escaped: as our templates and the simulators' pages escape.
fn unescaped(text: &str) -> String {
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
    ];
    let text = entities.into_iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character));
    text.replace("&#38;", "&").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Page<'_> = Page(
        r#"<!doctype html><p data-reason="unknown">1 < 2</p>
        <form><input type="hidden" name="form_token" value="a&#38;b > c"/><input name=shown value="x">
        <input type="checkbox" name="agree" value="yes" checked></form><code id="access-token">t&amp;1</code>"#,
    );

    #[test]
    fn what_a_form_holds_is_read_and_unescaped() {
        assert_eq!(PAGE.hidden_fields(), [("form_token".to_owned(), "a&b > c".to_owned())]);
        assert_eq!(PAGE.values("data-reason"), ["unknown"]);
        assert_eq!(PAGE.text_of("access-token").as_deref(), Some("t&1"));
        assert_eq!(PAGE.text_of("nothing"), None);
        let agree = PAGE.tags().find(|tag| tag.get("name") == Some("agree"));
        let agree = agree.map(|tag| (tag.get("value").map(str::to_owned), tag.get("checked").is_some()));
        assert_eq!(agree, Some((Some("yes".to_owned()), true)));
    }

    #[test]
    fn escaped_entities_stay_what_they_were() {
        assert_eq!(unescaped("&#38;lt;b&#62; &amp;quot;"), "&lt;b> &quot;");
    }
}
