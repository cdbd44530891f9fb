//! A member of a reply that should be a string, but may have another type.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::secret::Secret;

/// Deserialised by hand, because an untagged enum would keep copies of the text that are not
/// zeroed.
pub(super) enum Text {
    String(Secret),
    /// The actual type with its article, such as `a number`.
    Other(&'static str),
}

impl Text {
    /// The string of a member that is not secret. `None` for another type.
    pub(super) fn plain(self) -> Option<String> {
        match self {
            Self::String(text) => Some(text.reveal().to_owned()),
            Self::Other(_) => None,
        }
    }

    /// The string of a secret member. `None` for another type or an empty string.
    pub(super) fn secret(self) -> Option<Secret> {
        match self {
            Self::String(text) if !text.reveal().is_empty() => Some(text),
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
                Ok(Text::String(Secret::new(text.to_owned())))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Text, E> {
                Ok(Text::Other("a boolean"))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Text, E> {
                Ok(Text::Other("a number"))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Text, E> {
                Ok(Text::Other("a number"))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Text, E> {
                Ok(Text::Other("a number"))
            }

            fn visit_unit<E>(self) -> Result<Text, E> {
                Ok(Text::Other("null"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Text, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text::Other("an array"))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Text, A::Error> {
                while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text::Other("an object"))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
