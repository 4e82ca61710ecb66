//! What keys a value has, and how TOML writes their values.

use std::fmt;

use serde::Serialize;
use serde::ser::{
    self, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::path::is_bare;

/// A value as TOML would write it. Tables with fixed keys and those with keys of the user's are told apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outline {
    /// An option without a value: TOML leaves the key out.
    Unset,
    Text(String),
    /// A number or a boolean, as TOML writes it.
    Scalar(String),
    List(Vec<Outline>),
    Map(Vec<(String, Outline)>),
    Struct(Vec<(String, Outline)>),
}

/// Why a value has no outline.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct OutlineError(String);

impl Outline {
    pub(super) fn of(value: &impl Serialize) -> Result<Self, OutlineError> {
        value.serialize(Writer)
    }

    /// The keys with their values as TOML writes them, none if they are not set; through all tables with fixed keys.
    pub(super) fn keys(&self) -> Vec<(String, Option<String>)> {
        match self {
            Self::Struct(entries) => entries.iter().flat_map(|(key, value)| value.keys_below(key)).collect(),
            _ => Vec::new(),
        }
    }

    fn keys_below(&self, key: &str) -> Vec<(String, Option<String>)> {
        match self {
            Self::Struct(entries) if !entries.is_empty() => {
                self.keys().into_iter().map(|(below, text)| (format!("{key}.{below}"), text)).collect()
            }
            value => vec![(key.to_owned(), value.text())],
        }
    }

    fn text(&self) -> Option<String> {
        match self {
            Self::Unset => None,
            Self::Text(text) => Some(quoted(text)),
            Self::Scalar(text) => Some(text.clone()),
            Self::List(items) => {
                let items: Vec<_> = items.iter().filter_map(Self::text).collect();
                Some(format!("[{}]", items.join(", ")))
            }
            Self::Map(entries) | Self::Struct(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .filter_map(|(key, value)| Some(format!("{} = {}", key_text(key), value.text()?)))
                    .collect();
                Some(if entries.is_empty() {
                    "{}".to_owned()
                } else {
                    format!("{{ {} }}", entries.join(", "))
                })
            }
        }
    }
}

fn key_text(key: &str) -> String {
    if is_bare(key) { key.to_owned() } else { quoted(key) }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.extend(format!("\\u{:04X}", u32::from(c)).chars()),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

impl ser::Error for OutlineError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

struct Writer;

type Written = Result<Outline, OutlineError>;

macro_rules! scalars {
    ($($method:ident: $kind:ty),*) => {$(
        fn $method(self, value: $kind) -> Written {
            Ok(Outline::Scalar(value.to_string()))
        }
    )*};
}

fn float(value: f64, text: String) -> Written {
    if value.is_finite() {
        Ok(Outline::Scalar(text))
    } else {
        Err(OutlineError(format!("{value} is not finite")))
    }
}

fn choice(word: &str, value: Outline) -> Outline {
    Outline::Map(vec![(word.to_owned(), value)])
}

impl Serializer for Writer {
    type Ok = Outline;
    type Error = OutlineError;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Entries;

    scalars! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64
    }

    fn serialize_f32(self, value: f32) -> Written {
        float(value.into(), format!("{value:?}"))
    }

    fn serialize_f64(self, value: f64) -> Written {
        float(value, format!("{value:?}"))
    }

    fn serialize_char(self, value: char) -> Written {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Written {
        Ok(Outline::Text(value.to_owned()))
    }

    fn serialize_bytes(self, _: &[u8]) -> Written {
        Err(OutlineError("TOML has no bytes".to_owned()))
    }

    fn serialize_none(self) -> Written {
        Ok(Outline::Unset)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        Ok(Outline::Unset)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        Ok(Outline::Unset)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, word: &'static str) -> Written {
        self.serialize_str(word)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        word: &'static str,
        value: &T,
    ) -> Written {
        Ok(choice(word, value.serialize(self)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items, OutlineError> {
        Ok(Items { word: None, items: Vec::new() })
    }

    fn serialize_tuple(self, _: usize) -> Result<Items, OutlineError> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items, OutlineError> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        word: &'static str,
        _: usize,
    ) -> Result<Items, OutlineError> {
        Ok(Items { word: Some(word), items: Vec::new() })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries, OutlineError> {
        Ok(Entries { word: None, entries: Vec::new() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries, OutlineError> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        word: &'static str,
        _: usize,
    ) -> Result<Entries, OutlineError> {
        Ok(Entries { word: Some(word), entries: Vec::new() })
    }
}

struct Items {
    word: Option<&'static str>,
    items: Vec<Outline>,
}

impl Items {
    fn push<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), OutlineError> {
        match item.serialize(Writer)? {
            Outline::Unset => Err(OutlineError("TOML has no list with nothing in it".to_owned())),
            item => {
                self.items.push(item);
                Ok(())
            }
        }
    }

    fn finish(self) -> Outline {
        let list = Outline::List(self.items);
        match self.word {
            Some(word) => choice(word, list),
            None => list,
        }
    }
}

macro_rules! items {
    ($($kind:ident::$method:ident),*) => {$(
        impl $kind for Items {
            type Ok = Outline;
            type Error = OutlineError;
            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), OutlineError> {
                self.push(item)
            }
            fn end(self) -> Written {
                Ok(self.finish())
            }
        }
    )*};
}

items! {
    SerializeSeq::serialize_element, SerializeTuple::serialize_element, SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
}

struct Entries {
    word: Option<&'static str>,
    entries: Vec<(String, Outline)>,
}

impl SerializeMap for Entries {
    type Ok = Outline;
    type Error = OutlineError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), OutlineError> {
        match key.serialize(Writer)? {
            Outline::Text(key) | Outline::Scalar(key) => {
                self.entries.push((key, Outline::Unset));
                Ok(())
            }
            _ => Err(OutlineError("the key of a map is not a text".to_owned())),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), OutlineError> {
        if let Some((_, entry)) = self.entries.last_mut() {
            *entry = value.serialize(Writer)?;
        }
        Ok(())
    }

    fn end(self) -> Written {
        Ok(Outline::Map(self.entries))
    }
}

macro_rules! fields {
    ($($kind:ident),*) => {$(
        impl $kind for Entries {
            type Ok = Outline;
            type Error = OutlineError;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), OutlineError> {
                self.entries.push((key.to_owned(), value.serialize(Writer)?));
                Ok(())
            }
            fn end(self) -> Written {
                let fields = Outline::Struct(self.entries);
                Ok(match self.word {
                    Some(word) => choice(word, fields),
                    None => fields,
                })
            }
        }
    )*};
}

fields! { SerializeStruct, SerializeStructVariant }

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Serialize)]
    enum Mode {
        Plain,
        Every(u8),
        Pair(u8, u8),
        Named { at: f32 },
    }

    #[derive(Serialize)]
    struct All {
        text: &'static str,
        none: Option<u8>,
        modes: Vec<Mode>,
        map: BTreeMap<&'static str, bool>,
        inner: Inner,
    }

    #[derive(Serialize)]
    struct Inner {
        wide: (u64, i64),
        float: f64,
    }

    #[test]
    fn every_kind_of_value_is_written_as_toml() {
        let all = All {
            text: "a\"\\\n\u{7f}ü",
            none: None,
            modes: vec![Mode::Plain, Mode::Every(2), Mode::Pair(3, 4), Mode::Named { at: 0.5 }],
            map: [("b \"c", true), ("d", false)].into(),
            inner: Inner { wide: (u64::MAX, i64::MIN), float: 1e300 },
        };
        let keys = Outline::of(&all).unwrap().keys();
        let lines: Vec<_> =
            keys.iter().map(|(key, text)| format!("{key}: {}", text.as_deref().unwrap_or("-"))).collect();
        assert_eq!(
            lines,
            [
                r#"text: "a\"\\\u000A\u007Fü""#,
                "none: -",
                r#"modes: ["Plain", { Every = 2 }, { Pair = [3, 4] }, { Named = { at = 0.5 } }]"#,
                r#"map: { "b \"c" = true, d = false }"#,
                "inner.wide: [18446744073709551615, -9223372036854775808]",
                "inner.float: 1e300",
            ]
        );
        for (_, text) in keys {
            assert!(text.is_none_or(|text| toml::de::DeValue::parse(&text).is_ok()));
        }
    }

    #[test]
    fn what_toml_cannot_write_is_an_error() {
        assert_eq!(Outline::of(&f64::NAN).unwrap_err().to_string(), "NaN is not finite");
        assert!(Outline::of(&[Some(1), None]).is_err());
    }
}
