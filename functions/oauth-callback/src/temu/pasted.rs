//! From what a seller has pasted to a token: pure. People copy more than the token, so what surely does not belong to it
//! goes: spaces, line breaks, quotes, the name in front of it.

use shop_keyring::secret::Secret;

use super::mistake::Mistake;

/// Tokens of Temu have 56 characters; how long they may become is not documented.
const LENGTHS: std::ops::RangeInclusive<usize> = 20..=512;

/// The token alone.
///
/// # Errors
/// If what is left cannot be a token of Temu.
pub fn clean(pasted: &Secret) -> Result<Secret, Mistake> {
    // No token has blanks, but one may be wrapped over two lines, and the name before it may have any of them.
    let joined: String = pasted.expose().chars().filter(|letter| !is_blank(*letter)).collect();
    let joined = Secret::new(joined);
    let mut text = joined.expose();
    loop {
        let before = text;
        // Between the name and the token; at a token's end a `=` is part of it.
        text = text.trim_matches(is_around).trim_start_matches([':', '=']);
        // As it stands in JSON and in a query, and in the seller centre.
        for name in ["access_token", "accesstoken"] {
            if let Some(head) = text.get(..name.len())
                && head.eq_ignore_ascii_case(name)
            {
                text = &text[name.len()..];
            }
        }
        if text == before {
            break;
        }
    }
    let token = Secret::new(text);
    let valid = LENGTHS.contains(&token.expose().len())
        && token.expose().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~+/=".contains(&byte));
    if valid { Ok(token) } else { Err(Mistake::NotAToken) }
}

fn is_around(letter: char) -> bool {
    matches!(letter, '"' | '\'' | '`' | '“' | '”' | '„' | '‘' | '’' | '«' | '»' | ',' | ';' | '{' | '}')
}

/// Spaces, also those without width that web pages put in.
fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "2nifvmpyymvypwmcms5ct4uqqudrwgpmzbcnmkt1jzjkuaf3x56iixym";

    fn cleaned(text: &str) -> Option<String> {
        clean(&Secret::new(text)).ok().map(|token| token.expose().to_owned())
    }

    #[test]
    fn what_people_copy_along_goes() {
        for text in [
            "#",
            "  #\n",
            "\"#\"",
            "“#”",
            "access_token:#",
            "access_token: #",
            "Access_Token : \"#\"",
            "\"access_token\": \"#\",",
            "{\"access_token\":\"#\"}",
            "access_token=#",
            "=#",
            "Access Token: #",
            "Access\u{a0}Token\u{200b}: #",
            "access_\n  token=#",
            "\u{feff}#\u{200b}",
        ] {
            assert_eq!(cleaned(&text.replace('#', TOKEN)).as_deref(), Some(TOKEN), "{text}");
        }
        let wrapped = format!("{}\r\n  {}", &TOKEN[..30], &TOKEN[30..]);
        assert_eq!(cleaned(&wrapped).as_deref(), Some(TOKEN));
    }

    #[test]
    fn what_cannot_be_a_token_is_refused() {
        let long = "x".repeat(513);
        for text in [
            "",
            "access_token:",
            "my shop",
            "<script>alert(1)</script>aaaaaaaaa",
            "aaaaaaaaaaaaaaaaaaaaaaa\u{0}aaa",
            "aaaaaaaaaaaaaaaaaaaaaaa\u{1b}[31m",
            "токентокентокентокентокен",
            "{\"access_token\":\"aaaaaaaaaaaaaaaaaaaaaaa\",\"x\":1}",
            &long,
        ] {
            assert_eq!(cleaned(text), None, "{text}");
        }
    }

    #[test]
    fn signs_that_a_token_may_have_stay() {
        let token = "aaaaaaaa-aaaa_aaaa.aaaa~aaaa+/b==";
        assert_eq!(cleaned(&format!("access_token={token}")).as_deref(), Some(token));
    }
}
