//! Texts to a telephone number: given and agreed to, proven by a code, ended by the owner, by a reply or because nothing arrives.

use docket_eventlog::Aggregate;
use docket_kernel::Refusal;
use docket_proto::events::texting::Event;
use docket_proto::notifications::events::v1 as pb;
use uuid::Uuid;

/// What happens to the number of an account.
pub(crate) type TextingEvent = Event;

/// What is agreed to now, by its name: whoever shows other words must ask for these.
pub(crate) const CONSENT: &str = "texts-2026-11";

/// How texts to a number end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndedBy {
    /// The owner took the number away.
    Owner,
    /// A text from the number said so, or the carrier knows of one.
    Reply,
    /// What was sent there did not arrive.
    Unreachable,
}

impl EndedBy {
    /// The word in events.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Reply => "reply",
            Self::Unreachable => "unreachable",
        }
    }

    /// The mail that tells of it.
    pub(crate) fn alert(self) -> &'static str {
        match self {
            Self::Owner | Self::Reply => "texts_ended",
            Self::Unreachable => "texts_unreachable",
        }
    }
}

/// The numbers of accounts: stream `texting-<account>`.
#[derive(Debug)]
pub(crate) struct Texting;

/// A number that waits for its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Given {
    /// The number as it was given.
    pub(crate) id: Uuid,
    /// Until when the code is good, µs since the epoch.
    pub(crate) until_us: i64,
}

/// Where texts go, as far as the rules need it; the numbers are sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TextingState {
    /// Waits for its code.
    pub(crate) given: Option<Given>,
    /// Texts go there.
    pub(crate) on: Option<Uuid>,
    /// A reply from there ended them, and another one can begin them again.
    pub(crate) stopped: Option<Uuid>,
    /// They ended because they did not arrive.
    pub(crate) unreachable: bool,
}

impl Aggregate for Texting {
    type Event = Event;
    type State = TextingState;

    fn evolve(mut state: TextingState, event: &Event) -> TextingState {
        match event {
            Event::TextNumberGiven(given) => {
                state.given = Some(Given { id: read(&given.number_id), until_us: given.until_us });
                state
            }
            Event::TextNumberProven(proven) => {
                TextingState { on: Some(read(&proven.number_id)), ..TextingState::default() }
            }
            Event::TextsEnded(ended) => state.end(ended),
            Event::TextsResumed(resumed) => {
                TextingState { on: Some(read(&resumed.number_id)), stopped: None, ..state }
            }
        }
    }
}

impl TextingState {
    /// No texts go anywhere. What the owner ended is over; a number that waits for its code waits on in the other cases.
    fn end(self, ended: &pb::TextsEnded) -> Self {
        let given = self.given.filter(|_| ended.by != EndedBy::Owner.as_str());
        let stopped = (ended.by == EndedBy::Reply.as_str()).then(|| read(&ended.number_id));
        Self { given, on: None, stopped, unreachable: ended.by == EndedBy::Unreachable.as_str() }
    }

    /// The number whose code can be given at an instant, µs since the epoch.
    ///
    /// # Errors
    /// `NO_NUMBER_GIVEN`.
    pub(crate) fn waiting(&self, now_us: i64) -> Result<Uuid, Refusal> {
        let waiting = self.given.filter(|given| now_us < given.until_us);
        waiting.map(|given| given.id).ok_or_else(none_waits)
    }
}

/// The code that went to a number was given.
///
/// # Errors
/// `NO_NUMBER_GIVEN`, also when it is another number that waits now.
pub(crate) fn prove(state: &TextingState, number: Uuid, now_us: i64) -> Result<Vec<Event>, Refusal> {
    if state.waiting(now_us)? != number {
        return Err(none_waits());
    }
    Ok(vec![pb::TextNumberProven { number_id: number.to_string() }.into()])
}

/// Texts end: nothing where none go anywhere. The owner also takes back what waits for its code, and what a reply could begin again.
pub(crate) fn end(state: &TextingState, by: EndedBy) -> Vec<Event> {
    let number = match by {
        EndedBy::Owner => state.on.or(state.stopped).or(state.given.map(|given| given.id)),
        EndedBy::Reply | EndedBy::Unreachable => state.on,
    };
    let ended =
        |number: Uuid| pb::TextsEnded { number_id: number.to_string(), by: by.as_str().to_owned() }.into();
    number.map(ended).into_iter().collect()
}

/// A reply from a number that had ended its texts wants them again: nothing where none did.
pub(crate) fn resume(state: &TextingState) -> Vec<Event> {
    let resumed = |number: Uuid| pb::TextsResumed { number_id: number.to_string() }.into();
    state.stopped.map(resumed).into_iter().collect()
}

fn none_waits() -> Refusal {
    let message = "No number waits for a code, or its ten minutes are over.";
    Refusal::state("NO_NUMBER_GIVEN", message).way_out("Give the number again, for a new code.")
}

/// An id in an event, which was written as one.
fn read(id: &str) -> Uuid {
    id.parse().unwrap_or_default()
}
