//! `docket log`: an operator's look into the services' logs, and what may be put right there.
mod args;
mod each;
mod file;
mod on;
mod park;
mod projection;
mod read;
mod show;
mod subject;
mod verify;

pub use args::{LogArgs, LogCommand};

use super::Session;
use crate::client::{Connection, LogAdminServiceClient, request};
use crate::output::Teller;
use anyhow::Result;
use args::{ParkCommand, RelayCommand};
use docket_proto::log::v1 as pb;
use std::path::Path;
use std::pin::Pin;
use tokio_stream::Stream;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Whose log is meant when none is named: the cases'.
const USUAL: &str = "case-status";
/// Where the projection is.
const PROJECTION: &str = "status-projection";

type Client = LogAdminServiceClient<Channel>;
/// What comes over one connection.
type Coming<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// An operator who is signed in.
struct Operator<'a> {
    home: &'a Path,
    connection: Connection,
    token: String,
    named: Option<String>,
    teller: &'a Teller,
}

impl Operator<'_> {
    /// The service that was named, or the usual one.
    fn service(&self) -> &str {
        self.named.as_deref().unwrap_or(USUAL)
    }

    fn client(&self) -> Result<Client> {
        self.connection.log_admin(self.service())
    }

    /// The client of every service that is meant: the one that was named, or all.
    fn clients(&self) -> Result<Vec<(String, Client)>> {
        let services = match &self.named {
            Some(named) => vec![named.clone()],
            None => self.connection.services().map(str::to_owned).collect(),
        };
        services.into_iter().map(|name| Ok((name.clone(), self.connection.log_admin(&name)?))).collect()
    }

    fn ask<T>(&self, message: T) -> Request<T> {
        request(Some(&self.token), message)
    }

    /// A token that is good for the next call.
    async fn renew(&mut self) -> Result<()> {
        self.token = Session::token(self.home, &self.connection).await?;
        Ok(())
    }

    /// A new connection, and a token that is good for it.
    async fn reconnect(&mut self) -> Result<()> {
        (self.connection, self.token) = Session::resume(self.home).await?;
        Ok(())
    }

    /// For what takes as long as it takes.
    fn ask_for_long<T>(&self, message: T) -> Request<T> {
        let mut asked = self.ask(message);
        asked.metadata_mut().remove("grpc-timeout");
        asked
    }
}

/// Runs an operator's command.
pub async fn log(home: &Path, args: LogArgs, teller: &Teller) -> Result<()> {
    let LogArgs { service, command } = args;
    if let LogCommand::Import(import) = &command {
        return file::import(service.as_deref(), import, teller);
    }
    if let LogCommand::Prove(prove) = &command {
        return file::prove(service.as_deref(), prove, teller);
    }
    let (connection, token) = Session::resume(home).await?;
    let named = match (&command, service) {
        (LogCommand::Projection(_), None) => Some(PROJECTION.to_owned()),
        (_, named) => named,
    };
    let mut operator = Operator { home, connection, token, named, teller };
    match command {
        LogCommand::Tail(tail) => read::tail(&mut operator, tail).await,
        LogCommand::Stream(stream) => read::stream(&mut operator, stream).await,
        LogCommand::Event { position } => read::event(&operator, position).await,
        LogCommand::Verify { stream, from, kept } => verify::verify(&mut operator, stream, from, &kept).await,
        LogCommand::Stats => show::stats(&operator).await,
        LogCommand::Relay(RelayCommand::Status) => show::relay(&operator).await,
        LogCommand::Park(ParkCommand::List) => park::list(&operator).await,
        LogCommand::Park(ParkCommand::Show { log, stream }) => park::show(&operator, log, stream).await,
        LogCommand::Park(ParkCommand::Redrive { log, stream }) => park::redrive(&operator, log, stream).await,
        LogCommand::Park(ParkCommand::Skip { log, stream, position, reason }) => {
            park::skip(&operator, pb::SkipParkedRequest { log, stream, position, reason }).await
        }
        LogCommand::Park(ParkCommand::Skipped) => park::skipped(&operator).await,
        LogCommand::Projection(command) => projection::run(&mut operator, command).await,
        LogCommand::Subject(command) => subject::run(&operator, command).await,
        LogCommand::Export { stream, to } => file::export(&mut operator, stream, &to).await,
        LogCommand::Import(_) | LogCommand::Prove(_) => unreachable!("done before anybody signs in"),
    }
}
