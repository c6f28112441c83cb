//! The query of a list of connections, its cursor among it.

use token_lookup::{ListRequest, Position};

use crate::MARK;

/// What is accepted has one cursor, which leads back to the same place, stays among what the filters admit, and serves no
/// other query.
pub fn list_query(input: &[u8]) {
    let Ok(query) = str::from_utf8(input) else { return };
    if let Ok(request) = ListRequest::parse(query) {
        assert!((1..=100).contains(&request.limit));
        if let Position::After(name) = &request.from {
            assert!(name.to_string().starts_with(&request.filters.prefix()), "{name} is none of those asked for");
            assert!(request.filters.admits_name(name));
        }
        let given = url::form_urlencoded::parse(input);
        let (cursors, filters): (Vec<_>, Vec<_>) = given.partition(|(name, _)| name == "cursor");
        let cursor = request.cursor();
        assert!(cursors.iter().all(|(_, text)| *text == cursor), "one position has two texts");
        let with = |pairs: &[(_, _)]| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(pairs).append_pair("cursor", &cursor);
            ListRequest::parse(&query.finish())
        };
        assert_eq!(with(&filters).expect("its own cursor is accepted"), request);

        // Without one of its filters, or with one more, it is another query.
        let narrows = |name: &str| name != "limit" && name != "app";
        if let Some(at) = filters.iter().position(|(name, _)| narrows(name)) {
            let mut fewer = filters.clone();
            fewer.remove(at);
            assert!(with(&fewer).is_err(), "a cursor serves another query");
        }
        if filters.iter().all(|(name, _)| name != "account_id") {
            let mut more = filters.clone();
            more.push(("account_id".into(), "somebody".into()));
            assert!(with(&more).is_err(), "a cursor serves another account");
        }
    }
    if let Err(problem) = ListRequest::parse(&format!("{query}{MARK}")) {
        assert!(!format!("{problem:?}").contains(MARK), "an error repeats the query");
    }
}
