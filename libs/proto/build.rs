//! Compiles proto/, then writes the tables that follow from its options: events, personal fields, access.
use anyhow::{Context, Result, bail, ensure};
use prost_reflect::{Cardinality, DescriptorPool, MessageDescriptor, MethodDescriptor, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true).open_files(&files)?;
    // Custom options survive only in the encoded set, so the tables are read from those bytes.
    let encoded = compiler.encode_file_descriptor_set();
    std::fs::write(out.join("descriptors.bin"), &encoded)?;
    let set = compiler.file_descriptor_set();
    tonic_prost_build::configure()
        .build_transport(true)
        .include_file("docket.rs")
        .bytes(".docket.log.v1")
        .compile_fds(set)?;
    let pool = DescriptorPool::decode(encoded.as_slice())?;
    std::fs::write(out.join("events.rs"), events(&pool)?)?;
    std::fs::write(out.join("personal.rs"), personal(&pool)?)?;
    std::fs::write(out.join("access.rs"), access(&pool)?)?;
    Ok(())
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(dir).with_context(|| format!("read {}", dir.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "proto") {
            files.push(path);
        }
    }
    Ok(())
}

/// Kind of an event message, if it is one.
fn kind(pool: &DescriptorPool, message: &MessageDescriptor) -> Option<String> {
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

/// Rust path of a message: `docket.case_status.events.v1.CaseOpened` → `crate::case_status::events::v1::CaseOpened`.
fn rust_path(message: &MessageDescriptor) -> String {
    let package = message.package_name().trim_start_matches("docket.").replace('.', "::");
    format!("crate::{package}::{}", message.name())
}

fn events(pool: &DescriptorPool) -> Result<String> {
    let mut categories: BTreeMap<String, BTreeMap<String, (String, String)>> = BTreeMap::new();
    let parts: BTreeSet<String> = pool
        .all_messages()
        .flat_map(|m| m.fields().collect::<Vec<_>>())
        .filter_map(|f| f.kind().as_message().map(|m| m.full_name().to_owned()))
        .collect();
    for message in pool.all_messages() {
        let Some(kind) = kind(pool, &message) else {
            ensure!(
                !message.package_name().contains(".events.") || parts.contains(message.full_name()),
                "{} is in an events package, is no part of an event, and has no kind",
                message.full_name()
            );
            continue;
        };
        let words: Vec<_> = kind.split('.').collect();
        ensure!(words.len() == 3 && words[2].starts_with('v'), "{kind}: a kind is category.name.vN");
        let variants = categories.entry(words[0].to_owned()).or_default();
        let entry = (message.name().to_owned(), rust_path(&message));
        if variants.insert(kind.clone(), entry).is_some() {
            bail!("two events of kind {kind}");
        }
    }
    let mut code = String::new();
    for (category, variants) in &categories {
        let module = category.replace('-', "_");
        writeln!(code, "/// Events of the category `{category}`.\npub mod {module} {{")?;
        writeln!(code, "#[derive(Clone, Debug, PartialEq)]\npub enum Event {{")?;
        for (kind, (name, path)) in variants {
            writeln!(code, "/// `{kind}`\n{name}({path}),")?;
        }
        writeln!(code, "}}\nimpl docket_kernel::EventEnum for Event {{")?;
        writeln!(code, "const CATEGORY: &'static str = {category:?};")?;
        let kinds: Vec<_> = variants.keys().map(|k| format!("{k:?}")).collect();
        writeln!(code, "const KINDS: &'static [&'static str] = &[{}];", kinds.join(", "))?;
        writeln!(code, "fn kind(&self) -> &'static str {{ match self {{")?;
        for (kind, (name, _)) in variants {
            writeln!(code, "Self::{name}(_) => {kind:?},")?;
        }
        writeln!(code, "}} }}\nfn encode(&self) -> Vec<u8> {{ match self {{")?;
        for (name, _) in variants.values() {
            writeln!(code, "Self::{name}(message) => prost::Message::encode_to_vec(message),")?;
        }
        writeln!(
            code,
            "}} }}\nfn decode(kind: &str, bytes: &[u8]) -> Result<Self, docket_kernel::DecodeError> {{"
        )?;
        writeln!(
            code,
            "let malformed = |error: prost::DecodeError| docket_kernel::DecodeError::malformed(kind, error);"
        )?;
        writeln!(code, "match kind {{")?;
        for (kind, (name, _)) in variants {
            writeln!(
                code,
                "{kind:?} => prost::Message::decode(bytes).map(Self::{name}).map_err(malformed),"
            )?;
        }
        writeln!(
            code,
            "unknown => Err(docket_kernel::DecodeError::UnknownKind(unknown.to_owned())),\n}} }} }}"
        )?;
        for (name, path) in variants.values() {
            writeln!(
                code,
                "impl From<{path}> for Event {{ fn from(message: {path}) -> Self {{ Self::{name}(message) }} }}"
            )?;
        }
        writeln!(code, "}}")?;
    }
    let all: Vec<_> = categories.values().flat_map(|v| v.keys()).map(|k| format!("{k:?}")).collect();
    writeln!(
        code,
        "/// Every kind of event there is.\npub const ALL_KINDS: &[&str] = &[{}];",
        all.join(", ")
    )?;
    Ok(code)
}

fn personal(pool: &DescriptorPool) -> Result<String> {
    let option = pool.get_extension_by_name("docket.options.v1.personal").context("option personal")?;
    let mut code = String::from(
        "/// Fields of an event that are sealed, and under whose key.\npub fn personal_fields(kind: &str) -> &'static [(u32, docket_kernel::SubjectKind)] {\nuse docket_kernel::SubjectKind;\nmatch kind {\n",
    );
    for message in pool.all_messages() {
        let mut marked = Vec::new();
        for field in message.fields() {
            let options = field.options();
            if !options.has_extension(&option) {
                continue;
            }
            // Parts are put together again by concatenation, which is a merge only for these.
            ensure!(
                !field.is_map() && field.containing_oneof().is_none_or(|o| o.is_synthetic()),
                "{}: only singular or whole repeated fields may be sealed",
                field.full_name()
            );
            ensure!(field.cardinality() != Cardinality::Required, "{}: required", field.full_name());
            let subject = match options.get_extension(&option).as_enum_number() {
                Some(1) => "Filing",
                Some(2) => "Account",
                Some(3) => "Person",
                other => bail!("{}: subject {other:?}", field.full_name()),
            };
            marked.push(format!("({}, SubjectKind::{subject})", field.number()));
        }
        match (kind(pool, &message), marked.is_empty()) {
            (Some(kind), false) => writeln!(code, "{kind:?} => &[{}],", marked.join(", "))?,
            (None, false) => {
                bail!("{}: only fields of an event itself may be marked personal", message.full_name())
            }
            (_, true) => {}
        }
    }
    code.push_str("_ => &[],\n}\n}\n");
    Ok(code)
}

fn access(pool: &DescriptorPool) -> Result<String> {
    let option = pool.get_extension_by_name("docket.options.v1.access").context("option access")?;
    let mut code =
        String::from("/// How every method may be reached.\npub const METHODS: &[MethodAccess] = &[\n");
    for service in pool.services() {
        if !service.full_name().starts_with("docket.") {
            continue;
        }
        for method in service.methods() {
            writeln!(code, "{},", method_access(&option, &method)?)?;
        }
    }
    code.push_str("];\n");
    Ok(code)
}

fn method_access(option: &prost_reflect::ExtensionDescriptor, method: &MethodDescriptor) -> Result<String> {
    let options = method.options();
    ensure!(options.has_extension(option), "{}: no access option", method.full_name());
    let value = options.get_extension(option);
    let access = value.as_message().context("access is a message")?;
    let faces = access.get_field_by_name("faces").context("faces")?;
    let faces: Vec<i32> =
        faces.as_list().context("faces")?.iter().filter_map(Value::as_enum_number).collect();
    ensure!(!faces.is_empty() && !faces.contains(&0), "{}: no face", method.full_name());
    let callers = access.get_field_by_name("callers").context("callers")?;
    let callers: Vec<String> = callers
        .as_list()
        .context("callers")?
        .iter()
        .filter_map(Value::as_str)
        .map(|s| format!("{s:?}"))
        .collect();
    let step_up = access.get_field_by_name("step_up").context("step_up")?.as_bool().unwrap_or(false);
    Ok(format!(
        "MethodAccess {{ path: \"/{}/{}\", open: {}, person: {}, service: {}, callers: &[{}], step_up: {step_up}, server_streaming: {}, client_streaming: {} }}",
        method.parent_service().full_name(),
        method.name(),
        faces.contains(&1),
        faces.contains(&2),
        faces.contains(&3),
        callers.join(", "),
        method.is_server_streaming(),
        method.is_client_streaming(),
    ))
}
