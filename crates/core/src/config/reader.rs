//! Reads a type from the tree of a configuration, and says at which node it stopped.

use std::cell::RefCell;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};

use super::fault::Fault;
use super::stand_in::StandIn;
use super::tree::{NodeId, State, Tree, Value};

/// One attempt to read the whole tree.
pub(super) struct Reader<'t> {
    tree: &'t Tree,
    unknown: RefCell<Vec<UnknownKey>>,
}

/// A key that the table does not have, and those that it has.
pub(super) struct UnknownKey {
    pub(super) node: NodeId,
    pub(super) known: &'static [&'static str],
}

impl<'t> Reader<'t> {
    pub(super) fn new(tree: &'t Tree) -> Self {
        Self { tree, unknown: RefCell::default() }
    }

    pub(super) fn root(&self) -> NodeReader<'_> {
        NodeReader { reader: self, node: Tree::ROOT }
    }

    /// The unknown keys that were met on the way. They were passed over, not stopped at.
    pub(super) fn into_unknown(self) -> Vec<UnknownKey> {
        self.unknown.into_inner()
    }
}

#[derive(Clone, Copy)]
pub(super) struct NodeReader<'r> {
    reader: &'r Reader<'r>,
    node: NodeId,
}

impl<'r> NodeReader<'r> {
    fn value(self) -> &'r Value {
        &self.reader.tree.node(self.node).value
    }

    /// What is read in place of a node that cannot be.
    fn stand_in(self) -> Option<StandIn> {
        match self.reader.tree.node(self.node).state {
            State::Hole(attempt) if self.reader.tree.children(self.node).next().is_none() => {
                Some(StandIn(attempt))
            }
            _ => None,
        }
    }

    fn children(self) -> Children<'r> {
        let rest: Vec<_> = self.reader.tree.read_children(self.node).collect();
        Children { reader: self.reader, rest: rest.into_iter(), value: None }
    }

    /// What stands here, as an error calls it.
    fn found(self) -> Unexpected<'r> {
        match self.value() {
            Value::Boolean(value) => Unexpected::Bool(*value),
            Value::Signed(value) => Unexpected::Signed(*value),
            Value::Unsigned(value) => Unexpected::Unsigned(*value),
            Value::Float(value) => Unexpected::Float(*value),
            Value::Text(text) => Unexpected::Str(text),
            Value::List(_) => Unexpected::Seq,
            Value::Table(_) => Unexpected::Map,
        }
    }

    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value() {
            Value::Boolean(value) => visitor.visit_bool(*value),
            Value::Signed(value) => visitor.visit_i64(*value),
            Value::Unsigned(value) => visitor.visit_u64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(text) => visitor.visit_str(text),
            Value::List(_) => {
                let mut items = self.children();
                let len = items.rest.len();
                let value = visitor.visit_seq(&mut items)?;
                match items.rest.len() {
                    0 => Ok(value),
                    left => Err(Fault::invalid_length(len, &format!("a list of {}", len - left).as_str())),
                }
            }
            Value::Table(_) => visitor.visit_map(self.children()),
        }
    }

    /// A list whose items differ by their place, or a table with one key: nothing in it can be passed over.
    fn places<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.has_gap() {
            return Err(Fault::gap());
        }
        self.any(visitor)
    }

    fn has_gap(self) -> bool {
        let tree = self.reader.tree;
        tree.children(self.node).any(|child| tree.node(child).state == State::Removed)
    }

    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.reader.tree.node(self.node).raw {
            Some(raw) => visitor.visit_str(raw),
            None => self.any(visitor),
        }
    }

    fn some<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    /// A table whose keys are known: unknown ones are noted and passed over.
    fn fields<'de, V: Visitor<'de>>(
        self,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if !matches!(self.value(), Value::Table(_)) || known.is_empty() {
            return self.any(visitor);
        }
        let tree = self.reader.tree;
        let is_known = |child: &NodeId| tree.key(*child).is_none_or(|key| known.contains(&key));
        let (rest, unknown): (Vec<_>, Vec<_>) = tree.read_children(self.node).partition(is_known);
        let unknown = unknown.into_iter().map(|node| UnknownKey { node, known });
        self.reader.unknown.borrow_mut().extend(unknown);
        visitor.visit_map(Children { reader: self.reader, rest: rest.into_iter(), value: None })
    }

    fn one_of<'de, V: Visitor<'de>>(
        self,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let expected = match (self.value(), &self.reader.tree.node(self.node).raw) {
            (Value::Table(_), _) if self.has_gap() => return Err(Fault::gap()),
            (Value::Table(_), _) => {
                let mut children = self.children().rest;
                if let (Some(node), None) = (children.next(), children.next()) {
                    return visitor.visit_enum(Choice(NodeReader { reader: self.reader, node }));
                }
                format!("a table with exactly one of the keys {}", words.join(", "))
            }
            (Value::Text(word), _) | (_, Some(word)) => {
                return visitor.visit_enum(IntoDeserializer::<Fault>::into_deserializer(word.as_str()));
            }
            _ => format!("one of {}", words.join(", ")),
        };
        Err(Fault::invalid_type(self.found(), &expected.as_str()))
    }
}

macro_rules! read_as {
    ($($method:ident $(($($name:ident: $kind:ty),*))? => $read:ident $(($argument:ident))?,)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($($name: $kind,)*)? visitor: V) -> Result<V::Value, Fault> {
            match self.stand_in() {
                Some(stand_in) => stand_in.$method($($($name,)*)? visitor),
                None => self.$read($($argument,)? visitor),
            }
            .map_err(|fault| fault.at(self.node))
        }
    )*};
}

impl<'de> Deserializer<'de> for NodeReader<'_> {
    type Error = Fault;

    read_as! {
        deserialize_any => any,
        deserialize_bool => any,
        deserialize_i8 => any,
        deserialize_i16 => any,
        deserialize_i32 => any,
        deserialize_i64 => any,
        deserialize_i128 => any,
        deserialize_u8 => any,
        deserialize_u16 => any,
        deserialize_u32 => any,
        deserialize_u64 => any,
        deserialize_u128 => any,
        deserialize_f32 => any,
        deserialize_f64 => any,
        deserialize_char => text,
        deserialize_str => text,
        deserialize_string => text,
        deserialize_identifier => text,
        deserialize_bytes => text,
        deserialize_byte_buf => text,
        deserialize_option => some,
        deserialize_unit => any,
        deserialize_unit_struct(name: &'static str) => any,
        deserialize_seq => any,
        deserialize_tuple(len: usize) => places,
        deserialize_tuple_struct(name: &'static str, len: usize) => places,
        deserialize_map => any,
        deserialize_struct(name: &'static str, known: &'static [&'static str]) => fields(known),
        deserialize_enum(name: &'static str, words: &'static [&'static str]) => one_of(words),
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self).map_err(|fault: Fault| fault.at(self.node))
    }
}

/// The children of a list or a table, one after the other.
struct Children<'r> {
    reader: &'r Reader<'r>,
    rest: std::vec::IntoIter<NodeId>,
    value: Option<NodeId>,
}

impl Children<'_> {
    fn read<'de, T: DeserializeSeed<'de>>(&self, node: NodeId, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(NodeReader { reader: self.reader, node }).map_err(|fault| fault.at(node))
    }
}

impl<'de> SeqAccess<'de> for &mut Children<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        self.rest.next().map(|node| self.read(node, seed)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

impl<'de> MapAccess<'de> for Children<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.value = self.rest.next();
        let Some(node) = self.value else {
            return Ok(None);
        };
        let key = self.reader.tree.key(node).unwrap_or_default();
        let key: serde::de::value::StrDeserializer<'_, Fault> = key.into_deserializer();
        seed.deserialize(key).map(Some).map_err(|fault| fault.at(node))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        match self.value.take() {
            Some(node) => self.read(node, seed),
            None => Err(Fault::custom("a value was asked for before its key")),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// A table with one key, as the choice of that key: `{ file = "/run/secrets/x" }`.
struct Choice<'r>(NodeReader<'r>);

impl<'de> EnumAccess<'de> for Choice<'_> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Fault> {
        let NodeReader { reader, node } = self.0;
        let word = reader.tree.key(node).unwrap_or_default();
        let word: serde::de::value::StrDeserializer<'_, Fault> = word.into_deserializer();
        let word = seed.deserialize(word).map_err(|fault| fault.at(node))?;
        Ok((word, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Err(Fault::invalid_type(Unexpected::NewtypeVariant, &"unit variant").at(self.0.node))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self.0).map_err(|fault| fault.at(self.0.node))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        self.0.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.0.deserialize_struct("", known, visitor)
    }
}
