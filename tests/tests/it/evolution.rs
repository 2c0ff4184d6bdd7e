//! Every package of events has a service whose tests feed its golden files through the real folds.
use crate::reference::OWNERS;
use crate::system::root;
use prost_reflect::DescriptorPool;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_package_of_events_has_a_service_that_folds_its_golden_files() {
    let pool = DescriptorPool::decode(docket_proto::DESCRIPTORS).unwrap();
    let kind = pool.get_extension_by_name("docket.options.v1.kind").unwrap();
    let events = pool.all_messages().filter(|message| message.options().has_extension(&kind));
    let packages: BTreeSet<String> = events.map(|message| message.package_name().to_owned()).collect();
    let owned: BTreeSet<String> = OWNERS.iter().map(|(_, package)| (*package).to_owned()).collect();
    assert_eq!(packages, owned, "packages of events (left) and those with a service (right)");
    for (service, package) in OWNERS {
        let folder = root().join("services").join(service).join("src/domain");
        let said = format!("owns(\"{package}\"");
        assert!(says(&folder, &said), "no test under {} says {said}, …)", folder.display());
    }
}

fn says(folder: &Path, words: &str) -> bool {
    let mut entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.any(|path| path.is_file() && std::fs::read_to_string(path).is_ok_and(|text| text.contains(words)))
}
