//! Names, connection keys, and the paths that they stand in.

use std::{
    fmt::{Debug, Display},
    str::FromStr,
};

use serde::{Serialize, de::DeserializeOwned};
use shop_keyring::names::{
    AccountId, AppKeyPath, AppName, AttemptId, ConnectionKey, InvalidName, MarketplaceName, SellerId, ShopId, VersionId,
};
use token_lookup::is_canonical;
use url::Url;

/// A text as each kind of name.
pub fn names(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    for accepted in [
        accepts::<MarketplaceName>(text),
        accepts::<AppName>(text),
        accepts::<SellerId>(text),
        accepts::<ShopId>(text),
        accepts::<VersionId>(text),
    ] {
        if accepted {
            check_segment(text);
        }
    }
    if accepts::<AppKeyPath>(text) {
        check_path(text, 2);
    }
    if accepts::<ConnectionKey>(text) {
        check_path(text, 3);
    }
    if accepts::<AccountId>(text) {
        assert!(!text.is_empty() && !text.contains(char::is_control));
    }
    if let Ok(attempt) = serde_json::from_value::<AttemptId>(text.into()) {
        assert!(accepts::<VersionId>(attempt.version().as_str()), "the vault could not name what is kept under it");
    }
}

/// Whether a text is accepted; if so it reads back the same in every way.
fn accepts<T>(text: &str) -> bool
where
    T: FromStr<Err = InvalidName> + Display + Debug + PartialEq + Serialize + DeserializeOwned,
{
    match text.parse::<T>() {
        Ok(name) => {
            assert_eq!(name.to_string(), text);
            reads_back(&name);
            true
        }
        Err(InvalidName { what, rule }) => {
            repeats_nothing(what);
            repeats_nothing(rule);
            assert!(serde_json::from_value::<T>(text.into()).is_err(), "JSON brings in what a path cannot");
            false
        }
    }
}

/// Holds by its type: a text of the program's own.
const fn repeats_nothing(_: &'static str) {}

/// JSON gives back what was written to it.
pub(crate) fn reads_back<T: Serialize + DeserializeOwned + Debug + PartialEq>(value: &T) {
    let text = serde_json::to_string(value).expect("it can be written");
    assert_eq!(serde_json::from_str::<T>(&text).expect("it can be read"), *value);
}

/// Stands for itself wherever a path is taken apart.
pub(crate) fn check_segment(segment: &str) {
    let harmless = |byte: u8| !matches!(byte, b'/' | b'\\' | b'%' | b'?' | b'#' | b':') && byte.is_ascii_graphic();
    assert!(segment.bytes().all(harmless), "{segment:?} in a path");
    check_path(segment, 1);
}

fn check_path(path: &str, segments: usize) {
    let path = format!("/{path}");
    let url = Url::parse(&format!("https://host.example{path}")).expect("a URL");
    assert_eq!(url.path(), path, "a path that can be written in another way");
    assert_eq!(url.path_segments().into_iter().flatten().filter(|it| !it.is_empty()).count(), segments);
    assert!(is_canonical(&path), "{path} cannot be asked for");
}

/// A request's path.
pub fn path(input: &[u8]) {
    let Ok(path) = str::from_utf8(input) else { return };
    if is_canonical(path) {
        let segments = path.split('/').count() - 1;
        check_path(&path[1..], segments);
        assert!(path.split('/').skip(1).all(|segment| !segment.is_empty()), "{path:?}");
        for escape in ["%", "\\", "?", "#", "//", "/../", "/./"] {
            assert!(!path.contains(escape), "{path:?}");
        }
        // Another spelling of an accepted path is not accepted.
        for other in [
            format!("{path}/"),
            format!("/{path}"),
            format!("{path}/."),
            format!("/x/..{path}"),
            path.replacen('/', "%2F", 1),
        ] {
            assert!(!is_canonical(&other), "{other:?}");
        }
    }
}
