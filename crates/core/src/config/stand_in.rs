//! A value in place of one that cannot be read, so that reading goes on to the next fault.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};

use super::fault::Fault;

/// How many values are tried.
pub(super) const MAX_STAND_INS: usize = TEXTS.len() + 6;

const TEXTS: [&str; 8] = ["", "a", "1s", "1", "1 %", "00:00", "https://a.invalid", "1970-01-01T00:00:00Z"];

/// Whatever value the type asks for; the number chooses among several, as a type may refuse some of them.
///
/// What is read with it is thrown away: it serves to find the faults behind the first one.
#[derive(Clone, Copy)]
pub(super) struct StandIn(pub(super) usize);

impl StandIn {
    fn word(self) -> &'static str {
        TEXTS.get(self.0).copied().unwrap_or_default()
    }
}

impl IntoDeserializer<'_, Fault> for StandIn {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

fn nothing<'a>() -> MapDeserializer<'a, std::iter::Empty<(&'a str, &'a str)>, Fault> {
    MapDeserializer::new(std::iter::empty())
}

macro_rules! answers {
    ($($method:ident($self:ident, $visitor:ident) => $answer:expr;)*) => {$(
        fn $method<V: Visitor<'de>>($self, $visitor: V) -> Result<V::Value, Fault> {
            $answer
        }
    )*};
}

impl<'de> Deserializer<'de> for StandIn {
    type Error = Fault;

    answers! {
        deserialize_bool(self, visitor) => visitor.visit_bool(self.0 > 0);
        deserialize_i8(self, visitor) => visitor.visit_u64(self.0 as u64);
        deserialize_i16(self, visitor) => visitor.visit_u64(self.0 as u64);
        deserialize_i32(self, visitor) => visitor.visit_u64(self.0 as u64);
        deserialize_i64(self, visitor) => visitor.visit_u64(self.0 as u64);
        deserialize_i128(self, visitor) => visitor.visit_u64(self.0 as u64);
        deserialize_u8(self, visitor) => visitor.visit_u64(self.0 as u64);
        deserialize_u16(self, visitor) => visitor.visit_u64(self.0 as u64);
        deserialize_u32(self, visitor) => visitor.visit_u64(self.0 as u64);
        deserialize_u64(self, visitor) => visitor.visit_u64(self.0 as u64);
        deserialize_u128(self, visitor) => visitor.visit_u64(self.0 as u64);
        deserialize_f32(self, visitor) => visitor.visit_u64(self.0 as u64);
        deserialize_f64(self, visitor) => visitor.visit_u64(self.0 as u64);
        deserialize_char(self, visitor) => visitor.visit_char('a');
        deserialize_str(self, visitor) => visitor.visit_str(self.word());
        deserialize_string(self, visitor) => visitor.visit_str(self.word());
        deserialize_identifier(self, visitor) => visitor.visit_str(self.word());
        deserialize_bytes(self, visitor) => visitor.visit_bytes(self.word().as_bytes());
        deserialize_byte_buf(self, visitor) => visitor.visit_bytes(self.word().as_bytes());
        deserialize_option(self, visitor) => visitor.visit_none();
        deserialize_unit(self, visitor) => visitor.visit_unit();
        deserialize_ignored_any(self, visitor) => visitor.visit_unit();
        deserialize_seq(self, visitor) => visitor.visit_seq(SeqDeserializer::new(std::iter::repeat_n(self, self.0)));
        deserialize_map(self, visitor) => visitor.visit_map(nothing());
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.checked_sub(TEXTS.len()) {
            None => visitor.visit_str(self.word()),
            Some(0) => visitor.visit_u64(0),
            Some(1) => visitor.visit_u64(1),
            Some(2) => visitor.visit_bool(false),
            Some(3) => visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<StandIn>())),
            Some(4) => visitor.visit_map(nothing()),
            // As a secret's source.
            Some(_) => visitor.visit_map(MapDeserializer::new(std::iter::once(("env", "A")))),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(SeqDeserializer::new(std::iter::repeat_n(self, len)))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_map(nothing())
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let word = words.get(self.0).copied().unwrap_or_default();
        visitor.visit_enum(IntoDeserializer::<Fault>::into_deserializer(word))
    }
}
