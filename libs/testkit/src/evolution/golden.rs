//! Golden files: examples of every event ever released, in plain form and as bytes. They are added, never changed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use prost_reflect::prost::Message as _;
use prost_reflect::{
    DescriptorPool, DeserializeOptions, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor,
    SerializeOptions,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The folder of the golden files.
pub const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto/goldens");

/// One example of an event.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// The kind it was written under.
    pub kind: String,
    /// Full name of its message.
    pub message: String,
    /// The readable form; fields without a value are left out.
    pub plain: Value,
    /// The encoded message, personal fields included.
    #[serde(with = "in_hex")]
    pub bytes: Vec<u8>,
}

/// Bytes as hexadecimal text.
mod in_hex {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        hex::decode(String::deserialize(from)?).map_err(D::Error::custom)
    }
}

impl Golden {
    /// Reads the bytes by the contract as it is now.
    ///
    /// # Errors
    /// The message is gone, it is no longer of this kind, or the bytes are not one.
    pub fn decode(&self, pool: &DescriptorPool) -> Result<DynamicMessage, String> {
        let message = pool
            .get_message_by_name(&self.message)
            .ok_or_else(|| format!("{}: the message {} is gone", self.kind, self.message))?;
        if kind(pool, &message).as_deref() != Some(self.kind.as_str()) {
            return Err(format!("{} is no longer the event {}", self.message, self.kind));
        }
        DynamicMessage::decode(message, self.bytes.as_slice())
            .map_err(|error| format!("{}: {error}", self.kind))
    }

    /// The bytes as a fold gets them: personal fields are sealed, and empty.
    ///
    /// # Errors
    /// As [`Golden::decode`].
    pub fn sealed(&self, pool: &DescriptorPool) -> Result<Vec<u8>, String> {
        let mut message = self.decode(pool)?;
        for (number, _) in docket_proto::personal_fields(&self.kind) {
            message.clear_field_by_number(*number);
        }
        Ok(message.encode_to_vec())
    }

    /// Checks that the bytes still say what the readable form says, and nothing besides.
    ///
    /// # Errors
    /// As [`Golden::decode`]; fields nobody knows any more; another readable form.
    pub fn holds(&self, pool: &DescriptorPool) -> Result<(), String> {
        let message = self.decode(pool)?;
        let unknown = unknown_fields(&message);
        if !unknown.is_empty() {
            return Err(format!("{}: nobody knows the fields {unknown:?} any more", self.kind));
        }
        let read = plain(&message);
        if read != self.plain {
            return Err(format!("{}: now reads {read}, was written as {}", self.kind, self.plain));
        }
        Ok(())
    }
}

/// The contract as the build compiled it.
///
/// # Panics
/// Never: the build made it.
pub fn pool() -> DescriptorPool {
    DescriptorPool::decode(docket_proto::DESCRIPTORS).expect("the build made these descriptors")
}

/// All golden files, by name.
///
/// # Panics
/// When the folder or a file cannot be read.
pub fn goldens() -> Vec<Golden> {
    let entries = std::fs::read_dir(FOLDER).unwrap_or_else(|error| panic!("{FOLDER}: {error}"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let read = |file: &PathBuf| {
        let text =
            std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    files.iter().map(read).collect()
}

/// Kinds of the contract with the fields, those of their parts included, which no golden file of theirs fills; a kind
/// without a file is there in any case.
pub fn unfilled(pool: &DescriptorPool, goldens: &[Golden]) -> Vec<(String, BTreeSet<String>)> {
    let missing = |message: MessageDescriptor| {
        let kind = kind(pool, &message)?;
        let own = goldens.iter().filter(|golden| golden.kind == kind);
        let own: Vec<DynamicMessage> = own.filter_map(|golden| golden.decode(pool).ok()).collect();
        let (mut fields, mut filled) = (BTreeSet::new(), BTreeSet::new());
        fields_of(&message, &mut fields);
        for golden in &own {
            filled_in(golden, &mut filled);
        }
        let empty: BTreeSet<String> = fields.difference(&filled).cloned().collect();
        (own.is_empty() || !empty.is_empty()).then_some((kind, empty))
    };
    pool.all_messages().filter_map(missing).collect()
}

fn fields_of(message: &MessageDescriptor, fields: &mut BTreeSet<String>) {
    for field in message.fields() {
        let new = fields.insert(field.full_name().to_owned());
        if let (true, Kind::Message(part)) = (new, field.kind()) {
            fields_of(&part, fields);
        }
    }
}

fn filled_in(message: &DynamicMessage, filled: &mut BTreeSet<String>) {
    for (field, value) in message.fields() {
        filled.insert(field.full_name().to_owned());
        for part in parts(value) {
            filled_in(part, filled);
        }
    }
}

/// The messages in a value, which may be a list of them.
fn parts(value: &prost_reflect::Value) -> impl Iterator<Item = &DynamicMessage> {
    let list = value.as_list().unwrap_or(std::slice::from_ref(value));
    list.iter().filter_map(prost_reflect::Value::as_message)
}

/// Writes a new golden file for every kind that has none, or none that fills a field which came later. Never writes
/// over one; gives the names of the new files.
///
/// # Panics
/// When a file cannot be written, or nobody said what a plausible value of a field is.
pub fn add_missing(pool: &DescriptorPool) -> Vec<String> {
    let goldens = goldens();
    let mut added = Vec::new();
    for (kind, _) in unfilled(pool, &goldens) {
        let message = pool.all_messages().find(|message| self::kind(pool, message).as_ref() == Some(&kind));
        let message = message.expect("the kind comes from the contract");
        let number = goldens.iter().filter(|golden| golden.kind == kind).count() + 1;
        let name = if number == 1 { format!("{kind}.json") } else { format!("{kind}.{number}.json") };
        let text = serde_json::to_string_pretty(&invent(kind, &message)).expect("JSON");
        let file = std::fs::File::create_new(format!("{FOLDER}/{name}"));
        let written =
            file.and_then(|mut file| std::io::Write::write_all(&mut file, (text + "\n").as_bytes()));
        written.unwrap_or_else(|error| panic!("{name}: {error}"));
        added.push(name);
    }
    added
}

/// The kind of an event's message.
pub(crate) fn kind(pool: &DescriptorPool, message: &MessageDescriptor) -> Option<String> {
    let option = pool.get_extension_by_name("docket.options.v1.kind")?;
    let options = message.options();
    options.has_extension(&option).then(|| options.get_extension(&option).as_str().map(str::to_owned))?
}

fn plain(message: &DynamicMessage) -> Value {
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .stringify_64_bit_integers(false)
        .skip_default_fields(true);
    message
        .serialize_with_options(serde_json::value::Serializer, &options)
        .expect("a message has a JSON form")
}

fn unknown_fields(message: &DynamicMessage) -> Vec<u32> {
    let mut unknown: Vec<u32> = message.unknown_fields().map(prost_reflect::UnknownField::number).collect();
    for (_, value) in message.fields() {
        unknown.extend(parts(value).flat_map(unknown_fields));
    }
    unknown
}

fn invent(kind: String, message: &MessageDescriptor) -> Golden {
    let values = serde_json::from_str(include_str!("values.json")).expect("values.json");
    let read = DynamicMessage::deserialize_with_options(
        message.clone(),
        invented(message, &values),
        &DeserializeOptions::new(),
    );
    let read = read.unwrap_or_else(|error| panic!("{kind}: values.json does not fit: {error}"));
    Golden { kind, message: message.full_name().to_owned(), plain: plain(&read), bytes: read.encode_to_vec() }
}

/// The JSON form of a message whose every field has a value.
fn invented(message: &MessageDescriptor, values: &Map<String, Value>) -> Value {
    let value = |field: FieldDescriptor| {
        let name = field.name().to_owned();
        let own = values.get(&format!("{}.{name}", message.name()));
        let value = match (own, field.kind()) {
            (Some(own), _) => own.clone(),
            (None, Kind::Message(part)) => invented(&part, values),
            (None, _) => values.get(&name).cloned().unwrap_or_else(|| {
                panic!(
                    "{}: put a plausible value into libs/testkit/src/evolution/values.json",
                    field.full_name()
                )
            }),
        };
        let value = if field.is_list() && !value.is_array() { json!([value]) } else { value };
        (name, value)
    };
    Value::Object(message.fields().map(value).collect())
}
