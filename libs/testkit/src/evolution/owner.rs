//! Which service folds which events: every category of a package is folded, or it is said why not.

use std::collections::BTreeSet;

use super::golden::kind;
use super::pool;

/// Checks that the events of `package` are those of the categories in `folded`, which have laws, and of those in
/// `not_folded`, each with the reason why no state is built from it.
///
/// # Panics
/// With the categories that are too many or too few.
pub fn owns(package: &str, folded: &[&str], not_folded: &[(&str, &str)]) {
    let pool = pool();
    let events = pool.all_messages().filter(|message| message.package_name() == package);
    let kinds: Vec<String> = events.filter_map(|message| kind(&pool, &message)).collect();
    let owned: BTreeSet<&str> = kinds.iter().filter_map(|kind| kind.split('.').next()).collect();
    let said = folded.iter().copied().chain(not_folded.iter().map(|(category, _)| *category)).collect();
    assert_eq!(
        owned, said,
        "the categories of {package} (left) are not those with a fold or a reason (right)"
    );
    assert!(not_folded.iter().all(|(_, reason)| !reason.is_empty()), "say why");
}
