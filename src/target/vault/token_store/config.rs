//! The configuration file of `vault` and `bao`: one setting, `token_helper`, in HCL 1 or JSON.

use std::path::Path;

use super::TokenStoreError;
use crate::files::{self, MAX_FILE};
use crate::json::Json;

/// Why a text is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConfigError {
    /// Neither a setting nor a comment.
    #[error("line {0} is neither a setting nor a comment")]
    Line(usize),
    #[error("line {line} has the unknown setting `{name}`")]
    Unknown { line: usize, name: String },
    #[error("line {0} sets `token_helper` again")]
    Duplicate(usize),
    /// A comment without an end.
    #[error("the comment on line {0} has no end")]
    OpenComment(usize),
    /// JSON of another form, or broken JSON.
    #[error("it begins like JSON, but is not an object with a string `token_helper`")]
    Json,
}

/// The helper that the file names; `None` if there is no file or no helper in it.
pub(super) fn read(path: &Path) -> Result<Option<String>, TokenStoreError> {
    match files::read_text(path, MAX_FILE) {
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error.into()),
        Ok(text) => parse(&text)
            .map(|helper| helper.filter(|helper| !helper.is_empty()))
            .map_err(|reason| TokenStoreError::Config { path: path.to_owned(), reason }),
    }
}

fn parse(text: &str) -> Result<Option<String>, ConfigError> {
    if text.trim_start().starts_with('{') {
        return parse_json(text);
    }
    let mut rest = Rest { text, line: 1 };
    let mut helper = None;
    loop {
        rest.skip_blank_and_comments()?;
        if rest.text.is_empty() {
            return Ok(helper);
        }
        let line = rest.line;
        let name = rest.name().ok_or(ConfigError::Line(line))?;
        if name != "token_helper" {
            return Err(ConfigError::Unknown { line, name });
        }
        rest.skip_blank_and_comments()?;
        rest.take("=").ok_or(ConfigError::Line(line))?;
        rest.skip_blank_and_comments()?;
        let value = rest.quoted().ok_or(ConfigError::Line(rest.line))?;
        if helper.replace(value).is_some() {
            return Err(ConfigError::Duplicate(line));
        }
        // HCL 1 allows a comma between settings.
        rest.take(",");
    }
}

fn parse_json(text: &str) -> Result<Option<String>, ConfigError> {
    let Ok(Json::Object(members)) = Json::parse(text) else { return Err(ConfigError::Json) };
    match &members[..] {
        [] => Ok(None),
        [(name, value)] if name == "token_helper" => value.as_str().map(Some).ok_or(ConfigError::Json),
        [(name, _), ..] => Err(ConfigError::Unknown { line: 1, name: name.clone() }),
    }
}

/// The unread part of the text.
struct Rest<'a> {
    text: &'a str,
    line: usize,
}

impl Rest<'_> {
    fn advance(&mut self, bytes: usize) {
        self.line += self.text[..bytes].matches('\n').count();
        self.text = &self.text[bytes..];
    }

    fn take(&mut self, word: &str) -> Option<()> {
        self.text.starts_with(word).then(|| self.advance(word.len()))
    }

    fn skip_blank_and_comments(&mut self) -> Result<(), ConfigError> {
        loop {
            let blank =
                self.text.len() - self.text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).len();
            self.advance(blank);
            if self.text.starts_with('#') || self.text.starts_with("//") {
                self.advance(self.text.find('\n').unwrap_or(self.text.len()));
            } else if self.text.starts_with("/*") {
                let end = self.text.find("*/").ok_or(ConfigError::OpenComment(self.line))?;
                self.advance(end + 2);
            } else {
                return Ok(());
            }
        }
    }

    /// A name, bare or quoted.
    fn name(&mut self) -> Option<String> {
        if self.text.starts_with('"') {
            return self.quoted();
        }
        let end = self.text.find(|c: char| !(c.is_alphanumeric() || "_-.".contains(c)));
        let end = end.unwrap_or(self.text.len());
        let name = self.text[..end].to_owned();
        self.advance(end);
        (!name.is_empty()).then_some(name)
    }

    /// A string on one line, with JSON's escapes.
    fn quoted(&mut self) -> Option<String> {
        let body = self.text.strip_prefix('"')?;
        let mut escaped = false;
        let end = body.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        let literal = &self.text[..end + 2];
        let text = Json::parse(literal).ok()?.as_str()?;
        self.advance(end + 2);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn files_that_name_a_helper() {
        let cases = [
            ("", None),
            ("# nothing\n// here\n/* or\nhere */", None),
            ("token_helper = \"/usr/local/bin/helper\"", Some("/usr/local/bin/helper")),
            ("\"token_helper\"=\"/a b/c\" # mine\n", Some("/a b/c")),
            ("// mine\r\ntoken_helper =\r\n  \"/a\\\"b\",\r\n", Some("/a\"b")),
            ("{\"token_helper\": \"/a\"}", Some("/a")),
            (" { } ", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).unwrap().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn invalid_files_are_refused_with_the_line() {
        let cases = [
            ("token_helper", ConfigError::Line(1)),
            ("\n\ntoken_helper = /a", ConfigError::Line(3)),
            ("token_helper = \"/a", ConfigError::Line(1)),
            ("other = \"x\"", ConfigError::Unknown { line: 1, name: "other".into() }),
            ("token_helper = \"/a\"\ntoken_helper = \"/b\"", ConfigError::Duplicate(2)),
            ("/* x", ConfigError::OpenComment(1)),
            ("$ANSIBLE_VAULT;1.1;AES256\n3162", ConfigError::Line(1)),
            ("{\"token_helper\": 1}", ConfigError::Json),
            ("{\"token_helper\"", ConfigError::Json),
            ("{\"x\": 1}", ConfigError::Unknown { line: 1, name: "x".into() }),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), Err(expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[ \\n\"=\\\\#/*{},a-z_ü]{0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn every_path_is_read_back(path in "/[^\\x00-\\x1f]{0,30}") {
            let text = format!("token_helper = {}", crate::json::quote(&path));
            prop_assert_eq!(parse(&text), Ok(Some(path)));
        }
    }
}
