use super::faults::Complaint;
use super::reply::Reply;

/// What the stage has to know of a marketplace. Implemented by each one's `World`.
pub(crate) trait Platform: Default + Send + 'static {
    /// What calls are logged by and faults are in store for.
    type Route: Copy + PartialEq + Send + Sync + 'static;

    /// The code that says that a call did what it was asked for.
    const SUCCESS: i64;

    /// An error in the platform's own envelope.
    fn error(status: u16, code: i64, message: &str, now: u64) -> Reply;

    /// How this platform words an error that all of them know: HTTP status, code, message.
    fn word(complaint: Complaint) -> (u16, i64, &'static str);
}
