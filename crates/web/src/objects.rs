//! An object is written as an object. Serde's derived readers also take a list of the fields in their order for a structure, which no
//! document of ours says: `[null, null]` would be a change of nothing.
//!
//! Invariant: [`Objects`] reads what the reader inside of it reads, but for a list where a structure stands, at any depth.

use serde::Deserializer;
use serde::de::{
    DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use std::fmt;

/// Around a reader and whatever it hands out.
pub(crate) struct Objects<T>(pub(crate) T);

/// Around who takes what was read.
struct Taker<V> {
    inner: V,
    /// It takes an object, or nothing.
    object: bool,
}

impl<V> Taker<V> {
    fn of(inner: V) -> Self {
        Self { inner, object: false }
    }
    fn of_object(inner: V) -> Self {
        Self { inner, object: true }
    }
}

/// Methods of a reader that are the same but for the name and what is asked for.
macro_rules! readers {
    ($($name:ident($($what:ident: $kind:ty),*);)*) => { $(
        fn $name<V: Visitor<'de>>(self, $($what: $kind,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$name($($what,)* Taker::of(visitor))
        }
    )* };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Objects<D> {
    type Error = D::Error;
    readers! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct(name, fields, Taker::of_object(visitor))
    }
    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

/// Methods of who takes something that has no parts.
macro_rules! takers {
    ($($name:ident($($value:ident: $kind:ty)?);)*) => { $(
        fn $name<E: Error>(self $(, $value: $kind)?) -> Result<V::Value, E> {
            self.inner.$name($($value)?)
        }
    )* };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Taker<V> {
    type Value = V::Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }
    takers! {
        visit_bool(value: bool);
        visit_i8(value: i8);
        visit_i16(value: i16);
        visit_i32(value: i32);
        visit_i64(value: i64);
        visit_i128(value: i128);
        visit_u8(value: u8);
        visit_u16(value: u16);
        visit_u32(value: u32);
        visit_u64(value: u64);
        visit_u128(value: u128);
        visit_f32(value: f32);
        visit_f64(value: f64);
        visit_char(value: char);
        visit_str(value: &str);
        visit_borrowed_str(value: &'de str);
        visit_string(value: String);
        visit_bytes(value: &[u8]);
        visit_borrowed_bytes(value: &'de [u8]);
        visit_byte_buf(value: Vec<u8>);
        visit_none();
        visit_unit();
    }
    fn visit_some<D: Deserializer<'de>>(self, inside: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Objects(inside))
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inside: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Objects(inside))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        match self.object {
            true => Err(A::Error::invalid_type(Unexpected::Seq, &self)),
            false => self.inner.visit_seq(Objects(items)),
        }
    }
    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Objects(fields))
    }
    fn visit_enum<A: EnumAccess<'de>>(self, choice: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Objects(choice))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Objects<S> {
    type Value = S::Value;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Objects(from))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Objects<A> {
    type Error = A::Error;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.0.next_element_seed(Objects(seed))
    }
    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Objects<A> {
    type Error = A::Error;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        // A name has no parts.
        self.0.next_key_seed(seed)
    }
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.0.next_value_seed(Objects(seed))
    }
    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Objects<A> {
    type Error = A::Error;
    type Variant = Objects<A::Variant>;
    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self::Variant), A::Error> {
        self.0.variant_seed(seed).map(|(value, variant)| (value, Objects(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Objects<A> {
    type Error = A::Error;
    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        self.0.newtype_variant_seed(Objects(seed))
    }
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, Taker::of(visitor))
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, Taker::of_object(visitor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::{Value, json};

    #[derive(Deserialize, Debug, PartialEq)]
    struct Outer {
        name: Option<String>,
        inner: Option<Inner>,
        #[serde(default)]
        many: Vec<Inner>,
        sizes: Option<(i64, i64)>,
        choice: Option<Choice>,
    }
    #[derive(Deserialize, Debug, PartialEq)]
    struct Inner {
        n: Option<i64>,
    }
    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Choice {
        One,
        Two { n: i64 },
        Three(Inner),
    }

    #[test]
    fn a_list_is_no_object_at_any_depth_and_all_else_is_read_as_ever() {
        for good in [
            json!({}),
            json!({"name": "a", "inner": {"n": 1}, "many": [{}, {"n": 2}], "sizes": [1, 2], "choice": "one"}),
            json!({"name": null, "inner": null, "many": [], "choice": {"two": {"n": 3}}}),
            json!({"choice": {"three": {"n": -4}}}),
        ] {
            let read = Outer::deserialize(Objects(&good)).unwrap();
            assert_eq!(read, Outer::deserialize(&good).unwrap(), "{good}");
        }
        for bad in [
            json!([null, null, [], null, null]),
            json!({"inner": [1]}),
            json!({"many": [[1]]}),
            json!({"choice": {"three": [3]}}),
        ] {
            assert!(Outer::deserialize(&bad).is_ok(), "{bad}: serde alone takes it");
            let said = Outer::deserialize(Objects(&bad)).unwrap_err().to_string();
            assert!(said.starts_with("invalid type: sequence, expected"), "{bad}: {said}");
        }
        let value = json!({"a": [1, {"b": [null]}]});
        assert_eq!(Value::deserialize(Objects(&value)).unwrap(), value);
    }
}
