//! Reads protobuf by the encoding alone, without any of the messages that the library writes.

/// A field of a message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Field {
    Varint(u64),
    Fixed64(u64),
    Bytes(Vec<u8>),
}

/// A message: numbers and fields, in their order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message(pub(crate) Vec<(u64, Field)>);

impl Message {
    pub(crate) fn read(mut bytes: &[u8]) -> Self {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let tag = varint(&mut bytes);
            let field = match tag & 7 {
                0 => Field::Varint(varint(&mut bytes)),
                1 => {
                    let (number, rest) = bytes.split_at(8);
                    bytes = rest;
                    Field::Fixed64(u64::from_le_bytes(number.try_into().unwrap()))
                }
                2 => {
                    let len = varint(&mut bytes) as usize;
                    let (content, rest) = bytes.split_at(len);
                    bytes = rest;
                    Field::Bytes(content.to_vec())
                }
                wire => panic!("wire type {wire}"),
            };
            fields.push((tag >> 3, field));
        }
        Self(fields)
    }

    fn all(&self, number: u64) -> impl Iterator<Item = &Field> {
        self.0.iter().filter(move |(found, _)| *found == number).map(|(_, field)| field)
    }

    /// The messages of a field.
    pub(crate) fn messages(&self, number: u64) -> Vec<Self> {
        self.all(number)
            .map(|field| match field {
                Field::Bytes(bytes) => Self::read(bytes),
                other => panic!("field {number} is {other:?}"),
            })
            .collect()
    }

    /// The one message of a field.
    pub(crate) fn message(&self, number: u64) -> Self {
        let mut all = self.messages(number);
        assert_eq!(all.len(), 1, "field {number} of {self:?}");
        all.remove(0)
    }

    /// A text, empty if it is not there.
    pub(crate) fn text(&self, number: u64) -> String {
        match self.all(number).last() {
            None => String::new(),
            Some(Field::Bytes(bytes)) => String::from_utf8(bytes.clone()).unwrap(),
            Some(other) => panic!("field {number} is {other:?}"),
        }
    }

    /// A whole number, 0 if it is not there.
    pub(crate) fn whole(&self, number: u64) -> u64 {
        match self.all(number).last() {
            None => 0,
            Some(Field::Varint(value) | Field::Fixed64(value)) => *value,
            Some(other) => panic!("field {number} is {other:?}"),
        }
    }

    /// Numbers of 8 bytes that are packed.
    pub(crate) fn packed(&self, number: u64) -> Vec<u64> {
        match self.all(number).collect::<Vec<_>>()[..] {
            [Field::Bytes(bytes)] => {
                bytes.chunks(8).map(|number| u64::from_le_bytes(number.try_into().unwrap())).collect()
            }
            ref other => panic!("field {number} is {other:?}"),
        }
    }

    /// A real number, 0 if it is not there.
    pub(crate) fn real(&self, number: u64) -> f64 {
        f64::from_bits(self.whole(number))
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
        shift += 7;
    }
}
