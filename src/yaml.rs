//! Reads YAML that a tool has printed, as [`Json`].

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

use crate::json::{Json, quote};

/// The maximum nesting depth.
const DEPTH: usize = 64;

/// Why a text is refused as YAML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    #[error("{reason} at line {line} column {column}")]
    Syntax { reason: String, line: usize, column: usize },
    /// A mapping has two members with one name.
    #[error("the member `{name}` appears twice, the second time at line {line}")]
    Duplicate { name: String, line: usize },
    /// A tag or an alias, which no tool prints, or a member name that is no scalar.
    #[error("{what} at line {line} is not supported")]
    NotRead { what: &'static str, line: usize },
    #[error("it is nested more than {DEPTH} levels deep")]
    TooDeep,
    #[error("it has more than one document")]
    Documents,
}

/// Parses the only document of a text. A text without a document is `null`.
pub(crate) fn parse(text: &str) -> Result<Json, YamlError> {
    let mut events = Events(Parser::new_from_str(text));
    let mut root = None;
    loop {
        match events.next()? {
            (Event::StreamEnd, _) => return Ok(root.unwrap_or_else(|| Json::Scalar("null".into()))),
            (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd, _) => {}
            _ if root.is_some() => return Err(YamlError::Documents),
            (event, span) => root = Some(events.value(event, span, 0)?),
        }
    }
}

struct Events<'a>(Parser<'a, StrInput<'a>>);

impl<'a> Events<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), YamlError> {
        match self.0.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(YamlError::Syntax {
                reason: error.info().to_owned(),
                line: error.marker().line(),
                column: error.marker().col() + 1,
            }),
            None => Err(YamlError::Syntax { reason: "it is truncated".into(), line: 1, column: 1 }),
        }
    }

    fn value(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Json, YamlError> {
        let line = span.start.line();
        let not_read = |what| Err(YamlError::NotRead { what, line });
        if depth > DEPTH {
            return Err(YamlError::TooDeep);
        }
        match event {
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => not_read("the tag"),
            Event::Scalar(text, ScalarStyle::Plain, _, None) => Ok(plain(&text)),
            Event::Scalar(text, _, _, None) => Ok(Json::Scalar(quote(&text))),
            Event::SequenceStart(_, None) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => return Ok(Json::Array(items)),
                        (event, span) => items.push(self.value(event, span, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(_, None) => {
                let mut members: Vec<(String, Json)> = Vec::new();
                loop {
                    let (name, line) = match self.next()? {
                        (Event::MappingEnd, _) => return Ok(Json::Object(members)),
                        (Event::Scalar(name, _, _, None), span) => (name.into_owned(), span.start.line()),
                        (_, span) => {
                            let line = span.start.line();
                            return Err(YamlError::NotRead { what: "the name of a member", line });
                        }
                    };
                    if members.iter().any(|(other, _)| *other == name) {
                        return Err(YamlError::Duplicate { name, line });
                    }
                    let (event, span) = self.next()?;
                    members.push((name, self.value(event, span, depth + 1)?));
                }
            }
            Event::Alias(_) => not_read("the alias"),
            _ => Err(YamlError::Syntax {
                reason: "a value is missing".into(),
                line,
                column: span.start.col() + 1,
            }),
        }
    }
}

/// A scalar without quotation marks: `null`, a boolean, a JSON number, or else text.
fn plain(text: &str) -> Json {
    Json::Scalar(match text {
        "" | "~" | "null" | "Null" | "NULL" => "null".to_owned(),
        "true" | "True" | "TRUE" => "true".to_owned(),
        "false" | "False" | "FALSE" => "false".to_owned(),
        text if serde_json::from_str::<serde_json::Number>(text).is_ok() => text.to_owned(),
        text => quote(text),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values() {
        let cases = [
            ("a: 1\nb:\n- x\n- 'y'\nc: {d: [true, ~]}\n", r#"{"a":1,"b":["x","y"],"c":{"d":[true,null]}}"#),
            ("Version: 2012-10-17\nid: 012345678901\n", r#"{"Version":"2012-10-17","id":"012345678901"}"#),
            ("a: 'true'\nb: \"1\"\nc: >\n  one\n  two\n", r#"{"a":"true","b":"1","c":"one two\n"}"#),
            ("{\"a\": [1, \"b\"]}", r#"{"a":[1,"b"]}"#),
            ("--- text\n", r#""text""#),
            ("# nothing\n", "null"),
            ("a: &x 1\n", r#"{"a":1}"#),
            ("\"x:y\": https://z:1/*\n", r#"{"x:y":"https://z:1/*"}"#),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).map(|json| json.compact()).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn unsupported_yaml_is_refused() {
        let deep = "[".repeat(70) + &"]".repeat(70);
        let cases = [
            ("a: 1\na: 2\n", "the member `a` appears twice, the second time at line 2"),
            ("a: &x 1\nb: *x\n", "the alias at line 2 is not supported"),
            ("a: !Sub x\n", "the tag at line 1 is not supported"),
            ("[a]: 1\n", "the name of a member at line 1 is not supported"),
            ("a: 1\n---\nb: 2\n", "it has more than one document"),
            (&deep, "it is nested more than 64 levels deep"),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).unwrap_err().to_string(), expected, "{text}");
        }
        assert!(matches!(parse("a: [1"), Err(YamlError::Syntax { .. })));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[ \\n:\\-#'\"{}\\[\\],&*!|>%@a-z0-9é]{0,40}") {
            let _ = parse(&text);
        }

        /// JSON is YAML, so both readers must agree.
        #[test]
        fn json_is_read_as_json(text in "[a-z0-9 :/*.-]{0,12}", number in any::<i32>()) {
            let json = format!(r#"{{"a": [{}, {number}, true, null], "b": {{}}}}"#, quote(&text));
            prop_assert_eq!(parse(&json).unwrap(), Json::parse(&json).unwrap());
        }
    }
}
