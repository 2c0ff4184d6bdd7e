//! The program itself, as an operator starts it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use docket_messaging::Stop;
use docket_service::ServiceConfig;
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

#[expect(clippy::unnecessary_debug_formatting, reason = "quoted, as TOML wants its strings")]
fn toml(service: &ServiceConfig, scanner: SocketAddr) -> String {
    let keys = service.keys_database.as_ref().expect("keys");
    let peers: Vec<String> = service.peers.iter().map(|(name, url)| format!("{name} = {url:?}")).collect();
    let catalogue = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../libs/forms/catalogue");
    format!(
        "[service]\ngrpc_listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\ndata_dir = {:?}\n\
         clock_offset_file = {:?}\n[service.tls]\ncert_file = {:?}\nkey_file = {:?}\nca_file = {:?}\n\
         [service.database]\nurl = {:?}\n[service.keys_database]\nurl = {:?}\nkek_file = {:?}\n\
         [service.broker]\nurl = {:?}\n[service.peers]\n{}\n[scanner]\naddress = \"{scanner}\"\n\
         timeout_seconds = 120\n[catalogue]\ndir = {catalogue:?}\n",
        service.data_dir,
        service.clock_offset_file.as_ref().expect("a clock"),
        service.tls.cert_file,
        service.tls.key_file,
        service.tls.ca_file,
        service.database.url,
        keys.url,
        keys.kek_file.as_ref().expect("a key"),
        service.broker.url,
        peers.join("\n"),
    )
}
