//! Where originals and documents go, as the client says on Form G-28 (8 CFR 103.2(b)(19), 292.5(a)).

use docket_proto::types::v1 as types;
use serde::{Deserialize, Serialize};

/// What the client wishes; where nothing is known of it, everything goes to the client.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wishes {
    /// The original of a notice is the representative's.
    pub notices_to_representative: bool,
    /// Cards are mailed to the representative.
    pub documents_to_representative: bool,
    /// The notice with the Form I-94 is the client's all the same.
    pub i94_to_client: bool,
}

impl From<&types::MailingWishes> for Wishes {
    fn from(wishes: &types::MailingWishes) -> Self {
        Self {
            notices_to_representative: wishes.notices_to_representative,
            documents_to_representative: wishes.documents_to_representative,
            i94_to_client: wishes.i94_to_client,
        }
    }
}

impl From<Wishes> for types::MailingWishes {
    fn from(wishes: Wishes) -> Self {
        Self {
            notices_to_representative: wishes.notices_to_representative,
            documents_to_representative: wishes.documents_to_representative,
            i94_to_client: wishes.i94_to_client,
        }
    }
}

/// Where a card goes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoesTo {
    /// To the client's address of record.
    #[default]
    Client,
    /// To the representative's business address, as it stands on Form G-28.
    Representative,
}

impl GoesTo {
    /// The word for people and programs that ask.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Representative => "representative",
        }
    }

    /// The word in an event, which says nothing of the client.
    pub fn in_event(self) -> String {
        match self {
            Self::Client => String::new(),
            Self::Representative => "representative".to_owned(),
        }
    }

    /// Of the word in an event.
    pub fn of_event(word: &str) -> Self {
        if word == "representative" { Self::Representative } else { Self::Client }
    }
}
