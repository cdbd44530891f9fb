//! JSON as it stands: members in their order, scalars in their very characters.
//!
//! `serde_json::Value` would sort or merge members and rewrite numbers; what someone wants to see of a token
//! is what the token says. serde_json still does the parsing, through its `RawValue`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The deepest nesting that is read.
const DEPTH: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// A string, number, `true`, `false` or `null`, in the characters of the source.
    Scalar(String),
    Array(Vec<Json>),
    /// An object, its members in the order of the source, every name once.
    Object(Vec<(String, Json)>),
}

/// Why a text is not taken as JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    #[error("{0}")]
    Syntax(String),
    /// One object has two members of one name.
    #[error("the member `{0}` appears twice, and parsers disagree on which one is used")]
    Duplicate(String),
    /// Too many objects and arrays inside each other.
    #[error("it is nested more than {DEPTH} levels deep")]
    TooDeep,
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self::Syntax(error.to_string())
    }
}

impl Json {
    /// Reads one JSON value; white space around it is allowed, anything else is not.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        // The whole text first, so that positions in errors count from its beginning.
        let raw: &RawValue = serde_json::from_str(text)?;
        Self::from_raw(raw, 0)
    }

    fn from_raw(raw: &RawValue, depth: usize) -> Result<Self, JsonError> {
        if depth > DEPTH {
            return Err(JsonError::TooDeep);
        }
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'{') => {
                let Members(members) = serde_json::from_str(text)?;
                let mut object: Vec<(String, Self)> = Vec::with_capacity(members.len());
                let mut seen = std::collections::HashSet::new();
                for (name, value) in members {
                    if !seen.insert(name.clone()) {
                        return Err(JsonError::Duplicate(name));
                    }
                    object.push((name, Self::from_raw(value, depth + 1)?));
                }
                Ok(Self::Object(object))
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text)?;
                items
                    .into_iter()
                    .map(|item| Self::from_raw(item, depth + 1))
                    .collect::<Result<_, _>>()
                    .map(Self::Array)
            }
            _ => Ok(Self::Scalar(text.to_owned())),
        }
    }

    /// The member `name` of an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The value at a dotted path. A member whose whole name is `path`, dots and all, wins over the way into
    /// objects, at every level; in an array a number counts from 0.
    pub fn at(&self, path: &str) -> Option<&Self> {
        if let Self::Array(items) = self {
            let (index, rest) =
                path.split_once('.').map_or((path, None), |(index, rest)| (index, Some(rest)));
            let item = items.get(index.parse::<usize>().ok()?)?;
            return rest.map_or(Some(item), |rest| item.at(rest));
        }
        self.get(path).or_else(|| {
            let mut dots = path.rmatch_indices('.');
            dots.find_map(|(dot, _)| self.get(&path[..dot])?.at(&path[dot + 1..]))
        })
    }

    /// The text of a string, unescaped.
    pub fn as_str(&self) -> Option<String> {
        match self {
            Self::Scalar(text) if text.starts_with('"') => serde_json::from_str(text).ok(),
            _ => None,
        }
    }

    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Scalar(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// One string, or an array of strings, as a list.
    pub fn as_strings(&self) -> Option<Vec<String>> {
        match self {
            Self::Array(items) => items.iter().map(Self::as_str).collect(),
            other => other.as_str().map(|text| vec![text]),
        }
    }

    /// The value on one line without spaces.
    pub fn compact(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, None);
        out
    }

    /// The value indented by two spaces a level, without a final line break.
    pub fn pretty(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, Some(0));
        out
    }

    fn write(&self, out: &mut String, level: Option<usize>) {
        let inner = level.map(|level| level + 1);
        let separate = |out: &mut String, first: bool, level: Option<usize>| {
            out.push_str(if first { "" } else { "," });
            if let Some(level) = level {
                out.push('\n');
                out.push_str(&"  ".repeat(level));
            }
        };
        match self {
            Self::Scalar(text) => out.push_str(text),
            Self::Array(items) if items.is_empty() => out.push_str("[]"),
            Self::Object(members) if members.is_empty() => out.push_str("{}"),
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    separate(out, index == 0, inner);
                    item.write(out, inner);
                }
                separate(out, true, level);
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    separate(out, index == 0, inner);
                    out.push_str(&quote(name));
                    out.push_str(if level.is_some() { ": " } else { ":" });
                    value.write(out, inner);
                }
                separate(out, true, level);
                out.push('}');
            }
        }
    }
}

/// `text` as a JSON string.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The members of an object in order, duplicates included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(InOrder).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_numbers_stay() {
        let text = r#"{"z":1,"a":[1.0,1E5,-0,18446744073709551616,0.1e-7],"m":{},"e":[],"s":"ü\u0041\n"}"#;
        assert_eq!(Json::parse(text).unwrap().compact(), text);
        assert_eq!(
            Json::parse(" [1, {\"a\" : true}] ").unwrap().pretty(),
            "[\n  1,\n  {\n    \"a\": true\n  }\n]"
        );
    }

    #[test]
    fn what_is_refused() {
        let deep = "[".repeat(100_000);
        let balanced = format!("{}{}", "[".repeat(66), "]".repeat(66));
        let cases = [
            ("{\"a\":1,\"a\":2}", "the member `a` appears twice, and parsers disagree on which one is used"),
            (
                "{\"a\":1,\"\\u0061\":2}",
                "the member `a` appears twice, and parsers disagree on which one is used",
            ),
            ("{\"a\":", "EOF while parsing a value at line 1 column 5"),
            ("{} {}", "trailing characters at line 1 column 4"),
            (&balanced, "it is nested more than 64 levels deep"),
        ];
        for (text, expected) in cases {
            assert_eq!(Json::parse(text).unwrap_err().to_string(), expected);
        }
        assert!(Json::parse(&deep).is_err());
    }

    #[test]
    fn paths() {
        let json = Json::parse(
            r#"{"a":{"b":{"c":1},"b.c":2},"a.x":{"y":3},"https://aws.amazon.com/tags":{"principal_tags":{"t":["p"]}}}"#,
        )
        .unwrap();
        let cases = [
            ("a.b.c", Some("2")),
            ("a.b", Some(r#"{"c":1}"#)),
            ("a.x.y", Some("3")),
            ("a.x", Some(r#"{"y":3}"#)),
            ("https://aws.amazon.com/tags", Some(r#"{"principal_tags":{"t":["p"]}}"#)),
            ("https://aws.amazon.com/tags.principal_tags.t.0", Some("\"p\"")),
            ("https://aws.amazon.com/tags.principal_tags.t.1", None),
            ("a.b.c.d", None),
            ("", None),
            (".", None),
        ];
        for (path, expected) in cases {
            assert_eq!(json.at(path).map(Json::compact).as_deref(), expected, "{path}");
        }
    }
}
