//! Events that nobody decided: golden ones with fields left out, taken from the edges, or made nonsense.

use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use prost_reflect::prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, ReflectMessage as _, Value};

use super::Golden;
use super::random::seed_bytes;

const TEXTS: [&str; 7] = [
    "",
    "no id",
    "party",
    "\u{0}\u{fffd}é",
    "9999-99-99",
    "019a0000-0000-7000-8000-000000000010",
    "019a0000-0000-7000-8000-000000000007",
];

/// The bytes of a golden event, with other values by `seed`.
pub(super) fn vary(pool: &DescriptorPool, golden: &Golden, seed: u64) -> Vec<u8> {
    let mut message = golden.decode(pool).unwrap_or_else(|error| panic!("{error}"));
    vary_message(&mut message, &mut TestRng::from_seed(RngAlgorithm::ChaCha, &seed_bytes(seed)));
    message.encode_to_vec()
}

fn vary_message(message: &mut DynamicMessage, rng: &mut TestRng) {
    for field in message.descriptor().fields() {
        match rng.next_u32() % 4 {
            0 => message.clear_field(&field),
            1 => vary_field(message, &field, rng),
            _ => {}
        }
    }
}

fn vary_field(message: &mut DynamicMessage, field: &FieldDescriptor, rng: &mut TestRng) {
    if !message.has_field(field) {
        return;
    }
    let value = message.get_field_mut(field);
    if let Value::List(list) = value {
        let first = list.first().cloned();
        list.extend(first);
        for value in list {
            vary_value(value, &field.kind(), rng);
        }
    } else {
        vary_value(value, &field.kind(), rng);
    }
}

fn vary_value(value: &mut Value, kind: &Kind, rng: &mut TestRng) {
    let any = usize::try_from(rng.next_u32()).expect("32 bits fit");
    match value {
        Value::Message(part) => vary_message(part, rng),
        Value::Bool(value) => *value = !*value,
        Value::I32(value) => *value = [i32::MIN, -1, 0, 1, i32::MAX][any % 5],
        Value::I64(value) => *value = [i64::MIN, -1, 0, 1, i64::MAX][any % 5],
        Value::U32(value) => *value = [0, 1, 2, u32::MAX][any % 4],
        Value::U64(value) => *value = [0, 1, 2, u64::MAX][any % 4],
        // A number that no version knows comes from a newer program.
        Value::EnumNumber(value) => *value = [0, 1, 2, 3, 99][any % 5],
        Value::String(value) => TEXTS[any % TEXTS.len()].clone_into(value),
        Value::Bytes(value) => value.truncate(any % 8),
        Value::F32(_) | Value::F64(_) | Value::List(_) | Value::Map(_) => {
            panic!("{kind:?}: events have no such field yet; say how it varies")
        }
    }
}
