//! Logs: JSON lines on standard output, one a request or a connection worked on.
//!
//! Never logged: tokens, app secrets, codes, `state`s, session tokens, paths and queries, bodies, the marketplaces'
//! own texts. `LOG_LEVEL` moves only our own lines; what libraries say below a warning could hold bodies and URLs, so
//! it is off at any setting.

use std::fmt::Debug;

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

use crate::{audit, config::Reader, metrics};

/// Crates whose lines follow `LOG_LEVEL`.
const OURS: [&str; 4] = ["shop_keyring", "oauth_callback", "refresh_sweep", "token_lookup"];

/// How a function logs and counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telemetry {
    /// `LOG_LEVEL`: `error`, `warn`, `info` (the default) or `debug`.
    log_level: LevelFilter,
    /// `METRICS_NAMESPACE`: CloudWatch's namespace of the metrics, `ShopKeyring` unless set.
    metrics_namespace: String,
}

impl Telemetry {
    /// Reads and checks both variables.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        Self { log_level: log_level(reader), metrics_namespace: metrics_namespace(reader) }
    }
}

/// CloudWatch takes these characters, and keeps names that begin with `AWS/` for itself.
fn metrics_namespace(reader: &mut Reader<'_>) -> String {
    const NAME: &str = "METRICS_NAMESPACE";
    const LONGEST: usize = 255;
    let namespace = reader.optional(NAME).unwrap_or_else(|| metrics::NAMESPACE.into());
    let valid = namespace.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_/#:".contains(&byte));
    if !valid || namespace.len() > LONGEST || namespace.starts_with("AWS/") || namespace.starts_with(':') {
        reader.problem(NAME, "must be up to 255 letters, digits and `.-_/#:`, and not begin with `AWS/` or `:`");
    }
    namespace
}

fn log_level(reader: &mut Reader<'_>) -> LevelFilter {
    match reader.optional("LOG_LEVEL").as_deref() {
        None | Some("info") => LevelFilter::INFO,
        Some("error") => LevelFilter::ERROR,
        Some("warn") => LevelFilter::WARN,
        Some("debug") => LevelFilter::DEBUG,
        Some(_) => {
            reader.problem("LOG_LEVEL", "must be `error`, `warn`, `info` or `debug`");
            LevelFilter::INFO
        }
    }
}

/// Begins to log and to gather metrics, once a process.
pub fn start(telemetry: &Telemetry) {
    let level = telemetry.log_level;
    let targets = Targets::new().with_default(LevelFilter::WARN).with_targets(OURS.map(|target| (target, level)));
    // The audit is not a matter of taste.
    let targets = targets.with_target(audit::TARGET, LevelFilter::INFO);
    let lines =
        tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
    // A second start, as in tests, changes nothing.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(targets))
        .with(AlarmCount.with_filter(LevelFilter::ERROR))
        .try_init();
    metrics::start(&telemetry.metrics_namespace);
}

/// Counts the lines with a field `alarm`, so that none can be logged without being counted.
struct AlarmCount;

impl<S: Subscriber> Layer<S> for AlarmCount {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut AlarmField);
    }
}

struct AlarmField;

impl Visit for AlarmField {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "alarm" {
            metrics::alarm(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
