//! Who signs beside the filer: an interpreter or a preparer for having helped, a co-signer because the form is a matter of two, or
//! several, each for their own part. Each is asked with a code, and signs in an account of their own, before the filer does.

use std::collections::BTreeMap;

use docket_kernel::{Refusal, identifier};
use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as pb;
use uuid::Uuid;

use super::signing::{Checked, content_changed};
use super::{Filing, id};

/// Most mails that ask somebody to sign one filing.
const MOST_INVITATIONS: u32 = 30;

/// As what somebody signs beside the filer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HelperRole {
    /// Read the form to the filer in another language.
    Interpreter,
    /// Filled the form in for the filer.
    Preparer,
    /// Files it together with the filer, as the spouse does on a joint Form I-751 (8 CFR 216.4(a)(1)).
    CoSigner,
    /// The n-th of several who file it together with the filer, from 1, as the form lists them, as each of a family does on Form I-539:
    /// signs the part that is theirs (8 CFR 103.2(a)(2)). Any change of the form ends it, so that the number always means the same
    /// person.
    OneOf(u32),
}

impl HelperRole {
    /// All that stand alone.
    pub const ALONE: [Self; 3] = [Self::Interpreter, Self::Preparer, Self::CoSigner];

    /// The word in events, in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interpreter => "interpreter",
            Self::Preparer => "preparer",
            Self::CoSigner | Self::OneOf(_) => "co_signer",
        }
    }

    /// Which of several; 0 where there is one.
    pub fn person(self) -> u32 {
        match self {
            Self::Interpreter | Self::Preparer | Self::CoSigner => 0,
            Self::OneOf(person) => person,
        }
    }

    /// Whether it is who files it together with the filer, alone or as one of several.
    pub fn is_co_signer(self) -> bool {
        match self {
            Self::Interpreter | Self::Preparer => false,
            Self::CoSigner | Self::OneOf(_) => true,
        }
    }

    /// Reads what a caller gives.
    ///
    /// # Errors
    /// `HELPER_ROLE_UNKNOWN`.
    pub fn read(text: &str, person: u32) -> Result<Self, Refusal> {
        Self::known(text, person).ok_or_else(|| {
            let words = Self::ALONE.map(Self::as_str).join(", ");
            Refusal::invalid(
                "role",
                "HELPER_ROLE_UNKNOWN",
                format!("Say as what somebody signs beside the filer: {words}."),
            )
        })
    }

    /// The role of a word and a number that this service wrote.
    pub fn known(text: &str, person: u32) -> Option<Self> {
        let alone = Self::ALONE.into_iter().find(|role| role.as_str() == text)?;
        match alone {
            Self::CoSigner if person > 0 => Some(Self::OneOf(person)),
            Self::Interpreter | Self::Preparer | Self::CoSigner | Self::OneOf(_) => {
                Some(alone).filter(|_| person == 0)
            }
        }
    }

    /// The word in the database: one for each of several.
    pub fn key(self) -> String {
        match self.person() {
            0 => self.as_str().to_owned(),
            person => format!("{}:{person}", self.as_str()),
        }
    }

    /// The role of such a word.
    pub fn of_key(key: &str) -> Option<Self> {
        let (role, person) = key.split_once(':').unwrap_or((key, "0"));
        Self::known(role, person.parse().ok()?)
    }
}

/// A helper who was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Helper {
    /// The code that waits; none once it was used, or the filing was signed.
    pub code: Option<HelperCode>,
    /// What was signed last.
    pub signature: Option<HelperSignature>,
    /// Whether that is over for good, and counts not even for the same text again.
    pub ended: bool,
}

/// Whether a name is proven for an account, and is the one that the form gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameProven {
    /// None is.
    None,
    /// The same.
    AsInTheForm,
    /// Another.
    Another,
}

/// A code with which a helper reads and signs, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelperCode {
    /// Its keyed hash.
    pub mac: Vec<u8>,
    /// Until when it is good, microseconds since the epoch.
    pub valid_until_us: i64,
}

/// A helper's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelperSignature {
    /// The helper's account.
    pub account: Uuid,
    /// Keyed hash of the text that was signed: it counts for no other.
    pub content_mac: Vec<u8>,
    /// When, microseconds since the epoch.
    pub signed_at_us: i64,
    /// The statement that was signed.
    pub statement: String,
    /// The role of the form in which a co-signer signed, such as `spouse`; empty for who helped.
    pub signs_as: String,
    /// Whether the name was proven for a co-signer's account.
    pub name_proven: bool,
}

/// Notes the code asked for last; one before it is dead.
pub(super) fn asked(mut filing: Filing, e: &pb::HelperAsked) -> Filing {
    filing.invitations += u32::from(e.by_mail);
    if let Some(role) = HelperRole::known(&e.role, e.person) {
        let code = HelperCode { mac: e.code_mac.clone(), valid_until_us: e.valid_until_us };
        filing.helpers.entry(role).or_default().code = Some(code);
    }
    filing
}

/// Notes a helper's signature; the code is used up.
pub(super) fn signed(mut filing: Filing, e: &pb::HelperSigned) -> Filing {
    if let Some(role) = HelperRole::known(&e.role, e.person) {
        let signature = HelperSignature {
            account: id(&e.account_id),
            content_mac: e.content_mac.clone(),
            signed_at_us: e.signed_at_us,
            statement: e.statement.clone(),
            signs_as: e.signs_as.clone(),
            name_proven: e.name_proven,
        };
        filing.helpers.insert(role, Helper { code: None, signature: Some(signature), ended: false });
    }
    filing
}

/// Notes that it was taken back: the code is dead.
pub(super) fn withdrawn(mut filing: Filing, e: &pb::HelperAskWithdrawn) -> Filing {
    let role = HelperRole::known(&e.role, e.person);
    if let Some(helper) = role.and_then(|role| filing.helpers.get_mut(&role)) {
        helper.code = None;
    }
    filing
}

/// That several co-signers' signatures end with a change, where some had signed.
pub(super) fn co_signatures_ended(filing: &Filing) -> Option<Event> {
    let accounts: Vec<_> = filing.co_signers().map(|account| account.to_string()).collect();
    if accounts.is_empty() { None } else { Some(pb::CoSignaturesEnded { accounts }.into()) }
}

/// What a change leaves of it. A helper's code goes on, and the hash says whether a helper's signature still counts. A co-signer is
/// asked for the text as it was then: with any change, also one that is taken back later, the code opens nothing any more and the
/// signature is over. So nobody reads on who was asked for a joint petition that has become a waiver since (8 USC 1367).
pub(super) fn after_change(helpers: BTreeMap<HelperRole, Helper>) -> BTreeMap<HelperRole, Helper> {
    let changed = |(role, helper)| match role {
        HelperRole::Interpreter | HelperRole::Preparer => (role, helper),
        HelperRole::CoSigner | HelperRole::OneOf(_) => (role, Helper { code: None, ended: true, ..helper }),
    };
    helpers.into_iter().map(changed).collect()
}

/// Nobody reads with a code what the filer has signed.
pub(super) fn without_codes(helpers: BTreeMap<HelperRole, Helper>) -> BTreeMap<HelperRole, Helper> {
    helpers.into_iter().map(|(role, helper)| (role, Helper { code: None, ..helper })).collect()
}

impl Filing {
    /// The helper's signature of the text with this keyed hash.
    pub fn helper_signed(&self, role: HelperRole, content_mac: &[u8]) -> Option<&HelperSignature> {
        let helper = self.helpers.get(&role).filter(|helper| !helper.ended)?;
        helper.signature.as_ref().filter(|signature| signature.content_mac == content_mac)
    }

    /// The signature that goes with the filer's of the text with this keyed hash. One of several signed a part of it under a hash of
    /// its own, which the filer's signature closed: it stands until a change.
    pub fn helper_went(&self, role: HelperRole, content_mac: &[u8]) -> Option<&HelperSignature> {
        match role {
            HelperRole::Interpreter | HelperRole::Preparer | HelperRole::CoSigner => {
                self.helper_signed(role, content_mac)
            }
            HelperRole::OneOf(_) => {
                self.helpers.get(&role).filter(|helper| !helper.ended)?.signature.as_ref()
            }
        }
    }

    /// Accounts of those of several co-signers whose signature no change has ended.
    pub fn co_signers(&self) -> impl Iterator<Item = Uuid> {
        let several = self.helpers.iter().filter(|(role, helper)| role.person() > 0 && !helper.ended);
        several.filter_map(|(_, helper)| Some(helper.signature.as_ref()?.account))
    }

    /// Until when a code waits for this helper; none when none does.
    pub fn helper_waits(&self, role: HelperRole, now_us: i64) -> Option<&HelperCode> {
        let code = self.helpers.get(&role)?.code.as_ref();
        code.filter(|code| self.open().is_ok() && now_us < code.valid_until_us)
    }

    /// Whether the code with this keyed hash lets somebody other than who files read and sign as this helper.
    ///
    /// # Errors
    /// `CODE_UNKNOWN`, `OWN_HELPER`.
    pub fn lets_help(
        &self,
        role: HelperRole,
        code_mac: &[u8],
        account: Uuid,
        now_us: i64,
    ) -> Result<(), Refusal> {
        if self.helper_waits(role, now_us).is_none_or(|code| code.mac != code_mac) {
            return Err(code_unknown());
        }
        if account == self.account {
            return Err(own_helper(role));
        }
        Ok(())
    }
}

fn own_helper(role: HelperRole) -> Refusal {
    match role {
        HelperRole::Interpreter | HelperRole::Preparer => Refusal::state(
            "OWN_HELPER",
            "This is your own filing: nobody signs it as their own interpreter or preparer.",
        )
        .way_out("Whoever helped signs in an account of their own; if nobody did, correct the form."),
        HelperRole::CoSigner | HelperRole::OneOf(_) => Refusal::state(
            "OWN_HELPER",
            "This is your own filing: who signs it together with you does so in an account of their own (8 CFR 103.2(a)(2)).",
        )
        .way_out("Hand the code to the person whom the form names as signing with you."),
    }
}

/// Whether somebody may be the co-signer whom the form names, by the names that are proven for their account; to anybody else the
/// code shows nothing. Where none is proven, an officer looks at it once it goes in, as at every signature under such a name.
///
/// # Errors
/// `NOT_THE_CO_SIGNER`.
pub fn may_co_sign(proven: NameProven) -> Result<(), Refusal> {
    match proven {
        NameProven::None | NameProven::AsInTheForm => Ok(()),
        NameProven::Another => Err(Refusal::state(
            "NOT_THE_CO_SIGNER",
            "Another name is proven for your account than the form gives for who signs it together with the filer (8 CFR 103.2(a)(2)).",
        )
        .way_out("If the form has your name wrong, let whoever fills it in correct it there first; if your name has changed since you proved it, file on paper.")),
    }
}

/// The refusal of a helper's code that opens nothing, whatever the reason.
pub(crate) fn code_unknown() -> Refusal {
    Refusal::invalid(
        "code",
        "CODE_UNKNOWN",
        "This code opens nothing: it was used, taken back, replaced by a newer one, has run out after 30 days, the form was changed, signed or sent, or it is mistyped (10 letters and digits, XXXXX-XXXXX).",
    )
    .way_out("Ask whoever fills in the form for a new code.")
}

/// Asks a helper to sign, by mail where there is an address; a code asked for before opens nothing any more.
pub fn ask_helper(
    filing: &Filing,
    checked: &Checked,
    role: HelperRole,
    (code, mail_to): (HelperCode, String),
) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    checked.same_content(filing)?;
    helper_named(checked, role)?;
    if filing.helper_signed(role, checked.signed_by(role)).is_some() {
        return Err(helper_signed(role));
    }
    // The code is for this text alone, and one that cannot be signed yet is changed first.
    if role.is_co_signer() {
        checked.still_true_of(filing)?;
    }
    let by_mail = !mail_to.is_empty();
    if by_mail && filing.invitations >= MOST_INVITATIONS {
        return Err(Refusal::too_much(
            "TOO_MANY_INVITATIONS",
            format!("For one filing at most {MOST_INVITATIONS} mails ask somebody to sign."),
        )
        .way_out("Ask without an address, and hand the code over yourself."));
    }
    let asked = pb::HelperAsked {
        role: role.as_str().to_owned(),
        code_mac: code.mac,
        valid_until_us: code.valid_until_us,
        person: role.person(),
        by_mail,
        mail_to,
    };
    Ok(vec![asked.into()])
}

/// An address to which a code is to be sent, in the form in which it is kept; empty where none is given.
///
/// # Errors
/// `EMAIL_MALFORMED`.
pub fn invited_at(mail_to: &str) -> Result<String, Refusal> {
    if mail_to.trim().is_empty() {
        return Ok(String::new());
    }
    identifier::email(mail_to).map_err(|_fault| {
        Refusal::invalid("mail_to", "EMAIL_MALFORMED", "Write an e-mail address such as maria@example.com.")
            .way_out("Correct the address, or leave it out and hand the code over yourself.")
    })
}

/// Takes back that a helper was asked.
pub fn withdraw_helper(filing: &Filing, role: HelperRole, now_us: i64) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    if filing.helper_waits(role, now_us).is_none() {
        return Err(Refusal::state(
            "HELPER_NOT_ASKED",
            "Nobody is asked to sign so, or they have signed already.",
        )
        .way_out("Look at who signs beside you; a signature that was given ends with any change of the form.")
        .fact("role", role.key()));
    }
    let withdrawn = pb::HelperAskWithdrawn { role: role.as_str().to_owned(), person: role.person() };
    Ok(vec![withdrawn.into()])
}

fn helper_signed(role: HelperRole) -> Refusal {
    let refusal = match role {
        HelperRole::Interpreter | HelperRole::Preparer => {
            Refusal::state("HELPER_SIGNED", "This helper has signed what is in the form now.")
                .way_out("Review it and sign it; a later change asks for a new signature.")
        }
        HelperRole::CoSigner | HelperRole::OneOf(_) => Refusal::state(
            "HELPER_SIGNED",
            "Who signs this together with you has signed what is in the form now.",
        )
        .way_out("Review it and sign it; a later change asks for a new signature."),
    };
    refusal.fact("role", role.key())
}

/// A helper's signature as it is given.
#[derive(Debug, Clone)]
pub struct HelperSign {
    /// As what.
    pub role: HelperRole,
    /// The helper's account.
    pub account: Uuid,
    /// Keyed hash of the code as given.
    pub code_mac: Vec<u8>,
    /// Hash of the text that was shown to the helper.
    pub shown_mac: Vec<u8>,
    /// Whether the typed name is the one that the form gives for the helper.
    pub name_agrees: bool,
    /// Whether the language is the one that the form gives; nobody but an interpreter names one.
    pub language_agrees: bool,
    /// The event, ready.
    pub signed: pb::HelperSigned,
}

/// Signs as a helper the text that was shown.
pub fn sign_as_helper(filing: &Filing, checked: &Checked, sign: HelperSign) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    filing.lets_help(sign.role, &sign.code_mac, sign.account, sign.signed.signed_at_us)?;
    shows_to(checked, sign.role)?;
    checked.still_true_of(filing)?;
    if checked.signed_by(sign.role) != sign.shown_mac {
        return Err(content_changed());
    }
    if sign.role.person() > 0 && filing.co_signers().any(|account| account == sign.account) {
        return Err(Refusal::state(
            "ONE_ACCOUNT_EACH",
            "Somebody else who signs this form has signed it in this account: each signs in an account of their own (8 CFR 103.2(a)(2)).",
        )
        .way_out("Open an account of your own and sign with the code there; who cannot get one signs on paper."));
    }
    if !sign.name_agrees {
        return Err(name_differs(sign.role));
    }
    if !sign.language_agrees {
        return Err(Refusal::invalid(
            "spoken_language",
            "LANGUAGE_DIFFERS",
            "An interpreter names the language in which the form was read, as the form gives it; nobody else names one.",
        )
        .way_out("If the form has the language wrong, let whoever fills it in correct it there first."));
    }
    Ok(vec![sign.signed.into()])
}

fn name_differs(role: HelperRole) -> Refusal {
    match role {
        HelperRole::Interpreter | HelperRole::Preparer => Refusal::invalid(
            "typed_name",
            "NAME_DIFFERS",
            "Type your own full name as the form gives it for you as its helper. Capitals and accents do not matter.",
        )
        .way_out("If the form has your name wrong, let whoever fills it in correct it there first."),
        HelperRole::CoSigner | HelperRole::OneOf(_) => Refusal::invalid(
            "typed_name",
            "NAME_DIFFERS",
            "Type your own full legal name as the form gives it for you (8 CFR 103.2(a)(2)): given name, then family name. Capitals and accents do not matter.",
        )
        .way_out("If the form has your name wrong, let whoever fills it in correct it there first."),
    }
}

/// Whether the answers name this helper as one who signs.
///
/// # Errors
/// `HELPER_NOT_NAMED`.
fn helper_named(checked: &Checked, role: HelperRole) -> Result<(), Refusal> {
    if checked.helpers.contains(&role) {
        return Ok(());
    }
    let refusal = match role {
        HelperRole::Interpreter | HelperRole::Preparer => Refusal::state(
            "HELPER_NOT_NAMED",
            "The form names no such helper who still has to sign.",
        )
        .way_out("Say in the form who helped, by name. A representative who prepared it signs by Form G-28."),
        HelperRole::CoSigner => Refusal::state(
            "HELPER_NOT_NAMED",
            "As this form is answered now, nobody signs it together with you.",
        )
        .way_out("If two of you file it, say so in the form; else sign it alone. Where several sign, say which of them."),
        HelperRole::OneOf(_) => Refusal::state(
            "HELPER_NOT_NAMED",
            "As this form is answered now, it has nobody with this number who signs in an account of their own.",
        )
        .way_out("Look at who signs beside you, and ask one of them by their number in the list."),
    };
    Err(refusal.fact("role", role.key()))
}

/// Whether a code still has something to show to its role. A co-signer whom the form no longer names learns nothing, not even that.
///
/// # Errors
/// `HELPER_NOT_NAMED`, `CODE_UNKNOWN`.
pub fn shows_to(checked: &Checked, role: HelperRole) -> Result<(), Refusal> {
    helper_named(checked, role).map_err(|refusal| match role {
        HelperRole::Interpreter | HelperRole::Preparer => refusal,
        HelperRole::CoSigner | HelperRole::OneOf(_) => code_unknown(),
    })
}

/// Whether each helper and co-signer whom the form names has signed what is there now. They come first: the filer's signature closes
/// the text, and what carries it can be sent.
pub(super) fn all_signed(filing: &Filing, checked: &Checked) -> Result<(), Refusal> {
    let lacking = |role: &&HelperRole| filing.helper_signed(**role, checked.signed_by(**role)).is_none();
    let Some(role) = checked.helpers.iter().find(lacking) else { return Ok(()) };
    let refusal = match role {
        HelperRole::Interpreter => Refusal::state(
            "HELPER_UNSIGNED",
            "An interpreter helped, and has not signed what is in the form now.",
        )
        .way_out("Ask the interpreter to sign, with a code; if nobody interpreted, correct the form."),
        HelperRole::Preparer => Refusal::state(
            "HELPER_UNSIGNED",
            "A preparer helped, and has not signed what is in the form now.",
        )
        .way_out("Ask the preparer to sign, with a code; if nobody else filled it in, correct the form."),
        HelperRole::CoSigner => Refusal::state(
            "CO_SIGNER_UNSIGNED",
            "Two people sign this form (8 CFR 103.2(a)(2)), and the other one has not signed what is in it now.",
        )
        .way_out("Ask the other one to sign, with a code, in an account of their own; if you file alone, say so in the form. With two signatures by hand it can be filed on paper."),
        HelperRole::OneOf(_) => Refusal::state(
            "CO_SIGNER_UNSIGNED",
            "Somebody who files this together with you signs for themselves (8 CFR 103.2(a)(2)), and has not signed what is in it now.",
        )
        .way_out("Ask them to sign, with a code or by mail, in an account of their own. If they cannot get one, say in the form that they sign on paper, and attach that."),
    };
    Err(refusal.fact("role", role.key()))
}
