//! A member of a reply that should be a string, whatever it is.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::secret::Secret;

/// By hand and not by an untagged enum, which would keep copies of the text that nobody zeroes.
pub(super) enum Text {
    Is(Secret),
    /// What it is instead, with its article.
    IsNot(&'static str),
}

impl Text {
    /// The text of what is no secret; `None` for what is no text.
    pub(super) fn plain(self) -> Option<String> {
        match self {
            Self::Is(text) => Some(text.reveal().to_owned()),
            Self::IsNot(_) => None,
        }
    }

    /// The text, unless it is empty or none.
    pub(super) fn secret(self) -> Option<Secret> {
        match self {
            Self::Is(text) if !text.reveal().is_empty() => Some(text),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text::Is(Secret::new(text.to_owned())))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Text, E> {
                Ok(Text::IsNot("a boolean"))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Text, E> {
                Ok(Text::IsNot("a number"))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Text, E> {
                Ok(Text::IsNot("a number"))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Text, E> {
                Ok(Text::IsNot("a number"))
            }

            fn visit_unit<E>(self) -> Result<Text, E> {
                Ok(Text::IsNot("null"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Text, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text::IsNot("an array"))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Text, A::Error> {
                while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text::IsNot("an object"))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
