//! No pasted token turns up where it does not belong, whatever goes wrong.

use emulators::front::{Fault as AwsFault, FaultKind};
use end_to_end::{Options, SellerKind, Stack, Table};
use simulators::temu::{Fault, Purpose, Route, Trouble, When};

use super::{
    code::approved,
    setting::{CROSS_BORDER_MALL, LOCAL, LOCAL_MALL, ROUND, Visit, issue},
};

#[tokio::test(flavor = "multi_thread")]
async fn no_token_in_any_page_log_table_or_error() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let (vendor, temu) = (stack.vendor(), stack.temu());
    let (mut pages, mut written) = (Vec::new(), Vec::new());

    for trouble in [
        None,
        Some(Trouble::Drop(When::AfterEffect)),
        Some(Trouble::ServerError(When::BeforeEffect)),
        Some(Trouble::Truncated),
        Some(Trouble::answer(When::BeforeEffect, 3_000_034, "dead: your access_token")),
        Some(Trouble::answer(When::BeforeEffect, 3_000_001, "Invalid sign")),
    ] {
        if let Some(trouble) = trouble {
            temu.inject(Route::TokenInfo, Fault::new(trouble.clone()));
            temu.inject(Route::TokenCreate, Fault::new(trouble));
        }
        // Good ones, swapped ones, and one that Temu does not know.
        let visit = Visit::begin(&stack).await;
        let product = issue(&stack, "product", CROSS_BORDER_MALL, Purpose::Product);
        let orders = issue(&stack, "us", CROSS_BORDER_MALL, Purpose::Order);
        let local = issue(&stack, "us", LOCAL_MALL, Purpose::All);
        let unknown = format!("unknown{}", "x".repeat(50));
        pages.push(visit.paste_cross_border(&[("token_product", &orders), ("token_us", &product)]).await.body);
        pages.push(visit.paste_cross_border(&[("token_product", &product), ("token_us", &orders)]).await.body);
        pages.push(visit.paste_local(&unknown).await.body);
        pages.push(visit.paste_local(&local).await.body);
        pages.push(visit.browser.open(&visit.session.connect_url).await.body);
        let callback = approved(&visit, "us", "mia").await;
        pages.extend(visit.browser.come_back(&callback).await.page.map(|page| page.body));
        assert!(!pages.iter().any(|page| page.contains(&unknown)), "{pages:?}");

        let form = visit.browser.token_form(&visit.session.connect_url, SellerKind::Local).await;
        pages.push(visit.browser.submit(&form.url, &[("token", &local), ("form_token", "forged")]).await.body);
        pages.push(visit.browser.submit(&format!("{}?token={local}", form.url), &[("token", &local)]).await.body);
        for route in [Route::TokenInfo, Route::TokenCreate] {
            temu.clear_faults(route);
        }
        written.push(vendor.session(&visit.session.session_id).await.body);
        stack.age(ROUND).await;
        written.push(stack.invoke_sweep().await.to_string());
        written.push(vendor.connection(LOCAL).await.body);
    }
    let visit = Visit::begin(&stack).await;
    let local = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    for operation in ["PutSecretValue", "GetSecretValue"] {
        let down = AwsFault::new(FaultKind::Garbage).on(operation).times(4);
        let down = stack.secrets_manager().front().inject(down);
        pages.push(visit.paste_local(&local).await.body);
        down.clear();
    }
    for operation in ["GetItem", "UpdateItem"] {
        let down = stack.dynamodb().front().inject(AwsFault::new(FaultKind::Garbage).on(operation).times(3));
        let body = [("token", local.as_str()), ("seller", "local"), ("site", "us")];
        pages.push(visit.browser.submit(&format!("{}/temu", visit.session.connect_url), &body).await.body);
        down.clear();
    }

    stack.stop_functions();
    written.push(stack.output());
    for table in Table::ALL {
        written.extend(stack.items(table).await.iter().map(ToString::to_string));
    }
    let (pages, written) = (pages.join("\n"), written.join("\n"));
    assert!(
        pages.contains("connected until") && written.contains("temu/us/634418212001"),
        "the run has done something"
    );
    let tokens = temu.secrets();
    assert!(tokens.len() > 20 && tokens.contains(&local), "{}", tokens.len());
    for (place, text, secrets) in [("a page", &pages, tokens), ("a log or a table", &written, stack.secrets_in_play())]
    {
        for secret in secrets {
            let line = text.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(line, None, "a secret of {} characters stands in {place}", secret.len());
        }
    }
}
