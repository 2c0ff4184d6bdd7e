//! The appearance of a representative (Form G-28): prepared, consented to, ended (8 CFR 292.4, 292.5).

use docket_kernel::Refusal;
use docket_proto::events::representation::Event;
use docket_proto::filing::events::v1 as pb;
use uuid::Uuid;

use super::id;

/// How long the client's code is good, in microseconds: 30 days.
pub const CODE_VALID_US: i64 = 30 * 24 * 3_600 * 1_000_000;

/// Where an appearance stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Standing {
    /// It was never entered.
    #[default]
    Absent,
    /// Signed by the representative; waits for the client.
    Prepared,
    /// The client consented.
    Active,
    /// The client did not consent.
    Refused,
    /// The representative withdrew.
    Withdrawn,
    /// The client ended it.
    Ended,
}

impl Standing {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Prepared => "prepared",
            Self::Active => "active",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Ended => "ended",
        }
    }
}

/// An appearance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Representation {
    /// Where it stands.
    pub standing: Standing,
    /// Account of the representative.
    pub representative: Uuid,
    /// Account of the client; none before consent.
    pub client: Option<Uuid>,
    /// What sort of representative it is.
    pub representative_kind: String,
    /// Forms it is for.
    pub forms: Vec<String>,
    /// SHA-256 of the client's code.
    pub code_hash: Vec<u8>,
    /// Until when the code is good, microseconds since the epoch.
    pub valid_until_us: i64,
    /// When the representative signed, microseconds since the epoch.
    pub signed_at_us: i64,
    /// Keyed hash of what the representative signed.
    pub content_mac: Vec<u8>,
}

/// Folds one event.
pub fn evolve(representation: Representation, event: &Event) -> Representation {
    match event {
        Event::RepresentationPrepared(e) => Representation {
            standing: Standing::Prepared,
            representative: id(&e.representative),
            client: None,
            representative_kind: e.representative_kind.clone(),
            forms: e.forms.clone(),
            code_hash: e.code_hash.clone(),
            valid_until_us: e.valid_until_us,
            signed_at_us: e.signed_at_us,
            content_mac: e.content_mac.clone(),
        },
        Event::RepresentationAccepted(e) => {
            Representation { standing: Standing::Active, client: Some(id(&e.client)), ..representation }
        }
        Event::RepresentationRefused(e) => {
            Representation { standing: Standing::Refused, client: Some(id(&e.client)), ..representation }
        }
        Event::RepresentationWithdrawn(_) => {
            Representation { standing: Standing::Withdrawn, ..representation }
        }
        Event::RepresentationEnded(_) => Representation { standing: Standing::Ended, ..representation },
    }
}

impl Representation {
    /// Whether the form is among those it is for.
    pub fn covers(&self, form: &str) -> Result<(), Refusal> {
        if self.forms.iter().any(|covered| covered == form) {
            return Ok(());
        }
        Err(Refusal::state(
            "OUTSIDE_APPEARANCE",
            format!("This appearance is for: {}.", self.forms.join(", ")),
        )
        .way_out("Enter another appearance on Form G-28 for this form, and let the client consent to it.")
        .field("form"))
    }

    /// Whether the code with this hash still opens it.
    pub fn opens(&self, code_hash: &[u8], now_us: i64) -> bool {
        self.standing == Standing::Prepared && self.code_hash == code_hash && now_us < self.valid_until_us
    }

    fn waiting(&self, code_hash: &[u8], now_us: i64) -> Result<(), Refusal> {
        if self.opens(code_hash, now_us) { Ok(()) } else { Err(code_unknown()) }
    }

    fn active(&self) -> Result<(), Refusal> {
        if self.standing == Standing::Active {
            return Ok(());
        }
        Err(not_represented().fact("state", self.standing.as_str()))
    }
}

/// The refusal of an act that needs an appearance which stands.
pub(crate) fn not_represented() -> Refusal {
    Refusal::state("NOT_REPRESENTED", "There is no representation that stands for this.")
        .way_out("Look at the list of your representations: it says which stand, and how the others ended.")
}

/// The refusal of a code that opens nothing, whatever the reason.
pub(crate) fn code_unknown() -> Refusal {
    Refusal::invalid(
        "client_code",
        "CODE_UNKNOWN",
        "This code opens nothing: it was used, has run out after 30 days, or is mistyped (10 letters and digits, XXXXX-XXXXX).",
    )
    .way_out("Ask your representative for the code, or for a new one.")
}

/// Enters an appearance that the edge found complete.
pub fn prepare(
    representation: &Representation,
    prepared: pb::RepresentationPrepared,
) -> Result<Vec<Event>, Refusal> {
    if representation.standing != Standing::Absent {
        return Err(Refusal::exists("REPRESENTATION_EXISTS", "There is already an appearance with this id."));
    }
    Ok(vec![prepared.into()])
}

/// What comes with the client's consent.
#[derive(Debug, Clone)]
pub struct Consent {
    /// Account of the client.
    pub client: Uuid,
    /// SHA-256 of the code as given.
    pub code_hash: Vec<u8>,
    /// Hash of the text that was shown to the client.
    pub shown_mac: Vec<u8>,
    /// Why the answers do not do; nothing when they do.
    pub not_ready: Option<Refusal>,
    /// Whether the typed name is the client's, as in the answers and as proven.
    pub name_agrees: bool,
    /// The event, ready.
    pub accepted: pb::RepresentationAccepted,
}

/// Records the client's consent (8 CFR 292.4(a): signed by both).
pub fn accept(representation: &Representation, consent: Consent) -> Result<Vec<Event>, Refusal> {
    representation.waiting(&consent.code_hash, consent.accepted.signed_at_us)?;
    if representation.representative == consent.client {
        return Err(Refusal::state("OWN_CLIENT", "Nobody represents themselves: file in your own name.")
            .way_out("The client consents from an account of their own."));
    }
    if representation.content_mac != consent.shown_mac {
        return Err(Refusal::state("CONTENT_CHANGED", "This is not the appearance that was shown.")
            .way_out("Look at it again, and consent to what you then see."));
    }
    if let Some(refusal) = consent.not_ready {
        return Err(refusal);
    }
    if !consent.name_agrees {
        return Err(Refusal::invalid(
            "typed_name",
            "NAME_DIFFERS",
            "Type your full legal name as you proved it and as it stands in the answers: given name, then family name.",
        ));
    }
    Ok(vec![consent.accepted.into()])
}

/// Records that whoever has the code does not consent.
pub fn refuse(
    representation: &Representation,
    code_hash: &[u8],
    client: Uuid,
    now_us: i64,
) -> Result<Vec<Event>, Refusal> {
    representation.waiting(code_hash, now_us)?;
    Ok(vec![pb::RepresentationRefused { client: client.to_string() }.into()])
}

/// Ends it for the representative; one that no client consented to is taken back.
pub fn withdraw(representation: &Representation) -> Result<Vec<Event>, Refusal> {
    if representation.standing != Standing::Prepared {
        representation.active()?;
    }
    Ok(vec![pb::RepresentationWithdrawn {}.into()])
}

/// Ends it for the client.
pub fn end(representation: &Representation) -> Result<Vec<Event>, Refusal> {
    representation.active()?;
    Ok(vec![pb::RepresentationEnded {}.into()])
}
