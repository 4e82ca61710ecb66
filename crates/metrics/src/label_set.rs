//! Label sets that are types of the host.

use std::borrow::Cow;
use std::sync::Arc;

use bellwether_core::MAX_NAME_LEN;

/// The labels of one series as a struct: which there are is part of the type, so that none can be forgotten, invented or
/// given twice. [`label_set!`](crate::label_set) makes one.
pub trait LabelSet {
    /// The label names, in the order of the values.
    const NAMES: &'static [&'static str];

    /// Calls with the values, one for each name.
    fn with_values<R>(&self, call: impl FnOnce(&[&str]) -> R) -> R;
}

/// What can stand in a field of a [`LabelSet`]: texts, and enums made by [`label_value!`](crate::label_value).
pub trait LabelValue {
    /// The value as the exposition has it. An empty one is the same as no label.
    fn as_label(&self) -> &str;
}

impl LabelValue for str {
    #[inline]
    fn as_label(&self) -> &str {
        self
    }
}

impl LabelValue for String {
    #[inline]
    fn as_label(&self) -> &str {
        self
    }
}

impl LabelValue for Cow<'_, str> {
    #[inline]
    fn as_label(&self) -> &str {
        self
    }
}

impl LabelValue for bool {
    #[inline]
    fn as_label(&self) -> &str {
        if *self { "true" } else { "false" }
    }
}

impl<T: LabelValue + ?Sized> LabelValue for &T {
    #[inline]
    fn as_label(&self) -> &str {
        (**self).as_label()
    }
}

impl<T: LabelValue + ?Sized> LabelValue for Box<T> {
    #[inline]
    fn as_label(&self) -> &str {
        (**self).as_label()
    }
}

impl<T: LabelValue + ?Sized> LabelValue for Arc<T> {
    #[inline]
    fn as_label(&self) -> &str {
        (**self).as_label()
    }
}

/// An empty value for none: the series then does not have the label.
impl<T: LabelValue> LabelValue for Option<T> {
    #[inline]
    fn as_label(&self) -> &str {
        self.as_ref().map_or("", T::as_label)
    }
}

/// Makes a [`LabelSet`]: a struct whose fields are the labels. `field as "name"` names a label otherwise than its field.
///
/// A name that is no label name, or stands twice, does not compile; one that is reserved is an error where the metric is
/// registered. The struct is `Debug`, `Clone`, `PartialEq`, `Eq` and `Hash`.
///
/// ```
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::{Registry, RegistryConfig, Unit, label_set, label_value};
///
/// label_value! {
///     /// Side of an order.
///     pub enum Side { Buy = "buy", Sell = "sell" }
/// }
/// label_set! {
///     /// Where an order went, and which way.
///     pub struct OrderLabels<'a> { venue: &'a str, side: Side, kind as "type": &'static str }
/// }
///
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let orders = metrics.counter_family_of::<OrderLabels>("orders_total", Unit::None, "Orders sent.")?;
/// orders.increment(&OrderLabels { venue: "XNYS", side: Side::Buy, kind: "limit" });
/// assert!(metrics.text().contains(r#"orders_total{side="buy",type="limit",venue="XNYS"} 1"#));
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
///
/// ```compile_fail
/// bellwether_metrics::label_set! { struct Wrong { __venue: String } } // begins with two underscores
/// ```
///
/// ```compile_fail
/// bellwether_metrics::label_set! { struct Wrong { venue: String, market as "venue": String } } // stands twice
/// ```
#[macro_export]
macro_rules! label_set {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident $(<$life:lifetime>)? {
            $($(#[$field_attribute:meta])* $field_visibility:vis $field:ident $(as $label:literal)?: $value:ty),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        $visibility struct $name $(<$life>)? {
            $($(#[$field_attribute])* $field_visibility $field: $value),+
        }

        impl $(<$life>)? $crate::LabelSet for $name $(<$life>)? {
            const NAMES: &'static [&'static str] = &[$($crate::label_set!(@name $field $($label)?)),+];

            #[inline]
            fn with_values<R>(&self, call: impl ::std::ops::FnOnce(&[&str]) -> R) -> R {
                call(&[$($crate::LabelValue::as_label(&self.$field)),+])
            }
        }

        const _: () = {
            let names: &[&str] = &[$($crate::label_set!(@name $field $($label)?)),+];
            $(assert!(
                $crate::is_label_name($crate::label_set!(@name $field $($label)?)),
                concat!("not a label name: ", $crate::label_set!(@name $field $($label)?)),
            );)+
            assert!($crate::are_distinct(names), "a label name stands twice");
        };
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $label:literal) => { $label };
}

/// Makes the values of a label: an enum with a text for each. No two may have the same.
///
/// The enum is `Debug`, `Clone`, `Copy`, `PartialEq`, `Eq`, `Hash`, `PartialOrd` and `Ord`, prints as its text, and has `ALL`
/// of its values.
///
/// ```
/// bellwether_metrics::label_value! {
///     /// Why an order was rejected.
///     pub enum Reason { PriceBand = "price_band", Size = "size" }
/// }
/// assert_eq!(Reason::ALL.map(Reason::as_str), ["price_band", "size"]);
/// ```
#[macro_export]
macro_rules! label_value {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident {
            $($(#[$value_attribute:meta])* $value:ident = $text:literal),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $visibility enum $name {
            $($(#[$value_attribute])* #[doc = concat!("`", $text, "`")] $value),+
        }

        impl $name {
            /// All values, in the order in which they were written.
            $visibility const ALL: [Self; [$($text),+].len()] = [$(Self::$value),+];

            /// The value as the exposition has it.
            $visibility const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $text),+
                }
            }
        }

        impl $crate::LabelValue for $name {
            #[inline]
            fn as_label(&self) -> &str {
                self.as_str()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        const _: () = assert!($crate::are_distinct(&[$($text),+]), "two values have the same text");
    };
}

/// Whether a text is the name of a label: `[a-zA-Z_][a-zA-Z0-9_]*`, at most 255 bytes, not beginning with `__`.
pub const fn is_label_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes.len() > MAX_NAME_LEN {
        return false;
    }
    let mut rest = bytes;
    let mut is_first = true;
    while let [byte, next @ ..] = rest {
        if !(byte.is_ascii_alphabetic() || *byte == b'_' || (byte.is_ascii_digit() && !is_first)) {
            return false;
        }
        rest = next;
        is_first = false;
    }
    !matches!(bytes, [b'_', b'_', ..])
}

/// Whether no two of the texts are the same. O(n²), for when the program is compiled.
pub const fn are_distinct(texts: &[&str]) -> bool {
    let mut rest = texts;
    while let [first, next @ ..] = rest {
        let mut others = next;
        while let [other, beyond @ ..] = others {
            if are_equal(first.as_bytes(), other.as_bytes()) {
                return false;
            }
            others = beyond;
        }
        rest = next;
    }
    true
}

const fn are_equal(mut a: &[u8], mut b: &[u8]) -> bool {
    while let ([one, rest_of_a @ ..], [other, rest_of_b @ ..]) = (a, b) {
        if *one != *other {
            return false;
        }
        (a, b) = (rest_of_a, rest_of_b);
    }
    a.is_empty() && b.is_empty()
}

#[cfg(test)]
mod tests {
    use bellwether_core::LabelName;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn label_names_are_those_that_label_name_takes(text in "[a-zA-Z0-9_:é ]{0,4}|_{0,3}[a-z]|[a-z]{254,257}") {
            prop_assert_eq!(is_label_name(&text), LabelName::new(text).is_ok());
        }
    }

    #[test]
    fn equal_texts_are_found_wherever_they_stand() {
        assert!(are_distinct(&[]) && are_distinct(&["a", "ab", "b", ""]));
        assert!(
            !are_distinct(&["a", "b", "a"]) && !are_distinct(&["b", "a", "a"]) && !are_distinct(&["", ""])
        );
    }
}
