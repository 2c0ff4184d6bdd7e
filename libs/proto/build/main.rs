//! Compiles proto/, then writes the tables that follow from its options: events, personal fields, access.
mod events;

use anyhow::{Context, Result, bail, ensure};
use events::{events, kind};
use prost_reflect::{Cardinality, DescriptorPool, MethodDescriptor, Value};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    // Asked when it runs: a target folder may be shared by clones, and so may this program.
    let here = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let root = here.join("../../proto");
    let files = proto_files(&root.join("docket"))?;
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
    sample(&here.join("tests/evolution"), &root, &out.join("sample"))
}

/// Compiles the events that only the tests of evolution know: no event of the contract has a second version yet.
fn sample(tests: &Path, root: &Path, out: &Path) -> Result<()> {
    std::fs::create_dir_all(out)?;
    let mut compiler = protox::Compiler::new([tests, root])?;
    compiler.include_imports(true).open_files(proto_files(tests)?)?;
    let pool = DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice())?;
    prost_build::Config::new().out_dir(out).compile_fds(compiler.file_descriptor_set())?;
    std::fs::write(out.join("events.rs"), events(&pool)?)?;
    Ok(())
}

/// The proto files under `folder`, in order; the build runs again when one changes.
fn proto_files(folder: &Path) -> Result<Vec<PathBuf>> {
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    Ok(files)
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
