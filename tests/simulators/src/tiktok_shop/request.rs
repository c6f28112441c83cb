/// A signed request to the open API, as it came over the wire.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    pub(super) path: &'static str,
    /// Decoded, in the order sent.
    pub(super) query: Vec<(String, String)>,
    pub(super) access_token: String,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
    /// When the request arrived by the machine's clock.
    pub(super) machine_time: u64,
}

impl Request {
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn is_multipart(&self) -> bool {
        self.content_type.starts_with("multipart/form-data")
    }

    pub(super) fn is_json(&self) -> bool {
        self.content_type.split(';').next().is_some_and(|kind| kind.trim() == "application/json")
    }
}
