//! The appearance of a representative (Form G-28): sought by the client or not, prepared, consented to, ended by either side or by the
//! office, or replaced (8 CFR 292.3, 292.4, 292.5).

use docket_kernel::Refusal;
use docket_proto::events::representation::Event;
use docket_proto::filing::events::v1 as pb;
use docket_proto::types::v1::MailingWishes;
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
    /// The client asked for it, for a filing that is there already.
    Sought,
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
    /// The client consented to another one in its place.
    Replaced,
    /// The office refused it, or its representative may no longer act.
    EndedByOffice,
}

impl Standing {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Sought => "sought",
            Self::Prepared => "prepared",
            Self::Active => "active",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Ended => "ended",
            Self::Replaced => "replaced",
            Self::EndedByOffice => "ended_by_office",
        }
    }
}

/// Why the office does not let somebody act under an appearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invalid(&'static str);

impl Invalid {
    /// What may be wrong with one appearance: the form is not completed or signed as it must be (8 CFR 292.4(a)); whoever entered it is
    /// none of those who may represent (8 CFR 292.1, 103.2(a)(3)); a student or graduate does not show who supervises them
    /// (8 CFR 292.1(a)(2)).
    pub const OF_FORM: [&'static str; 3] = ["form_not_valid", "not_authorized", "supervision_not_shown"];
    /// Why somebody may not represent at all: an order of suspension or disbarment (8 CFR 292.3, 1003.101(a)), or an accreditation
    /// that ended (8 CFR 1292.17).
    pub const OF_PERSON: [&'static str; 3] = ["suspended", "disbarred", "accreditation_ended"];

    /// What is wrong with one appearance.
    ///
    /// # Errors
    /// `APPEARANCE_REASON_UNKNOWN`.
    pub fn of_form(reason: &str) -> Result<Self, Refusal> {
        Self::among(&Self::OF_FORM, reason)
    }

    /// Why somebody may not represent.
    ///
    /// # Errors
    /// `APPEARANCE_REASON_UNKNOWN`.
    pub fn of_person(reason: &str) -> Result<Self, Refusal> {
        Self::among(&Self::OF_PERSON, reason)
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    fn among(known: &[&'static str], reason: &str) -> Result<Self, Refusal> {
        let found = known.iter().find(|known| **known == reason).copied().map(Self);
        found.ok_or_else(|| {
            let rule = format!("Say one of these reasons: {}.", known.join(", "));
            Refusal::invalid("reason", "APPEARANCE_REASON_UNKNOWN", rule)
        })
    }
}

/// An appearance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Representation {
    /// Where it stands.
    pub standing: Standing,
    /// Account of the representative.
    pub representative: Uuid,
    /// Account of the client; none before consent where the client had not asked.
    pub client: Option<Uuid>,
    /// The one filing it is for; none where it is for all that is begun under it.
    pub filing: Option<Uuid>,
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
    /// Where originals and documents go; none before consent, and where it was not told: to the client.
    pub wishes: Option<MailingWishes>,
    /// Why the office ended it; empty unless it did.
    pub ended_because: String,
}

/// Folds one event.
pub fn evolve(representation: Representation, event: &Event) -> Representation {
    match event {
        Event::RepresentationSought(e) => Representation {
            standing: Standing::Sought,
            client: Some(id(&e.client)),
            filing: Some(id(&e.filing_id)),
            forms: vec![e.form.clone()],
            code_hash: e.code_hash.clone(),
            valid_until_us: e.valid_until_us,
            ..representation
        },
        Event::RepresentationPrepared(e) => Representation {
            standing: Standing::Prepared,
            representative: id(&e.representative),
            client: representation.client,
            filing: representation.filing,
            representative_kind: e.representative_kind.clone(),
            forms: e.forms.clone(),
            code_hash: e.code_hash.clone(),
            valid_until_us: e.valid_until_us,
            signed_at_us: e.signed_at_us,
            content_mac: e.content_mac.clone(),
            wishes: None,
            ended_because: String::new(),
        },
        Event::RepresentationAccepted(e) => {
            let (client, wishes) = (Some(id(&e.client)), e.wishes);
            Representation { standing: Standing::Active, client, wishes, ..representation }
        }
        Event::RepresentationWishesChanged(e) => Representation { wishes: e.wishes, ..representation },
        Event::RepresentationRefused(e) => {
            Representation { standing: Standing::Refused, client: Some(id(&e.client)), ..representation }
        }
        Event::RepresentationWithdrawn(_) => {
            Representation { standing: Standing::Withdrawn, ..representation }
        }
        Event::RepresentationEnded(_) => Representation { standing: Standing::Ended, ..representation },
        Event::RepresentationEndedByOffice(e) => Representation {
            standing: Standing::EndedByOffice,
            ended_because: e.reason.clone(),
            ..representation
        },
        Event::RepresentationReplaced(e) if e.ended => {
            Representation { standing: Standing::Replaced, ..representation }
        }
        Event::RepresentationReplaced(_) => representation,
    }
}

impl Representation {
    /// Whether a filing of this form may be begun under it.
    pub fn covers(&self, form: &str) -> Result<(), Refusal> {
        let refusal = if self.filing.is_some() {
            Refusal::state("OUTSIDE_APPEARANCE", "This appearance is for one filing only.")
        } else if self.forms.iter().any(|covered| covered == form) {
            return Ok(());
        } else {
            Refusal::state(
                "OUTSIDE_APPEARANCE",
                format!("This appearance is for: {}.", self.forms.join(", ")),
            )
        };
        Err(refusal
            .way_out("Enter another appearance on Form G-28 for this form, and let the client consent to it.")
            .field("form"))
    }

    /// Whether the code with this hash still opens it.
    pub fn opens(&self, code_hash: &[u8], now_us: i64) -> bool {
        let waits = matches!(self.standing, Standing::Sought | Standing::Prepared);
        waits && self.code_hash == code_hash && now_us < self.valid_until_us
    }

    /// Whether it waits for what this client says; where one had asked, for nobody else's word.
    fn waiting(&self, code_hash: &[u8], client: Uuid, now_us: i64) -> Result<(), Refusal> {
        if !self.opens(code_hash, now_us) || self.client.is_some_and(|asked| asked != client) {
            return Err(code_unknown());
        }
        if self.standing == Standing::Sought {
            return Err(Refusal::state(
                "APPEARANCE_NOT_SIGNED",
                "Nobody has entered an appearance with this code yet.",
            )
            .way_out(
                "Give the code to the person who is to represent you, and wait until they have signed.",
            ));
        }
        Ok(())
    }

    /// The accounts of both, as they stand in an event; nothing where somebody is not known yet.
    fn both(&self) -> (String, String) {
        let representative = Some(self.representative).filter(|account| !account.is_nil());
        let said = |account: Option<Uuid>| account.map(|account| account.to_string()).unwrap_or_default();
        (said(representative), said(self.client))
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

/// The refusal of a code of a client that opens nothing, whatever the reason.
pub(crate) fn appointment_unknown() -> Refusal {
    Refusal::invalid(
        "appointment_code",
        "CODE_UNKNOWN",
        "This code opens nothing: it was used, has run out after 30 days, or is mistyped (10 letters and digits, XXXXX-XXXXX).",
    )
    .way_out("Ask your client for the code, or for a new one.")
}

/// Asks, as the client, for a representative for a filing that is there already.
pub fn seek(
    representation: &Representation,
    sought: pb::RepresentationSought,
) -> Result<Vec<Event>, Refusal> {
    absent(representation)?;
    Ok(vec![sought.into()])
}

/// Whether this person may answer with an appearance to a client who asked; gives the filing it is for.
pub fn may_answer(
    representation: &Representation,
    code_hash: &[u8],
    representative: Uuid,
    now_us: i64,
) -> Result<Uuid, Refusal> {
    let sought = representation.standing == Standing::Sought && representation.opens(code_hash, now_us);
    let filing = representation.filing.filter(|_| sought).ok_or_else(appointment_unknown)?;
    if representation.client == Some(representative) {
        return Err(own_client());
    }
    Ok(filing)
}

/// Enters an appearance, that the edge found complete, for the one filing for which the client asked.
pub fn prepare_for(
    representation: &Representation,
    prepared: pb::RepresentationPrepared,
) -> Result<Vec<Event>, Refusal> {
    may_answer(representation, &prepared.code_hash, id(&prepared.representative), prepared.signed_at_us)?;
    if prepared.forms != representation.forms {
        return Err(Refusal::invalid(
            "matters",
            "OUTSIDE_APPOINTMENT",
            format!(
                "The client asks for this filing alone: name {} and nothing else.",
                representation.forms.join(", ")
            ),
        )
        .way_out("Enter an appearance of its own for other forms, and let the client consent to it."));
    }
    Ok(vec![prepared.into()])
}

fn own_client() -> Refusal {
    Refusal::state("OWN_CLIENT", "Nobody represents themselves: file in your own name.")
        .way_out("The client consents from an account of their own.")
}

fn absent(representation: &Representation) -> Result<(), Refusal> {
    if representation.standing == Standing::Absent {
        return Ok(());
    }
    Err(Refusal::exists("REPRESENTATION_EXISTS", "There is already an appearance with this id."))
}

/// Enters an appearance that the edge found complete.
pub fn prepare(
    representation: &Representation,
    prepared: pb::RepresentationPrepared,
) -> Result<Vec<Event>, Refusal> {
    absent(representation)?;
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
    representation.waiting(&consent.code_hash, consent.client, consent.accepted.signed_at_us)?;
    if representation.representative == consent.client {
        return Err(own_client());
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
            "Type your full legal name as it stands in the answers, which is the one that you proved if you did: given name, then family name.",
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
    representation.waiting(code_hash, client, now_us)?;
    Ok(vec![pb::RepresentationRefused { client: client.to_string() }.into()])
}

/// Ends it for the representative; one that no client consented to is taken back.
pub fn withdraw(representation: &Representation) -> Result<Vec<Event>, Refusal> {
    if representation.standing != Standing::Prepared {
        representation.active()?;
    }
    let (representative, client) = representation.both();
    Ok(vec![pb::RepresentationWithdrawn { representative, client }.into()])
}

/// Ends it for the client; one that the client asked for and did not consent to is taken back.
pub fn end(representation: &Representation) -> Result<Vec<Event>, Refusal> {
    let asked = matches!(representation.standing, Standing::Sought | Standing::Prepared);
    if !asked || representation.filing.is_none() {
        representation.active()?;
    }
    let (representative, client) = representation.both();
    Ok(vec![pb::RepresentationEnded { representative, client }.into()])
}

/// Ends it for the office: also one that waits for the client's consent.
pub fn end_by_office(representation: &Representation, why: Invalid) -> Result<Vec<Event>, Refusal> {
    if representation.standing != Standing::Prepared {
        representation.active()?;
    }
    let (representative, client) = representation.both();
    Ok(vec![
        pb::RepresentationEndedByOffice { representative, client, reason: why.as_str().to_owned() }.into(),
    ])
}

/// The client wishes otherwise than before of where papers go, alone: who consented to that may always take it back.
pub fn change_wishes(representation: &Representation, wishes: MailingWishes) -> Result<Vec<Event>, Refusal> {
    representation.active()?;
    if representation.wishes == Some(wishes) {
        return Ok(Vec::new());
    }
    let (representative, client) = representation.both();
    Ok(vec![pb::RepresentationWishesChanged { client, representative, wishes: Some(wishes) }.into()])
}

/// What takes the place of an appearance in a filing.
#[derive(Debug, Clone, Copy)]
pub struct Replacement {
    /// The appearance that stands now.
    pub by: Uuid,
    /// The filing.
    pub filing: Uuid,
    /// Whether nothing else rests on the one that stood before.
    pub ends: bool,
}

/// Lets another stand in its place; nothing where it stands no longer.
pub fn replace(representation: &Representation, replacement: Replacement) -> Vec<Event> {
    let (Standing::Active, Some(client)) = (representation.standing, representation.client) else {
        return Vec::new();
    };
    vec![
        pb::RepresentationReplaced {
            filing_id: replacement.filing.to_string(),
            representation_id: replacement.by.to_string(),
            representative: representation.representative.to_string(),
            client: client.to_string(),
            ended: replacement.ends,
        }
        .into(),
    ]
}
