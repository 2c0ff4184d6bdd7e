//! Writes the enum of each category of events from the option `kind`; what an older version became is part of it.

use anyhow::{Context, Result, ensure};
use prost_reflect::{DescriptorPool, MessageDescriptor, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// One version of an event.
struct Version {
    kind: String,
    /// Name of the message, and of the variant.
    name: String,
    path: String,
}

/// The versions of one event, the first one first: never empty.
type Versions = Vec<Version>;

/// Kind of an event message, if it is one.
pub fn kind(pool: &DescriptorPool, message: &MessageDescriptor) -> Option<String> {
    let option = pool.get_extension_by_name("docket.options.v1.kind")?;
    let options = message.options();
    if !options.has_extension(&option) {
        return None;
    }
    match options.get_extension(&option).as_ref() {
        Value::String(kind) => Some(kind.clone()),
        _ => None,
    }
}

/// The enums of all categories, and the list of all kinds.
///
/// # Errors
/// A message in an events package without a kind, a kind twice, a version whose earlier ones are not there.
pub fn events(pool: &DescriptorPool) -> Result<String> {
    let mut code = String::new();
    let mut all = Vec::new();
    for (category, events) in &categories(pool)? {
        let events: Vec<&Versions> = events.values().collect();
        category_enum(&mut code, category, &events)?;
        all.extend(kinds(&events));
    }
    writeln!(
        code,
        "/// Every kind of event there is.\npub const ALL_KINDS: &[&str] = &[{}];",
        all.join(", ")
    )?;
    Ok(code)
}

fn categories(pool: &DescriptorPool) -> Result<BTreeMap<String, BTreeMap<String, Versions>>> {
    let parts: BTreeSet<String> = pool
        .all_messages()
        .flat_map(|m| m.fields().collect::<Vec<_>>())
        .filter_map(|f| f.kind().as_message().map(|m| m.full_name().to_owned()))
        .collect();
    let mut found: BTreeMap<(String, String, u32), Version> = BTreeMap::new();
    for message in pool.all_messages() {
        let Some(kind) = kind(pool, &message) else {
            ensure!(
                !message.package_name().contains(".events.") || parts.contains(message.full_name()),
                "{} is in an events package, is no part of an event, and has no kind",
                message.full_name()
            );
            continue;
        };
        let version =
            Version { name: message.name().to_owned(), path: rust_path(&message), kind: kind.clone() };
        ensure!(found.insert(split(&kind)?, version).is_none(), "two events of kind {kind}");
    }
    let mut categories: BTreeMap<String, BTreeMap<String, Versions>> = BTreeMap::new();
    for ((category, event, number), version) in found {
        let versions = categories.entry(category).or_default().entry(event).or_default();
        ensure!(
            usize::try_from(number)? == versions.len() + 1,
            "{}: version {} is missing, and what was written stays readable",
            version.kind,
            versions.len() + 1
        );
        versions.push(version);
    }
    Ok(categories)
}

/// `case.opened.v1` → category, event, number.
fn split(kind: &str) -> Result<(String, String, u32)> {
    let words: Vec<_> = kind.split('.').collect();
    let [category, event, version] = words[..] else { anyhow::bail!("{kind}: a kind is category.name.vN") };
    let number = version.strip_prefix('v').and_then(|number| number.parse().ok());
    let number = number.with_context(|| format!("{kind}: a kind is category.name.vN"))?;
    Ok((category.to_owned(), event.to_owned(), number))
}

/// Rust path of a message: `docket.case_status.events.v1.CaseOpened` → `crate::case_status::events::v1::CaseOpened`.
fn rust_path(message: &MessageDescriptor) -> String {
    let package = message.package_name().trim_start_matches("docket.").replace('.', "::");
    format!("crate::{package}::{}", message.name())
}

fn kinds(events: &[&Versions]) -> Vec<String> {
    events.iter().flat_map(|versions| versions.iter()).map(|version| format!("{:?}", version.kind)).collect()
}

/// The enum has the newest version of each event only; older ones are read as what they became.
fn category_enum(code: &mut String, category: &str, events: &[&Versions]) -> Result<()> {
    let newest: Vec<&Version> = events.iter().filter_map(|versions| versions.last()).collect();
    let module = category.replace('-', "_");
    writeln!(code, "/// Events of the category `{category}`.\npub mod {module} {{")?;
    writeln!(code, "#[derive(Clone, Debug, PartialEq)]\npub enum Event {{")?;
    for Version { kind, name, path } in &newest {
        writeln!(code, "/// `{kind}`\n{name}({path}),")?;
    }
    writeln!(code, "}}\nimpl docket_kernel::EventEnum for Event {{")?;
    writeln!(code, "const CATEGORY: &'static str = {category:?};")?;
    writeln!(code, "const KINDS: &'static [&'static str] = &[{}];", kinds(events).join(", "))?;
    writeln!(code, "fn kind(&self) -> &'static str {{ match self {{")?;
    for Version { kind, name, .. } in &newest {
        writeln!(code, "Self::{name}(_) => {kind:?},")?;
    }
    writeln!(code, "}} }}\nfn encode(&self) -> Vec<u8> {{ match self {{")?;
    for Version { name, .. } in &newest {
        writeln!(code, "Self::{name}(message) => prost::Message::encode_to_vec(message),")?;
    }
    writeln!(code, "}} }}")?;
    decode(code, events)?;
    writeln!(code, "}}")?;
    for Version { name, path, .. } in &newest {
        writeln!(
            code,
            "impl From<{path}> for Event {{ fn from(message: {path}) -> Self {{ Self::{name}(message) }} }}"
        )?;
    }
    writeln!(code, "}}")?;
    Ok(())
}

/// An older version goes through `From` to the next one and so on to the newest: without it nothing compiles.
fn decode(code: &mut String, events: &[&Versions]) -> Result<()> {
    writeln!(code, "fn decode(kind: &str, bytes: &[u8]) -> Result<Self, docket_kernel::DecodeError> {{")?;
    writeln!(
        code,
        "let malformed = |error: prost::DecodeError| docket_kernel::DecodeError::malformed(kind, error);"
    )?;
    writeln!(code, "match kind {{")?;
    for versions in events {
        for (read, version) in versions.iter().enumerate() {
            write!(code, "{:?} => <{} as prost::Message>::decode(bytes)", version.kind, version.path)?;
            for step in versions[read..].windows(2) {
                write!(code, ".map(<{} as From<{}>>::from)", step[1].path, step[0].path)?;
            }
            let newest = versions.last().context("an event has a version")?;
            writeln!(code, ".map(Self::{}).map_err(malformed),", newest.name)?;
        }
    }
    writeln!(code, "unknown => Err(docket_kernel::DecodeError::UnknownKind(unknown.to_owned())),\n}} }}")?;
    Ok(())
}
