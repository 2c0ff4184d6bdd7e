//! The program itself, as an operator starts it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use docket_messaging::Stop;
use docket_service::ServiceConfig;
use docket_service::testing::service_toml;
use tokio::process::Command;
use tokio::sync::oneshot;

/// Runs the program with a configuration until `stop`; tells its process id when it has started.
pub(crate) async fn run(
    service: ServiceConfig,
    scanner: SocketAddr,
    started: oneshot::Sender<u32>,
    stop: Stop,
) -> anyhow::Result<()> {
    std::fs::create_dir_all(&service.data_dir)?;
    let file = service.data_dir.join("filing.toml");
    std::fs::write(&file, toml(&service, scanner))?;
    let mut child = Command::new(env!("CARGO_BIN_EXE_docket-filing"))
        .arg("serve")
        .env("DOCKET_CONFIG", file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    started.send(child.id().unwrap_or_default()).ok();
    tokio::select! {
        () = stop.cancelled() => {}
        ended = child.wait() => anyhow::bail!("the program ended: {ended:?}"),
    }
    Ok(())
}

fn toml(service: &ServiceConfig, scanner: SocketAddr) -> String {
    let catalogue = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../libs/forms/catalogue");
    let own = format!(
        "[scanner]\naddress = \"{scanner}\"\ntimeout_seconds = 120\n[catalogue]\ndir = \"{}\"\n",
        catalogue.display()
    );
    service_toml(service) + &own
}
