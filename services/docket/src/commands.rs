//! The client's commands, each a few calls to the public APIs.
pub mod account;
pub mod add;
pub mod appointment;
pub mod attach;
pub mod case;
pub mod copy;
pub mod drafts;
pub mod email;
pub mod from_file;
pub mod helper;
pub mod inquiries;
pub mod interview;
pub mod invitation;
pub mod log;
pub mod mail;
pub mod messages;
pub mod office;
pub mod officers;
pub mod paper;
pub mod pay;
pub mod persons;
pub mod record;
pub mod replace_app;
pub mod representation;
pub mod representations;
pub mod respond;
pub mod roles;
pub mod session;
pub mod sign;
pub mod texts;
pub mod view;
pub mod waiver;
pub mod wishes;
pub mod withdraw;

pub use account::{AccountArgs, account};
pub use add::{AddArgs, add};
pub use appointment::{AppointmentArgs, appointment};
pub use case::status;
pub use copy::copy;
pub use drafts::{abandon, appoint, export, filings, recall};
pub use email::{EmailArgs, email};
pub use from_file::file;
pub use helper::{HelperArgs, helper};
pub use inquiries::{AskArgs, CorrectArgs, correct, expedite, inquire, inquiries};
pub use interview::lead;
pub use invitation::{InvitationArgs, invitation};
pub use log::{LogArgs, log};
pub use mail::inbox;
pub use messages::{MessageArgs, message};
pub use officers::{OfficerCommand, officer};
pub use paper::{again, forms};
pub use pay::{PayArgs, pay};
pub use persons::{PersonCommand, person};
pub use record::{AddressArgs, address};
pub use replace_app::{ReplaceAppArgs, replace_app};
pub use representation::{RepresentationArgs, representation};
pub use representations::representations;
pub use respond::{RespondArgs, respond};
pub use roles::{RoleCommand, role};
pub use session::{Session, SignInArgs, StepUpArgs, sign_in, step_up};
pub use sign::{ReviewArgs, SendArgs, SignArgs, review, send, sign};
pub use texts::{TextsArgs, texts};
pub use view::{ViewArgs, accesses, view};
pub use waiver::{WaiverArgs, waiver};
pub use withdraw::{WithdrawArgs, withdraw};

use crate::client::{plainly, reason};
use crate::output::Teller;
use anyhow::Result;
use tonic::Status;

/// Asks for one page after the other: `page` takes the token of one, and gives that of the next.
async fn each_page(mut page: impl AsyncFnMut(String) -> Result<String>) -> Result<()> {
    let mut token = String::new();
    loop {
        token = page(token).await?;
        if token.is_empty() {
            return Ok(());
        }
    }
}

/// A service's refusal, on its way to the terminal.
#[derive(Debug)]
pub struct Refused(Box<Status>);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", plainly(&self.0), reason(&self.0))
    }
}
impl std::error::Error for Refused {}

impl Refused {
    /// What the service answered.
    pub fn answer(&self) -> &Status {
        &self.0
    }

    /// The same, taken out.
    pub fn status(self) -> Status {
        *self.0
    }
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        Self(Box::new(status))
    }
}

/// Cents as people write them: `$1,440.00`.
pub fn amount(cents: i64) -> String {
    let (sign, cents) = (if cents < 0 { "-" } else { "" }, cents.unsigned_abs());
    let whole = (cents / 100).to_string();
    let groups: Vec<&str> = whole
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).expect("digits are text"))
        .collect();
    format!("{sign}${}.{:02}", groups.join(","), cents % 100)
}

/// Says a code that is to come to somebody, and gives the words for the way: the mail that takes it to an address, or their hands.
fn code_to_hand(code: &str, valid_until_us: i64, mail: &str, teller: &Teller) -> String {
    teller.pair(teller.words("code"), code);
    teller.pair(teller.words("good until"), &teller.when(valid_until_us));
    match mail {
        "" => teller.words("hand it").to_owned(),
        address => teller.filled("a mail takes it to {}; else hand it", &[&address]),
    }
}

/// An instant as the office reads it, in New York.
pub fn when(at_us: i64) -> String {
    Teller::new(true).when(at_us)
}

#[cfg(test)]
pub mod tests {
    #[test]
    fn amounts_are_grouped() {
        assert_eq!(super::amount(71_000), "$710.00");
        assert_eq!(super::amount(144_000), "$1,440.00");
        assert_eq!(super::amount(-5), "-$0.05");
    }
}
