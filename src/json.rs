//! JSON that keeps the order of members and the exact text of scalars.
//!
//! `serde_json::Value` sorts or merges members and rewrites numbers, but users want to see a
//! token's exact content. serde_json still does the parsing, through its `RawValue`.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The maximum nesting depth.
const DEPTH: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// A string, number, `true`, `false` or `null`, as its source text.
    Scalar(String),
    Array(Vec<Json>),
    /// An object with members in source order. Only [`Json::parse_repeated`] keeps repeated names.
    Object(Vec<(String, Json)>),
}

/// Why a text is refused as JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    #[error("{0}")]
    Syntax(String),
    /// An object has two members with one name.
    #[error("the member `{0}` appears twice, and parsers disagree on which one is used")]
    Duplicate(String),
    #[error("it is nested more than {DEPTH} levels deep, which is the limit of `gp`")]
    TooDeep,
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self::Syntax(error.to_string())
    }
}

impl Json {
    /// Reads one JSON value. Only white space may surround it.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        let (json, repeated) = Self::parse_repeated(text)?;
        repeated.into_iter().next().map_or(Ok(json), |name| Err(JsonError::Duplicate(name)))
    }

    /// As [`Json::parse`], but keeps all members with a repeated name, and returns these names too.
    pub fn parse_repeated(text: &str) -> Result<(Self, BTreeSet<String>), JsonError> {
        // The whole text first, so that positions in errors are relative to its start.
        let raw: &RawValue = serde_json::from_str(text)?;
        let mut repeated = BTreeSet::new();
        let json = Self::from_raw(raw, 0, &mut repeated)?;
        Ok((json, repeated))
    }

    fn from_raw(raw: &RawValue, depth: usize, repeated: &mut BTreeSet<String>) -> Result<Self, JsonError> {
        if depth > DEPTH {
            return Err(JsonError::TooDeep);
        }
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'{') => {
                let Members(members) = serde_json::from_str(text)?;
                let mut object: Vec<(String, Self)> = Vec::with_capacity(members.len());
                let mut seen = HashSet::new();
                for (name, value) in members {
                    if !seen.insert(name.clone()) {
                        repeated.insert(name.clone());
                    }
                    object.push((name, Self::from_raw(value, depth + 1, repeated)?));
                }
                Ok(Self::Object(object))
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text)?;
                items
                    .into_iter()
                    .map(|item| Self::from_raw(item, depth + 1, repeated))
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

    /// The value at a dotted path. At every level, a member whose name contains the dots takes
    /// precedence over nested objects. A number is a zero-based array index.
    pub fn at(&self, path: &str) -> Option<&Self> {
        self.all_at(path).into_iter().next()
    }

    /// As [`Json::at`], but returns the values of all members with a repeated name.
    pub fn all_at(&self, path: &str) -> Vec<&Self> {
        let members = match self {
            Self::Object(members) => members,
            Self::Array(items) => {
                let (index, rest) =
                    path.split_once('.').map_or((path, None), |(index, rest)| (index, Some(rest)));
                let Some(item) = index.parse().ok().and_then(|index: usize| items.get(index)) else {
                    return Vec::new();
                };
                return rest.map_or_else(|| vec![item], |rest| item.all_at(rest));
            }
            Self::Scalar(_) => return Vec::new(),
        };
        let named = |name: &str| -> Vec<&Self> {
            members.iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect()
        };
        let inside = path.rmatch_indices('.').map(|(dot, _)| {
            named(&path[..dot]).into_iter().flat_map(|value| value.all_at(&path[dot + 1..])).collect()
        });
        [named(path)].into_iter().chain(inside).find(|found| !found.is_empty()).unwrap_or_default()
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

    /// A string or an array of strings, as a list.
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

    /// The value with an indentation of two spaces, without a final line break.
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
    fn order_and_numbers_are_kept() {
        let text = r#"{"z":1,"a":[1.0,1E5,-0,18446744073709551616,0.1e-7],"m":{},"e":[],"s":"ü\u0041\n"}"#;
        assert_eq!(Json::parse(text).unwrap().compact(), text);
        assert_eq!(
            Json::parse(" [1, {\"a\" : true}] ").unwrap().pretty(),
            "[\n  1,\n  {\n    \"a\": true\n  }\n]"
        );
    }

    #[test]
    fn invalid_json_is_refused() {
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
            (&balanced, "it is nested more than 64 levels deep, which is the limit of `gp`"),
        ];
        for (text, expected) in cases {
            assert_eq!(Json::parse(text).unwrap_err().to_string(), expected);
        }
        assert!(Json::parse(&deep).is_err());
    }

    #[test]
    fn parse_repeated_keeps_repeated_members() {
        let text = r#"{"a":1,"b":{"c":1,"c":[2],"d":3},"a":{"x":4},"a":{"x":5}}"#;
        let (json, repeated) = Json::parse_repeated(text).unwrap();
        assert_eq!(json.compact(), text);
        assert_eq!(repeated.into_iter().collect::<Vec<_>>(), ["a", "c"]);
        let all = |path| json.all_at(path).into_iter().map(Json::compact).collect::<Vec<_>>();
        assert_eq!(all("a"), ["1", r#"{"x":4}"#, r#"{"x":5}"#]);
        assert_eq!(all("a.x"), ["4", "5"]);
        assert_eq!(all("b.c"), ["1", "[2]"]);
        assert_eq!(all("b.c.0"), ["2"]);
        assert_eq!(json.at("b.c").map(Json::compact).as_deref(), Some("1"));
        let (_, repeated) = Json::parse_repeated(r#"{"a":{"a":{"b":1}},"b":2}"#).unwrap();
        assert!(repeated.is_empty(), "{repeated:?}");
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
