//! The walk: names from an index, then the items, for as many as are still missing.

use shop_keyring::{
    connection::Connection,
    names::ConnectionKey,
    store::{Connections, StoreError},
};

use super::{cursor::Position, request::ListRequest};

/// Entries of an index that one request looks at, about. A megabyte of them: what a filter throws away costs its caller
/// an empty page and not its time-out.
const EXAMINED: usize = 10_000;

/// Items that one request reads, about.
const READ: usize = 500;

/// Entries in one call.
const LARGEST_CALL: usize = 1_000;

/// Some connections, and where it goes on.
pub(super) struct Page {
    pub(super) found: Vec<Connection>,
    pub(super) next: Option<Position>,
}

/// Goes on until the page is full, nothing is left, or so much was looked at.
pub(super) async fn walk(connections: &Connections, request: &ListRequest) -> Result<Page, StoreError> {
    let ListRequest { filters, limit, from } = request;
    let (prefix, shards) = (filters.prefix(), filters.shards());
    let (mut found, mut from) = (Vec::new(), from.clone());
    let (mut examined, mut read, mut call) = (0, 0, *limit);
    loop {
        let shard = from.shard(shards);
        let at_most = i32::try_from(call).unwrap_or(i32::MAX);
        let page = connections.names(filters.section(shard), &prefix, from.after(), at_most).await?;
        examined += page.examined;
        let before = found.len();
        for names in page.names.chunks(call.min(Connections::BATCH)) {
            let mut items = items(connections, names).await?;
            read += names.len();
            for name in names {
                if let Some(item) = items.remove(name).filter(|item| filters.admit(item)) {
                    found.push(item);
                }
                if found.len() == *limit {
                    return Ok(Page { found, next: Some(Position::After(name.clone())) });
                }
            }
            if let Some(last) = names.last().filter(|_| read >= READ) {
                return Ok(Page { found, next: Some(Position::After(last.clone())) });
            }
        }
        from = match page.next {
            Some(last) => Position::After(last),
            None if shard + 1 < shards => Position::Shard(shard + 1),
            None => return Ok(Page { found, next: None }),
        };
        if examined >= EXAMINED {
            return Ok(Page { found, next: Some(from) });
        }
        // As many as are still missing; more at a time while nothing comes of it.
        call = if found.len() > before { limit - found.len() } else { (call * 4).min(LARGEST_CALL) };
    }
}

/// The items of up to a batch of names. One that the batch has left out is asked for by itself.
async fn items(
    connections: &Connections,
    names: &[ConnectionKey],
) -> Result<std::collections::HashMap<ConnectionKey, Connection>, StoreError> {
    let mut items = connections.get_batch(names).await?;
    for name in names {
        if items.contains_key(name) {
            continue;
        }
        match connections.get(name).await {
            Ok(Some(item)) => drop(items.insert(name.clone(), item)),
            // Taken away since the index was written.
            Ok(None) => {}
            // One that this release cannot read must not hide all that come after it.
            Err(error @ StoreError::Unreadable { .. }) => tracing::error!(alarm = "unreadable_item", %error),
            Err(error) => return Err(error),
        }
    }
    Ok(items)
}
