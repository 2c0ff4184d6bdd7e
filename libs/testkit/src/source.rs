//! Where the servers come from: local binaries or containers.

use std::env;

use tokio::sync::OnceCell;

/// The place that this process takes its servers from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The pinned binaries.
    Local,
    /// A container engine.
    #[cfg(feature = "containers")]
    Containers,
}

/// Decides once for the process; panics on an unknown word, or when containers are demanded and cannot be had.
pub(crate) async fn source() -> Source {
    static DECIDED: OnceCell<Source> = OnceCell::const_new();
    *DECIDED.get_or_init(decide).await
}

async fn decide() -> Source {
    let wanted = env::var("DOCKET_TEST_SERVERS").unwrap_or_else(|_| "auto".to_owned());
    match wanted.as_str() {
        "local" => Source::Local,
        "auto" => automatic().await,
        "containers" => demanded(),
        other => panic!("DOCKET_TEST_SERVERS is auto, local or containers, not {other}"),
    }
}

#[cfg(feature = "containers")]
async fn automatic() -> Source {
    if crate::containers::are_available().await { Source::Containers } else { Source::Local }
}

#[cfg(not(feature = "containers"))]
fn automatic() -> std::future::Ready<Source> {
    std::future::ready(Source::Local)
}

#[cfg(feature = "containers")]
fn demanded() -> Source {
    Source::Containers
}

#[cfg(not(feature = "containers"))]
fn demanded() -> Source {
    panic!(
        "DOCKET_TEST_SERVERS=containers needs the feature docket-testkit/containers; deploy/test turns it on"
    )
}
