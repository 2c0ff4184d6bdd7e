//! What every server has, so that a service holds its domain and nothing else.
//!
//! Reading order: `cli` (the program), `config`, `schema` (whether the databases are those of this release), `base` (what a service is connected to), `server` (what
//! it runs), `lasting` (how long a connection does), `auth` with `token`, `caller` and `access` (who may do what), `error`, `status` and `words` (what
//! callers are told, and in Spanish), `problem` and `local` (the same over HTTP), `log_admin` (the operator's face), `keys`, `epoch`, `erasures`, `objects`, `roles`, `timers` with `heard`, `rounds` (tasks of a service's own), `gateway` with `turns` (how often strangers get what is open to all), `telemetry`, `admin`, and `testing` for
//! the services' tests.

mod access;
mod admin;
mod auth;
mod base;
mod bucket;
mod caller;
mod cli;
mod clock;
mod config;
mod detached;
mod ends;
mod epoch;
mod erasures;
mod error;
mod event_feed;
mod gateway;
mod gauges;
mod heard;
mod https;
mod id;
mod import;
mod keys;
mod lasting;
mod local;
mod log_admin;
mod migrate;
mod objects;
pub mod page;
mod problem;
mod prove;
mod roles;
mod rounds;
mod schema;
mod server;
mod status;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
mod timers;
mod tls;
mod token;
mod turns;
mod words;
mod workers;

/// An append's buffers are made on one thread and freed on another; this allocator minds that least.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub use access::{Access, Resource};
pub use base::{Base, BaseOptions};
pub use caller::{Caller, Identity, Person, Role, caller};
pub use cli::{Program, main};
pub use clock::OffsetClock;
pub use config::{
    AwsKmsConfig, BrokerConfig, ConfigError, DatabaseConfig, Environment, KeysDatabaseConfig, ObjectsConfig,
    ServiceConfig, TelemetryConfig, TlsConfig, load,
};
pub use detached::{detached, outgoing};
pub use docket_messaging::{ApplyError, Stop, Subscriber, parked_of};
pub use epoch::{EpochCommand, run_epoch};
pub use error::ApiError;
pub use gateway::{Gateway, Whence, whence_of};
pub use heard::Heard;
pub use id::new_id;
pub use import::Import;
pub use keys::{KeysCommand, Rotation, run_keys};
pub use local::Local;
pub use log_admin::Projection;
pub use migrate::migrate;
pub use objects::{ObjectReader, ObjectWriter, Objects, Proof, Read};
pub use problem::Problem;
pub use prove::Prove;
pub use rounds::{Again, Rounds};
pub use schema::{lacking, when_migrated};
pub use server::{Listening, Server};
pub use telemetry::init as init_telemetry;
pub use timers::TimerHandler;
pub use token::{KeySource, TokenError, Tokens};
pub use turns::{TurnRule, Turns};
pub use words::in_spanish;
