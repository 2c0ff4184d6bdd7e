//! As whom a filing is signed (8 CFR 103.2(a)(2)).

use docket_kernel::Refusal;

/// The kind of evidence which shows that somebody may sign for another; every form takes it.
pub const AUTHORITY_TO_SIGN: &str = "authority_to_sign";

/// Who files, as far as it decides who signs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filer {
    /// Age in completed years; nothing where the form does not say it.
    pub age: Option<u32>,
    /// Whether a parent signs at that age: for a child, as the law in force has it, or where the form itself lets a parent apply, as
    /// Form N-600 does.
    pub parent_signs: bool,
    /// Whether it is a company.
    pub company: bool,
}

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
    /// As an officer or employee who may bind the company that files.
    CompanyOfficer,
}

impl Capacity {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::OneSelf, Self::Parent, Self::Guardian, Self::AttorneyInFact, Self::CompanyOfficer];

    /// The word in events and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OneSelf => "self",
            Self::Parent => "parent",
            Self::Guardian => "guardian",
            Self::AttorneyInFact => "attorney_in_fact",
            Self::CompanyOfficer => "company_officer",
        }
    }

    /// Whether whom the form is about is somebody else than who signs.
    pub fn is_for_another(self) -> bool {
        match self {
            Self::OneSelf | Self::CompanyOfficer => false,
            Self::Parent | Self::Guardian | Self::AttorneyInFact => true,
        }
    }

    /// Reads what a caller gives; nothing means oneself.
    ///
    /// # Errors
    /// `CAPACITY_UNKNOWN`.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        Self::known(text).ok_or_else(|| {
            let words = Self::ALL.map(Self::as_str).join(", ");
            Refusal::invalid(
                "capacity",
                "CAPACITY_UNKNOWN",
                format!("Say as whom you sign (8 CFR 103.2(a)(2)): one of {words}."),
            )
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

    /// Whether it can be signed in this capacity, with this evidence, for whoever files.
    ///
    /// # Errors
    /// `SIGNS_SELF_FROM_14`, `AUTHORITY_MISSING`, `COMPANY_SIGNS_BY_OFFICER`, `NO_COMPANY_FILES`.
    pub(super) fn allowed(self, filer: Filer, has_authority: bool) -> Result<(), Refusal> {
        match self {
            Self::CompanyOfficer if filer.company => Ok(()),
            Self::CompanyOfficer => Err(no_company()),
            Self::OneSelf | Self::Parent | Self::Guardian | Self::AttorneyInFact if filer.company => {
                Err(by_officer())
            }
            Self::OneSelf => Ok(()),
            Self::Parent => for_a_child(filer, has_authority),
            Self::Guardian | Self::AttorneyInFact if has_authority => Ok(()),
            Self::Guardian => Err(authority_missing("8 CFR 103.2(a)(2)")),
            Self::AttorneyInFact => {
                Err(authority_missing("USCIS Policy Manual, Volume 1, Part B, Chapter 2"))
            }
        }
    }
}

fn for_a_child(filer: Filer, has_authority: bool) -> Result<(), Refusal> {
    match filer.age {
        Some(_) if filer.parent_signs => Ok(()),
        Some(_) => Err(Refusal::state(
            "SIGNS_SELF_FROM_14",
            "A parent signs only for a child under 14 (8 CFR 103.2(a)(2)), and on Form N-600 for one under 18 (8 CFR 341.1; Instructions to Form N-600).",
        )
        .way_out("The person whom the form is about signs in an account of their own.")
        .field("capacity")),
        None if has_authority => Ok(()),
        None => Err(Refusal::state(
            "AUTHORITY_MISSING",
            "This form does not say how old the person is, and a parent signs only for a child under 14 (8 CFR 103.2(a)(2)).",
        )
        .way_out("Attach the child's birth certificate as authority_to_sign; an officer will look at it.")
        .field("capacity")),
    }
}

fn authority_missing(source: &str) -> Refusal {
    Refusal::state(
        "AUTHORITY_MISSING",
        format!("Nothing attached shows that you may sign for the person whom the form is about ({source})."),
    )
    .way_out("Attach the letter of guardianship or the durable power of attorney as authority_to_sign; an officer will look at it.")
    .field("capacity")
}

fn by_officer() -> Refusal {
    Refusal::state(
        "COMPANY_SIGNS_BY_OFFICER",
        "A company files this, and somebody signs who may bind it (8 CFR 103.2(a)(2)).",
    )
    .way_out("Sign as company_officer, with your own name; or correct who files.")
    .field("capacity")
}

fn no_company() -> Refusal {
    Refusal::state(
        "NO_COMPANY_FILES",
        "No company files this: whoever files signs, or a parent or guardian does (8 CFR 103.2(a)(2)).",
    )
    .way_out("If you sign for yourself, leave the capacity out; if a company files, say so in the form.")
    .field("capacity")
}
