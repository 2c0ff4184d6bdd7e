//! The reference pages that are made from the contract; a page that no longer fits fails here (`DOCKET_ACCEPT=1` renews it).
use crate::system::root;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Services and the packages of their events.
pub(crate) const OWNERS: [(&str, &str); 5] = [
    ("identity", "docket.identity.events.v1"),
    ("filing", "docket.filing.events.v1"),
    ("payments", "docket.payments.events.v1"),
    ("case-status", "docket.case_status.events.v1"),
    ("notifications", "docket.notifications.events.v1"),
];

#[test]
fn the_page_of_events_fits_the_contract() {
    let pool = DescriptorPool::decode(docket_proto::DESCRIPTORS).unwrap();
    let mut page = String::from(
        "# Events\n\nMade from `proto/` and the services' sources by `tests/tests/it/reference.rs`.\n\
         An event belongs to the service in whose section it stands; *sealed* fields are personal and can be read only with\n\
         the key of the person concerned; *read by* names the other services whose code knows the event. Roles are read by\n\
         every service, through `libs/service`.\n",
    );
    for (owner, package) in OWNERS {
        let _ =
            writeln!(page, "\n## {owner}\n\n| event | kind | sealed | read by |\n| --- | --- | --- | --- |");
        let mut rows: Vec<String> = pool
            .all_messages()
            .filter(|message| message.package_name() == package)
            .filter_map(|m| row(&pool, owner, &m))
            .collect();
        rows.sort();
        page.extend(rows);
    }
    fits("docs/reference/events.md", &page);
}

/// The kinds of all events of the contract.
pub(crate) fn kinds() -> Vec<String> {
    let pool = DescriptorPool::decode(docket_proto::DESCRIPTORS).unwrap();
    let owned =
        |message: &MessageDescriptor| OWNERS.iter().any(|(_, package)| message.package_name() == *package);
    let messages = pool.all_messages().filter(owned);
    let mut kinds: Vec<String> = messages
        .filter_map(|message| text_option(&message.options(), &pool, "docket.options.v1.kind"))
        .collect();
    kinds.sort();
    kinds
}

fn row(pool: &DescriptorPool, owner: &str, message: &MessageDescriptor) -> Option<String> {
    let kind = text_option(&message.options(), pool, "docket.options.v1.kind")?;
    let sealed: Vec<String> = docket_proto::personal_fields(&kind)
        .iter()
        .filter_map(|(number, _)| message.get_field(*number).map(|field| format!("`{}`", field.name())))
        .collect();
    let readers = readers(owner, message.name());
    Some(format!("| `{}` | `{kind}` | {} | {} |\n", message.name(), sealed.join(", "), readers.join(", ")))
}

fn text_option(options: &DynamicMessage, pool: &DescriptorPool, name: &str) -> Option<String> {
    let extension = pool.get_extension_by_name(name)?;
    if !options.has_extension(&extension) {
        return None;
    }
    options.get_extension(&extension).as_str().map(str::to_owned)
}

/// Other services whose sources name the event.
fn readers(owner: &str, event: &str) -> Vec<&'static str> {
    let others = OWNERS.iter().map(|(service, _)| *service).filter(|service| *service != owner);
    others.filter(|service| names(&root().join("services").join(service).join("src"), event)).collect()
}

fn names(folder: &Path, event: &str) -> bool {
    let paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.iter().any(|path| {
        if path.is_dir() {
            return names(path, event);
        }
        let is_code = path.extension().is_some_and(|e| e == "rs") && !path.to_string_lossy().contains("test");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        is_code && text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == event)
    })
}

pub(crate) fn fits(path: &str, page: &str) {
    let file = root().join(path);
    if std::env::var_os("DOCKET_ACCEPT").is_some() {
        std::fs::write(&file, page).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == page,
        "{path} no longer fits: run this test with DOCKET_ACCEPT=1 and look at what changed"
    );
}
