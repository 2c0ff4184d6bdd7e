//! As whom a filing is signed (8 CFR 103.2(a)(2)).

use docket_kernel::Refusal;

/// The kind of evidence which shows that somebody may sign for another; every form takes it.
pub const AUTHORITY_TO_SIGN: &str = "authority_to_sign";

/// From this age on nobody's parent signs for them.
const SIGNS_SELF: u32 = 14;

/// As whom somebody signs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Capacity {
    /// As the one who files.
    #[default]
    OneSelf,
    /// As a parent of somebody under 14.
    Parent,
    /// As a legal guardian.
    Guardian,
    /// Under a durable power of attorney.
    AttorneyInFact,
}

impl Capacity {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::OneSelf, Self::Parent, Self::Guardian, Self::AttorneyInFact];

    /// The word in events and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OneSelf => "self",
            Self::Parent => "parent",
            Self::Guardian => "guardian",
            Self::AttorneyInFact => "attorney_in_fact",
        }
    }

    /// Reads what a caller gives; nothing means oneself.
    ///
    /// # Errors
    /// `CAPACITY_UNKNOWN`.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        Self::known(text).ok_or_else(|| {
            let words = Self::ALL.map(Self::as_str).join(", ");
            Refusal::invalid("capacity", "CAPACITY_UNKNOWN", format!("Say as whom you sign: one of {words}."))
        })
    }

    /// As an event says it: every event was written by this program.
    pub(super) fn of_event(text: &str) -> Self {
        Self::known(text).unwrap_or_default()
    }

    fn known(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::OneSelf);
        }
        Self::ALL.into_iter().find(|capacity| capacity.as_str() == text)
    }

    /// Whether it can be signed in this capacity, with this evidence, for somebody of this age.
    ///
    /// # Errors
    /// `SIGNS_SELF_FROM_14`, `AUTHORITY_MISSING`.
    pub(super) fn allowed(self, age: u32, has_authority: bool) -> Result<(), Refusal> {
        match self {
            Self::OneSelf => Ok(()),
            Self::Parent if age < SIGNS_SELF => Ok(()),
            Self::Parent => Err(Refusal::state(
                "SIGNS_SELF_FROM_14",
                "A parent signs only for a child under 14 (8 CFR 103.2(a)(2)).",
            )
            .way_out("The person whom the form is about signs in an account of their own.")
            .field("capacity")),
            Self::Guardian | Self::AttorneyInFact if has_authority => Ok(()),
            Self::Guardian | Self::AttorneyInFact => Err(Refusal::state(
                "AUTHORITY_MISSING",
                "Nothing attached shows that you may sign for the person whom the form is about.",
            )
            .way_out("Attach the letter of guardianship or the durable power of attorney as authority_to_sign; an officer will look at it.")
            .field("capacity")),
        }
    }
}
