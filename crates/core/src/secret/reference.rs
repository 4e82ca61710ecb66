//! How configuration writes where a secret is kept.

use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::SecretSource;

const KEYS: &[&str] = &["env", "file", "provider", "key"];
const HOW: &str = "{ env = \"NAME\" }, { file = \"/path\" } or { provider = \"name\", key = \"...\" }";
const INLINE: &str = "a secret does not stand in configuration: write where it is kept, \
     { env = \"NAME\" }, { file = \"/path\" } or { provider = \"name\", key = \"...\" }";
const NOT_ONE: &str = "write exactly one of { env = \"NAME\" }, { file = \"/path\" } and { provider = \"name\", key = \"...\" }";
const NO_VARIABLE: &str =
    "env is not the name of an environment variable: expected letters, digits and _, not a digit first";
pub(crate) const INLINE_URL: &str = "a url with a password does not stand in configuration: write where it is kept, \
     { env = \"NAME\" } or { file = \"/path\" }";

/// Whether a message is one of those that say how to write a secret, which never hold any part of one.
#[cfg(feature = "config")]
pub(crate) fn is_secret_advice(message: &str) -> bool {
    [INLINE, NOT_ONE, NO_VARIABLE, INLINE_URL].contains(&message)
}

impl Serialize for SecretSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Env(name) => map.serialize_entry("env", name)?,
            Self::File(path) => map.serialize_entry("file", path)?,
            Self::Provider { provider, key } => {
                map.serialize_entry("provider", provider)?;
                map.serialize_entry("key", key)?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Neither a derive nor `deserialize_struct`, whose errors would repeat a secret that stands here by mistake.
        deserializer.deserialize_any(SourceVisitor)
    }
}

struct SourceVisitor;

fn inline<T, E: Error>() -> Result<T, E> {
    Err(E::custom(INLINE))
}

impl<'de> Visitor<'de> for SourceVisitor {
    type Value = SecretSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HOW)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<SecretSource, E> {
        inline()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<SecretSource, E> {
        inline()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<SecretSource, E> {
        inline()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<SecretSource, E> {
        inline()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<SecretSource, E> {
        inline()
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<SecretSource, E> {
        inline()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<SecretSource, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        inline()
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretSource, A::Error> {
        let [mut env, mut file, mut provider, mut key] = [const { None::<Text> }; 4];
        while let Some(name) = map.next_key::<String>()? {
            let place = match name.as_str() {
                "env" => &mut env,
                "file" => &mut file,
                "provider" => &mut provider,
                "key" => &mut key,
                _ => return Err(A::Error::unknown_field(&name, KEYS)),
            };
            if place.is_some() {
                return Err(A::Error::custom(format_args!("{name} is given twice")));
            }
            *place = Some(map.next_value()?);
        }
        match (env, file, provider, key) {
            (Some(Text(name)), None, None, None) if is_variable(&name) => Ok(SecretSource::Env(name)),
            (Some(_), None, None, None) => Err(A::Error::custom(NO_VARIABLE)),
            (None, Some(Text(path)), None, None) => Ok(SecretSource::File(path.into())),
            (None, None, Some(Text(provider)), Some(Text(key))) => {
                Ok(SecretSource::Provider { provider, key })
            }
            _ => Err(A::Error::custom(NOT_ONE)),
        }
    }
}

fn is_variable(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A text that is not empty, whose errors do not repeat the value.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl Visitor<'_> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text that is not empty")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                if text.is_empty() {
                    return Err(E::invalid_value(Unexpected::Other("an empty one"), &self));
                }
                Ok(Text(text.to_owned()))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Text, E> {
                Err(E::invalid_type(Unexpected::Other("a boolean"), &self))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Text, E> {
                Err(E::invalid_type(Unexpected::Other("a number"), &self))
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Text, E> {
                Err(E::invalid_type(Unexpected::Other("a number"), &self))
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Text, E> {
                Err(E::invalid_type(Unexpected::Other("a number"), &self))
            }
        }

        deserializer.deserialize_any(TextVisitor)
    }
}
