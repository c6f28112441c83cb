//! Input that nobody pastes by mistake.

use end_to_end::{Options, SellerKind, Stack};
use simulators::temu::{Mall, MallType, Purpose, Seller};

use super::setting::{LOCAL, LOCAL_MALL, Visit, issue};

#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_the_limit_is_refused() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let token = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    let visit = Visit::begin(&stack).await;
    let form = visit.browser.token_form(&visit.session.connect_url, SellerKind::Local).await;
    for length in [16 * 1024, 1024 * 1024] {
        let padded = format!("{token}{}", " ".repeat(length));
        drop(form.send(&[("site", "us"), ("token", &padded)]).await.expect(413));
    }
    assert_eq!(stack.temu().calls().len(), 0);
    let padded = format!("{token}{}", " ".repeat(15 * 1024));
    let page = form.send(&[("site", "us"), ("token", &padded)]).await;
    drop(visit.browser.arrive(page).await.expect(200));
    assert!(stack.item(LOCAL).await.is_some(), "the limit is on the form, not on its spaces");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_input_breaks_the_form_or_comes_back_in_a_page_or_a_log() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let visit = Visit::begin(&stack).await;
    let form = visit.browser.token_form(&visit.session.connect_url, SellerKind::Local).await;
    let mark = "zqx9marker";
    let long = format!("{mark}{}", "a".repeat(10_000));
    for hostile in [
        format!("<script>alert('{mark}aaaaaaaaaaaaaaaaaaaaaaaaaaaaa')</script>"),
        format!("\"><img src=x onerror={mark}aaaaaaaaaaaaaaaaaaaaaaaaaaa>"),
        format!("{mark}\u{0}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        format!("{mark}\u{1b}[31maaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        format!("{mark}aaaaaaaaaaaaaaaaaaaaa\r\n{{\"level\":\"ERROR\",\"message\":\"forged\"}}"),
        format!("{mark}\u{202e}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        format!("../../{mark}/../../aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        format!("{mark}токен-токен-токен-токен-токен-токен-токен-токен"),
        format!("{{\"access_token\":\"{mark}aaaaaaaaaaaaaaaaaaaaa\",\"access_token\":\"b\"}}"),
        long,
    ] {
        let page = form.send(&[("site", "us"), ("token", &hostile)]).await;
        assert_eq!(page.status, 422, "{hostile:?}: {}", page.body);
        assert!(!page.body.contains(mark), "{hostile:?}: {}", page.body);
    }

    let form_token = form.form_token();
    let own = format!("seller=local&form_token={form_token}&site=us");
    for (body, what) in [
        (format!("{own}&token=%ff%fe%00"), "no UTF-8"),
        (format!("{own}&token={mark}&token={mark}"), "a field twice"),
        (format!("{own}&form_token={form_token}&token={mark}"), "the form's token twice"),
        (format!("{own}&unknown={mark}"), "an unknown field"),
        (format!("{own}&token_us={mark}&token={mark}"), "another form's field"),
        (format!("seller=nobody&form_token={form_token}&token={mark}"), "no kind of seller"),
        (format!("seller=local&form_token={form_token}&site=mars&token={mark}"), "no site"),
        (format!("seller=local&form_token={form_token}&site=product&token={mark}"), "a site of the other kind"),
        (format!("{own}&token_../us={mark}"), "a path for an app"),
        (format!("{own}&other_store_us={mark}&token=x"), "a store for nothing"),
        (format!("{{\"token\":\"{mark}\"}}"), "JSON"),
        ("%".repeat(5_000), "percent signs"),
        ("&".repeat(5_000), "ampersands"),
        ("a=b&".repeat(4_000), "many fields"),
        (String::new(), "nothing"),
    ] {
        let page = visit.browser.submit_raw(&form.url, body).await;
        assert!((400..500).contains(&page.status), "{what}: {} {}", page.status, page.body);
        assert!(!page.body.contains(mark), "{what}: {}", page.body);
    }
    stack.stop_functions();
    let tried = stack.output();
    assert!(!tried.contains(mark), "{tried}");
    assert!(!tried.contains("panicked") && !tried.contains("forged"), "{tried}");
    assert!(stack.items(end_to_end::Table::Connections).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn html_and_line_breaks_in_a_malls_name_are_only_a_name() {
    const NAME: &str = "<b onmouseover=\"alert(1)\">Mia & 'Co'</b>\n{\"level\":\"ERROR\"}\u{7}\u{202e}</title>";
    let mall = Mall::new(LOCAL_MALL, MallType::Local).with_name(NAME);
    let options = Options { temu_sellers: vec![Seller::new("mia").with_mall(mall)], ..Options::default() };
    let stack = Stack::start(options).await.unwrap();
    stack.temu().configure(|settings| settings.says_unique_id = true);
    let token = issue(&stack, "us", LOCAL_MALL, Purpose::All);
    let visit = Visit::begin(&stack).await;
    let page = visit.paste_local(&token).await.expect(200);
    assert!(!page.body.contains("<b onmouseover") && !page.body.contains("&</title>"), "{}", page.body);
    assert_eq!(page.body.matches("</title>").count(), 1, "{}", page.body);
    visit.confirm(&page).await;
    let served = stack.vendor().token(LOCAL).await.expect(200).json();
    assert_eq!(served["shops"][0]["name"], NAME);
    drop(stack.vendor().connection(LOCAL).await.expect(200).json());

    // Nor does it break out of its line in the log.
    stack.stop_functions();
    let output = stack.output_of(end_to_end::Function::OauthCallback);
    assert!(output.lines().all(|line| !line.trim_start().starts_with("{\"level\":\"ERROR\"}")), "{output}");
    let lines = output.lines().filter_map(|line| line.find('{').map(|at| &line[at..]));
    for line in lines {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}
