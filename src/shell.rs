//! Quotes and reads words and command lines of shells. No other module does.

/// Quotes a word for a POSIX shell, if it needs quotes.
pub(crate) fn posix_quote(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// A command line for a POSIX shell, with arguments quoted where needed.
pub(crate) fn command<S: AsRef<str>>(arguments: &[S]) -> String {
    arguments.iter().map(|argument| posix_quote(argument.as_ref())).collect::<Vec<_>>().join(" ")
}

/// As [`command`], in backticks: messages are not wrapped inside backticks.
pub(crate) fn code<S: AsRef<str>>(arguments: &[S]) -> String {
    format!("`{}`", command(arguments))
}

/// Splits a command line in the form of [`command`] into words; `None` if it needs a shell.
pub(crate) fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = line.chars().peekable();
    while rest.peek().is_some() {
        let mut word = String::new();
        while let Some(c) = rest.next_if(|c| *c != ' ') {
            match c {
                '\'' => loop {
                    match rest.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                },
                '\\' => word.push(rest.next_if_eq(&'\'')?),
                c if is_plain(c.encode_utf8(&mut [0; 4])) || c == '=' => word.push(c),
                _ => return None,
            }
        }
        rest.next();
        words.push(word);
    }
    Some(words)
}

/// The value of the last `flag` in `words`, written `FLAG VALUE` or `FLAG=VALUE`.
pub(crate) fn last_value<'a>(words: &[&'a str], flag: &str) -> Option<&'a str> {
    let value = |(index, word): (usize, &&'a str)| match word.strip_prefix(flag)? {
        "" => words.get(index + 1).copied(),
        rest => rest.strip_prefix('='),
    };
    words.iter().enumerate().rev().find_map(value)
}

/// Quotes a word for fish, if it needs quotes.
pub(crate) fn fish_quote(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
    }
}

/// Quotes a word for PowerShell.
pub(crate) fn powershell_quote(text: &str) -> String {
    // PowerShell treats these four as a straight quote (language specification, 2.3.5.2).
    let is_quote = |c: char| c == '\'' || ('\u{2018}'..='\u{201b}').contains(&c);
    let quoted: String = text.chars().flat_map(|c| [Some(c), is_quote(c).then_some(c)]).flatten().collect();
    format!("'{quoted}'")
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:,@%+=".contains(&b))
        && !text.starts_with('=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_flag_is_used() {
        let last = |line: &str| last_value(&line.split(' ').collect::<Vec<_>>(), "--a").map(str::to_owned);
        assert_eq!(last("x --a 1 --a=2 y"), Some("2".into()));
        assert_eq!(last("x --a=2 --a 1"), Some("1".into()));
        assert_eq!(last("x --ab=2 --a"), None);
    }

    #[test]
    fn plain_values_are_not_quoted() {
        for (text, expected) in
            [("a/b+c=", "a/b+c="), ("", "''"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("=ls", "'=ls'")]
        {
            assert_eq!(posix_quote(text), expected);
        }
        assert_eq!(command(&["az", "ad", "x y", ";id"]), "az ad 'x y' ';id'");
    }

    #[test]
    fn words_are_the_arguments_of_the_command() {
        for words in [&["a", "b=c"][..], &["", "it's", "a b", "$x;", "ü…"], &["'", "''", "\\"]] {
            assert_eq!(super::words(&command(words)).unwrap(), words);
        }
        for line in ["a > b", "a | b", "$(a)", "a 'b", "a \\x", "a …", "a <b>"] {
            assert_eq!(super::words(line), None, "{line}");
        }
    }

    #[test]
    fn typographic_quotes_are_doubled_for_powershell() {
        assert_eq!(powershell_quote("a'b"), "'a''b'");
        assert_eq!(powershell_quote("a\u{2019};x;\u{201b}"), "'a\u{2019}\u{2019};x;\u{201b}\u{201b}'");
        assert_eq!(
            powershell_quote("\u{2018}\u{201a}\u{201c}"),
            "'\u{2018}\u{2018}\u{201a}\u{201a}\u{201c}'"
        );
    }
}
